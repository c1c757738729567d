import random

import pytest

from calls_shared.reading.inventory import MONTHS, UNDATED, YEARS, Inventory, differing, period
from calls_shared.reading.seen import digest_of

UNTIL = "2026-03-15T12:00:00"
"""A `sort_key`."""


def inventory(*calls: tuple[str, str | None], length: int = MONTHS) -> dict[str, str]:
    found = Inventory(UNTIL, length)
    for call_id, created in calls:
        found.add(digest_of(call_id), created)
    return found.periods()


def entry(*ids: str) -> str:
    """The rule, written down a second time."""
    total = 0
    for call_id in ids:
        total = (total + digest_of(call_id)) % 2**64
    return f"{len(ids)}:{total:016x}"


def test_a_count_and_a_checksum_for_each_month() -> None:
    calls = [
        ("a", "2026-01-01T00:00:00Z"),
        ("b", "2026-02-28T23:59:59.999999Z"),
        ("c", "2026-01-31T23:59:59.9Z"),
        ("d", None),
        ("e", "2025-01-31T00:00:00Z"),
    ]
    assert inventory(*calls) == {
        "2025-01": entry("e"),
        "2026-01": entry("a", "c"),
        "2026-02": entry("b"),
        UNDATED: entry("d"),
    }
    assert list(inventory(*calls)) == ["2025-01", "2026-01", "2026-02", UNDATED]
    assert inventory(*calls, length=YEARS) == {
        "2025": entry("e"),
        "2026": entry("a", "b", "c"),
        UNDATED: entry("d"),
    }
    assert inventory() == {}


def test_the_order_does_not_matter_but_each_id_does() -> None:
    calls: list[tuple[str, str | None]] = [(str(n), "2026-01-01T00:00:00Z") for n in range(300)]
    shuffled = random.Random(3).sample(calls, len(calls))
    assert inventory(*calls) == inventory(*shuffled) == {"2026-01": entry(*map(str, range(300)))}
    # one call in place of another: the count is the same
    replaced = inventory(*calls[1:], ("x", "2026-01-01T00:00:00Z"))["2026-01"]
    assert replaced.partition(":")[0] == "300"
    assert replaced != inventory(*calls)["2026-01"]


@pytest.mark.parametrize(
    ("created", "month"),
    [
        ("2026-03-15T11:59:59.999999Z", "2026-03"),
        ("2026-03-15T11:59:59Z", "2026-03"),
        ("2026-03-15T12:00:00Z", None),
        ("2026-03-15T12:00:00.000001Z", None),
        ("9999-12-31T00:00:00Z", None),
        (None, UNDATED),
    ],
)
def test_only_what_was_created_before_the_bound_counts(
    created: str | None, month: str | None
) -> None:
    assert Inventory(UNTIL).period_of(created) == month
    assert inventory(("a", created)) == ({} if month is None else {month: entry("a")})


def test_without_a_bound_only_what_has_no_creation_counts() -> None:
    assert Inventory("").period_of("1990-01-01T00:00:00Z") is None
    assert Inventory("").period_of(None) == UNDATED


def test_periods() -> None:
    assert [period("2026-01-31T00:00:00Z", length) for length in (MONTHS, YEARS)] == [
        "2026-01",
        "2026",
    ]
    assert period(None, YEARS) == UNDATED


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ({}, {}, ""),
        ({"a": "1:0"}, {"a": "1:0"}, ""),
        ({"a": "1:0"}, {"a": "1:1"}, "a"),
        ({"a": "1:0"}, {"a": "2:0"}, "a"),
        # a month that is only in one of them
        ({"a": "1:0", "b": "1:0"}, {"b": "1:0"}, "a"),
        ({"b": "1:0"}, {"a": "1:0", "b": "1:0"}, "a"),
        ({"a": "1:0", "b": "2:0", "c": "3:0"}, {"a": "1:1", "b": "2:0", "d": "3:0"}, "acd"),
        # whatever somebody wrote into the state
        ({"a": None, "b": 5, "c": ["1:0"]}, {"a": "1:0", "b": "5", "c": "1:0"}, "abc"),
    ],
)
def test_months_that_differ(before: dict[str, object], now: dict[str, str], found: str) -> None:
    assert differing(before, now) == frozenset(found)


def test_ten_years_are_small() -> None:
    months = [f"{year}-{month:02d}" for year in range(2016, 2026) for month in range(1, 13)]
    calls = [(month, f"{month}-01T00:00:00Z") for month in months]
    kept = inventory(*calls)
    assert list(kept) == months
    assert len(str(kept)) < 5_000
