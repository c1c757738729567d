"""`CallBudget`: what all requests of one process share: the rate, the pauses, the report.

The CDK's `HttpAPIBudget` with its `MovingWindowCallRatePolicy` cannot learn a limit from a header
nor pause until a reset that a provider names, so this small budget does.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import requests
from airbyte_cdk.sources.streams.call_rate import AbstractAPIBudget

from calls_shared.patience import Patience
from calls_shared.report import SyncReport

_LONGEST_SLEEP = 30.0  # seconds; then we look again
_SHORT_WINDOW = 2.0  # seconds
_FAILURES_IN_A_ROW = 3
_REFUSALS_IN_A_ROW = 60


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
        key_worked: whether a request of the sync was answered well, so that the key is good.
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
        self.key_worked = False
        self._failures = 0
        self._refusals = 0
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
        whole = self.patience.whole
        self._deadline = None if whole is None else clock() + whole

    def in_flight(self) -> AbstractContextManager[bool]:
        """Hold one of the places for a request under way."""
        return self._in_flight

    def start(self) -> bool:
        """Wait until a request may start, and count it; false if that is after the time is up."""
        while (wait := self._try_start()) > 0.0:
            if not self.has_time(wait):
                return False
            self.sleep(min(wait, _LONGEST_SLEEP))
        return True

    def acquire_call(self, request: Any, block: bool = True, timeout: float | None = None) -> None:
        """As the CDK has it; its arguments are not used."""
        self.start()

    def seconds_left(self) -> float | None:
        """Seconds left for the whole command, at least a tenth; None is no bound."""
        return None if self._deadline is None else max(0.1, self._deadline - self._clock())

    def has_time(self, seconds: float) -> bool:
        """Whether a wait of so many seconds ends within the time for the whole command."""
        return self._deadline is None or self._clock() + seconds < self._deadline

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
        with self._lock:
            self.key_worked = True
            self._failures = self._refusals = 0

    def failed(self, failure: Exception, *, at_once: bool, patiently: bool) -> None:
        """Tell that a request has failed for good.

        A refusal of the key ends the sync (it refuses every further request), and so do requests
        in a row that fail: `_FAILURES_IN_A_ROW` that were tried patiently, else a provider that is
        down would be tried so for each of 50,000 conversations, or `_REFUSALS_IN_A_ROW` others.
        """
        with self._lock:
            self._failures += patiently
            self._refusals += not patiently
            many = self._failures >= _FAILURES_IN_A_ROW or self._refusals >= _REFUSALS_IN_A_ROW
            if self.failure is None and (at_once or many):
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
