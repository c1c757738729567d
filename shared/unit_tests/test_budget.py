import itertools
import math
import threading
from collections.abc import Callable

import pytest
import requests
from calls_shared.budget import CallBudget, MovingWindow
from calls_shared.patience import Patience
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(database=None, deadline=None, max_examples=60)
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


def budget_with_clock(
    limit: int,
    interval: float,
    *,
    starts_at: int | None = None,
    requests_per_minute: int | None = None,
) -> tuple[CallBudget, Clock]:
    clock = Clock()
    budget = CallBudget(
        limit,
        interval,
        starts_at=starts_at,
        limit_header="X-RateLimit-Limit",
        requests_per_minute=requests_per_minute,
        clock=clock,
    )
    budget.sleep = clock.sleep  # type: ignore[method-assign]
    return budget, clock


def starts(budget: CallBudget, clock: Clock, thoughts: list[float]) -> list[float]:
    """The times at which requests start when each comes some seconds after the one before."""
    times = []
    for thought in thoughts:
        clock.now += thought
        budget.acquire_call(None)
        times.append(clock.now)
    return times


def most_in_any(window: float, times: list[float]) -> int:
    return max(sum(first <= time < first + window for time in times) for first in times)


@PROPERTY
@given(
    st.integers(1, 30),
    st.sampled_from([1.0, 2.0, 10.0, 60.0]),
    st.lists(st.floats(0.0, 3.0) | st.just(0.0), min_size=1, max_size=120),
)
def test_never_more_than_the_limit_in_any_interval(
    limit: int, interval: float, thoughts: list[float]
) -> None:
    budget, clock = budget_with_clock(limit, interval)
    times = starts(budget, clock, thoughts)
    # a way of varying length of up to half a hundredth of the interval changes nothing
    assert most_in_any(interval * 1.004, times) <= limit
    assert times == sorted(times)


@PROPERTY
@given(st.integers(1, 30), st.sampled_from([1.0, 2.0, 10.0, 60.0]), st.integers(1, 5))
def test_the_budget_is_used_up(limit: int, interval: float, windows: int) -> None:
    budget, clock = budget_with_clock(limit, interval)
    times = starts(budget, clock, [0.0] * (limit * windows + 1))
    # that many requests cannot come sooner, and take little longer
    assert windows * interval < times[-1] - times[0] <= windows * (interval * 1.05 + 0.06)


def test_a_long_window_may_be_used_at_once() -> None:
    budget, clock = budget_with_clock(5, 60.0)
    times = starts(budget, clock, [0.0] * 6)
    assert times[:5] == [1000.0] * 5
    assert 60.0 < times[5] - times[0] < 61.0


def test_a_short_window_spreads_the_starts() -> None:
    budget, clock = budget_with_clock(10, 1.0)
    times = starts(budget, clock, [0.0] * 40)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= 0.1
    assert max(gaps) < 0.12
    assert times[0] == 1000.0


def test_requests_per_minute_lowers_the_budget() -> None:
    budget, clock = budget_with_clock(1000, 1.0, requests_per_minute=3)
    times = starts(budget, clock, [0.0] * 7)
    assert most_in_any(60.0, times) == 3
    assert 120.0 < times[6] - times[0] < 122.0


def test_requests_per_minute_does_not_raise_the_budget() -> None:
    budget, clock = budget_with_clock(2, 60.0, requests_per_minute=1000)
    assert most_in_any(60.0, starts(budget, clock, [0.0] * 5)) == 2


def test_requests_per_minute_stays_when_a_limit_is_adopted(answer: Answer) -> None:
    budget, clock = budget_with_clock(1000, 60.0, starts_at=100, requests_per_minute=3)
    budget.update_from_response(None, answer(headers={"X-RateLimit-Limit": "1000"}))
    assert most_in_any(60.0, starts(budget, clock, [0.0] * 8)) == 3


@pytest.mark.parametrize(
    ("named", "in_a_window"),
    [
        ("20", 20),
        ("1", 1),
        ("50", 50),
        ("51", 50),  # never above the published limit
        ("999999999999999999999", 50),
        ("0", 7),
        ("-3", 7),
        ("", 7),
        (" 20", 7),
        ("2e1", 7),
        ("20, 20;w=60", 7),
        ("２０", 7),
        ("²", 7),
    ],
)
def test_the_limit_that_an_answer_names(answer: Answer, named: str, in_a_window: int) -> None:
    budget, clock = budget_with_clock(50, 60.0, starts_at=7)
    budget.update_from_response(None, answer(headers={"x-ratelimit-limit": named}))
    assert most_in_any(60.0, starts(budget, clock, [0.0] * 60)) == in_a_window


def test_starts_at_is_the_limit_until_an_answer_names_one(answer: Answer) -> None:
    budget, clock = budget_with_clock(50, 60.0, starts_at=7)
    first = starts(budget, clock, [0.0] * 7)
    budget.update_from_response(None, answer(headers={"X-RateLimit-Limit": "50"}))
    then = starts(budget, clock, [0.0] * 44)
    assert first == [1000.0] * 7
    assert then[:43] == [1000.0] * 43
    assert then[43] > 1060.0


def test_a_limit_that_sinks_counts_the_starts_so_far(answer: Answer) -> None:
    budget, clock = budget_with_clock(50, 60.0)
    times = starts(budget, clock, [1.0] * 10)
    budget.update_from_response(None, answer(headers={"X-RateLimit-Limit": "4"}))
    times += starts(budget, clock, [0.0] * 2)
    # the next may start when no more than three starts lie within the window
    assert 60.0 < times[10] - times[6] < 61.0
    assert 60.0 < times[11] - times[7] < 61.0


def test_without_a_header_to_look_at_no_limit_is_adopted(answer: Answer) -> None:
    clock = Clock()
    budget = CallBudget(5, 60.0, clock=clock)
    budget.sleep = clock.sleep  # type: ignore[method-assign]
    budget.update_from_response(None, answer(headers={"X-RateLimit-Limit": "1"}))
    budget.update_from_response(None, None)
    assert starts(budget, clock, [0.0] * 5) == [1000.0] * 5


def test_a_pause_holds_all_requests() -> None:
    budget, clock = budget_with_clock(100, 60.0)
    budget.pause(90.0)
    budget.pause(10.0)  # a shorter one does not end the longer one
    assert starts(budget, clock, [0.0, 0.0]) == pytest.approx([1090.0, 1090.0])


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
    budget.acquire_call(None)
    assert slept == pytest.approx([30.0, 20.0, 30.0, 30.0, 20.0])


def test_stopping_ends_every_wait() -> None:
    budget = CallBudget(1, 3600.0)
    budget.acquire_call(None)
    budget.pause(3600.0)
    ended = []

    def wait(name: str) -> None:
        budget.acquire_call(None)
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


def test_requests_in_flight_are_bounded() -> None:
    budget = CallBudget(100, 1.0, in_flight=2)
    inside, most = [0], [0]
    lock, gate = threading.Lock(), threading.Event()

    def request() -> None:
        with budget.in_flight():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                if inside[0] == 2:
                    gate.set()
            gate.wait(5.0)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=request, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)
    assert (inside[0], most[0]) == (0, 2)


def test_threads_share_one_budget() -> None:
    budget = CallBudget(4, 0.4)
    times: list[float] = []
    lock = threading.Lock()

    def request() -> None:
        for _ in range(3):
            budget.acquire_call(None)
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


def test_a_limit_below_one_still_lets_requests_start() -> None:
    window = MovingWindow(0, 10.0)
    assert window.wait(5.0) == 0.0
    window.start(5.0)
    assert window.wait(5.0) > 10.0
    assert window.wait(15.5) <= 0.0


# --- the end of the sync ---

FIRST, SECOND = RuntimeError("first"), RuntimeError("second")


def fail(budget: CallBudget, count: int, patiently: bool, failure: Exception = FIRST) -> None:
    for _ in range(count):
        budget.failed(failure, at_once=False, patiently=patiently)


def ended(budget: CallBudget) -> Exception | None:
    return budget.failure


def test_three_patient_failures_in_a_row_end_the_sync() -> None:
    budget = CallBudget(10, 1.0)
    fail(budget, 2, patiently=True)
    assert ended(budget) is None
    fail(budget, 1, patiently=True, failure=SECOND)
    assert ended(budget) is SECOND
    fail(budget, 1, patiently=True, failure=FIRST)
    assert ended(budget) is SECOND  # the first one that ended it stays


def test_sixty_refusals_in_a_row_end_the_sync() -> None:
    budget = CallBudget(10, 1.0)
    fail(budget, 59, patiently=False)
    assert ended(budget) is None
    fail(budget, 1, patiently=False, failure=SECOND)
    assert ended(budget) is SECOND


def test_failures_and_refusals_are_counted_apart() -> None:
    budget = CallBudget(10, 1.0)
    fail(budget, 59, patiently=False)
    fail(budget, 2, patiently=True)
    assert budget.failure is None


@pytest.mark.parametrize(("patiently", "count"), [(True, 2), (False, 59)])
def test_a_good_answer_between_failures_resets_their_count(patiently: bool, count: int) -> None:
    budget = CallBudget(10, 1.0)
    for _ in range(3):
        fail(budget, count, patiently)
        budget.succeeded()
    fail(budget, count, patiently)
    assert ended(budget) is None
    fail(budget, 1, patiently)
    assert ended(budget) is FIRST


@pytest.mark.parametrize("patiently", [True, False])
def test_a_refusal_of_the_key_ends_the_sync_at_once(patiently: bool) -> None:
    budget = CallBudget(10, 1.0)
    budget.failed(FIRST, at_once=True, patiently=patiently)
    budget.failed(SECOND, at_once=True, patiently=patiently)
    assert budget.failure is FIRST


def test_a_good_answer_proves_the_key() -> None:
    budget = CallBudget(10, 1.0)
    budget.failed(FIRST, at_once=False, patiently=True)
    known = [budget.key_worked]
    budget.succeeded()
    assert [*known, budget.key_worked] == [False, True]


# --- a command that has not for ever ---


def bounded(whole: float | None, limit: int = 2) -> tuple[CallBudget, Clock]:
    clock = Clock()
    budget = CallBudget(limit, 60.0, patience=Patience(whole=whole), clock=clock)
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
