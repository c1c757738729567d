"""Intercom's `GET /calls` and `GET /calls/{id}`; what stands beside them is `intercom_sides`.

As https://developers.intercom.com/docs/references/rest-api/api.intercom.io/calls describes
them, and as answers seen live are.
"""

import re
from math import ceil

import orjson

from .answers import Answer, ApiRequest, Credentials, whole_number
from .history import CallHistory
from .intercom_calls import IntercomCall
from .intercom_errors import REFUSALS, REFUSALS_OF_ADMINS, refusal
from .intercom_records import render_call
from .intercom_sides import SOUND, IntercomSides
from .intercom_spoken import SIGNED_PATH
from .limits import Allowance, Clock, FixedWindow
from .listing import Moments, calls_from, ordered_view
from .numbered_lists import numbered_page
from .rendering import Record, RenderedCalls
from .switches import IntercomSwitches, Switches
from .times import RealClock

LARGEST_PAGE = 25


class IntercomApi:
    """Intercom's behaviour over its true calls."""

    def __init__(self, history: CallHistory[IntercomCall], clock: Clock = RealClock.wall) -> None:
        self._history = history
        self._rendered = RenderedCalls(render_call)
        self._limiter = FixedWindow(shown=clock)
        self._sides = IntercomSides(history)

    def answer(self, request: ApiRequest, switches: Switches, credentials: Credentials) -> Answer:
        """See `ProviderApi`. Rate headers come with every authenticated answer.

        Whoever asks where a recording lies gets it, with any key or none.
        """
        if request.path.startswith(SIGNED_PATH):
            return SOUND
        key = request.bearer()
        if key is None or not credentials.knows(key):
            return refusal(*REFUSALS["unauthorized"])
        options = switches.intercom
        allowance = self._limiter.take(
            key, options.limit, options.window_seconds, switches.enforce_limits
        )
        if not allowance.allowed:
            window = f"{options.window_seconds:g}_seconds"
            message = f"Exceeded rate limit of {options.limit} in {window}"
            answer = refusal(429, "rate_limit_exceeded", message)
        elif (fault := credentials.faults.get(key)) in REFUSALS:
            answer = refusal(*REFUSALS[fault])
        elif fault is not None and request.path == "/admins":
            answer = refusal(*REFUSALS_OF_ADMINS[fault])
        else:
            answer = self._route(request, switches)
        return answer.with_headers(rate_headers(allowance))

    def _route(self, request: ApiRequest, switches: Switches) -> Answer:
        if not accepts_json(request.headers.get("accept", "")):
            return refusal(
                406,
                "not_acceptable",
                "The Accept header should send a media type of application/json",
            )
        if not version_has_calls(request.headers.get("intercom-version", "")):
            message = "Requested resource is not available in current API version"
            return refusal(400, "intercom_version_invalid", message)
        if request.method == "GET" and request.path == "/calls":
            return self._list(request, switches)
        if request.method == "GET" and (found := re.fullmatch(r"/calls/([^/]+)", request.path)):
            call = self._history.calls.get(found[1])
            if call is not None:
                return Answer(200, self._rendered.record(call, switches), listed=(call,))
        side = self._sides.answer(request, switches)
        return side or refusal(404, "not_found", "Not Found")

    def _list(self, request: ApiRequest, switches: Switches) -> Answer:
        options = switches.intercom
        page = whole_number(request.value("page") or "1")
        size = whole_number(request.value("per_page") or str(LARGEST_PAGE))
        if page is None or page < 1:
            return refusal(400, "parameter_invalid", "page must be a positive integer", "page")
        too_large = size is not None and size > LARGEST_PAGE
        if size is None or size < 1 or (too_large and options.per_page_over_25 == "refuse"):
            return refusal(
                400, "parameter_invalid", "per_page must be between 1 and 25", "per_page"
            )
        size = min(size, LARGEST_PAGE)
        view = ordered_view(self._history, options.order, MOMENTS)

        def rows(start: int, count: int) -> list[IntercomCall]:
            return calls_from(self._history, view, options.order, start, count)

        found = numbered_page(options.lists, rows, len(view), page, size)
        if found.refused is not None:
            return refusal(found.refused, "parameter_invalid", "page is out of range", "page")
        tail: Record = {} if found.total is None else {"total_count": found.total}
        tail["pages"] = pages_object(options, page, size, found.page_count)
        body = b'{"type":"list","data":%b,%b' % (
            self._rendered.array(found.rows, switches),
            orjson.dumps(tail)[1:],
        )
        return Answer(200, body, listed=found.rows)


def pages_object(
    options: IntercomSwitches, page: int, size: int, total_pages: int | str | None
) -> Record | None:
    """The `pages` of a list, null by a switch; `next` in one of four forms (UNKNOWN which)."""
    if options.pages == "null":
        return None
    pages: Record = {"type": "pages", "page": page, "per_page": size}
    if total_pages is not None:
        pages["total_pages"] = total_pages
    if options.pages_next == "absent":
        return pages
    following: Record | str | None = None
    last = int(total_pages or 0)
    if page < last and options.pages_next == "object":
        following = {"per_page": size, "starting_after": f"WzE3{page + 1:04d}e5"}
    elif page < last and options.pages_next == "url":
        following = f"https://api.intercom.io/calls?per_page={size}&page={page + 1}"
    return {**pages, "next": following}


def last_change(call: IntercomCall) -> int:
    """What the order by update goes by."""
    return call.created if call.updated_at is None else call.updated_at


MOMENTS: Moments[IntercomCall] = Moments(
    created=lambda call: call.created,
    updated=last_change,
    started=lambda call: call.created if call.initiated_at is None else call.initiated_at,
    second=1,
)


def accepts_json(accept: str) -> bool:
    """Whether an Accept header allows JSON; a missing one does not."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return any(kind in ("application/json", "application/*", "*/*") for kind in kinds)


def version_has_calls(version: str) -> bool:
    """Whether an Intercom-Version has calls: 2.14 and newer, or Preview."""
    found = re.fullmatch(r"(\d+)\.(\d+)", version)
    return version == "Preview" or (found is not None and (int(found[1]), int(found[2])) >= (2, 14))


def rate_headers(allowance: Allowance) -> dict[str, str]:
    """X-RateLimit-*: the reset as UNIX seconds."""
    return {
        "X-RateLimit-Limit": str(allowance.limit),
        "X-RateLimit-Remaining": str(allowance.remaining),
        "X-RateLimit-Reset": str(ceil(allowance.resets_at)),
    }
