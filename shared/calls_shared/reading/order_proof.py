"""`OrderProof`: whether the pages of a list show its order, so that it may be left early."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from calls_shared.normalization import times
from calls_shared.reading.list_order import TOLERANCE, ListOrder
from calls_shared.reading.moments import earlier

_FEWEST_PAGES = 2
_CAUTION = 4
"""Of the pages that are still needed, if calls were as dense there, so many times fewer are asked
for at once: what is fetched in vain is little."""
_WITHOUT_END = 1_000_000


class Moments(NamedTuple):
    """When a call was created and last changed (RFC 3339); null where it is not known."""

    created: str | None
    changed: str | None


class OrderProof:
    """Watches a list that is read from its newest end, page by page.

    It may be left after two pages, once each order that its records show, by creation or by change,
    says that nothing needed can follow. An order is shown as long as no record is newer than an
    earlier one by more than `TOLERANCE`, each has the moment, and one is older than an earlier one
    by more than that: what was imported within a minute shows no direction. And one at least must
    be needed: a list that begins with what is old may hold what is new at its other end.

    Args:
        bound: what is older (a `sort_key`) is not needed.
        most_ahead: how many pages may be asked for at once, at most: all but one may be in vain,
            for how many calls an hour had is known only once they are read.
    """

    def __init__(self, bound: str, most_ahead: int = 4) -> None:
        self._bound = bound
        self._most_ahead = most_ahead
        self._end = times.lower_bound(earlier(f"{bound}Z", TOLERANCE)) if bound else ""
        self._orders = {name: ListOrder() for name in Moments._fields}
        self._pages = 0
        self._newest: str | None = None

    @property
    def shows_an_order(self) -> bool:
        """Whether the pages so far do not contradict both orders."""
        return any(order.newest_first for order in self._orders.values())

    @property
    def comes_oldest_first(self) -> bool:
        """Whether the pages so far show the opposite of one of the orders, and not the other."""
        orders = self._orders.values()
        return any(order.rises for order in orders) and not any(order.falls for order in orders)

    def page(self, calls: Iterable[Moments]) -> bool:
        """Take in a page's calls, as they are read; true if nothing needed can follow."""
        self._pages += 1
        for call in calls:
            for name, order in self._orders.items():
                moment = getattr(call, name)
                order.call(moment)
                if moment is not None and order.newest_first:
                    self._newest = self._newest or moment
        possible = [order for order in self._orders.values() if order.newest_first]
        is_over = all(one.oldest and times.sort_key(one.oldest) < self._end for one in possible)
        is_shown = any(order.falls for order in possible)
        newest = [order.newest for order in self._orders.values() if order.newest is not None]
        holds_new = any(times.sort_key(moment) >= self._bound for moment in newest)
        return is_shown and is_over and holds_new and self._pages >= _FEWEST_PAGES

    def ahead(self) -> int:
        """How many pages may be asked for at once, so that few are fetched in vain."""
        if not self.shows_an_order:
            return _WITHOUT_END
        shown = [order.oldest for order in self._orders.values() if order.newest_first]
        oldest = times.latest(moment for moment in shown if moment is not None)
        if oldest is None or self._newest is None or self._pages < _FEWEST_PAGES:
            return 1
        covered = _seconds(oldest, self._newest)
        if covered <= 0:
            return 1
        left = _seconds(f"{self._bound}Z", oldest) * self._pages / covered
        return max(1, min(self._most_ahead, int(left / _CAUTION)))


def _seconds(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
