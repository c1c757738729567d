"""What of a connector's folder is registered: its definition, and its stream `calls`."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from airbyte_cdk.models import AirbyteStream, ConnectorSpecificationSerializer

from integration_tests.connectors import ConnectorFolder

JSON = Mapping[str, Any]
STREAM = "calls"
_REQUEST = "256Mi"


def resources(memory_limit: str) -> JSON:
    """What each pod of a definition may have; `docs/scale.md` says what a sync needs."""
    # Kubernetes refuses a pod that asks for more than its limit
    default = {
        "cpu_request": "250m",
        "cpu_limit": "1",
        "memory_request": min(_REQUEST, memory_limit, key=_mebibytes),
        "memory_limit": memory_limit,
    }
    return {"default": default}


def _mebibytes(size: str) -> int:
    return int(size[:-2]) * {"Mi": 1, "Gi": 1024}[size[-2:]]


@dataclass(frozen=True)
class Definition:
    """A source definition as it shall be."""

    name: str
    repository: str
    tag: str
    documentation_url: str
    icon: str
    specification: JSON
    resources: JSON

    @property
    def image(self) -> str:
        """The whole name of the image."""
        return f"{self.repository}:{self.tag}"


def definition_of(
    connector: ConnectorFolder, repository: str, tag: str, memory_limit: str
) -> Definition:
    """A connector's definition.

    Args:
        connector: its folder.
        repository: the first part of the images' names.
        tag: of the image.
        memory_limit: of each pod.
    """
    metadata: JSON = yaml.safe_load(
        (connector.folder / "metadata.yaml").read_text(encoding="utf-8")
    )["data"]
    return Definition(
        name=metadata["name"],
        repository=f"{repository}/{connector.name}",
        tag=tag,
        documentation_url=metadata["documentationUrl"],
        icon=(connector.folder / "icon.svg").read_text(encoding="utf-8"),
        specification=specification_of(connector),
        resources=resources(memory_limit),
    )


def specification_of(connector: ConnectorFolder) -> JSON:
    """What the connector's command `spec` says."""
    source = connector.source_class()()
    said = source.spec(logging.getLogger(__name__))
    # through JSON, as the command's output is
    found: JSON = json.loads(json.dumps(ConnectorSpecificationSerializer.dump(said)))
    return found


def stream_configuration(connector: ConnectorFolder, configuration: JSON) -> JSON:
    """The stream `calls`, incremental and deduplicated, with the key and cursor of its catalog."""
    catalog = connector.source_class()().discover(logging.getLogger(__name__), configuration)
    stream: AirbyteStream = next(one for one in catalog.streams if one.name == STREAM)
    return {
        "name": STREAM,
        "syncMode": "incremental_deduped_history",
        "cursorField": stream.default_cursor_field,
        "primaryKey": stream.source_defined_primary_key,
    }
