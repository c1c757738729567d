"""The Config API: source definitions, and a connection with the catalog that it syncs."""

from collections.abc import Mapping
from typing import Any

from integration_tests.airbyte_platform import schemas
from integration_tests.airbyte_platform.refusals import known, problem
from integration_tests.airbyte_platform.workspace import (
    JSON,
    ORGANIZATION_ID,
    WORKSPACE_ID,
    Workspace,
    connector_of,
    new_id,
    streams_of,
)


def list_for_workspace(workspace: Workspace, body: JSON) -> JSON:
    """The definitions that the workspace may use; this list has no pages."""
    schemas.check(body, schemas.WORKSPACE)
    _check_workspace(body["workspaceId"])
    return {"sourceDefinitions": [_read(one) for one in workspace.definitions.values()]}


def create_custom(workspace: Workspace, body: JSON) -> JSON:
    """A custom definition; without a specification the image is run."""
    schemas.check(body, schemas.CREATE_CUSTOM)
    if "workspaceId" not in body and body.get("scopeType") != "workspace":
        raise problem(422, "unprocessable-entity", "Cannot determine workspace ID")
    _check_workspace(body.get("workspaceId") or body["scopeId"])
    given = body["sourceDefinition"]
    image = f"{given['dockerRepository']}:{given['dockerImageTag']}"
    specification = given.get("connectorSpecification")
    if specification is None or workspace.pods_without_spec:
        specification = workspace.specification_from_image(image)
    identifier = new_id()
    kept = ("name", "dockerRepository", "dockerImageTag", "documentationUrl")
    workspace.definitions[identifier] = {
        **{key: given[key] for key in kept},
        "sourceDefinitionId": identifier,
        "custom": True,
        "resourceRequirements": _with_all_keys(given.get("resourceRequirements")),
    }
    workspace.specifications[image] = specification
    workspace.icons[identifier] = given.get("icon", "")
    return _read(workspace.definitions[identifier])


def update(workspace: Workspace, body: JSON) -> JSON:
    """Another tag; of one that was never seen the image is run."""
    schemas.check(body, schemas.UPDATE)
    definition = workspace.definitions.get(body["sourceDefinitionId"])
    if definition is None:
        raise known(404, f"Could not find configuration for {body['sourceDefinitionId']}.")
    _check_workspace(body["workspaceId"])
    image = f"{definition['dockerRepository']}:{body['dockerImageTag']}"
    if image not in workspace.specifications:
        workspace.specifications[image] = workspace.specification_from_image(image)
    definition["dockerImageTag"] = body["dockerImageTag"]
    if "name" in body:
        definition["name"] = body["name"]
    if "resourceRequirements" in body:
        definition["resourceRequirements"] = _with_all_keys(body["resourceRequirements"])
    return _read(definition)


def delete(workspace: Workspace, body: JSON) -> None:
    """Delete a definition, its sources, and their connections."""
    schemas.check(body, schemas.DELETE)
    identifier = body["sourceDefinitionId"]
    if identifier not in workspace.definitions:
        raise known(404, f"Could not find configuration for {identifier}.")
    del workspace.definitions[identifier]
    sources = [k for k, one in workspace.sources.items() if one["definitionId"] == identifier]
    for source_id in sources:
        del workspace.sources[source_id]
    for key, one in list(workspace.connections.items()):
        if one["sourceId"] in sources:
            del workspace.connections[key]


def workspace(_: Workspace, body: JSON) -> JSON:
    """The workspace, with the organization that it is in."""
    schemas.check(body, schemas.WORKSPACE)
    _check_workspace(body["workspaceId"])
    return {"workspaceId": WORKSPACE_ID, "name": "Calls", "organizationId": ORGANIZATION_ID}


def get_for_scope(workspace: Workspace, body: JSON) -> JSON:
    """A definition, if the scope may use it: an organization has none of its workspaces'."""
    schemas.check(body, schemas.DEFINITION_WITH_SCOPE)
    identifier, scope = body["actorDefinitionId"], body["scopeType"]
    found = workspace.definitions.get(identifier)
    granted = found is not None and (
        not found["custom"] or scope == "workspace" or identifier in workspace.of_organization
    )
    if found is None or not granted:
        raise known(404, f"Cannot find the requested definition with given id for this {scope}")
    return _read(found)


def connection(workspace: Workspace, body: JSON) -> JSON:
    """A connection as `ConnectionRead`; its catalog holds the streams that were selected."""
    schemas.check(body, schemas.CONNECTION_ID)
    found = workspace.connections.get(body["connectionId"])
    if found is None:
        raise known(404, f"Could not find configuration for {body['connectionId']}.")
    definition = workspace.definitions[workspace.sources[found["sourceId"]]["definitionId"]]
    connector = connector_of(f"{definition['dockerRepository']}:{definition['dockerImageTag']}")
    assert connector is not None
    discovered = {stream["name"]: stream for stream in streams_of(connector.provider)}
    kept = ("connectionId", "name", "sourceId", "destinationId", "status", "prefix")
    return {
        **{key: found[key] for key in kept},
        "namespaceDefinition": found["namespaceDefinition"].replace("_", ""),
        "namespaceFormat": found["namespaceFormat"],
        "scheduleType": found["schedule"]["scheduleType"],
        "breakingChange": False,
        "syncCatalog": {
            "streams": [
                _configured_stream(discovered[one["name"]], one)
                for one in found["configurations"]["streams"]
            ]
        },
    }


def _configured_stream(discovered: JSON, selected: JSON) -> JSON:
    source_mode, _, destination_mode = selected["syncMode"].rpartition("_")
    is_deduped = selected["syncMode"] == "incremental_deduped_history"
    return {
        "stream": {
            "name": discovered["name"],
            "jsonSchema": discovered["json_schema"],
            "supportedSyncModes": discovered["supported_sync_modes"],
        },
        "config": {
            "syncMode": "incremental" if is_deduped else source_mode,
            "destinationSyncMode": "append_dedup" if is_deduped else destination_mode,
            "aliasName": discovered["name"],
            "selected": True,
        },
    }


def _check_workspace(identifier: str) -> None:
    if identifier != WORKSPACE_ID:
        raise known(404, f"Could not find configuration for STANDARD_WORKSPACE: {identifier}.")


def _read(definition: Mapping[str, Any]) -> JSON:
    """A definition as answers show it."""
    return {**definition, "releaseStage": "custom" if definition["custom"] else "alpha"}


def _with_all_keys(requirements: JSON | None) -> JSON | None:
    """The platform gives resources back with the keys that were left out."""
    if requirements is None:
        return None
    default = dict.fromkeys(("ephemeral_storage_request", "ephemeral_storage_limit"))
    return {"default": {**default, **requirements.get("default", {})}, "jobSpecific": []}
