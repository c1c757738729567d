"""`CallNormalization`: a provider's record becomes one call in the shared columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import partial
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import converters
from calls_shared.budget import budget_of
from calls_shared.columns import COLUMNS
from calls_shared.converters import UNREADABLE, text
from calls_shared.envelope import quoted
from calls_shared.mapping import Convert, MappingError, Read, compile_column, field, plain_field
from calls_shared.people import People
from calls_shared.words import ANSWERED

_UNANSWERED = frozenset({"no-answer", "busy", "failed", "canceled"})
_FALLBACK_TIMES = ("started_at", "answered_at", "ended_at", "deleted_at", "updated_at")


@dataclass
class CallNormalization(RecordTransformation):
    """Transformation of a record into the columns of `calls_shared.columns.COLUMNS`, in place.

    The record holds one field before, `provider_record` (see `PageRecords.under`).

    Attributes:
        provider: the value of the column `provider`.
        columns: the mapping, one source a column (`calls_shared.mapping` describes the sources).
        parties: who the numbers belong to: `{external: source, internal: source}` (the direction
            then says who called), or `{from: source, to: source}` (it says who is outside).
        people: who of the company was on the call (`calls_shared.people` describes it).
        states_answers: whether the provider states when calls were answered, so that one that has
            ended without an answer time was not answered.
        waits_from: the column with the moment from which a caller waits.
        config: handed over by the CDK; the source's report counts what could not be read.

    Raises:
        AirbyteTracedException: (system_error) on a record without an id; it could not be kept.
        MappingError: on a mapping that cannot be compiled.
    """

    provider: str
    columns: Mapping[str, Mapping[str, Any]]
    parties: Mapping[str, Mapping[str, Any]] = dataclass_field(default_factory=dict)
    people: Mapping[str, Any] = dataclass_field(default_factory=dict)
    states_answers: bool = False
    waits_from: str = "started_at"
    config: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {column.name: column.kind for column in COLUMNS}
        if unknown := set(self.columns) - set(kinds):
            raise MappingError(f"column {sorted(unknown)[0]} is not a column of the stream calls")
        computed = {name for name, source in self.columns.items() if "computed" in source}
        if computed - {"duration_seconds"}:
            raise MappingError(f"column {sorted(computed)[0]} cannot be computed")
        self._computes_duration = "duration_seconds" in computed
        self._people = People.of(self.people) if self.people else None
        self._budget = budget_of(self.config)  # held, so that it stays the one of the others
        self._texts: list[tuple[str, str]] = []
        self._fields: list[tuple[str, str, Convert]] = []
        self._reads: list[tuple[str, Read]] = []
        for name in [name for name in kinds if self.columns.get(name, {}).keys() - {"computed"}]:
            unknown_word = partial(self._unknown_word, name)
            read = compile_column(name, kinds[name], self.columns[name], unknown_word)
            plain = plain_field(name, kinds[name], self.columns[name], unknown_word)
            if plain is not None and plain[1] is text:
                self._texts.append((name, plain[0]))
            elif plain is not None:
                self._fields.append((name, *plain))
            else:
                self._reads.append((name, read))
        self._reads += self._compile_parties()

    def _unknown_word(self, column: str, word: str) -> None:
        self._budget.report.unknown_word(column, quoted(word))

    def _compile_parties(self) -> list[tuple[str, Read]]:
        if set(self.parties) not in ({"external", "internal"}, {"from", "to"}, {"external"}, set()):
            raise MappingError("parties must name external and internal, or from and to")
        return [(f"{side}_number", _party(side, source)) for side, source in self.parties.items()]

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Add the columns to `record`, which holds `provider_record`; no null column is added."""
        original = record["provider_record"]
        extra = stream_slice.extra_fields if stream_slice is not None else {}
        record["provider"] = self.provider
        unreadable: list[str] = []
        get = original.get
        for name, path in self._texts:
            value = get(path)
            if value.__class__ is not str and value is not None:
                value = text(value)
            if value is UNREADABLE:
                unreadable.append(name)
            elif value:
                record[name] = value
        for name, path, convert in self._fields:
            value = get(path)
            if value is None:
                continue
            value = convert(value)
            if value is UNREADABLE:
                unreadable.append(name)
            elif value is not None:
                record[name] = value
        for name, read in self._reads:
            value = read(original, extra)
            if value is UNREADABLE:
                unreadable.append(name)
            elif value is not None:
                record[name] = value
        for name in unreadable:
            self._budget.report.unreadable(name)
        if "id" not in record:
            raise AirbyteTracedException(
                message=f"A call from {self.provider} has no id, so it could not be kept; the sync"
                " stops here. Ask the provider why it lists a call without an id.",
                internal_message=quoted(f"fields of the record: {sorted(original)[:40]}"),
                failure_type=FailureType.system_error,
            )
        self._complete(record, unreadable)
        if self._people is not None:
            self._people.complete(record, original, extra)

    def _complete(self, call: dict[str, Any], unreadable: list[str]) -> None:
        started, ended = call.get("started_at"), call.get("ended_at")
        waited_from = call.get(self.waits_from)  # as it is stated, before anything stands in for it
        created = call.get("created_at")
        if created is None:
            created = converters.earliest([call[name] for name in _FALLBACK_TIMES if name in call])
        if created is not None:
            call["created_at"] = created
            if "updated_at" not in unreadable and "created_at" not in unreadable:
                call.setdefault("updated_at", created)  # else the change may be of any time
            call.setdefault("occurred_at", started or created)
        answered = self._whether_answered(call, unreadable)
        self._complete_status(call, answered, unreadable)
        if answered is not None:
            call["answered"] = answered
            until = call.get("answered_at") if answered else ended
            _put_seconds(call, "wait_seconds", waited_from, until)
        if "duration_seconds" in call:
            call["duration_source"] = "provider"
        elif self._computes_duration and "duration_seconds" not in unreadable:
            _put_seconds(call, "duration_seconds", started, ended)
            if "duration_seconds" in call:
                call["duration_source"] = "computed"
        if "talk_seconds" not in call and "talk_seconds" not in unreadable:
            _put_seconds(call, "talk_seconds", call.get("answered_at"), ended)
        if "direction" in call:
            _complete_parties(call)

    def _whether_answered(self, call: Mapping[str, Any], unreadable: list[str]) -> bool | None:
        """By the answer time, by the provider's own flag or word, or because it ended without."""
        status = call.get("status")
        if "answered_at" in call or "answered" in call:
            return bool(call.get("answered", True))
        if status in (ANSWERED, "in-progress"):
            return True
        if "answered_at" in unreadable or status == "forwarded":
            return None  # what became of it at its target, no record tells
        has_ended = "ended_at" in call or "ended_at" in unreadable or status == "completed"
        return False if status in _UNANSWERED or (self.states_answers and has_ended) else None

    def _complete_status(
        self, call: dict[str, Any], answered: bool | None, unreadable: list[str]
    ) -> None:
        status = call.get("status")
        if status == ANSWERED:
            has_ended = "ended_at" in call or "ended_at" in unreadable
            call["status"] = "completed" if has_ended else "in-progress"
        elif status == "completed" and answered is False:
            call["status"] = "no-answer"


def _put_seconds(call: dict[str, Any], name: str, start: str | None, end: str | None) -> None:
    if start is not None and end is not None:
        seconds = converters.seconds_between(start, end)
        if seconds is not None:
            call[name] = seconds


_PARTIES = {
    "inbound": (("from_number", "external_number"), ("to_number", "internal_number")),
    "outbound": (("from_number", "internal_number"), ("to_number", "external_number")),
}


def _complete_parties(call: dict[str, Any]) -> None:
    """Fill in the other two of the four number columns, as far as the direction tells."""
    for side, party in _PARTIES[call["direction"]]:
        number = call.get(party)
        if number is not None:
            call.setdefault(side, number)
        elif side in call:
            call[party] = call[side]


def _party(side: str, source: Mapping[str, Any]) -> Read:
    """A number; `{other_of: path, than_slice: path}` is the list item that is not our own.

    `else_in_slice: path` is a list of the parent that is read where the record's own is empty.
    """
    if "other_of" not in source:
        return compile_column(f"{side}_number", "string", source)
    if not {"other_of", "than_slice"} <= set(source) <= {"other_of", "than_slice", "else_in_slice"}:
        raise MappingError(f"parties {side}: it has other_of, than_slice and else_in_slice only")
    parties: Callable[[Mapping[str, Any]], Any] = field(source["other_of"])
    own = field(source["than_slice"])
    known = field(source["else_in_slice"]) if "else_in_slice" in source else None

    def read(record: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        numbers = parties(record)
        if not numbers and known is not None and isinstance(found := known(extra), list):
            numbers = found
        if not isinstance(numbers, list):
            return None if numbers is None else UNREADABLE
        others = [number for number in numbers if number != own(extra)]
        return converters.text(others[0]) if others else None

    return read
