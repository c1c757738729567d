import gc
import math
import threading
import time
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import requests

from calls_shared.http import places
from calls_shared.http.budget import CallBudget, budget_of
from calls_shared.http.patience import CHECK_PATIENCE, Patience
from calls_shared.http.rate import Rate, RateLimit

Answer = Callable[..., requests.Response]


class Clock:
    """A clock that only a budget's sleeping and the test move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0.0
        # what is asked for in float seconds can round to no step of the clock at all
        self.now = max(self.now + seconds, math.nextafter(self.now, math.inf))


def budget_with_clock(limit: int, interval: float) -> tuple[CallBudget, Clock]:
    clock = Clock()
    budget = CallBudget(Rate(RateLimit(limit, interval)), clock=clock)
    budget.sleep = clock.sleep  # type: ignore[method-assign]
    return budget, clock


def starts(budget: CallBudget, clock: Clock, count: int) -> list[float]:
    """The times at which requests start that come at once."""
    times = []
    for _ in range(count):
        assert budget.start() is True
        times.append(clock.now)
    return times


def test_a_pause_holds_all_requests() -> None:
    budget, clock = budget_with_clock(100, 60.0)
    budget.pause(90.0)
    budget.pause(10.0)  # a shorter one does not end the longer one
    assert starts(budget, clock, 2) == pytest.approx([1090.0, 1090.0])


def test_a_pause_sleeps_in_pieces_and_sees_that_it_was_lengthened() -> None:
    budget, clock = budget_with_clock(100, 60.0)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            budget.pause(100.0)
        clock.sleep(seconds)

    budget.sleep = sleep  # type: ignore[method-assign]
    budget.pause(50.0)
    budget.start()
    assert slept == pytest.approx([30.0, 20.0, 30.0, 30.0, 20.0])


def test_stopping_ends_every_wait() -> None:
    budget = CallBudget(Rate(RateLimit(1, 3600.0)))
    budget.start()
    budget.pause(3600.0)
    ended = []

    def wait(name: str) -> None:
        budget.start()
        ended.append(name)

    def sleep(name: str) -> None:
        budget.sleep(3600.0)
        ended.append(name)

    threads = [
        threading.Thread(target=wait, args=("request",), daemon=True),
        threading.Thread(target=sleep, args=("pause",), daemon=True),
    ]
    for thread in threads:
        thread.start()
    threads[0].join(0.1)
    assert ended == []
    budget.stopped.set()
    for thread in threads:
        thread.join(5.0)
    assert sorted(ended) == ["pause", "request"]


def test_threads_share_one_budget() -> None:
    budget = CallBudget(Rate(RateLimit(4, 0.4)))
    times: list[float] = []
    lock = threading.Lock()

    def request() -> None:
        for _ in range(3):
            budget.start()
            with lock:
                times.append(budget._clock())

    threads = [threading.Thread(target=request, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert len(times) == 12
    # eleven gaps of at least a quarter of the window, less what a thread may be late
    assert max(times) - min(times) > 11 * 0.1 - 0.05


# --- the end of the sync ---

FIRST, SECOND = RuntimeError("first"), RuntimeError("second")


def fail(budget: CallBudget, count: int, patiently: bool, failure: Exception = FIRST) -> None:
    for _ in range(count):
        budget.failed(failure, at_once=False, patiently=patiently)


def ended(budget: CallBudget) -> Exception | None:
    return budget.failure


def test_three_patient_failures_in_a_row_end_the_sync() -> None:
    budget = CallBudget()
    fail(budget, 2, patiently=True)
    assert ended(budget) is None
    fail(budget, 1, patiently=True, failure=SECOND)
    assert ended(budget) is SECOND
    fail(budget, 1, patiently=True, failure=FIRST)
    assert ended(budget) is SECOND  # the first one that ended it stays


def test_sixty_refusals_in_a_row_end_the_sync() -> None:
    budget = CallBudget()
    fail(budget, 59, patiently=False)
    assert ended(budget) is None
    fail(budget, 1, patiently=False, failure=SECOND)
    assert ended(budget) is SECOND


def test_failures_and_refusals_are_counted_apart() -> None:
    budget = CallBudget()
    fail(budget, 59, patiently=False)
    fail(budget, 2, patiently=True)
    assert budget.failure is None


@pytest.mark.parametrize(("patiently", "count"), [(True, 2), (False, 59)])
def test_a_good_answer_between_failures_resets_their_count(patiently: bool, count: int) -> None:
    budget = CallBudget()
    for _ in range(3):
        fail(budget, count, patiently)
        budget.succeeded()
    fail(budget, count, patiently)
    assert ended(budget) is None
    fail(budget, 1, patiently)
    assert ended(budget) is FIRST


@pytest.mark.parametrize("patiently", [True, False])
def test_a_refusal_of_the_key_ends_the_sync_at_once(patiently: bool) -> None:
    budget = CallBudget()
    budget.failed(FIRST, at_once=True, patiently=patiently)
    budget.failed(SECOND, at_once=True, patiently=patiently)
    assert budget.failure is FIRST


def test_a_good_answer_proves_the_key() -> None:
    budget = CallBudget()
    budget.failed(FIRST, at_once=False, patiently=True)
    known = [budget.key_worked]
    budget.succeeded()
    assert [*known, budget.key_worked] == [False, True]


# --- a command that has not for ever ---


def bounded(whole: float | None, limit: int = 2) -> tuple[CallBudget, Clock]:
    clock = Clock()
    rate = Rate(RateLimit(limit, 60.0))
    budget = CallBudget(rate, patience=Patience(whole=whole), clock=clock)
    budget.sleep = clock.sleep  # type: ignore[method-assign]
    return budget, clock


def test_a_start_that_comes_too_late_is_refused_without_a_wait() -> None:
    budget, clock = bounded(50.0)
    assert [budget.start() for _ in range(3)] == [True, True, False]
    assert clock.now == 1000.0


def test_a_start_in_time_is_waited_for() -> None:
    budget, clock = bounded(70.0)
    assert [budget.start() for _ in range(5)] == [True, True, True, True, False]
    assert 1060.0 < clock.now < 1061.0


def test_a_pause_beyond_the_end_is_not_waited_for() -> None:
    budget, clock = bounded(50.0)
    budget.pause(49.0)
    assert budget.start() is True
    budget.pause(2.0)
    assert budget.start() is False
    assert clock.now == pytest.approx(1049.0)


def test_the_time_that_is_left() -> None:
    budget, clock = bounded(50.0)
    assert (budget.seconds_left(), budget.has_time(49.9), budget.has_time(50.0)) == (
        50.0,
        True,
        False,
    )
    clock.now += 49.0
    assert (budget.seconds_left(), budget.has_time(0.9), budget.has_time(1.0)) == (1.0, True, False)
    clock.now += 100.0
    assert (budget.seconds_left(), budget.has_time(0.0)) == (0.1, False)


def test_a_sync_has_no_bound() -> None:
    budget, clock = bounded(None)
    clock.now += 1e9
    assert (budget.seconds_left(), budget.has_time(1e9)) == (None, True)
    budget.pause(1e6)
    assert budget.start() is True
    assert clock.now == pytest.approx(1e9 + 1e6 + 1000.0)


# --- one budget a source, one rate a key ---

LIMIT = RateLimit(2, 60.0)


def adopted(
    config: dict[str, Any],
    limit: RateLimit = LIMIT,
    provider: str = "acme",
    clock: Callable[[], float] = time.monotonic,
) -> CallBudget:
    budget = budget_of(config)
    budget._clock = clock
    budget.adopt(limit, provider, "api_key")
    return budget


def may_start(budget: CallBudget) -> bool:
    """Whether a request may start now; if so, it is counted."""
    return budget._try_start() == 0.0


def test_all_that_hold_the_same_configuration_share_a_budget() -> None:
    config = {"api_key": "x"}
    budget = budget_of(config)
    assert budget_of(config) is budget
    assert budget_of(dict(config)) is not budget  # another source of the same configuration


def test_the_first_who_asks_names_the_patience() -> None:
    config: dict[str, Any] = {}
    budget = budget_of(config, CHECK_PATIENCE)
    assert budget_of(config).patience is budget.patience is CHECK_PATIENCE
    other: dict[str, Any] = {}
    assert budget_of(other).patience == Patience()


def test_a_budget_lives_as_long_as_its_source() -> None:
    config: dict[str, Any] = {}
    budget = budget_of(config)
    budget.report.note("A note.")
    gc.collect()
    assert budget_of(config) is budget
    gone = weakref.ref(budget)
    del budget
    gc.collect()
    assert gone() is None
    assert budget_of(config).report.sentences() == []


def test_two_sources_of_one_key_share_its_rate() -> None:
    one, other = adopted({"api_key": "x"}), adopted({"api_key": "x"})
    assert one is not other
    assert [may_start(budget) for budget in (one, other, one, other)] == [True, True, False, False]
    one.pause(3600.0)
    assert other.is_paused()


def test_a_limit_that_one_source_learns_holds_for_the_other(answer: Answer) -> None:
    limit = RateLimit(50, 60.0, limit_header="X-Limit")
    one, other = adopted({"api_key": "x"}, limit), adopted({"api_key": "x"}, limit)
    one.learn(answer(headers={"x-limit": "1"}).headers)
    assert [may_start(budget) for budget in (other, one, other)] == [True, False, False]


@pytest.mark.parametrize(
    ("config", "provider", "limit"),
    [
        ({"api_key": "y"}, "acme", LIMIT),
        ({"api_key": "x"}, "other", LIMIT),
        ({"api_key": "x"}, "acme", RateLimit(2, 61.0)),
    ],
    ids=["another key", "another provider", "another limit"],
)
def test_what_is_not_the_same_key_has_a_rate_of_its_own(
    config: dict[str, Any], provider: str, limit: RateLimit
) -> None:
    one, other = adopted({"api_key": "x"}), adopted(config, limit, provider)
    assert [may_start(one) for _ in range(3)] == [True, True, False]
    assert may_start(other)


def test_the_users_own_limit_does_not_divide_the_rate() -> None:
    """The provider counts all requests of the key, whoever sends them."""
    one, other = adopted({"api_key": "x"}), adopted({"api_key": "x", "requests_per_minute": 1})
    assert [may_start(one), may_start(other)] == [True, True]
    assert [may_start(one), may_start(other)] == [False, False]


def test_requests_of_all_sources_count_for_the_users_own_limit() -> None:
    limit = RateLimit(50, 60.0)
    one = adopted({"api_key": "x"}, limit)
    other = adopted({"api_key": "x", "requests_per_minute": 2}, limit)
    assert [may_start(other), may_start(one), may_start(other)] == [True, True, False]
    assert may_start(one)  # who named none is held back by none


def test_a_rate_outlives_its_sources_while_the_provider_counts() -> None:
    """A second sync right after the first one must not begin with a full window."""
    clock = Clock()
    one = adopted({"api_key": "x"}, clock=clock)
    assert [may_start(one) for _ in range(3)] == [True, True, False]
    rate = weakref.ref(one._rate)
    del one
    gc.collect()
    clock.now += 59.0
    assert not may_start(adopted({"api_key": "x"}, clock=clock))
    clock.now += 3.0
    # a new one is when those that count no more are forgotten
    adopted({"api_key": "another"}, clock=clock)
    gc.collect()
    assert rate() is None
    assert may_start(adopted({"api_key": "x"}, clock=clock))


def test_a_pause_of_the_provider_outlives_its_source_too() -> None:
    clock = Clock()
    one = adopted({"api_key": "x"}, clock=clock)
    one.pause(600.0)
    del one
    adopted({"api_key": "another"}, clock=clock)
    gc.collect()
    clock.now += 599.0
    assert adopted({"api_key": "x"}, clock=clock).is_paused()


@pytest.mark.parametrize(("named", "allowed"), [(1, 1), (1.0, 1), (9, 2), (None, 2)])
def test_requests_per_minute_lowers_the_rate(named: Any, allowed: int) -> None:
    budget = adopted({"api_key": "x", "requests_per_minute": named})
    assert sum(may_start(budget) for _ in range(9)) == allowed


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({}, places.FIRST),
        ({"num_workers": 2}, 2),
        ({"num_workers": None}, places.FIRST),
        ({"num_workers": 40}, 40),
    ],
)
def test_the_number_of_requests_under_way(config: dict[str, Any], count: int) -> None:
    budget = budget_of(config)
    assert budget.places.number() == count
    for _ in range(20):  # refused: a number of the user stays, another one falls
        with budget.places.one() as place:
            budget.places.sent(place)
            place.is_refused = True
    assert budget.places.number() == (count if config.get("num_workers") else 1)


def test_the_first_requester_names_the_limit() -> None:
    config = {"api_key": "x"}
    budget = adopted(config)
    adopted(config, RateLimit(1000, 1.0))
    assert [may_start(budget) for _ in range(3)] == [True, True, False]


def test_without_a_rate_a_pause_holds_all_the_same(answer: Answer) -> None:
    budget = CallBudget(clock=map(float, count()).__next__)
    budget.learn(answer(headers={"X-RateLimit-Limit": "1"}).headers)
    assert [may_start(budget) for _ in range(3)] == [True, True, True]
    budget.pause(3600.0)
    assert budget.is_paused()
    assert not may_start(budget)


def test_a_rate_belongs_to_all_parts_of_a_credential() -> None:
    def of(**config: str) -> CallBudget:
        budget = budget_of(config)
        kept.append((config, budget))
        budget.adopt(LIMIT, "acme", ["api_id", "api_token"])
        return budget

    kept: list[tuple[dict[str, str], CallBudget]] = []
    one = of(api_id="a", api_token="bc")
    assert (may_start(one), may_start(one), may_start(one)) == (True, True, False)
    assert may_start(of(api_id="a", api_token="bc", start_date="x")) is False
    assert may_start(of(api_id="a", api_token="b")) is True
    assert may_start(of(api_id="b", api_token="bc")) is True
    assert may_start(of(api_id="ab", api_token="c")) is True
