"""`ListTally`: what a list, or one window of it, announces, and how much of that was seen."""

from dataclasses import dataclass, field

from calls_shared.reading.seen import SeenIds


@dataclass
class ListTally:
    """Counts one reading of a list or of a window.

    Attributes:
        began: the moment the reading began, by the provider's clock (a `sort_key`).
        seen: the ids.
        existed: different ids of calls that existed when it began.
        nulls: entries that hold no call, which totals count too.
        repeated: ids that an earlier window of the same list held.
        first_total, last_total: what was announced first and last.
        fewest: the smallest total; what came since the list was begun made the others larger.
        shrank: whether an announced total was below the one before it.
    """

    began: str
    seen: SeenIds = field(default_factory=SeenIds)
    existed: int = 0
    nulls: int = 0
    repeated: set[int] = field(default_factory=set)
    first_total: int | None = None
    last_total: int | None = None
    fewest: int | None = None
    shrank: bool = False

    @property
    def listed(self) -> int:
        """How many entries it has seen, each id once."""
        return len(self.seen) + self.nulls

    def page(self, total: int | None, nulls: int = 0) -> None:
        """Note what a page announces, and its nulls; a total below what was seen is no total."""
        listed = self.listed
        self.nulls += nulls
        if total is None or total < listed:
            return
        if self.first_total is None:
            self.first_total = total
        self.shrank = self.shrank or (self.last_total is not None and total < self.last_total)
        self.last_total = total
        self.fewest = total if self.fewest is None else min(self.fewest, total)

    def call(self, digest: int, created: str | None) -> bool:
        """Count a call, once; whether it was not there yet."""
        if not self.seen.add(digest):
            return False
        if created is None or created[:-1] < self.began:
            self.existed += 1
        return True

    def lacks_some(self, announced: int | None) -> bool:
        """Whether it holds fewer calls that existed when it began than its first total.

        Args:
            announced: what stands in for it, for a page without records is not seen here, but may
                be the only one that announces.
        """
        total = announced if self.first_total is None else self.first_total
        return total is not None and self.existed + self.nulls < total
