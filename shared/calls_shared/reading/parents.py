"""Small components for parent streams: what a child needs, and which parents it can ask for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar

from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

from calls_shared.http.budget import budget_of
from calls_shared.keys import FREE, Keys
from calls_shared.normalization.converters import UNREADABLE
from calls_shared.normalization.mapping import compile_column
from calls_shared.paths import field


@dataclass
class ParentFields(RecordTransformation):
    """Transformation that leaves in a parent record what its children need, and adds the rest.

    Attributes:
        keep: the fields of the record that stay; null for all.
        latest: `{new field: [path, ...]}`: the last of several timestamps, left out if there is
            none, or one that cannot be read (it might be the last).
        from_slice: names of extra fields of the slice (of the grandparent) to carry along.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"latest": FREE}

    keep: list[str] | None = None
    latest: Mapping[str, list[str]] = dataclass_field(default_factory=dict)
    from_slice: list[str] = dataclass_field(default_factory=list)

    def __post_init__(self) -> None:
        self._latest = [
            (name, compile_column(name, "timestamp", {"latest": paths}))
            for name, paths in self.latest.items()
        ]

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse fields that cannot be read.

        Raises:
            MappingError: saying what is wrong.
        """
        cls(**node)

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the fields in place."""
        extra = stream_slice.extra_fields if stream_slice is not None else {}
        names = record if self.keep is None else self.keep
        needed = {name: record[name] for name in names if name in record}
        for name, read in self._latest:
            moment = read(record, extra)
            needed.pop(name, None)
            if moment is not None and moment is not UNREADABLE:
                needed[name] = moment
        needed.update((name, extra.get(name)) for name in self.from_slice)
        record.clear()
        record.update(needed)


@dataclass
class OneItemMatches(RecordFilter):
    """Filter that keeps records whose list holds exactly one item, a text that matches a pattern.

    Attributes:
        items_at: path of the list.
        pattern: regular expression that the whole item must match.
        skipped: the sentence for the end of the sync; `{count}` becomes the number left out.
    """

    items_at: str = ""
    pattern: str = ""
    skipped: str = ""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._items = field(self.items_at)
        self._pattern = re.compile(self.pattern)
        self._budget = budget_of(self.config)

    def filter_records(
        self,
        records: Iterable[Mapping[str, Any]],
        stream_state: StreamState,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Iterable[Mapping[str, Any]]:
        """The records whose one item matches."""
        for record in records:
            items = self._items(record)
            if (
                isinstance(items, list)
                and len(items) == 1
                and isinstance(items[0], str)
                and self._pattern.fullmatch(items[0])
            ):
                yield record
            else:
                self._budget.report.note(self.skipped)


@dataclass
class ForgetGlobalCursor(StateMigration):
    """State migration of a partitioned parent: an unknown partition starts from scratch.

    The CDK would start it at the newest cursor of all others, so that a phone number which appears
    later would lose its history.
    """

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Whether there is a global cursor beside the partitions' own."""
        return "states" in stream_state and "state" in stream_state

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """The state without the global cursor."""
        forgotten = ("state", "lookback_window")
        return {key: value for key, value in stream_state.items() if key not in forgotten}
