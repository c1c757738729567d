"""Which call is answered by what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from integration_tests.airbyte_platform import config_api, jobs, public_api
from integration_tests.airbyte_platform.workspace import JSON, Workspace

PUBLIC = "/api/public/v1"
DEFINITIONS = "/api/v1/source_definitions"


@dataclass(frozen=True)
class Request:
    """A request, as it came."""

    method: str
    path: str
    query: str
    body: Any

    @property
    def changes(self) -> bool:
        """Whether it was to change something."""
        asked = ("/list_for_workspace", "/token", "/get", "/get_for_scope")
        reads = self.method == "GET" or self.path.endswith(asked)
        return not reads


def _query(request: Request) -> dict[str, str]:
    return {key: values[-1] for key, values in parse_qs(request.query).items()}


def _listed(kind: str) -> Callable[..., JSON]:
    def answer(workspace: Workspace, request: Request) -> JSON:
        rows = list(getattr(workspace, kind).values())
        if kind == "sources":
            rows = [public_api.shown_source(workspace, row) for row in rows]
        return public_api.page_of(rows, request.path, _query(request))

    return answer


def _of_body(answer: Callable[[Workspace, JSON], JSON | None]) -> Callable[..., JSON | None]:
    return lambda workspace, request: answer(workspace, request.body)


def _of_id(answer: Callable[[Workspace, str], JSON]) -> Callable[..., JSON]:
    return lambda workspace, _, identifier: answer(workspace, identifier)


def _of_id_and_body(answer: Callable[[Workspace, str, JSON], JSON]) -> Callable[..., JSON]:
    return lambda workspace, request, identifier: answer(workspace, identifier, request.body)


ROUTES: tuple[tuple[str, str, Callable[..., JSON | None]], ...] = (
    ("POST", f"{DEFINITIONS}/list_for_workspace", _of_body(config_api.list_for_workspace)),
    ("POST", f"{DEFINITIONS}/create_custom", _of_body(config_api.create_custom)),
    ("POST", f"{DEFINITIONS}/update", _of_body(config_api.update)),
    ("POST", f"{DEFINITIONS}/delete", _of_body(config_api.delete)),
    ("POST", f"{DEFINITIONS}/get_for_scope", _of_body(config_api.get_for_scope)),
    ("POST", "/api/v1/workspaces/get", _of_body(config_api.workspace)),
    ("GET", f"{PUBLIC}/sources", _listed("sources")),
    ("POST", f"{PUBLIC}/sources", _of_body(public_api.create_source)),
    ("PUT", f"{PUBLIC}/sources/([^/]+)", _of_id_and_body(public_api.put_source)),
    ("GET", f"{PUBLIC}/connections", _listed("connections")),
    ("POST", f"{PUBLIC}/connections", _of_body(public_api.create_connection)),
    ("PATCH", f"{PUBLIC}/connections/([^/]+)", _of_id_and_body(public_api.patch_connection)),
    ("POST", "/api/v1/connections/get", _of_body(config_api.connection)),
    ("GET", f"{PUBLIC}/workspaces/([^/]+)", _of_id(public_api.workspace_of)),
    ("GET", f"{PUBLIC}/destinations/([^/]+)", _of_id(public_api.destination)),
    (
        "GET",
        f"{PUBLIC}/jobs",
        lambda workspace, request: jobs.listed(workspace, request.path, _query(request)),
    ),
    ("POST", f"{PUBLIC}/jobs", _of_body(jobs.create)),
    ("GET", f"{PUBLIC}/jobs/([0-9]+)", _of_id(jobs.get)),
    ("DELETE", f"{PUBLIC}/jobs/([0-9]+)", _of_id(jobs.cancel)),
)
