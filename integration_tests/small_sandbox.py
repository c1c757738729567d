"""What a sandbox that plays one provider needs of a server: the file of the provider does the rest.

A connector's `integration_tests/sandbox.py` may have a class of this kind (`sandboxes`).
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request for the provider."""

    path: str
    """The provider's own path."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By their names in lower case."""


@dataclass(frozen=True)
class Answer:
    """What is answered: a body that becomes JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answered:
    """A request that was answered."""

    provider: str
    path: str
    status: int
    query: Mapping[str, str]
    at: float
    """Seconds since 1970."""


class SmallSandbox(ABC):
    """A server on a loopback port that plays one provider inside of its `with` block."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.url = ""
        self._requests: list[Answered] = []
        self._lock = Lock()
        self._server: ThreadingHTTPServer | None = None

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """The provider's answer to a request; one request is answered at a time."""

    @abstractmethod
    def expected(self, provider: str) -> Mapping[str, Mapping[str, Any]]:
        """The records that a connector must emit now, by id; see `PlayedProvider.expected`."""

    @property
    def requests(self) -> list[Answered]:
        """The requests that were answered so far."""
        return list(self._requests)

    def _respond(self, target: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(target)
        provider, _, path = parts.path[1:].partition("/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self._lock:
            at = time.time()
            asked = Asked(f"/{path}", query, headers)
            known = provider == self.provider
            answer = self.answer(asked) if known else Answer({"detail": "no such provider"}, 404)
            self._requests.append(Answered(provider, asked.path, answer.status, query, at))
        return answer

    def __enter__(self) -> Self:
        sandbox = self

        class Handler(BaseHTTPRequestHandler):
            """Hands each request to the sandbox."""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                """Answer."""
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = sandbox._respond(self.path, headers)
                body = json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, name=f"sandbox of {self.provider}", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
