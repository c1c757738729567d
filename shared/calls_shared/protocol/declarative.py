"""`DeclarativeCalls`: the CDK's declarative source, with an end."""

import sys
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream

from calls_shared.http.budget import budget_of
from calls_shared.http.patience import Patience

QUEUED_RECORDS = 1_000
"""Records that wait for the destination; the CDK's 10,000 of 50 KB each took 660 MB."""

LONGEST_END = 5.0
"""Seconds that the end of a read waits for its threads."""


class DeclarativeCalls(ConcurrentDeclarativeSource):
    """The CDK's declarative source with a shorter queue, and an end.

    Args:
        config: the configuration; all components find their budget by this very object.
        patience: how long a request is tried.
        arguments: those of the CDK's own.
    """

    def __init__(
        self, config: Mapping[str, Any], patience: Patience | None = None, **arguments: Any
    ) -> None:
        super().__init__(config=config, **arguments)
        self.budget = budget_of(self._config, patience)
        self._concurrent_source._queue.maxsize = QUEUED_RECORDS

    def streams(self, config: Mapping[str, Any]) -> list[AbstractStream]:
        """The streams of the configuration, built once, however often they are asked for."""
        return self._streams

    @cached_property
    def _streams(self) -> list[AbstractStream]:
        return super().streams(self._config)

    def put(self, message: AirbyteMessage) -> None:
        """Let a message out between those of the read that is under way, from any thread.

        Raises:
            queue.Full: if the messages that wait are too many.
        """
        self._concurrent_source._queue.put_nowait(message)

    def end(self) -> None:
        """End all threads, however the read has ended; nothing is read from the queue any more.

        The CDK leaves its threads alone: one that waits for a place in the full queue would wait
        for ever, and the process with it. A thread that waits for an answer ends with that answer;
        it is waited for, but no longer than `LONGEST_END`.
        """
        self.budget.stopped.set()
        queue = self._concurrent_source._queue
        with queue.mutex:
            queue.queue.clear()
            queue.maxsize = sys.maxsize
            queue.not_full.notify_all()
        pool = self._concurrent_source._threadpool._threadpool
        pool.shutdown(wait=False, cancel_futures=True)
        latest = time.monotonic() + LONGEST_END
        for thread in list(pool._threads):
            thread.join(max(0.0, latest - time.monotonic()))
