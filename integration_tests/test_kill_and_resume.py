"""A sync that is killed at any moment loses nothing: the next one goes on from its last state.

The real commands are killed (SIGKILL, SIGTERM, a closed stdout) after some of their messages, and
resumed from the last state among exactly those messages: whatever stood in the pipe behind them is
lost, as it is for a platform that dies with its source.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

import pytest
from airbyte_cdk.models import AirbyteStateMessageSerializer
from airbyte_cdk.sources.declarative.incremental import concurrent_partition_cursor

import calls_shared.protocol.heartbeat
from calls_shared import CallsSource
from integration_tests.commands import PROVIDERS, Connector, catalog_for, in_full
from integration_tests.connectors import CONNECTORS
from integration_tests.fault_cases import without_limits
from integration_tests.in_process import read, records
from integration_tests.sandbox import Fault, Sandbox, SkipcallSwitches, Switches, World
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.times import DAY
from integration_tests.variants import OTHER_VERSIONS, VARIANTS, Variant

Message = dict[str, Any]
Enough = Callable[[Sequence[Message]], bool]

SOURCES: dict[str, type[CallsSource]] = {
    provider: CONNECTORS[provider].source_class() for provider in PROVIDERS
}
CLOSED_STDOUT = "closed stdout"
SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
WAYS = ("SIGKILL", "SIGTERM", CLOSED_STDOUT)
LONG_ENOUGH = 120.0
"""Seconds in which a process has ended, on any machine; what it does would else last longer."""


def of_type(messages: Sequence[Message], kind: str) -> list[Message]:
    return [message for message in messages if message["type"] == kind]


def by_id(messages: Sequence[Message]) -> dict[str, dict[str, Any]]:
    found = (message["record"]["data"] for message in of_type(messages, "RECORD"))
    return {record["id"]: record for record in found}


def last_state(messages: Sequence[Message]) -> list[Message]:
    """The content of a state file: the last state among the messages, or none."""
    states = of_type(messages, "STATE")
    return [{"type": "STREAM", "stream": states[-1]["state"]["stream"]}] if states else []


@dataclass(frozen=True)
class Interrupted:
    """A read that did not come to its end: what was delivered of it, and how it ended."""

    delivered: list[Message]
    """The messages until it was enough."""
    written: list[Message]
    """These, and all that had been written before the end (not known after a closed stdout)."""
    exit_status: int
    stderr: str


def start(
    connector: Connector, stderr: IO[bytes], environment: Mapping[str, str], config: Any = None
) -> subprocess.Popen[bytes]:
    """Start a `read` whose stdout is a pipe that we hold the other end of."""
    command = [str(Path(sys.executable).parent / f"source-{connector.provider}-calls"), "read"]
    files = {
        "config": in_full(connector.provider) if config is None else config,
        "catalog": catalog_for(connector.provider),
    }
    for name, content in files.items():
        path = connector.folder / f"{connector.provider}-{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        command += [f"--{name}", str(path)]
    variables = {**os.environ, "CALLS_SANDBOX_URL": connector.sandbox.url, **environment}
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # a shell's job in the background; the command would inherit that it ignores SIGINT
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=stderr)


def interrupted(
    connector: Connector,
    how: str,
    enough: Enough,
    *,
    config: Any = None,
    environment: Mapping[str, str] | None = None,
    settle: Callable[[], None] = lambda: None,
) -> Interrupted:
    """Read until the messages are enough, then end the process; a test fails if it goes on.

    Nothing more is read before it has ended. `settle` waits for something in between.
    """
    with tempfile.TemporaryFile() as stderr:
        process = start(connector, stderr, environment or {}, config)
        assert process.stdout is not None
        delivered: list[Message] = []
        try:
            while not enough(delivered):
                line = process.stdout.readline()
                assert line, f"the read ended after {len(delivered)} messages"
                delivered.append(json.loads(line))
            settle()
            if how == CLOSED_STDOUT:
                process.stdout.close()
            else:
                process.send_signal(SIGNALS[how])
            process.wait(LONG_ENOUGH)
            rest = b"" if process.stdout.closed else process.stdout.read()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        stderr.seek(0)
        errors = stderr.read().decode()
    whole, _, _torn = rest.rpartition(b"\n")
    written = delivered + [json.loads(line) for line in whole.splitlines()]
    return Interrupted(delivered, written, process.returncode, errors)


def messages(number: int) -> Enough:
    return lambda delivered: len(delivered) >= number


def count_of(kind: str, number: int) -> Enough:
    return lambda delivered: (
        bool(delivered)
        and delivered[-1]["type"] == kind
        and len(of_type(delivered, kind)) >= number
    )


@dataclass
class Laboratory:
    """One connector's world that stands still, and what a read from each state of it brings."""

    variant: Variant
    sandbox: Sandbox
    folder: Path
    _resumed: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        """Whose calls there are."""
        return self.variant.provider

    @property
    def connector(self) -> Connector:
        """What is interrupted is the console script; what resumes may start faster."""
        return Connector(self.provider, self.sandbox, self.folder, forked=True)

    @property
    def config(self) -> dict[str, Any]:
        """One request at a time where pages are numbered, so that the messages come one by one."""
        in_turn = self.provider in ("intercom", "skipcall") or self.variant.api_version is not None
        one = {"num_workers": 1} if in_turn else {}
        return in_full(self.provider, **self.variant.settings, **one)

    @property
    def expected(self) -> dict[str, dict[str, Any]]:
        """All calls."""
        return self.variant.expected(self.sandbox)

    @property
    def leaves_states(self) -> bool:
        """Whether a first sync leaves states before its end."""
        return self.provider == "openphone"

    def resumed(self, state: list[Message]) -> dict[str, Any]:
        """The records of a whole read from a state; each distinct state is read once."""
        name = json.dumps(state, sort_keys=True)
        if name not in self._resumed:
            outcome = self.connector.read(self.config, state=state)
            assert outcome.exit_status == 0
            assert outcome.states
            self._resumed[name] = outcome.by_id()
        return self._resumed[name]

    def resumed_in_this_process(self, state: list[Message]) -> dict[str, Any]:
        """The same without the start of a process and without the provider's rate limit."""
        self.sandbox.switches = Switches(enforce_limits=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CALLS_SANDBOX_URL", self.sandbox.url)
            found = read(fast_source(self.provider), self.config, catalog_for(self.provider), state)
        return {call["id"]: call for call in records(found)}


def laboratory(variant: Variant, folder: Path, calls: int, latency: float) -> Laboratory:
    skipcall = SkipcallSwitches(limit_cut=50, limit=1000)
    switches = Switches(skipcall=skipcall, latency_seconds=latency)
    world = World(calls=calls, conversations=max(4, calls // 100))
    return Laboratory(variant, Sandbox(world, switches), folder)


@pytest.fixture(scope="module")
def small(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    """A few hundred calls, and a latency that makes the messages come bit by bit."""
    variant: Variant = request.param
    is_dated = variant.api_version is not None
    calls, latency = (40, 0.02) if variant.provider == "openphone" else (250, 0.12)
    calls, latency = (400, 0.12) if is_dated else (calls, latency)
    found = laboratory(variant, tmp_path_factory.mktemp(str(variant)), calls, latency)
    with found.sandbox:
        yield found


POINTS: dict[str, Callable[[int], Enough]] = {
    "before the first record": lambda _: messages(5),
    "after the first record": lambda _: count_of("RECORD", 1),
    "in the middle of the records": lambda calls: count_of("RECORD", calls // 2),
    "after the last record": lambda calls: count_of("RECORD", calls),
    "after the first state": lambda _: count_of("STATE", 1),
}
# every provider at every point; the ways to end take turns, so that each provider sees each way
CASES = [
    pytest.param(variant, point, how, id=f"{variant}, {how}, {point}")
    for turn, variant in enumerate(VARIANTS)
    for number, point in enumerate(POINTS)
    for how in [WAYS[(turn + number) % 3]]
]


@pytest.mark.parametrize(("small", "point", "how"), CASES, indirect=["small"])
def test_a_killed_sync_is_resumed_from_its_last_state(
    small: Laboratory, point: str, how: str
) -> None:
    calls = len(small.expected)
    cut = interrupted(small.connector, how, POINTS[point](calls), config=small.config)

    if point not in ("after the last record", "after the first state"):
        # it was in the middle of its work, and had no state yet where a pass must be proved first
        assert how == CLOSED_STDOUT or cut.exit_status == -SIGNALS[how]
        assert small.leaves_states or last_state(cut.delivered) == []
    if how == CLOSED_STDOUT:
        # it may just have come to its end by itself
        assert cut.exit_status == 1 or point in ("after the last record", "after the first state")
    assert cut.stderr == ""

    held = {**by_id(cut.delivered), **small.resumed(last_state(cut.delivered))}
    assert held == small.expected


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_larger_sync_is_killed_at_random(variant: Variant, tmp_path: Path) -> None:
    chance = random.Random(f"{variant} 2026")
    large = laboratory(variant, tmp_path, 2000, 0.02)
    large_switches = large.sandbox.switches
    with large.sandbox:
        expected = large.expected
        for how in chance.sample(WAYS, 2):
            large.sandbox.switches = large_switches
            moment = chance.randrange(1, 2000)
            cut = interrupted(large.connector, how, messages(moment), config=large.config)
            assert cut.stderr == ""
            assert len(by_id(cut.written)) < len(expected)
            after = large.resumed_in_this_process(last_state(cut.written))
            assert {**by_id(cut.written), **after} == expected


@pytest.mark.parametrize("provider", ["intercom", "amplemarket", "skipcall"])
def test_a_state_is_only_written_once_its_records_are(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but OpenPhone: the state comes when the list has been read, and when all is done."""
    with Sandbox(World(calls=250)) as sandbox:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        found = read(fast_source(provider), in_full(provider), catalog_for(provider))
    last_record = max(number for number, message in enumerate(found) if message.record is not None)
    assert all(message.state is None for message in found[:last_record])
    states = [message.state for message in found if message.state is not None]
    assert len(states) == 2
    assert states[0].stream == states[1].stream
    counts = [state.sourceStats.recordCount for state in states if state.sourceStats]
    assert counts == [250.0, 0.0]


# OpenPhone's states in the midst of a sync


class Hurried:
    """A `time` module in whose eyes ten minutes pass between any two looks at the clock."""

    perf_counter_ns = staticmethod(time.perf_counter_ns)

    def __init__(self, step: float) -> None:
        self._now, self._step = 1e9, step

    def time(self) -> float:
        self._now += self._step
        return self._now


def fast_source(provider: str, in_turn: bool = False) -> CallsSource:
    """A source whose manifest names no rate limit that a test would have to wait for.

    `in_turn`: one partition is read after another, so that the order of all messages is fixed.
    """
    manifest = json.loads(unlimited_manifest(provider))
    if in_turn:
        manifest["concurrency_level"] = {"type": "ConcurrencyLevel", "default_concurrency": 1}
    source = SOURCES[provider]()
    source.__dict__["manifest"] = manifest
    return source


@cache
def unlimited_manifest(provider: str) -> str:
    return json.dumps(without_limits(SOURCES[provider]().manifest))


@dataclass(frozen=True)
class Checkpoint:
    """A state, and the records that were emitted before it."""

    state: dict[str, Any]
    held: dict[str, Any]


def checkpoints_of(
    config: dict[str, Any], in_turn: bool = False
) -> tuple[list[Checkpoint], dict[str, Any]]:
    """All states of a sync of OpenPhone, and all of its records."""
    found, held = [], {}
    for message in read(fast_source("openphone", in_turn), config, catalog_for("openphone")):
        if message.record is not None:
            held[message.record.data["id"]] = dict(message.record.data)
        if message.state is not None:
            state = AirbyteStateMessageSerializer.dump(message.state)
            found.append(Checkpoint({"type": "STREAM", "stream": state["stream"]}, dict(held)))
    return found, held


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_sync_may_be_cut_after_any_message(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends it, a destination then holds a first part of the messages."""
    monkeypatch.setattr(concurrent_partition_cursor, "time", Hurried(601.0))
    world = World(calls=250, conversations=12)
    with Sandbox(world, Switches(enforce_limits=False)) as sandbox:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        expected, provider = variant.expected(sandbox), variant.provider
        config, catalog = in_full(provider, **variant.settings), catalog_for(provider)
        whole = read(fast_source(provider), config, catalog)
        state: list[Message] = []
        held: dict[str, Any] = {}
        resumed: dict[str, dict[str, Any]] = {}
        for message in [None, *whole]:
            if message is not None and message.record is not None:
                held[message.record.data["id"]] = dict(message.record.data)
            if message is not None and message.state is not None:
                dumped = AirbyteStateMessageSerializer.dump(message.state)
                state = [{"type": "STREAM", "stream": dumped["stream"]}]
            name = json.dumps(state, sort_keys=True)
            if name not in resumed:
                rest = read(fast_source(provider), config, catalog, state)
                resumed[name] = {call["id"]: call for call in records(rest)}
            assert {**held, **resumed[name]} == expected
        assert held == expected
        assert len(resumed) >= 2


def test_openphone_emits_a_state_at_most_every_ten_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Sandbox(World(calls=80, conversations=8), Switches(enforce_limits=False)) as sandbox:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        monkeypatch.setattr(concurrent_partition_cursor, "time", Hurried(0.0))
        slow, everything = checkpoints_of(in_full("openphone"), in_turn=True)
        monkeypatch.setattr(concurrent_partition_cursor, "time", Hurried(601.0))
        quick, _ = checkpoints_of(in_full("openphone"), in_turn=True)
        assert everything == sandbox.expected("openphone")
    # within ten minutes: when the first conversation has been read, and at the end
    assert [len(point.held) for point in slow] == [10, 80]
    # ten minutes later each time: when each conversation has been read, when all have, at the end
    assert [len(point.held) for point in quick] == [*range(10, 81, 10), 80, 80]


@pytest.mark.parametrize("slow_request", [1, 5])
def test_every_state_of_openphone_can_be_resumed(
    slow_request: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the calls of one conversation come much later than those of all others."""
    world = World(calls=240, conversations=24)
    with Sandbox(world, Switches(enforce_limits=False)) as sandbox:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        monkeypatch.setattr(concurrent_partition_cursor, "time", Hurried(601.0))
        sandbox.faults = [
            Fault("openphone", path_contains="/calls", nth=slow_request, kind="drip", seconds=1e-4)
        ]
        config = in_full("openphone", lookback_days=1)
        checkpoints, everything = checkpoints_of(config)
        whole = sum(request.path.endswith("/calls") for request in sandbox.requests)
        expected = sandbox.expected("openphone")
        assert everything == expected
        distinct = {json.dumps(point.state): point for point in checkpoints}
        assert len(distinct) >= 2
        # the first with each state holds the fewest records
        for point in reversed(checkpoints):
            distinct[json.dumps(point.state)] = point
        asked = []
        for point in distinct.values():
            sandbox.clear_requests()
            after = read(fast_source("openphone"), config, catalog_for("openphone"), [point.state])
            assert {**point.held, **{call["id"]: call for call in records(after)}} == expected
            asked.append(sum(request.path.endswith("/calls") for request in sandbox.requests))
        # a later state saves requests: it is no empty promise
        assert whole > asked[-1] > 0
        assert asked[0] >= asked[-1]


def test_a_backfill_of_openphone_goes_on_within_a_phone_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From each state, exactly the conversations are asked that the state has not passed."""
    world = World(calls=60, conversations=30, one_after_another=True)
    threads = world.openphone.threads.values()
    with Sandbox(world, Switches(enforce_limits=False)) as sandbox:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        monkeypatch.setattr(concurrent_partition_cursor, "time", Hurried(601.0))
        config, catalog = in_full("openphone", lookback_days=1), catalog_for("openphone")
        expected = sandbox.expected("openphone")
        checkpoints, everything = checkpoints_of(config, in_turn=True)
        assert everything == expected
        left: list[int] = []
        for point in checkpoints:
            parents = point.state["stream"]["stream_state"]["parent_state"]["conversations"]
            passed = {
                entry["partition"]["phone_number_id"]: entry["cursor"]["active_at"]
                for entry in parents["states"]
            }
            wanted = {
                (line, one.conversation.participants[0])
                for one in threads
                for line in [one.conversation.line.id]
                if line not in passed or one.activity >= epoch_milliseconds(passed[line]) - DAY
            }
            if left and left[-1] == len(wanted):
                continue  # the same state as before
            sandbox.clear_requests()
            found = read(fast_source("openphone"), config, catalog, [point.state])
            asked = {
                (query["phoneNumberId"], query["participants"])
                for request in sandbox.requests
                if request.path.endswith("/calls")
                for query in [dict(request.query)]
            }
            assert asked == wanted
            assert {**point.held, **{call["id"]: call for call in records(found)}} == expected
            left.append(len(wanted))
    # 400 days are six or seven windows for each of three numbers
    assert left == sorted(left, reverse=True)
    assert len(left) > 3 * 5
    assert left[-1] <= 3


def epoch_milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000


def test_a_sync_of_openphone_is_killed_after_a_state_in_its_midst(tmp_path: Path) -> None:
    hurry = (
        "import time\n"
        "from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (\n"
        "    ConcurrentPerPartitionCursor as Cursor,\n"
        ")\n"
        "Cursor._throttle_state_message = lambda cursor: time.time()\n"
    )
    lab = laboratory(Variant("openphone"), tmp_path, 100, 0.02)
    lab.sandbox.world = World(calls=100, conversations=14)
    with lab.sandbox:
        cut = interrupted(
            lab.connector,
            "SIGKILL",
            count_of("STATE", 1),
            # two conversations at once: however slow the first one is, others are still to come
            config=in_full("openphone", num_workers=1),
            environment=patched_environment(tmp_path, hurry),
        )
        assert cut.exit_status == -signal.SIGKILL
        assert 0 < len(by_id(cut.delivered)) < 100
        after = lab.resumed_in_this_process(last_state(cut.delivered))
        assert {**by_id(cut.delivered), **after} == lab.sandbox.expected("openphone")


def patched_environment(folder: Path, statements: str) -> dict[str, str]:
    """An environment in which a Python process runs some statements before all else."""
    patches = folder / "patches"
    patches.mkdir(exist_ok=True)
    (patches / "sitecustomize.py").write_text(statements, encoding="utf-8")
    others = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{patches}{os.pathsep}{others}" if others else str(patches)}


# Ending while waiting


def long_limit(provider: str, path: str = "calls", nth: int = 2) -> Fault:
    """From the nth request on, a rate limit that lasts ten minutes."""
    return Fault(
        provider,
        path_contains=path,
        nth=nth,
        times=ENDLESS,
        kind="status",
        status=429,
        headers={"Retry-After": "600"},
    )


def waits_for_a_limit(delivered: Sequence[Message]) -> bool:
    return bool(delivered) and "rate limit reached" in json.dumps(delivered[-1])


@pytest.mark.parametrize(
    ("variant", "how"),
    [
        (Variant("intercom"), "SIGTERM"),
        (Variant("intercom"), "SIGINT"),
        (Variant("openphone"), "SIGTERM"),
        (Variant("openphone"), "SIGINT"),
        (Variant("amplemarket"), "SIGINT"),
        (Variant("skipcall"), "SIGTERM"),
        *((variant, "SIGTERM") for variant in OTHER_VERSIONS),
    ],
    ids=str,
)
def test_a_signal_ends_a_wait_for_a_rate_limit(variant: Variant, how: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=350)) as sandbox:
        sandbox.faults = [long_limit(variant.provider)]
        connector = Connector(variant.provider, sandbox, tmp_path)
        cut = interrupted(
            connector,
            how,
            waits_for_a_limit,
            config=in_full(variant.provider, **variant.settings),
            settle=lambda: time.sleep(0.5),
        )
        assert cut.exit_status == -SIGNALS[how]
        assert last_state(cut.written) == []
        assert cut.stderr == ""
        assert "not-real" not in cut.stderr + json.dumps(cut.written)


BEAT_QUICKLY = (
    "import calls_shared.protocol.heartbeat\ncalls_shared.protocol.heartbeat.INTERVAL = 0.3\n"
)
BEAT_NEVER = (
    "import calls_shared.protocol.heartbeat\ncalls_shared.protocol.heartbeat.INTERVAL = 1e6\n"
)


@pytest.mark.parametrize("provider", ["intercom", "openphone"])
def test_a_stdout_that_closes_during_a_wait_ends_it(provider: str, tmp_path: Path) -> None:
    """Nothing is written during the wait, and no sign of life: it is looked for."""
    with Sandbox(World(calls=350)) as sandbox:
        sandbox.faults = [long_limit(provider, nth=4 if provider == "openphone" else 2)]
        cut = interrupted(
            Connector(provider, sandbox, tmp_path),
            CLOSED_STDOUT,
            waits_for_a_limit,
            environment=patched_environment(tmp_path, BEAT_NEVER),
        )
        assert (cut.exit_status, cut.stderr) == (1, "")


# Ending while nobody reads


def requests_cease(sandbox: Sandbox) -> Callable[[], None]:
    """Waits until the reading stands still, because the pipe and the queue of records are full."""

    def wait() -> None:
        asked = -1
        while len(sandbox.requests) > asked:
            asked = len(sandbox.requests)
            time.sleep(3.0)

    return wait


FULL_QUEUE = [
    *((Variant("skipcall"), how) for how in (CLOSED_STDOUT, "SIGINT", "SIGTERM")),
    *((Variant("openphone"), how) for how in (CLOSED_STDOUT, "SIGINT")),
    (Variant("intercom"), CLOSED_STDOUT),
    (Variant("amplemarket"), CLOSED_STDOUT),
    *((variant, CLOSED_STDOUT) for variant in OTHER_VERSIONS),
]


@pytest.mark.parametrize(("variant", "how"), FULL_QUEUE, ids=str)
def test_a_process_whose_reader_stalls_ends_when_it_is_told_to(
    variant: Variant, how: str, tmp_path: Path
) -> None:
    """Its main thread is within a write, and its workers wait for a place in the full queue.

    Nobody reads again before the process has ended. It would else last for ever.
    """
    world = World(calls=4_000, conversations=200)
    with Sandbox(world, Switches(enforce_limits=False)) as sandbox:
        cut = interrupted(
            Connector(variant.provider, sandbox, tmp_path),
            how,
            count_of("RECORD", 50),
            config=in_full(variant.provider, **variant.settings),
            settle=requests_cease(sandbox),
        )
        assert cut.exit_status == (1 if how == CLOSED_STDOUT else -SIGNALS[how])
        assert cut.stderr == ""
        assert 50 <= len(by_id(cut.written)) < 1_000  # of at least 2,500 that had been read


def closed_from_the_start(command: Sequence[str], sandbox: Sandbox) -> tuple[int, str]:
    """Run a command whose stdout nobody has ever read from."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "CALLS_SANDBOX_URL": sandbox.url},
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=LONG_ENOUGH,
            check=False,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("command", ["spec", "read"])
def test_a_stdout_that_was_never_open(command: str, tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "source-skipcall-calls")
    files = {"config": in_full("skipcall"), "catalog": catalog_for("skipcall")}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    wanted = {"spec": [], "read": ["config", "catalog"]}.get(command, ["config"])
    options = [part for name in wanted for part in (f"--{name}", str(tmp_path / name))]
    with Sandbox(World(calls=10)) as sandbox:
        assert closed_from_the_start([program, command, *options], sandbox) == (1, "")


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({}, id="a configuration that is refused"),
        pytest.param({"api_key": "wrong-not-real"}, id="a key that is refused"),
    ],
)
def test_a_failure_that_nobody_reads(config: dict[str, Any], tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "source-skipcall-calls")
    for name, content in {"config": config, "catalog": catalog_for("skipcall")}.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    options = [part for name in ("config", "catalog") for part in (f"--{name}", tmp_path / name)]
    with Sandbox(World(calls=10)) as sandbox:
        status, stderr = closed_from_the_start([program, "read", *map(str, options)], sandbox)
    assert status == 1
    assert "Traceback" not in stderr


# Signs of life


@pytest.fixture
def quick_beat(monkeypatch: pytest.MonkeyPatch) -> float:
    """Signs of life every 0.2 s in place of 30 s."""
    interval = 0.2
    monkeypatch.setattr(calls_shared.protocol.heartbeat, "INTERVAL", interval)
    return interval


def signs_of_life(output: str) -> list[tuple[float, str, list[dict[str, Any]] | None]]:
    """Moment in seconds, stream and reasons of each status RUNNING on stdout."""
    lines = (json.loads(line) for line in output.splitlines() if '"STREAM_STATUS"' in line)
    return [
        (
            line["trace"]["emitted_at"] / 1000,
            line["trace"]["stream_status"]["stream_descriptor"]["name"],
            line["trace"]["stream_status"].get("reasons"),
        )
        for line in lines
        if line["trace"]["stream_status"]["status"] == "RUNNING"
    ]


def test_the_interval_is_well_below_a_minute() -> None:
    assert calls_shared.protocol.heartbeat.INTERVAL <= 30.0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_signs_of_life_while_waiting_for_a_rate_limit(
    provider: str,
    quick_beat: float,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sandbox(World(calls=150), Switches(enforce_limits=False)) as sandbox:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        limit = {"kind": "status", "status": 429, "headers": {"Retry-After": "3"}}
        sandbox.faults = [Fault(provider, path_contains="calls", nth=2, times=1, **limit)]  # type: ignore[arg-type]
        began = time.time()
        found = read(fast_source(provider), in_full(provider), catalog_for(provider))
        ended = time.time()
        assert {call["id"]: call for call in records(found)} == sandbox.expected(provider)
    signs = signs_of_life(capsys.readouterr().out)
    limited = [number for number, (_, _, reasons) in enumerate(signs) if reasons is not None]
    during = signs[limited[0] : limited[-1] + 1]
    assert {(stream, json.dumps(reasons)) for _, stream, reasons in during} == {
        ("calls", '[{"type": "RATE_LIMITED"}]')
    }
    assert 3 <= len(during) <= 3 / quick_beat + 1
    assert began <= signs[0][0]
    assert signs[-1][0] <= ended


QUIET = {
    "intercom": Switches(),
    "openphone": Switches(),
    "amplemarket": Switches().moved("amplemarket", "date_filter", "ignored"),
    "skipcall": Switches().moved("skipcall", "limit_cut", 20),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_signs_of_life_while_pages_hold_nothing_new(
    provider: str,
    quick_beat: float,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A start date in the future: every page is read, and every call left out."""
    switches = QUIET[provider]
    world = World(calls=1200 if provider == "amplemarket" else 300, conversations=100)
    quiet = Switches(
        amplemarket=switches.amplemarket,
        skipcall=switches.skipcall,
        latency_seconds=0.1,
        enforce_limits=False,
    )
    with Sandbox(world, quiet) as sandbox:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        config = in_full(provider, start_date="2999-01-01T00:00:00Z")
        config |= {"num_workers": 8 if provider == "openphone" else 1}
        began = time.time()
        found = read(fast_source(provider), config, catalog_for(provider))
        ended = time.time()
    assert records(found) == []
    assert ended - began > 5 * quick_beat
    signs = signs_of_life(capsys.readouterr().out)
    assert {(stream, reasons) for _, stream, reasons in signs} == {("calls", None)}
    assert len(signs) >= 3
    assert began <= signs[0][0]
    assert signs[-1][0] <= ended


def test_a_sign_of_life_in_each_wait_for_a_provider_that_does_not_answer(tmp_path: Path) -> None:
    """Everything a hundred times as fast: each attempt lasts 0.6 s, and a sign is due after 0.3 s.

    So no silence is longer than a minute, however slow the machine.
    """
    with Sandbox(World(calls=10)) as sandbox, tempfile.TemporaryFile() as stderr:
        sandbox.faults = [Fault("skipcall", kind="no_answer", times=ENDLESS)]
        environment = patched_environment(tmp_path, BEAT_QUICKLY)
        environment["CALLS_SANDBOX_WAIT_SCALE"] = "0.01"
        process = start(Connector("skipcall", sandbox, tmp_path), stderr, environment)
        assert process.stdout is not None
        signs = [0]
        for line in process.stdout:
            message = json.loads(line)
            if "attempt" in message.get("log", {}).get("message", ""):
                signs.append(0)
            elif '"RUNNING"' in line.decode():
                signs[-1] += 1
        process.stdout.close()
        assert process.wait(LONG_ENOUGH) == 1
    assert len(signs) == 8
    assert all(count >= 1 for count in signs)
