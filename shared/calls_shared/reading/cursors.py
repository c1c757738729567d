"""The cursors that a manifest names, by stream."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from airbyte_cdk.sources.declarative.interpolation import InterpolatedBoolean


@dataclass(frozen=True)
class StreamCursor:
    """The cursor field of a stream, and those of the parents whose state is kept with its own."""

    field: str
    parents: Mapping[str, str] = dataclass_field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """All field names that hold a cursor value in the stream's state."""
        return frozenset({self.field, *self.parents.values()})


def stream_cursors(
    manifest: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, StreamCursor]:
    """The cursors of a manifest's incremental streams, by stream name.

    Args:
        manifest: it has its references and parameters in their places.
        config: decides which of the streams that depend on it there are.
    """
    cursors = {}
    for stream in streams_of(manifest, config):
        if "incremental_sync" in stream:
            router = stream["retriever"].get("partition_router", {})
            router = router.get("substream", router)
            parents = [
                parent["stream"]
                for parent in router.get("parent_stream_configs", [])
                if parent.get("incremental_dependency")
            ]
            cursors[stream["name"]] = StreamCursor(
                stream["incremental_sync"]["cursor_field"],
                {parent["name"]: parent["incremental_sync"]["cursor_field"] for parent in parents},
            )
    return cursors


def streams_of(
    manifest: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """The streams that a manifest has for a configuration."""
    for entry in manifest["streams"]:
        if "streams" not in entry:
            yield entry
        elif InterpolatedBoolean(condition=entry["condition"], parameters={}).eval(config=config):
            yield from entry["streams"]
