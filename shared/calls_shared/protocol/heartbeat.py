"""Signs of life: what tells the platform that a source which emits nothing is still at work.

The platform's heartbeat beats on records and states only, so in a long silence a state is emitted
once more. People see the stream status RUNNING, which comes more often.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from queue import Full
from types import TracebackType

import orjson
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStateMessage,
    AirbyteStreamStatus,
    AirbyteStreamStatusReason,
    AirbyteStreamStatusReasonType,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message

from calls_shared.protocol.ending import reader_is_gone

INTERVAL = 30.0
"""Seconds of silence after which a stream status is due."""

STATE_INTERVAL = 600.0
"""Seconds without a record and a state after which a state is due."""

_LONGEST_JOIN = 1.0  # seconds; it may be in a write that nobody reads
_LOOK = 5.0  # seconds between two looks whether anybody still reads


def print_running(stream: str, *, rate_limited: bool = False) -> None:
    """Print the stream status RUNNING from any thread, as the CDK's `HttpClient` does.

    It does not have to keep its place among the records.

    Raises:
        OSError: if stdout is closed.
    """
    reasons = [AirbyteStreamStatusReason(type=AirbyteStreamStatusReasonType.RATE_LIMITED)]
    message = as_airbyte_message(
        StreamDescriptor(name=stream),
        AirbyteStreamStatus.RUNNING,
        reasons if rate_limited else None,
    )
    print(orjson.dumps(AirbyteMessageSerializer.dump(message)).decode() + "\n", end="", flush=True)


class StateAgain(AirbyteMessage):
    """Asks for the last state of a stream; which one that is, is known only where it goes out."""


class LastStates:
    """The last state of each stream: of this sync, else the one that was handed in.

    Args:
        handed_in: the states that the sync began with.
    """

    def __init__(self, handed_in: Iterable[AirbyteStateMessage]) -> None:
        self._states = {_name(state): state for state in handed_in if state.stream is not None}

    def passes(self, message: AirbyteMessage) -> AirbyteMessage | None:
        """What goes out for a message that holds a state; null if there is nothing to say again.

        A copy has no `sourceStats`, so that the CDK's entry point counts the records since the last
        state. Since no other state stands between, it can only repeat.
        """
        assert message.state is not None
        name = _name(message.state)
        if not isinstance(message, StateAgain):
            self._states[name] = message.state
            return message
        known = self._states.get(name)
        if known is None:
            return None
        return AirbyteMessage(type=Type.STATE, state=replace(known, sourceStats=None))

    def again(self, stream: str) -> StateAgain | None:
        """The message to send through the queue of the source; null if there is no state yet."""
        known = self._states.get(stream)
        return None if known is None else StateAgain(type=Type.STATE, state=known)


class Heartbeat:
    """Gives a sign of life for each running stream when a sync has been silent for long.

    A context manager with a thread of its own, so that it does not matter what the sync is busy
    with: a rate limit, a pause before another attempt, a slow answer, pages that hold nothing new.

    Args:
        is_limited: whether the sync waits for a rate limit.
        closed: called once stdout turns out to be closed; nobody reads any more.
        queue: lets a message into the source's queue, through which it comes to `beside`; raises
            `Full` if that is waiting to be read.
        states: the states that the sync began with.
    """

    def __init__(
        self,
        is_limited: Callable[[], bool],
        closed: Callable[[], None],
        queue: Callable[[AirbyteMessage], None],
        states: Iterable[AirbyteStateMessage] = (),
    ) -> None:
        self.running: list[str] = []
        self._is_limited = is_limited
        self._closed = closed
        self._queue = queue
        self._states = LastStates(states)
        self._due = time.monotonic() + INTERVAL
        self._state_due = time.monotonic() + STATE_INTERVAL
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def emitted(self, kind: Type) -> None:
        """Something was emitted, which is a sign of life of its own."""
        self._due = time.monotonic() + INTERVAL
        if kind in (Type.RECORD, Type.STATE):
            self._state_due = time.monotonic() + STATE_INTERVAL

    def status(self, stream: str, status: str) -> None:
        """Note the status of a stream as it passes."""
        if status == AirbyteStreamStatus.STARTED.value:
            self.running = [*self.running, stream]
        elif status != AirbyteStreamStatus.RUNNING.value:
            self.running = [name for name in self.running if name != stream]

    def beside(self, messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """The messages of a sync as they come, with signs of life beside them."""
        with self:
            for message in messages:
                passing = self._passing(message)
                if passing is not None:
                    self.emitted(passing.type)
                    yield passing

    def _passing(self, message: AirbyteMessage) -> AirbyteMessage | None:
        if message.trace is not None and message.trace.stream_status is not None:
            status = message.trace.stream_status
            self.status(status.stream_descriptor.name, status.status.value)
        if message.state is None:
            return message
        if isinstance(message, StateAgain) and _name(message.state) not in self.running:
            return None  # its last state has gone out
        return self._states.passes(message)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(_LONGEST_JOIN)

    def _watch(self) -> None:
        while not self._ended.wait(self._seconds_to_look()):
            try:
                if reader_is_gone():
                    raise BrokenPipeError
                if time.monotonic() >= self._due:
                    self._due = time.monotonic() + INTERVAL
                    for stream in self.running:
                        print_running(stream, rate_limited=self._is_limited())
                if time.monotonic() >= self._state_due:
                    self._state_due = time.monotonic() + STATE_INTERVAL
                    self._emit_states()
            except (OSError, ValueError):
                self._closed()
                return

    def _seconds_to_look(self) -> float:
        due = min(self._due, self._state_due) - time.monotonic()
        return max(0.01, min(_LOOK, due))

    def _emit_states(self) -> None:
        """Through the queue: its reader alone may write a state, in its place among the records."""
        for stream in self.running:
            if (again := self._states.again(stream)) is not None:
                with suppress(Full):  # then much waits to go out
                    self._queue(again)


def _name(state: AirbyteStateMessage) -> str:
    return state.stream.stream_descriptor.name if state.stream is not None else ""
