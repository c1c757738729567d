"""The order in which the workers get the tests."""

import pytest

from integration_tests.longest_first import longest_first

TESTS = [f"test_{number}" for number in range(20)]
LONG = {"test_3": 10.0, "test_9": 90.0, "test_15": 40.0, "test_16": 30.0, "test_19": 20.0}


def seconds_of(test: str) -> float:
    return LONG.get(test, 0.0)


def test_the_long_ones_begin_the_shares_of_half_of_the_workers() -> None:
    ordered = longest_first(TESTS, seconds_of, 4)
    shares = [ordered[place : place + 5] for place in range(0, 20, 5)]
    assert shares[0][:2] == ["test_9", "test_3"]
    assert shares[1][:3] == ["test_15", "test_16", "test_19"]
    others = [test for test in TESTS if test not in LONG]
    assert [test for share in shares for test in share if test not in LONG] == others
    assert not LONG.keys() & {*shares[2], *shares[3]}


@pytest.mark.parametrize("workers", range(1, 30))
def test_each_test_is_run_once(workers: int) -> None:
    assert sorted(longest_first(TESTS, seconds_of, workers)) == sorted(TESTS)


def test_without_any_the_order_stays() -> None:
    assert longest_first(TESTS, lambda _: 0.0, 6) == TESTS
