"""May repeat, never skips: the decisions that keep the promise, each with a test."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests_mock
from source_skipcall_calls import SourceSkipcallCalls

from integration_tests.commands import Connector, catalog_for, in_full
from integration_tests.in_process import read, records, state_of
from integration_tests.sandbox import Sandbox, SeenRequest, Switches, World
from integration_tests.variants import VARIANTS, Variant

ORDERS = ("created_desc", "created_asc", "updated_desc", "shuffled")
PAGE_NUMBERED = ("intercom", "skipcall")
BEGINNING = "1990-01-01T00:00:00.000000Z"


def switches_with_order(provider: str, order: Any) -> Switches:
    switches = Switches()
    return replace(switches, **{provider: replace(getattr(switches, provider), order=order)})


class Deletion:
    """Deletes a call that the first page has listed, each time that page 3 is asked for."""

    def __init__(self, provider: str, sandbox: Sandbox, times: int) -> None:
        self._provider, self._sandbox, self._left = provider, sandbox, times

    def __call__(self, request: SeenRequest) -> None:
        if dict(request.query).get("page") == "3" and self._left > 0:
            self._left -= 1
            listed = self._sandbox.ever_listed(self._provider)
            alive = self._sandbox.expected(self._provider)
            victim = next(call_id for call_id in listed if call_id in alive)
            self._sandbox.world.delete_call(self._provider, victim)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("provider", PAGE_NUMBERED)
def test_a_deletion_during_the_pass_hides_no_call(
    provider: str, order: str, tmp_path: Path
) -> None:
    calls = 200 if provider == "intercom" else 500
    with Sandbox(World(calls=calls), switches_with_order(provider, order)) as sandbox:
        sandbox.before_answer = Deletion(provider, sandbox, times=1)
        outcome = Connector(provider, sandbox, tmp_path, forked=True).read(
            in_full(provider, num_workers=1)
        )
        assert outcome.exit_status == 0
        # the pass was repeated, and what it saw is complete: every living call came out
        asked = [dict(request.query)["page"] for request in sandbox.requests]
        assert asked.count("1") == 2
        expected = sandbox.expected(provider)
        found = outcome.by_id()
        assert {key: found[key] for key in expected} == expected
        # only calls that no pass before has seen came out again
        assert len(outcome.records()) == len(found)
        newest = max(call["updated_at"] for call in found.values())
        state = outcome.last_state()["stream"]["stream_state"]["updated_at"]
        assert state.rstrip("0Z.") == newest.rstrip("0Z.")


@pytest.mark.parametrize("provider", PAGE_NUMBERED)
def test_a_list_that_never_stands_still_is_read_twice_and_the_next_sync_brings_what_slipped(
    provider: str, tmp_path: Path
) -> None:
    calls = 200 if provider == "intercom" else 500
    with Sandbox(World(calls=calls)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        config = in_full(provider, num_workers=1)
        sandbox.before_answer = Deletion(provider, sandbox, times=1000)
        outcome = connector.read(config)
        asked = [dict(request.query)["page"] for request in sandbox.requests]
        assert asked.count("1") == 2
        assert outcome.exit_status == 0
        assert outcome.last_state()["stream"]["stream_state"]["updated_at"] > BEGINNING

        sandbox.before_answer = None
        healthy = connector.read(config, state=[outcome.last_state()])
        expected = sandbox.expected(provider)
        assert len(healthy.by_id()) < len(expected)  # the months that differ, and the lookback
        held = {**outcome.by_id(), **healthy.by_id()}
        assert {key: held[key] for key in expected} == expected


def test_calls_added_during_the_pass_do_not_hold_the_state(tmp_path: Path) -> None:
    with Sandbox(World(calls=200)) as sandbox:

        def add_a_call(_: SeenRequest) -> None:
            sandbox.world.add_call("intercom")

        sandbox.before_answer = add_a_call
        connector = Connector("intercom", sandbox, tmp_path, forked=True)
        outcome = connector.read(in_full("intercom", num_workers=1))
        asked = [dict(request.query)["page"] for request in sandbox.requests]
        assert asked.count("1") == 1
        assert outcome.last_state()["stream"]["stream_state"]["updated_at"] > BEGINNING
        held = outcome.by_id()

        sandbox.before_answer = None
        held |= connector.read(state=[outcome.last_state()]).by_id()
        assert held == sandbox.expected("intercom")


def future_call(number: int, days: int) -> dict[str, object]:
    moment = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"id": f"id-{number}", "createdAt": moment, "updatedAt": moment}


def test_the_state_never_passes_the_start_of_the_sync_and_nothing_newer_is_dropped() -> None:
    calls = [future_call(1, -2), future_call(2, +3)]
    body = {"data": calls, "total": 2, "page": 1, "limit": 100, "totalPages": 1}
    with requests_mock.Mocker() as mock:
        mock.get("https://api-public.skipcall.app/v1/calls", json=body)
        before = datetime.now(UTC)
        messages = read(SourceSkipcallCalls(), {"api_key": "k"}, catalog_for("skipcall"))
        after = datetime.now(UTC)
    assert [record["id"] for record in records(messages)] == ["id-1", "id-2"]
    states = [message.state for message in messages if message.state is not None]
    assert states[-1].stream is not None
    kept = datetime.fromisoformat(vars(states[-1].stream.stream_state)["updated_at"])
    assert before <= kept <= after


def test_a_state_of_the_far_future_stays_as_it_is() -> None:
    state = state_of("calls", {"updated_at": "2999-01-01T00:00:00Z"})  # in no form of ours
    body = {"data": [future_call(1, -2)], "total": 1, "page": 1, "limit": 100, "totalPages": 1}
    with requests_mock.Mocker() as mock:
        mock.get("https://api-public.skipcall.app/v1/calls", json=body)
        messages = read(SourceSkipcallCalls(), {"api_key": "k"}, catalog_for("skipcall"), state)
    assert records(messages) == []
    states = [message.state for message in messages if message.state is not None]
    assert states
    for found in states:
        assert found.stream is not None
        kept = vars(found.stream.stream_state)
        assert kept["updated_at"] == kept["complete"]["cursor"] == "2999-01-01T00:00:00.000000Z"


def test_a_record_without_any_readable_time_comes_with_every_sync(tmp_path: Path) -> None:
    call = {"id": "id-1", "createdAt": "soon", "updatedAt": None}
    body = {"data": [call], "total": 1, "page": 1, "limit": 100, "totalPages": 1}
    state = state_of("calls", {"updated_at": "2026-01-01T00:00:00Z"})  # which bounds
    config = {"api_key": "k", "start_date": "2026-01-01T00:00:00Z"}
    with requests_mock.Mocker() as mock:
        mock.get("https://api-public.skipcall.app/v1/calls", json=body)
        messages = read(SourceSkipcallCalls(), config, catalog_for("skipcall"), state)
    expected = {"provider": "skipcall", "id": "id-1", "provider_record": call}
    assert records(messages) == [expected]


@pytest.mark.parametrize("lookback_days", [1, 30])
def test_the_lookback_is_the_users(lookback_days: int, tmp_path: Path) -> None:
    with Sandbox(World(calls=300)) as sandbox:
        state = state_of("calls", {"updated_at": "2026-08-01T00:00:00Z"})  # written by hand
        config = in_full("skipcall", lookback_days=lookback_days)
        outcome = Connector("skipcall", sandbox, tmp_path, forked=True).read(config, state=state)
        since = (datetime(2026, 8, 1) - timedelta(days=lookback_days)).isoformat()
        expected = {
            call_id: call
            for call_id, call in sandbox.expected("skipcall").items()
            if call["updated_at"] >= since
        }
        assert outcome.by_id() == expected
        assert 0 < len(expected) < 300


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_start_date_counts_on_the_time_of_the_call(variant: Variant, tmp_path: Path) -> None:
    with Sandbox(World(calls=300)) as sandbox:
        everything, provider = variant.expected(sandbox), variant.provider
        moments = sorted(call["occurred_at"] for call in everything.values())
        start_date = moments[len(moments) // 2][:19] + "Z"
        config = in_full(provider, **variant.settings, start_date=start_date)
        outcome = Connector(provider, sandbox, tmp_path, forked=True).read(config)
        assert outcome.by_id() == {
            call_id: call
            for call_id, call in everything.items()
            if call["occurred_at"][:-1] >= start_date[:-1]
        }


def test_a_conversation_that_appears_late_keeps_its_history(tmp_path: Path) -> None:
    """OpenPhone: a call far older than the state, in a conversation that is active now."""
    with Sandbox(World(calls=60, conversations=6)) as sandbox:
        connector = Connector("openphone", sandbox, tmp_path, forked=True)
        first = connector.read()
        state = json.loads(json.dumps(first.last_state()))
        sandbox.world.advance(hours=24, new=6, changed=0, deleted=0, late=0)
        second = connector.read(state=[state])
        active = {call["conversation_id"] for call in second.by_id().values()}
        expected = {
            call_id: call
            for call_id, call in sandbox.expected("openphone").items()
            if call["conversation_id"] in active
        }
        assert second.by_id() == expected
        newest_known = state["stream"]["stream_state"]["state"]["updated_at"]
        assert any(call["updated_at"] < newest_known[:10] for call in expected.values())


def test_the_state_of_openphone_does_not_grow_with_the_conversations(tmp_path: Path) -> None:
    sizes = []
    for conversations in (5, 40):
        with Sandbox(World(calls=80, conversations=conversations)) as sandbox:
            sandbox.switches = Switches(enforce_limits=False)
            outcome = Connector("openphone", sandbox, tmp_path, forked=True).read()
            assert outcome.by_id() == sandbox.expected("openphone")
            sizes.append(len(json.dumps(outcome.last_state())))
    assert abs(sizes[0] - sizes[1]) < 400  # at most a few more phone numbers, never conversations
