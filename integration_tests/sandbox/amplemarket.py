"""Amplemarket's API: `GET /calls`; what stands beside it is `amplemarket_sides`.

As https://docs.amplemarket.com/api-reference/calls/get-calls describes it.
"""

import re
from collections.abc import Callable, Iterator
from email.utils import formatdate
from itertools import islice
from math import ceil
from urllib.parse import quote

from .amplemarket_calls import AmplemarketCall
from .amplemarket_errors import refusal
from .amplemarket_sides import side_answer
from .answers import Answer, ApiRequest, Credentials, json_answer, whole_number
from .history import CallHistory
from .identifiers import as_uuid4, as_uuid7
from .limits import Allowance, Clock, MovingWindow
from .rendering import Record, RenderedCalls, with_unknown_fields
from .switches import AmplemarketSwitches, Switches
from .times import SECOND, ZERO_TIMES, RealClock, iso_seconds, parse_iso
from .views import CallView

DEFAULT_PAGE, LARGEST_PAGE = 20, 100
HOSTS = {
    "relative": "",
    "absolute": "https://api.amplemarket.com",
    "http": "http://api.amplemarket.com",
    "port": "https://api.amplemarket.com:443",
    "capitals": "HTTPS://API.Amplemarket.COM",
}
"""What stands before a link's path."""
FILTERS = ("user_id", "from", "to", "start_date_from", "start_date_to")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([47])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class AmplemarketApi:
    """Amplemarket's behaviour over its true calls."""

    def __init__(
        self, history: CallHistory[AmplemarketCall], clock: Clock = RealClock.wall
    ) -> None:
        self._history = history
        self._rendered = RenderedCalls(render_call)
        self._limiter = MovingWindow(shown=clock)

    def answer(self, request: ApiRequest, switches: Switches, credentials: Credentials) -> Answer:
        """See `ProviderApi`.

        The bodies of 401, 403 and 429 are UNKNOWN: the documented envelope, plausible codes.
        """
        key = request.bearer()
        if (
            key is None
            or not credentials.knows(key)
            or credentials.faults.get(key) == "unauthorized"
        ):
            return refusal(401, "unauthorized", "Unauthorized", "Invalid API key")
        if credentials.faults.get(key) == "forbidden":
            return refusal(403, "forbidden", "Forbidden", "This API key may not list calls")
        options = switches.amplemarket
        allowance = self._limiter.take(
            key, options.limit, options.window_seconds, switches.enforce_limits
        )
        if not allowance.allowed:
            answer = refusal(429, "too_many_requests", "Too Many Requests", "Rate limit exceeded")
            return answer.with_headers(retry_after(options, allowance))
        if request.method == "GET" and request.path == "/calls":
            return self._list(request, switches)
        side = side_answer(request, switches)
        if side is not None and credentials.faults.get(key) == "sides_forbidden":
            return refusal(403, "forbidden", "Forbidden", "This API key may not list these")
        return side or refusal(404, "not_found", "Not Found", "No such resource")

    def _list(self, request: ApiRequest, switches: Switches) -> Answer:
        size = whole_number(request.value("page[size]") or str(DEFAULT_PAGE))
        if size is None or not 1 <= size <= LARGEST_PAGE:
            return refusal(400, "unsupported_value", "Unsupported Value", "Invalid page size")
        after, before = request.value("page[after]"), request.value("page[before]")
        if not all(UUID.fullmatch(cursor) for cursor in (after, before) if cursor):
            return refusal(400, "unsupported_value", "Unsupported Value", "Invalid cursor")
        dates = [request.value("start_date_from"), request.value("start_date_to")]
        if any(parse_iso(date) is None for date in dates if date):
            return refusal(400, "unsupported_value", "Unsupported Value", "Invalid date format")
        wanted = call_filter(request, switches.amplemarket)
        page, newer, older = self._page(wanted, after, before, size)
        links = {"self": link(request, switches, size, {})}
        if page and newer:
            links["prev"] = link(
                request, switches, size, {"page[before]": shown_id(page[0], switches)}
            )
        if page and (older or switches.amplemarket.last_link == "to_an_empty_page"):
            links["next"] = link(
                request, switches, size, {"page[after]": shown_id(page[-1], switches)}
            )
        hrefs = json_answer(200, {name: {"href": href} for name, href in links.items()}).body
        body = b'{"calls":%b,"_links":%b}' % (self._rendered.array(page, switches), hrefs)
        return Answer(200, body, listed=page)

    def _page(
        self,
        wanted: Callable[[AmplemarketCall], bool],
        after: str | None,
        before: str | None,
        size: int,
    ) -> tuple[list[AmplemarketCall], bool, bool]:
        """The calls of the page, newest first, and whether there are newer and older ones."""
        view = self._history.view("id", lambda call: (call.id,))
        newest = len(view) if not after else view.position((cursor_key(after),))
        oldest = 0 if not before else view.position((cursor_key(before) + "~",))
        down = (
            call for call in self._calls(view, range(newest - 1, oldest - 1, -1)) if wanted(call)
        )
        if before and not after:  # the page just above the cursor
            up = (call for call in self._calls(view, range(oldest, newest)) if wanted(call))
            page = list(islice(up, size))[::-1]
        else:
            page = list(islice(down, size))
        if not page:
            return [], False, False
        first, last = view.position((page[0].id,)), view.position((page[-1].id,))
        newer = any(wanted(call) for call in self._calls(view, range(first + 1, len(view))))
        older = any(wanted(call) for call in self._calls(view, range(last - 1, -1, -1)))
        return page, newer, older

    def _calls(
        self, view: CallView[AmplemarketCall], positions: range
    ) -> Iterator[AmplemarketCall]:
        return (self._history.calls[view.at(position)] for position in positions)


def call_filter(
    request: ApiRequest, options: AmplemarketSwitches
) -> Callable[[AmplemarketCall], bool]:
    """Whether a call passes the request's filters; empty values filter nothing (INFERRED)."""
    user, sender, receiver = request.value("user_id"), request.value("from"), request.value("to")
    ignored = options.date_filter == "ignored"
    slack = 1 if options.date_filter == "works_inclusive" else 0
    earliest = None if ignored else parse_iso(request.value("start_date_from") or "")
    latest = None if ignored else parse_iso(request.value("start_date_to") or "")

    def wanted(call: AmplemarketCall) -> bool:
        started = None if call.started is None else call.started * SECOND
        return (
            (not user or call.user_id == user)
            and (not sender or call.from_number == sender)
            and (not receiver or call.to_number == receiver)
            and (started is None or earliest is None or started + slack > earliest)
            and (started is None or latest is None or started - slack < latest)
        )

    return wanted


def link(request: ApiRequest, switches: Switches, size: int, cursor: dict[str, str]) -> str:
    """A link: brackets unescaped, relative unless the switch says otherwise.

    `self` repeats the request's cursor.
    """
    parameters = {"page[size]": str(size), **cursor}
    if not cursor:
        for name in ("page[after]", "page[before]"):
            parameters |= dict(pair for pair in request.query if pair[0] == name)
    if switches.amplemarket.links_carry_filters or not cursor:
        for name in FILTERS:
            parameters |= dict(pair for pair in request.query if pair[0] == name)
    query = "&".join(f"{name}={quote(value, safe=':')}" for name, value in parameters.items())
    return f"{HOSTS[switches.amplemarket.links]}/calls?{query}"


def shown_id(call: AmplemarketCall, switches: Switches) -> str:
    """The id under which the call is listed."""
    return call.id if switches.amplemarket.ids == "uuid7" else as_uuid4(call.id)


def cursor_key(cursor: str) -> str:
    """The place in the order of a cursor, whether or not its call still exists."""
    return as_uuid7(cursor) if cursor[14] == "4" else cursor


def render_call(call: AmplemarketCall, switches: Switches) -> Record:
    """The call as Amplemarket lists it; some records lack the key `recording_url`."""
    record: Record = {
        "id": shown_id(call, switches),
        "disposition_id": call.disposition_id,
        "duration": call.duration,
        "external": call.external,
        "start_date": start_of(call, switches),
        "from": call.from_number,
        "to": call.to_number,
        "notes": call.notes,
        "transcription": call.transcription,
        "task_id": call.task_id,
        "user_id": call.user_id,
        "human": call.human,
        "answered": call.answered,
        "contact": None,
    }
    if call.contact_id is not None:
        name, email = call.contact_name, call.contact_email
        record["contact"] = {"id": call.contact_id, "name": name, "email": email}
    newer = call.newer if switches.amplemarket.newer_fields == "present" else None
    if call.has_recording_url or newer is not None:
        record["recording_url"] = call.recording_url
    if switches.amplemarket.direction == "present" or newer is not None:
        record["direction"] = call.direction
    if newer is not None:
        record |= {**newer._asdict(), "transcript": list(newer.transcript)}
    return with_unknown_fields(record, switches)


def start_of(call: AmplemarketCall, switches: Switches) -> str | None:
    """The call's `start_date`."""
    if call.started is None:
        return ZERO_TIMES[switches.amplemarket.no_time][1]
    return iso_seconds(call.started)


def retry_after(options: AmplemarketSwitches, allowance: Allowance) -> dict[str, str]:
    """The Retry-After header, whose form is UNKNOWN."""
    if options.retry_after == "absent":
        return {}
    if options.retry_after == "http_date":
        return {"Retry-After": formatdate(ceil(allowance.resets_at), usegmt=True)}
    return {"Retry-After": str(max(1, ceil(allowance.wait_seconds)))}
