"""What is to be done, found by comparing what shall be with what the platform has; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.definitions import JSON, STREAM, Definition
from deploy.failures import RegisterError
from deploy.settings import DEFAULT_SCHEDULE, MANUAL


@dataclass(frozen=True)
class Create:
    """It is not there."""

    body: JSON


@dataclass(frozen=True)
class Update:
    """It is there, and differs."""

    id: str
    body: JSON
    changes: tuple[str, ...]
    """What differs, in words."""
    notices: tuple[str, ...] = ()
    """What differs too, and is left to the user: a sentence each."""


@dataclass(frozen=True)
class Same:
    """It is there, and stays as it is."""

    id: str
    notices: tuple[str, ...] = ()
    """What differs all the same, and is left to the user: a sentence each."""


Step = Create | Update | Same


def plan_definition(wanted: Definition, workspace_id: str, found: Iterable[JSON]) -> Step:
    """A definition is ours if it is a custom one of the same image in this workspace.

    `update` of the Config API takes a tag and resources; the rest stays as it was created.
    """
    ours = [
        one
        for one in found
        if one.get("custom") is True and one.get("dockerRepository") == wanted.repository
    ]
    existing = _only(ours, "sourceDefinitionId", f"definitions have the image {wanted.repository}")
    if existing is None:
        definition = {
            "name": wanted.name,
            "dockerRepository": wanted.repository,
            "dockerImageTag": wanted.tag,
            "documentationUrl": wanted.documentation_url,
            "icon": wanted.icon,
            "resourceRequirements": wanted.resources,
            "connectorSpecification": wanted.specification,
        }
        return Create({"workspaceId": workspace_id, "sourceDefinition": definition})
    changes = []
    if existing["dockerImageTag"] != wanted.tag:
        changes.append(f"{existing['dockerImageTag']} becomes {wanted.tag}")
    if _filled(existing.get("resourceRequirements")) != _filled(wanted.resources):
        changes.append("resources")
    identifier = str(existing["sourceDefinitionId"])
    if not changes:
        return Same(identifier)
    body = {
        "sourceDefinitionId": identifier,
        "workspaceId": workspace_id,
        "dockerImageTag": wanted.tag,
        "resourceRequirements": wanted.resources,
    }
    return Update(identifier, body, tuple(changes))


@dataclass(frozen=True)
class WantedSource:
    """A source as it shall be."""

    name: str
    workspace_id: str
    definition_id: str
    configuration: JSON
    secret_keys: tuple[str, ...]
    renew_secrets: bool


def plan_source(wanted: WantedSource, found: Iterable[JSON]) -> Step:
    """A source is ours if it has our definition and name.

    The platform shows stars in place of secrets, so they are compared by their presence only.
    """
    ours = [
        one
        for one in found
        if one["name"] == wanted.name
        and one.get("definitionId") == wanted.definition_id
        and one["workspaceId"] == wanted.workspace_id
    ]
    existing = _only(ours, "sourceId", f"sources are named {wanted.name}")
    body = {"name": wanted.name, "configuration": wanted.configuration}
    if existing is None:
        place = {"workspaceId": wanted.workspace_id, "definitionId": wanted.definition_id}
        return Create({**body, **place})
    before, now = (
        {key: "" if key in wanted.secret_keys else value for key, value in one.items()}
        for one in (existing["configuration"], wanted.configuration)
    )
    keys = sorted(before.keys() | now.keys())
    changes = [key for key in keys if before.get(key) != now.get(key)]
    if wanted.renew_secrets:
        changes.append("secrets")
    identifier = str(existing["sourceId"])
    return Update(identifier, body, tuple(changes)) if changes else Same(identifier)


@dataclass(frozen=True)
class WantedConnection:
    """A connection as it shall be when it is created."""

    name: str
    source_id: str
    destination_id: str
    namespace: str
    stream: JSON
    schedule: str | None
    """None: the default for a new one; an existing one keeps its own."""


def plan_connection(wanted: WantedConnection, found: Iterable[JSON]) -> Step:
    """A connection is ours if it joins the two.

    Of an existing one only the schedule is changed, and only if one is asked for: rows that were
    synced under another namespace or mode would stay behind, unseen.
    """
    ours = [
        one
        for one in found
        if one["sourceId"] == wanted.source_id and one["destinationId"] == wanted.destination_id
    ]
    existing = _only(ours, "connectionId", f"connections join {wanted.name} and the destination")
    if existing is None:
        return Create(
            {
                "name": wanted.name,
                "sourceId": wanted.source_id,
                "destinationId": wanted.destination_id,
                "namespaceDefinition": "custom_format",
                "namespaceFormat": wanted.namespace,
                "configurations": {"streams": [wanted.stream]},
                "schedule": _schedule(wanted.schedule or DEFAULT_SCHEDULE),
                "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
            }
        )
    identifier, notices = str(existing["connectionId"]), tuple(_notices(wanted, existing))
    if wanted.schedule is None or _has_schedule(existing, wanted.schedule):
        return Same(identifier, notices)
    # without the streams the platform takes all of them, in full refresh | overwrite
    streams = [_filled(stream) for stream in _streams(existing)]
    body = {"schedule": _schedule(wanted.schedule), "configurations": {"streams": streams}}
    return Update(identifier, body, (f"schedule {wanted.schedule}",), notices)


def _notices(wanted: WantedConnection, existing: JSON) -> Iterable[str]:
    own = existing.get("namespaceDefinition"), existing.get("namespaceFormat")
    if own != ("custom_format", wanted.namespace):
        yield (
            f"{wanted.name}: the connection does not write into the namespace {wanted.namespace};"
            " it is left as it is. See that no other connection writes the same table."
        )
    calls = next((one for one in _streams(existing) if one["name"] == STREAM), None)
    if calls is None or calls.get("syncMode") != wanted.stream["syncMode"]:
        yield (
            f"{wanted.name}: the stream {STREAM} is not in the mode Incremental | Append + Deduped;"
            " it is left as it is."
        )


def _streams(connection: JSON) -> Sequence[JSON]:
    found: Sequence[JSON] = (connection.get("configurations") or {}).get("streams") or ()
    return found


def _schedule(schedule: str) -> JSON:
    if schedule == MANUAL:
        return {"scheduleType": MANUAL}
    return {"scheduleType": "cron", "cronExpression": schedule}


def _has_schedule(connection: JSON, schedule: str) -> bool:
    """The platform shows a cron expression with its time zone behind it."""
    found = connection.get("schedule") or {}
    shown = str(found.get("cronExpression") or "").removesuffix("UTC").strip()
    return _schedule(schedule) == _schedule(
        MANUAL if found.get("scheduleType") == MANUAL else shown
    )


def _only(found: Sequence[JSON], key: str, several: str) -> JSON | None:
    """The one that was found, if any; which of several is meant cannot be known."""
    if len(found) > 1:
        ids = ", ".join(sorted(str(one[key]) for one in found))
        raise RegisterError(f"{len(found)} {several} ({ids}). Delete those that you do not need.")
    return found[0] if found else None


def _filled(value: Any) -> Any:
    """Without what is null or empty: the platform adds such keys, and refuses some of them."""
    if isinstance(value, Mapping):
        filled = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in filled.items() if item not in (None, [], {})}
    return value
