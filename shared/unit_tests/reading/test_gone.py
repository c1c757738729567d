"""How many calls of which month have gone, and the sentence that tells it."""

import pytest

from calls_shared.reading.gone import gone_sentence, gone_since

SUM = "0123456789abcdef"


def sums(**counts: int) -> dict[str, str]:
    """An inventory: `sums(m2026_03=4)`."""
    return {name[1:].replace("_", "-"): f"{count}:{SUM}" for name, count in counts.items()}


@pytest.mark.parametrize(
    ("before", "now", "gone"),
    [
        (sums(m2026_03=4, m2026_05=2), sums(m2026_03=1, m2026_05=1), {"2026-03": 3, "2026-05": 1}),
        (sums(m2026_03=4), {}, {"2026-03": 4}),
        (sums(m2026_03=4), sums(m2026_03=4), {}),
        (sums(m2026_03=4), sums(m2026_03=5), {}),
        ({}, sums(m2026_03=5), {}),
        ({"undated": f"2:{SUM}"}, {"undated": f"1:{SUM}"}, {"undated": 1}),
        ({"2026-03": 7, "2026-04": None, "2026-05": "many", "2026-06": "²:x"}, {}, {"2026-03": 7}),
        ({"2026-03": f"{'9' * 5000}:{SUM}"}, {}, {"2026-03": int("9" * 18)}),
    ],
)
def test_what_a_month_has_fewer(
    before: dict[str, object], now: dict[str, object], gone: dict[str, int]
) -> None:
    assert gone_since(before, now) == gone


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ({"2026-03": 3, "2026-05": 1}, "3 calls of 2026-03 and 1 of 2026-05 are"),
        ({"2026-03": 1}, "1 call of 2026-03 is"),
        ({"2026-03": 1, "2026-04": 1}, "1 call of 2026-03 and 1 of 2026-04 are"),
        ({"2026-03": 2}, "2 calls of 2026-03 are"),
        (
            {"2026-03": 2, "2026-04": 5, "undated": 1},
            "2 calls of 2026-03, 5 of 2026-04 and 1 without a date are",
        ),
        ({"undated": 1}, "1 call without a date is"),
    ],
)
def test_the_sentence(gone: dict[str, int], told: str) -> None:
    assert gone_sentence(gone) == f"since the last complete reading {told} no longer listed."


def test_many_months_are_told_in_a_bounded_sentence() -> None:
    months = [f"{year}-{month:02}" for year in range(1990, 2026) for month in range(1, 13)]

    told = gone_sentence(dict.fromkeys(months, 10**9))

    earlier = len(months) - 12
    assert told.startswith(
        f"since the last complete reading {earlier * 10**9} calls of before 2025-01,"
        " 1000000000 of 2025-01, "
    )
    assert told.endswith(" and 1000000000 of 2025-12 are no longer listed.")
    assert len(told) < 500
