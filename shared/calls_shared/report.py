"""What a sync has to tell at its end: counts of what was skipped, unreadable or not verified."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

_MOST_WORDS: Final = 20  # unknown words that are told one by one; a provider may send any number
_LONGEST_WORD: Final = 60  # characters of it
_UNKNOWN_WORDS: Final = (
    "Words of the provider that are not known: {words}. Such a status is unknown and such a"
    " direction null; the words stand in provider_record."
)


class SyncReport:
    """Thread-safe counts, told once at the end of a sync.

    The CDK hands every component of a source the same budget object; the report travels with it
    (`calls_shared.budget.CallBudget.report`), because that is the one seam they all share.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unreadable: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._words: Counter[tuple[str, str]] = Counter()
        self._further_words = 0
        self._at_end: list[Callable[[], Exception | None]] = []

    def at_end(self, ask: Callable[[], Exception | None]) -> None:
        """Have a question asked at the end: whether the sync failed as a whole, and why."""
        self._at_end.append(ask)

    def failure(self) -> Exception | None:
        """Why the sync failed as a whole, if it did."""
        failures = [ask() for ask in self._at_end]
        return next((failure for failure in failures if failure is not None), None)

    def unreadable(self, column: str) -> None:
        """Count a value that is there but could not be read into the column."""
        with self._lock:
            self._unreadable[column] += 1

    def unknown_word(self, column: str, word: str) -> None:
        """Count a word, safe to quote, that has no meaning in the column."""
        key = (column, word[:_LONGEST_WORD])
        with self._lock:
            if key in self._words or len(self._words) < _MOST_WORDS:
                self._words[key] += 1
            else:
                self._further_words += 1

    def note(self, sentence: str, count: int = 1) -> None:
        """Count something worth a warning; `{count}` in the sentence becomes the total."""
        with self._lock:
            self._notes[sentence] += count

    def sentences(self) -> list[str]:
        """The warnings, each a clear sentence."""
        with self._lock:
            notes = [sentence.replace("{count}", str(n)) for sentence, n in self._notes.items()]
            columns = [
                f"{n} values could not be read into the column {column}; they stand in"
                " provider_record only."
                for column, n in self._unreadable.items()
            ]
            words = [f"{column} {word!r} ({n})" for (column, word), n in self._words.items()]
            if self._further_words:
                words.append(f"others ({self._further_words})")
        if not words:
            return notes + columns
        return [*notes, *columns, _UNKNOWN_WORDS.replace("{words}", ", ".join(words))]


def report_of(api_budget: Any) -> SyncReport:
    """The report that travels with a budget; a fresh one where the CDK handed over another kind."""
    report = getattr(api_budget, "report", None)
    return report if isinstance(report, SyncReport) else SyncReport()
