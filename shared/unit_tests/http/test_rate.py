import itertools
import math
import threading
from collections.abc import Callable

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from calls_shared.http.rate import MovingWindow, Rate, RateLimit

PROPERTY = settings(database=None, deadline=None, max_examples=60)
Answer = Callable[..., requests.Response]
HEADER = "X-RateLimit-Limit"


class Timeline:
    """A clock that only waiting for a rate and the test move."""

    def __init__(
        self,
        requests: int,
        seconds: float,
        *,
        starts_at: int | None = None,
        requests_per_minute: int | None = None,
        header: str = HEADER,
    ) -> None:
        self.now = 1000.0
        self.per_minute = requests_per_minute
        self.rate = Rate(RateLimit(requests, seconds, starts_at, header))

    def start(self) -> float:
        """Start a request now, or tell how many seconds it has to wait."""
        return self.rate.start(self.now, self.per_minute)

    def starts(self, thoughts: list[float]) -> list[float]:
        """The times at which requests start when each comes some seconds after the one before."""
        times = []
        for thought in thoughts:
            self.now += thought
            while (wait := self.start()) > 0.0:
                # what is asked for in float seconds can round to no step of the clock at all
                self.now = max(self.now + wait, math.nextafter(self.now, math.inf))
            times.append(self.now)
        return times

    def learn(self, response: requests.Response) -> None:
        self.rate.learn(response.headers)


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
    line = Timeline(limit, interval)
    times = line.starts(thoughts)
    # a way of varying length of up to half a hundredth of the interval changes nothing
    assert most_in_any(interval * 1.004, times) <= limit
    assert times == sorted(times)


@PROPERTY
@given(st.integers(1, 30), st.sampled_from([1.0, 2.0, 10.0, 60.0]), st.integers(1, 5))
def test_the_budget_is_used_up(limit: int, interval: float, windows: int) -> None:
    line = Timeline(limit, interval)
    times = line.starts([0.0] * (limit * windows + 1))
    # that many requests cannot come sooner, and take little longer
    assert windows * interval < times[-1] - times[0] <= windows * (interval * 1.05 + 0.06)


def test_a_long_window_may_be_used_at_once() -> None:
    line = Timeline(5, 60.0)
    times = line.starts([0.0] * 6)
    assert times[:5] == [1000.0] * 5
    assert 60.0 < times[5] - times[0] < 61.0


def test_a_short_window_spreads_the_starts() -> None:
    line = Timeline(10, 1.0)
    times = line.starts([0.0] * 40)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= 0.1
    assert max(gaps) < 0.12
    assert times[0] == 1000.0


def test_requests_per_minute_lowers_the_budget() -> None:
    line = Timeline(1000, 1.0, requests_per_minute=3)
    times = line.starts([0.0] * 7)
    assert most_in_any(60.0, times) == 3
    assert 120.0 < times[6] - times[0] < 122.0


def test_requests_per_minute_does_not_raise_the_budget() -> None:
    line = Timeline(2, 60.0, requests_per_minute=1000)
    assert most_in_any(60.0, line.starts([0.0] * 5)) == 2


def test_requests_per_minute_stays_when_a_limit_is_adopted(answer: Answer) -> None:
    line = Timeline(1000, 60.0, starts_at=100, requests_per_minute=3)
    line.learn(answer(headers={"X-RateLimit-Limit": "1000"}))
    assert most_in_any(60.0, line.starts([0.0] * 8)) == 3


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
    line = Timeline(50, 60.0, starts_at=7)
    line.learn(answer(headers={"x-ratelimit-limit": named}))
    assert most_in_any(60.0, line.starts([0.0] * 60)) == in_a_window


def test_starts_at_is_the_limit_until_an_answer_names_one(answer: Answer) -> None:
    line = Timeline(50, 60.0, starts_at=7)
    first = line.starts([0.0] * 7)
    line.learn(answer(headers={"X-RateLimit-Limit": "50"}))
    then = line.starts([0.0] * 44)
    assert first == [1000.0] * 7
    assert then[:43] == [1000.0] * 43
    assert then[43] > 1060.0


def test_a_limit_that_sinks_counts_the_starts_so_far(answer: Answer) -> None:
    line = Timeline(50, 60.0)
    times = line.starts([1.0] * 10)
    line.learn(answer(headers={"X-RateLimit-Limit": "4"}))
    times += line.starts([0.0] * 2)
    # the next may start when no more than three starts lie within the window
    assert 60.0 < times[10] - times[6] < 61.0
    assert 60.0 < times[11] - times[7] < 61.0


def test_without_a_header_to_look_at_no_limit_is_adopted(answer: Answer) -> None:
    line = Timeline(5, 60.0, header="")
    line.learn(answer(headers={"X-RateLimit-Limit": "1"}))
    line.rate.learn({})
    assert line.starts([0.0] * 5) == [1000.0] * 5


def test_a_limit_below_one_still_lets_requests_start() -> None:
    window = MovingWindow(0, 10.0)
    assert window.wait(5.0) == 0.0
    window.start(5.0)
    assert window.wait(5.0) > 10.0
    assert window.wait(15.5) <= 0.0


# --- a pause ---


def test_a_pause_holds_all_requests() -> None:
    line = Timeline(100, 60.0)
    line.rate.pause(1090.0)
    line.rate.pause(1010.0)  # a shorter one does not end the longer one
    assert [line.rate.is_paused(now) for now in (1000.0, 1089.9, 1090.0)] == [True, True, False]
    assert line.start() == 90.0
    assert line.starts([0.0, 0.0]) == pytest.approx([1090.0, 1090.0])


def test_a_start_that_has_to_wait_is_not_counted() -> None:
    line = Timeline(2, 60.0, requests_per_minute=1)
    assert line.start() == 0.0
    assert [line.start() > 60.0 for _ in range(9)] == [True] * 9
    # in neither of the two windows
    assert line.starts([0.0, 0.0])[1] < 1121.0


def test_a_new_limit_holds_below_a_pause(answer: Answer) -> None:
    line = Timeline(50, 60.0)
    line.rate.pause(1030.0)
    line.learn(answer(headers={HEADER: "2"}))
    assert line.starts([0.0] * 3)[:2] == pytest.approx([1030.0, 1030.0])
    assert line.now > 1090.0


def test_threads_share_one_rate() -> None:
    rate = Rate(RateLimit(40, 3600.0))
    started: list[float] = []

    def request() -> None:
        for _ in range(30):
            if (wait := rate.start(1000.0)) == 0.0:
                started.append(wait)

    threads = [threading.Thread(target=request, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600.0)
    assert len(started) == 40
