"""What a listing believes: readings that agree on the calls that were there when they began."""

import pytest

from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.listing import MOST_READINGS, Listing

BEGAN = "2026-03-15T12:00:01.000000Z"
"""As a first page of 12:00:00 has it: the second after its answer."""
OLD, NEW = "2026-01-10T00:00:00Z", "2026-03-15T12:00:00Z"
OPEN = ListEnd()


def read(listing: Listing, ids: str, created: str | None = OLD, end: ListEnd = OPEN) -> str:
    """One reading of calls with ids of one letter; what comes out, and `+` if another follows."""
    came = add(listing, ids, created)
    return came + "+" * listing.needs_another(end)


def add(listing: Listing, ids: str, created: str | None = OLD) -> str:
    if not listing.known:
        listing.begin(BEGAN)
    listing.page(None)
    return "".join(i for i in ids if listing.call(i, created, None, in_scope=True))


def test_two_readings_that_hold_the_same_are_enough() -> None:
    listing = Listing()

    assert read(listing, "abc") == "abc+"
    assert not listing.agrees
    assert read(listing, "cba") == ""
    assert listing.agrees


def test_what_any_reading_holds_comes_out_once() -> None:
    listing = Listing()

    assert read(listing, "abca") == "abc+"
    assert read(listing, "abd") == "d+"
    assert read(listing, "adb") == ""
    assert listing.agrees


@pytest.mark.parametrize("created", [OLD, None])
def test_as_many_but_other_calls_do_not_agree(created: str | None) -> None:
    listing = Listing()

    assert read(listing, "ab", created) == "ab+"
    assert read(listing, "ac", created) == "c+"
    assert read(listing, "ad", created) == "d"
    assert not listing.agrees


def test_the_first_and_the_third_do_not_make_two_in_a_row() -> None:
    listing = Listing()

    assert [read(listing, ids) for ids in ("ab", "a", "ab")] == ["ab+", "+", ""]
    assert not listing.agrees
    assert MOST_READINGS == 3


def test_calls_of_the_moment_in_which_it_began_are_not_compared() -> None:
    listing = Listing()

    assert read(listing, "ab") == "ab+"
    add(listing, "ab")
    assert add(listing, "x", NEW) == "x"
    assert not listing.needs_another(OPEN)
    assert listing.agrees


def test_the_bound_is_that_of_the_first_reading() -> None:
    listing = Listing()
    assert read(listing, "ab") == "ab+"

    listing.begin("2026-03-16T12:00:00.000000Z")
    for call_id, created in (("a", OLD), ("b", OLD), ("x", "2026-03-15T13:00:00Z")):
        listing.call(call_id, created, None, in_scope=True)

    assert not listing.needs_another(OPEN)
    assert listing.agrees


def test_one_reading_is_believed_where_there_is_to_be_no_other() -> None:
    listing = Listing(1)

    assert read(listing, "ab") == "ab"
    assert listing.agrees


def test_a_wall_is_not_read_again() -> None:
    listing = Listing()

    assert read(listing, "ab", end=ListEnd(walled=True)) == "ab"
    assert not listing.agrees


def test_between_two_readings_nothing_is_known() -> None:
    """Else the second one would take the calls of the first for its own, and end too early."""
    listing = Listing()
    add(listing, "abc")
    assert (listing.listed, listing.known) == (3, 3)

    listing.needs_another(OPEN)
    assert (listing.listed, listing.known) == (0, 0)

    add(listing, "ab")
    assert (listing.listed, listing.known) == (2, 2)


@pytest.mark.parametrize("shared", [False, True])
def test_windows_are_counted_each_and_compared_together(shared: bool) -> None:
    listing = Listing()
    for came in ("abcd", ""):
        listing.next_window(None, is_whole=True)  # no page of it held a record
        assert add(listing, "ab") == came[:2]
        listing.next_window(2, is_whole=True)
        assert listing.listed == 0
        assert add(listing, "bcd" if shared else "cd") == came[2:]
        assert (listing.listed, listing.known) == (3 if shared else 2, 4)
        again = listing.needs_another(OPEN)
        assert again is bool(came)
    assert listing.agrees


def test_it_is_empty_until_a_call_came() -> None:
    listing = Listing()
    listing.begin(BEGAN)
    assert listing.is_empty
    add(listing, "a")
    assert not listing.is_empty
