"""What there is on the fake platform, and what running an image would tell it."""

import copy
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteMessageSerializer,
    ConnectorSpecificationSerializer,
    Type,
)

from integration_tests.airbyte_platform.refusals import known, unexpected
from integration_tests.connectors import CONNECTORS, ConnectorFolder

JSON = dict[str, Any]

CLIENT_ID = "00000000-0000-4000-8000-00000000c11e"
CLIENT_SECRET = "test-client-secret-not-real"
WORKSPACE_ID = "00000000-0000-4000-8000-000000000001"
DESTINATION_ID = "00000000-0000-4000-8000-000000000002"
ORGANIZATION_ID = "00000000-0000-4000-8000-000000000003"
OTHER_WORKSPACE_ID = "00000000-0000-4000-8000-00000000000f"

FOREIGN = {
    "sourceDefinitionId": "00000000-0000-4000-8000-0000000000f1",
    "name": "Intercom",
    "dockerRepository": "airbyte/source-intercom",
    "dockerImageTag": "0.13.23",
    "documentationUrl": "https://docs.airbyte.com/integrations/sources/intercom",
    "icon": "https://connectors.airbyte.com/files/metadata/airbyte/source-intercom/latest/icon.svg",
    "custom": False,
}
"""One of the platform's own, which every workspace has."""


@dataclass
class Workspace:
    """The state of the one workspace."""

    definitions: dict[str, JSON] = field(
        default_factory=lambda: {str(FOREIGN["sourceDefinitionId"]): dict(FOREIGN)}
    )
    specifications: dict[str, JSON] = field(default_factory=dict)
    """By image."""
    of_organization: set[str] = field(default_factory=set)
    """The custom definitions that all workspaces of the organization have."""
    icons: dict[str, str] = field(default_factory=dict)
    """By definition; stored, but no answer of the platform shows the icon of a custom connector."""
    sources: dict[str, JSON] = field(default_factory=dict)
    """With their secrets, as the platform's store of secrets has them."""
    connections: dict[str, JSON] = field(default_factory=dict)
    destinations: dict[str, JSON] = field(default_factory=dict)
    jobs: dict[int, JSON] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    """What the syncs of a connection come to, by its id; "succeeded" if it is not here."""
    pods: list[str] = field(default_factory=list)
    """What was run: a command and an image each."""
    unpullable: frozenset[str] = frozenset()
    """Images that the cluster cannot have."""
    pods_without_spec: bool = False
    """An older platform: it does not know `connectorSpecification`, and runs `spec` always."""

    def snapshot(self) -> Mapping[str, Any]:
        """All that there is, but for the pods."""
        names = ("definitions", "specifications", "icons", "sources", "connections", "destinations")
        return copy.deepcopy({name: getattr(self, name) for name in names})

    def specification_from_image(self, image: str) -> JSON:
        """What a pod with the command `spec` says; the Config API's error if it cannot run."""
        self.pods.append(f"spec {image}")
        connector = connector_of(image)
        if image in self.unpullable or connector is None:
            raise known(
                500,
                f"Internal Server Error: Get Spec Job failed (imageName={image},"
                f" isCustomConnector=true, workspaceId={WORKSPACE_ID})",
            )
        return copy.deepcopy(specification_of(connector.provider))

    def catalog_from_image(self, definition: JSON) -> list[JSON]:
        """The streams that a pod with the command `discover` finds."""
        image = f"{definition['dockerRepository']}:{definition['dockerImageTag']}"
        self.pods.append(f"discover {image}")
        connector = connector_of(image)
        if image in self.unpullable or connector is None:
            raise unexpected("Something went wrong in the connector. logs:Could not pull the image")
        return copy.deepcopy(streams_of(connector.provider))


@cache
def specification_of(provider: str) -> JSON:
    """What the connector's `spec` says."""
    said = CONNECTORS[provider].source_class()().spec(logging.getLogger(__name__))
    found: JSON = json.loads(json.dumps(ConnectorSpecificationSerializer.dump(said)))
    return found


@cache
def streams_of(provider: str) -> list[JSON]:
    """What the connector's `discover` finds; that does not depend on the account."""
    connector = CONNECTORS[provider]
    source, configuration = connector.source_class()(), connector.sample("sample_config.json")
    catalog = source.discover(logging.getLogger(__name__), configuration)
    message = AirbyteMessageSerializer.dump(AirbyteMessage(type=Type.CATALOG, catalog=catalog))
    found: list[JSON] = json.loads(json.dumps(message["catalog"]["streams"]))
    return found


def connector_of(image: str) -> ConnectorFolder | None:
    """The connector in an image, by its name."""
    name = image.rpartition("/")[2].partition(":")[0]
    return next((one for one in CONNECTORS.values() if one.name == name), None)


def new_id() -> str:
    """An id for something new."""
    return str(uuid.uuid4())
