"""`WindowsRetriever`: a list whose server filters by creation, read in windows of time at once."""

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from airbyte_cdk.sources.declarative.partition_routers.substream_partition_router import (
    SubstreamPartitionRouter,
)
from airbyte_cdk.sources.types import Record, StreamSlice

from calls_shared.keys import Keys, exactly
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.convergence import Convergence
from calls_shared.reading.first_reading import FirstReading
from calls_shared.reading.list_retriever import MARGIN, RECENT, ListRetriever
from calls_shared.reading.list_state import ListState
from calls_shared.reading.list_sync import ListSync
from calls_shared.reading.moments import moment_of
from calls_shared.reading.pages import Page, ReadingSoFar
from calls_shared.reading.scope import OTHER_SCOPE, scope_of
from calls_shared.reading.under_way import UnderWay
from calls_shared.reading.whole_list import WholeList
from calls_shared.reading.window_plan import months_of
from calls_shared.reading.windows import WINDOW_KEYS
from calls_shared.reading.windows_at_once import WindowsAtOnce

LOGGER = logging.getLogger("airbyte.calls")
_GOES_ON = "%s: the first complete reading goes on where it was interrupted, at %s."


@dataclass
class WindowsRetriever(ListRetriever):
    """Retriever of a stream that is one list, which its server filters by creation.

    A recent reading asks for what was created since the state's bound. A complete one asks for all,
    in windows of time that are read at once, the oldest begun first. The first complete reading
    leaves a state where a window and all before it have been read: no change is before its
    creation, so that all changes up to the end of that window have been seen.

    Attributes:
        windows: `{from, to, unit}`: the request parameters of the two bounds, which are inclusive,
            and what they are counted in (`seconds` or `milliseconds` since 1970, or `date-time`).
        beside: a router whose slices stand for records of another stream, which is read before the
            list; their extra fields are in the list's own slice under `beside_as`, by the value
            that they are partitioned by.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"windows": exactly(WINDOW_KEYS - {"wall"})}

    beside: SubstreamPartitionRouter | None = None
    beside_as: str = ""

    def _read(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[Record | Checkpoint]:
        before, scope = self._list_state, scope_of(self.config, self.scope)
        resumed = before.under_way_in(scope)
        first = FirstReading(scope, resumed, self._tell)
        convergence = Convergence(
            before, scope, self._lookback, self._bound(stream_slice), first.inventory
        )
        if resumed is not None:
            LOGGER.info(_GOES_ON, self.name, resumed.through)
        elif convergence.is_other_scope or (
            convergence.reads_everything and before.under_way is not None
        ):
            LOGGER.info(OTHER_SCOPE, self.name, ", ".join(self.scope))
        recent = self._recent_bound(stream_slice, convergence)
        lower = self._lower(recent, resumed)
        at_once = WindowsAtOnce(
            lambda part: self._reader(records_schema, part),
            self._unobserved(stream_slice),
            self._budget.places.number,
        )
        beginning = _first_second(before.months or {}) if lower is None else lower
        windows, chains = at_once.planned(lower, beginning, int(datetime.now(UTC).timestamp()))
        first.planned(windows)
        is_first = recent is None and convergence.reads_everything

        def pages(_: ReadingSoFar, __: Any) -> Generator[Page | Checkpoint, None, None]:
            if convergence.differing:  # only they are to be read again
                months = months_of(convergence.differing)
                return at_once.read(months, at_once.chains(months))
            return at_once.read(windows, chains, first.passed if is_first else None)

        sync = ListSync(
            stream=self.name,
            pages=pages,
            announced=WholeList(at_once.reader, None, at_once.stream_slice).announced,
            entry=self._entry,
            convergence=convergence,
            so_far=ReadingSoFar(lambda: convergence.listed),
            began=first.began,
        )
        yield from sync.read(None) if recent is None else sync.once(None)
        yield Checkpoint()
        self._observe(convergence, stream_slice)
        if recent is None:
            self._conclude(sync)
        else:
            LOGGER.info(RECENT, self.name, self._hours)

    def _lower(self, recent: str | None, resumed: UnderWay | None) -> int | None:
        """The second from which on is asked: none, but where nothing that is older is wanted."""
        if recent is not None:
            return _second_of(f"{recent}Z")
        if resumed is not None:
            return _second_of(resumed.through)
        if not self._earliest:
            return None
        start_date = _second_of(f"{self._earliest}Z")
        return None if start_date is None else start_date - int(MARGIN.total_seconds())

    def _tell(self, under_way: UnderWay) -> None:
        """Let a state out: all that was created before a moment has gone out."""
        self._list_state = ListState(under_way=under_way)
        self._moved_to = under_way.through
        if self._gate is not None:
            self._gate.tell()

    def _unobserved(self, stream_slice: StreamSlice) -> StreamSlice:
        unobserved = super()._unobserved(stream_slice)
        if self.beside is None:
            return unobserved
        table = {
            str(value): dict(beside.extra_fields)
            for beside in self.beside.stream_slices()
            for name, value in beside.partition.items()
            if name != "parent_slice"
        }
        return StreamSlice(
            partition=unobserved.partition, cursor_slice={}, extra_fields={self.beside_as: table}
        )

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse windows that cannot be meant.

        Raises:
            ValueError: saying what is wrong.
        """
        if not node.get("windows"):
            raise ValueError("windows say how the list is asked for by creation")
        super().check_manifest(node)


def _second_of(moment: str) -> int | None:
    found = moment_of(moment)
    return None if found is None else int(found.timestamp())


def _first_second(months: Iterable[str]) -> int | None:
    """That of the oldest month, such as `2026-01`; null if there is none."""
    seconds = (_second_of(f"{month}-01T00:00:00Z") for month in months)
    return min((second for second in seconds if second is not None), default=None)
