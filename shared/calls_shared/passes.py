"""A pass: one reading of all pages; and the proof that it saw every call.

Page numbers count from a moving list. A call deleted during the pass moves all later ones one
place up, so one call can slip from a page not yet read to one already read. `PassAudit` notices:
the calls that existed when the pass began are as many as the first answer's total, and each must
have been seen.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from calls_shared import converters
from calls_shared.seen import SeenIds


class PassAudit:
    """Counts what a page-numbered pass saw.

    A call is old if it was created before the pass began, by the provider's own clock. The pass is
    complete if the old calls seen are as many as the first total, and no later total was smaller
    than the first. (Counting all calls seen against the last total would fail in every pass during
    which a call is added at the head, and would not notice a deletion that an addition hides.)
    """

    def __init__(self, began: str, seen_before: "PassAudit | None" = None) -> None:
        """Start a pass that began at a moment (RFC 3339, UTC, `Z`)."""
        self._began = converters.lower_bound(began)
        self._old = SeenIds()
        self._new = SeenIds()
        self._nulls = 0
        self._before = seen_before
        self.first_total: int | None = None
        self.last_total: int | None = None
        self._shrank = False

    def page(self, total: int | None) -> None:
        """Record the total that a page announces."""
        if total is None:
            return
        if self.first_total is None:
            self.first_total = total
        self._shrank = self._shrank or total < self.first_total
        self.last_total = total

    def call(self, call_id: str, created_at: str | None) -> bool:
        """Record a call; true if no earlier pass of the sync has seen it."""
        is_new = created_at is not None and converters.sort_key(created_at) >= self._began
        (self._new if is_new else self._old).add(call_id)
        return not self.saw_before(call_id)

    def left_out(self, nulls: int) -> None:
        """Record how many entries of a page were null; the total counts them too."""
        self._nulls += nulls

    def saw_before(self, call_id: str) -> bool:
        """Whether an earlier pass of the sync has seen the call."""
        earlier = self._before
        while earlier is not None:
            if call_id in earlier._old or call_id in earlier._new:
                return True
            earlier = earlier._before
        return False

    def complete(self, *, trust_totals: bool = False) -> bool:
        """Whether every call that existed when the pass began was seen.

        `trust_totals` compares all calls with the last total as well: for the last pass, in case
        the creation times in the records cannot be right.
        """
        if self.first_total is None or self.last_total is None or self._shrank:
            return False
        old = len(self._old) + self._nulls
        if old >= self.first_total:
            return True
        return trust_totals and old + len(self._new) >= self.last_total


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
        if not all_known or not all(converters.is_uuid7(call_id) for call_id, _ in calls):
            self._violated = True
        if self._violated:
            return False
        newest, oldest = converters.latest(created), converters.earliest(created)
        if newest is None or oldest is None:  # pragma: no cover - created is not empty here
            return False
        if self._oldest is not None:
            ahead = datetime.fromisoformat(newest) - datetime.fromisoformat(self._oldest)
            if ahead > timedelta(seconds=self.tolerance_seconds):
                self._violated = True
                return False
        self._oldest = oldest
        return self._pages >= 2 and converters.sort_key(newest) < self.bound
