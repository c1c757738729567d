"""The control API under `/_sandbox/`, for a sandbox that runs as a process of its own."""

from typing import Any, Protocol, TypeGuard

import orjson
from aiohttp import web

from .seen import SeenRequest, counts, peak_per_second
from .switches import PROVIDERS, Switches
from .truth import expected_call
from .world import World

PREFIX = "/_sandbox/"
CHUNK = 500
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

    def listable(self, provider: str) -> list[Any]:
        """The true calls that are listable now."""


async def control(request: web.BaseRequest, sandbox: Controlled) -> web.StreamResponse:
    """Answer a control request."""
    name = request.path.removeprefix(PREFIX)
    provider = name.removeprefix("expected/")
    if request.method == "POST" and name == "advance":
        return await advance(request, sandbox)
    if request.method == "POST" and name == "reset-requests":
        sandbox.clear_requests()
        return as_json({})
    if request.method == "GET" and name == "requests":
        return as_json(request_report(sandbox.requests))
    if request.method == "GET" and name.startswith("expected/") and provider in PROVIDERS:
        return await expected(request, sandbox, provider)
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
    request: web.BaseRequest, sandbox: Controlled, provider: str
) -> web.StreamResponse:
    """`GET /_sandbox/expected/{provider}`: the records of all calls listable now, as NDJSON."""
    calls, switches = sandbox.listable(provider), sandbox.switches
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for start in range(0, len(calls), CHUNK):
        lines = [
            orjson.dumps(expected_call(provider, call, switches), option=orjson.OPT_APPEND_NEWLINE)
            for call in calls[start : start + CHUNK]
        ]
        await response.write(b"".join(lines))
    return response


def as_json(content: object, status: int = 200) -> web.Response:
    """A JSON response."""
    body = orjson.dumps(content)
    return web.Response(status=status, body=body, content_type="application/json")
