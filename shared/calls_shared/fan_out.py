"""`FanOutRetriever`: a slice that has to be asked several times, once for each of some values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.envelope import quoted
from calls_shared.mapping import field
from calls_shared.oldest_first import FAILURE
from calls_shared.retriever import CallRetriever


@dataclass
class FanOutRetriever(CallRetriever):
    """Reads a slice once without a value and once with each; a record comes out once.

    (OpenPhone: `userId` defaults to one user, and its page contradicts its changelog on which.)

    Attributes:
        value_field: the extra field of the slice that holds the value, for the manifest's
            `request_parameters`; it is null in the first reading.
        values_in_slice: path of the list of values in the slice's extra fields.
        value_at: path of the value in an item of that list.
        value_column: the record field that tells which value a record belongs to. Records of two
            values in one answer without a value prove that the default is not one of them; then
            the readings with a value are left out for the group.
        group_in_slice: path of the group (the phone number) in the slice's extra fields.
        refused_message: the sentence for the user if a group refuses (HTTP 403) every request;
            `{group}` is filled in.
    """

    value_field: str = ""
    values_in_slice: str = ""
    value_at: str = ""
    value_column: str = ""
    group_in_slice: str = ""
    refused_message: str = ""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        # Grown by several threads; adding to a set is atomic, and a late sight of it only costs
        # a request.
        self._open_groups: set[str] = set()
        self._answering_groups: set[str] = set()
        self._refusing_groups: set[str] = set()

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Read one slice.

        Raises:
            AirbyteTracedException: (config_error) if the group refused every request so far.
        """
        assert stream_slice is not None  # the partition router always gives one
        extra = stream_slice.extra_fields
        if isinstance(failure := extra.get(FAILURE), Exception):
            raise failure  # of the parent; see OldestFirstRetriever
        group = str(field(self.group_in_slice)(extra))
        if group in self._refusing_groups:
            return  # it has failed already; the state of the group does not move
        values = self._values(extra)
        seen: set[str] = set()
        refused = True
        for value in (None, *values):
            if value is not None and group in self._open_groups:
                break
            variant = StreamSlice(
                partition=stream_slice.partition,
                cursor_slice=stream_slice.cursor_slice,
                extra_fields={**extra, self.value_field: value},
            )
            owners: set[Any] = set()
            for page in self._pages(records_schema, variant):
                refused = refused and page.response.status_code == 403
                for record in self._wanted(page.records, stream_slice):
                    owners.add(record.data.get(self.value_column))
                    call_id = str(record.data.get("id"))
                    if call_id not in seen:
                        seen.add(call_id)
                        yield record
            if value is None and len(owners - {None}) > 1:
                self._open_groups.add(group)
        if not refused:
            self._answering_groups.add(group)
        elif group not in self._answering_groups | self._refusing_groups:
            self._refusing_groups.add(group)
            raise AirbyteTracedException(
                message=self.refused_message.replace("{group}", quoted(group)),
                internal_message=f"stream {self.name}: every request of the group was refused",
                failure_type=FailureType.config_error,
            )

    def _values(self, extra: Mapping[str, Any]) -> list[str]:
        """The values to ask for, each once; what is no text is no value."""
        items = field(self.values_in_slice)(extra)
        read = field(self.value_at)
        if not isinstance(items, list):
            return []
        found = [read(item) for item in items if isinstance(item, Mapping)]
        return list(dict.fromkeys(value for value in found if isinstance(value, str) and value))
