"""`make register REMOVE=1`: the definitions of these images, with all that hangs on them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from calls_shared.quoting import quoted
from deploy.definitions import JSON, Definition
from deploy.failures import RegisterError
from deploy.plan import only, own_definitions
from deploy.platform import Platform


def remove(platform: Platform, wanted: Mapping[str, Definition], say: Callable[[str], None]) -> int:
    """Delete the definitions of these images, whatever their tag; how many there were.

    All are looked at before the first is deleted: what is in doubt stops it at once.
    """
    found = platform.definitions()
    ours = [one for one in (_own(one, found) for one in wanted.values()) if one is not None]
    if not ours:
        return 0
    organization_id = platform.organization()
    for one in ours:
        identifier, name = str(one["sourceDefinitionId"]), str(one["name"])
        if platform.is_of_organization(identifier, name, organization_id):
            raise RegisterError(
                f"The definition {name} ({identifier}) is of the organization, and other workspaces"
                " may have sources of it; only an admin of the organization should delete it."
            )
    sources, connections = platform.sources(), platform.connections()
    for one in ours:
        say(f"{one['name']} ({one['sourceDefinitionId']}) goes{_along(one, sources, connections)}.")
    for one in ours:
        platform.delete_definition(str(one["sourceDefinitionId"]), str(one["name"]))
        say(f"{one['name']}: removed.")
    return len(ours)


def _own(wanted: Definition, found: Iterable[JSON]) -> JSON | None:
    ours = own_definitions(wanted, found)
    existing = only(ours, "sourceDefinitionId", f"definitions have the image {wanted.repository}")
    if existing is not None and existing["name"] != wanted.name:
        raise RegisterError(
            f"The definition of {wanted.repository} is named {quoted(existing['name'])}"
            f" ({existing['sourceDefinitionId']}), and not {wanted.name} as `make register` names"
            " it, so somebody else may use it. Delete it under Workspace settings > Sources in"
            " Airbyte."
        )
    return existing


def _along(definition: JSON, sources: Sequence[JSON], connections: Sequence[JSON]) -> str:
    """What goes with a definition, in words."""
    own = [one for one in sources if one.get("definitionId") == definition["sourceDefinitionId"]]
    ids = {one["sourceId"] for one in own}
    joined = [one for one in connections if one["sourceId"] in ids]
    return f", with {_counted('source', own)} and {_counted('connection', joined)}"


def _counted(what: str, found: Sequence[JSON]) -> str:
    names = ", ".join(quoted(one["name"]) for one in found)
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}{f' ({names})' if names else ''}"
