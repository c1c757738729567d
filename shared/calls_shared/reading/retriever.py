"""`CallRetriever`: the CDK's `SimpleRetriever` with its own way through the pages of a list."""

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice

from calls_shared.http.budget import budget_of
from calls_shared.http.requester import CallRequester
from calls_shared.normalization import times
from calls_shared.reading.checked_state import SUPERSEDED
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.details import CallDetails
from calls_shared.reading.pages import Page, PageReader, ReadingSoFar, Token
from calls_shared.reading.state import holds_something, newest, warning_of_the_future
from calls_shared.reading.state_gate import StateGate

LOGGER = logging.getLogger("airbyte.calls")
DEFAULT_LOOKBACK = 7
"""Days, as the specifications say."""

_TIMELESS = (
    "{count} records of {stream} have no {column} that can be read; such records come with every"
    " sync."
)


@dataclass
class CallRetriever(SimpleRetriever):
    """Retriever of one stream.

    Attributes:
        cursor: the stream's cursor; the CDK hands it over.
        cursor_field: the record field that the slice's start is compared with; records before it
            are left out, records without it are kept. "" keeps all.
        start_date_field: the record field that the configuration's `start_date` is compared with.
        details: what each call is replaced by (`CallDetails`), where the stream is of what there is
            to calls.
    """

    cursor: Cursor | None = None
    cursor_field: str = ""
    start_date_field: str = ""
    details: CallDetails | None = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._budget = budget_of(self.config)
        self._report = self._budget.report
        self._timeless = _TIMELESS.replace("{stream}", self.name).replace(
            "{column}", self.cursor_field
        )
        self._lookback = timedelta(days=int(self.config.get("lookback_days") or DEFAULT_LOOKBACK))
        self._gate = None
        if self.cursor is not None:
            fields = self._cursor_fields()
            self._gate = StateGate(self.cursor, fields, self._may_leave, self._warnings)
            latest = newest(self._gate.handed_in, fields)
            if not self._gate.is_parent and (far := warning_of_the_future(self.name, latest)):
                self._report.note(far)
        self._strategy = getattr(self._paginator, "pagination_strategy", None)
        self._extractor = getattr(self.record_selector, "extractor", None)
        start_date = times.moment(self.config.get("start_date"))
        self._earliest = times.lower_bound(start_date) if isinstance(start_date, str) else ""

    def _provider(self) -> str:
        """The provider's name for the user."""
        return getattr(self.requester, "provider_name", "") or "The provider"

    def _cursor_fields(self) -> set[str]:
        """The names of all fields that hold a cursor value in the stream's state."""
        field = getattr(self.cursor, "cursor_field", None)
        return set() if field is None else {field.cursor_field_key}

    def _warnings(self) -> list[str]:
        """What is to be told at the end of the stream."""
        if self.details is not None and (warning := self.details.warning()) is not None:
            self._report.note(warning)
        return self._report.new_sentences()

    def _may_leave(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What leaves of a state, unless the plan of the workspace refuses what is read for it."""
        is_ending = self._gate is not None and self._gate.is_ending
        if self.details is not None and self.details.hold_the_state(is_ending=is_ending):
            return self._unmoved()
        return self._leaving(state)

    def _unmoved(self) -> Mapping[str, Any] | None:
        """The state as it was handed in; null if there was none."""
        handed_in = {} if self._gate is None else self._gate.handed_in
        handed_in = handed_in.get(SUPERSEDED, handed_in)
        return handed_in if holds_something(handed_in) else None

    def _leaving(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What leaves of a state that the cursor would emit; null if nothing may yet."""
        return state

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Read one slice.

        Raises:
            AirbyteTracedException: with the sentence for the user, on any failure.
        """
        stream_slice = stream_slice or StreamSlice(partition={}, cursor_slice={})
        calls = self._calls(records_schema, stream_slice)
        items = calls if self.details is None else self.details.rows(calls, self._done)
        for item in items:
            if isinstance(item, Checkpoint):
                item.passed()
            else:
                yield item

    def _done(self, call: Record) -> None:
        """Let the cursor see a call whose rows have gone out in its place."""
        if self.cursor is not None:
            self.cursor.observe(call)

    def _calls(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Generator[Record | Checkpoint, None, None]:
        """The calls of one slice.

        What may be done only when they have gone out, or their rows, comes after a checkpoint.
        """
        for page in self._pages(records_schema, stream_slice, ReadingSoFar()):
            yield from self._wanted(page.records, self._bound(stream_slice))

    def _bound(self, stream_slice: StreamSlice) -> str:
        start = stream_slice.cursor_slice.get("start_time") if self.cursor_field else None
        return times.lower_bound(start) if isinstance(start, str) else ""

    def _wanted(self, records: Iterable[Record], bound: str) -> Iterator[Record]:
        """The records that a bound (the state less the lookback) and the start date let pass.

        There is no upper bound: no record is dropped for being newer than our clock.
        """
        for record in records:
            if bound and self._is_before(bound, record.data):
                continue
            if self._passes_start_date(record.data):
                yield record

    def _passes_start_date(self, call: Mapping[str, Any]) -> bool:
        if not self._earliest or not self.start_date_field:
            return True
        occurred = call.get(self.start_date_field)
        return occurred is None or times.sort_key(occurred) >= self._earliest

    def _is_before(self, bound: str, call: Mapping[str, Any]) -> bool:
        changed = call.get(self.cursor_field)
        if changed is None:
            self._report.note(self._timeless)
            return False
        return times.sort_key(changed) < bound

    def _pages(
        self, schema: Mapping[str, Any], stream_slice: StreamSlice, so_far: ReadingSoFar
    ) -> Generator[Page, None, None]:
        return self._reader(schema, stream_slice).pages(so_far)

    def _reader(self, schema: Mapping[str, Any], stream_slice: StreamSlice) -> PageReader:
        def fetch(token: Token) -> requests.Response:
            response = self._fetch_next_page(stream_slice, token)
            assert response is not None  # CallRequester answers or raises
            return response

        return PageReader(
            stream=self.name,
            provider=self._provider(),
            strategy=self._strategy,
            extractor=self._extractor,
            fetch=fetch,
            records=lambda response, token: [
                *self._parse_response(response, schema, stream_slice, token)
            ],
            next_token=self._next_page_token,
            pauses=self.requester.pauses() if isinstance(self.requester, CallRequester) else (),
            sleep=self._budget.sleep,
            workers=self._budget.places.number,
        )
