"""A first reading that is interrupted goes on, and its inventory is that of one reading."""

from collections.abc import Sequence

import pytest

from calls_shared.reading.first_reading import FirstReading
from calls_shared.reading.inventory import Inventory
from calls_shared.reading.list_state import ListState
from calls_shared.reading.parted_inventory import PartedInventory
from calls_shared.reading.seen import digest_of
from calls_shared.reading.under_way import UnderWay
from calls_shared.reading.windows import Window

FEBRUARY, MARCH = 1_769_904_000, 1_772_323_200
WINDOWS = [Window(None, FEBRUARY), Window(FEBRUARY, MARCH), Window(MARCH, None)]
UNTIL = "2026-03-20T00:00:00"
CALLS = [
    ("a", "2025-12-31T23:59:59.999Z"),
    ("b", "2026-01-31T23:59:59.999Z"),
    ("c", "2026-02-01T00:00:00Z"),
    ("d", "2026-02-01T00:00:00.001Z"),
    ("e", "2026-02-27T10:00:00Z"),
    ("f", "2026-03-01T00:00:00.000Z"),
    ("g", "2026-03-19T10:00:00Z"),
    ("h", "2026-03-20T10:00:00Z"),
    ("i", None),
]


def whole() -> dict[str, str]:
    inventory = Inventory(UNTIL)
    for name, created in CALLS:
        inventory.add(digest_of(name), created)
    return inventory.periods()


def before(moment: str) -> dict[str, str]:
    inventory = Inventory(UNTIL)
    for name, created in CALLS:
        if created is not None and created < moment:
            inventory.add(digest_of(name), created)
    return inventory.periods()


def read(first: FirstReading, windows: Sequence[Window]) -> PartedInventory:
    first.planned(windows)
    inventory = first.inventory(UNTIL)
    for name, created in CALLS:
        inventory.add(digest_of(name), created)
    return inventory


def test_what_is_left_at_the_end_of_each_window() -> None:
    left: list[UnderWay] = []
    first = FirstReading({"start_date": "x"}, None, left.append)
    inventory = read(first, WINDOWS)
    for window in WINDOWS[:2]:
        mark = first.passed(window)
        assert mark is not None
        mark.passed()
    assert first.passed(WINDOWS[2]) is None
    ends = ["2026-02-01T00:00:00.000000Z", "2026-03-01T00:00:00.000000Z"]
    assert left == [
        UnderWay(first.began, f"{UNTIL}Z", end, before(end[:19]), {"start_date": "x"})
        for end in ends
    ]
    assert inventory.periods() == whole()


@pytest.mark.parametrize("interrupted_after", [0, 1])
def test_one_that_goes_on_has_the_inventory_of_one_reading(interrupted_after: int) -> None:
    left: list[UnderWay] = []
    first = FirstReading({}, None, left.append)
    read(first, WINDOWS)
    mark = first.passed(WINDOWS[interrupted_after])
    assert mark is not None
    mark.passed()
    kept = ListState.of({"under_way": ListState(under_way=left[0]).as_state()["under_way"]})
    resumed = kept.under_way_in({})
    assert resumed == left[0]
    again = FirstReading({}, resumed, left.append)
    assert again.began == first.began
    # it sees once more what was created in the last second before, and what has come since
    inventory = read(again, [Window(WINDOWS[interrupted_after].last, None)])
    assert inventory.until == UNTIL
    assert inventory.periods() == whole()


def test_it_goes_on_for_the_same_scope_only() -> None:
    kept = ListState(under_way=UnderWay("a", "b", "c", {}, {"start_date": "x"}))
    assert kept.under_way_in({"start_date": "x"}) is kept.under_way
    assert kept.under_way_in({}) is None


KEPT = {
    "at": "2026-03-20T00:00:00.000000Z",
    "until": "2026-03-13T00:00:00.000000Z",
    "through": "2026-02-01T00:00:00Z",
    "months": {"2026-01": "2:00000000000000ff"},
    "scope": {},
}


def test_what_a_state_keeps_comes_back() -> None:
    under_way = UnderWay.of(KEPT)
    assert under_way is not None
    assert under_way.as_state() == KEPT


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {**KEPT, "months": None},
        {**KEPT, "months": {"2026-01": "2:xyz"}},
        {**KEPT, "months": {"2026-01": 7}},
        {**KEPT, "through": "yesterday"},
        {**KEPT, "at": None},
        {**KEPT, "scope": "all"},
        {name: value for name, value in KEPT.items() if name != "until"},
    ],
)
def test_what_cannot_be_read_begins_anew(odd: object) -> None:
    assert UnderWay.of(odd) is None
