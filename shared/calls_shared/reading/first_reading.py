"""`FirstReading`: what a first complete reading leaves at the end of each of its windows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from calls_shared.normalization import times
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.parted_inventory import PartedInventory
from calls_shared.reading.under_way import UnderWay
from calls_shared.reading.windows import Window


@dataclass
class FirstReading:
    """Keeps the inventory of a reading in windows, and tells it as far as all has been read.

    Attributes:
        scope: by configuration key, what it reads.
        resumed: what an interrupted reading left; null if this one begins anew.
        tell: is called with what a state is to keep, once the records up to there have gone out.
        began: when it began, by our clock (RFC 3339).
    """

    scope: Mapping[str, Any]
    resumed: UnderWay | None
    tell: Callable[[UnderWay], None]
    began: str = ""
    _edges: list[str] = field(default_factory=list)
    _inventory: PartedInventory | None = None

    def __post_init__(self) -> None:
        now = times.format_timestamp(datetime.now(UTC))
        self.began = now if self.resumed is None else self.resumed.at

    def planned(self, windows: Sequence[Window]) -> None:
        """Take in the windows that are to be read, the oldest first."""
        ends = [window.ends for window in windows if window.last is not None]
        starts = [] if self.resumed is None else [self.resumed.through]
        self._edges = [times.lower_bound(edge) for edge in (*starts, *ends)]

    def inventory(self, until: str) -> PartedInventory:
        """The inventory of what is created before a bound (a `sort_key`)."""
        resumed = self.resumed
        if resumed is not None:
            until = times.sort_key(resumed.until)
        months = None if resumed is None else resumed.months
        self._inventory = PartedInventory(until, self._edges, months)
        return self._inventory

    def passed(self, window: Window) -> Checkpoint | None:
        """The checkpoint at the end of a window, with which all before it has been read."""
        kept = self._inventory
        if window.last is None or kept is None:
            return None  # the end of the list follows
        edge = self._edges.index(times.lower_bound(window.ends))
        sums = kept.periods_before(edge)
        left = UnderWay(self.began, f"{kept.until}Z", window.ends, sums, self.scope)
        return Checkpoint(lambda: self.tell(left))
