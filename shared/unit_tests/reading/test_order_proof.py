import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from calls_shared.normalization import times
from calls_shared.reading.order_proof import Moments, OrderProof

BOUND = times.lower_bound("2026-01-15T00:00:00.000000Z")
Days = Sequence[float | tuple[float, float] | None]
"""When a page's calls were created and changed: days of January 2026, or both in a pair."""


def at(day: float) -> str:
    moment = datetime(2025, 12, 31, tzinfo=UTC) + timedelta(seconds=round(day * 86400))
    return times.format_timestamp(moment)


def page(days: Days) -> list[Moments]:
    found = []
    for day in days:
        if day is None:
            found.append(Moments(None, None))
        elif isinstance(day, tuple):
            found.append(Moments(at(day[0]), at(day[1])))
        else:
            found.append(Moments(at(day), at(day)))
    return found


NEWER, ACROSS, OLDER, OLDEST = [20, 19], [16, 14], [13, 12], [11, 10]
SECOND = 1 / 86400


@pytest.mark.parametrize(
    ("scenario", "pages", "answers"),
    [
        ("until a page passes the bound", [NEWER, [18, 17], ACROSS], [False, False, True]),
        ("the second page may be the last", [NEWER, OLDER], [False, True]),
        ("never after the first page", [OLDER], [False]),
        ("never where nothing is needed", [OLDER, OLDEST, [9, 8]], [False] * 3),
        ("not while a page holds only what is wanted", [NEWER, [18, 16]], [False, False]),
        ("a call without a moment", [NEWER, [13, None], OLDEST], [False] * 3),
        ("no call at all", [NEWER, [], OLDEST], [False, False, True]),
        ("a page newer than the one before", [OLDER, NEWER, OLDEST], [False] * 3),
        ("oldest first", [[10, 11], [12, 13], [16, 17]], [False] * 3),
        ("disorder within a page", [NEWER, [12, 13], OLDEST], [False] * 3),
        ("not with the bound itself", [NEWER, [16, 15]], [False, False]),
        ("not within a minute of it", [NEWER, [16, 15 - 60 * SECOND]], [False, False]),
        ("just behind that minute", [NEWER, [16, 15 - 61 * SECOND]], [False, True]),
        (
            "by change: an old call that changed is no disorder",
            [[20, (3, 19)], [(5, 18), (2, 16)], [(9, 15), (1, 12)]],
            [False, False, True],
        ),
        (
            "by change: what was made long ago can be wanted behind",
            [[20, (19, 19)], [(13, 18), (12, 17)], [(11, 16), (10, 15)], [(9, 14)]],
            [False, False, False, True],
        ),
        (
            "by creation: an old call that changed just now ends nothing",
            [[(20, 20), (19, 21)], [(14, 22), (13, 13)]],
            [False, True],
        ),
        ("all within a minute", [[15, 15], [15, 15 - 60 * SECOND]], [False, False]),
        ("a second more", [[15, 15], [15, 15 - 61 * SECOND]], [False, True]),
        (
            "by change: all at once, and in no order by creation",
            [[(3, 13), (5, 13)], [(2, 13), (1, 13)], [(20, 20)]],
            [False, False, False],
        ),
        (
            "by creation: all changed at once, behind the bound",
            [[(20, 13), (18, 13)], [(14, 13), (13, 13)]],
            [False, True],
        ),
        (
            "by creation: all changed at once, before the bound",
            [[(20, 21), (18, 21)], [(14, 21), (13, 21)], [(12, 12)]],
            [False, False, True],
        ),
        (
            "one disorder of each",
            [[20, (3, 19)], [(5, 18), (2, 19)], [13, 12]],
            [False, False, False],
        ),
    ],
)
def test_when_a_list_may_be_left(
    scenario: str, pages: Sequence[Days], answers: Sequence[bool]
) -> None:
    proof = OrderProof(BOUND)
    assert [proof.page(page(days)) for days in pages] == list(answers), scenario


@pytest.mark.parametrize(
    ("ahead", "shows_an_order"),
    [(0, True), (59 * SECOND, True), (60 * SECOND, True), (61 * SECOND, False), (1, False)],
)
@pytest.mark.parametrize("is_same_page", [True, False])
def test_a_call_may_be_newer_than_an_earlier_one_by_a_minute(
    ahead: float, shows_an_order: bool, is_same_page: bool
) -> None:
    proof = OrderProof(BOUND)
    days = [13, 12, 12 + ahead, 11]
    for part in [days] if is_same_page else [days[:2], days[2:]]:
        proof.page(page(part))
    assert proof.shows_an_order is shows_an_order


def test_without_a_bound_a_list_is_read_to_its_end() -> None:
    proof = OrderProof("")
    assert [proof.page(page(days)) for days in (NEWER, ACROSS, OLDER, OLDEST)] == [False] * 4


@pytest.mark.parametrize("most_ahead", [2, 4, 400])
@pytest.mark.parametrize("pages_to_the_bound", [3, 10, 40, 400])
def test_pages_asked_for_at_once_leave_few_in_vain(
    pages_to_the_bound: int, most_ahead: int
) -> None:
    """In a list that is as dense everywhere; and far from the bound there are many of them."""
    proof, step = OrderProof(BOUND, most_ahead), 15 / pages_to_the_bound
    ahead = [proof.ahead()]
    for number in itertools.count():
        newest = 30 - number * step
        if proof.page(page([newest, newest - step / 2])):
            break
        ahead.append(proof.ahead())
        left = pages_to_the_bound - number
        assert ahead[-1] <= max(1, left / 3)
    assert ahead[:2] == [1, 1]  # nothing is known yet
    assert max(ahead) >= min(most_ahead, pages_to_the_bound / 5)
    assert max(ahead) <= most_ahead
    assert ahead[-1] == 1


@pytest.mark.parametrize("days", [[], [20, 20]])
def test_where_no_time_is_covered_pages_come_one_by_one(days: Days) -> None:
    proof = OrderProof(BOUND)
    for _ in range(3):
        proof.page(page(days))
        assert proof.ahead() == 1


def test_what_shows_no_order_is_read_as_fast_as_may_be() -> None:
    proof = OrderProof(BOUND)
    proof.page(page([None, 20]))
    assert proof.ahead() > 100


@pytest.mark.parametrize(
    ("pages", "is_oldest_first"),
    [
        ([[10, 11]], True),
        ([[11, 10]], False),
        ([[10, 10], [10, 10]], False),
        ([[10, 10], [10, 11]], True),
        ([[10, 11], [9, 12]], False),
        # all changed at once: the other order shows the direction
        ([[(10, 13), (11, 13)]], True),
        ([[(10, 14), (11, 13)]], False),
        ([[(11, 13), (10, 14)]], False),
        ([[None, 10], [11]], False),
    ],
)
def test_whether_a_list_comes_oldest_first(pages: Sequence[Days], is_oldest_first: bool) -> None:
    proof = OrderProof(BOUND)
    for days in pages:
        proof.page(page(days))
    assert proof.comes_oldest_first is is_oldest_first
