"""The public API: sources, connections and destinations."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft7Validator

from integration_tests.airbyte_platform import schemas
from integration_tests.airbyte_platform.refusals import bad_request, not_found, problem
from integration_tests.airbyte_platform.streams import check_schedule, configured, shown_schedule
from integration_tests.airbyte_platform.workspace import JSON, WORKSPACE_ID, Workspace, new_id

STARS = "**********"


def page_of(rows: list[JSON], path: str, query: Mapping[str, str]) -> JSON:
    """One page of a list; its links name the public address, wherever it was asked."""
    unknown = query.keys() - {"workspaceIds", "limit", "offset", "includeDeleted", "tagIds"}
    limit, offset = int(query.get("limit", "20")), int(query.get("offset", "0"))
    if unknown or not 1 <= limit <= 100 or offset < 0:
        raise bad_request(f"limit, offset or a parameter that there is not: {dict(query)}")
    if query.get("workspaceIds", WORKSPACE_ID) != WORKSPACE_ID:
        raise problem(403, "forbidden")
    page = rows[offset : offset + limit]
    there_is_more = len(page) == limit
    link = f"https://api.elsewhere.example{path}?limit={limit}&offset={offset + limit}"
    return {"data": page, "previous": "", "next": link if there_is_more else ""}


def shown_source(workspace: Workspace, source: JSON) -> JSON:
    """A source as answers show it: stars in place of secrets."""
    specification = _specification(workspace, source["definitionId"])
    secrets = {
        key for key, field in specification["properties"].items() if field.get("airbyte_secret")
    }
    configuration = {
        key: STARS if key in secrets else value for key, value in source["configuration"].items()
    }
    return {**source, "configuration": configuration, "sourceType": "custom", "createdAt": 1}


def create_source(workspace: Workspace, body: JSON) -> JSON:
    """A source; its configuration is checked against the specification, not with the provider."""
    schemas.check(body, schemas.SOURCE_CREATE)
    if body["workspaceId"] != WORKSPACE_ID:
        raise problem(403, "forbidden")
    if "definitionId" not in body:
        raise problem(422, "unprocessable-entity", "definitionId or sourceType must be provided.")
    _check_configuration(workspace, body["definitionId"], body["configuration"])
    identifier = new_id()
    workspace.sources[identifier] = {**body, "sourceId": identifier}
    return shown_source(workspace, workspace.sources[identifier])


def put_source(workspace: Workspace, identifier: str, body: JSON) -> JSON:
    """Another name and configuration, as a whole."""
    schemas.check(body, schemas.SOURCE_PUT)
    source = workspace.sources.get(identifier)
    if source is None:
        raise not_found(identifier)
    _check_configuration(workspace, source["definitionId"], body["configuration"])
    source.update(body)
    return shown_source(workspace, source)


def create_connection(workspace: Workspace, body: JSON) -> JSON:
    """A connection; its streams are those that `discover` finds."""
    schemas.check(body, schemas.CONNECTION_CREATE)
    check_schedule(body.get("schedule"))
    streams = _streams(workspace, body["sourceId"], body["destinationId"], body)
    identifier = new_id()
    workspace.connections[identifier] = {
        "connectionId": identifier,
        "name": body.get("name", "a connection"),
        "sourceId": body["sourceId"],
        "destinationId": body["destinationId"],
        "workspaceId": WORKSPACE_ID,
        "status": body.get("status", "active"),
        "schedule": shown_schedule(body.get("schedule")),
        "namespaceDefinition": body.get("namespaceDefinition", "destination"),
        "namespaceFormat": body.get("namespaceFormat"),
        "prefix": body.get("prefix", ""),
        "nonBreakingSchemaUpdatesBehavior": body.get("nonBreakingSchemaUpdatesBehavior", "ignore"),
        "configurations": {"streams": streams},
        "createdAt": 1,
        "tags": [],
    }
    return workspace.connections[identifier]


def patch_connection(workspace: Workspace, identifier: str, body: JSON) -> JSON:
    """Another schedule, and so on; who leaves out the streams gets all of them anew."""
    schemas.check(body, schemas.CONNECTION_PATCH)
    connection = workspace.connections.get(identifier)
    if connection is None:
        raise not_found(identifier)
    check_schedule(body.get("schedule"))
    streams = _streams(workspace, connection["sourceId"], connection["destinationId"], body)
    connection.update(body)
    if "schedule" in body:
        connection["schedule"] = shown_schedule(body["schedule"])
    connection["configurations"] = {"streams": streams}
    return connection


def destination(workspace: Workspace, identifier: str) -> JSON:
    """A destination."""
    found = workspace.destinations.get(identifier)
    if found is None:
        raise not_found(identifier)
    return found


def workspace_of(_: Workspace, identifier: str) -> JSON:
    """The workspace."""
    if identifier != WORKSPACE_ID:
        raise problem(403, "forbidden")
    return {"workspaceId": identifier, "name": "Calls", "dataResidency": "auto"}


def _streams(workspace: Workspace, source_id: str, destination_id: str, body: JSON) -> list[JSON]:
    source = workspace.sources.get(source_id)
    if source is None:
        raise not_found(source_id)
    modes: list[str] = destination(workspace, destination_id)["modes"]
    definition = workspace.definitions[source["definitionId"]]
    catalog = workspace.catalog_from_image(definition)
    return configured(catalog, body.get("configurations"), modes)


def _specification(workspace: Workspace, definition_id: str) -> JSON:
    definition = workspace.definitions.get(definition_id)
    if definition is None:
        raise not_found(definition_id)
    image = f"{definition['dockerRepository']}:{definition['dockerImageTag']}"
    found: dict[str, Any] = workspace.specifications[image]["connectionSpecification"]
    return found


def _check_configuration(workspace: Workspace, definition_id: str, configuration: JSON) -> None:
    schema = _specification(workspace, definition_id)
    for error in Draft7Validator(schema).iter_errors(configuration):
        raise problem(
            422,
            "unprocessable-entity",
            f"The provided configuration does not fulfill the specification. Errors: "
            f"{error.message}\nSchema: {schema}",
        )
