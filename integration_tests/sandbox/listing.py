"""Page-numbered lists in the orders that Intercom's and Skipcall's pages leave open."""

from binascii import crc32
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Literal

import orjson

from .answers import ApiRequest
from .history import CallHistory
from .switches import ListOrder, SortEncoding
from .views import Call, CallView, SortKey

ORDERS: Final[dict[tuple[str | None, str], ListOrder]] = {
    ("createdAt", "asc"): "created_asc",
    ("createdAt", "desc"): "created_desc",
    ("updatedAt", "asc"): "updated_asc",
    ("updatedAt", "desc"): "updated_desc",
    ("startedAt", "asc"): "started_asc",
    ("startedAt", "desc"): "started_desc",
}
"""What may be asked for, by the values of `orderBy` and `order`."""

DISPLACED_DAYS = 5
"""How far down those calls stand that a nearly sorted list has out of their place."""


@dataclass(frozen=True)
class Moments(Generic[Call]):
    """How the instants of a call are found, by which a list may be ordered, and their unit."""

    created: Callable[[Call], int]
    updated: Callable[[Call], int]
    started: Callable[[Call], int]
    second: int


def ordered_view(
    history: CallHistory[Call],
    order: ListOrder,
    moments: Moments[Call],
    scope: str = "all",
    keep: Callable[[Call], bool] = lambda call: True,
) -> CallView[Call]:
    """The view for an order; `scope` names what `keep` admits."""
    by = order.partition("_")[0]
    return history.view((by, scope), lambda call: sort_key(order, moments, call), keep)


def calls_from(
    history: CallHistory[Call], view: CallView[Call], order: ListOrder, start: int, count: int
) -> list[Call]:
    """The calls from a position in the order on; none past the end."""
    descends = order.endswith("_desc")
    ids = view.descending(start, count) if descends else view.ascending(start, count)
    return [history.calls[identifier] for identifier in ids]


def sort_key(order: ListOrder, moments: Moments[Call], call: Call) -> SortKey:
    """What a call's place in the order goes by."""
    if order in ("updated_desc", "updated_asc"):
        return (moments.updated(call), call.id)
    if order in ("started_desc", "started_asc"):
        return (moments.started(call), call.id)
    if order in ("nearly_desc", "nearly_asc"):
        return displaced_key(call, moments)
    return shuffled_key(call) if order == "shuffled" else (moments.created(call), call.id)


def shuffled_key(call: Call) -> SortKey:
    """A stable order that has nothing to do with time."""
    return (crc32(call.id.encode()), call.id)


def displaced_key(call: Call, moments: Moments[Call]) -> SortKey:
    """By creation, but for one call in some twenty, which stands days further down."""
    is_displaced = crc32(call.id.encode()) % 20 == 0
    days = DISPLACED_DAYS * 24 * 3600 * moments.second
    return (moments.created(call) - (days if is_displaced else 0), call.id)


def asked_order(request: ApiRequest, encoding: SortEncoding) -> ListOrder | Literal[False] | None:
    """The order that a request asks for in the encoding that the server understands.

    Returns:
        None where nothing is asked for that it understands; False where it refuses what is asked.
    """
    forms = {
        "form": {name: request.value(name) for name in ("orderBy", "order")},
        "brackets": {name: request.value(f"sort[{name}]") for name in ("orderBy", "order")},
        "json": _decoded(request.value("sort")),
    }
    if encoding == "refused":
        return False if any(value for form in forms.values() for value in form.values()) else None
    wanted = forms.get(encoding, {})
    if wanted.get("orderBy") is None:
        return None
    return ORDERS.get((wanted["orderBy"], wanted.get("order") or "asc"), False)


def _decoded(text: str | None) -> dict[str, str | None]:
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
