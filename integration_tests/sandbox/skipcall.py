"""Skipcall's API: `GET /v1/calls`.

As https://docs.skipcall.app/api-reference/calls/list-calls describes it.
"""

from collections.abc import Callable, Iterable
from math import ceil

import orjson

from .answers import Answer, ApiRequest, Credentials, json_answer, whole_number
from .history import CallHistory
from .limits import Allowance, Clock, FixedWindow
from .listing import Moments, asked_order, calls_from, ordered_view
from .numbered_lists import numbered_page
from .rendering import Record, RenderedCalls, with_unknown_fields
from .skipcall_calls import SkipcallCall
from .switches import SkipcallSwitches, Switches
from .times import SECOND, ZERO_TIMES, RealClock, iso_milliseconds

DEFAULT_LIMIT, LARGEST_LIMIT = 10, 100
ORGANIZATION = "5f0c9a52-0f3e-4e0a-9d53-1f6a2f3b7c11"
REFUSALS: dict[str, tuple[int, str, str]] = {
    "UNAUTHORIZED": (401, "UNAUTHORIZED", "Invalid or revoked API key"),
    "SUBSCRIPTION_REQUIRED": (
        403,
        "SUBSCRIPTION_REQUIRED",
        "An active subscription is required to access the API",
    ),
    "PLAN_NOT_ELIGIBLE": (
        403,
        "PLAN_NOT_ELIGIBLE",
        "API access requires STARTER, INTERMÉDIAIRE or EXPERT plan",
    ),
    "WORKSPACE_OUT_OF_SCOPE": (
        403,
        "FORBIDDEN",
        "One or more requested workspaceIds are outside the API key scope",
    ),
}
"""Status, code, message.

The body of WORKSPACE_OUT_OF_SCOPE and the envelope of every 403 are UNKNOWN.
"""


class SkipcallApi:
    """Skipcall's behaviour over its true calls."""

    def __init__(
        self,
        history: CallHistory[SkipcallCall],
        workspaces: tuple[str, ...],
        clock: Clock = RealClock.wall,
    ) -> None:
        self._history = history
        self._workspaces = frozenset(workspaces)
        self._rendered = RenderedCalls(render_call)
        self._limiter = FixedWindow(shown=clock)

    def answer(self, request: ApiRequest, switches: Switches, credentials: Credentials) -> Answer:
        """See `ProviderApi`. Rate headers are included in every response."""
        key = request.bearer() or ""
        options = switches.skipcall
        allowance = self._limiter.take(
            key, options.limit, options.window_seconds, switches.enforce_limits
        )
        if not allowance.allowed:
            answer = refusal(429, "TOO_MANY_REQUESTS", "Rate limit exceeded")
        elif not credentials.knows(key) and options.body_401 == "docs_page":
            answer = json_answer(401, {"code": "API_KEY_INVALID", "details": None})
        elif not credentials.knows(key):
            answer = refusal(*REFUSALS["UNAUTHORIZED"])
        elif key in credentials.faults:
            answer = refusal(*REFUSALS[credentials.faults[key]])
        elif request.method != "GET" or request.path != "/v1/calls":
            answer = refusal(404, "NOT_FOUND", f"Cannot {request.method} {request.path}")
        else:
            answer = self._list(request, switches)
        return answer.with_headers(rate_headers(options, allowance))

    def _list(self, request: ApiRequest, switches: Switches) -> Answer:
        options = switches.skipcall
        page = whole_number(request.value("page") or "1")
        limit = whole_number(request.value("limit") or str(DEFAULT_LIMIT))
        if page is None or page < 1:
            return refusal(400, "BAD_REQUEST", "page must be an integer not less than 1")
        if limit is None or limit < 1:
            return refusal(400, "BAD_REQUEST", "limit must be an integer not less than 1")
        limit = min(limit, options.limit_cut or LARGEST_LIMIT)
        scope = key_scope(self._workspaces, options)
        workspaces = asked_workspaces(request) or scope
        if not workspaces <= scope:
            return refusal(*REFUSALS["WORKSPACE_OUT_OF_SCOPE"])
        asked = asked_order(request, options.sort)
        if asked is False:
            return refusal(400, "BAD_REQUEST", "sort must be an object")
        order = asked or options.order
        view = ordered_view(
            self._history,
            order,
            MOMENTS,
            scope=f"{options.soft_deleted_listed} {sorted(workspaces)}",
            keep=listed_in(workspaces, options.soft_deleted_listed),
        )

        def rows(start: int, count: int) -> list[SkipcallCall]:
            return calls_from(self._history, view, order, start, count)

        found = numbered_page(options.lists, rows, len(view), page, limit)
        if found.refused is not None:
            return refusal(found.refused, "BAD_REQUEST", "page is out of range")
        counts: Record = {} if found.total is None else {"total": found.total}
        counts |= {"page": page, "limit": limit}
        if found.page_count is not None:
            counts["totalPages"] = found.page_count
        array = self._rendered.array(found.rows, switches)
        return Answer(200, b'{"data":%b,%b' % (array, orjson.dumps(counts)[1:]), listed=found.rows)


def key_scope(workspaces: Iterable[str], options: SkipcallSwitches) -> frozenset[str]:
    """The workspaces that the key reaches."""
    return frozenset(sorted(workspaces)[: 1 if options.key_scope == "one" else None])


def asked_workspaces(request: ApiRequest) -> frozenset[str]:
    """The workspaces that the request names, comma-separated or as repeated `workspaceIds[]`."""
    texts = [*request.values("workspaceIds"), *request.values("workspaceIds[]")]
    return frozenset(one.strip() for text in texts for one in text.split(",") if one.strip())


def listed_in(workspaces: frozenset[str], soft_deleted: bool) -> Callable[[SkipcallCall], bool]:
    """Whether a call belongs to a list."""
    return lambda call: call.workspace_id in workspaces and (soft_deleted or call.deleted is None)


def last_change(call: SkipcallCall) -> int:
    """What the order by update goes by."""
    return call.created if call.updated is None else call.updated


MOMENTS: Moments[SkipcallCall] = Moments(
    created=lambda call: call.created,
    updated=last_change,
    started=lambda call: call.created if call.started is None else call.started,
    second=SECOND,
)


def render_call(call: SkipcallCall, switches: Switches) -> Record:
    """The call as Skipcall lists it (`CallWithContactDTO`).

    Ids of things that the sandbox has not are made up.
    """
    mark = call.id[:8]
    never = ZERO_TIMES[switches.skipcall.no_time][1]

    def when(milliseconds: int | None) -> str | None:
        return never if milliseconds is None else iso_milliseconds(milliseconds)

    record: Record = {
        "id": call.id,
        "callType": call.call_type,
        "phoneNumberId": f"{mark}-0000-4000-8000-000000000001",
        "userProviderSid": f"CA{mark}",
        "adminProviderSid": f"CA{mark}ad" if call.call_type == "DIRECT_CALL" else None,
        "providerConferenceId": f"CF{mark}",
        "status": call.status,
        "type": call.type,
        "transferred": call.transferred,
        "startedAt": when(call.started),
        "endedAt": when(call.ended),
        "createdAt": iso_milliseconds(call.created),
        "updatedAt": when(call.updated),
        "sequenceRunId": f"{mark}-0000-4000-8000-000000000002",
        "sequenceId": f"{mark}-0000-4000-8000-000000000003",
        "syncedWithCrmDate": when(call.ended),
        "deletedAt": when(call.deleted),
        "organizationId": ORGANIZATION,
        "organizationMembershipId": call.membership_id,
        "managedPhoneNumberId": call.managed_number_id,
        "notes": call.notes,
        "contact": contact_object(call),
        "phoneNumber": number_object(call.phone_number),
        "caller": caller_object(call.caller),
        "callerPhoneNumber": number_object(call.caller_phone_number),
    }
    for name in call.absent:
        del record[name]
    return with_unknown_fields(record, switches)


def contact_object(call: SkipcallCall) -> Record | None:
    """`CallContactSummaryDTO`."""
    if call.contact is None:
        return None
    identifier, first, last, unknown = call.contact
    return {"id": identifier, "firstName": first, "lastName": last, "isUnknown": unknown}


def caller_object(caller: tuple[str, str] | None) -> Record | None:
    """`CallCallerSummaryDTO`."""
    return None if caller is None else {"firstName": caller[0], "lastName": caller[1]}


def number_object(value: str | None) -> Record | None:
    """`CallPhoneNumberSummaryDTO`."""
    return None if value is None else {"value": value}


def rate_headers(options: SkipcallSwitches, allowance: Allowance) -> dict[str, str]:
    """X-RateLimit-*: "Unix timestamp", whose unit is UNKNOWN."""
    reset = ceil(allowance.resets_at)
    return {
        "X-RateLimit-Limit": str(allowance.limit),
        "X-RateLimit-Remaining": str(allowance.remaining),
        "X-RateLimit-Reset": str(reset * SECOND if options.reset_unit == "milliseconds" else reset),
    }


def refusal(status: int, code: str, message: str) -> Answer:
    """The error envelope of the documented 401."""
    return json_answer(status, {"error": {"code": code, "message": message, "status": status}})
