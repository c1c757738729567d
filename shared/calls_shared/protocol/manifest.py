"""Finding a connector's manifest."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from airbyte_cdk.utils.yaml_loader import safe_load_yaml


def manifest_of(module: ModuleType) -> Mapping[str, Any]:
    """The `manifest.yaml` in the module's package.

    Raises:
        FileNotFoundError: if there is none.
    """
    package = Path(module.__file__ or "").parent
    try:
        text = (package / "manifest.yaml").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(f"no manifest.yaml in the package {package.name}") from None
    manifest: Mapping[str, Any] = safe_load_yaml(text)
    return manifest
