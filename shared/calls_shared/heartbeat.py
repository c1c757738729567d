"""Signs of life: what tells the platform that a source which emits nothing is still at work."""

import time
from collections.abc import Callable

import orjson
from airbyte_cdk.models import (
    AirbyteMessageSerializer,
    AirbyteStreamStatus,
    AirbyteStreamStatusReason,
    AirbyteStreamStatusReasonType,
    StreamDescriptor,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message

INTERVAL = 30.0
"""Seconds between two signs of life."""


def print_running(stream: str, *, rate_limited: bool = False) -> None:
    """Print the stream status RUNNING from any thread, as the CDK's `HttpClient` does.

    The CDK has no other way out of a thread that is busy: its queue takes records only.
    """
    reasons = [AirbyteStreamStatusReason(type=AirbyteStreamStatusReasonType.RATE_LIMITED)]
    message = as_airbyte_message(
        StreamDescriptor(name=stream),
        AirbyteStreamStatus.RUNNING,
        reasons if rate_limited else None,
    )
    print(orjson.dumps(AirbyteMessageSerializer.dump(message)).decode() + "\n", end="", flush=True)


class Heartbeat:
    """Prints a sign of life every `INTERVAL` seconds of a reading."""

    def __init__(self, stream: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._last = clock()

    def beat(self) -> None:
        """Print a sign of life if it is time."""
        if self._clock() - self._last >= INTERVAL:
            self._last = self._clock()
            print_running(self._stream)
