"""`FanOutRetriever`: a slice that has to be asked several times, once for each of some values."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.envelope import quoted
from calls_shared.mapping import field
from calls_shared.oldest_first import FAILURE
from calls_shared.parent_slices import TICKET, ParentSlices
from calls_shared.retriever import CallRetriever, Page
from calls_shared.state_gate import StateGate


@dataclass
class FanOutRetriever(CallRetriever):
    """Reads a slice once without a value and once with each; a record comes out once.

    (OpenPhone: `userId` defaults to one user, and its page contradicts its changelog on which.)

    A slice has been read if one of its requests was answered well, or if all were skipped with a
    status that closes it, and no list that began well was broken off by another status. Any other
    slice raises, and its ticket is never closed: no state passes it, while the other slices are
    read all the same.

    Attributes:
        value_field: the extra field of the slice that holds the value, for the manifest's
            `request_parameters`; it is null in the first reading.
        values_in_slice: path of the list of values in the slice's extra fields.
        value_at: path of the value in an item of that list.
        involved_at: paths in the provider's record of the values that it may be listed for. If no
            single value is involved in all records of an answer without a value, then the default
            is not one of them, and the readings with a value are left out for the group.
        group_in_slice: path of the group (the phone number's id) in the slice's extra fields.
        group_named_by: path of its name for the user there; where there is none, the id serves.
        closing_statuses: the statuses of skipped answers that close a slice without a good one.
        refused_message: the sentence for the user if a slice was not read, because another status
            was skipped; `{group}` is filled in.
        partition_router: handed over by the CDK; a `ParentSlices`.
    """

    value_field: str = ""
    values_in_slice: str = ""
    value_at: str = ""
    involved_at: list[str] = dataclass_field(default_factory=list)
    group_in_slice: str = ""
    group_named_by: str = ""
    closing_statuses: list[int] = dataclass_field(default_factory=list)
    refused_message: str = ""
    partition_router: Any = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._involved = [field(path) for path in self.involved_at]
        # Changed by several threads; each change is atomic, and a late sight of one costs only a
        # request, or a state that leaves later.
        self._open_groups: set[str] = set()
        self._has_asked = self._was_answered = False
        self._report.at_end(self._failure_of_all)
        if self.cursor is not None and isinstance(self.partition_router, ParentSlices):
            self._handed_in = deepcopy(self.cursor.state)
            # else the CDK emits none before the very first slice is closed, which may be a hole
            parents = self.partition_router.get_stream_state()
            self.cursor._parent_state = parents  # type: ignore[attr-defined]
            StateGate(self.cursor, self._proved_state)

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Read one slice.

        Raises:
            AirbyteTracedException: (config_error) if the provider refused the slice's group.
        """
        assert stream_slice is not None  # the partition router always gives one
        extra = stream_slice.extra_fields
        if isinstance(failure := extra.get(FAILURE), Exception):
            raise failure  # of the parent; see OldestFirstRetriever
        group = str(field(self.group_in_slice)(extra))
        seen: set[str] = set()
        statuses: set[int] = set()
        is_broken_off = False
        for value in (None, *self._values(extra)):
            if value is not None and group in self._open_groups:
                break
            variant = StreamSlice(
                partition=stream_slice.partition,
                cursor_slice=stream_slice.cursor_slice,
                extra_fields={**extra, self.value_field: value},
            )
            rows: list[frozenset[Any]] = []
            for number, page in enumerate(self._told(self._pages(records_schema, variant))):
                status = 200 if page.response else page.response.status_code
                statuses.add(status)
                is_broken_off |= number > 0 and status not in (200, *self.closing_statuses)
                rows += [self._values_of(record) for record in page.records]
                for record in self._wanted(page.records, stream_slice):
                    call_id = str(record.data.get("id"))
                    if call_id not in seen:
                        seen.add(call_id)
                        yield record
            if value is None and _is_of_several(rows):
                self._open_groups.add(group)
        if is_broken_off or not (200 in statuses or statuses <= set(self.closing_statuses)):
            raise self._refused(str(field(self.group_named_by)(extra) or group))
        if (ticket := extra.get(TICKET)) is not None:
            ticket.close()

    def _told(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The pages; notes that one is asked for, and whether one was answered well."""
        self._has_asked = True
        for page in pages:
            if page.response:
                self._was_answered = True
            yield page

    def _values_of(self, record: Record) -> frozenset[Any]:
        original = record.data.get("provider_record", record.data)
        return frozenset(value for read in self._involved if (value := read(original)))

    def _refused(self, name: str) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=self.refused_message.replace("{group}", quoted(name)),
            internal_message=f"stream {self.name}: a slice was refused",
            failure_type=FailureType.config_error,
        )

    def _failure_of_all(self) -> AirbyteTracedException | None:
        if not self._has_asked or self._was_answered:
            return None
        return AirbyteTracedException(
            message=f"Not one request for {self.name} was answered well; all were refused, and"
            " skipped for it (the warnings say why). No state was moved. Check what the key of this"
            " connector may read, then run the sync again.",
            internal_message=f"stream {self.name}: every request was skipped",
            failure_type=FailureType.system_error,
        )

    def _proved_state(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The state that may leave: none of this sync before a request was answered well."""
        if self._has_asked and not self._was_answered:
            return self._handed_in if "parent_state" in self._handed_in else None
        return {**state, "parent_state": self.partition_router.proved_state()}

    def _values(self, extra: Mapping[str, Any]) -> list[str]:
        """The values to ask for, each once; what is no text is no value."""
        items = field(self.values_in_slice)(extra)
        read = field(self.value_at)
        if not isinstance(items, list):
            return []
        found = [read(item) for item in items if isinstance(item, Mapping)]
        return list(dict.fromkeys(value for value in found if isinstance(value, str) and value))


def _is_of_several(rows: list[frozenset[Any]]) -> bool:
    """Whether no single value is involved in all rows, each of which names one at least."""
    return bool(rows) and all(rows) and not frozenset.intersection(*rows)
