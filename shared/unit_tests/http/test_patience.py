import pytest

from calls_shared.http.budget import CallBudget
from calls_shared.http.patience import CHECK_PATIENCE, Patience


def test_scaled_patience_changes_times_and_not_counts() -> None:
    assert Patience(whole=50.0).scaled(0.1) == Patience(
        attempts=8,
        seconds=60.0,
        first_pause=0.1,
        longest_pause=6.0,
        connect=1.5,
        read=6.0,
        answer=18.0,
        whole=50.0,  # what a user may wait for is never scaled
    )


def test_patience_is_eight_tries_or_ten_minutes_without_a_bound_for_the_whole() -> None:
    assert (Patience().attempts, Patience().seconds, Patience().whole) == (8, 600.0, None)
    assert CallBudget().patience == Patience()


def test_a_check_has_less_patience_and_a_bound_below_a_minute() -> None:
    assert CHECK_PATIENCE.attempts < Patience().attempts
    assert CHECK_PATIENCE.whole is not None
    assert CHECK_PATIENCE.whole < 60.0
    # no single answer outlasts the whole
    assert CHECK_PATIENCE.answer < CHECK_PATIENCE.whole


@pytest.mark.parametrize(
    ("seconds", "times"),
    [
        (None, (15.0, 60.0, 180.0)),
        (1000.0, (15.0, 60.0, 180.0)),
        (100.0, (15.0, 60.0, 100.0)),
        (20.0, (15.0, 20.0, 20.0)),
        (0.1, (0.1, 0.1, 0.1)),
    ],
)
def test_no_time_out_is_longer_than_the_time_that_is_left(
    seconds: float | None, times: tuple[float, float, float]
) -> None:
    within = Patience().within(seconds)
    assert (within.connect, within.read, within.answer) == times
    assert (within.attempts, within.seconds, within.longest_pause) == (8, 600.0, 60.0)
