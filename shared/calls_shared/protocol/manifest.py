"""Finding a connector's manifest."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from airbyte_cdk.utils.yaml_loader import safe_load_yaml


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
