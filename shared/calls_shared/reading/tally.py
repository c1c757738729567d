"""What a sync brought: how many records are newer than the state, how many were read again."""

from collections.abc import Mapping, Sequence

from airbyte_cdk.models import AirbyteRecordMessage

from calls_shared.normalization import times

_CALLS = "calls"  # the stream; the others that are incremental have rows about them


class RecordTally:
    """Counts the records of a sync by stream.

    Args:
        streams: by name of an incremental stream: its cursor field, and the newest cursor value of
            the state (None if there is no state).
    """

    def __init__(self, streams: Mapping[str, tuple[str, str | None]]) -> None:
        self._streams = {
            name: (field, times.lower_bound(newest) if newest else None)
            for name, (field, newest) in streams.items()
        }
        self._newer: dict[str, int] = {}
        self._again: dict[str, int] = {}

    def record(self, record: AirbyteRecordMessage) -> None:
        """Count a record."""
        field, known = self._streams.get(record.stream, ("", None))
        moment = record.data.get(field) if known is not None else None
        newer = known is None or not moment or times.lower_bound(moment) > known
        counts = self._newer if newer else self._again
        counts[record.stream] = counts.get(record.stream, 0) + 1

    def sentences(self, streams: Sequence[str]) -> list[str]:
        """One sentence a stream."""
        lines = []
        for name in streams:
            newer, again = self._newer.get(name, 0), self._again.get(name, 0)
            if self._streams.get(name, ("", None))[1] is None:
                lines.append(f"{name}: {newer} records read.")
            else:
                what = _CALLS if name == _CALLS else "rows of calls"
                lines.append(
                    f"{name}: {newer} {what} newer than the state, {again} re-read in the lookback."
                )
        return lines
