"""What the source class reads from a manifest beside what the CDK reads: cursors."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from types import ModuleType
from typing import Any

from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
    ManifestReferenceResolver,
)
from airbyte_cdk.utils.yaml_loader import safe_load_yaml


@dataclass(frozen=True)
class StreamCursor:
    """The cursor field of a stream, and those of the parents whose state is kept with its own."""

    field: str
    parents: Mapping[str, str] = dataclass_field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """All field names that hold a cursor value in the stream's state."""
        return frozenset({self.field, *self.parents.values()})


def manifest_of(module: ModuleType) -> Mapping[str, Any]:
    """The `manifest.yaml` from inside the module's package (wheel), else from beside it (checkout).

    Raises:
        FileNotFoundError: if there is none.
    """
    package = Path(module.__file__ or "").parent
    for folder in (package, package.parent):
        if (file := folder / "manifest.yaml").is_file():
            manifest: Mapping[str, Any] = safe_load_yaml(file.read_text(encoding="utf-8"))
            return manifest
    raise FileNotFoundError(f"no manifest.yaml in or beside the package {package.name}")


def stream_cursors(manifest: Mapping[str, Any]) -> dict[str, StreamCursor]:
    """The cursors of a manifest's incremental streams, by stream name."""
    resolved = ManifestReferenceResolver().preprocess_manifest(dict(manifest))
    cursors = {}
    for entry in resolved["streams"]:
        for stream in entry.get("streams", [entry]):
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
                    {
                        parent["name"]: parent["incremental_sync"]["cursor_field"]
                        for parent in parents
                    },
                )
    return cursors
