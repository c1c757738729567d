"""What the pages of a list show of it: that it leads nowhere, or that it comes newest first."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from calls_shared.normalization import times

_SAME_PAGES = 3
_CIRCLING_PAGES = 100
_RECENT_PAGES = 8


class Repetition:
    """Notices a list that goes on without end over the same records.

    That is so once three pages in a row hold the very same ids. (A page without a new id alone is
    no sign of it: an import shifts a list.) Pages without any record may be many, where a provider
    filters after paging; a hundred in a row are taken for a list without end too, and so are a
    hundred that each hold what one of the last few held.
    """

    def __init__(self) -> None:
        self._ids: frozenset[str] | None = None
        self._count = 0
        self._recent: deque[frozenset[str]] = deque(maxlen=_RECENT_PAGES)
        self._circling = 0

    def page(self, ids: frozenset[str]) -> bool:
        """Record the ids of a page; true if the list leads nowhere."""
        self._count = self._count + 1 if ids == self._ids else 1
        self._ids = ids
        self._circling = self._circling + 1 if ids in self._recent else 0
        self._recent.append(ids)
        is_long = max(self._count if not ids else 0, self._circling) >= _CIRCLING_PAGES
        return is_long or (bool(ids) and self._count >= _SAME_PAGES)


@dataclass
class NewestFirstProof:
    """Decides whether a list that comes newest first may be left before its end.

    It may be left after a page n >= 2 if every id so far is a UUIDv7, no page was newer than the
    end of the page before it by more than a minute, and the page's newest creation is before the
    bound. One violation, and the list is read to its end.
    """

    bound: str
    tolerance_seconds: int = 60
    _pages: int = 0
    _violated: bool = False
    _oldest: str | None = None

    def page(self, calls: list[tuple[str, str | None]]) -> bool:
        """Record a page of (id, created_at); true if no later page can hold anything needed."""
        self._pages += 1
        created = [moment for _, moment in calls if moment is not None]
        all_known = bool(calls) and len(created) == len(calls)
        if not all_known or not all(times.is_uuid7(call_id) for call_id, _ in calls):
            self._violated = True
        if self._violated:
            return False
        newest, oldest = times.latest(created), times.earliest(created)
        if newest is None or oldest is None:  # pragma: no cover - created is not empty here
            return False
        if self._oldest is not None:
            ahead = datetime.fromisoformat(newest) - datetime.fromisoformat(self._oldest)
            if ahead > timedelta(seconds=self.tolerance_seconds):
                self._violated = True
                return False
        self._oldest = oldest
        return self._pages >= 2 and times.sort_key(newest) < self.bound
