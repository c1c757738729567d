"""`CallRetriever`: the CDK's `SimpleRetriever` with its own way through the pages of a list."""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import timedelta
from typing import Any, NamedTuple

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http.budget import budget_of
from calls_shared.http.refusals import PageRefusedError
from calls_shared.http.requester import CallRequester
from calls_shared.normalization import times
from calls_shared.reading.chained import ChainedEnd
from calls_shared.reading.extractor import PageRecords
from calls_shared.reading.numbered import EmptyPageError, ListEnd, NumberedList
from calls_shared.reading.pagination import PageNumbers, announced_total
from calls_shared.reading.passes import Repetition
from calls_shared.reading.state import newest, warning_of_the_future
from calls_shared.reading.state_gate import StateGate

LOGGER = logging.getLogger("airbyte.calls")
DEFAULT_LOOKBACK = 7
"""Days, as the specifications say."""

_TIMELESS = (
    "{count} records of {stream} have no {column} that can be read; such records come with every"
    " sync."
)


@dataclass
class ReadingSoFar:
    """What a reading of a list knows of itself.

    Attributes:
        count: how many different ids it has seen.
        unlisted: how many records the last complete reading announced but did not list.
        end: how it ended.
    """

    count: Callable[[], int] = lambda: 0
    unlisted: int = 0
    end: ListEnd = dataclass_field(default_factory=ListEnd)


class Page(NamedTuple):
    """One page: the answer and its normalized records."""

    response: requests.Response
    records: list[Record]


@dataclass
class CallRetriever(SimpleRetriever):
    """Retriever of one stream.

    Attributes:
        cursor: the stream's cursor; the CDK hands it over.
        cursor_field: the record field that the slice's start is compared with; records before it
            are left out, records without it are kept. "" keeps all.
        start_date_field: the record field that the configuration's `start_date` is compared with.
        workers: pages fetched at once where pages are numbered; 1 reads one after another.
    """

    cursor: Cursor | None = None
    cursor_field: str = ""
    start_date_field: str = ""
    workers: Any = 1

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
            warnings = self._report.new_sentences
            self._gate = StateGate(self.cursor, fields, self._leaving, warnings)
            latest = newest(self._gate.handed_in, fields)
            if not self._gate.is_parent and (far := warning_of_the_future(self.name, latest)):
                self._report.note(far)
        start_date = times.moment(self.config.get("start_date"))
        self._earliest = times.lower_bound(start_date) if isinstance(start_date, str) else ""

    def _provider(self) -> str:
        """The provider's name for the user."""
        return getattr(self.requester, "provider_name", "") or "The provider"

    def _cursor_fields(self) -> set[str]:
        """The names of all fields that hold a cursor value in the stream's state."""
        field = getattr(self.cursor, "cursor_field", None)
        return set() if field is None else {field.cursor_field_key}

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
        for page in self._pages(records_schema, stream_slice, ReadingSoFar()):
            yield from self._wanted(page.records, stream_slice)

    def _bound(self, stream_slice: StreamSlice) -> str:
        start = stream_slice.cursor_slice.get("start_time")
        return times.lower_bound(start) if isinstance(start, str) else ""

    def _wanted(self, records: Iterable[Record], stream_slice: StreamSlice) -> Iterator[Record]:
        """The records that the state (less the lookback) and the start date let pass.

        There is no upper bound: no record is dropped for being newer than our clock.
        """
        bound = self._bound(stream_slice) if self.cursor_field else ""
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
        self, schema: Mapping[str, Any], stream_slice: StreamSlice, so_far: "ReadingSoFar"
    ) -> Generator[Page, None, None]:
        strategy = getattr(self._paginator, "pagination_strategy", None)
        if isinstance(strategy, PageNumbers):
            yield from self._numbered_pages(strategy, schema, stream_slice, so_far)
        else:
            yield from self._chained_pages(schema, stream_slice, so_far)

    def _page(
        self,
        response: requests.Response,
        schema: Mapping[str, Any],
        stream_slice: StreamSlice,
        token: Mapping[str, Any] | None,
    ) -> Page:
        records = self._parse_response(response, schema, stream_slice, token)
        return Page(response, list(records))

    def _numbered_pages(
        self,
        strategy: PageNumbers,
        schema: Mapping[str, Any],
        stream_slice: StreamSlice,
        so_far: "ReadingSoFar",
    ) -> Iterator[Page]:
        def fetch(number: int) -> requests.Response:
            response = self._fetch_next_page(stream_slice, {"next_page_token": number})
            assert response is not None  # CallRequester answers or raises
            return response

        pauses = self.requester.pauses() if isinstance(self.requester, CallRequester) else []
        listing = NumberedList(
            fetch,
            strategy,
            self._ids_of,
            so_far.count,
            pauses=pauses,
            sleep=self._budget.sleep,
            workers=self._worker_count(),
            unlisted=so_far.unlisted,
        )
        repetition = Repetition()
        try:
            for numbered in listing.pages():
                token = {"next_page_token": numbered.number}
                yield self._page(numbered.response, schema, stream_slice, token)
                self._refuse_repetition(repetition, numbered.response)
        except EmptyPageError as empty:
            raise AirbyteTracedException(
                message=f"{self._provider()} answered {self.name} with {empty} although pages"
                " behind it hold records, and trying again did not help. Run the sync again later;"
                " if the page stays empty, ask the provider why.",
                internal_message=f"stream {self.name}: {empty}",
                failure_type=FailureType.transient_error,
            ) from None
        so_far.end = listing.end

    def _ids_of(self, response: requests.Response) -> Sequence[str]:
        extractor = getattr(self.record_selector, "extractor", None)
        return extractor.ids(response) if isinstance(extractor, PageRecords) else ()

    def _worker_count(self) -> int:
        return int(self.config.get("num_workers") or self.workers)

    def _chained_pages(
        self, schema: Mapping[str, Any], stream_slice: StreamSlice, so_far: "ReadingSoFar"
    ) -> Iterator[Page]:
        """Pages that each name the next one; a token that comes again is a fault of the answer."""
        chain = ChainedEnd(so_far.unlisted)
        token: Mapping[str, Any] | None = None
        tokens: set[str] = set()
        repetition = Repetition()
        while True:
            try:
                response = self._chained_page(chain, stream_slice, token)
            except PageRefusedError:
                so_far.end = chain.end()
                if not chain.may_be_refused():
                    raise
                return
            if not response:
                yield Page(response, [])  # to be skipped: the error table says so
                return
            page = self._page(response, schema, stream_slice, token)
            yield page
            last = page.records[-1] if page.records else None
            value = token.get("next_page_token") if token else None
            token = self._next_page_token(response, len(page.records), last, value)
            if not token:
                so_far.end = chain.end()
                return
            name = str(token["next_page_token"])
            if name in tokens:
                raise self._no_progress("a page names one that was read before")
            tokens.add(name)
            self._refuse_repetition(repetition, response)

    def _chained_page(
        self, chain: ChainedEnd, stream_slice: StreamSlice, token: Mapping[str, Any] | None
    ) -> requests.Response:
        """The next page; an empty last one is tried again while more is announced than was listed.

        A page that is no last one, though it is empty, names where to go on.
        """
        pauses = self.requester.pauses() if isinstance(self.requester, CallRequester) else []
        while True:
            response = self._fetch_next_page(stream_slice, token)
            assert response is not None  # CallRequester answers or raises
            if not response:
                return response
            ids = self._ids_of(response)
            chain.page(ids, self._announced_total(response))
            if ids or not chain.is_short or not pauses or self._names_another(response):
                return response
            self._budget.sleep(pauses.pop(0))

    def _names_another(self, response: requests.Response) -> bool:
        return bool(self._next_page_token(response, 0, None, None))

    def _announced_total(self, response: requests.Response) -> int | None:
        strategy = getattr(self._paginator, "pagination_strategy", None)
        return announced_total(strategy, response)

    def _nulls(self, response: requests.Response) -> int:
        extractor = getattr(self.record_selector, "extractor", None)
        return extractor.nulls(response) if isinstance(extractor, PageRecords) else 0

    def _refuse_repetition(self, repetition: Repetition, response: requests.Response) -> None:
        if repetition.page(frozenset(self._ids_of(response))):
            raise self._no_progress("page after page holds the very same records, or none")

    def _no_progress(self, reason: str) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=f"{self._provider()}'s pages of {self.name} lead in a circle: {reason}. Run the"
            " sync again later.",
            internal_message=f"stream {self.name}: no progress",
            failure_type=FailureType.transient_error,
        )
