"""Signs of life: what tells the platform that a source which emits nothing is still at work."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

import orjson
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStreamStatus,
    AirbyteStreamStatusReason,
    AirbyteStreamStatusReasonType,
    StreamDescriptor,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message

from calls_shared.ending import reader_is_gone

INTERVAL = 30.0
"""Seconds of silence after which a sign of life is due."""

_LONGEST_JOIN = 1.0  # seconds; it may be in a write that nobody reads
_LOOK = 5.0  # seconds between two looks whether anybody still reads


def print_running(stream: str, *, rate_limited: bool = False) -> None:
    """Print the stream status RUNNING from any thread, as the CDK's `HttpClient` does.

    The CDK has no other way out of a thread that is busy: its queue takes records only.

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


class Heartbeat:
    """Prints a sign of life for each running stream when a sync has been silent for long.

    A context manager with a thread of its own, so that it does not matter what the sync is busy
    with: a rate limit, a pause before another attempt, a slow answer, pages that hold nothing new.

    Args:
        is_limited: whether the sync waits for a rate limit.
        closed: called once stdout turns out to be closed; nobody reads any more.
    """

    def __init__(self, is_limited: Callable[[], bool], closed: Callable[[], None]) -> None:
        self.running: list[str] = []
        self._is_limited = is_limited
        self._closed = closed
        self._due = time.monotonic() + INTERVAL
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def emitted(self) -> None:
        """Something was emitted, which is a sign of life of its own."""
        self._due = time.monotonic() + INTERVAL

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
                self.emitted()
                if message.trace is not None and message.trace.stream_status is not None:
                    status = message.trace.stream_status
                    self.status(status.stream_descriptor.name, status.status.value)
                yield message

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
        while not self._ended.wait(max(0.01, min(_LOOK, self._due - time.monotonic()))):
            try:
                if reader_is_gone():
                    raise BrokenPipeError
                if time.monotonic() >= self._due:
                    self.emitted()
                    for stream in self.running:
                        print_running(stream, rate_limited=self._is_limited())
            except (OSError, ValueError):
                self._closed()
                return
