"""`Listing`: which calls are listed now, as far as readings of the list agree.

No single reading of a numbered list proves that a call has gone: it may have slipped between two
pages. So the list is read until two readings, one after another, hold the same calls, and what any
reading listed comes out: a call is missed only if it is missed each time.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from calls_shared.normalization import times
from calls_shared.reading.inventory import Inventory
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.moments import earlier
from calls_shared.reading.one_reading import Reading
from calls_shared.reading.seen import SeenIds, digest_of

MOST_READINGS: Final = 3

_UNCERTAIN = timedelta(seconds=1)
"""A call of the second in which the first page was answered may be on it or not."""


class Listing:
    """Compares the readings of one sync by the calls created before the first one began.

    Args:
        most: readings at most; one is believed by itself if there is to be no other.

    Attributes:
        agrees: whether the last reading is to be believed.
    """

    def __init__(self, most: int = MOST_READINGS) -> None:
        self._most = most
        self._readings = 0
        self._is_under_way = False
        self._until: str | None = None
        self._came_out = SeenIds()
        self._reading = Reading("", Inventory(""), Inventory(""), self._came_out)
        self._before: Mapping[str, str] | None = None
        self.agrees = False

    @property
    def reading(self) -> Reading:
        """The last reading."""
        return self._reading

    @property
    def is_empty(self) -> bool:
        """Whether no reading listed a call."""
        return not len(self._came_out)

    @property
    def listed(self) -> int:
        """How many entries the reading under way has seen of its window, each id once."""
        return self._reading.window.listed if self._is_under_way else 0

    @property
    def known(self) -> int:
        """How many different calls the reading under way has seen, in all of its windows."""
        return len(self._reading.seen) if self._is_under_way else 0

    def begin(self, began: str) -> None:
        """Begin a reading at a moment (RFC 3339) of the provider's clock."""
        seen = SeenIds()
        if self._until is None:
            self._until = times.lower_bound(earlier(began, _UNCERTAIN))
            seen = self._came_out  # in the first reading they are the same
        self._is_under_way = True
        self._reading = Reading(
            times.sort_key(began), Inventory(""), Inventory(self._until), seen=seen
        )

    def page(self, total: int | None, nulls: int = 0) -> None:
        """Note the total that a page announces, and how many of its entries are null."""
        self._reading.window.page(total, nulls)

    def next_window(self, announced: int | None, *, is_whole: bool) -> None:
        """End a window of the list, and begin the next one (`Reading.next_window`)."""
        if self._is_under_way:  # else no page of it held a record
            self._reading.next_window(announced, is_whole=is_whole)

    def call(
        self, call_id: str, created: str | None, changed: str | None, *, in_scope: bool
    ) -> bool:
        """Take in a call; whether it comes out, which is so where it is listed first."""
        digest = digest_of(call_id)
        known = len(self._came_out)
        self._reading.call(digest, created, in_scope=in_scope)
        self._came_out.add(digest)
        return len(self._came_out) > known

    def needs_another(self, end: ListEnd) -> bool:
        """Whether the list is to be read once more; behind a wall nothing is known anyway."""
        self._is_under_way = False
        self._readings += 1
        now = self._reading.settled_now.periods()
        self.agrees = self._most == 1 or now == self._before
        self._before = now
        return not (self.agrees or end.walled or self._readings >= self._most)
