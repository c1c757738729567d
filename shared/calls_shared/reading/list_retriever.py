"""`ListRetriever`: a list whose complete readings converge, whatever a single one misses."""

import logging
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from airbyte_cdk.sources.types import Record, StreamSlice

from calls_shared.http.refusals import HintsRefusedError
from calls_shared.keys import Keys, exactly
from calls_shared.normalization import times
from calls_shared.normalization.columns import COLUMNS
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.convergence import Convergence
from calls_shared.reading.full_scan import hours_between, is_due
from calls_shared.reading.gone import gone_sentence
from calls_shared.reading.list_state import ListState
from calls_shared.reading.list_sync import NO_ORDER, Entry, ListSync
from calls_shared.reading.moments import earlier
from calls_shared.reading.order_proof import Moments
from calls_shared.reading.pages import Page, ReadingSoFar
from calls_shared.reading.pagination import PageNumbers
from calls_shared.reading.recent import NewestEnd, Verdict
from calls_shared.reading.retriever import CallRetriever
from calls_shared.reading.scope import OTHER_SCOPE, scope_of
from calls_shared.reading.walls import Wall
from calls_shared.reading.whole_list import WholeList, windows_of
from calls_shared.reading.windows import WINDOW_KEYS, Windows

LOGGER = logging.getLogger("airbyte.calls")
MARGIN = timedelta(days=1)
"""Between a start date and what has to be read for it."""
RECENT = "%s: read the newest end of the list only; it is read to its end every %s hours."


@dataclass
class ListRetriever(CallRetriever):
    """Retriever of a stream that is one list.

    Attributes:
        scope: the configuration keys that decide what is listed and kept. If one has changed, all
            of the new scope is read once more.
        stop_early: believe a creation only if it stands in a UUIDv7 id, and where it does not let
            the record come out in any case. (The name is that of version 0.1.0.)
        windows: how a list is asked for by windows of time (`Windows.of`), where its provider
            lists it only up to a wall.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"windows": exactly(WINDOW_KEYS)}

    scope: list[str] = dataclass_field(default_factory=list)
    stop_early: bool = False
    windows: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._windows = windows_of(self, self.windows)
        handed_in = {} if self._gate is None else self._gate.handed_in
        self._list_state = ListState.of(handed_in, self.cursor_field)
        self._hours = hours_between(self.config)
        self._moved_to: str | None = None

    def _leaving(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The cursor's state with the inventory beside it.

        A reading that ends at a wall fails, but counts as complete: its cursor moves all the same.
        """
        cursors = (state.get(self.cursor_field), self._moved_to)
        latest = times.latest(moment for moment in cursors if isinstance(moment, str))
        cursor = {} if latest is None else {self.cursor_field: latest}
        kept = {name: value for name, value in state.items() if name != "under_way"}
        return {**kept, **cursor, **self._list_state.as_state()}

    def _calls(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Generator[Record | Checkpoint, None, None]:
        try:
            yield from self._read(records_schema, stream_slice)
        except HintsRefusedError:
            yield from self._read(records_schema, stream_slice)

    def _read(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[Record | Checkpoint]:
        sync = self._sync(records_schema, stream_slice)
        if sync.convergence.is_other_scope:
            LOGGER.info(OTHER_SCOPE, self.name, ", ".join(self.scope))
        newest_end = self._newest_end(stream_slice, sync.convergence)
        verdict = yield from sync.read(newest_end)
        if newest_end is not None and verdict is Verdict.OLDEST_FIRST:
            backwards = newest_end.backwards(self._reader(records_schema, stream_slice))
            if (yield from self._wanted_of(backwards, newest_end.bound)):
                LOGGER.info(RECENT, self.name, self._hours)
                return
            LOGGER.info(NO_ORDER, self.name)
            sync = self._sync(records_schema, stream_slice)
            verdict = yield from sync.read(None)
        yield Checkpoint()
        self._observe(sync.convergence, stream_slice)
        if verdict is Verdict.ENOUGH:
            LOGGER.info(RECENT, self.name, self._hours)
        else:
            self._conclude(sync)

    def _sync(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> ListSync[Convergence]:
        """What a reading of the list is done with."""
        unobserved = self._unobserved(stream_slice)
        scope = scope_of(self.config, self.scope)
        bound = self._bound(stream_slice)
        convergence = Convergence(self._list_state, scope, self._lookback, bound)
        whole = WholeList(
            lambda part: self._reader(records_schema, part), self._windows, unobserved
        )
        return ListSync(
            stream=self.name,
            pages=lambda so_far, newest_end: whole.pages(
                convergence, so_far, None if newest_end is None else newest_end.ahead
            ),
            announced=whole.announced,
            entry=self._entry,
            convergence=convergence,
            so_far=ReadingSoFar(lambda: convergence.listed, self._list_state.unlisted),
        )

    def _unobserved(self, stream_slice: StreamSlice) -> StreamSlice:
        """A slice for the records, which is never closed.

        So the cursor observes the reading as a whole and not each record.
        """
        return StreamSlice(
            partition=stream_slice.partition,
            cursor_slice={},
            extra_fields=stream_slice.extra_fields,
        )

    def _newest_end(self, stream_slice: StreamSlice, convergence: Convergence) -> NewestEnd | None:
        """What a recent reading is watched by; null if a complete one is due."""
        bound = None if self._windows else self._recent_bound(stream_slice, convergence)
        if bound is None:
            return None
        strategy = self._strategy
        last_page = strategy.last_page if isinstance(strategy, PageNumbers) else lambda *_: None
        return NewestEnd(bound, self._moments, last_page)

    def _recent_bound(self, stream_slice: StreamSlice, convergence: Convergence) -> str | None:
        """What a recent reading reads down to (a `sort_key`); null if a complete one is due."""
        is_complete_due = is_due(self._list_state.at, self._hours, datetime.now(UTC))
        if convergence.reads_everything or is_complete_due:
            return None
        now = times.format_timestamp(datetime.now(UTC) - self._lookback)
        bound = min(self._bound(stream_slice), times.lower_bound(now))  # a state may be of later
        if self._earliest and bound <= self._earliest:  # a call may start before it is created
            bound = times.sort_key(earlier(f"{self._earliest}Z", MARGIN))
        return bound

    def _wanted_of(
        self, reading: Generator[Page, None, bool], bound: str
    ) -> Generator[Record, None, bool]:
        while True:
            try:
                page = next(reading)
            except StopIteration as end:
                return bool(end.value)
            yield from self._wanted(page.records, bound)

    def _moments(self, call: Record) -> Moments:
        """What may be believed of when a call was made and changed."""
        created = None if self._is_guessed(call.data) else call.data.get("created_at")
        # where no change is told, the last one is the creation
        is_change = self.cursor_field != "created_at" and not self._is_guessed(call.data)
        return Moments(created, call.data.get(self.cursor_field) if is_change else None)

    def _is_before(self, bound: str, call: Mapping[str, Any]) -> bool:
        return super()._is_before(bound, call) and not self._is_guessed(call)

    def _is_guessed(self, call: Mapping[str, Any]) -> bool:
        """The creation of an id that is no UUIDv7 is only a guess (its start)."""
        return self.stop_early and not times.is_uuid7(call.get("id"))

    def _entry(self, call: Record) -> Entry:
        changed = call.data.get(self.cursor_field)
        if changed is None:
            self._report.note(self._timeless)
        elif self._is_guessed(call.data):
            changed = None
        return Entry(
            call_id=str(call.data.get("id")),
            created=call.data.get("created_at"),
            changed=changed,
            in_scope=self._passes_start_date(call.data),
        )

    def _observe(self, convergence: Convergence, stream_slice: StreamSlice) -> None:
        if convergence.newest is not None and self.cursor is not None:
            newest = {self.cursor_field: convergence.newest}
            self.cursor.observe(Record(newest, self.name, stream_slice))

    def _conclude(self, sync: ListSync[Convergence]) -> None:
        convergence, end = sync.convergence, sync.so_far.end
        if (numbers := convergence.announced_in_vain()) is not None:
            announced, listed = numbers
            self._report.note(
                f"{self._provider()} announces {announced} {self.name} and lists {listed}, twice in"
                " a row."
            )
        if self._may_hide_new_ones(sync):
            self._report.note(
                f"{self._provider()} announces {sync.so_far.behind} {self.name} more than it lists,"
                f" {self._list_state.unlisted} at the last complete reading, and does not list the"
                " newest first: new ones may be missing. Ask it for a complete list."
            )
        self._list_state = convergence.state(end, sync.began)
        if gone := convergence.gone(end):
            LOGGER.info("%s: %s", self.name, gone_sentence(gone))
        if end.walled:
            wall = Wall(self._provider(), self.name, convergence.reading, end)
            if not wall.hides_only_what_is_before(self._earliest):
                self._moved_to = self._list_state.cursor
                raise wall.failure()

    def _may_hide_new_ones(self, sync: ListSync[Convergence]) -> bool:
        """Whether calls seem to come behind a last page that is not full, so that it is no wall."""
        convergence, so_far, last = sync.convergence, sync.so_far, self._list_state
        if last.at is None or convergence.is_other_scope or self._windows or so_far.end.walled:
            return False
        is_a_page = so_far.behind >= max(1, so_far.in_force)
        has_grown = so_far.behind > last.unlisted
        return is_a_page and has_grown and not convergence.reading.order.newest_first

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse windows that cannot be meant, and fields that no call has.

        Raises:
            ValueError: saying what is wrong.
        """
        moments = {column.name for column in COLUMNS if column.kind == "timestamp"}
        for name in ("cursor_field", "start_date_field"):
            if node.get(name) and node[name] not in moments:
                raise ValueError(f"{name} {node[name]} is no column with a time")
        Windows.of(node.get("windows", {}))
