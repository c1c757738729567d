"""The connectors of the checkout: the one place that knows them is their folders.

A folder `source-<provider>-calls` at the root or in `examples/` is a connector.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
_NAME = re.compile(r"source-([a-z0-9]+)-calls")


@dataclass(frozen=True)
class ConnectorFolder:
    """A connector's folder, and what its name tells."""

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
    def manifest(self) -> Path:
        """The file of the manifest."""
        return self.folder / self.package / "manifest.yaml"

    def manifest_as_written(self) -> dict[str, Any]:
        """The content of the manifest, its references as they stand."""
        found: dict[str, Any] = yaml.safe_load(self.manifest.read_text(encoding="utf-8"))
        return found


def connectors_in(root: Path) -> Mapping[str, ConnectorFolder]:
    """The connectors right below a folder, by provider, in the order of their names."""
    folders = sorted(folder for folder in root.glob("source-*-calls") if _NAME.match(folder.name))
    found = [ConnectorFolder(folder) for folder in folders]
    return {connector.provider: connector for connector in found}


CONNECTORS = connectors_in(ROOT)
"""The connectors that this project is for."""

EXAMPLES = connectors_in(ROOT / "examples")
"""Those that show how another one is made."""
