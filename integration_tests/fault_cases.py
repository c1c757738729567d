"""Syncs in this process over real sockets, and the tables of faults and of places for them."""

import pickle
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessageSerializer,
    Type,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CallsSource
from calls_shared.http.patience import Patience
from integration_tests.commands import PROVIDERS, catalog_for, in_full
from integration_tests.connectors import CONNECTORS
from integration_tests.in_process import messages_of
from integration_tests.sandbox import (
    Fault,
    IntercomSwitches,
    OpenPhoneSwitches,
    Sandbox,
    SeenRequest,
    SkipcallSwitches,
    Switches,
    World,
)
from integration_tests.sandbox.faults import ENDLESS, FaultKind
from integration_tests.sandbox.openphone_records import render_line
from integration_tests.sandbox.openphone_workspace import LINES
from integration_tests.variants import OTHER_VERSIONS, Variant

SOURCES: Mapping[str, Callable[[], CallsSource]] = {
    provider: CONNECTORS[provider].source_class() for provider in PROVIDERS
}
NAMES = {provider: CONNECTORS[provider].title for provider in PROVIDERS}
"""The providers' names as the user reads them."""
ATTEMPTS = 8
OPENPHONE_PAGES = {"conversations": 1, "calls_v1": 3, "calls_dated": 3}
"""Sizes of OpenPhone's pages in these tests, so that few records fill several pages."""

BEFORE_THE_WORLD = "2025-01-01T00:00:00.000000Z"
"""No call of a sandbox's world is as old, unless an odd value makes it so.

OpenPhone's windows of sixty days from 1990 on would all be empty, and take a third of a sync.
"""


@dataclass(frozen=True)
class Sync:
    """What one sync emitted, and how it ended."""

    messages: Sequence[AirbyteMessage]
    failure: AirbyteTracedException | None

    def records(self, stream: str = "calls") -> list[dict[str, Any]]:
        """The records of one stream, in order."""
        return [
            dict(message.record.data)
            for message in self.messages
            if message.record is not None and message.record.stream == stream
        ]

    def by_id(self, stream: str = "calls") -> dict[str, dict[str, Any]]:
        """The last record of each id, as a destination that merges by primary key keeps it."""
        return {record["id"]: record for record in self.records(stream)}

    @property
    def states(self) -> list[dict[str, Any]]:
        """The last state of each stream, as a state file holds it; empty if there was none."""
        last: dict[str, dict[str, Any]] = {}
        for message in self.messages:
            if message.type is Type.STATE and message.state and message.state.stream:
                name = message.state.stream.stream_descriptor.name
                last[name] = AirbyteStateMessageSerializer.dump(message.state)
        return list(last.values())

    @property
    def cursor(self) -> str:
        """The cursor in the last state of `calls`; "" if there is none."""
        for state in self.states:
            content = state["stream"]["stream_state"]
            content = content.get("state", content)  # OpenPhone's is one of many partitions
            for name in ("updated_at", "created_at"):
                if name in content:
                    return str(content[name])
        return ""

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Failure type and sentence of each failure."""
        traces = [message.trace.error for message in self.messages if message.trace is not None]
        found = [(str(t.failure_type and t.failure_type.value), t.message) for t in traces if t]
        if self.failure is not None:
            found.append((self.failure.failure_type.value, str(self.failure.message)))
        return found


def source_of(
    provider: str, page_sizes: Mapping[str, int] | None = None, first_window: str = ""
) -> CallsSource:
    """A connector's source without its budget of requests a second, which is not the point here.

    `page_sizes` are other sizes for OpenPhone's pages, by the name of the definition;
    `first_window` is another begin of the first window of time in which it reads conversations.
    """
    source = SOURCES[provider]()
    manifest = without_limits(pickle.loads(_manifest_of(provider)))
    if provider == "openphone":
        sizes = OPENPHONE_PAGES if page_sizes is None else page_sizes
        definitions = manifest["definitions"]
        for name, size in sizes.items():
            paginator = definitions["paginator_dated" if name == "calls_dated" else "paginator"]
            strategy = {**paginator["pagination_strategy"], "page_size": size}
            own = {**paginator, "pagination_strategy": strategy}
            definitions[name]["retriever"]["paginator"] = own
        if first_window:
            cursor = manifest["definitions"]["conversations"]["incremental_sync"]
            manifest["definitions"]["conversations"]["incremental_sync"] = {
                **cursor,
                "start_datetime": first_window,
            }
    vars(source)["manifest"] = manifest  # a cached property
    return source


def without_limits(part: Any) -> Any:
    """A part of a manifest whose requesters keep no limit; when one lifts they know."""
    if isinstance(part, list):
        return [without_limits(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {name: without_limits(value) for name, value in part.items()}
    if part.get("class_name") != "calls_shared.CallRequester":
        return found
    headers = {key: name for key, name in found["rate"].items() if key == "reset_header"}
    return found | {"rate": headers}


@cache
def _manifest_of(provider: str) -> bytes:
    """The manifest, read once and pickled: YAML is slow to read."""
    return pickle.dumps(dict(SOURCES[provider]().manifest))


def sync(
    provider: str,
    states: Iterable[Mapping[str, Any]] = (),
    stream: str = "calls",
    page_sizes: Mapping[str, int] | None = None,
    first_window: str = "",
    **settings: Any,
) -> Sync:
    """One sync in this process; an unforeseen exception comes out."""
    source = source_of(provider, page_sizes, first_window)
    messages: list[AirbyteMessage] = []
    failure = None
    try:
        for message in messages_of(
            source, in_full(provider, **settings), catalog_for(provider, stream), states
        ):
            messages.append(message)
    except AirbyteTracedException as traced:
        failure = traced
    return Sync(messages, failure)


def be_quick(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    *,
    pause: float = 0.001,
    read: float = 600.0,
    answer: float = 600.0,
    seconds: float = 600.0,
) -> None:
    """Send this process's connectors to the sandbox's url, with tiny pauses between attempts.

    `CALLS_SANDBOX_WAIT_SCALE` has one factor for pauses and time-outs; here the time-outs are set
    apart, far above what a busy machine may take, so that no case depends on its speed.
    """

    def scaled(patience: Patience, factor: float) -> Patience:
        return replace(
            patience,
            first_pause=pause,
            longest_pause=4 * pause,
            read=read,
            answer=answer,
            seconds=seconds,
        )

    monkeypatch.setattr(Patience, "scaled", scaled)
    monkeypatch.setenv("CALLS_SANDBOX_URL", url)


@dataclass(frozen=True)
class Place:
    """Where a fault strikes: a connector, its stream that is read, and one of its requests.

    Attributes:
        provider: the connector.
        stream: the stream that is read.
        name: what the place is called in the tests' ids.
        path: how the request's path ends.
        query: part of the request's query.
        nth: which of the matching requests.
        healthy: how many requests match in a healthy sync; null if that depends on our clock.
        api_version: the version of the provider's API that is read, if one is set.
    """

    provider: str
    stream: str
    name: str
    path: str
    query: str = ""
    nth: int = 1
    healthy: int | None = 1
    api_version: str | None = None

    def __str__(self) -> str:
        return f"{self.variant}-{self.stream}-{self.name}"

    @property
    def variant(self) -> Variant:
        """The connector, as it is read."""
        return Variant(self.provider, self.api_version)

    @property
    def stage(self) -> "Stage":
        """What the place is on."""
        return Stage(self.provider, self.api_version)

    @property
    def may_come_first(self) -> bool:
        """Whether it can be the first request of a sync, so that the key has not worked yet."""
        names = ("first_page", "only_page", "parent_phone_numbers", "first_id", "last_id")
        is_of_a_number = self.query.startswith("phoneNumberId")
        return self.name in names and not is_of_a_number and not self.is_late

    @property
    def is_late(self) -> bool:
        """Whether the sync reads another list before it, that of what surrounds the calls."""
        return self.api_version is not None and self.path == "/calls"

    @property
    def may_be_skipped(self) -> bool:
        """Whether the provider itself can refuse it in a way that is skipped."""
        return (self.path == "/v1/calls" and self.provider == "openphone") or "/calls/" in self.path

    @property
    def list_key(self) -> str:
        """Where the provider's pages have their list."""
        return "calls" if self.provider == "amplemarket" else "data"

    def hit_by(self, case: "Case", times: int = ENDLESS) -> Fault:
        """The case's fault at this place, in so many requests one after another."""
        return Fault(
            self.provider,
            path_contains=self.path,
            query_contains=self.query,
            nth=self.nth,
            times=times,
            kind=case.kind,
            status=case.status,
            headers=case.headers,
            body=case.body.replace("LIST", self.list_key),
        )

    def count(self, requests: Iterable[SeenRequest]) -> int:
        """How many requests match."""
        fault = Fault(self.provider, path_contains=self.path, query_contains=self.query)
        return sum(fault.matches(request) for request in requests)

    def healthy_of(self, requests: Iterable[SeenRequest]) -> int:
        """How many of the requests that match would have been sent without a fault."""
        if self.healthy is not None:
            return self.healthy
        return len({request.raw_query for request in requests if self.count([request])})


CALL_IDS = (0, 10, 20)
"""Places in the history of the Intercom calls that `calls_by_id` reads."""
LOBBY_CALLS = "phoneNumberId=PNlobby3&participants=+16465550005"
"""One conversation of a number without users: one reading of three pages."""

PLACES: tuple[Place, ...] = (
    *(
        Place(provider, "calls", name, "/calls", f"page={number}&")
        for provider in ("intercom", "skipcall")
        for number, name in enumerate(("first_page", "middle_page", "last_page"), 1)
    ),
    *(
        Place("amplemarket", "calls", name, "/calls", nth=number, healthy=3)
        for number, name in enumerate(("first_page", "middle_page", "last_page"), 1)
    ),
    Place("intercom", "calls_by_id", "first_id", "/calls/007"),
    Place("intercom", "calls_by_id", "last_id", "/calls/12"),
    Place("openphone", "phone_numbers", "only_page", "/v1/phone-numbers"),
    Place("openphone", "calls", "parent_phone_numbers", "/v1/phone-numbers"),
    *(
        Place(
            "openphone",
            "calls",
            f"parent_conversations_{name}",
            "/v1/conversations",
            "phoneNumbers=PN5e3",
            number,
            3,
        )
        for number, name in enumerate(("first_page", "middle_page", "last_page"), 1)
    ),
    *(
        Place("openphone", "calls", name, "/v1/calls", LOBBY_CALLS, number, 3)
        for number, name in enumerate(("first_page", "middle_page", "last_page"), 1)
    ),
    *(
        Place(variant.provider, "calls", name, path, query, nth, healthy, variant.api_version)
        for variant in OTHER_VERSIONS
        for name, path, query, nth, healthy in (
            ("parent_phone_numbers", "/v1/phone-numbers", "", 1, 1),
            ("first_page", "/calls", "", 1, None),
            ("probe", "/calls", "", 2, None),
            ("window", "/calls", "gte%5D=", 1, None),
            ("middle_page", "/calls", "after=", 2, None),
            ("late_page", "/calls", "after=", 9, None),
        )
    ),
)
"""Every stream of every connector, at its first, a middle and its last page, and its parents."""


@dataclass(frozen=True)
class Case:
    """One fault, and how a sync ends that it does not leave.

    Attributes:
        name: what the case is called in the tests' ids.
        kind: the sandbox's kind of fault.
        status, headers, body: of the fault; `LIST` in the body is the provider's list key.
        passes: whether a sync outlives it if it passes.
        stays: the sentence's middle if it stays; "" if it is waited for without end.
        failure_type: of the failure if it stays.
        attempts: requests made before the failure.
    """

    name: str
    kind: FaultKind
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    passes: bool = True
    stays: str = ""
    failure_type: str = "transient_error"
    attempts: int = ATTEMPTS

    def __str__(self) -> str:
        return self.name

    @property
    def needs_time_out(self) -> bool:
        """Whether only a time-out ends it."""
        return self.kind in ("drip", "no_answer")


def unreachable(name: str, kind: FaultKind, why: str) -> Case:
    """A fault of the network."""
    return Case(name, kind, stays=f" could not be reached ({why}), and trying again did not help.")


def misshapen(name: str, body: str, why: str) -> Case:
    """A body under HTTP 200 that is not the promised page; `why` is "" if it is not compared."""
    page = " answered HTTP 200 with something else than a page of records"
    reason = f"({why}), and trying again did not help." if why else "("
    return Case(name, "body", body=body, stays=f"{page} {reason}")


SAYS = "No such luck\\u0007today"
"""The provider's words in an error body; the control character must not come through."""
NETWORK: tuple[Case, ...] = (
    unreachable("reset_before_the_answer", "reset_before", "the connection was reset"),
    unreachable("reset_in_the_body", "reset_in_body", "the connection was reset"),
    unreachable("cut_with_wrong_length", "cut_body_wrong_length", "the answer was cut short"),
    Case("cut_with_right_length", "cut_body_right_length", stays="(a JSON body that is cut short"),
    Case("gzip_cut", "gzip_cut", stays=" and trying again did not help."),
)
SLOW: tuple[Case, ...] = (
    unreachable("dripping_body", "drip", "the answer did not come in time"),
    unreachable("no_answer", "no_answer", "the answer did not come in time"),
)
RETRIED: tuple[Case, ...] = tuple(
    Case(
        f"status_{status}",
        "status",
        status,
        body=f'{{"message": "{SAYS}"}}',
        stays=f" could not answer (HTTP {status}), and trying again did not help.",
    )
    for status in (408, 409, 423, 425, 500, 502, 503, 504)
)
REFUSED: tuple[Case, ...] = tuple(
    Case(
        f"status_{status}",
        "status",
        status,
        body=f'{{"error": {{"message": "{SAYS}"}}}}',
        passes=False,
        stays=f" refused the request (HTTP {status}) and says: No such luck today",
        failure_type="system_error",
        attempts=1,
    )
    for status in (418, 451)
)
HTML = "<!DOCTYPE html><html><head><title>Access denied</title></head><body>No</body></html>"
GATEWAY_BODIES = {
    "html": HTML,
    "route": '{"message": "no Route matched with those values"}',
    "message": '{"message": "Forbidden"}',
    "router": '{"statusCode": 404, "error": "Not Found", "message": "Cannot GET /v1/calls"}',
    "empty": "",
}
"""What proxies, firewalls and routers answer, who know nothing of the provider's envelope."""
GATEWAY: tuple[Case, ...] = tuple(
    Case(f"status_{status}_{name}", "status", status, body=body, stays=f"HTTP {status}")
    for status in (403, 404)
    for name, body in GATEWAY_BODIES.items()
)
UNFORMED: tuple[Case, ...] = tuple(
    Case(
        f"status_{status}_{name}",
        "status",
        status,
        body=GATEWAY_BODIES[name],
        passes=False,
        stays=f"HTTP {status}",
        failure_type="system_error",
        attempts=1,
    )
    for status in (400, 422)
    for name in ("html", "message")
)
"""Refusals that are neither a gateway's nor in the provider's envelope: no skip, wherever."""
UNAUTHORIZED = Case(
    "status_401",
    "status",
    401,
    body=f'{{"error": {{"message": "{SAYS}"}}}}',
    stays="HTTP 401",
    failure_type="config_error",
    attempts=3,
)
"""Where the key has worked before."""
LIMITED: tuple[Case, ...] = (
    Case("status_429", "status", 429),
    Case("status_429_of_the_past", "status", 429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
    Case("status_429_of_zero_seconds", "status", 429, {"Retry-After": "0"}),
    Case(
        "status_429_of_nonsense", "status", 429, {"Retry-After": "soon", "X-RateLimit-Reset": "-"}
    ),
)
"""None of them names a time to wait, so the connector's own pauses apply."""
SHAPES: tuple[Case, ...] = (
    misshapen("html", "<!DOCTYPE html><html>Sign in</html>", "an HTML or XML page"),
    misshapen("empty_body", "", "an empty body"),
    misshapen("null", "null", "the JSON value null"),
    misshapen("list", '[{"id": "x"}]', "a JSON list in place of an object"),
    misshapen("string", '"calls"', "a JSON str in place of an object"),
    misshapen("number", "42", "a JSON int in place of an object"),
    misshapen("missing_list", '{"total": 0, "total_count": 0, "totalPages": 0}', "WHERE"),
    misshapen("object_for_list", '{"LIST": {"id": "x"}}', "WHERE"),
    misshapen("null_for_list", '{"LIST": null}', "WHERE"),
    misshapen("text_under_200", "upstream connect error", "a body that is not JSON"),
    misshapen("error_under_200", f'{{"error": {{"message": "{SAYS}"}}}}', "an error: No such luck"),
)
ENVELOPES: tuple[Case, ...] = (
    misshapen("null_for_list_of_3", '{"LIST": null, "total": 3, "total_count": 3}', ""),
    *(
        misshapen(f"{name}_beside_empty_list", f'{{"LIST": [], {body}}}', "")
        for name, body in (
            ("error", f'"error": {{"message": "{SAYS}"}}'),
            ("errors", f'"errors": [{{"message": "{SAYS}"}}]'),
            ("_errors", f'"_errors": [{{"detail": "{SAYS}"}}]'),
            ("failure", f'"success": false, "message": "{SAYS}"'),
        )
    ),
)
"""Bodies that hold a list, or say why they do not, and yet are no page."""
REDIRECTS: tuple[Case, ...] = tuple(  # the header Location belongs to the test
    Case(
        f"redirect_{status}",
        "status",
        status,
        passes=False,
        stays=f" (HTTP {status}). Redirects are not followed",
        failure_type="system_error",
        attempts=1,
    )
    for status in (301, 302, 303, 307, 308)
)


def sentence_of(place: Place, case: Case) -> str:
    """What the user reads if the case stays at the place, up to the first variable part."""
    where = f"no list under {place.list_key!r}"
    if place.stream == "calls_by_id":
        where = "a JSON object without an id"
    return case.stays.replace("WHERE", where).removesuffix("), and trying again did not help.")


class Stage:
    """A sandbox with the world of a place, and the truth about the place's stream."""

    def __init__(self, provider: str, api_version: str | None = None) -> None:
        self.variant = Variant(provider, api_version)
        calls = {"intercom": 70, "skipcall": 50, "amplemarket": 250, "openphone": 63}
        world = World(calls=calls[provider], conversations=9 if provider == "openphone" else None)
        self.provider = provider
        self.sandbox = Sandbox(world, quick_switches())

    @cached_property
    def call_ids(self) -> list[str]:
        """The ids that `calls_by_id` is asked for."""
        calls = self.sandbox.listable("intercom")
        return ["007", calls[0].id, "12"]

    def settings(self, stream: str) -> dict[str, Any]:
        """What the configuration needs for the stream."""
        if stream == "calls_by_id":
            return {"call_ids": self.call_ids}
        # one window after another, so that it is known which request is which
        in_turn = {} if self.variant.api_version is None else {"num_workers": 1}
        return {**self.variant.settings, **in_turn}

    def truth(self, stream: str) -> dict[str, dict[str, Any]]:
        """The stream's records by id."""
        if stream == "phone_numbers":
            return {line.id: dict(render_line(line, self.sandbox.switches)) for line in LINES}
        expected = self.variant.expected(self.sandbox)
        if stream == "calls_by_id":
            return {call_id: expected[call_id] for call_id in self.call_ids}
        return expected

    def sync(self, stream: str, states: Iterable[Mapping[str, Any]] = (), **more: Any) -> Sync:
        """One sync of the stream."""
        settings = {**self.settings(stream), **more}
        return sync(self.provider, states, stream, first_window=BEFORE_THE_WORLD, **settings)


def quick_switches() -> Switches:
    """No limits, small pages, and an OpenPhone that lists everybody's calls without `userId`."""
    return Switches(
        intercom=IntercomSwitches(limit=1_000_000),
        openphone=OpenPhoneSwitches(user_default="everyone"),
        skipcall=SkipcallSwitches(limit_cut=20, limit=1_000_000),
        enforce_limits=False,
    )


class Doorway:
    """A way to a server that can be shut: then connections are reset, and new ones refused."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._inside = (str(parts.hostname), int(parts.port or 80))
        self._server = socket.create_server(("127.0.0.1", 0))
        self._address = self._server.getsockname()
        self.url = f"http://127.0.0.1:{self._address[1]}"
        self._open: list[socket.socket] = []
        self._lock = Lock()
        self._pumps: list[Thread] = []

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
        self._server.close()
        for pump in self._pumps:
            pump.join()
        for connection in self._open:
            connection.close()

    def shut(self) -> None:
        """Reset all connections and refuse new ones; the port stays ours, as nobody listens."""
        with self._lock, suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._server = socket.socket()
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._server.bind(self._address)
        # from here on no other process may be given the port, as it may while nobody listens
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    connection.shutdown(socket.SHUT_RDWR)

    def reopen(self) -> None:
        """Let connections in again, at the same address."""
        self._server.close()
        self._server = socket.create_server(self._address)
        self._start()

    def _start(self) -> None:
        self._run(self._accept, self._server)

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        pump = Thread(target=work, args=arguments, daemon=True)
        self._pumps.append(pump)
        pump.start()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                outer, _ = server.accept()
                with self._lock:
                    inner = socket.create_connection(self._inside)
                    self._open += [outer, inner]
                self._run(self._pump, outer, inner)
                self._run(self._pump, inner, outer)

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
