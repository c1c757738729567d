"""A week of hourly syncs: what had to arrive has arrived, and a sync costs what is new.

The oracle (`sandbox/arrivals.py`) says with which sync each thing must have come at the latest; a
sync that does not read the whole list sends few requests, however long the list is.
"""

from dataclasses import replace

import pytest

from integration_tests.sandbox.switches import ListOrder, SortEncoding
from integration_tests.sandbox.times import DAY, HOUR, MINUTE
from integration_tests.simulated_life import AS_IN_LIFE, NOTHING, SLOWLY, Pace
from integration_tests.simulated_week import Week, simulated
from integration_tests.week_syncs import PAGE

WEEK = 168
WEEKS: tuple[tuple[str, ListOrder], ...] = (
    ("intercom", "created_desc"),
    ("skipcall", "created_asc"),
    ("intercom", "updated_desc"),
    ("intercom", "updated_asc"),
    ("skipcall", "started_desc"),
    ("intercom", "started_asc"),
    ("intercom", "nearly_desc"),
    ("skipcall", "nearly_asc"),
    ("skipcall", "shuffled"),
    ("amplemarket", "created_desc"),
)
"""Every order once; `make soak` has every provider in every order, with more seeds."""


@pytest.mark.parametrize(("provider", "order"), WEEKS)
def test_a_week_of_hourly_syncs(provider: str, order: ListOrder) -> None:
    with simulated(provider, order) as week:
        week.live_and_sync(WEEK)


SORTED: tuple[tuple[str, ListOrder], ...] = (
    ("intercom", "created_desc"),
    ("skipcall", "created_asc"),
    ("intercom", "updated_desc"),
    ("intercom", "updated_asc"),
    ("amplemarket", "created_desc"),
)
OLD_PAGES = 20
NEVER = 8_760
"""Hours between two complete readings, the most that may be set: there is only the first one."""


@pytest.mark.parametrize(("provider", "order"), SORTED)
def test_a_hundred_calls_in_ten_minutes_between_two_quiet_weeks(
    provider: str, order: ListOrder
) -> None:
    """Neither what has piled up nor the silence around it makes a sync cost more (`Week.sync`)."""
    with simulated(provider, order, full_scan_hours=NEVER) as week:
        week.sync()
        quiet_syncs(week, 7)
        week.life.live(
            week.life.now + 10 * MINUTE, Pace(new=600, late=6, young_changed=60, any_changed=12)
        )
        for _ in range(3):
            week.sync()
            week.life.wait_until(week.life.now + HOUR)
        # the hundred calls and no others stand within the lookback of two days
        assert week.requests[-1] >= 100 // PAGE
        quiet_syncs(week, 7)
        week.life.live(week.life.now + HOUR, AS_IN_LIFE)
        week.sync()
        assert [run.is_complete for run in week.runs] == [True] + [False] * (len(week.runs) - 1)
        # (what happened to older calls is still owed)
        assert week.life.truth.keys() <= week.held.keys()


def quiet_syncs(week: Week, days: int) -> None:
    """A sync a day in which nothing happens."""
    for _ in range(days):
        week.life.wait_until(week.life.now + DAY)
        week.sync()


@pytest.mark.parametrize(("provider", "order"), SORTED)
def test_how_many_old_calls_there_are_costs_nothing(provider: str, order: ListOrder) -> None:
    """Request by request, but for the numbers of pages that are counted from the oldest one."""
    asked = []
    for old in (0, OLD_PAGES * PAGE):
        with simulated(
            provider, order, old_calls=old, full_scan_hours=NEVER, num_workers=1
        ) as week:
            for _ in range(12):
                week.sync()
                week.life.live(
                    week.life.now + HOUR, replace(NOTHING, new=2, late=0.2, young_changed=2)
                )
            asked.append(week.requests)
    few, many = asked
    assert few[1:] == many[1:]
    assert many[0] == few[0] + OLD_PAGES
    assert max(few[1:]) < few[0]


@pytest.mark.parametrize(("hours", "complete"), [(0, 25), (5, 5), (NEVER, 1)])
def test_the_whole_list_is_read_when_it_is_due_and_never_else(hours: int, complete: int) -> None:
    with simulated("intercom", "created_desc", full_scan_hours=hours) as week:
        for _ in range(25):
            week.sync()
            week.life.live(week.life.now + HOUR, SLOWLY)
        assert sum(run.is_complete for run in week.runs) == complete


@pytest.mark.parametrize(
    ("lists_by", "sort", "order"),
    [
        ("shuffled", "form", "created_desc"),
        ("created_asc", "form", "created_desc"),
        ("shuffled", "brackets", "shuffled"),
        ("shuffled", "json", "shuffled"),
        ("shuffled", "ignored", "shuffled"),
        ("shuffled", "refused", "shuffled"),
        ("created_asc", "refused", "created_asc"),
    ],
)
def test_an_order_that_is_asked_for_is_believed_as_far_as_pages_show_it(
    lists_by: ListOrder, sort: SortEncoding, order: ListOrder
) -> None:
    """The connector asks in one form, as OpenAPI's default has it (`form`)."""
    with simulated("skipcall", order, lists_by=lists_by, sort=sort, calls=120) as week:
        for _ in range(6):
            week.sync()
            week.life.live(week.life.now + HOUR, AS_IN_LIFE)
        is_sorted = order != "shuffled"
        assert [run.is_complete for run in week.runs] == [True] + [not is_sorted] * 5
        statuses = [request.status for request in week.life.sandbox.requests]
        assert statuses.count(400) == (sort == "refused")
