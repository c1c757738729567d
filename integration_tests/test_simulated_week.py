"""A week of hourly syncs: what had to arrive has arrived, and a sync costs what is new.

The oracle (`sandbox/arrivals.py`) says with which sync each thing must have come at the latest; a
sync that does not read the whole list sends few requests, however long the list is.
"""

import pytest

from integration_tests.fault_cases import quick_start
from integration_tests.sandbox.switches import ListOrder
from integration_tests.simulated_week import (
    simulated,
)

__all__ = ["quick_start"]  # a fixture

pytestmark = pytest.mark.usefixtures("quick_start")

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
