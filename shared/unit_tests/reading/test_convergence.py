"""What comes out of each reading, what makes a second one, and what the state keeps of them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from calls_shared.reading.convergence import Convergence
from calls_shared.reading.inventory import UNDATED
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.list_state import ListState
from calls_shared.reading.seen import digest_of

WEEK = timedelta(days=7)
BEGAN = "2026-03-15T12:00:00Z"
AT = "2026-03-15T12:00:05.000000Z"
SETTLED = "2026-03-08T12:00:00.000000Z"
"""A week before the readings of these tests began."""

Row = tuple[str, str | None, str | None]
"""Id, creation, last change."""

A: Row = ("a", "2025-12-24T00:00:00Z", "2025-12-24T00:00:00Z")
B: Row = ("b", "2026-01-10T00:00:00Z", "2026-01-10T00:00:00Z")
C: Row = ("c", "2026-01-20T00:00:00Z", "2026-02-01T00:00:00Z")
D: Row = ("d", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z")
E: Row = ("e", "2026-03-14T00:00:00Z", "2026-03-14T00:00:00Z")
ALL = [A, B, C, D, E]
OPEN = ListEnd()


def ids(rows: list[Row]) -> str:
    return "".join(row[0] for row in rows)


def months(*entries: str) -> dict[str, str]:
    """An inventory: `months("2026-01 bc", "undated x")`."""
    found = {}
    for entry in entries:
        month, _, names = entry.partition(" ")
        total = sum(digest_of(name) for name in names) % 2**64
        found[month] = f"{len(names)}:{total:016x}"
    return found


EVERYTHING = months("2025-12 a", "2026-01 bc", "2026-03 d")
"""What is settled of `ALL`: e is too young."""

KNOWN = ListState(
    at="2026-03-15T00:00:00Z",
    cursor="2026-03-14T00:00:00.000000Z",
    until=SETTLED,
    months=EVERYTHING,
)
"""After a complete reading of `ALL` half a day ago."""


class Sync:
    """A sync of a list: what comes out of each reading, and what is left."""

    def __init__(
        self,
        before: ListState,
        *readings: list[Row],
        end: ListEnd = OPEN,
        totals: list[list[int | None]] | None = None,
        scope: Mapping[str, Any] | None = None,
        bound: str = "",
        hidden: str = "",
        began: tuple[str, ...] = (BEGAN, BEGAN),
    ) -> None:
        self.convergence = Convergence(before, scope or {}, WEEK, bound)
        self.out: list[str] = []
        self.needed: list[bool] = []
        for number, rows in enumerate(readings):
            self.convergence.begin(began[number])
            found = [[None]] if totals is None else totals
            for total in found[min(number, len(found) - 1)]:
                self.convergence.page(total)
            kept = [r for r in rows if self.convergence.call(*r, in_scope=r[0] not in hidden)]
            self.out.append(ids(kept))
            self.needed.append(self.convergence.needs_another(end))
            if not self.needed[-1]:
                break
        self.state = self.convergence.state(end, AT)


# --- what comes out of a reading ---


def test_a_first_sync_brings_everything_and_leaves_an_inventory() -> None:
    sync = Sync(ListState(), ALL)
    assert (sync.out, sync.needed) == (["abcde"], [False])
    assert sync.state == ListState(AT, "2026-03-14T00:00:00.000000Z", 0, SETTLED, EVERYTHING, {})


def test_a_quiet_list_is_read_once_and_brings_the_lookback() -> None:
    sync = Sync(KNOWN, ALL)
    assert (sync.out, sync.needed) == (["e"], [False])
    assert sync.state == ListState(AT, KNOWN.cursor, 0, SETTLED, EVERYTHING, {})


@pytest.mark.parametrize(
    ("row", "comes"),
    [
        # changed since the newest change that the last complete reading saw, less the lookback
        (("b", B[1], "2026-03-07T00:00:00Z"), True),
        (("b", B[1], "2026-03-06T23:59:59.999Z"), False),
        # created at or after the bound of the inventory, which cannot tell of it
        (("x", "2026-03-08T12:00:00.000000Z", "2026-01-01T00:00:00Z"), True),
        (("x", "2026-03-08T12:00:00.000001Z", "2026-01-01T00:00:00Z"), True),
        (("x", "2026-03-08T11:59:59.999999Z", "2026-01-01T00:00:00Z"), False),
        # what cannot be told comes with every sync
        (("b", B[1], None), True),
    ],
)
def test_what_comes_out_of_a_complete_reading(row: Row, comes: bool) -> None:
    rows = [row if old[0] == row[0] else old for old in ALL]
    rows = rows if row in rows else [*rows, row]
    sync = Sync(KNOWN, rows)
    assert (row[0] in sync.out[0]) is comes


def test_a_late_change_of_an_old_call_does_not_make_a_second_reading() -> None:
    changed = ("a", A[1], "2026-03-15T00:00:00Z")
    sync = Sync(KNOWN, [changed, B, C, D, E])
    assert (sync.out, sync.needed) == (["ae"], [False])


# --- months that differ ---


@pytest.mark.parametrize(
    ("rows", "out", "kept"),
    [
        # a call of the past has appeared: late, moved, or with a wider key
        (
            [A, B, C, D, E, ("x", "2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z")],
            ["e", "bcx"],
            months("2025-12 a", "2026-01 bcx", "2026-03 d"),
        ),
        # deleted: the month comes once more
        ([A, B, D, E], ["e", "b"], months("2025-12 a", "2026-01 b", "2026-03 d")),
        ([B, C, D, E], ["e", ""], months("2026-01 bc", "2026-03 d")),
        # one in place of another: the count is the same
        (
            [A, B, D, E, ("x", "2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z")],
            ["e", "bx"],
            months("2025-12 a", "2026-01 bx", "2026-03 d"),
        ),
        # several months
        (
            [A, ("x", B[1], B[2]), C, E],
            ["e", "xc"],
            months("2025-12 a", "2026-01 xc"),
        ),
    ],
)
def test_a_month_that_differs_comes_out_whole(
    rows: list[Row], out: list[str], kept: dict[str, str]
) -> None:
    sync = Sync(KNOWN, rows, rows)
    assert sync.needed == [True, False]
    assert [sorted(found) for found in sync.out] == [sorted(found) for found in out]
    assert sync.state.months == kept
    # and then it is known
    again = Sync(sync.state, rows)
    assert (again.out, again.needed) == (["e"], [False])


@pytest.mark.parametrize("created", ["2024-01-15T00:00:00Z", None])
def test_a_month_that_had_none_comes_out_at_once(created: str | None) -> None:
    """No inventory tells what is new in it, so all of it is; and once it is known, none."""
    rows = [*ALL, ("x", created, "2024-01-15T00:00:00Z")]
    sync = Sync(KNOWN, rows)
    assert (sync.out, sync.needed) == (["ex"], [False])
    period = UNDATED if created is None else created[:7]
    assert sync.state.months == {**EVERYTHING, **months(f"{period} x")}
    assert Sync(sync.state, rows).out == ["e"]


def test_each_month_counts() -> None:
    """None may be left out of the comparison."""
    for missing in (A, B, D):
        rows = [row for row in ALL if row != missing]
        assert Sync(KNOWN, rows, rows).needed == [True, False], missing


def test_calls_that_were_not_settled_then_are_not_compared() -> None:
    """They still came and went; the lookback and the bound of the inventory are for them."""
    late = ("x", "2026-03-08T12:00:00.000001Z", "2026-03-08T12:00:01Z")
    sync = Sync(KNOWN, [A, B, C, D, late])
    assert (sync.out, sync.needed) == (["x"], [False])
    assert sync.state.months == EVERYTHING


def test_a_call_that_has_settled_since_is_kept_and_compared_next_time() -> None:
    later = ("2026-04-15T12:00:00Z", "2026-04-15T12:00:00Z")
    sync = Sync(KNOWN, ALL, began=later)
    assert sync.needed == [False]
    assert sync.state.until == "2026-04-08T12:00:00.000000Z"
    assert sync.state.months == months("2025-12 a", "2026-01 bc", "2026-03 de")
    assert Sync(sync.state, [A, B, C, D], [A, B, C, D], began=later).needed == [True, False]


def test_a_month_that_differs_is_kept_as_the_reading_found_it_that_brought_it() -> None:
    """Else a call that slipped in the second reading would count as known."""
    x = ("x", "2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z")
    sync = Sync(KNOWN, [*ALL, x], [A, B, D, E, x])
    assert sync.out == ["e", "bx"]  # c slipped
    assert sync.state.months == months("2025-12 a", "2026-01 bx", "2026-03 d")
    whole = [*ALL, x]
    assert Sync(sync.state, whole, whole).out == ["e", "bcx"]


def test_the_other_months_are_kept_as_the_first_reading_found_them() -> None:
    """What slips in the second one has been seen; what is new in it comes out, and repeats."""
    x = ("x", "2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z")
    y = ("y", "2025-12-15T00:00:00Z", "2025-12-15T00:00:00Z")
    sync = Sync(KNOWN, [*ALL, x], [A, B, C, E, x, y])
    assert sorted(sync.out[1]) == sorted("bcxy")
    assert sync.state.months == months("2025-12 a", "2026-01 bcx", "2026-03 d")


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        ("2026-03-10T00:00:00Z", "2026-03-10T00:00:00Z", False),
        (None, None, False),
        # changed in between: as it is now, it has not come out yet
        ("2026-03-10T00:00:00Z", "2026-03-15T12:00:01Z", True),
        (None, "2026-03-15T12:00:01Z", True),
        # it did not come out of the first one
        ("2026-01-10T00:00:00Z", "2026-01-10T00:00:00Z", True),
    ],
)
def test_what_the_first_reading_brought_is_not_repeated_by_the_second(
    first: str | None, second: str | None, again: bool
) -> None:
    x = ("x", "2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z")
    rows = [[A, ("b", B[1], changed), C, D, E, x] for changed in (first, second)]
    sync = Sync(KNOWN, *rows)
    assert sync.needed == [True, False]
    assert sync.out[1] == ("bcx" if again else "cx")
    assert sync.state.months == months("2025-12 a", "2026-01 bcx", "2026-03 d")


def test_a_row_that_comes_twice_in_one_reading_comes_out_once_unless_it_changed() -> None:
    changed = ("e", E[1], "2026-03-15T00:00:00Z")
    assert Sync(KNOWN, [*ALL, E, changed, changed]).out == ["ee"]


def test_a_month_that_is_gone_in_the_second_reading_is_not_kept() -> None:
    sync = Sync(KNOWN, [B, C, D, E], [B, C, D, E])
    assert sync.state.months == months("2026-01 bc", "2026-03 d")


def test_a_state_of_0_1_0_counts_as_knowing_nothing() -> None:
    sync = Sync(ListState(), ALL, bound="2026-03-07T00:00:00")
    assert sync.convergence.reads_everything
    assert (sync.out, sync.needed) == (["abcde"], [False])
    assert sync.state.months == EVERYTHING


def test_a_state_that_was_written_by_hand_bounds_and_knows_no_months() -> None:
    sync = Sync(ListState(cursor="2026-02-05T00:00:00Z"), ALL, bound="2026-01-29T00:00:00")
    assert (sync.out, sync.needed) == (["cde"], [False])
    assert sync.state == ListState(AT, "2026-03-14T00:00:00.000000Z", 0, SETTLED, EVERYTHING, {})


def test_a_garbled_inventory_differs_everywhere() -> None:
    before = ListState(KNOWN.at, KNOWN.cursor, 0, SETTLED, {"2025-12": None, "x": 5}, {})  # type: ignore[dict-item]
    sync = Sync(before, ALL, ALL)
    assert sync.needed == [True, False]
    assert [sorted(found) for found in sync.out] == [sorted("ebcd"), ["a"]]
    assert sync.state.months == EVERYTHING


# --- evidence of a slip ---

FIRST = ListState()


@pytest.mark.parametrize(
    ("before", "totals", "another"),
    [
        # a total that shrank
        (FIRST, [6, 5], True),
        (KNOWN, [6, 5], True),
        (KNOWN, [5, 7, 6], True),
        # that grew, or stayed
        (FIRST, [5, 6, 7], False),
        (KNOWN, [5, 6, 7], False),
        (KNOWN, [None, 5, None, 5], False),
        (KNOWN, [None, 6, None, 5], True),
        # in a first sync also fewer calls than announced first
        (FIRST, [6], True),
        (FIRST, [9, 9], True),
        (KNOWN, [6], False),
        (KNOWN, [900, 900], False),
        (FIRST, [5], False),
        # too few are announced
        (FIRST, [3], False),
        (FIRST, [None], False),
        (FIRST, [], False),
    ],
)
def test_evidence_of_a_slip(before: ListState, totals: list[int | None], another: bool) -> None:
    sync = Sync(before, ALL, ALL, totals=[totals])
    assert sync.needed == ([True, False] if another else [False])
    assert sync.out[1:] == ([""] if another else [])  # nothing of it is new
    assert sync.state.months == EVERYTHING


def test_a_total_below_the_ids_that_were_seen_is_none() -> None:
    convergence = Convergence(KNOWN, {}, WEEK, "")
    convergence.begin(BEGAN)
    convergence.page(9)
    for row in ALL:
        convergence.call(*row, in_scope=True)
    convergence.page(4)  # of a page, or zero
    assert not convergence.needs_another(OPEN)
    convergence.page(5)
    assert convergence.needs_another(OPEN)


@pytest.mark.parametrize(
    ("pages", "another"),
    [
        ([(7, 2)], False),
        ([(8, 2)], True),
        ([(7, 1), (7, 1)], False),  # the nulls of all pages count
        ([(7, 1), (7, 0)], True),
        ([(2, 2), (1, 0)], False),  # below what was seen: no total
        ([(2, 2), (2, 0), (2, 1), (2, 0)], False),
        ([(3, 2), (2, 0)], True),
    ],
)
def test_entries_that_hold_no_call_count_towards_a_total(
    pages: list[tuple[int, int]], another: bool
) -> None:
    convergence = Convergence(FIRST, {}, WEEK, "")
    convergence.begin(BEGAN)
    for total, nulls in pages:
        convergence.page(total, nulls)
    if pages[0][0] > 3:  # else there is none but nulls
        for row in ALL:
            convergence.call(*row, in_scope=True)
    assert convergence.needs_another(OPEN) is another


def test_nulls_are_no_surplus_of_a_total() -> None:
    found = []
    for nulls in (0, 2, 3):
        convergence = Convergence(KNOWN, {}, WEEK, "")
        convergence.begin(BEGAN)
        convergence.page(8, nulls)
        for row in ALL:
            convergence.call(*row, in_scope=True)
        found.append(convergence.state(ListEnd(False, 8), AT).unlisted)
    assert found == [3, 1, 0]


def test_calls_that_were_made_during_the_reading_do_not_make_up_for_others() -> None:
    during = ("x", "2026-03-15T12:00:00Z", "2026-03-15T12:00:00Z")
    before = ("x", "2026-03-15T11:59:59.999Z", "2026-03-15T12:00:00Z")
    assert Sync(FIRST, [*ALL, during], ALL, totals=[[6]]).needed == [True, False]
    assert Sync(FIRST, [*ALL, before], ALL, totals=[[6]]).needed == [False]
    assert Sync(FIRST, [*ALL, ("x", None, None)], ALL, totals=[[6]]).needed == [False]


def test_a_row_that_comes_twice_is_one_call() -> None:
    sync = Sync(FIRST, [A, B, B, C, D, E], ALL, totals=[[6]])
    assert sync.needed == [True, False]
    assert sync.state.months == EVERYTHING


def test_what_is_new_in_the_second_reading_comes_out() -> None:
    sync = Sync(FIRST, [A, B, D, E], ALL, totals=[[5]])
    assert sync.out == ["abde", "c"]
    # and its month is kept as the last reading found it, because all was emitted
    assert sync.state.months == EVERYTHING
    assert Sync(sync.state, ALL).needed == [False]


def test_a_third_reading_is_never_made() -> None:
    sync = Sync(FIRST, [A], [A, B], ALL, totals=[[9, 8]])
    assert (sync.out, sync.needed) == (["a", "b"], [True, False])


def test_the_cursor_moves_whatever_was_seen() -> None:
    sync = Sync(FIRST, [A, B], ALL, totals=[[9]])
    assert sync.state.cursor == "2026-03-14T00:00:00.000000Z"


# --- what is told ---


@pytest.mark.parametrize(
    ("second", "totals", "told"),
    [
        (ALL, [[7], [7]], (7, 5)),
        (ALL, [[7], [6]], (6, 5)),
        (ALL, [[7], [5]], None),
        (ALL, [[7], [None]], None),
        (ALL, [[7], [3]], (3, 5)),
        # two readings that differ prove nothing of the total
        ([A, B, C, D], [[7], [7]], None),
        ([A, B, C, D, ("x", E[1], E[2])], [[7], [7]], None),
    ],
)
def test_a_total_that_two_readings_contradict(
    second: list[Row], totals: list[list[int | None]], told: tuple[int, int] | None
) -> None:
    assert Sync(FIRST, ALL, second, totals=totals).convergence.announced_in_vain() == told


@pytest.mark.parametrize(("nulls", "told"), [(0, (7, 5)), (1, (7, 5)), (2, None)])
def test_nulls_do_not_contradict_a_total(nulls: int, told: tuple[int, int] | None) -> None:
    """What is told is how many calls are listed."""
    convergence = Convergence(FIRST, {}, WEEK, "")
    for _ in range(2):
        convergence.begin(BEGAN)
        convergence.page(7, nulls)
        for row in ALL:
            convergence.call(*row, in_scope=True)
        convergence.needs_another(OPEN)
    assert convergence.announced_in_vain() == told


def test_one_reading_contradicts_no_total() -> None:
    assert Sync(KNOWN, ALL, totals=[[7]]).convergence.announced_in_vain() is None


# --- the start date ---


def test_what_the_start_date_leaves_out_is_seen_and_no_more() -> None:
    sync = Sync(FIRST, ALL, totals=[[5]], hidden="ab")
    assert (sync.out, sync.needed) == (["cde"], [False])
    assert sync.convergence.reading.listed == 5
    assert sync.state.months == months("2026-01 c", "2026-03 d")


def test_the_newest_change_is_that_of_a_call_in_scope() -> None:
    assert Sync(FIRST, ALL, hidden="e").state.cursor == "2026-03-01T00:00:00.000000Z"


# --- another scope ---


@pytest.mark.parametrize(
    ("before", "now", "is_other"),
    [
        ({}, {}, False),
        ({"region": "eu"}, {"region": "eu"}, False),
        ({"region": "eu"}, {"region": "us"}, True),
        ({"region": "eu"}, {}, True),
        ({}, {"start_date": "2026-01-15T00:00:00Z"}, True),
        ({"workspace_ids": ["a", "b"]}, {"workspace_ids": ["a"]}, True),
    ],
)
def test_another_scope_is_read_as_a_whole_once(
    before: dict[str, Any], now: dict[str, Any], is_other: bool
) -> None:
    known = ListState(KNOWN.at, KNOWN.cursor, 0, SETTLED, EVERYTHING, before)
    sync = Sync(known, ALL, scope=now, bound="2026-03-07T00:00:00")
    assert sync.convergence.is_other_scope is is_other
    assert sync.out == ["abcde" if is_other else "e"]
    assert sync.state.scope == now
    assert Sync(sync.state, ALL, scope=now).out == ["e"]


def test_a_state_without_an_inventory_has_no_scope_to_differ_from() -> None:
    sync = Sync(ListState(cursor="2026-02-05T00:00:00Z"), ALL, scope={"region": "eu"})
    assert not sync.convergence.is_other_scope
    assert sync.state.scope == {"region": "eu"}


# --- a wall ---

WALLED = ListEnd(walled=True, announced=900)


def test_the_months_behind_a_wall_are_neither_kept_nor_compared() -> None:
    """That of the oldest listed call and all older ones; but those without a creation are."""
    undated = ("x", None, "2025-01-01T00:00:00Z")
    sync = Sync(KNOWN, [E, D, C, undated], end=WALLED)
    assert (sync.out, sync.needed) == (["ex"], [False])
    assert sync.state.months == months("2026-03 d", "undated x")
    # what is not compared comes with every sync: so nothing that comes to be listed there is lost
    again = Sync(sync.state, [E, D, C, undated], end=WALLED)
    assert (again.out, again.needed) == (["ec"], [False])
    deleted = Sync(sync.state, [E, D, C, B, undated], end=WALLED)
    assert (deleted.out, deleted.needed) == (["ecb"], [False])


def test_a_wall_alone_is_no_reason_for_a_second_reading() -> None:
    known = ListState(KNOWN.at, KNOWN.cursor, 0, SETTLED, months("2026-03 d"), {})
    sync = Sync(known, [E, D, C], end=WALLED, totals=[[900, 800]])
    assert (sync.out, sync.needed) == (["ec"], [False])


def test_what_a_wall_hid_comes_once_it_is_gone() -> None:
    walled = Sync(KNOWN, [E, D, C], end=WALLED)
    assert walled.needed == [False]
    assert walled.state.months == months("2026-03 d")
    sync = Sync(walled.state, ALL)
    assert sync.needed == [False]
    assert [sorted(sync.out[0])] == [sorted("eabc")]
    assert sync.state.months == EVERYTHING


def test_a_wall_before_any_record_hides_nothing() -> None:
    sync = Sync(FIRST, [], end=WALLED)
    assert sync.state.months == {}


# --- what is left ---


@pytest.mark.parametrize(
    ("end", "unlisted"),
    [
        (ListEnd(False, 8), 3),
        (ListEnd(False, 5), 0),
        (ListEnd(False, 2), 0),
        (ListEnd(False, None), 0),
        (WALLED, 0),
    ],
)
def test_a_surplus_of_a_total_is_kept(end: ListEnd, unlisted: int) -> None:
    assert Sync(KNOWN, ALL, ALL, end=end).state.unlisted == unlisted


@pytest.mark.parametrize(
    ("rows", "cursor"),
    [
        ([A], KNOWN.cursor),  # it never goes back
        ([], KNOWN.cursor),
        ([("a", A[1], "2026-03-15T12:00:04Z")], "2026-03-15T12:00:04.000000Z"),
        ([("a", A[1], "2026-03-15T12:00:04.12Z")], "2026-03-15T12:00:04.120000Z"),
        # nor does it pass the beginning: a call may change after its page was read
        ([("a", A[1], "2026-03-15T12:00:06Z")], AT),
        ([("a", A[1], "2999-01-01T00:00:00Z")], AT),
        ([("a", A[1], None)], KNOWN.cursor),
    ],
)
def test_the_newest_change_that_a_reading_saw(rows: list[Row], cursor: str) -> None:
    assert Sync(KNOWN, rows, rows).state.cursor == cursor


def test_all_readings_of_a_sync_settle_by_one_bound() -> None:
    """Else what settled in between would be in the sums of one month and not of another."""
    x = ("x", "2026-03-08T12:00:01Z", "2026-03-08T12:00:01Z")
    sync = Sync(FIRST, [*ALL, x], [*ALL, x], totals=[[7]], began=(BEGAN, "2026-03-15T12:30:00Z"))
    assert sync.needed == [True, False]
    assert sync.state.until == SETTLED
    assert sync.state.months == EVERYTHING


def test_only_the_reading_under_way_counts_what_it_has_listed() -> None:
    """Else the pages of the second one would be measured by the ids of the first."""
    convergence = Convergence(FIRST, {}, WEEK, "")
    assert convergence.listed == 0
    for rows, needed in (([A, B, B], True), ([A, B, C], False)):
        convergence.begin(BEGAN)
        assert convergence.listed == 0
        convergence.page(4, 1)
        for row in rows:
            convergence.call(*row, in_scope=True)
        assert convergence.listed == 1 + len(set(rows))
        assert convergence.needs_another(OPEN) is needed
        assert convergence.listed == 0


def test_ids_without_a_creation_have_a_month_of_their_own() -> None:
    assert UNDATED in Sync(FIRST, [("x", None, None)]).state.months  # type: ignore[operator]


# --- windows of a list ---


NOTHING = ListState()


class Windowed:
    """A reading of a list in windows: the rows of each, and what it announces."""

    def __init__(self, *windows: tuple[list[Row], int | None], before: ListState = NOTHING) -> None:
        self.convergence = Convergence(before, {}, WEEK, "")
        self.out: list[str] = []
        self.convergence.begin(BEGAN)
        for number, (rows, total) in enumerate(windows):
            if number:
                self.convergence.next_window(windows[number - 1][1], is_whole=True)
            self.convergence.page(total)
            self.out.append(
                ids([row for row in rows if self.convergence.call(*row, in_scope=True)])
            )


@pytest.mark.parametrize("before", [ListState(), ListState(cursor="2020-01-01T00:00:00Z")])
def test_a_call_that_two_windows_share_comes_once(before: ListState) -> None:
    windows = Windowed(([A, B], None), ([B, C, B], None), ([C, D, E], None), before=before)
    assert windows.out == ["ab", "c", "de"]
    assert windows.convergence.needs_another(OPEN) is False
    assert windows.convergence.state(OPEN, AT).months == EVERYTHING


@pytest.mark.parametrize(
    ("totals", "another"),
    [
        ((2, 2, 3), False),  # b and c stand in two of them, and count in both
        ((2, 3, 3), True),
        ((3, 2, 3), True),
        ((2, 2, 4), True),
        ((None, None, None), False),
        ((None, 3, None), True),
    ],
)
def test_each_window_must_hold_what_it_announces(
    totals: tuple[int | None, ...], another: bool
) -> None:
    windows = Windowed(([A, B], totals[0]), ([B, C], totals[1]), ([C, D, E], totals[2]))
    assert windows.convergence.needs_another(OPEN) is another


def test_the_totals_of_two_windows_are_not_compared() -> None:
    windows = Windowed(([A, B, C], 3), ([D, E], 2))
    assert windows.convergence.needs_another(OPEN) is False


def test_a_total_that_shrinks_within_a_window_is_a_slip() -> None:
    convergence = Convergence(KNOWN, {}, WEEK, "")
    convergence.begin(BEGAN)
    for total in (9, 8):
        convergence.page(total)
    convergence.next_window(8, is_whole=True)
    for row in ALL:
        convergence.call(*row, in_scope=True)
    assert convergence.needs_another(OPEN) is True


def test_a_window_that_is_halved_announces_nothing() -> None:
    convergence = Convergence(ListState(), {}, WEEK, "")
    convergence.begin(BEGAN)
    convergence.page(5)
    assert [convergence.call(*row, in_scope=True) for row in (A, B)] == [True, True]
    convergence.next_window(5, is_whole=False)
    convergence.page(3)
    out = [convergence.call(*row, in_scope=True) for row in (A, B, C)]
    assert out == [False, False, True]
    assert convergence.listed == 3  # of this window
    convergence.next_window(3, is_whole=True)
    convergence.page(2)
    assert [convergence.call(*row, in_scope=True) for row in (D, E)] == [True, True]
    assert convergence.needs_another(OPEN) is False
    assert convergence.reading.listed == 5
    assert convergence.reading.last_total == 5


@pytest.mark.parametrize(("more", "told"), [(0, None), (2, (7, 5))])
def test_what_all_windows_announce_in_vain(more: int, told: tuple[int, int] | None) -> None:
    convergence = Convergence(ListState(), {}, WEEK, "")
    for _ in range(2):
        convergence.begin(BEGAN)
        for rows, total in (([A, B], 2), ([B, C], 2 + more), ([C, D, E], 3)):
            convergence.page(total)
            for row in rows:
                convergence.call(*row, in_scope=True)
            if E not in rows:
                convergence.next_window(total, is_whole=True)
        convergence.needs_another(OPEN)
    assert convergence.announced_in_vain() == told


def test_nulls_of_all_windows_count_as_listed() -> None:
    convergence = Convergence(ListState(), {}, WEEK, "")
    convergence.begin(BEGAN)
    for rows, nulls in (([A, B], 1), ([C, D, E], 2)):
        convergence.page(len(rows) + nulls, nulls)
        for row in rows:
            convergence.call(*row, in_scope=True)
        if E not in rows:
            convergence.next_window(None, is_whole=True)
    assert convergence.reading.listed == 8
    assert convergence.needs_another(OPEN) is False


def test_the_month_of_a_crowded_second_is_neither_kept_nor_compared() -> None:
    end = ListEnd(True, None, ("2026-01-20T00:00:00Z",))
    missing = Sync(KNOWN, [A, B, D, E], end=end)
    assert missing.needed == [False]
    assert missing.state.months == months("2025-12 a", "2026-03 d")
    # the others are, also the older ones
    assert Sync(KNOWN, [B, C, D, E], ALL, end=end).needed == [True, False]


# --- what has gone ---


def gone(sync: Sync, end: ListEnd = OPEN) -> dict[str, int]:
    return sync.convergence.gone(end)


def test_what_has_gone_is_counted_by_month() -> None:
    sync = Sync(KNOWN, [B, E], [B, E])
    assert gone(sync) == {"2025-12": 1, "2026-01": 1, "2026-03": 1}


def test_nothing_has_gone_from_a_list_that_is_as_it_was_or_longer() -> None:
    late = ("x", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z")
    assert gone(Sync(KNOWN, ALL)) == {}
    assert gone(Sync(KNOWN, [*ALL, late], [*ALL, late])) == {}


def test_what_the_second_reading_lists_has_not_gone() -> None:
    sync = Sync(KNOWN, [A, C, E], [A, B, C, E])
    assert sync.state.months == months("2025-12 a", "2026-01 bc")
    assert gone(sync) == {"2026-03": 1}


def test_a_call_that_was_not_settled_is_not_missed() -> None:
    """It was no part of the inventory, and has been settled since."""
    younger = ListState(KNOWN.at, KNOWN.cursor, 0, "2026-02-20T00:00:00Z", months("2026-01 bc"))
    assert gone(Sync(younger, [B, C], [B, C])) == {}


def test_what_has_been_settled_since_does_not_make_up_for_what_has_gone() -> None:
    before = ListState(KNOWN.at, KNOWN.cursor, 0, "2026-03-05T00:00:00Z", months("2026-03 dx"))
    since = ("y", "2026-03-06T00:00:00Z", "2026-03-06T00:00:00Z")
    assert gone(Sync(before, [D, since], [D, since])) == {"2026-03": 1}


def test_of_another_scope_or_without_an_inventory_nothing_is_known_to_have_gone() -> None:
    assert gone(Sync(KNOWN, [A], [A], scope={"start_date": "2025-01-01T00:00:00Z"})) == {}
    assert gone(Sync(ListState(), [A])) == {}
    assert gone(Sync(ListState(cursor=KNOWN.cursor), [A])) == {}


def test_months_that_a_wall_hides_have_not_gone() -> None:
    walled = ListEnd(walled=True)
    newest_first = [E, C]  # d of March is missing; what is hidden begins with January
    sync = Sync(KNOWN, newest_first, newest_first, end=walled)
    assert gone(sync, walled) == {"2026-03": 1}
    assert gone(sync, ListEnd(walled=True, walled_at=("2026-03-02T00:00:00Z",))) == {}
