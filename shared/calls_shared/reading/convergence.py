"""`Convergence`: the complete readings of one sync, and what comes out of each.

Nothing proves a single reading of a list that changes while it is read. So each complete reading is
compared with the inventory of the last one: whatever one sync misses, the next one notices and
brings. `docs/reliability.md` has the rules.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from calls_shared.normalization import times
from calls_shared.reading.gone import gone_since
from calls_shared.reading.inventory import MONTHS, Inventory, differing, period
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.list_state import ListState
from calls_shared.reading.moments import earlier
from calls_shared.reading.one_reading import Reading
from calls_shared.reading.seen import SeenIds, digest_of

_NEVER = "9999-12-31T23:59:59Z"


class Convergence:
    """Decides for each call of each reading whether it comes out, and what the state keeps.

    Args:
        before: what the last complete reading left.
        scope: by configuration key, what is read now.
        lookback: how far a sync goes back behind what it knows.
        bound: the cursor's bound (a `sort_key`) where no complete reading left one; "" is none.
        inventory: makes the inventory of the first reading up to a bound.
    """

    def __init__(
        self,
        before: ListState,
        scope: Mapping[str, Any],
        lookback: timedelta,
        bound: str,
        inventory: Callable[[str], Inventory] = Inventory,
    ) -> None:
        self._before = before
        self._scope = dict(scope)
        self._lookback = lookback
        self.is_other_scope = before.months is not None and dict(before.scope) != self._scope
        # a cursor without an inventory was written by hand
        self.reads_everything = before.cursor is None or self.is_other_scope
        self._inventory = inventory
        self._bound = "" if self.reads_everything else self._changed_since(bound)
        # with no bound of the last inventory, only what has changed comes out
        self._until = "" if self.reads_everything else times.sort_key(before.until or _NEVER)
        self._known = None if before.months is None else before.months.keys()
        self._readings: list[Reading] = []
        self._is_under_way = False
        self._came_out = SeenIds()  # ids with the time of change, where not everything does
        self._differing: frozenset[str] = frozenset()
        self.newest: str | None = None
        self._newest_key = ""

    def _changed_since(self, bound: str) -> str:
        if self._before.cursor is None:
            return bound
        return times.lower_bound(earlier(self._before.cursor, self._lookback))

    @property
    def differing(self) -> frozenset[str]:
        """The months that come out whole in the second reading; empty before it."""
        return self._differing

    @property
    def reading(self) -> Reading:
        """The reading under way."""
        return self._readings[-1]

    @property
    def listed(self) -> int:
        """How many entries the reading under way has seen of its window, each id once."""
        return self.reading.window.listed if self._is_under_way else 0

    @property
    def known(self) -> int:
        """How many different calls the reading under way has seen, in all of its windows."""
        return len(self.reading.seen) if self._is_under_way else 0

    def begin(self, began: str) -> None:
        """Begin a reading at a moment (RFC 3339) of the provider's clock."""
        if self._readings:  # the bound is that of all readings of a sync
            settled_now = Inventory(self._readings[0].settled_now.until)
        else:
            settled_now = self._inventory(times.sort_key(earlier(began, self._lookback)))
        self._is_under_way = True
        self._readings.append(Reading(times.sort_key(began), Inventory(self._until), settled_now))

    def page(self, total: int | None, nulls: int = 0) -> None:
        """Note the total that a page announces, and how many of its entries are null."""
        self.reading.window.page(total, nulls)

    def next_window(self, announced: int | None, *, is_whole: bool) -> None:
        """End a window of the list, and begin the next one (`Reading.next_window`)."""
        if self._is_under_way:  # else no page of it held a record
            self.reading.next_window(announced, is_whole=is_whole)

    def call(
        self, call_id: str, created: str | None, changed: str | None, *, in_scope: bool
    ) -> bool:
        """Take in a call; whether it comes out. An id that two windows share comes once.

        Args:
            call_id: its id.
            created: its creation.
            changed: its last change; null if that is not known, then it always comes out.
            in_scope: whether the start date lets it pass; if not, it never comes out.
        """
        digest, reading = digest_of(call_id), self._readings[-1]
        is_known = reading is not self._readings[0] and digest in self._readings[0].seen
        is_repeated = reading.call(digest, created, in_scope=in_scope)
        if not in_scope or is_repeated:
            return False
        if changed is not None and changed[:-1] > self._newest_key:
            self.newest, self._newest_key = changed, changed[:-1]
        if self.reads_everything:
            return not is_known
        # the second reading does not repeat what the first one brought, as it is
        return self._is_wanted(created, changed, is_known=is_known) and self._came_out.add(
            digest_of(f"{call_id} {changed}")
        )

    def _is_wanted(self, created: str | None, changed: str | None, *, is_known: bool) -> bool:
        if len(self._readings) > 1:
            month = self.reading.settled_then.period_of(created)
            return not is_known or (month is not None and month in self._differing)
        if changed is None or changed[:-1] >= self._bound:
            return True
        if created is not None and created[:-1] >= self._until:
            return True
        # a month that no inventory knows, as those at a wall, has nothing to be compared with
        return self._known is not None and period(created, MONTHS) not in self._known

    def needs_another(self, end: ListEnd) -> bool:
        """Whether the list is to be read once more, at the end of a reading."""
        self._is_under_way = False
        if len(self._readings) > 1:
            return False
        first = self.reading
        if not self.reads_everything:
            now = first.settled_then.periods()
            before = now if self._before.months is None else self._before.months
            hidden = self._behind_the_wall(end, {**before, **now})
            # (what no inventory knew has come out already)
            self._differing = (differing(before, now) & before.keys()) - hidden
        return bool(self._differing) or (self._saw_a_slip(end) and not end.walled)

    def _saw_a_slip(self, end: ListEnd) -> bool:
        first = self._readings[0]
        shrank = first.shrank or first.window.shrank
        missed = first.missed or first.lacks_some or first.window.lacks_some(end.announced)
        return shrank or (self.reads_everything and missed)

    def _behind_the_wall(self, end: ListEnd, months: Mapping[str, str]) -> frozenset[str]:
        """The months that a wall hides, all or a part of them."""
        if end.walled_at:
            return frozenset(m for m in months if any(at.startswith(m) for at in end.walled_at))
        oldest = self.reading.order.oldest
        if not end.walled or oldest is None:
            return frozenset()
        return frozenset(month for month in months if month <= oldest[: len(month)])

    def announced_in_vain(self) -> tuple[int, int] | None:
        """The announced and the listed number, where two readings agree and the total does not."""
        if len(self._readings) < 2:
            return None
        first, second = self._readings
        same = (len(first.seen), first.checksum) == (len(second.seen), second.checksum)
        if not same or second.last_total in (None, second.listed):
            return None
        return second.last_total or 0, len(second.seen)

    def gone(self, end: ListEnd) -> dict[str, int]:
        """By month, how many calls that the last complete reading listed are listed no more.

        Only months that differ were read again, so only those can be told; of what the last
        reading of all lists, as the state keeps it.
        """
        before = self._before.months or {}
        known = self._differing - self._behind_the_wall(end, before)
        compared = {month: sums for month, sums in before.items() if month in known}
        return gone_since(compared, self._readings[-1].settled_then.periods())

    def state(self, end: ListEnd, at: str) -> ListState:
        """What the complete reading leaves; it began at a moment of our clock (RFC 3339)."""
        first, last = self._readings[0], self._readings[-1]
        months = (last if self.reads_everything else first).settled_now.periods()
        again = last.settled_now.periods()
        for month in self._differing:
            months.pop(month, None)
            if month in again:
                months[month] = again[month]
        for month in self._behind_the_wall(end, months):
            del months[month]
        surplus = 0 if end.walled or end.announced is None else end.announced - last.listed
        # a call can change after its page was read, while a later page carries a newer time
        newest = None if self.newest is None else min(self.newest, at, key=times.sort_key)
        cursors = [_in_own_form(moment) for moment in (self._before.cursor, newest) if moment]
        return ListState(
            at=at,
            cursor=times.latest(cursors),
            unlisted=max(0, surplus),
            until=f"{first.settled_now.until}Z",
            months=months,
            scope=self._scope,
        )


def _in_own_form(moment: str) -> str:
    return times.format_timestamp(datetime.fromisoformat(moment))
