"""`Readings`: what the records of a list are for, one reading after another."""

from typing import Protocol

from calls_shared.reading.list_end import ListEnd


class Readings(Protocol):
    """Decides for each call of each reading whether it comes out, and when it is enough."""

    @property
    def listed(self) -> int:
        """How many entries the reading under way has seen of its window, each id once."""

    @property
    def known(self) -> int:
        """How many different calls the reading under way has seen, in all of its windows."""

    def begin(self, began: str) -> None:
        """Begin a reading at a moment (RFC 3339) of the provider's clock."""

    def page(self, total: int | None, nulls: int = 0) -> None:
        """Note the total that a page announces, and how many of its entries are null."""

    def next_window(self, announced: int | None, *, is_whole: bool) -> None:
        """End a window of the list, and begin the next one."""

    def call(
        self, call_id: str, created: str | None, changed: str | None, *, in_scope: bool
    ) -> bool:
        """Take in a call; whether it comes out."""

    def needs_another(self, end: ListEnd) -> bool:
        """Whether the list is to be read once more, at the end of a reading."""
