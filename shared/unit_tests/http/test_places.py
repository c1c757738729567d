"""How many requests may be under way: found in a time that only these tests count, and held."""

import heapq
import threading
from collections.abc import Callable
from itertools import count, pairwise

import pytest

from calls_shared.http.places import FIRST, MOST, Growth, Place, Places

Latency = Callable[[float], float]
SLOW_AND_BACK = (10.0, 60.0)


class Provider:
    """Answers after a time; at most so many a second, refuses those beyond a number at once.

    `per_second` is its limit, which we keep to: a request waits for it with its place taken.
    """

    def __init__(
        self,
        latency: Latency,
        *,
        capacity: float = 1e9,
        per_second: float = 1e9,
        refused_from: int = 1_000_000,
    ) -> None:
        self._latency = latency
        self._capacity = capacity
        self._per_second = per_second
        self._refused_from = refused_from
        self._next_start = self._next_answer = 0.0
        self.under_way = 0

    def start(self, now: float) -> float:
        """When a request that has its place now is sent."""
        sent = max(now, self._next_start)
        self._next_start = sent + 1.0 / self._per_second
        return sent

    def end(self, sent: float) -> tuple[float, bool]:
        """When it is answered, and whether it is refused."""
        self.under_way += 1
        if self.under_way > self._refused_from:
            return sent + self._latency(sent) / 2, True
        self._next_answer = max(sent + self._latency(sent), self._next_answer + 1 / self._capacity)
        return self._next_answer, False


class Reading:
    """A reader that always has more to ask, with as many requests as there are places."""

    def __init__(
        self, provider: Provider, asks_at_once: int = 1000, growth: Growth | None = None
    ) -> None:
        self.growth = growth or Growth()
        self.answers: list[float] = []
        self.refused: list[float] = []
        self.numbers = [(0.0, self.growth.number)]
        self._provider = provider
        self._asks_at_once = asks_at_once

    def until(self, end: float) -> "Reading":
        """Read for so many seconds."""
        turn = count()
        taken = 0
        events: list[tuple[float, int, str, tuple[float, float, bool]]] = []
        now = 0.0
        while now < end:
            while taken < min(self.growth.number, self._asks_at_once):
                taken += 1
                self.growth.taken(taken)
                sent = self._provider.start(now)
                heapq.heappush(events, (sent, next(turn), "sent", (now, sent, False)))
            now, _, what, (since, sent, is_refused) = heapq.heappop(events)
            if what == "sent":
                ends, is_refused = self._provider.end(sent)
                heapq.heappush(events, (ends, next(turn), "ended", (since, sent, is_refused)))
                continue
            taken -= 1
            self._provider.under_way -= 1
            if is_refused:
                self.growth.refused(sent, now)
                self.refused.append(now)
            else:
                self.growth.answered(since, sent, now)
                self.answers.append(now)
            if self.growth.number != self.numbers[-1][1]:
                self.numbers.append((now, self.growth.number))
        return self

    def rate(self, begin: float, end: float) -> float:
        """Answers a second within a time."""
        return sum(begin <= at < end for at in self.answers) / (end - begin)

    @property
    def found(self) -> list[int]:
        """The numbers, one after the other."""
        return [number for _, number in self.numbers]


def always(seconds: float) -> Latency:
    return lambda now: seconds


def slow_for_a_while(now: float) -> float:
    begin, end = SLOW_AND_BACK
    return 0.5 if begin <= now < end else 0.05


# --- growth ---


@pytest.mark.parametrize("latency", [0.05, 0.1, 0.5, 2.0])
def test_where_nothing_holds_back_the_number_grows_to_its_bound(latency: float) -> None:
    reading = Reading(Provider(always(latency))).until(60 * latency)
    assert reading.found == [8, 16, 32]
    assert reading.numbers[-1][0] < 8 * latency  # two rounds of three answers' time
    assert reading.rate(20 * latency, 60 * latency) == pytest.approx(MOST / latency, rel=0.01)


@pytest.mark.parametrize(
    ("per_second", "latency", "found"),
    [
        (10.0, 0.05, [8]),
        (10.0, 0.5, [8]),
        (10.0, 0.7, [8]),  # the rate needs 7
        (10.0, 1.0, [8, 16]),
        (10.0, 2.0, [8, 16, 32]),
        (160.0, 0.045, [8]),
        (160.0, 0.1, [8, 16, 32]),  # it needs 16, and nothing waits for it with just as many
        (160.0, 0.09, [8, 16]),
    ],
)
def test_the_number_grows_as_far_as_the_rate_needs(
    per_second: float, latency: float, found: list[int]
) -> None:
    reading = Reading(Provider(always(latency), per_second=per_second)).until(60.0)
    assert reading.found == found
    assert reading.rate(20.0, 60.0) == pytest.approx(per_second, rel=0.02)


def test_the_bound_need_be_no_multiple_of_the_first_number() -> None:
    growth = Growth(number=3, most=10)
    assert Reading(Provider(always(0.1)), growth=growth).until(60.0).found == [3, 6, 10]


def test_a_reader_that_asks_for_one_after_another_needs_no_more() -> None:
    assert Reading(Provider(always(0.1)), asks_at_once=1).until(60.0).found == [8]


# --- setbacks ---


def test_growth_that_brings_nothing_is_taken_back_and_tried_ever_later() -> None:
    reading = Reading(Provider(always(0.1), capacity=40.0)).until(380.0)
    assert reading.found == [8, 16] * 7 + [8]
    tried = [at for at, number in reading.numbers if number == 16]
    assert [round(later - at) // 10 for at, later in pairwise(tried)] == [1, 2, 4, 8, 8, 8]
    assert reading.rate(20.0, 380.0) == pytest.approx(40.0, rel=0.02)


def test_growth_that_brings_a_part_is_kept() -> None:
    reading = Reading(Provider(always(0.1), capacity=100.0)).until(5.0)
    assert reading.found[:2] == [8, 16]  # 80 a second, then 100
    assert reading.growth.number == 16


def test_a_refusal_halves_the_number_which_is_tried_ever_later() -> None:
    reading = Reading(Provider(always(0.1), refused_from=8)).until(380.0)
    assert reading.found == [8, 16] * 7 + [8]
    tried = [at for at, number in reading.numbers if number == 16]
    assert [round(later - at) // 10 for at, later in pairwise(tried)] == [1, 2, 4, 8, 8, 8]
    assert len(reading.refused) < 7 * 16  # a few each time
    assert reading.rate(0.0, 380.0) == pytest.approx(80.0, rel=0.02)


def test_refusals_of_requests_that_were_under_way_together_are_one() -> None:
    growth = Growth()
    for _ in range(8):
        growth.refused(sent=1.0, now=2.0)
    assert growth.number == 4
    growth.refused(sent=2.5, now=3.0)
    assert growth.number == 2


def test_one_request_may_always_be_under_way() -> None:
    growth = Growth()
    for moment in range(10):
        growth.refused(sent=float(moment), now=moment + 0.5)
    assert growth.number == 1


def test_after_a_growth_that_is_kept_a_setback_is_a_first_one_again() -> None:
    reading = Reading(Provider(always(0.1), refused_from=16))
    reading.growth.refused(sent=0.0, now=0.0)
    reading.until(40.0)
    # 8 and 16 are kept, 32 is refused: 10 s later it is tried again, not 20
    assert reading.found[1:7] == [4, 8, 16, 32, 16, 32]
    first, second = (at for at, number in reading.numbers[:7] if number == 32)
    assert 10.0 < second - first < 12.0


# --- answers that become slow by themselves ---


def test_answers_that_become_slow_are_met_with_more_places() -> None:
    reading = Reading(Provider(slow_for_a_while, per_second=50.0)).until(100.0)
    begin, end = SLOW_AND_BACK
    assert [number for at, number in reading.numbers if at < begin] == [8]
    assert reading.found == [8, 16, 32]  # and none is taken back when they are fast again
    assert reading.rate(1.0, begin) == pytest.approx(50.0, rel=0.02)
    assert reading.rate(begin + 5.0, end) == pytest.approx(50.0, rel=0.02)
    assert reading.rate(end + 2.0, 100.0) == pytest.approx(50.0, rel=0.02)


def test_a_number_that_grew_for_slow_answers_stays_below_its_bound() -> None:
    reading = Reading(Provider(slow_for_a_while, per_second=166.6)).until(100.0)
    begin, end = SLOW_AND_BACK
    assert reading.growth.number == MOST
    assert reading.rate(begin + 15.0, end) == pytest.approx(MOST / 0.5, rel=0.02)
    assert reading.rate(end + 2.0, 100.0) == pytest.approx(166.6, rel=0.02)


def test_a_setback_of_before_delays_growth_by_seconds_only() -> None:
    provider = Provider(slow_for_a_while, capacity=100.0)  # 8 places bring them all
    reading = Reading(provider).until(60.0)
    begin, end = SLOW_AND_BACK
    assert [number for at, number in reading.numbers if at < begin] == [8, 16, 8]
    assert reading.rate(begin + 15.0, end) == pytest.approx(MOST / 0.5, rel=0.02)


# --- what is told of a request ---


def test_a_long_wait_for_the_rate_says_nothing() -> None:
    growth = Growth()
    for turn in range(17):  # all places taken; the first round waited 5 s for a new window
        growth.taken(8)
        growth.answered(taken=0.0, sent=5.0, now=5.0 + turn)
    assert growth.number == 8
    for turn in range(17):
        growth.taken(8)
        growth.answered(taken=30.0 + turn, sent=30.0 + turn, now=31.0 + turn)
    assert growth.number == 16


def test_requests_that_were_sent_before_a_change_do_not_count() -> None:
    growth = Growth()
    for turn in range(17):
        growth.taken(8)
        growth.answered(taken=0.0, sent=0.0, now=1.0 + turn / 16)  # 16 a second
    assert growth.number == 16
    for _ in range(100):
        growth.answered(taken=1.9, sent=1.9, now=2.5)
    assert growth.number == 16
    for turn in range(33):
        growth.answered(taken=3.0, sent=3.0, now=4.0 + turn / 16)  # as many as before
    assert growth.number == 8


# --- the places ---


def test_no_more_requests_are_under_way_than_there_are_places() -> None:
    places = Places(2)
    inside, most = [0], [0]
    lock, gate = threading.Lock(), threading.Event()

    def request() -> None:
        with places.one():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                if inside[0] == 2:
                    gate.set()
            gate.wait(600.0)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=request, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600.0)
    assert (inside[0], most[0]) == (0, 2)


def exchange(places: Places, clock: list[float], *, is_refused: bool = False) -> None:
    """A request that takes a second."""
    with places.one() as place:
        places.sent(place)
        clock[0] += 1.0
        place.is_refused = is_refused


def test_a_refusal_takes_places_away_and_those_that_wait_go_on_waiting() -> None:
    clock = [0.0]
    places = Places(clock=lambda: clock[0])
    assert places.number() == FIRST
    for _ in range(3):
        exchange(places, clock, is_refused=True)
    assert places.number() == 1
    entered = threading.Event()

    def request() -> None:
        with places.one():
            entered.set()

    with places.one():
        waiting = threading.Thread(target=request, daemon=True)
        waiting.start()
        assert not entered.wait(0.05)
    assert entered.wait(600.0)
    waiting.join(600.0)


def test_more_places_let_all_in_that_wait() -> None:
    clock = [0.0]
    places = Places(clock=lambda: clock[0])
    growth = places._growth
    assert growth is not None
    together = threading.Barrier(17)  # breaks, and so fails the test, unless all come together
    tokens = [places.one() for _ in range(8)]
    for token in tokens:
        token.__enter__()

    def request() -> None:
        with places.one():
            together.wait(60.0)

    threads = [threading.Thread(target=request, daemon=True) for _ in range(16)]
    for thread in threads:
        thread.start()
    growth.number = 16
    for token in tokens:
        place = Place(sent=0.0)
        places._learn(place, 0.0)
        token.__exit__(None, None, None)
    together.wait(60.0)
    for thread in threads:
        thread.join(600.0)
    assert not together.broken


def test_a_number_of_the_user_is_kept_whatever_happens() -> None:
    clock = [0.0]
    places = Places(3, clock=lambda: clock[0])
    exchange(places, clock, is_refused=True)
    for _ in range(100):
        exchange(places, clock)
    assert places.number() == 3


def test_a_request_that_was_never_sent_tells_nothing() -> None:
    clock = [0.0]
    places = Places(clock=lambda: clock[0])

    def abandoned() -> None:
        with places.one() as place:
            place.is_refused = True
            raise ZeroDivisionError

    for _ in range(FIRST):
        with pytest.raises(ZeroDivisionError):
            abandoned()
    assert places.number() == FIRST
    exchange(places, clock)  # their places are free again
