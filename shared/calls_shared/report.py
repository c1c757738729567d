"""What a sync has to tell at its end: counts of what was skipped, unreadable or not verified."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any


class SyncReport:
    """Thread-safe counts, told once at the end of a sync.

    The CDK hands every component of a source the same budget object; the report travels with it
    (`calls_shared.budget.CallBudget.report`), because that is the one seam they all share.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unreadable: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
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

    def note(self, sentence: str, count: int = 1) -> None:
        """Count something worth a warning; `{count}` in the sentence becomes the total."""
        with self._lock:
            self._notes[sentence] += count

    def sentences(self) -> list[str]:
        """The warnings, each a clear sentence."""
        with self._lock:
            notes = [sentence.replace("{count}", str(n)) for sentence, n in self._notes.items()]
            columns = [
                f"{n} values could not be read into the column {column}; it is null there, and the"
                " values stand in provider_record."
                for column, n in self._unreadable.items()
            ]
        return notes + columns


def report_of(api_budget: Any) -> SyncReport:
    """The report that travels with a budget; a fresh one where the CDK handed over another kind."""
    report = getattr(api_budget, "report", None)
    return report if isinstance(report, SyncReport) else SyncReport()
