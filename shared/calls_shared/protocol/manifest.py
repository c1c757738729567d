"""Finding and reading a connector's manifest."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException


class ManifestError(AirbyteTracedException):
    """A manifest that nobody would understand as it was meant (system_error)."""

    @classmethod
    def about(cls, problem: str) -> "ManifestError":
        """The error with its one sentence."""
        return cls(
            message=f"The manifest of this connector cannot be used: {problem}. Correct"
            " manifest.yaml, or install another version of the connector.",
            internal_message=problem,
            failure_type=FailureType.system_error,
        )


class _Loader(yaml.SafeLoader):
    """YAML in which no key stands twice; else the last one would count, without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping."""
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                line = node.start_mark.line + 1
                raise ManifestError.about(f"{name} stands twice below line {line}")
        return super().construct_mapping(node, deep)


def manifest_of(module: ModuleType) -> Mapping[str, Any]:
    """The `manifest.yaml` in the module's package.

    Raises:
        ManifestError: if there is none, or it is not a mapping in YAML.
    """
    package = Path(module.__file__ or "").parent
    try:
        text = (package / "manifest.yaml").read_text(encoding="utf-8")
        manifest = yaml.load(text, Loader=_Loader)
    except FileNotFoundError:
        raise ManifestError.about(f"no manifest.yaml in the package {package.name}") from None
    except UnicodeDecodeError:
        raise ManifestError.about("manifest.yaml is not in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        place = "" if error.problem_mark is None else f" in line {error.problem_mark.line + 1}"
        raise ManifestError.about(f"it is not valid YAML{place}") from None
    except yaml.YAMLError:
        raise ManifestError.about("it is not valid YAML") from None
    if not isinstance(manifest, dict):
        raise ManifestError.about("it is no mapping")
    return manifest
