"""The bodies of requests, with the names and required keys of the platform's own OpenAPI files."""

from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from integration_tests.airbyte_platform.refusals import bad_request

UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
TEXT = {"type": "string"}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
    }


_REQUIREMENTS = _object(
    "",
    cpu_request=TEXT,
    cpu_limit=TEXT,
    memory_request=TEXT,
    memory_limit=TEXT,
    ephemeral_storage_request=TEXT,
    ephemeral_storage_limit=TEXT,
)
JOB_TYPES = [
    "get_spec",
    "check_connection",
    "discover_schema",
    "sync",
    "reset_connection",
    "connection_updater",
    "replicate",
]
_SCOPED_REQUIREMENTS = _object(
    "",
    default=_REQUIREMENTS,
    jobSpecific={
        "type": "array",
        "items": _object(
            "jobType resourceRequirements",
            jobType={"enum": JOB_TYPES},
            resourceRequirements=_REQUIREMENTS,
        ),
    },
)
WORKSPACE = _object("workspaceId", workspaceId=UUID)
CREATE_CUSTOM = _object(
    "sourceDefinition",
    workspaceId=UUID,
    scopeId=UUID,
    scopeType={"enum": ["workspace", "organization"]},
    sourceDefinition=_object(
        "name dockerRepository dockerImageTag documentationUrl",
        name=TEXT,
        dockerRepository=TEXT,
        dockerImageTag=TEXT,
        documentationUrl={"type": "string", "pattern": "^[a-z][a-z0-9+.-]*:"},
        icon=TEXT,
        resourceRequirements=_SCOPED_REQUIREMENTS,
        # read as a whole ConnectorSpecification, the content of the message SPEC
        connectorSpecification={"type": "object", "required": ["connectionSpecification"]},
    ),
)
UPDATE = _object(
    "sourceDefinitionId dockerImageTag workspaceId",
    name=TEXT,
    sourceDefinitionId=UUID,
    dockerImageTag=TEXT,
    workspaceId=UUID,
    resourceRequirements=_SCOPED_REQUIREMENTS,
)
DEFINITION_WITH_SCOPE = _object(
    "actorDefinitionId scopeId scopeType",
    actorDefinitionId=UUID,
    scopeId=UUID,
    scopeType={"enum": ["workspace", "organization"]},
)
DELETE = _object("sourceDefinitionId", sourceDefinitionId=UUID)
TOKEN = {
    "type": "object",
    "required": ["client_id", "client_secret"],
    "additionalProperties": False,
    "properties": {
        "client_id": TEXT,
        "client_secret": TEXT,
        "grant-type": {"enum": ["client_credentials"]},
        "grant_type": TEXT,  # what the SDK `airbyte-api` says in its place; it is not read
    },
}
SOURCE_CREATE = _object(
    "name workspaceId configuration",
    name=TEXT,
    definitionId=UUID,
    workspaceId=UUID,
    configuration={"type": "object"},
    secretId=TEXT,
    resourceAllocation=_SCOPED_REQUIREMENTS,
)
SOURCE_PUT = _object(
    "name configuration",
    name=TEXT,
    configuration={"type": "object"},
    resourceAllocation=_SCOPED_REQUIREMENTS,
)
SYNC_MODES = [
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
]
_PATH = {"type": "array", "items": TEXT}
_STREAM = _object(
    "name",
    name=TEXT,
    namespace=TEXT,
    syncMode={"enum": SYNC_MODES},
    cursorField=_PATH,
    primaryKey={"type": "array", "items": _PATH},
    includeFiles={"type": "boolean"},
    destinationObjectName=TEXT,
    selectedFields={"type": "array", "items": _object("", fieldPath=_PATH)},
    mappers={"type": "array"},
)
_OF_CONNECTION = {
    "name": TEXT,
    "configurations": _object("", streams={"type": "array", "items": _STREAM}),
    "schedule": _object(
        "scheduleType", scheduleType={"enum": ["manual", "cron"]}, cronExpression=TEXT
    ),
    "dataResidency": TEXT,
    "namespaceDefinition": {"enum": ["source", "destination", "custom_format"]},
    "namespaceFormat": TEXT,
    "prefix": TEXT,
    "nonBreakingSchemaUpdatesBehavior": {
        "enum": ["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
    },
    "status": {"enum": ["active", "inactive", "deprecated", "locked"]},
    "tags": {"type": "array"},
}
CONNECTION_CREATE = _object(
    "sourceId destinationId", sourceId=UUID, destinationId=UUID, **_OF_CONNECTION
)
CONNECTION_PATCH = _object("", **_OF_CONNECTION)

CONNECTION_ID = _object("connectionId", connectionId=UUID)
JOB_CREATE = _object(
    "connectionId jobType",
    connectionId=UUID,
    jobType={"enum": ["sync", "reset", "refresh", "clear"]},
)


def check(body: Any, schema: dict[str, Any]) -> None:
    """Refuse a body with 400, as the platform refuses what it cannot read."""
    validator = Draft7Validator(schema, format_checker=FormatChecker())
    for error in validator.iter_errors(body):
        where = "/".join(map(str, error.path))
        raise bad_request(f"Failed to convert argument: {where} {error.message[:200]}")
