"""What a sync has to tell at its end: counts of what was skipped, unreadable or not verified."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

_MOST_WORDS: Final = 20  # unknown words that are told one by one; a provider may send any number
_LONGEST_WORD: Final = 60  # characters of it
_UNKNOWN_WORDS: Final = (
    "Words of the provider that are not known: {words}. Such a status is unknown and such a"
    " direction null; the words stand in provider_record."
)


class SyncReport:
    """Thread-safe counts, told once at the end of a sync.

    Args:
        config: the configuration of the source, which lives as long as its report.
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._unreadable: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._words: Counter[tuple[str, str]] = Counter()
        self._further_words = 0
        self._told: set[str] = set()

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

    def new_sentences(self) -> list[str]:
        """The warnings that have not been told yet."""
        found = [sentence for sentence in self.sentences() if sentence not in self._told]
        self._told.update(found)
        return found


_REPORTS: WeakValueDictionary[int, SyncReport] = WeakValueDictionary()
_LOCK = threading.Lock()


def report_of(config: Mapping[str, Any]) -> SyncReport:
    """The report of the source that was built with this very configuration object.

    The CDK hands one such object to all components, whoever runs the manifest.
    """
    with _LOCK:
        report = _REPORTS.get(id(config))
        if report is None:
            report = _REPORTS[id(config)] = SyncReport(config)
        return report
