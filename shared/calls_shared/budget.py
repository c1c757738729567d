"""`CallBudget`: what all requests of one process share: the rate, the pauses, the report.

The CDK's `HttpAPIBudget` with its `MovingWindowCallRatePolicy` cannot learn a limit from a header
nor pause until a reset that a provider names (facts, 4.1), so this small budget does.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import requests
from airbyte_cdk.sources.streams.call_rate import AbstractAPIBudget

from calls_shared.report import SyncReport

_LONGEST_SLEEP = 30.0  # seconds; then we look again
_SHORT_WINDOW = 2.0  # seconds
_FAILURES_IN_A_ROW = 3


@dataclass(frozen=True)
class Patience:
    """How long a request is tried.

    Attributes:
        attempts: answers or faults of the kind `retry` before giving up.
        seconds: total time of those attempts before giving up.
        first_pause, longest_pause: seconds of the growing pause between two attempts.
        connect, read, answer: time-outs in seconds: for the connection, for silence within an
            answer, and for an answer as a whole (a body that drips would else never end).
        longest_wait: the longest that one rate limit is waited for, in seconds; None is no bound.
    """

    attempts: int = 8
    seconds: float = 600.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    connect: float = 15.0
    read: float = 60.0
    answer: float = 180.0
    longest_wait: float | None = None

    def scaled(self, factor: float) -> "Patience":
        """The same with every pause and time-out multiplied; for tests against the sandbox."""
        return Patience(
            self.attempts,
            self.seconds * factor,
            self.first_pause * factor,
            self.longest_pause * factor,
            self.connect * factor,
            self.read * factor,
            self.answer * factor,
            self.longest_wait,
        )


CHECK_PATIENCE = Patience(
    attempts=3, seconds=30.0, connect=10.0, read=20.0, answer=30.0, longest_wait=60.0
)


class MovingWindow:
    """At most `limit` starts in any `interval` seconds.

    A provider sees our requests after a way of varying length, so we stay a little below its limit.
    In a window as short as a second the way counts much: there the starts are spread evenly.
    """

    def __init__(self, limit: int, interval: float) -> None:
        self.limit = max(1, limit)
        self._spread = 1.04 * interval if interval <= _SHORT_WINDOW else 0.0
        self._interval = interval * 1.005 + (0.0 if self._spread else 0.05)
        self._starts: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until a start is allowed; 0 or less if it is allowed now."""
        while self._starts and self._starts[0] <= now - self._interval:
            self._starts.popleft()
        if not self._starts:
            return 0.0
        spread = self._starts[-1] + self._spread / self.limit - now
        surplus = len(self._starts) - self.limit
        return spread if surplus < 0 else max(spread, self._starts[surplus] + self._interval - now)

    def start(self, now: float) -> None:
        """Record a start."""
        self._starts.append(now)


class CallBudget(AbstractAPIBudget):
    """The budget of one key: a moving window, pauses, a bound on requests in flight.

    Attributes:
        report: what the sync has to tell at its end.
        patience: how long a request is tried.
        stopped: set when the sync ends early; every wait ends at once.
        failure: set once going on is pointless; every further request fails with it at once.
    """

    def __init__(
        self,
        limit: int,
        interval: float,
        *,
        starts_at: int | None = None,
        limit_header: str = "",
        requests_per_minute: int | None = None,
        in_flight: int = 10,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A budget.

        Args:
            limit: the provider's published limit, in requests per `interval` seconds.
            interval: length of the provider's window in seconds.
            starts_at: a lower limit, used until the provider names its own.
            limit_header: the response header that names the limit of this key.
            requests_per_minute: the user's own, lower budget.
            in_flight: requests under way at once.
            patience: how long a request is tried.
            clock: seconds of a clock that never goes back.
        """
        self.report = SyncReport()
        self.patience = patience or Patience()
        self.stopped = threading.Event()
        self.failure: Exception | None = None
        self._failures = 0
        self._published = limit
        self._limit_header = limit_header
        self._window = MovingWindow(starts_at or limit, interval)
        self._windows = [self._window]
        if requests_per_minute is not None:
            self._windows.append(MovingWindow(requests_per_minute, 60.0))
        self._paused_until = 0.0
        self._lock = threading.Lock()
        self._clock = clock
        self._in_flight = threading.BoundedSemaphore(max(1, in_flight))

    def in_flight(self) -> AbstractContextManager[bool]:
        """Hold one of the places for a request under way."""
        return self._in_flight

    def acquire_call(self, request: Any, block: bool = True, timeout: float | None = None) -> None:
        """Wait until a request may start, and count it; the CDK's arguments are not used."""
        while (wait := self._try_start()) > 0.0:
            self.sleep(min(wait, _LONGEST_SLEEP))

    def _try_start(self) -> float:
        with self._lock:
            now = self._clock()
            wait = max(self._paused_until - now, *(window.wait(now) for window in self._windows))
            if wait <= 0.0 or self.stopped.is_set():
                for window in self._windows:
                    window.start(now)
                return 0.0
            return wait

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until the sync is stopped."""
        self.stopped.wait(seconds)

    def succeeded(self) -> None:
        """Tell that a request was answered well."""
        self._failures = 0

    def failed(self, failure: Exception, *, at_once: bool) -> None:
        """Tell that a request has failed for good.

        One refusal ends the sync (a revoked key refuses every further request), and so do
        `_FAILURES_IN_A_ROW` requests that were tried patiently: else a provider that is down would
        be tried so for each of 50,000 conversations.
        """
        with self._lock:
            self._failures += 1
            if at_once or self._failures >= _FAILURES_IN_A_ROW:
                self.failure = failure

    def pause(self, seconds: float) -> None:
        """Let no request of any worker start for so long."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def is_paused(self) -> bool:
        """Whether a rate limit that a provider named holds all requests back."""
        return self._clock() < self._paused_until

    def get_matching_policy(self, request: Any) -> None:
        """None: the CDK's policies are not used."""

    def update_from_response(self, request: Any, response: Any) -> None:
        """Adopt the limit that the answer names, if it names a sensible one."""
        if not self._limit_header or not isinstance(response, requests.Response):
            return
        named = response.headers.get(self._limit_header, "")
        if named.isascii() and named.isdigit() and int(named[:9]) > 0:
            with self._lock:
                self._window.limit = min(int(named[:9]), self._published)
