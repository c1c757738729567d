"""Quo's dated API: all calls of the workspace, each once, from whatever state.

What a destination holds after merging by id must equal the sandbox's truth, as
test_every_switch.py has it of API v1.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessage, Type

from integration_tests.commands import Connector, catalog_for, config_for
from integration_tests.fault_cases import source_of
from integration_tests.in_process import (
    NOWHERE,
    last_state,
    messages_of,
    played,
    read,
    records,
    state_of,
)
from integration_tests.sandbox import Fault, Sandbox, SeenRequest, Switches, World
from integration_tests.sandbox.faults import ENDLESS

VERSION = "2026-03-30"
POSITIONS = [
    pytest.param(switches, id=name) for name, switches in Switches.positions("openphone_dated")
]
CATALOG = catalog_for("openphone")
PAGES = {"calls_dated": 3}
"""So that few calls are many pages, in several windows."""


def dated(**settings: Any) -> dict[str, Any]:
    """A configuration that reads the dated API, all of it in each sync."""
    return config_for("openphone", **{"api_version": VERSION, "full_scan_hours": 0, **settings})


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLS_SANDBOX_URL", NOWHERE)
    monkeypatch.setenv("CALLS_SANDBOX_WAIT_SCALE", "0.001")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A world in which every call is of the dated API; nothing is refused for its rate."""
    playing = Sandbox(World(calls=300), Switches(enforce_limits=False))
    with played(playing):
        yield playing


def of_calls(requests: Sequence[SeenRequest]) -> list[dict[str, str]]:
    return [dict(seen.query) for seen in requests if seen.path == "/calls"]


def sync(
    settings: Mapping[str, Any], state: Mapping[str, Any] | None = None
) -> list[AirbyteMessage]:
    given = [] if state is None else state_of("calls", state)
    return read(source_of("openphone", PAGES), settings, CATALOG, given)


def held_after(*messages: Sequence[AirbyteMessage]) -> dict[str, dict[str, Any]]:
    return {call["id"]: call for batch in messages for call in records(batch)}


def interrupted_at(
    part: float, settings: Mapping[str, Any], state: Mapping[str, Any] | None = None
) -> list[AirbyteMessage]:
    """What a sync delivers until some state after a part of about 300 calls."""
    delivered: list[AirbyteMessage] = []
    given = [] if state is None else state_of("calls", state)
    with closing(messages_of(source_of("openphone", PAGES), settings, CATALOG, given)) as reading:
        for message in reading:
            delivered.append(message)
            if message.type is Type.STATE and len(records(delivered)) > part * 300:
                return delivered
    return delivered


@pytest.mark.parametrize("switches", POSITIONS)
def test_two_syncs_equal_the_truth(switches: Switches) -> None:
    sandbox = Sandbox(World(calls=400), replace(switches, enforce_limits=False))
    with played(sandbox):
        first = sync(dated())
        held = held_after(first)
        assert held == sandbox.expected("openphone", VERSION)
        assert len(records(first)) == len(held)

        sandbox.world.advance(hours=24)
        second = sync(dated(), last_state(first))
        now = sandbox.expected("openphone", VERSION)
        held = held_after(first, second)
        assert {key: held[key] for key in now} == now
        assert len(records(second)) < len(records(first))


def test_two_syncs_of_the_real_command_equal_the_truth(tmp_path: Path) -> None:
    with Sandbox(World(calls=400)) as sandbox:
        connector = Connector("openphone", sandbox, tmp_path)
        first = connector.read(dated())
        assert first.errors == []
        assert (first.exit_status, first.stderr) == (0, "")
        assert first.by_id() == sandbox.expected("openphone", VERSION)

        sandbox.world.advance(hours=24)
        second = connector.read(dated(), state=[first.last_state()])
        assert second.exit_status == 0
        held = first.by_id() | second.by_id()
        now = sandbox.expected("openphone", VERSION)
        assert {key: held[key] for key in now} == now
        assert len(second.records()) < len(first.records())


def test_windows_cover_all_of_time_and_share_their_borders(sandbox: Sandbox) -> None:
    messages = sync(dated())
    assert held_after(messages) == sandbox.expected("openphone", VERSION)
    assert len(records(messages)) == len(held_after(messages))
    asked = of_calls(sandbox.requests)
    windows = Counter((one.get("createdAt[gte]"), one.get("createdAt[lte]")) for one in asked)
    bounds = sorted((low, high) for low, high in windows if low is not None and high is not None)
    assert len(bounds) > 8
    assert all(one[1] == following[0] for one, following in pairwise(bounds))
    assert windows[None, bounds[0][0]] > 0
    assert windows[bounds[-1][1], None] > 0
    assert {one["include"] for one in asked} == {"summary,voicemail"}
    assert {one["limit"] for one in asked} == {"3"}


def test_each_request_names_the_version_and_the_raw_key(sandbox: Sandbox) -> None:
    sync(dated())
    for seen in sandbox.requests:
        is_v1 = seen.path.startswith("/v1/")
        assert seen.headers.get("quo-api-version") == (None if is_v1 else VERSION)
        assert seen.headers["authorization"] == config_for("openphone")["api_key"]
        host = "api.openphone.com" if is_v1 else "api.quo.com"
        assert seen.headers["x-sandbox-host"] == host


def test_a_state_at_the_end_of_each_window_the_oldest_first(sandbox: Sandbox) -> None:
    """Each state that leaves says no more than what has come out before it."""
    calls = sandbox.expected("openphone", VERSION)
    held: set[str] = set()
    reached = []
    for message in messages_of(source_of("openphone", PAGES), dated(), CATALOG):
        if message.record is not None:
            held.add(message.record.data["id"])
        if message.state is not None and message.state.stream is not None:
            state = vars(message.state.stream.stream_state)
            through = state.get("under_way", {}).get("through")
            if through is None:
                continue
            reached.append(through)
            assert state["updated_at"] == through
            assert "complete" not in state
            before = {key for key, call in calls.items() if call["created_at"] < through}
            assert before <= held
    assert len(reached) > 8
    assert reached == sorted(reached)
    assert held == set(calls)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_sync_that_is_interrupted_goes_on(sandbox: Sandbox, part: float) -> None:
    calls = sandbox.expected("openphone", VERSION)
    delivered = interrupted_at(part, dated(full_scan_hours=24))
    state = last_state(delivered)
    through = state["under_way"]["through"]
    sandbox.clear_requests()

    resumed = sync(dated(full_scan_hours=24), state)
    assert held_after(delivered, resumed) == calls
    asked = of_calls(sandbox.requests)
    assert {one["createdAt[gte]"] >= through[:19] for one in asked} == {True}
    assert min(call["created_at"] for call in records(resumed)) >= through[:19]
    left = last_state(resumed)
    assert "under_way" not in left
    assert left["complete"]["at"] == state["under_way"]["at"]
    # and its inventory is that of one reading, so that nothing differs
    again = sync(dated(), left)
    assert len(records(again)) < 40
    assert left["inventory"]["months"] == last_state(again)["inventory"]["months"]


def test_a_recent_reading_asks_for_what_was_created_within_the_lookback(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The sandbox's clock is some weeks behind ours; so its lookback is long enough for that."""
    caplog.set_level(logging.INFO, "airbyte")
    settings = dated(full_scan_hours=24, lookback_days=90)
    first = sync(settings)
    sandbox.world.advance(hours=24)
    sandbox.clear_requests()
    second = sync(settings, last_state(first))
    asked = of_calls(sandbox.requests)
    assert {one["createdAt[gte]"] > "2026-06-30" for one in asked} == {True}
    assert "read the newest end of the list only" in caplog.text
    bound = min(one["createdAt[gte]"] for one in asked)
    now = sandbox.expected("openphone", VERSION)
    recent = {key: call for key, call in now.items() if call["created_at"] > bound}
    held = held_after(second)
    assert {key: held[key] for key in recent} == recent
    assert len(recent) > 40
    assert last_state(second)["complete"] == last_state(first)["complete"]


def test_a_late_change_of_an_old_call_comes_with_the_next_complete_reading(
    sandbox: Sandbox,
) -> None:
    first = sync(dated())
    sandbox.world.advance(hours=24)
    second = sync(dated(), last_state(first))
    now = sandbox.expected("openphone", VERSION)
    changed = {key: call for key, call in now.items() if held_after(first).get(key) != call}
    old = [call for call in changed.values() if call["created_at"] < "2026-09"]
    assert old
    assert held_after(first, second).items() >= now.items()


@pytest.mark.parametrize("order", [("v1", VERSION), (VERSION, "v1")], ids=["to it", "back"])
@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "interrupted"])
def test_the_version_is_switched_without_a_reset(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    order: tuple[str, str],
    *,
    is_whole: bool,
) -> None:
    caplog.set_level(logging.INFO, "airbyte")
    before, after = order
    delivered = interrupted_at(9 if is_whole else 0.3, dated(api_version=before))
    sandbox.world.advance(hours=24)
    switched = sync(dated(api_version=after), last_state(delivered))
    now = sandbox.expected("openphone", after)
    assert held_after(switched) == now
    assert "all of it is read once more" in caplog.text
    # and back: all of the first one's calls are there, and it reads on as ever
    back = sync(dated(api_version=before), last_state(switched))
    assert held_after(back) == sandbox.expected("openphone", before)
    caplog.clear()
    on = sync(dated(api_version=before), last_state(back))
    assert len(records(on)) < len(records(back))
    assert "once more" not in caplog.text


def test_an_interrupted_switch_goes_on_too(sandbox: Sandbox) -> None:
    first = sync(dated(api_version="v1"))
    delivered = interrupted_at(0.3, dated(), last_state(first))
    rest = sync(dated(), last_state(delivered))
    assert len(records(rest)) < 300
    assert held_after(delivered, rest) == sandbox.expected("openphone", VERSION)


def test_a_start_date_that_moves_is_another_scope(sandbox: Sandbox) -> None:
    late, early = "2026-08-01T00:00:00Z", "2026-05-01T00:00:00Z"
    calls = sandbox.expected("openphone", VERSION)

    def since(date: str) -> dict[str, Any]:
        return {key: call for key, call in calls.items() if call["occurred_at"] >= date}

    first = sync(dated(start_date=late))
    assert held_after(first) == since(late)
    asked = of_calls(sandbox.requests)
    assert min(one["createdAt[gte]"] for one in asked) == "2026-07-31T00:00:00Z"
    second = sync(dated(start_date=early), last_state(first))
    assert held_after(second) == since(early)
    # one that was interrupted is not gone on with
    # (one window after the other, so that a state surely leaves before the end)
    delivered = interrupted_at(0.3, dated(start_date=early, num_workers=1))
    assert last_state(delivered)["under_way"]["scope"]["start_date"] == early
    assert held_after(sync(dated(), last_state(delivered))) == calls


def test_an_interrupted_reading_of_another_scope_goes_on(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside the last complete one, with which a sync goes on if the scope is moved back."""
    caplog.set_level(logging.INFO, "airbyte")
    early = "2025-10-01T00:00:00Z"
    calls = sandbox.expected("openphone", VERSION)
    first = sync(dated())
    delivered = interrupted_at(0.3, dated(start_date=early, num_workers=1), last_state(first))
    left = last_state(delivered)
    assert left["complete"] == last_state(first)["complete"]
    sandbox.clear_requests()
    rest = sync(dated(start_date=early), left)
    through = left["under_way"]["through"][:19]
    assert {one["createdAt[gte]"] >= through for one in of_calls(sandbox.requests)} == {True}
    assert held_after(delivered, rest) == {
        key: call for key, call in calls.items() if call["occurred_at"] >= early
    }
    assert last_state(rest)["scope"]["start_date"] == early

    caplog.clear()
    back = sync(dated(), left)
    assert len(records(back)) < 40
    assert "once more" not in caplog.text
    assert "under_way" not in last_state(back)


def test_a_call_that_goes_makes_only_its_month_come_again(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "airbyte")
    first = sync(dated())
    calls = sandbox.expected("openphone", VERSION)
    in_may = [call for call in calls.values() if call["created_at"].startswith("2026-05")]
    sandbox.world.delete_call("openphone", in_may[0]["id"])
    sandbox.clear_requests()
    second = sync(dated(lookback_days=1), last_state(first))
    again = {call["id"] for call in records(second) if call["created_at"] < "2026-08"}
    assert again == {call["id"] for call in in_may[1:]}
    assert "1 call" in caplog.text
    last = of_calls(sandbox.requests)[-1]
    assert (last["createdAt[gte]"], last["createdAt[lte]"]) == (
        "2026-05-01T00:00:00Z",
        "2026-06-01T00:00:00Z",
    )


@pytest.mark.parametrize("is_killed", [False, True])
def test_calls_that_come_back_in_several_months(sandbox: Sandbox, *, is_killed: bool) -> None:
    """Also if the sync is ended while it reads those months again."""
    calls = sandbox.expected("openphone", VERSION)
    known = sandbox.world.openphone.calls
    hidden = [key for key in calls if key in known and calls[key]["created_at"] < "2026-08"][::40]
    assert len({calls[key]["created_at"][:7] for key in hidden}) > 2
    for key in hidden:
        sandbox.world.hide_call("openphone", key)
    first = sync(dated(lookback_days=1))
    for key in hidden:
        sandbox.world.show_call("openphone", key)
    state, delivered = last_state(first), [first]
    if is_killed:
        came: list[AirbyteMessage] = []
        source, given = source_of("openphone", PAGES), state_of("calls", state)
        with closing(messages_of(source, dated(lookback_days=1), CATALOG, given)) as reading:
            for message in reading:
                came.append(message)
                if {call["id"] for call in records(came)} & {*hidden}:
                    break
        assert not {*hidden} <= {call["id"] for call in records(came)}
        assert not any(message.type is Type.STATE for message in came)
        delivered.append(came)
    delivered.append(sync(dated(lookback_days=1), state))
    assert held_after(*delivered) == calls


@pytest.mark.parametrize("failing", [3, 9, 20])
def test_what_was_read_before_a_failure_is_kept(sandbox: Sandbox, failing: int) -> None:
    sandbox.faults = [Fault("openphone", path_contains="/calls", nth=failing, times=ENDLESS)]
    delivered: list[AirbyteMessage] = []
    with pytest.raises(Exception, match="could not answer"):
        delivered.extend(messages_of(source_of("openphone", PAGES), dated(), CATALOG))
    sandbox.faults = []
    states = [message for message in delivered if message.type is Type.STATE]
    state = last_state(delivered) if states else None
    rest = sync(dated(), state)
    assert held_after(delivered, rest) == sandbox.expected("openphone", VERSION)


def test_v1_and_what_it_cannot_see_are_all_calls(sandbox: Sandbox) -> None:
    seen = held_after(sync(dated(api_version="v1")))
    everything = held_after(sync(dated()))
    unseen = sandbox.unseen_by_v1()
    assert set(everything) == set(seen) | set(unseen)
    assert not set(seen) & set(unseen)
    assert len(unseen) > 20
    of_v1_only = {"provider_record", "conversation_id", "participants", "external_number"}
    of_v1_only |= {"from_number", "to_number"}  # between two lines of our own
    for key, call in seen.items():
        other = everything[key]
        new = {"summary", "voicemail_url", "voicemail_seconds", "voicemail_transcript"}
        assert {n: v for n, v in call.items() if n not in of_v1_only} == {
            n: v for n, v in other.items() if n not in of_v1_only | new
        }
