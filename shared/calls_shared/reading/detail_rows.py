"""`DetailRows`: the rows of one call, made of what its provider answers about it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from calls_shared.normalization.dialogue import entries_in
from calls_shared.normalization.row_columns import columns_of
from calls_shared.normalization.rows import RowMapping
from calls_shared.normalization.signed_url import expiry_of
from calls_shared.paths import field
from calls_shared.report import SyncReport

SHAPES: Final = ("call_transcripts", "call_recordings")
"""The streams whose rows are about a call."""

_NO_LIST: Final = "{count} answers about %s held something else than a list; no row was taken."
_AS_FOUND: Final = ("speaker", "speaker_label", "content", "start_time", "end_time")


class DetailRows:
    """Makes the rows of a call.

    Args:
        shape: one of `SHAPES`.
        columns: the mapping of an entry; its `from_slice` reads the record that the entry is in.
            Empty where no page says what an entry holds; then what looks like a speaker and a text
            is taken.
        entries_at: paths in a record of the lists of entries, of which the first that holds
            something counts; none where each record is an entry.
        none_if: by path in a record the value that says that there is nothing.
        report: counts what could not be read.

    Raises:
        ValueError: on what cannot be meant.
    """

    def __init__(
        self,
        shape: str,
        columns: Mapping[str, Mapping[str, Any]],
        entries_at: Sequence[str],
        none_if: Mapping[str, Any],
        report: SyncReport,
    ) -> None:
        if shape not in SHAPES:
            raise ValueError(f"shape {shape!r} is not one of {', '.join(SHAPES)}")
        self._shape = shape
        self._report = report
        self._is_as_found = not columns
        sources = columns or {name: {"from": name} for name in _AS_FOUND}
        self._mapping = RowMapping(shape, sources, report)
        self._names = [column.name for column in columns_of(shape)]
        self._entries = [field(path) for path in entries_at]
        self._none_if = [(field(path), value) for path, value in none_if.items()]

    def of(
        self, call: Mapping[str, Any], records: Iterable[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """The rows of a call, in the order of the records."""
        found = (
            self._mapping.row(entry, record)
            for record in records
            if not any(read(record) == value for read, value in self._none_if)
            for entry in self._entries_of(record)
        )
        return [self._row(call, index, row) for index, row in enumerate(found)]

    def _entries_of(self, record: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        if not self._entries:
            yield record
            return
        held = next((value for read in self._entries if (value := read(record))), None)
        if self._is_as_found:
            yield from entries_in(held)
        elif isinstance(held, list):
            yield from (entry for entry in held if isinstance(entry, dict) and entry)
        elif held is not None:
            self._report.note(_NO_LIST % self._shape)

    def _row(self, call: Mapping[str, Any], index: int, found: dict[str, Any]) -> dict[str, Any]:
        given = {
            "provider": call.get("provider"),
            "call_id": call.get("id"),
            "updated_at": call.get("updated_at"),
            **found,
        }
        if self._shape == "call_transcripts":
            given["segment_index"] = index
        else:
            given.setdefault("recording_id", given["call_id"])
            given["expires_at"] = expiry_of(given.get("url") or "")
        return {name: given[name] for name in self._names if given.get(name) is not None}
