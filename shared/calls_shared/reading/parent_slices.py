"""`ParentSlices`: the CDK's router of substreams, with a ticket for each slice."""

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Any

from airbyte_cdk.sources.declarative.partition_routers.partition_router import PartitionRouter
from airbyte_cdk.sources.declarative.partition_routers.substream_partition_router import (
    SubstreamPartitionRouter,
)
from airbyte_cdk.sources.declarative.requesters.request_options import (
    DefaultRequestOptionsProvider,
)
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

from calls_shared.http.budget import budget_of
from calls_shared.normalization import times
from calls_shared.reading import deferred
from calls_shared.reading.progress import ParentProgress, keep_progress

TICKET = "ticket"
CLOSING = "closing"


def require_carried(router: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse a router of a manifest whose slices do not carry some fields of their parents.

    Raises:
        ValueError: naming the first one.
    """
    substream = router.get("substream", router)
    for parent in substream.get("parent_stream_configs", []):
        carried = {field for path in parent.get("extra_fields", []) for field in path}
        for name in names:
            if name not in carried:
                raise ValueError(f"its slices do not carry {name}: add [{name}] to extra_fields")


@dataclass(kw_only=True)
class ParentSlices(DefaultRequestOptionsProvider, PartitionRouter):
    """Router that gives each slice a ticket (`calls_shared.reading.progress.Ticket`).

    It is in the extra field `ticket`. The requester names what is sent, the router adds nothing.

    Its retriever closes the tickets (`FanOutRetriever`), and the parent's state is what they prove.

    Attributes:
        substream: the CDK's router, of one parent whose state is kept by partition
            (`incremental_dependency`).
        cursor_at: the parent's cursor field, one of the extra fields of the slices.
    """

    substream: SubstreamPartitionRouter
    cursor_at: str
    config: Config
    parameters: InitVar[Mapping[str, Any]] = None

    def __post_init__(self, parameters: Mapping[str, Any] | None) -> None:
        (parent,) = self.substream.parent_stream_configs
        self._parent_name = parent.stream.name
        manager = parent.stream.cursor._connector_state_manager  # type: ignore[attr-defined]
        state = manager.get_stream_state(self._parent_name, None)
        self.progress = ParentProgress(self.cursor_at, state)
        self._budget = budget_of(self.config)
        keep_progress(self._budget, parent.stream.cursor, self.progress)

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse slices that do not carry the parent's cursor, or a failure of its listing.

        Raises:
            ValueError: naming what is missing.
        """
        require_carried(node, [node["cursor_at"], deferred.FIELD])

    def stream_slices(self) -> Iterable[StreamSlice]:
        """The substream's slices, each with its ticket, and one more that closes the reading.

        The last one asks for nothing: whoever reads it waits for all others, and concludes.
        """
        for piece in self.substream.stream_slices():
            moment = piece.extra_fields.get(self.cursor_at)
            if moment is not None:  # as the CDK writes it in a state
                moment = times.format_timestamp(datetime.fromisoformat(moment))
            ticket = self.progress.open(piece.partition["parent_slice"], moment)
            yield StreamSlice(
                partition=piece.partition,
                cursor_slice=piece.cursor_slice,
                extra_fields={**piece.extra_fields, TICKET: ticket},
            )
        self.progress.all_given_out()
        yield StreamSlice(
            partition={"closing": True}, cursor_slice={}, extra_fields={CLOSING: self.progress}
        )

    def proved_state(self) -> dict[str, Any]:
        """The parent's state by its name, as far as all slices of a partition are closed."""
        return {self._parent_name: self.progress.state()}

    def get_stream_state(self) -> Mapping[str, StreamState] | None:
        """Always the same for the CDK, which would keep a copy of each; see `proved_state`."""
        return {self._parent_name: {}}
