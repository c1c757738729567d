"""`OldestFirstRetriever`: a parent stream that comes newest first, given out oldest first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import converters
from calls_shared.retriever import CallRetriever

FAILURE = "deferred_failure"


@dataclass
class OldestFirstRetriever(CallRetriever):
    """Retriever of a parent stream whose cursor has windows of time (`step`) in each partition.

    A partition (a phone number) is listed once, when its first window is asked for; then each
    window gets the parents (the conversations) of its time. So the state of a long first sync moves
    with each window, although a list that comes newest first proves nothing before its end.

    Needs a `cursor_field`, and memory for one partition's parents: let the record selector leave
    of them only what the children need.

    A failure to list comes out as the first record of the first window, for the child to raise: the
    CDK holds one slice of the child back while it asks for the next one, so that a failure raised
    here would lose that slice, and the parent's state would pass it. The parents that were listed
    before the failure follow it; the state does not pass it.
    """

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._began = converters.sort_key(converters.format_timestamp(datetime.now(UTC)))
        self._listed: Mapping[str, Any] | None = None  # the partition that waits
        self._waiting: list[dict[str, Any]] = []  # its parents, the oldest last

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Read one window; the windows of a partition are read in the order of time."""
        assert stream_slice is not None  # a stream with a cursor always gives one
        if stream_slice.partition != self._listed:
            self._listed, self._waiting = stream_slice.partition, []
            yield from self._list(records_schema, stream_slice)
        end = converters.sort_key(stream_slice.cursor_slice["end_time"])
        while self._waiting and self._moment(self._waiting[-1]) <= end:
            yield Record(self._waiting.pop(), self.name, stream_slice)

    def _list(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[Record]:
        """List the partition, and give out at once what belongs to no window.

        That is a failure, and parents without a time or with one after the beginning of the sync:
        no state may pass that yet. They come without a time, so that the cursor does not see it.
        """
        failure: Exception | None = None
        timeless = []
        seen: set[str] = set()
        try:
            for parent in super().read_records(records_schema, stream_slice):
                assert isinstance(parent, Record)  # what our record selectors yield
                data = dict(parent.data)
                # a list that moves repeats parents; the CDK would drop the second one's slice
                if data.get("id") is None:
                    raise self._without_id()
                if (name := str(data.get("id"))) in seen:
                    continue
                seen.add(name)
                if self.cursor_field in data and self._moment(data) < self._began:
                    self._waiting.append(data)
                else:
                    data.pop(self.cursor_field, None)
                    timeless.append(data)
        except Exception as caught:
            failure = caught
        self._waiting.sort(key=self._moment, reverse=True)
        if failure is not None:
            poison = {"id": f"failure of {dict(stream_slice.partition)}", FAILURE: failure}
            yield Record(poison, self.name, stream_slice)
        for data in timeless:
            yield Record(data, self.name, stream_slice)

    def _without_id(self) -> AirbyteTracedException:
        """The CDK would leave out a parent without an id, and all of its children, silently."""
        return AirbyteTracedException(
            message=f"A record of {self.name} has no id, so that nothing can be asked about it. Ask"
            " the provider why it lists one without an id, then run the sync again.",
            internal_message=f"stream {self.name}: a record without an id",
            failure_type=FailureType.system_error,
        )

    def _is_before(self, bound: str, call: Mapping[str, Any]) -> bool:
        # parents without a time are asked for in every sync, which is nothing to tell
        return self.cursor_field in call and super()._is_before(bound, call)

    def _moment(self, parent: Mapping[str, Any]) -> str:
        return converters.sort_key(parent[self.cursor_field])
