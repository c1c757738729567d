"""`OldestFirstRetriever`: a parent stream that comes newest first, given out oldest first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.normalization import times
from calls_shared.reading.deferred import DeferredFailure
from calls_shared.reading.inventory import YEARS, Inventory, differing, period
from calls_shared.reading.moments import moment_after, moment_of
from calls_shared.reading.pages import ReadingSoFar
from calls_shared.reading.progress import CHANGED_SINCE, ParentProgress, progress_of
from calls_shared.reading.retriever import CallRetriever
from calls_shared.reading.seen import digest_of


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

    Attributes:
        created_field: the parents' field with their creation, which only the inventory needs.
    """

    created_field: str = ""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._began = times.sort_key(times.format_timestamp(datetime.now(UTC)))
        self._listed: Mapping[str, Any] | None = None  # the partition that waits
        self._waiting: list[dict[str, Any]] = []  # its parents, the oldest last

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse details: what comes out is no call.

        Raises:
            ValueError: saying so.
        """
        if node.get("details"):
            raise ValueError("details have no meaning here: a parent is no call")

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Read one window; the windows of a partition are read in the order of time."""
        assert stream_slice is not None  # a stream with a cursor always gives one
        if stream_slice.partition != self._listed:
            if self._listed is not None:
                self._progress().given_out(self._listed)
            self._listed, self._waiting = stream_slice.partition, []
            yield from self._list(records_schema, stream_slice)
        end = times.sort_key(stream_slice.cursor_slice["end_time"])
        while self._waiting and self._moment(self._waiting[-1]) <= end:
            yield Record(self._waiting.pop(), self.name, stream_slice)

    def _progress(self) -> ParentProgress:
        """That of the children; one that nobody looks at where the parents are read alone."""
        otherwise = ParentProgress(self.cursor_field, {})
        return progress_of(self._budget, self.cursor, otherwise)

    def _list(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[Record]:
        """List the partition, and give out at once what belongs to no window.

        That is a failure, and parents without a time or with one after the beginning of the sync:
        no state may pass that yet. They come without a time, so that the cursor does not see it.
        """
        failure: Exception | None = None
        timeless = []
        try:
            for data in self._chosen(records_schema, stream_slice):
                if self.cursor_field in data and self._moment(data) < self._began:
                    self._waiting.append(data)
                else:
                    data.pop(self.cursor_field, None)
                    timeless.append(data)
        except Exception as caught:
            failure = caught
        self._waiting.sort(key=self._moment, reverse=True)
        if failure is not None:
            stands_in = DeferredFailure(failure).as_parent(stream_slice.partition)
            yield Record(stands_in, self.name, stream_slice)
        for data in timeless:
            yield Record(data, self.name, stream_slice)

    def _chosen(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[dict[str, Any]]:
        """The parents that were active since the last sync, and all of a year that differs.

        A list that moves while it is read repeats parents, and lets some slip; so the years of
        creation in which it differs from the last reading are given out whole.
        """
        listed: dict[str, dict[str, Any]] = {}
        settled = ""
        try:
            for page in self._pages(records_schema, stream_slice, ReadingSoFar()):
                settled = settled or self._settled(page.response.headers)
                for row in page.records:
                    if row.data.get("id") is None:
                        raise self._without_id()
                    name, parent = str(row.data["id"]), dict(row.data)
                    listed[name] = max(listed.get(name, parent), parent, key=self._recency)
        except Exception:
            # not marked: of what was not listed to its end all children are asked for
            yield from self._active(listed.values(), stream_slice)
            raise
        inventory = self._inventory(settled, listed)
        differs = self._differing(listed, self._progress().inventory(stream_slice.partition))
        kept = {"until": f"{inventory.until}Z", "years": inventory.periods()}
        self._progress().listed(stream_slice.partition, kept, differs)
        again = (p for p in listed.values() if period(p.get(self.created_field), YEARS) in differs)
        active = [*self._active(listed.values(), stream_slice)]
        if (since := self._changed_since(stream_slice)) is not None:
            for parent in active:
                parent[CHANGED_SINCE] = since
        chosen = {id(p): p for p in active}
        for parent in again:
            chosen[id(parent)] = parent
            parent.pop(CHANGED_SINCE, None)
        yield from chosen.values()

    def _changed_since(self, stream_slice: StreamSlice) -> str | None:
        """From when on changes of the children count: the last complete reading, less the lookback.

        Null for all of them, where there was none.
        """
        complete = moment_of(self._progress().complete(stream_slice.partition))
        if complete is None:
            return None
        since = min(complete, datetime.fromisoformat(f"{self._began}Z")) - self._lookback
        return times.sort_key(times.format_timestamp(since))

    def _settled(self, headers: Mapping[str, str]) -> str:
        """The bound (a `sort_key`) before which a parent must have been created to be settled."""
        began = datetime.fromisoformat(moment_after(headers))
        return times.sort_key(times.format_timestamp(began - self._lookback))

    def _active(
        self, parents: Iterable[dict[str, Any]], stream_slice: StreamSlice
    ) -> Iterator[dict[str, Any]]:
        """The parents that were active since the last sync, and those that do not tell."""
        bound = self._bound(stream_slice)
        return (parent for parent in parents if not bound or not self._is_before(bound, parent))

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

    def _inventory(self, until: str, listed: Mapping[str, Mapping[str, Any]]) -> Inventory:
        inventory = Inventory(until, YEARS)
        for name, parent in listed.items():
            inventory.add(digest_of(name), parent.get(self.created_field))
        return inventory

    def _differing(
        self, listed: Mapping[str, Mapping[str, Any]], before: Mapping[str, Any] | None
    ) -> frozenset[str]:
        """The years in which the parents that were settled then are not the same any more."""
        until, years = (before or {}).get("until"), (before or {}).get("years")
        if not isinstance(until, str) or not isinstance(years, Mapping):
            return frozenset(period(p.get(self.created_field), YEARS) for p in listed.values())
        then = self._inventory(times.sort_key(until), listed)
        return differing(years, then.periods())

    def _recency(self, parent: Mapping[str, Any]) -> tuple[bool, str]:
        """Of a parent that is listed twice, one row may be of before its last activity."""
        is_timeless = self.cursor_field not in parent
        return is_timeless, "" if is_timeless else self._moment(parent)

    def _moment(self, parent: Mapping[str, Any]) -> str:
        return times.sort_key(parent[self.cursor_field])
