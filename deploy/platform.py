"""The calls of the platform that are needed, by name.

Definitions go through the Config API (`/api/v1`), because only that takes an icon, a specification
and resources with them; sources and connections through the public API (`/api/public/v1`). The
paths and bodies are those of the platform's `config.yaml` and `api_documentation_*.yaml`.
"""

from collections.abc import Iterator

from deploy import answers
from deploy.client import SERVER_ERROR, Call, Client
from deploy.definitions import JSON, Definition
from deploy.failures import RegisterError

CONFIG = "/api/v1/source_definitions"
WORKSPACES = "/api/v1/workspaces"
PUBLIC = "/api/public/v1"
PAGE = 100
"""The most that the public API gives at once."""


class Platform:
    """One workspace of a platform."""

    def __init__(self, client: Client, workspace_id: str) -> None:
        self._client = client
        self._workspace_id = workspace_id

    def definitions(self) -> list[JSON]:
        """The source definitions that the workspace may use, the custom ones among them."""
        call = Call(
            "POST",
            f"{CONFIG}/list_for_workspace",
            "list the source definitions of the workspace",
            {"workspaceId": self._workspace_id},
            advice={404: _UNKNOWN_WORKSPACE},
            shape=answers.DEFINITIONS,
        )
        found: list[JSON] = self._client.send(call)["sourceDefinitions"]
        return found

    def create_definition(self, wanted: Definition, body: JSON) -> str:
        """Register a connector; its id."""
        advice = {
            403: "The application's user may not add connectors: it must be an editor or admin of"
            " the workspace, and on Airbyte Cloud nobody may",
            SERVER_ERROR: _needs_image(wanted.image),
        }
        purpose = f"register {wanted.image}"
        path, shape = f"{CONFIG}/create_custom", answers.DEFINITION
        call = Call("POST", path, purpose, body, advice=advice, shape=shape)
        return str(self._client.send(call)["sourceDefinitionId"])

    def update_definition(self, wanted: Definition, body: JSON) -> None:
        """Set the tag; of one that it has never seen, the platform runs `spec` in a pod."""
        advice = {SERVER_ERROR: _needs_image(wanted.image)}
        call = Call("POST", f"{CONFIG}/update", f"change to {wanted.image}", body, advice=advice)
        self._client.send(call)

    def delete_definition(self, definition_id: str, name: str) -> None:
        """Delete a definition; the platform deletes its sources and connections with it."""
        body = {"sourceDefinitionId": definition_id}
        self._client.send(Call("POST", f"{CONFIG}/delete", f"delete {name}", body))

    def organization(self) -> str:
        """The id of the organization that the workspace is in."""
        call = Call(
            "POST",
            f"{WORKSPACES}/get",
            "tell the organization of the workspace",
            {"workspaceId": self._workspace_id},
            shape=answers.WORKSPACE,
        )
        return str(self._client.send(call)["organizationId"])

    def is_of_organization(self, definition_id: str, name: str, organization_id: str) -> bool:
        """Whether a definition is the organization's, so that other workspaces have it too.

        No list of definitions says it; but the organization cannot use one of a workspace.
        """
        body = {
            "actorDefinitionId": definition_id,
            "scopeId": organization_id,
            "scopeType": "organization",
        }
        call = Call(
            "POST",
            f"{CONFIG}/get_for_scope",
            f"tell whether {name} is of the workspace or of its organization",
            body,
            advice={403: _MAY_NOT_ASK},
            missing=True,
        )
        return self._client.send(call) is not None

    def check_destination(self, destination_id: str) -> None:
        """RegisterError if there is no such destination in the workspace."""
        unknown = "DESTINATION_ID is no destination of the workspace: make one in Airbyte first"
        call = Call(
            "GET",
            f"{PUBLIC}/destinations/{destination_id}",
            "find the destination",
            advice=dict.fromkeys((400, 403, 404), unknown),
            shape=answers.DESTINATION,
        )
        if self._client.send(call)["workspaceId"] != self._workspace_id:
            raise RegisterError(f"{unknown}.")

    def sources(self) -> list[JSON]:
        """The sources of the workspace."""
        return list(self._all("sources", "sourceId", answers.SOURCES))

    def create_source(self, body: JSON) -> str:
        """Create a source; its id."""
        purpose = f"create the source {body['name']}"
        path, shape = f"{PUBLIC}/sources", answers.SOURCE
        call = Call("POST", path, purpose, body, advice=_CONFIGURATION, shape=shape)
        return str(self._client.send(call)["sourceId"])

    def replace_source(self, source_id: str, body: JSON) -> None:
        """Give a source another configuration; one that is merged in could not drop a key."""
        purpose = f"change the source {body['name']}"
        path = f"{PUBLIC}/sources/{source_id}"
        self._client.send(Call("PUT", path, purpose, body, advice=_CONFIGURATION))

    def connections(self) -> list[JSON]:
        """The connections of the workspace."""
        return list(self._all("connections", "connectionId", answers.CONNECTIONS))

    def create_connection(self, body: JSON, image: str) -> None:
        """Create a connection; the platform runs `discover` in a pod first."""
        purpose = f"create the connection {body['name']}"
        advice = {SERVER_ERROR: _needs_image(image), 400: _MODE}
        self._client.send(Call("POST", f"{PUBLIC}/connections", purpose, body, advice=advice))

    def change_connection(self, connection_id: str, body: JSON, image: str) -> None:
        """Change what the body names; its streams have to be among it."""
        path = f"{PUBLIC}/connections/{connection_id}"
        advice = {SERVER_ERROR: _needs_image(image)}
        self._client.send(Call("PATCH", path, "change the connection", body, advice=advice))

    def _all(self, kind: str, key: str, shape: answers.Shape) -> Iterator[JSON]:
        """All pages; the links in them name a host that is not the one we know."""
        offset, seen = 0, set[str]()
        while True:
            query: dict[str, str | int] = {
                "workspaceIds": self._workspace_id,
                "limit": PAGE,
                "offset": offset,
            }
            purpose = f"list the {kind} of the workspace"
            call = Call("GET", f"{PUBLIC}/{kind}", purpose, query=query, shape=shape)
            page = self._client.send(call)["data"]
            ids = {str(one[key]) for one in page}
            if ids & seen:
                raise RegisterError(
                    f"The platform was asked to {purpose}, and its pages repeat themselves: what"
                    " stands before it at AIRBYTE_URL may leave out `offset`, or somebody deleted"
                    " one just now. Run the command again."
                )
            seen |= ids
            yield from page
            if len(page) < PAGE:
                return
            offset += PAGE


_UNKNOWN_WORKSPACE = (
    "WORKSPACE_ID may be no workspace here: it stands in the address of every page of Airbyte,"
    " behind /workspaces/"
)
_MAY_NOT_ASK = (
    "The application's user may not see the organization, and a definition of it is not to be"
    " deleted from here; take an application of an organization's admin, or delete the definition"
    " under Workspace settings > Sources"
)
_CONFIGURATION = dict.fromkeys(
    (400, 422), "The configuration may not be what the connector of this TAG wants"
)
_MODE = "The destination may not offer the mode Incremental | Append + Deduped"


def _needs_image(image: str) -> str:
    return (
        f"It runs the image first: see that {image} is in the cluster or can be pulled there, and"
        " that it starts"
    )
