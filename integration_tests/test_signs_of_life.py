"""Signs of life that the platform counts: in a long silence the last state comes once more."""

import importlib
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from queue import Full, Queue
from typing import Any

import pytest
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    AirbyteStateStats,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalogSerializer,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message

from calls_shared.protocol import heartbeat
from calls_shared.protocol.heartbeat import Heartbeat
from integration_tests.commands import PROVIDERS, catalog_for, config_for
from integration_tests.sandbox import Fault, Sandbox, Switches, World

LOGGER = logging.getLogger("airbyte")
INTERVAL = 0.2
SILENCE = {"kind": "status", "status": 429, "headers": {"Retry-After": "3"}}


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state is due after 0.2 s of silence in place of ten minutes."""
    monkeypatch.setattr(heartbeat, "STATE_INTERVAL", INTERVAL)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(World(calls=150, conversations=5), Switches(enforce_limits=False)) as running:
        monkeypatch.setenv("CALLS_SANDBOX_URL", running.url)
        yield running


class Sync:
    """A sync of a provider's calls, as the CDK's entry point emits it."""

    def __init__(
        self, provider: str, states: Sequence[Mapping[str, Any]] = (), mode: str = "incremental"
    ) -> None:
        module = importlib.import_module(f"source_{provider}_calls")
        source = getattr(module, next(n for n in module.__all__ if n.startswith("Source")))()
        catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_for(provider, sync_mode=mode))
        loaded = [AirbyteStateMessageSerializer.load(dict(state)) for state in states]
        config = source.configure(config_for(provider, num_workers=1))
        entrypoint = AirbyteEntrypoint(source)
        messages = list(entrypoint.read(source.spec(LOGGER), config, catalog, loaded))
        self.records = [m.record.data for m in messages if m.record is not None]
        self.kinds = [m.type for m in messages if m.type in (Type.RECORD, Type.STATE)]
        found = [AirbyteStateMessageSerializer.dump(m.state) for m in messages if m.state]
        self.states = [state["stream"]["stream_state"] for state in found]
        self.counts = [int(state["sourceStats"]["recordCount"]) for state in found]

    @property
    def last_state(self) -> dict[str, Any]:
        """The last state, as it goes into a state file."""
        stream = {"stream_descriptor": {"name": "calls"}, "stream_state": self.states[-1]}
        return {"type": "STREAM", "stream": stream}


def without_repetitions(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [state for state, _ in groupby(states)]


def test_ten_minutes() -> None:
    assert heartbeat.STATE_INTERVAL == 600.0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_silence_of_a_sync_that_began_with_a_state(
    provider: str, sandbox: Sandbox, quickly: None
) -> None:
    """It is emitted again and again until there is a newer one, and no record is counted twice."""
    first = Sync(provider)
    handed_in = first.states[-1]
    sandbox.world.advance(hours=24, new=120)
    sandbox.faults = [Fault(provider, path_contains="calls", nth=2, times=1, **SILENCE)]  # type: ignore[arg-type]
    sync = Sync(provider, [first.last_state])
    own = without_repetitions(sync.states)
    assert own[0] == handed_in
    assert handed_in not in own[1:]
    assert len(own) == 2 or provider == "openphone"  # whose state moves while it is read
    assert len(sync.states) > len(own)
    assert sum(sync.counts) == len(sync.records)
    if provider != "openphone":  # there the first answers of calls may hold nothing new
        assert sync.counts[0] > 0  # it stands behind the records of the first page
    assert sync.kinds[-1] is Type.STATE
    ids = {call["id"] for call in sync.records}
    assert ids >= set(sandbox.expected(provider)) - {call["id"] for call in first.records}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_silence_where_there_never_was_a_state(
    provider: str, sandbox: Sandbox, quickly: None, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.faults = [Fault(provider, path_contains="calls", nth=2, times=1, **SILENCE)]  # type: ignore[arg-type]
    heartbeat.INTERVAL, before = INTERVAL, heartbeat.INTERVAL
    try:
        sync = Sync(provider)
    finally:
        heartbeat.INTERVAL = before
    assert "RATE_LIMITED" in capsys.readouterr().out  # people see that it waits
    assert sum(sync.counts) == len(sync.records)
    if provider != "openphone":  # there the state moves before the silence
        assert len(without_repetitions(sync.states)) == 1  # none before its own
        assert sync.counts[0] == len(sync.records)
    assert {call["id"] for call in sync.records} == set(sandbox.expected(provider))


def test_a_full_refresh_that_is_handed_a_state_has_none(sandbox: Sandbox, quickly: None) -> None:
    first = Sync("skipcall")
    sandbox.faults = [Fault("skipcall", path_contains="calls", nth=2, times=1, **SILENCE)]  # type: ignore[arg-type]
    sync = Sync("skipcall", [first.last_state], mode="full_refresh")
    assert len(without_repetitions(sync.states)) == 1
    assert sync.counts[0] == len(sync.records)


# The heartbeat alone, with a queue as the CDK's


def state(number: int, stream: str = "calls") -> AirbyteMessage:
    content = AirbyteStreamState(StreamDescriptor(stream), AirbyteStateBlob(updated_at=number))
    message = AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=content)
    return AirbyteMessage(type=Type.STATE, state=message)


def status(word: AirbyteStreamStatus, stream: str = "calls") -> AirbyteMessage:
    return as_airbyte_message(StreamDescriptor(name=stream), word)


class Source:
    """What is put into the queue comes out, with the heartbeat's messages between."""

    def __init__(self, *handed_in: AirbyteMessage) -> None:
        self.queue: Queue[AirbyteMessage | None] = Queue()
        states = [message.state for message in handed_in if message.state is not None]
        self.heartbeat = Heartbeat(lambda: False, lambda: None, self.queue.put_nowait, states)
        self.messages = self.heartbeat.beside(iter(self.queue.get, None))

    def next(self) -> tuple[str, int]:
        """The stream and the number of the next state; the entry point counts for it."""
        for message in self.messages:
            if message.state is not None and message.state.stream is not None:
                assert message.state.sourceStats is None
                message.state.sourceStats = AirbyteStateStats(recordCount=1.0)
                assert type(message) is AirbyteMessage
                content = message.state.stream
                assert content.stream_state is not None
                return content.stream_descriptor.name, vars(content.stream_state)["updated_at"]
        return "", 0

    def put(self, *messages: AirbyteMessage | None) -> None:
        for message in messages:
            self.queue.put(message)


def test_always_the_last_state_of_a_stream_that_runs(quickly: None) -> None:
    source = Source(state(1), state(7, "others"), state(8, "not running"))
    source.put(status(AirbyteStreamStatus.STARTED))
    assert [source.next() for _ in range(2)] == [("calls", 1)] * 2
    source.put(state(2))
    newer = [source.next() for _ in range(5)]
    assert newer[-3:] == [("calls", 2)] * 3
    assert newer == sorted(newer)  # never an older one after a newer one
    source.put(status(AirbyteStreamStatus.STARTED, "others"))
    assert ("others", 7) in {source.next() for _ in range(6)}
    source.put(status(AirbyteStreamStatus.COMPLETE))
    source.put(state(9, "others"))
    while source.next() != ("others", 9):
        pass
    assert {source.next() for _ in range(4)} == {("others", 9)}
    source.put(status(AirbyteStreamStatus.INCOMPLETE, "others"), None)
    while source.next() != ("", 0):
        pass
    assert source.heartbeat.running == []


def test_a_state_that_waited_in_the_queue_is_not_an_old_one(quickly: None) -> None:
    """The queue may hold a newer state already when the sign of life is put behind it."""
    source = Source(state(1))
    again = source.heartbeat._states.again("calls")
    source.put(status(AirbyteStreamStatus.STARTED), state(2), again, None)
    assert [source.next() for _ in range(3)] == [("calls", 2), ("calls", 2), ("", 0)]


def test_nothing_comes_after_the_end_of_a_stream(quickly: None) -> None:
    source = Source(state(1))
    again = source.heartbeat._states.again("calls")
    started, done = AirbyteStreamStatus.STARTED, AirbyteStreamStatus.COMPLETE
    source.put(status(started), state(2), status(done), again, None)
    assert [source.next() for _ in range(2)] == [("calls", 2), ("", 0)]


def test_records_and_states_put_it_off_and_other_messages_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heartbeat, "STATE_INTERVAL", 1000.0)
    source = Source(state(1))
    beginning = source.heartbeat._state_due
    source.put(status(AirbyteStreamStatus.STARTED), state(2), None)
    next(source.messages)
    assert source.heartbeat._state_due == beginning
    source.next()
    assert source.heartbeat._state_due > beginning
    source.next()


def test_a_queue_that_waits_to_be_read_is_no_failure(quickly: None) -> None:
    tried = threading.Event()

    def full(_: AirbyteMessage) -> None:
        tried.set()
        raise Full

    closed = threading.Event()
    handed_in = state(1).state
    assert handed_in is not None
    heartbeat = Heartbeat(lambda: False, closed.set, full, [handed_in])

    def messages() -> Iterator[AirbyteMessage]:
        yield status(AirbyteStreamStatus.STARTED)
        assert tried.wait(120)
        tried.clear()
        assert tried.wait(120)

    assert len(list(heartbeat.beside(messages()))) == 1
    assert not closed.is_set()
