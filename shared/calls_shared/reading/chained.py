"""Lists whose pages each name the next one: whether the list has ended, or only its links have."""

from collections.abc import Sequence

from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.seen import SeenIds, digest_of


class ChainedEnd:
    """Watches the pages of one reading, for what is announced and not listed.

    Where nothing is announced, such a list ends where no page is named, and nothing more is known.

    Args:
        unlisted: how many records the last complete reading announced but did not list.
    """

    def __init__(self, unlisted: int = 0) -> None:
        self._unlisted = unlisted
        self._seen = SeenIds()
        self._total: int | None = None
        self._fewest: int | None = None  # the smallest total: what came since grew the list
        self._in_force = 0  # the largest number of records that a page held
        self._smallest: int | None = None  # page that held records
        self._read = 0  # records on all pages; what a moving list holds twice counts twice

    def page(self, ids: Sequence[str], total: int | None) -> None:
        """Take in a page: the ids of its records, and the number of records that it announces."""
        if total is not None:
            self._total = total
            self._fewest = total if self._fewest is None else min(self._fewest, total)
        self._read += len(ids)
        self._in_force = max(self._in_force, len(ids))
        if ids:
            self._smallest = min(len(ids), self._smallest or len(ids))
        if self._total is not None:
            for call_id in ids:
                self._seen.add(digest_of(call_id))

    @property
    def is_short(self) -> bool:
        """Whether more is announced than was listed."""
        return self._total is not None and self._total - len(self._seen) > self._unlisted

    def may_be_refused(self) -> bool:
        """Whether a page that is refused is the end: all is listed, or a wall stands there."""
        is_known = self._smallest is not None and self._total is not None
        return is_known and (self.behind <= self._unlisted or self.end().walled)

    @property
    def behind(self) -> int:
        """How many records at least are announced behind what was listed."""
        return (self._fewest or 0) - self._read

    def end(self) -> ListEnd:
        """How the list has ended; full pages only, and a page or more behind them, are a wall."""
        is_full = self._smallest == self._in_force
        is_behind = self.behind >= self._in_force
        return ListEnd(self.is_short and is_full and is_behind, self._total)
