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
    ("updatedAt", "desc"): "updated_desc",
    ("startedAt", "desc"): "started_desc",
}
"""What may be asked for, by the values of `orderBy` and `order`."""


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
    if order == "shuffled":
        return history.view((order, scope), shuffled_key, keep)
    if order == "updated_desc":
        return history.view((order, scope), lambda call: (moments.updated(call), call.id), keep)
    if order == "started_desc":
        return history.view((order, scope), lambda call: (moments.started(call), call.id), keep)
    if order == "nearly_desc":
        return history.view((order, scope), lambda call: displaced_key(call, moments), keep)
    return history.view(("created", scope), lambda call: (moments.created(call), call.id), keep)


def calls_from(
    history: CallHistory[Call], view: CallView[Call], order: ListOrder, start: int, count: int
) -> list[Call]:
    """The calls from a position in the order on; none past the end."""
    ascending = order in ("created_asc", "shuffled")
    ids = view.ascending(start, count) if ascending else view.descending(start, count)
    return [history.calls[identifier] for identifier in ids]


def shuffled_key(call: Call) -> SortKey:
    """A stable order that has nothing to do with time."""
    return (crc32(call.id.encode()), call.id)


def displaced_key(call: Call, moments: Moments[Call]) -> SortKey:
    """By creation, but for one call in some twenty, which stands days further down."""
    is_displaced = crc32(call.id.encode()) % 20 == 0
    days = 5 * 24 * 3600 * moments.second
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
