"""The sandbox: one real HTTP server on a loopback port that plays the four providers."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web

from .amplemarket import AmplemarketApi
from .answers import Answer, ApiRequest, Credentials, ProviderApi
from .audio import is_audio, played_to_the_end
from .children import expected_rows
from .control import PREFIX, control
from .faults import (
    UNANSWERED,
    Fault,
    FaultCounter,
    compressed,
    fault_status,
    misbehave,
    response_of,
)
from .intercom import IntercomApi
from .intercom_spoken import SIGNED_PATH
from .numbered_lists import is_taken_out
from .openphone import OpenPhoneApi
from .openphone_dated_errors import VERSION
from .openphone_visibility import Unseen, listable, why_unseen
from .seen import SeenRequest
from .skipcall import SkipcallApi, key_scope, listed_in
from .switches import PROVIDERS, Switches
from .times import RealClock
from .truth import expected_call
from .world import World

NO_ANSWER = Answer(0, b"")
ListedCall = tuple[Any, Switches, str]
"""A true call, and the switches and the version of the API under which it was listed."""


class RealTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock no test can freeze."""

    def time(self) -> float:
        """Seconds of the real monotonic clock."""
        return RealClock.monotonic()


class Sandbox:
    """A server on a loopback port: `sandbox.url` + `/<provider>` + the provider's own path.

    `world`, `switches`, `keys`, `key_faults`, `faults`, `latency` and `before_answer` may be set at
    any time, from any thread. `latency` gives the seconds before the answer to a request, if they
    differ from one to the next; `under_way` requests, that one among them, have no answer then.
    `heard` recordings were taken to their end.
    `before_answer` runs in the server's thread before the answer is computed; it
    may move the world but must not send requests to the sandbox. What it raises is answered with
    500 and raised again at the end of the `with` block.
    """

    def __init__(
        self, world: World | None = None, switches: Switches | None = None, *, port: int = 0
    ) -> None:
        self.switches = switches or Switches()
        self.keys: dict[str, set[str]] = {name: {f"test-key-{name}-not-real"} for name in PROVIDERS}
        self.key_faults: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.before_answer: Callable[[SeenRequest], None] | None = None
        self.latency: Callable[[SeenRequest], float] | None = None
        self.under_way = 0
        self.heard = 0
        self.url = ""
        self.world = world or World()
        self._port = port
        self._requests: list[SeenRequest] = []
        self._counter = FaultCounter()
        self._errors: list[Exception] = []
        self._same_headers: tuple[object, dict[str, str]] = ((), {})
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def world(self) -> World:
        """The world behind the providers."""
        return self._world

    @world.setter
    def world(self, world: World) -> None:
        self._world = world
        self._apis: dict[str, ProviderApi] = {}
        self._listed: dict[str, dict[str, ListedCall]] = {name: {} for name in PROVIDERS}

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests seen so far, in the order of their answers, without control requests."""
        return list(self._requests)

    @property
    def signed_requests(self) -> list[SeenRequest]:
        """Those that reached for a recording itself; nothing of a connector may."""
        return [one for one in self._requests if one.path.startswith(SIGNED_PATH)]

    def clear_requests(self) -> None:
        """Forget the requests seen so far. Faults go on counting, `ever_listed` stays."""
        self._requests.clear()

    def listable(self, provider: str, api_version: str = "v1") -> list[Any]:
        """The true calls that some allowed request would list now, under the current switches.

        Quo's dated API lists all calls of the workspace.
        """
        with self.world.lock:
            calls = list(self.world.history(provider).calls.values())
            if provider == "openphone" and api_version != "v1":
                return [*calls, *self.world.openphone.unlisted.calls.values()]
        if provider == "openphone":
            hidden = self.world.openphone.hidden
            seen = [call for call in calls if call.conversation.id not in hidden]
            return [call for call in seen if listable(call, self.switches.openphone)]
        if provider == "amplemarket":
            return calls
        options = getattr(self.switches, provider)
        if provider == "skipcall":
            workspaces = key_scope(self.world.skipcall_workspaces, options)
            calls = list(filter(listed_in(workspaces, options.soft_deleted_listed), calls))
        return [call for call in calls if not is_taken_out(call, options.lists)]

    def unseen_by_v1(self) -> dict[str, Unseen]:
        """The ids of Quo's calls that the dated API lists now and v1 does not, and why."""
        hidden, options = self.world.openphone.hidden, self.switches.openphone
        reasons = {
            call.id: why_unseen(call, hidden, options)
            for call in self.listable("openphone", VERSION)
        }
        return {identifier: reason for identifier, reason in reasons.items() if reason is not None}

    def expected(self, provider: str, api_version: str = "v1") -> dict[str, dict[str, Any]]:
        """The records that a connector must emit for all calls listable now, by id."""
        calls, switches = self.listable(provider, api_version), self.switches
        records = (expected_call(provider, call, switches, api_version) for call in calls)
        return {record["id"]: record for record in records}

    def expected_rows(
        self, provider: str, stream: str, api_version: str = "v1"
    ) -> list[dict[str, Any]]:
        """The rows of a stream beside `calls`, for all calls listable now or for the workspace."""
        calls = self.listable(provider, api_version)
        return expected_rows(stream, provider, calls, self.switches, api_version)

    def ever_listed(self, provider: str) -> dict[str, dict[str, Any]]:
        """The records of all calls that ever stood in a sound answer, as listed last, by id.

        Those of Quo's dated API as if both parts had been asked for.
        """
        with self.world.lock:
            listed = list(self._listed[provider].values())
        records = (expected_call(provider, *one) for one in listed)
        return {record["id"]: record for record in records}

    def __enter__(self) -> Self:
        started = Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                with asyncio.Runner(loop_factory=RealTimeLoop) as runner:
                    runner.run(self._serve(started))
            except BaseException as failure:
                failures.append(failure)
                started.set()

        self._thread = Thread(target=run, name="sandbox", daemon=True)
        self._thread.start()
        started.wait()
        if failures:
            self._thread.join()
            raise failures[0]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        if self._errors and error is None:
            raise self._errors[0]

    async def _serve(self, started: Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = web.Server(self._handle, access_log=None)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port, backlog=1024).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            started.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        at = RealClock.monotonic()
        path, _, raw_query = request.raw_path.partition("?")
        if path.startswith(PREFIX):
            return await control(request, self)
        provider, _, rest = path[1:].partition("/")
        if provider not in PROVIDERS:
            return web.Response(status=404, text="The sandbox knows no such provider\n")
        query = tuple(parse_qsl(raw_query, keep_blank_values=True))
        headers = self._lower_headers(request)
        body = await request.read() if request.can_read_body else b""
        seen = SeenRequest(
            provider, request.method, f"/{rest}", query, raw_query, headers, 0, at, body
        )
        try:
            await self._take_time(seen)
            fault, answer = self._decide(seen)
        except Exception as error:
            self._errors.append(error)
            return web.Response(status=500, text=f"The sandbox itself failed: {error!r}\n")
        if fault is not None:
            return await misbehave(request, fault, answer)
        if is_audio(answer):
            return await self._play(request, answer)
        if self.switches.gzip:
            answer = compressed(answer, headers.get("accept-encoding", ""))
        return response_of(answer, answer.body)

    async def _play(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        played = await played_to_the_end(request, answer)
        self.heard += played is not None
        return played or web.Response()

    async def _take_time(self, seen: SeenRequest) -> None:
        self.under_way += 1
        try:
            fixed = self.switches.latency_seconds
            seconds = fixed if self.latency is None else self.latency(seen)
            if seconds > 0:
                await asyncio.sleep(seconds)
        finally:
            self.under_way -= 1

    def respond(self, seen: SeenRequest) -> Answer:
        """The answer to a request that comes without a socket; faults of the network are none."""
        fault, answer = self._decide(seen)
        if fault is not None and fault.kind in ("status", "body"):
            body = fault.body.encode() if isinstance(fault.body, str) else fault.body
            return Answer(fault_status(fault, answer), body, fault.headers)
        return answer

    def _decide(self, seen: SeenRequest) -> tuple[Fault | None, Answer]:
        if self.before_answer is not None:
            self.before_answer(seen)
        with self.world.lock:
            fault = self._counter.due(self.faults, seen)
            answer = NO_ANSWER
            if fault is None or fault.kind not in UNANSWERED:
                answer = self._answer(seen)
            if fault is not None and fault.kind == "edit":
                answer = fault.edit(seen, answer)
            if fault is None:
                switches, listed = self.switches, self._listed[seen.provider]
                version = answer.api_version
                listed.update((call.id, (call, switches, version)) for call in answer.listed)
            status = answer.status if fault is None else fault_status(fault, answer)
            self._requests.append(replace(seen, status=status))
        return fault, answer

    def _answer(self, seen: SeenRequest) -> Answer:
        credentials = Credentials(frozenset(self.keys[seen.provider]), self.key_faults)
        request = ApiRequest(seen.method, seen.path, seen.query, seen.headers, seen.body)
        answer = self._api(seen.provider).answer(request, self.switches, credentials)
        return answer.with_headers({"Date": formatdate(self.world.now.timestamp(), usegmt=True)})

    def _api(self, provider: str) -> ProviderApi:
        api = self._apis.get(provider)
        if api is None:
            api = self._apis[provider] = new_api(provider, self.world)
        return api

    def _lower_headers(self, request: web.BaseRequest) -> dict[str, str]:
        raw, headers = self._same_headers
        if request.raw_headers != raw:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self._same_headers = (request.raw_headers, headers)
        return headers


def new_api(provider: str, world: World) -> ProviderApi:
    """The behaviour of a provider over a world, whose clock it shows in its answers."""

    def clock() -> float:
        return world.now.timestamp()

    if provider == "intercom":
        return IntercomApi(world.intercom, clock)
    if provider == "openphone":
        return OpenPhoneApi(world.openphone, clock)
    if provider == "amplemarket":
        return AmplemarketApi(world.amplemarket, clock)
    return SkipcallApi(world.skipcall, world.skipcall_workspaces, clock)
