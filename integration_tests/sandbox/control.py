"""The control API under `/_sandbox/`, for a sandbox that runs as a process of its own."""

from collections.abc import Iterable
from typing import Any, Protocol, TypeGuard

import orjson
from aiohttp import web

from .children import OF_A_CALL, OF_THE_WORKSPACE, expected_rows
from .seen import SeenRequest, counts, peak_per_second
from .switches import PROVIDERS, Switches
from .truth import expected_call
from .world import World

PREFIX = "/_sandbox/"
CHUNK = 500
STREAMS = ("", *OF_A_CALL, *OF_THE_WORKSPACE)
"""What may follow the provider; the stream `calls` needs no name."""
STEP_NAMES = frozenset({"hours", "new", "changed", "deleted", "late"})


class Controlled(Protocol):
    """What the control API needs of the sandbox."""

    world: World
    switches: Switches

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests seen so far."""

    def clear_requests(self) -> None:
        """Forget them."""

    def listable(self, provider: str, api_version: str = "v1") -> list[Any]:
        """The true calls that are listable now."""


async def control(request: web.BaseRequest, sandbox: Controlled) -> web.StreamResponse:
    """Answer a control request."""
    name = request.path.removeprefix(PREFIX)
    provider, _, stream = name.removeprefix("expected/").partition("/")
    if request.method == "POST" and name == "advance":
        return await advance(request, sandbox)
    if request.method == "POST" and name == "reset-requests":
        sandbox.clear_requests()
        return as_json({})
    if request.method == "GET" and name == "requests":
        return as_json(request_report(sandbox.requests))
    is_known = provider in PROVIDERS and stream in STREAMS
    if request.method == "GET" and name.startswith("expected/") and is_known:
        return await expected(request, sandbox, provider, stream)
    return as_json({"error": "unknown control request"}, 404)


async def advance(request: web.BaseRequest, sandbox: Controlled) -> web.Response:
    """`POST /_sandbox/advance`: a JSON object with the arguments of `World.advance`."""
    body = await request.read()
    try:
        step = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        step = None
    if not is_step(step):
        return as_json({"error": f"a JSON object of numbers, of {sorted(STEP_NAMES)}"}, 400)
    sandbox.world.advance(**step)
    return as_json({"now": sandbox.world.now.isoformat()})


def is_step(content: object) -> TypeGuard[dict[str, int]]:
    """Whether the content can be the arguments of `World.advance`."""
    return isinstance(content, dict) and all(
        name in STEP_NAMES
        and isinstance(value, int | float if name == "hours" else int)
        and value >= 0
        for name, value in content.items()
    )


def request_report(requests: list[SeenRequest]) -> dict[str, Any]:
    """`GET /_sandbox/requests`: counts, and the peaks in any one-second window."""
    by_provider = {
        name: peak_per_second(one for one in requests if one.provider == name) for name in PROVIDERS
    }
    return {
        "total": len(requests),
        "counts": counts(requests),
        "peak_per_second": {"all": peak_per_second(requests), **by_provider},
    }


async def expected(
    request: web.BaseRequest, sandbox: Controlled, provider: str, stream: str
) -> web.StreamResponse:
    """`GET /_sandbox/expected/{provider}`: the records of all calls listable now, as NDJSON.

    A stream beside `calls` may follow the provider; `?api_version=2026-03-30` asks for what Quo's
    dated API tells.
    """
    version, switches = request.query.get("api_version", "v1"), sandbox.switches
    calls = sandbox.listable(provider, version)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    if stream in OF_THE_WORKSPACE:
        await response.write(as_lines(expected_rows(stream, provider, (), switches)))
        return response
    for start in range(0, len(calls), CHUNK):
        some = calls[start : start + CHUNK]
        if stream in OF_A_CALL:
            rows = expected_rows(stream, provider, some, switches, version)
        else:
            rows = [expected_call(provider, call, switches, version) for call in some]
        await response.write(as_lines(rows))
    return response


def as_lines(rows: Iterable[object]) -> bytes:
    """NDJSON."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def as_json(content: object, status: int = 200) -> web.Response:
    """A JSON response."""
    body = orjson.dumps(content)
    return web.Response(status=status, body=body, content_type="application/json")
