"""Rate limits, counted per API key: fixed windows on the clock's grid, and a moving window."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .times import RealClock

Clock = Callable[[], float]
"""Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a limiter says about one request."""

    allowed: bool
    limit: int
    remaining: int
    resets_at: float
    """When the whole limit (fixed) or the next place (moving) is free; seconds since 1970, by the
    clock that the provider shows in its answers."""
    wait_seconds: float
    """Seconds from now until `resets_at`."""


class Limiter(Protocol):
    """Counts the requests of each key."""

    def take(self, key: str, limit: int, seconds: float, enforced: bool) -> Allowance:
        """Count one request of the key, unless it is refused."""


class FixedWindow:
    """A limit per window; windows begin at multiples of their length, as Intercom's do."""

    def __init__(self, clock: Clock = RealClock.wall, shown: Clock | None = None) -> None:
        self._clock = clock
        self._shown = shown or clock
        self._counts: dict[str, tuple[float, int]] = {}

    def take(self, key: str, limit: int, seconds: float, enforced: bool) -> Allowance:
        """See `Limiter`."""
        now = self._clock()
        begin = now // seconds * seconds
        counted_in, count = self._counts.get(key, (begin, 0))
        count = count if counted_in == begin else 0
        allowed = count < limit or not enforced
        if allowed:
            count += 1
        self._counts[key] = (begin, count)
        end = begin + seconds
        return Allowance(
            allowed, limit, max(0, limit - count), self._shown() + end - now, end - now
        )


class MovingWindow:
    """A limit within any span of the window's length: the strictest reading of "N per second"."""

    def __init__(self, clock: Clock = RealClock.wall, shown: Clock | None = None) -> None:
        self._clock = clock
        self._shown = shown or clock
        self._taken: dict[str, deque[float]] = {}

    def take(self, key: str, limit: int, seconds: float, enforced: bool) -> Allowance:
        """See `Limiter`."""
        now = self._clock()
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= now - seconds:
            taken.popleft()
        allowed = len(taken) < limit or not enforced
        if allowed:
            taken.append(now)
        free_at = taken[0] + seconds if taken else now
        resets_at = self._shown() + free_at - now
        return Allowance(allowed, limit, max(0, limit - len(taken)), resets_at, free_at - now)
