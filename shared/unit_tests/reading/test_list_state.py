import json
from typing import Any

import pytest

from calls_shared.reading.inventory import Inventory
from calls_shared.reading.list_state import ListState
from calls_shared.reading.seen import digest_of
from calls_shared.reading.under_way import UnderWay

AT, CURSOR, UNTIL = "2026-02-01T00:00:00Z", "2026-01-31T00:00:00Z", "2026-01-25T00:00:01Z"
MONTHS = {"2025-12": "2:00000000000000aa", "undated": "1:0000000000000001"}
WHOLE = ListState(AT, CURSOR, 3, UNTIL, MONTHS, {"region": "eu"})
KEPT: dict[str, Any] = {
    "complete": {"at": AT, "cursor": CURSOR, "unlisted": 3},
    "inventory": {"until": UNTIL, "months": MONTHS},
    "scope": {"region": "eu"},
}


def test_a_state_comes_back_as_it_was() -> None:
    assert WHOLE.as_state() == KEPT
    assert ListState.of({"updated_at": CURSOR, **KEPT}) == WHOLE


def test_a_reading_goes_on_for_its_scope_unless_a_complete_one_of_it_is_known() -> None:
    under_way = UnderWay(AT, UNTIL, CURSOR, MONTHS, {"region": "us"})
    kept = {"under_way": under_way.as_state()}
    alone, beside = ListState.of(kept), ListState.of({"updated_at": CURSOR, **KEPT, **kept})
    assert alone.under_way_in({"region": "us"}) == under_way
    assert alone.under_way_in({"region": "eu"}) is None
    assert beside.under_way_in({"region": "us"}) == under_way
    assert beside.under_way_in({"region": "eu"}) is None
    same = {**kept, "under_way": {**kept["under_way"], "scope": {"region": "eu"}}}
    assert ListState.of({**KEPT, **same}).under_way_in({"region": "eu"}) is None


def test_the_state_of_ten_years_stays_small() -> None:
    """With a million calls a year: less than ten kilobytes, whatever the number of calls."""
    inventory = Inventory("2026-01-01T00:00:00")
    for year in range(2016, 2026):
        for month in range(1, 13):
            for number in range(3):
                name = f"{year}-{month}-{number}"
                inventory.add(digest_of(name), f"{year}-{month:02d}-03T04:05:06Z")
    months = {
        name: f"999999{entry.removeprefix('3')}" for name, entry in inventory.periods().items()
    }
    assert len(months) == 120
    kept = ListState(AT, CURSOR, 12345, UNTIL, months, {"start_date": AT}).as_state()
    assert len(json.dumps({"updated_at": CURSOR, **kept})) < 10_000


def test_what_says_nothing_is_not_kept() -> None:
    least = ListState(AT, None, 0, UNTIL, {}, {})
    assert least.as_state() == {
        "complete": {"at": AT},
        "inventory": {"until": UNTIL, "months": {}},
        "scope": {},
    }
    assert ListState.of(least.as_state()) == least  # an empty inventory is one


@pytest.mark.parametrize("state", [ListState(), ListState(cursor=CURSOR), ListState(AT, CURSOR, 3)])
def test_before_a_complete_reading_nothing_is_kept(state: ListState) -> None:
    assert state.as_state() == {}


def test_a_state_of_version_0_1_0_has_no_inventory() -> None:
    assert ListState.of({"updated_at": "2026-01-31T00:00:00.000000Z"}) == ListState()


@pytest.mark.parametrize("garbled", [None, 5, "x", [], ["2025-12"], True])
@pytest.mark.parametrize("place", ["complete", "inventory", "scope"])
def test_what_cannot_be_read_counts_as_not_there(place: str, garbled: Any) -> None:
    whole: dict[str, Any] = {"complete": {}, "inventory": {}, "scope": {}}
    found = ListState.of({**KEPT, place: garbled})
    assert found == ListState.of({**KEPT, place: whole[place]})


@pytest.mark.parametrize(
    ("complete", "expected"),
    [
        ({"at": "soon", "cursor": 5}, (None, None, 0)),
        ({"at": AT, "unlisted": -1}, (AT, None, 0)),
        ({"at": AT, "unlisted": "3"}, (AT, None, 0)),
        ({"at": AT, "unlisted": 2.5}, (AT, None, 0)),
        ({"at": "2026-02-01 02:00:00+02:00", "cursor": CURSOR, "unlisted": 1}, (AT, CURSOR, 1)),
    ],
)
def test_what_the_last_complete_reading_left(complete: Any, expected: Any) -> None:
    found = ListState.of({**KEPT, "complete": complete})
    assert (found.at, found.cursor, found.unlisted) == expected


@pytest.mark.parametrize("until", [None, 5, "soon", "2026-02-30T00:00:00Z"])
def test_months_without_a_readable_bound_are_no_inventory(until: Any) -> None:
    found = ListState.of({**KEPT, "inventory": {"until": until, "months": MONTHS}})
    assert (found.until, found.months) == (None, None)


@pytest.mark.parametrize("months", [None, 5, "2025-12", ["2025-12"]])
def test_months_that_are_no_object_are_no_inventory(months: Any) -> None:
    assert ListState.of({**KEPT, "inventory": {"until": UNTIL, "months": months}}).months is None
