"""`CallRetriever`: the CDK's `SimpleRetriever` with proved passes and pages read ahead."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import converters
from calls_shared.body import parsed
from calls_shared.extractor import PageRecords
from calls_shared.pagination import PageNumbers, whole_number
from calls_shared.passes import NewestFirstProof, PassAudit, Repetition
from calls_shared.read_ahead import pages_in_order
from calls_shared.report import report_of

LOGGER = logging.getLogger("airbyte.calls")
_PASSES = 3
_UNVERIFIED = (
    "The list of calls changed while it was read, {count} times in a row, so that a call may have"
    " slipped between two pages. All calls seen were emitted; the state stays where it was, and the"
    " next sync reads them again."
)
_TIMELESS = (
    "{count} records of {stream} have no {column} that can be read; such records come with every"
    " sync."
)


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
        total_at: path of the announced number of records; makes each pass be verified.
        stop_early: leave a list that comes newest first, by the creation in its UUIDv7 ids, once
            `NewestFirstProof` allows it; a record with another id is always kept.
        workers: pages fetched at once where pages are numbered; 1 reads one after another.
        api_budget: handed over by the CDK.
    """

    cursor: Cursor | None = None
    cursor_field: str = ""
    start_date_field: str = ""
    total_at: str = ""
    stop_early: bool = False
    workers: Any = 1
    api_budget: Any = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._report = report_of(self.api_budget)
        self._timeless = _TIMELESS.replace("{stream}", self.name).replace(
            "{column}", self.cursor_field
        )
        start_date = converters.moment(self.config.get("start_date"))
        self._earliest = converters.lower_bound(start_date) if isinstance(start_date, str) else ""

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Read one slice.

        Raises:
            AirbyteTracedException: with the sentence for the user, on any failure.
        """
        stream_slice = stream_slice or StreamSlice(partition={}, cursor_slice={})
        if self.total_at:
            yield from self._read_verified(records_schema, stream_slice)
        else:
            yield from self._read_once(records_schema, stream_slice)

    def _read_once(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterable[StreamData]:
        proof = NewestFirstProof(self._bound(stream_slice)) if self.stop_early else None
        for page in self._pages(records_schema, stream_slice):
            yield from self._wanted(page.records, stream_slice)
            if proof is not None and proof.page([_id_and_creation(call) for call in page.records]):
                return

    def _read_verified(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterable[StreamData]:
        """Read passes until one is proved complete; only then does the cursor move.

        Records come out under a slice of their own, which is never closed, so that the cursor
        observes the verified pass as a whole and not each record.
        """
        unobserved = StreamSlice(
            partition=stream_slice.partition,
            cursor_slice={},
            extra_fields=stream_slice.extra_fields,
        )
        newest: str | None = None
        audit: PassAudit | None = None
        for attempt in range(1, _PASSES + 1):
            earlier, audit = audit, None
            for page in self._pages(records_schema, unobserved):
                if audit is None:
                    audit = PassAudit(_moment_after(page.response), earlier)
                audit.page(whole_number(parsed(page.response), self.total_at))
                audit.left_out(self._nulls(page.response))
                fresh = [call for call in page.records if audit.call(*_id_and_creation(call))]
                for call in self._wanted(fresh, stream_slice):
                    changed = call.data.get(self.cursor_field)
                    if isinstance(changed, str):
                        newest = converters.latest(m for m in (newest, changed) if m is not None)
                    yield call
            if audit is not None and audit.complete(trust_totals=attempt == _PASSES):
                if newest is not None and self.cursor is not None:
                    self.cursor.observe(
                        Record({self.cursor_field: newest}, self.name, stream_slice)
                    )
                return
            LOGGER.info("%s: the list changed during pass %d of %d.", self.name, attempt, _PASSES)
        self._report.note(_UNVERIFIED, _PASSES)

    def _bound(self, stream_slice: StreamSlice) -> str:
        start = stream_slice.cursor_slice.get("start_time")
        return converters.lower_bound(start) if isinstance(start, str) else ""

    def _wanted(self, records: Iterable[Record], stream_slice: StreamSlice) -> Iterator[Record]:
        """The records that the state (less the lookback) and the start date let pass.

        There is no upper bound: no record is dropped for being newer than our clock.
        """
        bound = self._bound(stream_slice) if self.cursor_field else ""
        for record in records:
            call = record.data
            if bound and self._is_before(bound, call):
                continue
            if self._earliest and self.start_date_field:
                occurred = call.get(self.start_date_field)
                if occurred is not None and converters.sort_key(occurred) < self._earliest:
                    continue
            yield record

    def _is_before(self, bound: str, call: Mapping[str, Any]) -> bool:
        changed = call.get(self.cursor_field)
        if changed is None:
            self._report.note(self._timeless)
            return False
        if converters.sort_key(changed) >= bound:
            return False
        # The creation of an id that is no UUIDv7 is only a guess (its start): keep the call.
        return not self.stop_early or converters.is_uuid7(call.get("id"))

    def _pages(self, schema: Mapping[str, Any], stream_slice: StreamSlice) -> Iterator[Page]:
        strategy = getattr(self._paginator, "pagination_strategy", None)
        if isinstance(strategy, PageNumbers):
            yield from self._numbered_pages(strategy, schema, stream_slice)
        else:
            yield from self._chained_pages(schema, stream_slice)

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
        self, strategy: PageNumbers, schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[Page]:
        def fetch(number: int) -> requests.Response:
            response = self._fetch_next_page(stream_slice, {"next_page_token": number})
            assert response is not None  # CallRequester answers or raises
            return response

        responses = pages_in_order(fetch, strategy.page_count, self._worker_count())
        repetition = Repetition()
        for number, response in responses:
            page = self._page(response, schema, stream_slice, {"next_page_token": number})
            yield page
            self._refuse_repetition(repetition, response)
            if strategy.page_count(response) is None and not page.records:
                return

    def _worker_count(self) -> int:
        return int(self.config.get("num_workers") or self.workers)

    def _chained_pages(
        self, schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[Page]:
        """Pages that each name the next one; a token that comes again is a fault of the answer."""
        token: Mapping[str, Any] | None = None
        tokens: set[str] = set()
        repetition = Repetition()
        while True:
            response = self._fetch_next_page(stream_slice, token)
            assert response is not None  # CallRequester answers or raises
            if not response:
                yield Page(response, [])  # to be skipped: the error table says so
                return
            page = self._page(response, schema, stream_slice, token)
            yield page
            last = page.records[-1] if page.records else None
            value = token.get("next_page_token") if token else None
            token = self._next_page_token(response, len(page.records), last, value)
            if not token:
                return
            name = str(token["next_page_token"])
            if name in tokens:
                raise self._no_progress("a page names one that was read before")
            tokens.add(name)
            self._refuse_repetition(repetition, response)

    def _nulls(self, response: requests.Response) -> int:
        extractor = getattr(self.record_selector, "extractor", None)
        return extractor.nulls(response) if isinstance(extractor, PageRecords) else 0

    def _refuse_repetition(self, repetition: Repetition, response: requests.Response) -> None:
        extractor = getattr(self.record_selector, "extractor", None)
        if isinstance(extractor, PageRecords) and repetition.page(extractor.ids(response)):
            raise self._no_progress("page after page holds the very same records, or none")

    def _no_progress(self, reason: str) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=f"The provider's pages of {self.name} lead in a circle: {reason}. Run the sync"
            " again later.",
            internal_message=f"stream {self.name}: no progress",
            failure_type=FailureType.transient_error,
        )


def _id_and_creation(call: Record) -> tuple[str, str | None]:
    return str(call.data.get("id")), call.data.get("created_at")


def _moment_after(response: requests.Response) -> str:
    """The second after an answer was given, by the provider's own clock if it tells.

    `Date` has whole seconds. A call of that very second counts as one that was there already; else
    a workspace with a call a second would never see a pass verified.
    """
    try:
        moment = parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = datetime.now(UTC)
    return converters.format_timestamp(moment + timedelta(seconds=1), 0)
