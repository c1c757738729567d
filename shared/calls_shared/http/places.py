"""`Places`: how many requests may be under way at once, and who holds one of the places.

A rate is used up by as many requests at once as *rate x time of an answer*. How long an answer
takes is not known before and changes; so the number is found by trying (`Growth`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FIRST = 8
MOST = 32
_GAIN = 1.15
"""Twice as many places have to bring so many times the answers, or they are given back."""
_HELD = 0.05
"""The part of its time that a request waits for the rate, from which on the rate holds it back."""
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 80.0
"""Seconds in which nothing is tried after a setback; doubled by each that follows."""


@dataclass
class _Round:
    """What was seen since the number was judged last."""

    began: float | None = None
    answers: int = 0
    waited: float = 0.0
    lasted: float = 0.0
    was_full: bool = False


class Growth:
    """The number of places, found by what more of them bring; no clock and no thread of its own.

    It is judged after each round of twice as many answers as places. It is doubled if all places
    were taken and the rate held nothing back, and halved again if that brought no more answers:
    then they only take longer because of us. So answers that become slow by themselves do not
    count against it. A refusal halves it, once for all requests that were under way together.

    Args:
        number: how many places there are at first.
        most: how many there ever are.
    """

    def __init__(self, number: int = FIRST, most: int = MOST) -> None:
        self.number = number
        self._most = most
        self._round = _Round()
        self._tried_from: int | None = None
        self._rate_before = 0.0
        self._changed_at = self._shrunk_at = self._not_before = float("-inf")
        self._pause = _FIRST_PAUSE

    def taken(self, under_way: int) -> None:
        """Tell that a place was taken, and how many are taken now."""
        self._round.was_full |= under_way >= self.number

    def answered(self, taken: float, sent: float, now: float) -> None:
        """Tell of an answer.

        Args:
            taken: when its request got its place.
            sent: when it was sent, after waiting for the rate.
            now: when the answer was there.
        """
        if sent < self._changed_at:
            return  # it tells of another number
        this = self._round
        this.waited += sent - taken
        this.lasted += now - taken
        if this.began is None:
            this.began = now
            return
        this.answers += 1
        if this.answers >= 2 * self.number and now > this.began:
            self._round = _Round()
            self._judge(this, this.answers / (now - this.began), now)

    def refused(self, sent: float, now: float) -> None:
        """Tell of a request that was refused, or got no answer."""
        if sent >= self._shrunk_at:
            self._shrink(max(1, self.number // 2), now)

    def _judge(self, last: _Round, rate: float, now: float) -> None:
        before, self._tried_from = self._tried_from, None
        if last.waited > _HELD * last.lasted:
            return  # more places would wait for the rate too
        if before is not None and rate < _GAIN * self._rate_before:
            self._shrink(before, now)
            return
        if before is not None:
            self._pause = _FIRST_PAUSE
        if last.was_full and self.number < self._most and now >= self._not_before:
            self._tried_from, self._rate_before = self.number, rate
            self._change(min(2 * self.number, self._most), now)

    def _shrink(self, number: int, now: float) -> None:
        self._tried_from = None
        self._shrunk_at = now
        self._not_before = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._change(number, now)

    def _change(self, number: int, now: float) -> None:
        self.number = number
        self._changed_at = now
        self._round = _Round()


@dataclass
class Place:
    """One request's place.

    Attributes:
        sent: when it was sent; null while it waits.
        is_refused: whether the provider refused it, or gave no answer.
    """

    sent: float | None = None
    is_refused: bool = False


class Places:
    """The places of one source's requests; safe for several threads.

    Args:
        fixed: how many there are; null lets `Growth` find it.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self, fixed: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._growth = None if fixed else Growth()
        self._number = fixed or FIRST
        self._clock = clock
        self._under_way = 0
        self._changed = threading.Condition()

    def number(self) -> int:
        """How many requests may be under way now."""
        return self._number

    @contextmanager
    def one(self) -> Iterator[Place]:
        """Hold one place, once it is free, for a request; its holder tells what becomes of it."""
        place = Place()
        with self._changed:
            while self._under_way >= self._number:
                self._changed.wait()
            self._under_way += 1
            taken = self._clock()
            if self._growth is not None:
                self._growth.taken(self._under_way)
        try:
            yield place
        finally:
            with self._changed:
                self._under_way -= 1
                self._learn(place, taken)
                self._changed.notify(max(1, self._number - self._under_way))

    def sent(self, place: Place) -> None:
        """Tell that the request is on its way."""
        place.sent = self._clock()

    def _learn(self, place: Place, taken: float) -> None:
        if self._growth is None or place.sent is None:
            return
        if place.is_refused:
            self._growth.refused(place.sent, self._clock())
        else:
            self._growth.answered(taken, place.sent, self._clock())
        self._number = self._growth.number
