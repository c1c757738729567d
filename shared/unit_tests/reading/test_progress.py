import json
import random
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls_shared.reading.progress import ParentProgress, Ticket

PROPERTY = settings(database=None, deadline=None, max_examples=300)
ONE = {"phone": "PN1", "parent_slice": {}}
TWO = {"phone": "PN2", "parent_slice": {}}


def moment(day: int) -> str:
    return f"2026-01-{day:02d}T00:00:00.000000Z"


def second(number: int) -> str:
    return f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}.000000Z"


def handed_in(*reached: tuple[dict[str, Any], int], **inventory: Any) -> dict[str, Any]:
    """A parent's state: how far each partition was read, and inventories by phone number."""
    states = [{"partition": of, "cursor": {"active_at": moment(day)}} for of, day in reached]
    return {"use_global_cursor": False, "states": states, "inventory": inventory}


def progress_of(*reached: tuple[dict[str, Any], int], **inventory: Any) -> ParentProgress:
    return ParentProgress("active_at", handed_in(*reached, **inventory))


def test_the_state_moves_once_all_earlier_slices_of_the_partition_are_closed() -> None:
    progress = progress_of()
    first, second, third = (progress.open(ONE, moment(day)) for day in (1, 2, 3))
    assert progress.state() == handed_in()
    second.close()
    assert progress.state() == handed_in()
    first.close()
    assert progress.state() == handed_in((ONE, 2))
    third.close()
    assert progress.state() == handed_in((ONE, 3))


def test_a_hole_holds_back_its_own_partition_alone() -> None:
    progress = progress_of()
    progress.open(ONE, moment(1))  # a hole
    late = progress.open(ONE, moment(2))
    other = progress.open(TWO, moment(3))
    late.close()
    other.close()
    assert progress.state() == handed_in((TWO, 3))


def test_a_slice_without_a_moment_holds_back_what_comes_after_it() -> None:
    progress = progress_of()
    timeless = progress.open(ONE, None)
    dated = progress.open(ONE, moment(2))
    dated.close()
    assert progress.state() == handed_in()
    timeless.close()
    assert progress.state() == handed_in((ONE, 2))


def test_a_slice_without_a_moment_moves_nothing() -> None:
    progress = progress_of((ONE, 5))
    progress.open(ONE, None).close()
    progress.open(TWO, None).close()
    assert progress.state() == handed_in((ONE, 5))


def test_the_state_never_goes_back() -> None:
    progress = progress_of((ONE, 5))
    progress.open(ONE, moment(3)).close()  # read again, because of the lookback
    assert progress.state() == handed_in((ONE, 5))
    progress.open(ONE, moment(7)).close()
    progress.open(ONE, moment(6)).close()
    assert progress.state() == handed_in((ONE, 7))


def test_what_was_handed_in_and_is_not_listed_stays() -> None:
    progress = progress_of((ONE, 5), (TWO, 6))
    progress.open(ONE, moment(7)).close()
    assert progress.state() == handed_in((ONE, 7), (TWO, 6))


def test_a_ticket_may_be_closed_twice() -> None:
    progress = progress_of()
    first, second = progress.open(ONE, moment(1)), progress.open(ONE, moment(2))
    first.close()
    first.close()
    assert progress.state() == handed_in((ONE, 1))
    second.close()
    assert progress.state() == handed_in((ONE, 2))


def test_a_partition_is_the_same_whatever_the_order_of_its_keys() -> None:
    progress = progress_of((ONE, 1))
    progress.open(dict(reversed(ONE.items())), moment(2)).close()
    assert progress.state() == handed_in((ONE, 2))


def test_a_state_that_was_given_does_not_change_later() -> None:
    progress = progress_of()
    ticket = progress.open(ONE, moment(1))
    before = progress.state()
    ticket.close()
    assert before == handed_in()


# --- inventories ---

OLD = {"until": "2026-01-01T00:00:00.000000Z", "years": {"2025": "1:a"}}
NEW = {"until": "2026-01-08T00:00:00.000000Z", "years": {"2024": "5:e", "2025": "2:b"}}
PARTLY = {"until": "2026-01-08T00:00:00.000000Z", "years": {"2024": "5:e"}}
"""Without the year of which all is given out again."""


def test_a_year_that_is_given_out_again_holds_once_all_slices_are_closed() -> None:
    progress = progress_of((ONE, 1), PN1=OLD)
    progress.listed(ONE, NEW, {"2025", "2023"})
    first, second = progress.open(ONE, moment(2)), progress.open(ONE, moment(3))
    first.close()
    assert progress.state() == handed_in((ONE, 2), PN1=PARTLY)
    second.close()
    # more slices of it may follow
    assert progress.state() == handed_in((ONE, 3), PN1=PARTLY)
    progress.given_out(ONE)
    assert progress.state() == handed_in((ONE, 3), PN1=NEW)


def test_an_inventory_waits_for_the_slices_that_are_still_read() -> None:
    progress = progress_of((ONE, 1), PN1=OLD)
    progress.listed(ONE, NEW, {"2025"})
    first, hole = progress.open(ONE, moment(2)), progress.open(ONE, moment(3))
    progress.given_out(ONE)
    first.close()
    assert progress.state() == handed_in((ONE, 2), PN1=PARTLY)
    hole.end()  # read, but not well
    assert progress.state() == handed_in((ONE, 2), PN1=PARTLY)
    hole.close()
    assert progress.state() == handed_in((ONE, 3), PN1=NEW)


def test_the_years_of_which_only_the_active_are_read_hold_at_once() -> None:
    """The cursor tells how far those have been read."""
    progress = progress_of((ONE, 1), PN1=OLD)
    progress.listed(ONE, NEW, ())
    progress.open(ONE, moment(2))  # a hole
    assert progress.state() == handed_in((ONE, 1), PN1=NEW)


def test_a_first_reading_that_is_killed_goes_on_where_it_was() -> None:
    """Without a cursor all is given out in the order of time, so that the cursor tells of all."""
    progress = progress_of()
    progress.listed(ONE, NEW, {"2024", "2025"})
    first = progress.open(ONE, moment(2))
    progress.open(ONE, moment(3))
    assert progress.state() == handed_in(PN1=NEW)
    first.close()
    killed = progress.state()
    assert killed == handed_in((ONE, 2), PN1=NEW)
    assert ParentProgress("active_at", killed).inventory(ONE) == NEW


def test_a_partition_without_slices_has_an_inventory_too() -> None:
    progress = progress_of((ONE, 1), PN1=OLD)
    progress.listed(ONE, NEW, {"2025"})
    assert progress.state() == handed_in((ONE, 1), PN1=PARTLY)
    progress.given_out(ONE)
    assert progress.state() == handed_in((ONE, 1), PN1=NEW)


def test_at_the_end_every_partition_that_was_listed_is_given_out() -> None:
    """One whose listing failed was not; what is known of it stays."""
    progress = progress_of((ONE, 1), (TWO, 1), PN1=OLD, PN2=OLD)
    progress.open(TWO, None).close()
    progress.listed(ONE, NEW, {"2025"})
    assert progress.state() == handed_in((ONE, 1), (TWO, 1), PN1=PARTLY, PN2=OLD)
    progress.all_given_out()
    assert progress.state() == handed_in((ONE, 1), (TWO, 1), PN1=NEW, PN2=OLD)
    progress.listed(TWO, NEW, {"2025"})  # not before it is given out as well
    assert progress.state() == handed_in((ONE, 1), (TWO, 1), PN1=NEW, PN2=PARTLY)


def test_the_inventory_that_was_handed_in_is_there_to_be_compared() -> None:
    progress = progress_of((ONE, 1), PN1=OLD)
    assert progress.inventory(ONE) == OLD
    assert progress.inventory(dict(reversed(ONE.items()))) == OLD
    assert progress.inventory(TWO) is None


def test_ten_phone_numbers_of_ten_years_take_five_kilobytes() -> None:
    years = {str(year): f"99999:{year:016x}" for year in range(2016, 2026)}
    progress = progress_of()
    for number in range(10):
        partition = {"phone_number_id": f"PN{number:08d}", "parent_slice": {}}
        progress.open(partition, moment(1)).close()
        progress.listed(partition, {"until": moment(2), "years": years}, [])
    progress.all_given_out()
    state = progress.state()
    assert len(state["inventory"]) == len(state["states"]) == 10
    assert len(json.dumps(state["inventory"])) < 5 * 1024
    assert len(json.dumps(state, separators=(",", ":"))) < 6 * 1024  # the cursors beside it


@pytest.mark.parametrize("garbled", [None, "x", [OLD], {"PN1": None}, {"PN1": "1:a"}, {"PN2": OLD}])
def test_an_inventory_that_cannot_be_read_is_none(garbled: Any) -> None:
    progress = ParentProgress("active_at", {**handed_in((ONE, 1)), "inventory": garbled})
    assert progress.inventory(ONE) is None
    assert progress.state() == handed_in((ONE, 1))


def test_a_state_that_knows_no_inventory_is_none_too() -> None:
    """One of a version before, and the one of a scope that has changed."""
    states = handed_in((ONE, 1))["states"]
    assert ParentProgress("active_at", {"states": states}).state() == handed_in((ONE, 1))
    assert ParentProgress("active_at", {}).state() == handed_in()


# --- the end of a sync ---


def test_the_end_of_all_slices_is_waited_for() -> None:
    progress = progress_of()
    assert progress.wait_until_idle(0.0)
    one, other = progress.open(ONE, moment(1)), progress.open(TWO, moment(1))
    one.end()
    one.end()  # counts once
    assert not progress.wait_until_idle(0.01)
    began = time.monotonic()
    threading.Timer(0.05, other.end).start()
    assert progress.wait_until_idle(60.0)
    assert time.monotonic() - began < 30.0  # it ends when they do
    assert progress.wait_until_idle(0.0)


def test_a_slice_that_is_closed_has_not_ended_yet() -> None:
    """Its reader closes it first; only then may the last state tell of it."""
    progress = progress_of()
    ticket = progress.open(ONE, moment(1))
    ticket.close()
    assert not progress.wait_until_idle(0.0)
    ticket.end()
    assert progress.wait_until_idle(0.0)


def test_all_is_proved_if_there_is_no_hole() -> None:
    progress = progress_of()
    assert progress.is_proved()
    first, second, third = (progress.open(of, None) for of in (ONE, ONE, TWO))
    for ticket in (first, second, third):
        assert not progress.is_proved()
        ticket.end()
    assert not progress.is_proved()
    second.close()
    third.close()
    assert not progress.is_proved()
    first.close()
    assert progress.is_proved()


def proved(initial: int | None, tickets: list[tuple[int | None, bool]]) -> int | None:
    """The rule, written down a second time: the newest moment with no open slice before it."""
    days = [] if initial is None else [initial]
    for day, closed in tickets:
        if not closed:
            break
        days += [] if day is None else [day]
    return max(days, default=None)


@PROPERTY
@given(
    initial=st.dictionaries(st.sampled_from(["PN1", "PN2"]), st.integers(1, 28)),
    opened=st.lists(
        st.tuples(st.sampled_from(["PN1", "PN2", "PN3"]), st.none() | st.integers(1, 28)),
        max_size=12,
    ),
    order=st.randoms(use_true_random=False),
    holes=st.sets(st.integers(0, 11)),
    ahead=st.integers(1, 12),
)
def test_whatever_the_order_of_closing(
    initial: dict[str, int],
    opened: list[tuple[str, int | None]],
    order: random.Random,
    holes: set[int],
    ahead: int,
) -> None:
    """Slices are opened in order, some ahead of those that are closed, in any order."""
    progress = progress_of(*(({"phone": name}, day) for name, day in initial.items()))
    tickets: list[tuple[str, int | None, Ticket]] = []
    waiting: list[Ticket] = []

    def check() -> None:
        expected = {}
        for name in ("PN1", "PN2", "PN3"):
            of_name = [(day, ticket.closed) for n, day, ticket in tickets if n == name]
            day = proved(initial.get(name), of_name)
            if day is not None:
                expected[name] = moment(day)
        states = progress.state()["states"]
        assert len(states) == len(expected)
        assert {e["partition"]["phone"]: e["cursor"]["active_at"] for e in states} == expected

    for number, (name, day) in enumerate(opened):
        ticket = progress.open({"phone": name}, None if day is None else moment(day))
        tickets.append((name, day, ticket))
        if number not in holes:
            waiting.append(ticket)
        while len(waiting) >= ahead:
            waiting.pop(order.randrange(len(waiting))).close()
            check()
    order.shuffle(waiting)
    for ticket in waiting:
        ticket.close()
        check()
    check()


@pytest.mark.parametrize("hole", [None, 700])
def test_several_threads_close_slices(hole: int | None) -> None:
    progress = progress_of()
    count = 1000
    tickets = [progress.open(ONE, second(n)) for n in range(count)]
    shuffled = [n for n in range(count) if n != hole]
    random.Random(5).shuffle(shuffled)
    seen: list[list[str]] = [[] for _ in range(4)]

    def work(number: int) -> None:
        for n in shuffled[number::4]:
            tickets[n].close()
            seen[number] += [entry["cursor"]["active_at"] for entry in progress.state()["states"]]

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120.0)
    last = count - 1 if hole is None else hole - 1
    (entry,) = progress.state()["states"]
    assert entry["cursor"]["active_at"] == second(last)
    assert all(moments == sorted(moments) for moments in seen)  # it never goes back


# --- when a partition was read completely ---


def test_a_complete_reading_is_told_only_where_it_is_kept() -> None:
    progress = progress_of((ONE, 5))
    progress.listed(ONE, NEW, [])
    progress.open(ONE, moment(7)).close()
    progress.all_given_out()
    assert "complete" not in progress.state()
    assert progress.complete(ONE) is None


def kept(complete: dict[str, Any]) -> ParentProgress:
    progress = ParentProgress("active_at", {**handed_in((ONE, 5), (TWO, 6)), "complete": complete})
    progress.keep_complete()
    return progress


def test_a_partition_is_complete_once_all_of_its_slices_are_closed() -> None:
    progress = kept({"PN1": moment(4), "PN2": moment(6)})
    progress.listed(ONE, NEW, [])
    first, second = progress.open(ONE, moment(7)), progress.open(ONE, moment(9))
    first.close()
    assert progress.state()["complete"] == {"PN1": moment(4), "PN2": moment(6)}
    second.close()  # all, but more may follow
    assert progress.state()["complete"] == {"PN1": moment(4), "PN2": moment(6)}
    progress.given_out(ONE)
    assert progress.state()["complete"] == {"PN1": moment(9), "PN2": moment(6)}
    # what is handed in next time
    again = ParentProgress("active_at", progress.state())
    again.keep_complete()
    assert (again.complete(ONE), again.complete(TWO)) == (moment(9), moment(6))


def test_a_partition_whose_listing_failed_is_not_complete() -> None:
    progress = kept({})
    progress.open(ONE, moment(7)).close()
    progress.all_given_out()
    assert progress.state()["complete"] == {}


@pytest.mark.parametrize("odd", [None, "x", [], {"PN1": 7}, {"PN1": None}])
def test_an_odd_mark_counts_as_none(odd: Any) -> None:
    assert kept(odd).complete(ONE) is None
