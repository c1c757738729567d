"""What is to be done, found by comparing what shall be with what the platform has; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.definitions import JSON, Definition
from deploy.failures import RegisterError


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


def own_definitions(wanted: Definition, found: Iterable[JSON]) -> list[JSON]:
    """The custom definitions of the same image."""
    return [
        one
        for one in found
        if one.get("custom") is True and one.get("dockerRepository") == wanted.repository
    ]


def plan_definition(wanted: Definition, workspace_id: str, found: Iterable[JSON]) -> Step:
    """A definition is ours if it is a custom one of the same image in this workspace.

    `update` of the Config API takes a tag and resources; the rest stays as it was created.
    """
    ours = own_definitions(wanted, found)
    existing = only(ours, "sourceDefinitionId", f"definitions have the image {wanted.repository}")
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
    if filled(existing.get("resourceRequirements")) != filled(wanted.resources):
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


def own_sources(wanted: WantedSource, found: Iterable[JSON]) -> list[JSON]:
    """The sources of our definition and name."""
    return [
        one
        for one in found
        if one["name"] == wanted.name
        and one.get("definitionId") == wanted.definition_id
        and one["workspaceId"] == wanted.workspace_id
    ]


def plan_source(wanted: WantedSource, found: Iterable[JSON]) -> Step:
    """A source is ours if it has our definition and name.

    The platform shows stars in place of secrets, so they are compared by their presence only.
    """
    ours = own_sources(wanted, found)
    existing = only(ours, "sourceId", f"sources are named {wanted.name}")
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


def only(found: Sequence[JSON], key: str, several: str) -> JSON | None:
    """The one that was found, if any; which of several is meant cannot be known."""
    if len(found) > 1:
        ids = ", ".join(sorted(str(one[key]) for one in found))
        raise RegisterError(f"{len(found)} {several} ({ids}). Delete those that you do not need.")
    return found[0] if found else None


def filled(value: Any) -> Any:
    """Without what is null or empty: the platform adds such keys, and refuses some of them."""
    if isinstance(value, Mapping):
        items = {key: filled(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item not in (None, [], {})}
    return value
