"""What one sync misses, the next complete reading brings: calls that come back, scopes, walls.

The real connectors read the sandbox in this process.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from integration_tests.fault_cases import Sync
from integration_tests.list_reading import (
    BEGINNING,
    NUMBERED,
    ORDERS,
    PAGE,
    Destination,
    list_sandbox,
    reading,
)
from integration_tests.sandbox import Fault, Sandbox, SeenRequest
from integration_tests.sandbox.edits import with_records
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.switches import ListOrder
from integration_tests.variants import VARIANTS, Variant

Calls = dict[str, dict[str, Any]]
WORKERS = (1, 8)


def by_age(sandbox: Sandbox, provider: str) -> list[str]:
    """The ids of all listed calls, the newest first."""
    calls = sandbox.expected(provider)
    return sorted(calls, key=lambda i: (calls[i]["created_at"], i), reverse=True)


def months_of(calls: Calls, ids: set[str]) -> set[str]:
    return {calls[call_id]["created_at"][:7] for call_id in ids}


def since(calls: Calls, start: str) -> Calls:
    """The calls that occurred at or after a start date."""
    return {i: call for i, call in calls.items() if call["occurred_at"][:-1] >= start[:-1]}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_calls_that_vanish_and_come_back(provider: str, order: ListOrder) -> None:
    """Their months come out whole, and nothing else but the lookback."""
    for workers in WORKERS:
        sandbox = list_sandbox(provider, order=order)
        with reading(sandbox):
            world, destination = sandbox.world, Destination(provider, sandbox)
            destination.settings = {"num_workers": workers}
            hidden = set(by_age(sandbox, provider)[40:60:5])
            for call_id in hidden:
                world.hide_call(provider, call_id)
            assert destination.sync().failures == []
            assert hidden.isdisjoint(destination.held)
            before = destination.state
            for call_id in hidden:
                world.show_call(provider, call_id)
            again = destination.sync()
            assert (again.failures, destination.readings()) == ([], 2)
            destination.assert_holds()
            expected = sandbox.expected(provider)
            months = months_of(expected, hidden)
            young = {i for i, call in expected.items() if call["created_at"] >= "2026-09-23"}
            young |= {i for i, call in expected.items() if call["updated_at"] >= "2026-09-23"}
            whole = {i for i, call in expected.items() if call["created_at"][:7] in months}
            assert whole <= again.by_id().keys() <= whole | young
            assert len(again.records()) == len(again.by_id()) or young & whole
            assert destination.state["inventory"]["months"] != before["inventory"]["months"]
            destination.sync()
            assert destination.readings() == 1
            # and once more away: the month is read once more, nothing is lost by it
            for call_id in hidden:
                world.hide_call(provider, call_id)
            assert (destination.sync().failures, destination.readings()) == ([], 2)
            destination.sync()
            assert destination.readings() == 1


@pytest.mark.parametrize("visible", [0, -1])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_deletion_that_another_call_hides(
    provider: str, order: ListOrder, late: bool, visible: int
) -> None:
    """One is deleted, one becomes visible in the same pass: no number tells that one slipped."""
    sandbox = list_sandbox(provider, order=order)
    with reading(sandbox):
        world, destination = sandbox.world, Destination(provider, sandbox)
        destination.settings = {"num_workers": 1}
        calls = by_age(sandbox, provider)
        shown, gone = calls[visible], calls[3 if visible else -4]
        world.hide_call(provider, shown)
        if late:
            destination.sync()

        def move(request: SeenRequest) -> None:
            if ("page", "3") in request.query and world.hidden_calls(provider):
                world.show_call(provider, shown)
                world.delete_call(provider, gone)

        sandbox.before_answer = move
        assert destination.sync().failures == []
        sandbox.before_answer = None
        assert destination.sync().failures == []
        destination.assert_holds()
        destination.sync()
        assert destination.readings() == 1


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_list_that_moves_in_a_first_sync_is_read_once_more(
    provider: str, order: ListOrder, workers: int
) -> None:
    """A total that shrinks is evidence of a slip; what is new in the second reading comes out."""
    sandbox = list_sandbox(provider, order=order)
    with reading(sandbox):
        world, destination = sandbox.world, Destination(provider, sandbox)
        left = [3]

        def delete(request: SeenRequest) -> None:
            if ("page", "3") in request.query and left[0]:
                left[0] -= 1
                world.delete_call(provider, min(destination_ids()))

        def destination_ids() -> set[str]:
            return sandbox.ever_listed(provider).keys() & sandbox.expected(provider).keys()

        sandbox.before_answer = delete
        first = destination.sync(num_workers=workers)
        sandbox.before_answer = None
        assert first.failures == []
        assert destination.readings() == 2
        # (pages that are fetched out of turn repeat a row that moves between them)
        assert workers > 1 or len(first.records()) == len(first.by_id())
        assert first.cursor > BEGINNING
        assert destination.sync(num_workers=workers).failures == []
        destination.assert_holds()


# A wall


def walled(provider: str, order: ListOrder, form: str, pages: int = 2) -> Sandbox:
    return list_sandbox(provider, order=order, wall=pages * PAGE[provider], wall_form=form)


def assert_wall(done: Sync, failure_type: str, *parts: str) -> None:
    ((found, sentence),) = done.failures
    assert found == failure_type
    for part in parts:
        assert part in sentence


@pytest.mark.parametrize("form", ["refused", "empty"])
@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_wall_newest_first(provider: str, workers: int, form: str) -> None:
    sandbox = walled(provider, "created_desc", form)
    with reading(sandbox):
        destination = Destination(provider, sandbox, {"num_workers": workers})
        calls, order = sandbox.expected(provider), by_age(sandbox, provider)
        listed = order[: 2 * PAGE[provider]]
        day = datetime.fromisoformat(calls[listed[-1]]["created_at"]) + timedelta(days=1)
        start = f"{day:%Y-%m-%d}T00:00:00Z"
        cursors = []
        for number in range(2):
            done = destination.sync()
            numbers = f"lists only {len(listed)} of 90 calls"
            assert_wall(done, "config_error", numbers, f"set start_date to {start} or later")
            assert done.cursor > BEGINNING
            cursors.append(done.cursor)
            assert destination.held == {i: calls[i] for i in listed}
            assert destination.readings() == 1
            assert number == 0 or len(done.records()) < len(listed)
        assert cursors[0] == cursors[1]
        oldest = calls[listed[-1]]["created_at"][:7]
        assert all(month > oldest for month in destination.state["inventory"]["months"])
        # the user does what the sentence says
        done = Destination(provider, sandbox, {"start_date": start}).sync()
        assert done.failures == []
        assert done.by_id() == since(calls, start)
        # and once the wall is gone, the hidden months come
        sandbox.switches = list_sandbox(provider).switches
        assert destination.sync().failures == []
        destination.assert_holds()
        destination.sync()
        assert destination.readings() == 1


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("provider", NUMBERED)
def test_calls_that_come_before_a_wall_because_others_went(provider: str, workers: int) -> None:
    """They are as old as the oldest listed ones, with which nothing is compared."""
    sandbox = walled(provider, "created_desc", "refused")
    with reading(sandbox):
        destination = Destination(provider, sandbox, {"num_workers": workers})
        destination.sync()
        for call_id in by_age(sandbox, provider)[:7]:
            sandbox.world.delete_call(provider, call_id)
        assert_wall(destination.sync(), "config_error", "lists only")
        calls, order = sandbox.expected(provider), by_age(sandbox, provider)
        listed = order[: 2 * PAGE[provider]]
        destination.assert_holds({call_id: calls[call_id] for call_id in listed})


@pytest.mark.parametrize("form", ["refused", "empty"])
@pytest.mark.parametrize("order", ORDERS[1:])
@pytest.mark.parametrize("provider", NUMBERED)
def test_a_wall_in_another_order(provider: str, order: ListOrder, form: str) -> None:
    """New calls may be hidden behind it, so no start date helps."""
    for workers in WORKERS:
        sandbox = walled(provider, order, form)
        for call_id in by_age(sandbox, provider)[-6:]:
            sandbox.world.change_call(provider, call_id)
        with reading(sandbox):
            destination = Destination(provider, sandbox, {"num_workers": workers})
            for _ in range(2):
                done = destination.sync()
                listed = 2 * PAGE[provider]
                assert_wall(done, "system_error", f"lists only {listed} of 90", "not the newest")
                assert done.cursor > BEGINNING
                assert len(destination.held) == listed
            sandbox.switches = list_sandbox(provider, order=order).switches
            assert destination.sync().failures == []
            destination.assert_holds()


@pytest.mark.parametrize("provider", NUMBERED)
def test_a_total_that_is_capped_with_the_list_shows_no_wall(provider: str) -> None:
    sandbox = walled(provider, "created_desc", "capped")
    with reading(sandbox):
        destination = Destination(provider, sandbox)
        assert destination.sync().failures == []
        assert len(destination.held) == 2 * PAGE[provider]
        sandbox.switches = list_sandbox(provider).switches
        assert destination.sync().failures == []
        destination.assert_holds()


# Scope


def middle_start(calls: Calls, part: float) -> str:
    moments = sorted(call["occurred_at"] for call in calls.values())
    return f"{moments[int(len(moments) * part)][:19]}Z"


SIZES = {"intercom": 90, "skipcall": 90, "amplemarket": 250, "openphone": 80}


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_start_date_is_widened_narrowed_and_widened_again(
    variant: Variant, killed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    provider, version = variant.provider, variant.settings
    sandbox = list_sandbox(provider, SIZES[provider])
    calls = variant.expected(sandbox)
    late, early = middle_start(calls, 0.7), middle_start(calls, 0.3)
    with reading(sandbox):
        destination = Destination(provider, sandbox, version)
        assert destination.sync(start_date=late).failures == []
        assert destination.held == since(calls, late)
        assert destination.state["scope"] == {**version, "start_date": late}
        for start in (early, late, None, early, None):
            settings = {} if start is None else {"start_date": start}
            before = destination.state["scope"]
            came: Calls = {}
            if killed:
                cut = destination.killed_sync(5, **settings)
                assert len(cut.records()) == 5
                came = cut.by_id() if destination.is_under_way else {}
                assert destination.state.get("scope", before) == before
            is_new = not destination.is_under_way
            caplog.clear()
            done = destination.sync(**settings)
            assert done.failures == []
            wanted = calls if start is None else since(calls, start)
            assert came | done.by_id() == wanted
            assert destination.state["scope"] == {**version, **settings}
            told = [text for text in caplog.messages if "read once more" in text]
            assert len(told) == is_new
            # a scope that stays is not read again
            caplog.clear()
            assert len(destination.sync(**settings).by_id()) < len(wanted)
            assert not [text for text in caplog.messages if "read once more" in text]
        destination.assert_holds()


@pytest.mark.parametrize("killed", [False, True])
def test_another_region(killed: bool) -> None:
    american, european = list_sandbox("intercom", seed=1), list_sandbox("intercom", seed=2)
    calls = european.expected("intercom") | american.expected("intercom")
    with reading(american, eu=european):
        destination = Destination("intercom", american)
        destination.sync()
        assert destination.held == american.expected("intercom")
        if killed:
            destination.killed_sync(30, region="eu")
            assert destination.state.get("scope", {}) == {}
        done = destination.sync(region="eu")
        assert done.by_id() == european.expected("intercom")
        assert destination.state["scope"] == {"region": "eu"}
        back = destination.sync()
        assert back.by_id() == american.expected("intercom")
        assert destination.held == calls


@pytest.mark.parametrize("killed", [False, True])
def test_other_workspaces(killed: bool) -> None:
    sandbox = list_sandbox("skipcall")
    one, other = sandbox.world.skipcall_workspaces
    calls = sandbox.expected("skipcall")
    true = sandbox.world.skipcall.calls
    of = {w: {i: c for i, c in calls.items() if true[i].workspace_id == w} for w in (one, other)}
    assert of[one]
    assert of[other]
    with reading(sandbox):
        destination = Destination("skipcall", sandbox)
        destination.sync(workspace_ids=[one])
        assert destination.held == of[one]
        if killed:
            destination.killed_sync(30, workspace_ids=[one, other])
            assert destination.state["scope"] == {"workspace_ids": [one]}
        assert destination.sync(workspace_ids=[other, one]).by_id() == calls
        assert destination.state["scope"] == {"workspace_ids": sorted([one, other])}
        again = destination.sync(workspace_ids=[one, other])
        assert len(again.by_id()) < 90
        assert destination.sync(workspace_ids=[other]).by_id() == of[other]
        assert destination.sync().by_id() == calls


@pytest.mark.parametrize("order", ORDERS)
def test_a_key_whose_scope_widens_at_the_provider(order: ListOrder) -> None:
    """Nothing in the configuration tells it: only the inventory does."""
    sandbox = list_sandbox("skipcall", order=order)
    wide = sandbox.switches
    narrow = replace(wide, skipcall=replace(wide.skipcall, key_scope="one"))
    with reading(sandbox):
        sandbox.switches = narrow
        destination = Destination("skipcall", sandbox)
        destination.sync()
        assert destination.held == sandbox.expected("skipcall")
        sandbox.switches = wide
        assert destination.sync().failures == []
        assert len(destination.held) == 90
        destination.assert_holds()


# The state of version 0.1.0


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_state_of_the_version_before_has_everything_read_once(variant: Variant) -> None:
    """And with it whatever that version had lost."""
    provider = variant.provider
    sandbox = list_sandbox(provider, SIZES[provider])
    with reading(sandbox):
        destination = Destination(provider, sandbox, variant.settings)
        destination.sync()
        destination.states = [without_inventory(state) for state in destination.states]
        lost = [*variant.expected(sandbox)][30:60]
        for call_id in lost:
            del destination.held[call_id]
        done = destination.sync()
        assert done.failures == []
        assert done.by_id() == variant.expected(sandbox)
        destination.assert_holds()
        assert len(destination.sync().by_id()) < len(done.by_id())


def without_inventory(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state as version 0.1.0 wrote it."""
    content = state["stream"]["stream_state"]
    old = {k: v for k, v in content.items() if k not in ("complete", "inventory", "scope")}
    if "parent_state" in old:
        parents = dict(old["parent_state"]["conversations"])
        del parents["inventory"]
        old["parent_state"] = {"conversations": parents}
    return {"type": "STREAM", "stream": {**state["stream"], "stream_state": old}}


# Amplemarket


def test_amplemarket_is_read_to_its_end_once_a_day() -> None:
    sandbox = list_sandbox("amplemarket", 450)
    with reading(sandbox):
        world, destination = sandbox.world, Destination("amplemarket", sandbox)
        destination.sync()
        assert len(sandbox.requests) == 5
        old = by_age(sandbox, "amplemarket")[380:384]
        for call_id in old:
            world.hide_call("amplemarket", call_id)
        counts = []
        for hours in (1, 22, 2, 12, 11, 2):
            world.advance(hours=hours, new=3, changed=0, deleted=0, late=0)
            assert destination.sync().failures == []
            destination.assert_holds()
            counts.append(len(sandbox.requests))
        early = counts[0]
        assert early < 5
        # after 25 hours the whole list, twice because calls are gone; after 25 more once
        assert counts == [early, early, 10, early, early, 5]
        at = destination.state["complete"]["at"]
        for call_id in old:
            world.show_call("amplemarket", call_id)
        destination.sync()
        assert destination.state["complete"]["at"] == at
        world.advance(hours=24, new=0, changed=0, deleted=0, late=0)
        for call_id in old:
            del destination.held[call_id]
        destination.sync()
        assert len(sandbox.requests) == 10
        destination.assert_holds()


# Quo's conversations


def conversations(sandbox: Sandbox) -> list[str]:
    """The ids of conversations with listed calls, the one that was active last first."""
    history = sandbox.world.openphone
    active = {call["conversation_id"] for call in sandbox.expected("openphone").values()}
    return sorted(active, key=lambda i: history.threads[i].activity, reverse=True)


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("late", [False, True])
def test_a_conversation_that_slips_between_two_pages(dated: bool, late: bool) -> None:
    """It comes with the next sync, although nothing moved it since; also without a creation."""
    sandbox = list_sandbox("openphone", 80)
    if not dated:
        edit = with_records(lambda record: record.update(createdAt=None))
        sandbox.faults = [
            Fault("openphone", "/v1/conversations", times=ENDLESS, kind="edit", edit=edit)
        ]
    with reading(sandbox):
        destination = Destination("openphone", sandbox, {"lookback_days": 1})
        hidden = sandbox.world.openphone.hidden
        expected = sandbox.expected("openphone")
        if late:
            destination.sync()
            destination.held.clear()
        slipped = set(conversations(sandbox)[-4:])
        hidden |= slipped
        assert destination.sync().failures == []
        hidden.clear()
        missing = {i for i, call in expected.items() if call["conversation_id"] in slipped}
        assert missing.isdisjoint(destination.held)
        again = destination.sync()
        assert again.failures == []
        assert missing <= again.by_id().keys()
        if not late:
            destination.assert_holds()
        sandbox.clear_requests()
        quiet = destination.sync()
        assert missing.isdisjoint(quiet.by_id())


def test_the_inventory_of_conversations_is_that_of_each_number_and_year() -> None:
    sandbox = list_sandbox("openphone", 80)
    with reading(sandbox):
        destination = Destination("openphone", sandbox)
        destination.sync()
        inventory = destination.state["parent_state"]["conversations"]["inventory"]
        assert {i for i in inventory if i.startswith("PN")} == set(inventory)
        for kept in inventory.values():
            assert set(kept) == {"until", "years"}
            assert all(year == "undated" or len(year) == 4 for year in kept["years"])
