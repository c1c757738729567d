"""The connectors of the checkout: the one place that knows them is their folders.

A folder `source-<provider>-calls` at the root or in `examples/` is a connector. What its files
tell is read from them: the class of its source, its streams' cursors, its secrets, its name.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from calls_shared import CallsSource
from calls_shared.protocol.manifest_check import resolved

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"source-([a-z][a-z0-9]*)-calls")
"""Of a connector's folder; the group is the provider."""


@dataclass(frozen=True)
class ConnectorFolder:
    """A connector's folder, and what its name and its files tell."""

    folder: Path

    @property
    def name(self) -> str:
        """The name of the distribution, and of its command."""
        return self.folder.name

    @property
    def provider(self) -> str:
        """The provider, as the column `provider` has it."""
        return self.name.removeprefix("source-").removesuffix("-calls")

    @property
    def package(self) -> str:
        """The name of the import package."""
        return self.name.replace("-", "_")

    @property
    def class_name(self) -> str:
        """The name of the source class, from which Airbyte's tools find it too."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    @property
    def manifest(self) -> Path:
        """The file of the manifest."""
        return self.folder / self.package / "manifest.yaml"

    @property
    def own_sandbox(self) -> Path:
        """The file of the sandbox that plays this provider alone, if there is one."""
        return self.folder / "integration_tests" / "sandbox.py"

    @property
    def page(self) -> Path:
        """The file of the page for the user; connectors that only show something need none."""
        name = self.name.removeprefix("source-")
        return self.folder.parent / "docs" / "sources" / f"{name}.md"

    def source_class(self) -> type[CallsSource]:
        """The source class of the installed package."""
        found: type[CallsSource] = getattr(import_module(self.package), self.class_name)
        return found

    def manifest_as_written(self) -> dict[str, Any]:
        """The content of the manifest, its references as they stand."""
        found: dict[str, Any] = yaml.safe_load(self.manifest.read_text(encoding="utf-8"))
        return found

    def sample(self, name: str) -> Any:
        """The content of one of the JSON files in the folder's `integration_tests`."""
        return json.loads((self.folder / "integration_tests" / name).read_text(encoding="utf-8"))

    @cached_property
    def _resolved(self) -> Mapping[str, Any]:
        """The manifest with its references and parameters in their places."""
        return resolved(self.manifest_as_written())

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """The declarations of the settings, by their keys."""
        found: Mapping[str, Mapping[str, Any]] = self._resolved["spec"]["connection_specification"][
            "properties"
        ]
        return found

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys of the configuration that hold secrets."""
        return tuple(key for key, field in self.settings.items() if field.get("airbyte_secret"))

    @property
    def title(self) -> str:
        """The provider's name as the user reads it, with a former one in parentheses."""
        return next(str(found) for found in _values_of("provider_name", self._resolved))

    @property
    def cursor_field(self) -> str:
        """The cursor of the stream `calls`."""
        calls = next(s for s in streams_of(self._resolved) if s["name"] == "calls")
        return str(calls["incremental_sync"]["cursor_field"])


def streams_of(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The streams of a resolved manifest, those that depend on the configuration too."""
    for stream in manifest["streams"]:
        yield from streams_of(stream) if "streams" in stream else [stream]


def _values_of(key: str, node: Any) -> Iterator[Any]:
    """All values under a key, wherever it stands."""
    if isinstance(node, Mapping):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from _values_of(key, value)
    elif isinstance(node, list):
        for item in node:
            yield from _values_of(key, item)


def connectors_in(root: Path) -> Mapping[str, ConnectorFolder]:
    """The connectors right below a folder, by provider, in the order of their names."""
    folders = sorted(one for one in root.glob("source-*-calls") if NAME.fullmatch(one.name))
    found = [ConnectorFolder(folder) for folder in folders]
    return {connector.provider: connector for connector in found}


CONNECTORS = connectors_in(ROOT)
"""The connectors that this project is for."""

EXAMPLES = connectors_in(ROOT / "examples")
"""Those that show how another one is made."""

ALL = {**CONNECTORS, **EXAMPLES}
"""Both."""
