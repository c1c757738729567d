"""`Repetition`: what the pages of a list show of it, if it leads nowhere."""

from collections import deque

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
