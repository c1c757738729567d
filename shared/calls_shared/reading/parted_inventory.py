"""`PartedInventory`: an inventory of which a part can be told before the list has been read."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from calls_shared.reading.inventory import MONTHS, Inventory, sums_of, told


class PartedInventory(Inventory):
    """An inventory by month that knows what was created before each of some moments.

    Args:
        until: as `Inventory` has it.
        edges: the moments (`sort_key`), in their order. What was created at one is after it.
        before: what an interrupted reading left (`Inventory.periods`) of what was created before
            the first of them; of that nothing is counted again. Null if there was none.
    """

    def __init__(
        self, until: str, edges: Sequence[str], before: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(until, MONTHS)
        self._edges = [*edges]
        self._parts = [Inventory(until, MONTHS) for _ in (*edges, "")]
        self._is_known = before is not None
        self._before = sums_of(before or {})

    def add(self, digest: int, created: str | None) -> None:
        """Count an id, once; one without a creation is told at the end only."""
        part = len(self._edges)
        if created is not None:
            part = bisect_right(self._edges, created[:-1])
        if part or not self._is_known:
            self._parts[part].add(digest, created)

    def periods(self) -> dict[str, str]:
        """What the state keeps."""
        return self.periods_before(len(self._edges))

    def periods_before(self, edge: int) -> dict[str, str]:
        """The same of what was created before the edge of a number (from 0)."""
        sums = dict(self._before)
        for part in self._parts[: edge + 1]:
            for name, total in part.sums.items():
                sums[name] = sums.get(name, 0) + total
        return told(sums)
