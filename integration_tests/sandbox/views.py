"""Calls kept in a sorted order while the world changes, so that no request has to sort."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar


class TrueCall(Protocol):
    """What every provider's true call has."""

    @property
    def id(self) -> str:
        """The provider's id of the call."""


Call = TypeVar("Call", bound=TrueCall)
SortKey = tuple[Any, ...]
"""A total order: it ends in the call's id."""


class CallView(Generic[Call]):
    """The ids of the calls that `keep` admits, ascending by `key`."""

    def __init__(
        self,
        calls: Iterable[Call],
        key: Callable[[Call], SortKey],
        keep: Callable[[Call], bool] = lambda call: True,
    ) -> None:
        self._key = key
        self._keep = keep
        self._entries = sorted((key(call), call.id) for call in calls if keep(call))

    def __len__(self) -> int:
        return len(self._entries)

    def replace(self, old: Call | None, new: Call | None) -> None:
        """Follow one change of the world: added (old None), removed (new None) or changed."""
        if old is not None and self._keep(old):
            del self._entries[bisect_left(self._entries, (self._key(old), old.id))]
        if new is not None and self._keep(new):
            insort(self._entries, (self._key(new), new.id))

    def ascending(self, start: int, count: int) -> list[str]:
        """Ids at positions start..start+count-1, smallest first."""
        return [identifier for _, identifier in self._entries[start : start + count]]

    def descending(self, start: int, count: int) -> list[str]:
        """Ids at positions start..start+count-1, largest first."""
        end = len(self._entries) - start
        if end <= 0:
            return []
        return [identifier for _, identifier in reversed(self._entries[max(0, end - count) : end])]

    def position(self, key: SortKey) -> int:
        """How many entries are smaller than the key."""
        return bisect_left(self._entries, key, key=lambda entry: entry[0])

    def at(self, position: int) -> str:
        """Id at an ascending position."""
        return self._entries[position][1]
