"""The connector against the server that plays Aircall, through real sockets: nothing is lost."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessageSerializer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from source_aircall_calls import SourceAircallCalls

from integration_tests.in_process import LOGGER, messages_of

HERE = Path(__file__).parent
_SPEC = importlib.util.spec_from_file_location("aircall_sandbox", HERE / "sandbox.py")
assert _SPEC is not None
assert _SPEC.loader is not None
aircall: Any = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = aircall
_SPEC.loader.exec_module(aircall)

STREAMS = {
    entry["stream"]["name"]: {"streams": [entry]}
    for entry in json.loads((HERE / "configured_catalog.json").read_text("utf-8"))["streams"]
}
MANY = 1_000_000


class Destination:
    """Keeps the last record of each id and the last state, and which ids came in the last sync."""

    def __init__(self, stream: str = "calls") -> None:
        self.catalog = STREAMS[stream]
        self.held: dict[str, dict[str, Any]] = {}
        self.states: list[dict[str, Any]] = []
        self.came: list[str] = []
        self.failure: AirbyteTracedException | None = None

    def sync(self, most: int | None = None, **settings: Any) -> None:
        """One sync in this process, ended early after so many records."""
        self.came, self.failure = [], None
        source = SourceAircallCalls()
        vars(source)["manifest"] = without_limit(source.manifest)
        config = {**aircall.CREDENTIALS, **settings}
        messages = messages_of(source, config, self.catalog, self.states)
        try:
            for message in messages:
                self._take(message)
                if len(self.came) == most:
                    break
        except AirbyteTracedException as failure:
            self.failure = failure
        with suppress(AirbyteTracedException):
            messages.close()

    def _take(self, message: AirbyteMessage) -> None:
        if message.record is not None:
            call = dict(message.record.data)
            self.held[call["id"]] = call
            self.came.append(call["id"])
        if message.state is not None:
            self.states = [
                json.loads(
                    json.dumps(AirbyteStateMessageSerializer.dump(message.state), default=vars)
                )
            ]


def without_limit(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with Aircall's limit lifted: 230 requests would take four minutes."""
    text = json.dumps(manifest)
    assert '"requests": 60,' in text
    found: dict[str, Any] = json.loads(text.replace('"requests": 60,', f'"requests": {MANY},'))
    return found


Serve = Callable[..., Any]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts a server, to which this process's connector goes."""
    started: list[Any] = []

    def start(world: Any, **rules: Any) -> Any:
        sandbox = aircall.Sandbox(world, aircall.Rules(**{"limit": MANY, **rules}))
        started.append(sandbox.__enter__())
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        return sandbox

    yield start
    for sandbox in started:
        sandbox.__exit__(None, None, None)


def test_all_calls_come_and_every_column_is_the_truth(serve: Serve) -> None:
    world = aircall.World(330)
    sandbox = serve(world)
    destination = Destination()

    destination.sync()

    assert destination.failure is None
    assert destination.held == world.truth()
    assert sorted(destination.came) == sorted(world.truth())
    words = {
        name: {call.get(name) for call in destination.held.values()}
        for name in ("status", "direction")
    }
    assert words["status"] == {"completed", "no-answer", "ringing", "in-progress"}
    assert words["direction"] == {"inbound", "outbound"}
    # one window, seven pages, in the order that shifts none
    queries = [request.query for request in sandbox.requests]
    assert sorted(queries, key=lambda query: int(query["page"])) == [
        {"order": "asc", "per_page": "50", "page": str(page)} for page in range(1, 8)
    ]


def test_a_call_in_the_future_is_not_lost(serve: Serve) -> None:
    """A clock that is wrong, somewhere; the newest window has no upper bound."""
    world = aircall.World(330)
    world.add(world.now + 30 * aircall.DAY)
    serve(world, wall=200)
    destination = Destination()
    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, 200)
        destination.sync()
    assert destination.failure is None
    assert destination.held == world.truth()


def test_a_sync_resumes_with_what_is_new_and_what_has_changed(serve: Serve) -> None:
    world = aircall.World(330)
    serve(world)
    destination = Destination()
    destination.sync()
    recent = [
        call.id
        for call in world.calls.values()
        if (call.started_at or 0) > world.now - 6 * aircall.DAY
    ]
    answered = next(number for number in recent if world.calls[number].answered_at)
    world.change(answered, comments=("Late", "remark"))
    new = [world.add(world.now + second) for second in range(3)]

    destination.sync()

    assert destination.held == world.truth()
    assert {str(number) for number in (*new, answered)} <= set(destination.came)
    assert len(destination.came) < 40  # what the lookback reads again, of 333


@pytest.mark.parametrize("total_is_cut", [False, True])
def test_calls_behind_the_wall_come_through_windows(serve: Serve, total_is_cut: bool) -> None:
    world = aircall.World(11_000)
    sandbox = serve(world, total_is_cut=total_is_cut)
    destination = Destination()

    destination.sync()

    assert destination.failure is None
    assert destination.held == world.truth()
    assert sorted(destination.came) == sorted(world.truth())  # each once
    assert {request.status for request in sandbox.requests} == {200}
    assert len(sandbox.requests) < 270  # 220 pages and the way to the windows: one reading


@pytest.mark.parametrize("total_is_cut", [False, True])
def test_exactly_as_many_calls_as_the_wall_may_be_more(serve: Serve, total_is_cut: bool) -> None:
    world = aircall.World(500)
    assert len(world.calls) == 500
    sandbox = serve(world, total_is_cut=total_is_cut, wall=500)
    destination = Destination()

    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, 500)
        destination.sync()

    assert destination.failure is None
    assert destination.held == world.truth()
    windows = [(request.query.get("from"), request.query.get("to")) for request in sandbox.requests]
    assert windows.count((None, None)) == 1  # its first page shows that it may be cut
    bounds = list(dict.fromkeys(windows[1:]))
    assert (bounds[0][0], bounds[-1][1]) == (None, None)


def test_what_is_new_behind_the_wall_comes_in_the_next_sync(serve: Serve) -> None:
    world = aircall.World(700)
    serve(world, wall=300, total_is_cut=True)
    destination = Destination()
    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, 300)
        destination.sync()
        assert destination.held == world.truth()
        late = world.add(
            world.now - 300 * aircall.DAY
        )  # became visible late, long before the state
        new = world.add(world.now + 5)

        destination.sync()

    assert destination.failure is None
    assert destination.held == world.truth()
    assert {str(late), str(new)} <= set(destination.came)
    assert len(destination.came) < 150


def test_more_calls_in_one_second_than_the_wall_end_the_sync_after_all_others(serve: Serve) -> None:
    world = aircall.World(60, days=30)
    crowd = world.now - 40 * aircall.DAY
    for _ in range(60):
        world.add(crowd)
    serve(world, wall=50)
    destination = Destination()
    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, 50)
        destination.sync()

    assert destination.failure is not None
    assert destination.failure.failure_type is not None
    assert destination.failure.failure_type.value == "config_error"
    day = aircall.as_text(crowd + aircall.DAY)[:10]
    assert f"set start_date to {day}T00:00:00Z or later" in str(destination.failure.message)
    others = {
        key
        for key, call in world.truth().items()
        if call.get("started_at") != aircall.as_text(crowd)
    }
    assert others <= destination.held.keys()
    assert len(destination.held) == len(others) + 50
    assert destination.states  # it counts as complete


@pytest.mark.parametrize("wall", [10_000, 300])
def test_what_is_listed_comes_once_also_behind_the_wall(serve: Serve, wall: int) -> None:
    world = aircall.World(700)
    sandbox = serve(world, wall=wall)
    destination = Destination("listed_calls")
    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, wall)
        destination.sync(start_date="2999-01-01T00:00:00Z")

    assert destination.failure is None
    assert destination.held == {id: {"provider": "aircall", "id": id} for id in world.truth()}
    assert sorted(destination.came) == sorted(world.truth())
    begun = [
        one for one in sandbox.requests if {"from", "to", "page"} & one.query.keys() == {"page"}
    ]
    assert [one.query["page"] for one in begun].count("1") == 2  # two readings agree


def test_a_crowd_in_one_second_fails_the_stream_of_what_is_listed(serve: Serve) -> None:
    world = aircall.World(60, days=30)
    for _ in range(60):
        world.add(world.now - 40 * aircall.DAY)
    serve(world, wall=50)
    destination = Destination("listed_calls")
    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, 50)
        destination.sync()

    assert destination.failure is not None
    assert destination.failure.failure_type.value == "config_error"
    said = str(destination.failure.message)
    assert "calls: it lists no more of one moment, so that nobody can tell which" in said
    assert "Take listed_calls out of the connection, or ask Aircall for a complete list." in said


def test_a_sync_that_is_killed_in_the_middle_is_made_up_for(serve: Serve) -> None:
    world = aircall.World(700)
    serve(world, wall=300)
    destination = Destination()
    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, 300)
        destination.sync(most=250)
        assert len(destination.held) == 250
        assert destination.states == []
        world.add(world.now + 1)

        destination.sync()
        assert destination.held == world.truth()
        state = destination.states
        changed = next(n for n in reversed(world.calls) if world.calls[n].answered_at)
        world.change(changed, comments=("After the kill",))
        destination.sync(most=1)
        assert destination.states == state
        destination.sync()

    assert destination.held == world.truth()


def lower_the_wall(patch: pytest.MonkeyPatch, wall: int) -> None:
    """Let the connector know of another wall."""
    lifted = without_limit

    def lowered(manifest: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps(lifted(manifest))
        assert '"wall": 10000' in text
        found: dict[str, Any] = json.loads(text.replace('"wall": 10000', f'"wall": {wall}'))
        return found

    patch.setitem(globals(), "without_limit", lowered)


@pytest.mark.parametrize("key", ["api_id", "api_token"])
def test_wrong_credentials_are_named_and_never_told(serve: Serve, key: str) -> None:
    sandbox = serve(aircall.World(5))
    config = {**aircall.CREDENTIALS, key: "wrong-key-aircall-0000-not-real"}

    status = SourceAircallCalls().check(LOGGER, config)

    assert status.status.value == "FAILED"
    assert "api_id and api_token" in str(status.message)
    assert "Check your API ID and your API token." in str(status.message)
    assert "not-real" not in str(status.message)
    assert [request.status for request in sandbox.requests] == [403]


def test_a_check_costs_one_request_also_of_a_list_behind_a_wall(serve: Serve) -> None:
    sandbox = serve(aircall.World(200), wall=100)
    with pytest.MonkeyPatch.context() as patch:
        lower_the_wall(patch, 100)
        source = SourceAircallCalls()
        vars(source)["manifest"] = without_limit(source.manifest)
        status = source.check(LOGGER, aircall.CREDENTIALS)
    assert status.status.value == "SUCCEEDED"
    assert len(sandbox.requests) == 1


def test_a_429_is_obeyed(serve: Serve) -> None:
    world = aircall.World(120)
    sandbox = serve(world, refused={2: 2})
    destination = Destination()

    destination.sync(num_workers=1)

    assert destination.held == world.truth()
    assert [request.status for request in sandbox.requests] == [200, 429, 200, 200]
    _, refused, again, _ = sandbox.requests
    assert again.at >= int(refused.at) + 2


def test_the_command_reads_it_all_at_the_providers_own_limit(tmp_path: Path) -> None:
    world = aircall.World(130)
    files = {"config": aircall.CREDENTIALS, "catalog": STREAMS["calls"]}
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    with aircall.Sandbox(world) as sandbox:
        done = subprocess.run(
            [
                str(Path(sys.executable).parent / "source-aircall-calls"),
                "read",
                *(part for name in files for part in (f"--{name}", str(tmp_path / f"{name}.json"))),
            ],
            env={**os.environ, "CALLS_SANDBOX_URL": sandbox.url},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-2000:]
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    records = [message["record"]["data"] for message in messages if message["type"] == "RECORD"]
    assert {call["id"]: call for call in records} == world.truth()
    assert len(records) == 130
    assert messages[-1]["type"] in ("LOG", "TRACE", "STATE")
    assert not any(value in done.stdout for value in aircall.CREDENTIALS.values())
