"""Page-numbered lists in the orders that Intercom's and Skipcall's pages leave open."""

from binascii import crc32
from collections.abc import Callable

from .history import CallHistory
from .switches import ListOrder
from .views import Call, CallView, SortKey


def ordered_view(
    history: CallHistory[Call],
    order: ListOrder,
    created: Callable[[Call], int],
    updated: Callable[[Call], int],
    scope: str = "all",
    keep: Callable[[Call], bool] = lambda call: True,
) -> CallView[Call]:
    """The view for an order; `scope` names what `keep` admits."""
    if order == "shuffled":
        return history.view((order, scope), shuffled_key, keep)
    if order == "updated_desc":
        return history.view((order, scope), lambda call: (updated(call), call.id), keep)
    return history.view(("created", scope), lambda call: (created(call), call.id), keep)


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
