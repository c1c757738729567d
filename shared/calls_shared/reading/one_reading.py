"""`Reading`: what one reading of a list saw, also of one that is read in windows."""

from dataclasses import dataclass, field

from calls_shared.reading.inventory import Inventory
from calls_shared.reading.list_order import ListOrder
from calls_shared.reading.list_tally import ListTally
from calls_shared.reading.seen import SeenIds


@dataclass
class Reading:
    """What one reading of the list saw.

    Attributes:
        began: the moment it began, by the provider's clock (a `sort_key`).
        settled_then: inventory up to the bound of the last complete reading, to be compared.
        settled_now: inventory up to this reading's own bound, to be kept.
    """

    began: str
    settled_then: Inventory
    settled_now: Inventory
    seen: SeenIds = field(default_factory=SeenIds)
    order: ListOrder = field(default_factory=ListOrder)
    checksum: int = 0
    nulls: int = 0  # of the windows before the one that is read
    shrank: bool = False  # one of them
    missed: bool = False
    announced: int | None = None  # by all of them; null if there were none
    whole: int | None = None  # announced by the list before it was read in windows

    def __post_init__(self) -> None:
        self.window = ListTally(self.began, self.seen)  # a list without windows is the only one

    @property
    def listed(self) -> int:
        """How many entries it has seen, each id once."""
        return len(self.seen) + self.nulls + self.window.nulls

    @property
    def last_total(self) -> int | None:
        """How many entries are announced."""
        if self.announced is None:
            return self.window.last_total
        return max(self.announced + _new_ones(self.window), self.whole or 0)

    @property
    def unlisted(self) -> int:
        """How many entries at least are announced and not listed, but for those that came since."""
        came = (self.window.last_total or 0) - (self.window.fewest or 0)
        return (self.last_total or 0) - came - self.listed

    def next_window(self, announced: int | None, *, is_whole: bool) -> None:
        """End a window of the list, and begin the next one.

        Args:
            announced: the number of records that the ended one announced last.
            is_whole: whether it was read to its end; else its halves follow, which announce for it.
        """
        ended = self.window
        if self.announced is None and not is_whole:
            self.whole = ended.last_total
        if is_whole:
            self.shrank = self.shrank or ended.shrank
            self.missed = self.missed or ended.lacks_some(announced)
            self.nulls += ended.nulls
            self.announced = (self.announced or 0) + _new_ones(ended)
        else:
            self.announced = (self.announced or 0) + len(ended.seen) - len(ended.repeated)
        self.window = ListTally(self.began)

    @property
    def lacks_some(self) -> bool:
        """Whether its windows hold fewer entries than the list announced before it was halved."""
        return self.whole is not None and self.listed < self.whole

    def call(self, digest: int, created: str | None, *, in_scope: bool) -> bool:
        """Count a call, once; whether it is one of an earlier window."""
        self.order.call(created)
        if not self.window.call(digest, created):
            return digest in self.window.repeated
        if self.window.seen is not self.seen and not self.seen.add(digest):
            self.window.repeated.add(digest)
            return True
        self.checksum += digest
        if in_scope:
            self.settled_now.add(digest, created)
            if self.settled_then.until:
                self.settled_then.add(digest, created)
        return False


def _new_ones(window: ListTally) -> int:
    """How many entries a window announces that no earlier one held."""
    announced = window.listed if window.last_total is None else window.last_total
    return announced - len(window.repeated)
