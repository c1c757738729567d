"""Query parameters of the lists of Quo's dated API and their validation."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .answers import ApiRequest, whole_number
from .openphone_calls import OpenPhoneCall
from .openphone_dated_errors import dated, query_invalid
from .openphone_errors import Refusal
from .openphone_history import Moment
from .openphone_switches import PARTS, OpenPhoneDatedSwitches, Part
from .openphone_tokens import Filters, PageTokens
from .openphone_workspace import E164

LARGEST_PAGE = 50
USUAL_PAGE = "10"
PAGING = ("limit", "after")
BOUNDS = ("createdAt[gte]", "createdAt[lte]")
STATUSES = (
    *("queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer"),
    *("canceled", "missed", "answered", "forwarded", "abandoned"),
)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
FORMS: dict[str, re.Pattern[str]] = {
    "phoneNumberId": re.compile(r"PN\w+", re.ASCII),
    "actorId": re.compile(r"(US|SYU)\w+", re.ASCII),
    "participant": E164,
    "direction": re.compile("incoming|outgoing"),
    "status": re.compile("|".join(STATUSES)),
}
MANY = ("participant", "status")
"""What can be asked for with `[in]` and several values, between commas."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page:
    """Which page is asked for: how many, from which cursor on, under which filters."""

    size: int
    after: Moment | None
    filters: Filters


@dataclass(frozen=True)
class CallQuery:
    """Which calls are asked for.

    `earliest` and `latest` are milliseconds, both inclusive; `wanted` are all other filters.
    """

    page: Page
    earliest: int | None
    latest: int | None
    wanted: Callable[[OpenPhoneCall], bool]
    parts: frozenset[Part]


def read_page(
    request: ApiRequest, tokens: PageTokens, allowed: Collection[str] = ()
) -> Page | Refusal:
    """Read limit (1..50) and after (for unchanged filters); other names must be allowed ones."""
    for name, _ in request.query:
        if name not in allowed and name not in PAGING:
            return query_invalid(name, f"Unknown query parameter {name}")
    size = whole_number(request.value("limit") or USUAL_PAGE)
    if size is None or not 1 <= size <= LARGEST_PAGE:
        return query_invalid("limit", f"Expected an integer from 1 to {LARGEST_PAGE}")
    filters = tuple(sorted(pair for pair in request.query if pair[0] not in PAGING))
    filters = (("", request.path), *filters)
    cursor = request.value("after")
    if cursor is None:
        return Page(size, None, filters)
    after = tokens.last(cursor, filters)
    if after is None:
        return query_invalid("after", "The cursor is unknown or was given for other filters")
    return Page(size, after, filters)


def read_calls(
    request: ApiRequest, tokens: PageTokens, options: OpenPhoneDatedSwitches
) -> CallQuery | Refusal:
    """Read what `GET /calls` is asked for."""
    names = (*FORMS, *(f"{name}[in]" for name in MANY))
    page = read_page(request, tokens, (*names, *BOUNDS, "include"))
    if isinstance(page, Refusal):
        return page
    asked: dict[str, list[str]] = {}
    for name in names:
        field = name.partition("[")[0]
        for given in request.values(name):
            values = given.split(",") if name != field else [given]
            if not all(FORMS[field].fullmatch(value) for value in values):
                return query_invalid(name, f"{given!r} is no {field}")
            asked[name] = values
    bounds: dict[str, datetime | None] = {}
    for name in BOUNDS:
        text = request.value(name)
        bounds[name] = None if text is None else instant(text)
        if text is not None and bounds[name] is None:
            return query_invalid(name, f"{text!r} is no date-time in ISO 8601 format")
    since, until = (bounds[name] for name in BOUNDS)
    # what a 422 stands for is UNKNOWN; bounds in the wrong order are the likeliest
    if since is not None and until is not None and since > until:
        return dated(422, "createdAt[gte] must not be later than createdAt[lte]")
    earliest = None if since is None else -(-microseconds(since) // 1_000)
    latest = None if until is None else microseconds(until) // 1_000
    whole = "." not in (request.value(BOUNDS[1]) or "")
    if latest is not None and whole and options.bounds == "cut_to_seconds":
        latest += 999
    parts = read_parts(request)
    if isinstance(parts, Refusal):
        return parts
    return CallQuery(page, earliest, latest, lambda call: passes(call, asked), parts)


def read_parts(request: ApiRequest) -> frozenset[Part] | Refusal:
    """Read `include`: some of the known parts, between commas."""
    text = request.value("include")
    if text is None:
        return frozenset()
    known: dict[str, Part] = {part: part for part in PARTS}
    if not all(word in known for word in text.split(",")):
        return query_invalid("include", f"Expected some of {', '.join(PARTS)}")
    return frozenset(known[word] for word in text.split(","))


def instant(text: str) -> datetime | None:
    """The instant that a bound names; None for what is none, or has no zone."""
    try:
        return datetime.fromisoformat(text) if INSTANT.fullmatch(text) else None
    except ValueError:
        return None


def microseconds(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def passes(call: OpenPhoneCall, asked: dict[str, list[str]]) -> bool:
    """Whether the call has one of the values that are asked for, of each name."""
    line = call.conversation.line
    attached = call.conversation.attached
    # of a group, the one that is called or calls; the others are no match
    parties = [call.conversation.participants[0], *([line.number] if attached else [])]
    has = {
        "phoneNumberId": [line.id] if attached else [],
        "actorId": [call.user_id],
        "participant": parties,
        "direction": [call.direction.lower()],
        "status": [call.status],
    }
    return all(
        any(value in has[name.partition("[")[0]] for value in values)
        for name, values in asked.items()
    )
