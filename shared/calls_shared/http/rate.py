"""`Rate`: how many requests of one key may start, and when; all requests of the key share it."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

_SHORT_WINDOW = 2.0  # seconds


@dataclass(frozen=True)
class RateLimit:
    """A provider's published limit.

    Attributes:
        requests: requests in each window.
        seconds: length of the window.
        starts_at: a lower number of requests, used until the provider names its own.
        limit_header: the response header that names the limit of this key.
        reset_header: the response header that names when a limit that was met ends.
    """

    requests: int = 1_000_000
    seconds: float = 1.0
    starts_at: int | None = None
    limit_header: str = ""
    reset_header: str = ""

    def __post_init__(self) -> None:
        numbers = (self.requests, self.seconds, 1 if self.starts_at is None else self.starts_at)
        if not all(isinstance(number, (int, float)) and number > 0 for number in numbers):
            raise ValueError("requests, seconds and starts_at of a rate must be above 0")


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
        self._forget(now)
        if not self._starts:
            return 0.0
        spread = self._starts[-1] + self._spread / self.limit - now
        surplus = len(self._starts) - self.limit
        return spread if surplus < 0 else max(spread, self._starts[surplus] + self._interval - now)

    def start(self, now: float) -> None:
        """Record a start."""
        self._forget(now)
        self._starts.append(now)

    def is_empty(self, now: float) -> bool:
        """Whether no start counts any more."""
        self._forget(now)
        return not self._starts

    def _forget(self, now: float) -> None:
        while self._starts and self._starts[0] <= now - self._interval:
            self._starts.popleft()


class Rate:
    """The windows of one key, and the pause that its provider asked for; safe for several threads.

    Args:
        limit: the provider's published limit.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._window = MovingWindow(limit.starts_at or limit.requests, limit.seconds)
        self._own: dict[int, MovingWindow] = {}
        self._paused_until = 0.0
        self._lock = threading.Lock()

    def start(self, now: float, per_minute: int | None = None) -> float:
        """Count a start if one is allowed now; else the seconds until one is.

        Args:
            now: seconds of a clock that never goes back.
            per_minute: the user's own, lower limit; all requests of the key count for it.
        """
        with self._lock:
            windows = [self._window]
            if per_minute is not None:
                windows.append(self._own.setdefault(per_minute, MovingWindow(per_minute, 60.0)))
            wait = max(self._paused_until - now, *(window.wait(now) for window in windows))
            if wait > 0.0:
                return wait
            for window in (self._window, *self._own.values()):
                window.start(now)
            return 0.0

    def pause(self, until: float) -> None:
        """Let no request start before a moment."""
        with self._lock:
            self._paused_until = max(self._paused_until, until)

    def is_paused(self, now: float) -> bool:
        """Whether the provider asked for a pause that is not over."""
        return now < self._paused_until

    def is_busy(self, now: float) -> bool:
        """Whether anything of the past still makes a request wait."""
        with self._lock:
            windows = (self._window, *self._own.values())
            return self.is_paused(now) or not all(window.is_empty(now) for window in windows)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Adopt the limit that an answer names, if it names a sensible one."""
        named = headers.get(self._limit.limit_header, "") if self._limit.limit_header else ""
        if named.isascii() and named.isdigit() and int(named[:9]) > 0:
            with self._lock:
                self._window.limit = min(int(named[:9]), self._limit.requests)
