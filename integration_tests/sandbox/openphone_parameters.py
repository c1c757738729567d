"""Query parameters of OpenPhone's lists and their validation."""

from collections.abc import Callable
from dataclasses import dataclass

from .answers import ApiRequest, whole_number
from .openphone_errors import Refusal, invalid
from .openphone_history import Moment
from .openphone_tokens import Filters, PageTokens
from .switches import OpenPhoneSwitches
from .times import parse_iso

LARGEST_PAGE = 100
DATES = ("createdAfter", "createdBefore", "updatedAfter", "updatedBefore", "since")


@dataclass(frozen=True)
class Page:
    """Which page is asked for: how many results, after which moment, under which filters."""

    size: int
    after: Moment | None
    filters: Filters


def read_page(request: ApiRequest, tokens: PageTokens) -> Page | Refusal:
    """Read maxResults (required, 1..100) and pageToken (to be sent with unchanged filters)."""
    text = request.value("maxResults")
    size = whole_number(text or "")
    if text is None:
        return invalid("/maxResults", "maxResults is required")
    if size is None or not 1 <= size <= LARGEST_PAGE:
        return invalid("/maxResults", "maxResults must be an integer from 1 to 100")
    filters = tuple(
        sorted(pair for pair in request.query if pair[0] not in ("pageToken", "maxResults"))
    )
    token = request.value("pageToken")
    if token is None:
        return Page(size, None, filters)
    after = tokens.last(token, filters)
    if after is None:
        return invalid("/pageToken", "pageToken is unknown or was given for other filters")
    return Page(size, after, filters)


def bad_date(request: ApiRequest) -> Refusal | None:
    """The refusal of the first date that is not ISO 8601."""
    for name in DATES:
        if any(parse_iso(value) is None for value in request.values(name)):
            return invalid(f"/{name}", f"{name} must be a date-time in ISO 8601 format")
    return None


def date_filter(
    request: ApiRequest, options: OpenPhoneSwitches, after: str, *before: str
) -> Callable[[int | None], bool]:
    """Whether an instant passes the bounds; one that is null passes only without bounds."""
    slack = 1 if options.date_bounds == "inclusive" else 0
    earliest = parse_iso(request.value(after) or "")
    bounds = [parse_iso(request.value(name) or "") for name in before]
    latest = min((bound for bound in bounds if bound is not None), default=None)

    def wanted(at: int | None) -> bool:
        if at is None:
            return earliest is None and latest is None
        return (earliest is None or at + slack > earliest) and (
            latest is None or at - slack < latest
        )

    return wanted
