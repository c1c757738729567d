"""The windows that a list is read in: they cover all of time, and are as many as pay."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls_shared.reading.window_plan import (
    Covered,
    beginning_of,
    months_of,
    windows_between,
)
from calls_shared.reading.windows import Window

NOW = 1_780_000_000
DAY = 86_400


@given(
    st.one_of(st.none(), st.integers(NOW - 4000 * DAY, NOW + 9)),
    st.integers(NOW - 4000 * DAY, NOW),
    st.one_of(
        st.none(),
        st.builds(Covered, st.integers(NOW - 4000 * DAY, NOW), st.integers(0, NOW + 999)),
    ),
)
def test_windows_cover_all_of_time_and_share_their_borders(
    lower: int | None, beginning: int, newest: Covered | None
) -> None:
    windows = windows_between(lower, beginning, NOW, newest)
    assert (windows[0].first, windows[-1].last) == (lower, None)
    assert all(one.last == next_one.first for one, next_one in pairwise(windows))
    bounds = [window.last for window in windows[:-1]]
    assert bounds == sorted(set(bounds))
    assert 1 <= len(windows) <= 256


@pytest.mark.parametrize(
    ("pages", "number"),
    [(1, 1), (7, 1), (8, 2), (40, 10), (64, 16), (1600, 16), (2000, 20), (25_600, 256)],
)
def test_as_many_windows_as_pay(pages: int, number: int) -> None:
    span = 1000 * DAY
    newest = Covered(NOW - span / pages, NOW)
    assert len(windows_between(None, NOW - span, NOW + DAY, newest)) == number
    assert len(windows_between(None, NOW - span * 1000, NOW, newest)) <= 256


def test_a_page_that_shows_no_time_is_no_reason_for_one_window() -> None:
    assert len(windows_between(None, NOW - 1000 * DAY, NOW, None)) == 16


def test_a_page_of_one_moment() -> None:
    assert len(windows_between(None, NOW - 1000 * DAY, NOW, Covered(NOW, NOW))) == 256


def test_the_last_edge_is_before_the_newest_call() -> None:
    """A clock of the provider's that is far behind ours leaves no windows that are empty."""
    newest = Covered(NOW - 60 * DAY, NOW - 50 * DAY)
    windows = windows_between(NOW - 400 * DAY, NOW - 400 * DAY, NOW, newest)
    assert len(windows) == 8
    assert (windows[-1].first or 0) < NOW - 50 * DAY


@pytest.mark.parametrize("age", [1, 60, DAY, 40 * DAY, 3000 * DAY])
def test_the_beginning_is_found_in_few_requests(age: int) -> None:
    asked = []

    def holds(second: int) -> bool:
        asked.append(second)
        return second >= NOW - age

    found = beginning_of(holds, NOW)
    assert NOW - age - max(1, age // 4) <= found <= NOW - age
    assert len(asked) <= 31


def test_nothing_is_older_than_now() -> None:
    assert beginning_of(lambda _: False, NOW) < NOW


def test_what_a_page_covers() -> None:
    created = ["2026-05-01T00:01:00Z", None, "2026-05-01T00:00:00.500Z", "garbled"]
    assert Covered.by(created) == (1_777_593_600.5, 1_777_593_660.0)
    assert Covered.by(["2026-05-01T00:01:00Z", None]) is None


def test_months() -> None:
    may, june, july = 1_777_593_600, 1_780_272_000, 1_782_864_000
    assert months_of(["2026-06", "2026-05"]) == [Window(may, june), Window(june, july)]
    assert months_of(["2025-12"])[0].last == 1_767_225_600
    assert months_of(["9999-12"])[0].last is None


def test_calls_without_a_time_may_be_anywhere() -> None:
    assert months_of(["2026-06", "undated"]) == [Window()]
