"""The sandbox as a process of its own, and what its control API tells."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import orjson

ROOT = Path(__file__).parents[1]
NOW = "2025-10-01T12:00:00"
"""The world's clock: long past, so that no clock makes its calls lie in the future."""


@dataclass(frozen=True)
class Counts:
    """How many requests the sandbox saw, and how many of them it refused for their rate."""

    total: int
    refused: int


class RunningSandbox:
    """A sandbox that listens at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = build_opener(ProxyHandler({}))
        self.expected_ids = cache(self._expected_ids)

    def open(self, path: str, method: str = "GET", body: str = "", **headers: str) -> HTTPResponse:
        """An answer, not yet read."""
        content = body.encode() or None
        request = Request(self.url + path, data=content, method=method, headers=headers)
        answer: HTTPResponse = self._opener.open(request, timeout=300)
        return answer

    def forget_requests(self) -> None:
        """Count from nought."""
        self.open("/_sandbox/reset-requests", "POST").read()

    def advance(self, **step: int) -> None:
        """Let time pass: `World.advance` with these arguments."""
        self.open("/_sandbox/advance", "POST", json.dumps(step)).read()

    def counts(self) -> Counts:
        """The requests since the last `forget_requests`."""
        report = json.loads(self.open("/_sandbox/requests").read())
        return Counts(report["total"], refusals(report))

    def expected(self, provider: str, api_version: str = "v1") -> Iterator[dict[str, Any]]:
        """The true calls of a provider, as the connector must emit them."""
        version = f"?api_version={api_version}"
        with self.open(f"/_sandbox/expected/{provider}{version}") as lines:
            for line in lines:
                yield orjson.loads(line)

    def _expected_ids(self, provider: str) -> frozenset[str]:
        return frozenset(call["id"] for call in self.expected(provider))

    def get(self, provider: str, path: str) -> Any:
        """The JSON body of a provider's answer."""
        key = f"test-key-{provider}-not-real"
        bearer = key if provider == "openphone" else f"Bearer {key}"
        headers = {"Authorization": bearer, "Accept": "application/json"}
        headers["Intercom-Version"] = "2.14"
        return orjson.loads(self.open(f"/{provider}{path}", **headers).read())


def refusals(report: dict[str, Any]) -> int:
    """How many requests of a request report were answered with 429."""
    paths = (path for provider in report["counts"].values() for path in provider.values())
    return sum(statuses.get("429", 0) for statuses in paths)


@contextmanager
def sandbox(
    calls: int,
    *,
    latency_ms: int = 0,
    conversations: int | None = None,
    limits: bool = False,
    switches: tuple[str, ...] = (),
) -> Iterator[RunningSandbox]:
    """Run a sandbox."""
    command = [sys.executable, "-m", "integration_tests.sandbox", "--port", "0", "--now", NOW]
    command += ["--calls", str(calls), "--latency", str(latency_ms / 1000)]
    command += [] if conversations is None else ["--conversations", str(conversations)]
    command += [] if limits else ["--no-limits"]
    for switch in switches:
        command += ["--switch", switch]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError("the sandbox did not start; its words are above")
            yield RunningSandbox(url)
        finally:
            process.terminate()
