"""Lists converge: whatever a list announces and however it ends, what it lists arrives.

The real connectors read the sandbox in this process; the random walk is test_list_walk.py.
"""

from itertools import product
from typing import Any

import pytest

from integration_tests.fault_cases import NAMES
from integration_tests.list_reading import (
    BEGINNING,
    NUMBERED,
    ORDERS,
    Destination,
    empty_page,
    list_sandbox,
    reading,
    without_records,
)
from integration_tests.sandbox import Fault
from integration_tests.sandbox.edits import with_page
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.numbered_lists import PAST_ENDS

WORKERS = (1, 8)
PAGES = {"intercom": 4, "skipcall": 5}
"""How many pages hold records; the last one is not full."""

Lies = dict[str, Any]
AGAIN = [*[0] * 7, 1]
"""An empty page that is announced is tried seven times more, then the next one is looked at."""
# What is announced; what is asked for behind the last page; readings in the first sync and later.
# Pages behind the last one by their distance from the one after it.
ANNOUNCED: list[tuple[Lies, list[int], int, int]] = [
    ({}, [], 1, 1),
    ({"total": "few_less"}, [0], 1, 1),
    ({"total": "zero"}, [0], 1, 1),
    ({"total": "capped"}, [0], 1, 1),
    ({"total": "per_page"}, [0], 1, 1),
    ({"total": "text"}, [], 1, 1),
    ({"total": "words"}, [0], 1, 1),
    ({"total": "absent"}, [0], 1, 1),
    ({"total": "negative"}, [0], 1, 1),
    ({"total": "growing"}, [0], 1, 1),
    ({"total": "few_more"}, [0], 2, 1),
    ({"total": "further_page"}, [0], 2, 1),
    ({"total": "shrinking"}, [0], 2, 2),
    ({"total": "zero", "page_count": "zero"}, [0], 1, 1),
    ({"total": "absent", "page_count": "absent"}, [0], 1, 1),
    ({"total": "absent", "page_count": "one_less"}, [0], 1, 1),
    ({"total": "absent", "page_count": "one"}, [0], 1, 1),
    ({"total": "absent", "page_count": "text"}, [0], 1, 1),
    ({"total": "absent", "page_count": "other_size"}, [0], 1, 1),
    ({"total": "absent", "page_count": "one_more"}, [0], 1, 1),
    ({"page_count": "one_less"}, [], 1, 1),
    ({"page_count": "zero"}, [], 1, 1),
    ({"page_count": "other_size"}, [], 1, 1),
    ({"page_count": "absent"}, [], 1, 1),
    ({"page_count": "one_more"}, [0], 1, 1),
    ({"page_count": "many_more"}, [0], 1, 1),
    ({"page_count": "changing"}, [0], 1, 1),
    ({"taken_out": "third"}, [0], 2, 1),
]
SMALL: list[Lies] = [
    {"total": "zero", "page_count": "zero"},
    {"total": "absent", "page_count": "one_less"},
    {"total": "absent", "page_count": "one"},
    {"total": "absent", "page_count": "other_size"},
]
"""Whose records go on past the announced end, so that it is asked whether they ever end."""
FAR = ["1000000"]
VAIN = {
    "few_more": "announces 93 calls and lists 90, twice in a row.",
    "thousandfold": "announces 90000 calls and lists 90, twice in a row.",
}


def name_of(lies: Lies) -> str:
    return "-".join(f"{key}={value}" for key, value in lies.items()) or "true"


def asked(pages: int, behind: list[int], readings: int) -> list[str]:
    """The numbers of the pages that are asked for, one after another."""
    one = [*range(1, pages + 1), *(pages + 1 + distance for distance in behind)]
    return [str(number) for number in one * readings]


@pytest.mark.parametrize(
    ("lies", "behind", "first_readings", "later"),
    [pytest.param(*row, id=name_of(row[0])) for row in ANNOUNCED],
)
@pytest.mark.parametrize("provider", NUMBERED)
def test_whatever_is_announced_all_calls_come_in_the_first_sync(
    provider: str,
    lies: Lies,
    behind: list[int],
    first_readings: int,
    later: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for order, workers in product(ORDERS, WORKERS):
        sandbox = list_sandbox(provider, order=order, **lies)
        with reading(sandbox):
            destination = Destination(provider, sandbox, {"num_workers": workers})
            caplog.clear()
            first = destination.sync()
            assert first.failures == []
            assert first.by_id() == sandbox.expected(provider)
            assert len(first.records()) == len(first.by_id())
            assert first.cursor > BEGINNING
            assert destination.readings() == first_readings
            told = [text for text in caplog.messages if "twice in a row" in text]
            assert not told or first_readings == 2
            if (sentence := VAIN.get(lies.get("total", ""))) is not None:
                assert told == [f"{NAMES[provider]} {sentence}"]
            if workers == 1 and lies.get("page_count") != "changing":
                pages = destination.pages()
                assert [page for page in pages if page in FAR] == (FAR if lies in SMALL else [])
                near = [page for page in pages if page not in FAR]
                assert near == asked(PAGES[provider], behind, first_readings)
            second = destination.sync()
            assert second.failures == []
            assert destination.readings() == later
            assert len(second.records()) == len(second.by_id()) < len(first.by_id())
            destination.assert_holds()


@pytest.mark.parametrize("provider", NUMBERED)
def test_a_total_far_too_high(provider: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is announced behind the last page is looked for; then it is known to be nothing."""
    sandbox = list_sandbox(provider, total="thousandfold")
    with reading(sandbox):
        destination = Destination(provider, sandbox, {"num_workers": 1})
        first = destination.sync()
        assert first.failures == []
        assert first.by_id() == sandbox.expected(provider)
        assert f"{NAMES[provider]} {VAIN['thousandfold']}" in caplog.messages
        last = PAGES[provider]
        end = {"intercom": 3600, "skipcall": 4500}[provider]
        probes = [(last + 1 + end) // 2 - last - 1, end - last - 1]
        assert destination.pages() == asked(last, [0, *AGAIN, *probes], 2)
        destination.sync()
        assert destination.pages() == asked(last, [0], 1)


@pytest.mark.parametrize("status", [500, 403])
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_page_far_behind_the_end_that_cannot_be_had(provider: str, status: int) -> None:
    """Records behind the announced end are believed where the provider fails at a huge number."""
    sandbox = list_sandbox(provider, **SMALL[0])
    with reading(sandbox):
        destination = Destination(provider, sandbox, {"num_workers": 1})
        far = Fault(provider, query_contains="page=1000000&", times=ENDLESS, status=status)
        sandbox.faults = [far]
        for _ in range(2):
            assert destination.sync().failures == []
            destination.assert_holds()


@pytest.mark.parametrize("provider", NUMBERED)
def test_all_was_seen_and_the_last_page_comes_again_up_to_the_announced_end(provider: str) -> None:
    for workers in WORKERS:
        sandbox = list_sandbox(provider, past_end="last_page", page_count="many_more")
        with reading(sandbox):
            destination = Destination(provider, sandbox, {"num_workers": workers})
            done = destination.sync()
            assert done.failures == []
            assert done.cursor > BEGINNING
            destination.assert_holds()


MANY: Lies = {"total": "absent", "page_count": "many_more"}


@pytest.mark.parametrize("past_end", PAST_ENDS[:4])
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_page_count_far_too_high(provider: str, past_end: str) -> None:
    for workers in WORKERS:
        sandbox = list_sandbox(provider, past_end=past_end, **MANY)
        with reading(sandbox):
            destination = Destination(provider, sandbox, {"num_workers": workers})
            for _ in range(2):
                done = destination.sync()
                assert done.failures == []
                assert done.cursor > BEGINNING
                assert destination.readings() == 1
                destination.assert_holds()
                if workers == 1:
                    again = AGAIN if past_end == "empty" else [1]
                    last = PAGES[provider]
                    middle = (last + 1 + last + 5) // 2 - last - 1
                    # whether it is the sort order that is refused is asked once a sync
                    hints = [0] if (provider, past_end.isdigit()) == ("skipcall", True) else []
                    behind = [0, *hints, *again, *sorted({middle, 4} - {1})]
                    assert destination.pages() == asked(last, behind, 1)


ENDS = [
    pytest.param(past_end, lies, id=f"{past_end}-{name_of(lies)}")
    for past_end in PAST_ENDS[:5]
    for lies in (
        {},
        {"total": "few_less"},
        {"total": "zero", "page_count": "zero"},
        {"total": "absent"},
        {"total": "absent", "page_count": "absent"},
        {"total": "page_more", "page_count": "absent"},
        {"page_count": "one_more"},
    )
]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("past_end", "lies"), ENDS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_whatever_the_page_past_the_end_is(
    provider: str, past_end: str, lies: Lies, full: bool
) -> None:
    """Also where the last page is full, so that only the page behind it ends the list."""
    if full and lies.get("total") == "page_more":
        return  # a wall
    for order, workers in product(ORDERS[::3], WORKERS):
        sandbox = list_sandbox(provider, 100 if full else 90, order, past_end=past_end, **lies)
        with reading(sandbox):
            destination = Destination(provider, sandbox, {"num_workers": workers})
            for _ in range(2):
                done = destination.sync()
                assert done.failures == []
                assert done.cursor > BEGINNING
                destination.assert_holds()
            assert destination.readings() == 1


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize(
    "lies",
    [
        {},
        {"total": "zero", "page_count": "zero"},
        {"total": "absent", "page_count": "absent"},
    ],
    ids=name_of,
)
@pytest.mark.parametrize("provider", NUMBERED)
def test_the_same_page_for_every_number(provider: str, lies: Lies, workers: int) -> None:
    sandbox = list_sandbox(provider, past_end="same_page", **lies)
    healthy = list_sandbox(provider)
    with reading(sandbox):
        destination = Destination(provider, sandbox, {"num_workers": workers})
        done = destination.sync()
        if provider == "skipcall" and lies:
            # fewer records than were asked for, and no more are announced: the last page again
            assert done.failures == []
        else:
            ((failure_type, sentence),) = done.failures
            assert failure_type == "transient_error"
            assert "lead in a circle" in sentence
            assert done.cursor in ("", BEGINNING)
        sandbox.switches = healthy.switches
        assert destination.sync().failures == []
        destination.assert_holds()


@pytest.mark.parametrize("provider", NUMBERED)
def test_a_row_that_is_listed_twice(provider: str) -> None:
    for order, workers in product(ORDERS, WORKERS):
        sandbox = list_sandbox(provider, order=order, duplicate=True)
        with reading(sandbox):
            destination = Destination(provider, sandbox, {"num_workers": workers})
            first = destination.sync()
            assert (first.failures, destination.readings()) == ([], 1)
            assert first.by_id() == sandbox.expected(provider)
            assert first.cursor > BEGINNING
            second = destination.sync()
            assert (second.failures, destination.readings()) == ([], 1)
            assert len(second.by_id()) < 90


# Pages that are empty


@pytest.mark.parametrize("provider", NUMBERED)
def test_a_page_in_the_middle_is_empty_for_a_moment(provider: str) -> None:
    for order, workers in product(ORDERS, WORKERS):
        sandbox = list_sandbox(provider, order=order)
        with reading(sandbox):
            sandbox.faults = [empty_page(provider, 3, times=3)]
            destination = Destination(provider, sandbox, {"num_workers": workers})
            done = destination.sync()
            assert (done.failures, destination.readings()) == ([], 1)
            assert done.by_id() == sandbox.expected(provider)
            assert sorted(destination.pages()).count("3") == 4
            assert done.cursor > BEGINNING


@pytest.mark.parametrize("taken_out", [False, True])
@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_page_in_the_middle_stays_empty(provider: str, workers: int, taken_out: bool) -> None:
    """The records behind it show that it is no end: a fault of the answer, and no state moves."""
    lies: Lies = {"taken_out": "second_page"} if taken_out else {}
    sandbox = list_sandbox(provider, **lies)
    with reading(sandbox):
        if not taken_out:
            sandbox.faults = [empty_page(provider, 2)]
        destination = Destination(provider, sandbox, {"num_workers": workers})
        for _ in range(2):
            done = destination.sync()
            ((failure_type, sentence),) = done.failures
            assert failure_type == "transient_error"
            assert f"an empty page 2 of {PAGES[provider]} although pages behind it" in sentence
            assert done.cursor in ("", BEGINNING)
        sandbox.faults, sandbox.switches = [], list_sandbox(provider).switches
        assert destination.sync().failures == []
        destination.assert_holds()


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("provider", NUMBERED)
def test_the_last_page_is_empty_for_a_while(provider: str, later: bool) -> None:
    """What it held comes with the next complete reading; the state moves all the same."""
    for order, workers in product(ORDERS, WORKERS):
        sandbox = list_sandbox(provider, order=order)
        with reading(sandbox):
            destination = Destination(provider, sandbox, {"num_workers": workers})
            if later:
                destination.sync()
                sandbox.world.advance(hours=24 * 30, new=0, changed=0, deleted=0, late=0)
            sandbox.faults = [empty_page(provider, PAGES[provider])]
            ill = destination.sync()
            assert ill.failures == []
            assert ill.cursor > BEGINNING
            # evidence in a first sync; in a later one a difference, but for what was too young then
            assert destination.readings() == 2 or (later and order != "created_desc")
            assert later or len(destination.held) < 90
            sandbox.faults = []
            assert destination.sync().failures == []
            # (one, if all that was missing is young, or of months that had none)
            assert destination.readings() <= 2
            destination.assert_holds()
            destination.sync()
            assert destination.readings() == 1


@pytest.mark.parametrize("provider", NUMBERED)
def test_the_first_page_is_empty_for_a_moment(provider: str) -> None:
    """It announces more, so it is tried again; else nothing at all would have been read."""
    for workers in WORKERS:
        sandbox = list_sandbox(provider)
        with reading(sandbox):
            sandbox.faults = [empty_page(provider, 1, times=3)]
            destination = Destination(provider, sandbox, {"num_workers": workers})
            assert destination.sync().failures == []
            assert destination.pages().count("1") == 4
            destination.assert_holds()


@pytest.mark.parametrize("provider", NUMBERED)
def test_the_only_page_is_empty_for_a_moment(provider: str) -> None:
    for workers in WORKERS:
        sandbox = list_sandbox(provider, 12)
        with reading(sandbox):
            sandbox.faults = [empty_page(provider, 1, times=1)]
            destination = Destination(provider, sandbox, {"num_workers": workers})
            assert destination.sync().failures == []
            destination.assert_holds()


def test_amplemarket_names_one_page_more_than_there_is() -> None:
    sandbox = list_sandbox("amplemarket", 250)
    sandbox.switches = sandbox.switches.moved("amplemarket", "last_link", "to_an_empty_page")
    with reading(sandbox):
        destination = Destination("amplemarket", sandbox)
        first = destination.sync()
        assert first.failures == []
        assert len(sandbox.requests) == 4
        assert first.by_id() == sandbox.expected("amplemarket")


def test_an_empty_page_of_amplemarket_with_pages_behind_it() -> None:
    """The links lead on, so nothing is lost but what the page did not list, and that only once."""
    sandbox = list_sandbox("amplemarket", 350)
    with reading(sandbox):
        destination = Destination("amplemarket", sandbox)
        sandbox.faults = [Fault("amplemarket", nth=2, kind="edit", edit=with_page(without_records))]
        first = destination.sync()
        assert first.failures == []
        assert len(first.by_id()) == 250
        sandbox.faults = []
        sandbox.world.advance(hours=25, new=0, changed=0, deleted=0, late=0)
        assert destination.sync().failures == []
        destination.assert_holds()
