from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calls_shared.reading.moments import FIRST, LAST, is_ahead, moment_of, within_bounds

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00.0Z",
        "2026-01-31T12:00:00.000000Z",
        "2026-01-31T12:00:00,000Z",
        "2026-01-31T12:00:00+00:00",
        "2026-01-31T12:00:00-00:00",
        "2026-01-31T14:00:00.000+02:00",
        "2026-01-31T06:30:00-0530",
        "2026-01-31T13:00:00+01",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
    ],
)
def test_one_moment_in_many_forms(value: str) -> None:
    assert moment_of(value) == NOON


def test_fractions_are_cut_at_microseconds() -> None:
    assert moment_of("2026-01-31T12:00:00.5Z") == NOON + timedelta(milliseconds=500)
    assert moment_of("2026-01-31T12:00:00.123456789Z") == NOON + timedelta(microseconds=123456)


def test_an_offset_that_leaves_the_calendar() -> None:
    assert moment_of("0001-01-01T00:00:00+14:00") == datetime.min.replace(tzinfo=UTC)
    assert moment_of("9999-12-31T23:00:00-12:00") == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            "",
            "soon",
            "2026-01-31",
            "2026-01-31T12Z",
            "20260131T120000Z",
            "2026-W05-6T12:00Z",
        ),
        *(
            "2026-02-30T00:00:00Z",
            "2026-01-31T25:00:00Z",
            "0000-01-01T00:00:00Z",
            "12026-01-01T00Z",
        ),
        *("2026-01-31T12:00:00Z\n", " 2026-01-31T12:00:00Z", "2026-01-31T12:00:00 Z"),
        *("٢٠٢٦-01-31T12:00:00Z", "2026-01-31T12:00:00+99:99", "2026-01-31X12:00:00Z"),
        *(1769860800, 1769860800.0, True, ["2026-01-31T12:00:00Z"], {}),
    ],
)
def test_what_is_no_moment(value: Any) -> None:
    assert moment_of(value) is None


def test_is_ahead() -> None:
    day = timedelta(days=1)
    assert is_ahead(NOON + timedelta(seconds=1), NOON)
    assert not is_ahead(NOON, NOON)
    assert is_ahead(NOON + day + timedelta(seconds=1), NOON, day)
    assert not is_ahead(NOON + day, NOON, day)


def test_within_bounds() -> None:
    assert within_bounds(NOON) == NOON
    assert within_bounds(datetime.min.replace(tzinfo=UTC)) == FIRST
    assert within_bounds(datetime.max.replace(tzinfo=UTC)) == LAST
    assert FIRST - timedelta(days=20_000) < FIRST < LAST < LAST + timedelta(days=1)
