"""`RowNormalization`: a provider's record becomes a row of a stream beside `calls`."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.keys import Keys
from calls_shared.normalization.converters import UNREADABLE
from calls_shared.normalization.mapping import SOURCE, MappingError, compile_column
from calls_shared.normalization.row_columns import columns_of
from calls_shared.quoting import quoted
from calls_shared.report import SyncReport, report_of

_UNREADABLE = "{count} values could not be read into the column %s of %s; it is null there."


class RowMapping:
    """The mapping of a stream's columns, compiled once.

    Args:
        shape: the stream, a name in `row_columns.ROW_COLUMNS`.
        columns: by column its source (the module `mapping` describes the sources).
        report: counts what could not be read.

    Raises:
        ValueError: (`MappingError`) on a mapping that cannot be compiled.
    """

    def __init__(
        self, shape: str, columns: Mapping[str, Mapping[str, Any]], report: SyncReport
    ) -> None:
        kinds = {column.name: column.kind for column in columns_of(shape)}
        if unknown := columns.keys() - kinds.keys():
            raise MappingError(f"column {sorted(unknown)[0]} is not a column of {shape}")
        self._report = report
        self._shape = shape
        self._reads = [
            # under a name of its own: a `status` here is the provider's word, and is not translated
            (name, compile_column(f"{shape}.{name}", kind, columns[name]))
            for name, kind in kinds.items()
            if name in columns
        ]

    def row(self, record: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that say something, of a record and what it is a part of."""
        row = {}
        for name, read in self._reads:
            value = read(record, extra)
            if value is UNREADABLE:
                self._report.note(_UNREADABLE % (name, self._shape))
            elif value is not None:
                row[name] = value
        return row


@dataclass
class RowNormalization(RecordTransformation):
    """Transformation of a record, in place, into the columns of a stream beside `calls`.

    Attributes:
        shape: which stream: `users`, `call_dispositions` or another one beside `calls`.
        provider: the value of the column `provider`.
        columns: the mapping, one source a column.
        config: handed over by the CDK; the source's report counts what could not be read.

    Raises:
        AirbyteTracedException: (system_error) on a record without a column that is never null.
        MappingError: on a mapping that cannot be compiled.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"columns": Keys(each=SOURCE)}

    shape: str
    provider: str
    columns: Mapping[str, Mapping[str, Any]]
    config: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def __post_init__(self) -> None:
        self._report = report_of(self.config)  # held, so that it stays the one of the others
        self._mapping = RowMapping(self.shape, self.columns, self._report)
        given = {"provider", *self.columns}
        self._required = [c.name for c in columns_of(self.shape) if c.required]
        if missing := [name for name in self._required if name not in given]:
            raise MappingError(f"column {missing[0]} is never null, and has no source")

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Put the columns in the place of the provider's fields; no null column is added."""
        extra = stream_slice.extra_fields if stream_slice is not None else {}
        row = {"provider": self.provider, **self._mapping.row(record, extra)}
        for name in self._required:
            if name not in row:
                raise AirbyteTracedException(
                    message=f"A record of {self.shape} from {self.provider} has no {name}, so it"
                    " could not be kept; the stream stops here. Ask the provider why it lists one"
                    " without it.",
                    internal_message=quoted(f"fields of the record: {sorted(record)[:40]}"),
                    failure_type=FailureType.system_error,
                )
        record.clear()
        record.update(row)

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse a mapping that cannot be compiled.

        Raises:
            MappingError: saying what is wrong.
            TypeError: if something is missing.
        """
        cls(**node)
