"""`CallNormalization`: a provider's record becomes one call in the shared columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import partial
from typing import Any, ClassVar

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.keys import Keys, exactly
from calls_shared.normalization.columns import COLUMNS
from calls_shared.normalization.completion import Completion
from calls_shared.normalization.converters import UNREADABLE, text
from calls_shared.normalization.mapping import (
    COMPUTED,
    SOURCE,
    MappingError,
    compile_column,
    plain_field,
)
from calls_shared.normalization.parties import PARTIES, compile_parties
from calls_shared.normalization.people import PEOPLE, People
from calls_shared.normalization.sources import Convert, Read
from calls_shared.paths import field
from calls_shared.quoting import quoted
from calls_shared.report import report_of


@dataclass
class CallNormalization(RecordTransformation):
    """Transformation of a record, in place, into the columns that `columns.COLUMNS` lists.

    The record holds one field before, `provider_record` (see `PageRecords.under`).

    Attributes:
        provider: the value of the column `provider`.
        columns: the mapping, one source a column (the module `mapping` describes the sources).
        parties: who the numbers belong to: `{external: source, internal: source}` (the direction
            then says who called), or `{from: source, to: source}` (it says who is outside).
        people: who of the company was on the call (the module `people` describes it).
        states_answers: whether the provider states when calls were answered, so that one that has
            ended without an answer time was not answered.
        waits_from: the column with the moment from which a caller waits.
        line_of: where a slice knows all of the company's lines, `{in_slice: path, at: path}`: the
            table of them, and the record's field that names one; its columns that are read from the
            slice are read from that line.
        config: handed over by the CDK; the source's report counts what could not be read.

    Raises:
        AirbyteTracedException: (system_error) on a record without an id; it could not be kept.
        MappingError: on a mapping that cannot be compiled.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {
        "columns": Keys(frozenset(column.name for column in COLUMNS), each=SOURCE),
        "parties": PARTIES,
        "people": PEOPLE,
        "line_of": exactly(("in_slice", "at")),
    }

    provider: str
    columns: Mapping[str, Mapping[str, Any]]
    parties: Mapping[str, Mapping[str, Any]] = dataclass_field(default_factory=dict)
    people: Mapping[str, Any] = dataclass_field(default_factory=dict)
    states_answers: bool = False
    waits_from: str = "started_at"
    line_of: Mapping[str, str] = dataclass_field(default_factory=dict)
    config: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {column.name: column.kind for column in COLUMNS}
        if unknown := set(self.columns) - set(kinds):
            raise MappingError(f"column {sorted(unknown)[0]} is not a column of the stream calls")
        computed = {name for name, source in self.columns.items() if "computed" in source}
        if computed - {"duration_seconds"}:
            raise MappingError(f"column {sorted(computed)[0]} cannot be computed")
        if any(self.columns[name]["computed"] != COMPUTED for name in computed):
            raise MappingError(f"column duration_seconds: it is computed as {COMPUTED} only")
        self._completion = Completion(
            self.states_answers, self.waits_from, "duration_seconds" in computed
        )
        self._people = People.of(self.people) if self.people else None
        self._lines = field(self.line_of["in_slice"]) if self.line_of else None
        self._line_at = field(self.line_of["at"]) if self.line_of else None
        self._report = report_of(self.config)  # held, so that it stays the one of the others
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
        self._reads += compile_parties(self.parties)

    def _unknown_word(self, column: str, word: str) -> None:
        self._report.unknown_word(column, quoted(word))

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
        if self._lines is not None and self._line_at is not None:
            lines = self._lines(extra)
            line = text(self._line_at(original))
            known = lines.get(line) if isinstance(lines, Mapping) else None
            extra = known if isinstance(known, Mapping) else {}
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
            self._report.unreadable(name)
        if "id" not in record:
            raise AirbyteTracedException(
                message=f"A call from {self.provider} has no id, so it could not be kept; the sync"
                " stops here. Ask the provider why it lists a call without an id.",
                internal_message=quoted(f"fields of the record: {sorted(original)[:40]}"),
                failure_type=FailureType.system_error,
            )
        self._completion.complete(record, unreadable)
        if self._people is not None:
            for name in self._people.complete(record, original, extra):
                self._report.unreadable(name)

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse a mapping that cannot be compiled.

        Raises:
            MappingError: saying what is wrong.
            TypeError: if something is missing.
        """
        cls(**node)
