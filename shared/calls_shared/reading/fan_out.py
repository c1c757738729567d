"""`FanOutRetriever`: a slice that has to be asked several times, once for each of some values."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.normalization import times
from calls_shared.paths import field
from calls_shared.quoting import quoted
from calls_shared.reading.checked_state import SUPERSEDED
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.deferred import raise_deferred
from calls_shared.reading.pages import Page, ReadingSoFar
from calls_shared.reading.parent_slices import CLOSING, TICKET, ParentSlices, require_carried
from calls_shared.reading.progress import CHANGED_SINCE, ParentProgress
from calls_shared.reading.retriever import CallRetriever
from calls_shared.reading.scope import scope_of
from calls_shared.reading.state import holds_something


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
        changed_field: the column with a call's last change, where there are `details`.
        scope: the configuration keys that decide what is read. If one has changed, all of the new
            scope is read once more, and until that is done no state leaves but the one handed in.
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
    changed_field: str = ""
    scope: list[str] = dataclass_field(default_factory=list)
    partition_router: Any = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._involved = [field(path) for path in self.involved_at]
        # Changed by several threads; each change is atomic, and a late sight of one costs only a
        # request, or a state that leaves later.
        self._open_groups: set[str] = set()
        self._has_asked = self._was_answered = False
        self._is_done = False
        if self._gate is not None and isinstance(self.partition_router, ParentSlices):
            # else the CDK emits none before the very first slice is closed, which may be a hole
            parents = self.partition_router.get_stream_state()
            self.cursor._parent_state = parents  # type: ignore[union-attr]
        if self.details is not None and isinstance(self.partition_router, ParentSlices):
            self.partition_router.progress.keep_complete()

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse slices that do not carry what the retriever reads in them.

        Raises:
            ValueError: naming what is missing.
        """
        named = ("values_in_slice", "group_in_slice", "group_named_by")
        paths = [node[name] for name in named if node.get(name)]
        names = [path.split(".")[0] for path in paths]
        if node.get("details"):
            names.append(CHANGED_SINCE)
            if not node.get("changed_field"):
                raise ValueError("changed_field is needed beside details: which calls have changed")
        require_carried(node.get("partition_router", {}), names)

    def _cursor_fields(self) -> set[str]:
        parents = self.partition_router
        at = {parents.cursor_at} if isinstance(parents, ParentSlices) else set()
        return super()._cursor_fields() | at

    def _calls(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Generator[Record | Checkpoint, None, None]:
        """The calls of one slice.

        Raises:
            AirbyteTracedException: (config_error) if the provider refused the slice's group.
        """
        extra = stream_slice.extra_fields
        if (progress := extra.get(CLOSING)) is not None:
            self._conclude(progress)
            return
        ticket = extra.get(TICKET)
        try:
            if self.details is not None and self.details.are_refused:
                return  # its ticket stays open
            yield from self._read_slice(records_schema, stream_slice)
            if ticket is not None:
                yield Checkpoint(ticket.close)
        finally:
            if ticket is not None:
                ticket.end()

    def _read_slice(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice
    ) -> Iterator[Record]:
        extra = stream_slice.extra_fields
        raise_deferred(extra)
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
            pages = self._pages(records_schema, variant, ReadingSoFar())
            for number, page in enumerate(self._told(pages)):
                status = 200 if page.response else page.response.status_code
                statuses.add(status)
                is_broken_off |= number > 0 and status not in (200, *self.closing_statuses)
                rows += [self._values_of(record) for record in page.records]
                for record in self._wanted(page.records, self._bound(stream_slice)):
                    call_id = str(record.data.get("id"))
                    if call_id not in seen:
                        seen.add(call_id)
                        if not self._is_asked_about(record.data, extra):
                            continue
                        yield record
            if value is None and _is_of_several(rows):
                self._open_groups.add(group)
        if is_broken_off or not (200 in statuses or statuses <= set(self.closing_statuses)):
            raise self._refused(str(field(self.group_named_by)(extra) or group))

    def _is_asked_about(self, call: Mapping[str, Any], extra: Mapping[str, Any]) -> bool:
        """Whether a call may have changed since its slice's group was read for its details.

        A slice is given out whole; for a stream of what there is to calls that would be a request
        for each call that its conversation ever had.
        """
        since = extra.get(CHANGED_SINCE)
        if self.details is None or since is None:
            return True
        changed = call.get(self.changed_field)
        return changed is None or times.sort_key(changed) >= since

    def _conclude(self, progress: ParentProgress) -> None:
        """Wait for all other slices, then see whether the reading as a whole was one.

        Raises:
            AirbyteTracedException: (system_error) if all requests were refused, each with an answer
                that closes its slice.
        """
        while not progress.wait_until_idle(1.0):
            if self._budget.stopped.is_set():
                return
        self._is_done = progress.is_proved()
        if self._is_done and self._has_asked and not self._was_answered:
            raise self._failure_of_all()

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

    def _failure_of_all(self) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=f"Not one request for {self.name} was answered well; all were refused, and"
            " skipped for it (the warnings say why). No state was moved. Check what the key of this"
            " connector may read, then run the sync again.",
            internal_message=f"stream {self.name}: every request was skipped",
            failure_type=FailureType.system_error,
        )

    def _leaving(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The state that may leave: none of this sync before a request was answered well."""
        if not isinstance(self.partition_router, ParentSlices) or self._gate is None:
            return state
        superseded = self._gate.handed_in.get(SUPERSEDED)
        handed_in = self._gate.handed_in if superseded is None else superseded
        if self._has_asked and not self._was_answered:
            return handed_in if holds_something(handed_in) else None
        if superseded is not None and not self._is_done:
            return handed_in
        return {
            **state,
            "parent_state": self.partition_router.proved_state(),
            "scope": scope_of(self.config, self.scope),
        }

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
