"""`listed_calls` against lists that move while they are read: what comes is what is listed.

The real connectors read the sandbox in this process. A call that is listed and does not come would
count as gone in the destination; so a stream that cannot be sure fails.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from integration_tests.commands import catalog_for, config_for
from integration_tests.connectors import CONNECTORS
from integration_tests.fault_cases import Sync, source_of, sync
from integration_tests.in_process import messages_of
from integration_tests.list_reading import (
    NUMBERED,
    ORDERS,
    PAGE,
    Destination,
    list_sandbox,
    reading,
    without_records,
)
from integration_tests.sandbox import Fault, Sandbox, SeenRequest
from integration_tests.sandbox.edits import with_page
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.switches import ListOrder
from integration_tests.test_convergence import by_age

LISTED = "listed_calls"
TITLES = {name: connector.title for name, connector in CONNECTORS.items()}
SIZES = {"intercom": 90, "skipcall": 90, "amplemarket": 250}


class Listing:
    """One sync of the stream, and how often the list was begun for it."""

    def __init__(self, sandbox: Sandbox, provider: str, **settings: Any) -> None:
        sandbox.clear_requests()
        self.done: Sync = sync(provider, [], stream=LISTED, **settings)
        self.readings = Destination(provider, sandbox).readings()
        self.rows = self.done.records(LISTED)
        self.ids = [row["id"] for row in self.rows]
        self.queries = [request.raw_query for request in sandbox.requests]
        assert self.rows == [{"provider": provider, "id": name} for name in self.ids]
        assert len(self.ids) == len(set(self.ids))


def on_page(number: int, change: Callable[[int], None]) -> Callable[[SeenRequest], None]:
    """What happens before each answer with a page: a change, told which reading it is."""
    times = [0]

    def move(request: SeenRequest) -> None:
        if ("page", str(number)) in request.query:
            times[0] += 1
            change(times[0])

    return move


@pytest.mark.parametrize("provider", SIZES)
def test_all_that_is_listed_comes_once_and_nothing_else_of_it(provider: str) -> None:
    sandbox = list_sandbox(provider, SIZES[provider])
    with reading(sandbox):
        listing = Listing(sandbox, provider)

        assert listing.done.failures == []
        assert set(listing.ids) == sandbox.expected(provider).keys()
        assert listing.readings == (1 if provider == "amplemarket" else 2)
        # in full refresh there is nothing to go on from
        (state,) = listing.done.states
        assert state["stream"]["stream_state"] == {"__ab_no_cursor_state_message": True}


@pytest.mark.parametrize("provider", SIZES)
def test_no_setting_makes_the_list_shorter(provider: str) -> None:
    """The destination may hold calls of another start date or workspace."""
    sandbox = list_sandbox(provider, SIZES[provider])
    settings: dict[str, Any] = {"start_date": "2026-09-20T00:00:00Z"}
    if provider == "skipcall":
        settings["workspace_ids"] = [sandbox.world.skipcall_workspaces[0]]
    with reading(sandbox):
        listing = Listing(sandbox, provider, **settings)
        calls = sync(provider, [], **settings)

        assert calls.failures == listing.done.failures == []
        assert set(listing.ids) == sandbox.expected(provider).keys()
        assert set(calls.by_id()) < set(listing.ids)
        assert not [one for one in listing.queries if "start_date" in one or "workspace" in one]


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_calls_that_are_deleted_while_the_list_is_read(
    provider: str, order: ListOrder, workers: int
) -> None:
    """Others slip to a page that has been read; the next reading has them."""
    sandbox = list_sandbox(provider, order=order)
    with reading(sandbox):
        first = Listing(sandbox, provider, num_workers=1).ids[:3]

        def delete(nth: int) -> None:
            if nth == 1:
                for call_id in first:
                    sandbox.world.delete_call(provider, call_id)

        sandbox.before_answer = on_page(3, delete)
        listing = Listing(sandbox, provider, num_workers=workers)

        assert listing.done.failures == []
        assert sandbox.expected(provider).keys() <= set(listing.ids)
        assert set(listing.ids) <= sandbox.ever_listed(provider).keys()
        assert listing.readings == 3


@pytest.mark.parametrize("provider", NUMBERED)
def test_a_call_that_slips_in_one_reading_and_another_that_slips_in_the_next(
    provider: str,
) -> None:
    """Both hold as many calls of each month, and not the same: both come."""
    sandbox = list_sandbox(provider)
    calls = sandbox.expected(provider)
    oldest = by_age(sandbox, provider)[-1]
    month = [i for i in by_age(sandbox, provider) if calls[i]["created_at"][:7] == "2026-08"]
    one, other = month[:2]
    with reading(sandbox):
        world = sandbox.world
        world.hide_call(provider, one)

        def slip(nth: int) -> None:
            if nth == 2:
                world.show_call(provider, one)
                world.hide_call(provider, other)
            if nth == 3:
                world.show_call(provider, other)
                world.hide_call(provider, one)

        sandbox.before_answer = on_page(1, slip)
        listing = Listing(sandbox, provider, num_workers=1)

        assert oldest in listing.ids
        assert set(listing.ids) == calls.keys()
        assert listing.readings == 3
        ((failure_type, _),) = listing.done.failures  # neither two in a row hold the same
        assert failure_type == "transient_error"


@pytest.mark.parametrize("provider", NUMBERED)
def test_readings_that_never_agree_fail_the_stream(provider: str) -> None:
    sandbox = list_sandbox(provider)
    with reading(sandbox):
        gone: list[str] = []

        def delete(nth: int) -> None:
            gone.append(by_age(sandbox, provider)[-1])
            sandbox.world.delete_call(provider, gone[-1])

        sandbox.before_answer = on_page(3, delete)
        listing = Listing(sandbox, provider, num_workers=1)

        title = TITLES[provider]
        assert listing.done.failures == [
            (
                "transient_error",
                f"Each of 3 readings of {title}'s list, one after another, held other calls, so"
                " that listed_calls may lack some that are there. Run the sync again, at a time"
                " when fewer calls are deleted.",
            )
        ]
        assert listing.readings == len(gone) == 3
        assert set(listing.ids) == sandbox.expected(provider).keys() | set(gone[1:])


@pytest.mark.parametrize("provider", NUMBERED)
def test_calls_that_are_made_while_the_list_is_read_cost_no_further_reading(provider: str) -> None:
    sandbox = list_sandbox(provider)
    with reading(sandbox):
        new: list[str] = []
        sandbox.before_answer = on_page(2, lambda _: new.append(sandbox.world.add_call(provider)))
        listing = Listing(sandbox, provider)

        assert listing.done.failures == []
        assert listing.readings == len(new) == 2
        assert sandbox.expected(provider).keys() - {new[-1]} <= set(listing.ids)


def test_a_list_whose_links_name_the_call_to_go_on_from_is_read_once() -> None:
    sandbox = list_sandbox("amplemarket", 250)
    gone = by_age(sandbox, "amplemarket")[:40]
    with reading(sandbox):

        def delete(request: SeenRequest) -> None:
            while gone and "after" in request.raw_query:
                sandbox.world.delete_call("amplemarket", gone.pop())

        before = sandbox.expected("amplemarket").keys()
        sandbox.before_answer = delete
        listing = Listing(sandbox, "amplemarket")

        assert listing.done.failures == []
        assert listing.readings == 1
        assert set(listing.ids) == before


@pytest.mark.parametrize("start_date", [None, "2026-09-25T00:00:00Z"])
@pytest.mark.parametrize("form", ["refused", "empty"])
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_wall_fails_the_stream_whatever_the_start_date(
    provider: str, form: str, start_date: str | None
) -> None:
    """The destination may hold calls that were listed before they came behind it."""
    sandbox = list_sandbox(provider, wall=2 * PAGE[provider], wall_form=form)
    with reading(sandbox):
        listing = Listing(sandbox, provider, start_date=start_date)

        title, listed = TITLES[provider], 2 * PAGE[provider]
        assert listing.done.failures == [
            (
                "config_error",
                f"{title} lists only {listed} of 90 calls, the newest, so that nobody can tell"
                " which of the others have gone. Take listed_calls out of the connection, or ask"
                f" {title} for a complete list.",
            )
        ]
        assert listing.readings == 1
        if start_date is not None:  # where the stream calls lacks nothing
            assert sync(provider, [], start_date=start_date).failures == []


@pytest.mark.parametrize("form", ["refused", "empty"])
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_wall_at_a_short_page_fails_the_stream(provider: str, form: str) -> None:
    """No wall is seen there, but a page or more is announced that readings that agree lack."""
    listed = 2 * PAGE[provider] + 7
    sandbox = list_sandbox(provider, wall=listed, wall_form=form)
    with reading(sandbox):
        listing = Listing(sandbox, provider)

        title = TITLES[provider]
        assert listing.done.failures == [
            (
                "config_error",
                f"{title} lists only {listed} of 90 calls, the newest, so that nobody can tell"
                " which of the others have gone. Take listed_calls out of the connection, or ask"
                f" {title} for a complete list.",
            )
        ]
        assert listing.readings == 2


@pytest.mark.parametrize("provider", NUMBERED)
def test_a_page_of_calls_that_are_made_while_the_list_is_read_is_no_wall(provider: str) -> None:
    """The total grows by them, and they stand on pages that have been read."""
    sandbox = list_sandbox(provider)
    before = sandbox.expected(provider).keys()
    with reading(sandbox):

        def make(_: int) -> None:
            for _ in range(PAGE[provider] + 1):
                sandbox.world.add_call(provider)

        sandbox.before_answer = on_page(2, make)
        listing = Listing(sandbox, provider, num_workers=1)

        assert listing.done.failures == []
        assert listing.readings == 2
        assert before <= set(listing.ids)
        assert set(listing.ids) < sandbox.expected(provider).keys()


def lists_nothing(page: dict[str, Any]) -> None:
    page["data"] = []
    for name in {"total", "total_count", "totalPages"} & page.keys():
        page[name] = 0
    if isinstance(page.get("pages"), dict):
        page["pages"]["total_pages"] = 0


@pytest.mark.parametrize("provider", NUMBERED)
def test_an_empty_list_is_believed_only_if_nothing_is_announced(provider: str) -> None:
    sandbox = list_sandbox(provider)
    with reading(sandbox):
        sandbox.faults = [
            Fault(provider, times=ENDLESS, kind="edit", edit=with_page(lists_nothing))
        ]
        listing = Listing(sandbox, provider)
        assert (listing.done.failures, listing.ids) == ([], [])

    sandbox = list_sandbox(provider)
    with reading(sandbox):
        sandbox.faults = [
            Fault(provider, times=ENDLESS, kind="edit", edit=with_page(without_records))
        ]
        listing = Listing(sandbox, provider)
        assert listing.done.failures == [
            (
                "transient_error",
                f"{TITLES[provider]} announces 90 calls and lists none, so that all of them would"
                " count as gone. Run the sync again later; if it fails again, ask it why.",
            )
        ]
        assert listing.ids == []


def test_more_that_is_announced_than_listed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    sandbox = list_sandbox("skipcall", total="few_more")
    with reading(sandbox):
        listing = Listing(sandbox, "skipcall")

        assert (listing.done.failures, listing.readings) == ([], 2)
        assert set(listing.ids) == sandbox.expected("skipcall").keys()
        assert (
            "Skipcall announces 93 calls and lists 90: a call that listed_calls lacks may be one of"
            " those that it does not list." in caplog.messages
        )


@pytest.mark.parametrize("provider", SIZES)
def test_both_streams_in_one_catalog_share_the_places(provider: str) -> None:
    """Two requests at once, as the configuration says, of both together."""
    sandbox = list_sandbox(provider, SIZES[provider])
    lock = threading.Lock()
    under_way, most = [0], [0]
    with reading(sandbox), pytest.MonkeyPatch.context() as patch:  # undone before the other's is
        send = HTTPAdapter.send

        def counted(self: HTTPAdapter, request: Any, **options: Any) -> requests.Response:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            try:
                time.sleep(0.002)
                return send(self, request, **options)
            finally:
                with lock:
                    under_way[0] -= 1

        patch.setattr(HTTPAdapter, "send", counted)
        source = source_of(provider)
        config = config_for(provider, num_workers=2)
        messages = [*messages_of(source, config, catalog_for(provider, "calls", LISTED))]

    done = Sync(messages, None)
    expected = sandbox.expected(provider)
    assert done.failures == []
    assert done.by_id() == expected
    assert done.by_id(LISTED) == {name: {"provider": provider, "id": name} for name in expected}
    assert len(done.records(LISTED)) == len(expected)
    assert len(sandbox.requests) > len(expected) / 100 * 2
    assert most[0] <= 2


# The line that tells how many have gone


@pytest.mark.parametrize("provider", SIZES)
def test_how_many_of_which_month_have_gone_is_told_once(
    provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    sandbox = list_sandbox(provider, SIZES[provider])
    with reading(sandbox):
        destination = Destination(provider, sandbox, {"full_scan_hours": 0})
        settled = [
            i for i, call in sandbox.expected(provider).items() if call["created_at"] < "2026-09-01"
        ]
        destination.sync()
        calls = sandbox.expected(provider)
        months = sorted({calls[i]["created_at"][:7] for i in settled})
        few, one = months[-1], months[-2]
        gone = [i for i in settled if calls[i]["created_at"][:7] == few][:2]
        gone += [i for i in settled if calls[i]["created_at"][:7] == one][:1]
        for call_id in gone:
            sandbox.world.delete_call(provider, call_id)
        told = (
            f"calls: since the last complete reading 1 call of {one} and 2 of {few} are no longer"
            " listed."
        )
        assert len(gone) == 3
        for times in (1, 0):
            caplog.clear()
            assert destination.sync().failures == []
            lines = [text for text in caplog.messages if "no longer" in text]
            assert lines == [told] * times
