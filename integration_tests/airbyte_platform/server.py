"""HTTP: paths, tokens, content types, and the log of what was asked."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from integration_tests.airbyte_platform import schemas
from integration_tests.airbyte_platform.refusals import RefusalError, known, problem
from integration_tests.airbyte_platform.routes import PUBLIC, ROUTES, Request
from integration_tests.airbyte_platform.workspace import (
    CLIENT_ID,
    CLIENT_SECRET,
    DESTINATION_ID,
    JSON,
    OTHER_WORKSPACE_ID,
    WORKSPACE_ID,
    Workspace,
)

FORM = "application/x-www-form-urlencoded"
_TAKE_FORMS = (f"{PUBLIC}/applications/token",)  # also, as the public API's OpenAPI file says
ALL_MODES = ("overwrite", "append", "append_dedup", "overwrite_dedup")


@dataclass(frozen=True)
class Switches:
    """What kind of platform it is."""

    is_cloud: bool = False
    """Airbyte Cloud: nobody may add the image of a connector."""
    has_auth: bool = True
    """Where the chart's `global.auth.enabled` is false, there are no applications and no tokens."""
    has_public_api: bool = True
    """An older platform has none: its web server answers with a page."""
    requests_per_token: int | None = None
    """How many requests a token lives; None: long enough."""
    instead: Callable[[str, str], tuple[int, str, str] | None] | None = None
    """Answers in the platform's place: status, content type and text for a method and path."""


@dataclass
class FakePlatform:
    """A platform with one workspace and one destination, while it is entered."""

    switches: Switches = Switches()
    workspace: Workspace = field(default_factory=Workspace)
    log: list[Request] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    """With the number of requests that each was used for."""

    def __post_init__(self) -> None:
        for identifier, owner in (
            (DESTINATION_ID, WORKSPACE_ID),
            ("00000000-0000-4000-8000-00000000000d", OTHER_WORKSPACE_ID),
        ):
            self.workspace.destinations[identifier] = {
                "destinationId": identifier,
                "workspaceId": owner,
                "name": "Warehouse",
                "destinationType": "postgres",
                "configuration": {"database": "warehouse", "schema": "public"},
                "modes": list(ALL_MODES),
            }

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def changes(self) -> list[str]:
        """The requests that were to change something, as method and path."""
        return [f"{one.method} {one.path}" for one in self.log if one.changes]

    def answer(self, request: Request, token: str | None) -> JSON | None:
        """The content of the answer, None if it has none; RefusalError if it is refused."""
        if self.switches.has_auth:
            if request.path == f"{PUBLIC}/applications/token" and request.method == "POST":
                return self._give_token(request.body)
            self._check_token(token)
        for method, pattern, answer in ROUTES:
            if request.method == method and (found := re.fullmatch(pattern, request.path)):
                if self.switches.is_cloud and request.path.endswith("/create_custom"):
                    raise known(403, "User does not have the required permissions")
                return answer(self.workspace, request, *found.groups())
        raise known(404, "Object not found.")

    def _give_token(self, body: Any) -> JSON:
        schemas.check(body, schemas.TOKEN)
        if (body["client_id"], body["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            raise problem(400, "bad-request", "Invalid client id or token")
        token = f"test-token-{len(self.tokens)}-not-real"
        self.tokens[token] = 0
        return {"access_token": token, "token_type": "Bearer", "expires_in": 180}

    def _check_token(self, token: str | None) -> None:
        if token not in self.tokens:
            raise known(401, "Unauthorized")
        self.tokens[token] += 1
        limit = self.switches.requests_per_token
        if limit is not None and self.tokens[token] > limit:
            raise known(401, "Unauthorized")


def _handler_of(platform: FakePlatform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

        def _answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            switches = platform.switches
            if switches.instead and (found := switches.instead(self.command, parts.path)):
                self._send(*found)
                return
            if not switches.has_public_api and parts.path.startswith(PUBLIC):
                self._send(404, "text/html", "<html><h1>404 Not Found</h1></html>")
                return
            try:
                body = self._body(parts.path, text)
                request = Request(self.command, parts.path, parts.query, body)
                platform.log.append(request)
                scheme, _, token = self.headers.get("Authorization", "").partition(" ")
                content = platform.answer(request, token if scheme == "Bearer" else None)
                if content is None:
                    self._send(204, "application/json", "")
                else:
                    self._send(200, "application/json", json.dumps(content))
            except RefusalError as refusal:
                self._send(refusal.status, "application/json", json.dumps(refusal.body))

        def _body(self, path: str, text: bytes) -> Any:
            if self.command in ("GET", "DELETE"):
                return None
            if path in _TAKE_FORMS and self.headers.get("Content-Type") == FORM:
                return {key: values[-1] for key, values in parse_qs(text.decode()).items()}
            if self.headers.get("Content-Type") != "application/json":
                raise known(415, "Content Type not allowed. Allowed types: [application/json]")
            return json.loads(text)

        def _send(self, status: int, content_type: str, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            if 300 <= status < 400:
                self.send_header("Location", "https://airbyte.example/")
            self.end_headers()
            self.wfile.write(content)

    return Handler
