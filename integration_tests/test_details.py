"""`call_transcripts` and `call_recordings` against the sandbox's truth, and what is asked for them.

The real connectors read the sandbox in this process; the tests of redirects do it over sockets.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessageSerializer
from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentPerPartitionCursor,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.reading import window_plan
from integration_tests.commands import catalog_for, config_for
from integration_tests.fault_cases import Sync, be_quick, source_of
from integration_tests.in_process import messages_of
from integration_tests.list_reading import reading
from integration_tests.sandbox import (
    AmplemarketSwitches,
    Fault,
    IntercomSwitches,
    Sandbox,
    Switches,
    World,
)
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.openphone_switches import OpenPhoneChildSwitches
from integration_tests.sandbox.side_switches import IntercomSideSwitches

DATED = "dated"
"""Quo by its dated API; the connector is that of `openphone`."""
VERSION = "2026-03-30"
STREAMS = [
    (provider, stream)
    for provider in ("intercom", "openphone", "dated", "amplemarket")
    for stream in ("call_transcripts", "call_recordings")
]
each_stream = pytest.mark.parametrize(("provider", "stream"), STREAMS)
Row = dict[str, Any]
QUO = ("openphone", DATED)
CHILDREN = ("call_transcripts", "call_recordings")
ENTRIES = ("warehouse", "unrecognisable")
NO_TRANSCRIPT = ("empty_text", "404")
INTERCOM_PLANS = ("payment_required", "api_plan_restricted")
NEWER = AmplemarketSwitches(newer_fields="present")
UUID4 = AmplemarketSwitches(ids="uuid4")
SIDE = re.compile(r"/calls/([^/]+)/(?:transcript|recording)s?|/v1/call-\w+/(\w+)")
PATHS = {
    ("intercom", "call_transcripts"): "/calls/search",
    ("intercom", "call_recordings"): "/recording",
    ("openphone", "call_transcripts"): "/v1/call-transcripts",
    ("openphone", "call_recordings"): "/v1/call-recordings",
    (DATED, "call_transcripts"): "/transcripts",
    (DATED, "call_recordings"): "/recordings",
}


def to_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def sandbox_of(switches: Switches | None = None, calls: int = 120) -> Sandbox:
    return Sandbox(World(calls=calls), replace(switches or Switches(), enforce_limits=False))


def synced(
    sandbox: Sandbox,
    provider: str,
    *streams: str,
    state: Iterable[Mapping[str, Any]] = (),
    **config: Any,
) -> Sync:
    """One sync of some streams."""
    messages = []
    failure = None
    if provider == DATED:
        provider, config = "openphone", {"api_version": VERSION, **config}
    with reading(sandbox):
        settings, catalog = config_for(provider, **config), catalog_for(provider, *streams)
        try:
            for message in messages_of(source_of(provider), settings, catalog, state):
                messages.append(message)
        except AirbyteTracedException as traced:
            failure = traced
    return Sync(messages, failure)


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(
        rows, key=lambda row: (row["call_id"], str(row.get("segment_index", 0)), str(row))
    )


def rows_of(done: Sync, stream: str) -> list[Row]:
    """The rows without the cursor, which the truth of the rows does not have."""
    kept = ({k: v for k, v in row.items() if k != "updated_at"} for row in done.records(stream))
    return in_order(kept)


def truth(sandbox: Sandbox, provider: str, stream: str) -> list[Row]:
    if provider == DATED:
        return in_order(sandbox.expected_rows("openphone", stream, VERSION))
    return in_order(sandbox.expected_rows(provider, stream))


def calls_of(sandbox: Sandbox, provider: str) -> dict[str, Row]:
    """The true calls by id."""
    if provider == DATED:
        return sandbox.expected("openphone", VERSION)
    return sandbox.expected(provider)


@each_stream
def test_the_rows_are_the_truth(provider: str, stream: str) -> None:
    sandbox = sandbox_of()
    done = synced(sandbox, provider, stream)
    assert done.failures == []
    assert rows_of(done, stream) == truth(sandbox, provider, stream)


def intercom(**positions: Any) -> Switches:
    return Switches(intercom=IntercomSwitches(sides=IntercomSideSwitches(**positions)))


def openphone(**positions: Any) -> Switches:
    return Switches(openphone_children=OpenPhoneChildSwitches(**positions))


TOLD_OTHERWISE = [
    *(("intercom", "call_transcripts", intercom(entries=one)) for one in ENTRIES),
    *(("intercom", "call_transcripts", intercom(no_transcript=one)) for one in NO_TRANSCRIPT),
    ("intercom", "call_recordings", intercom(recording="audio")),
    *((q, s, openphone(missing=m)) for q, s in STREAMS[2:6] for m in ("absent", "404")),
    *(
        (quo, "call_transcripts", openphone(plan=plan))
        for quo in QUO
        for plan in ("refused_404", "absent")
    ),
    ("amplemarket", "call_transcripts", Switches(amplemarket=NEWER)),
    ("amplemarket", "call_recordings", Switches(amplemarket=NEWER)),
    ("amplemarket", "call_transcripts", Switches(amplemarket=UUID4)),
    *((*one, Switches(unknown_fields=True)) for one in STREAMS),
]


@pytest.mark.parametrize(("provider", "stream", "switches"), TOLD_OTHERWISE)
def test_the_rows_are_the_truth_however_it_is_told(
    provider: str, stream: str, switches: Switches
) -> None:
    sandbox = sandbox_of(switches)
    done = synced(sandbox, provider, stream)
    assert done.failures == []
    assert rows_of(done, stream) == truth(sandbox, provider, stream)


@each_stream
def test_a_row_has_the_cursor_of_its_call(provider: str, stream: str) -> None:
    done = synced(sandbox_of(), provider, "calls", stream)
    calls = done.by_id()
    rows = done.records(stream)
    assert len(rows) > 10
    changed = {call_id: call.get("updated_at") for call_id, call in calls.items()}
    assert [row.get("updated_at") for row in rows] == [changed[row["call_id"]] for row in rows]


@pytest.mark.parametrize("provider", QUO)
def test_all_streams_of_what_there_is_to_calls_are_read_in_one_sync(provider: str) -> None:
    """Their parents have one name, and each an own reading."""
    sandbox = sandbox_of()
    streams = ("calls", "call_transcripts", "call_recordings")
    done = synced(sandbox, provider, *streams)
    assert done.failures == []
    assert done.by_id().keys() == calls_of(sandbox, provider).keys()
    assert {state["stream"]["stream_descriptor"]["name"] for state in done.states} == {*streams}
    for stream in streams[1:]:
        assert rows_of(done, stream) == truth(sandbox, provider, stream)
    states = [state["stream"]["stream_state"] for state in done.states]
    if provider != DATED:
        states = [state["parent_state"]["conversations"] for state in states]
    inventories = [state["inventory"] for state in states]
    assert inventories[0]
    assert inventories[1:] == inventories[:1] * 2


def asked(sandbox: Sandbox) -> list[str]:
    """What was asked about: a call's id, or each conversation."""
    found = []
    for request in sandbox.requests:
        if request.method == "POST":
            found += orjson.loads(request.body)["conversation_ids"]
        elif match := SIDE.fullmatch(request.path):
            found.append(match[1] or match[2])
    return found


@pytest.mark.parametrize("provider", QUO)
def test_quo_is_asked_about_answered_calls_only_and_once(provider: str) -> None:
    sandbox = sandbox_of()
    synced(sandbox, provider, "call_transcripts")
    answered = [key for key, one in calls_of(sandbox, provider).items() if one.get("answered")]
    assert len(answered) > 20
    assert sorted(asked(sandbox)) == sorted(answered)


def test_intercom_is_asked_about_twenty_conversations_a_request() -> None:
    """One by one only where there is no conversation, and a URL."""
    sandbox = sandbox_of(calls=600)
    synced(sandbox, "intercom", "call_transcripts", num_workers=1)
    calls = sandbox.expected("intercom").values()
    wanted = [one for one in calls if one.get("answered") or one.get("transcript_url")]
    conversations = {one["conversation_id"] for one in wanted if one.get("conversation_id")}
    alone = [one for one in wanted if not one.get("conversation_id") and one.get("transcript_url")]
    assert len(conversations) > 100
    assert len(alone) > 2
    posts = [one for one in sandbox.requests if one.method == "POST"]
    sizes = [len(orjson.loads(one.body)["conversation_ids"]) for one in posts]
    assert sizes[:-1] == [20] * (len(sizes) - 1)
    assert len(posts) == -(-len(conversations) // 20)
    assert len(asked(sandbox)) == len(conversations) + len(alone)
    assert {one.path for one in posts} == {"/calls/search"}


def test_amplemarket_is_asked_for_nothing_more() -> None:
    sandbox = sandbox_of()
    synced(sandbox, "amplemarket", "call_transcripts", "call_recordings")
    assert {request.path for request in sandbox.requests} == {"/calls"}


PLANS = [
    *(("intercom", s, intercom(plan=p)) for s in CHILDREN for p in INTERCOM_PLANS),
    *((q, "call_transcripts", openphone(plan=f"refused_{n}")) for q in QUO for n in (402, 403)),
    *((q, "call_recordings", openphone(plan=f"recordings_{n}")) for q in QUO for n in (402, 403)),
]


@pytest.mark.parametrize(("provider", "stream", "switches"), PLANS)
def test_a_plan_without_it_gives_an_empty_stream_whose_state_stays(
    provider: str, stream: str, switches: Switches, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = sandbox_of(switches, calls=300)
    first = synced(sandbox, provider, stream)
    assert (first.failures, first.records(stream), first.states) == ([], [], [])
    told = [r.getMessage() for r in caplog.records if "plan of this workspace" in r.getMessage()]
    assert len(told) == 1
    status = "402" if "402" in repr(switches) or "payment" in repr(switches) else "403"
    assert f"(HTTP {status}), so that {stream} is empty; its state stays as it is" in told[0]
    refused = [one for one in sandbox.requests if one.status == int(status)]
    assert 20 <= len(refused) <= 20 + 32 if provider in QUO else refused
    # the plan has it again: then all of it comes
    sandbox.switches = replace(sandbox_of().switches)
    whole = synced(sandbox, provider, stream)
    assert rows_of(whole, stream) == truth(sandbox, provider, stream)
    # it is gone once more: the state stays where it was
    sandbox.switches = replace(switches, enforce_limits=False)
    sandbox.world.advance(hours=30)
    again = synced(sandbox, provider, stream, state=whole.states)
    assert (again.failures, again.records(stream)) == ([], [])
    assert [one["stream"] for one in again.states] == [one["stream"] for one in whole.states]


def test_what_a_plan_has_for_some_calls_comes_for_these(caplog: pytest.LogCaptureFixture) -> None:
    sandbox = sandbox_of(openphone(plan="ai_only"), calls=300)
    done = synced(sandbox, "openphone", "call_transcripts")
    rows = truth(sandbox, "openphone", "call_transcripts")
    assert rows
    assert (done.failures, rows_of(done, "call_transcripts")) == ([], rows)
    assert done.states
    refused = sum(one.status == 403 for one in sandbox.requests)
    (told,) = [r.getMessage() for r in caplog.records if "for some calls only" in r.getMessage()]
    assert f"refused {refused} of the requests for call_transcripts (HTTP 403)" in told


@pytest.mark.parametrize(("provider", "stream"), STREAMS[:6])
def test_only_what_has_changed_within_the_lookback_is_asked_about_again(
    provider: str, stream: str
) -> None:
    sandbox = sandbox_of(calls=300)
    first = synced(sandbox, provider, stream, lookback_days=3)
    before = sorted(asked(sandbox))
    assert before
    sandbox.world.advance(hours=24, new=6, changed=6, deleted=0, late=0)
    newest = max(one["updated_at"] for one in calls_of(sandbox, provider).values())
    sandbox.clear_requests()
    second = synced(sandbox, provider, stream, state=first.states, lookback_days=3)
    assert second.failures == []
    since = to_text(datetime.fromisoformat(newest) - timedelta(days=5))
    latest = to_text(datetime.fromisoformat(newest) - timedelta(days=3))
    changed = {
        key: one["updated_at"]
        for key, one in calls_of(sandbox, provider).items()
        if (one.get("answered") or one.get("recording_url") or one.get("transcript_url"))
    }
    calls = asked(sandbox)
    if stream == "call_recordings" or provider in QUO:
        ids = {one.removesuffix("-fin") for one in calls}
        assert ids <= {key for key, at in changed.items() if at >= since}
        wanted = {row["call_id"] for row in truth(sandbox, provider, stream)}
        assert ids >= {key for key in wanted if changed[key] >= latest}
    assert 0 < len(calls) < len(before) / 3
    # and a destination has all of it
    assert merged(stream, first, second) == {
        key_of(stream, row): row for row in truth(sandbox, provider, stream)
    } | {key: row for key, row in merged(stream, first).items() if key[0] not in changed}


def key_of(stream: str, row: Row) -> tuple[str, Any]:
    return row["call_id"], row["segment_index" if stream == "call_transcripts" else "recording_id"]


def merged(stream: str, *syncs: Sync) -> dict[tuple[str, Any], Row]:
    """What a destination that merges by the primary key has."""
    return {key_of(stream, row): row for done in syncs for row in rows_of(done, stream)}


@pytest.mark.parametrize(("provider", "stream"), STREAMS[:6])
@pytest.mark.parametrize("nth", [1, 3])
def test_a_failure_loses_nothing(provider: str, stream: str, nth: int) -> None:
    sandbox = sandbox_of(calls=300)
    path = PATHS[provider, stream]
    played = "openphone" if provider == DATED else provider
    fault = Fault(played, path, nth=nth, times=ENDLESS, status=500)
    sandbox.faults.append(fault)
    first = synced(sandbox, provider, stream)
    assert {kind for kind, _ in first.failures} == {"transient_error"}
    assert "could not answer (HTTP 500)" in first.failures[0][1]
    sandbox.faults.clear()
    second = synced(sandbox, provider, stream, state=first.states)
    assert second.failures == []
    assert merged(stream, first, second) == {
        key_of(stream, row): row for row in truth(sandbox, provider, stream)
    }


def states_in(messages: Sequence[AirbyteMessage], stream: str) -> list[tuple[int, Any]]:
    """The place among the messages of each state that left, and the state as a file holds it."""
    return [
        (place, [AirbyteStateMessageSerializer.dump(message.state)])
        for place, message in enumerate(messages)
        if message.state is not None
        and message.state.stream is not None
        and message.state.stream.stream_descriptor.name == stream
    ]


@pytest.mark.parametrize("stream", CHILDREN)
@pytest.mark.parametrize("provider", QUO)
def test_a_sync_that_is_killed_loses_nothing(
    provider: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of calls that are older than the state, either: their conversation was active later.

    A first sync is killed after some states, and so is one that follows it.
    """
    # the CDK lets a state out every ten minutes
    monkeypatch.setattr(ConcurrentPerPartitionCursor, "_throttle_state_message", lambda _: 1.0)
    monkeypatch.setattr(window_plan, "_PAGES_OF_A_WINDOW", 1)
    monkeypatch.setattr(window_plan, "_FEWEST_PAGES", 1)
    sandbox = Sandbox(World(calls=160, conversations=12), Switches(enforce_limits=False))
    whole = synced(sandbox, provider, stream, num_workers=2)
    assert whole.failures == []
    left = states_in(whole.messages, stream)
    assert len(left) > 3
    for place, state in left[:: max(1, len(left) // 4)]:
        killed = Sync(whole.messages[:place], None)
        resumed = synced(sandbox, provider, stream, state=state)
        assert merged(stream, killed, resumed) == merged(stream, whole)
    assert merged(stream, whole) == rows_by_key(stream, truth(sandbox, provider, stream))
    sandbox.world.advance(hours=240, new=30, changed=10, deleted=0, late=0)
    second = synced(sandbox, provider, stream, state=left[-1][1], num_workers=2)
    third = states_in(second.messages, stream)
    wanted = rows_by_key(stream, truth(sandbox, provider, stream))
    for place, state in third[:: max(1, len(third) // 3)]:
        killed = Sync(second.messages[:place], None)
        resumed = synced(sandbox, provider, stream, state=state)
        found = merged(stream, whole, killed, resumed)
        assert {key: found.get(key) for key in wanted} == wanted


def rows_by_key(stream: str, rows: Iterable[Row]) -> dict[tuple[str, Any], Row]:
    return {key_of(stream, row): row for row in rows}


@pytest.mark.parametrize("kind", ["redirect", "audio"])
def test_no_recording_is_taken_and_the_key_goes_nowhere_else(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over sockets: the sandbox writes megabytes, and knows whether they were taken."""
    switches = replace(intercom(recording=kind), enforce_limits=False)
    with Sandbox(World(calls=120), switches) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        config, catalog = config_for("intercom"), catalog_for("intercom", "call_recordings")
        done = Sync([*messages_of(source_of("intercom"), config, catalog)], None)
        assert rows_of(done, "call_recordings") == truth(sandbox, "intercom", "call_recordings")
        asked_about = [one for one in sandbox.requests if one.path.endswith("/recording")]
        assert {one.status for one in asked_about} == {302 if kind == "redirect" else 200, 404}
        assert (sandbox.heard, sandbox.signed_requests) == (0, [])


def test_transcripts_come_by_post_over_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(World(calls=120), Switches(enforce_limits=False)) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        config, catalog = config_for("intercom"), catalog_for("intercom", "call_transcripts")
        done = Sync([*messages_of(source_of("intercom"), config, catalog)], None)
        assert rows_of(done, "call_transcripts") == truth(sandbox, "intercom", "call_transcripts")
        posts = [one for one in sandbox.requests if one.method == "POST"]
        assert {one.headers["content-type"] for one in posts} == {"application/json"}


def test_what_a_complete_reading_brings_is_not_known_before_its_rows_are_out() -> None:
    """A call that appears late is given out once, with the month that differs."""
    sandbox = sandbox_of(calls=200)
    rows = truth(sandbox, "intercom", "call_recordings")
    oldest = min(rows, key=lambda row: calls_of(sandbox, "intercom")[row["call_id"]]["created_at"])
    late = oldest["call_id"]
    sandbox.world.hide_call("intercom", late)
    first = synced(sandbox, "intercom", "call_recordings", full_scan_hours=0)
    sandbox.world.show_call("intercom", late)
    path = f"/calls/{late}/recording"
    sandbox.faults.append(Fault("intercom", path, times=ENDLESS, status=500))
    second = synced(sandbox, "intercom", "call_recordings", state=first.states, full_scan_hours=0)
    assert [kind for kind, _ in second.failures] == ["transient_error"]
    sandbox.faults.clear()
    third = synced(sandbox, "intercom", "call_recordings", state=second.states, full_scan_hours=0)
    assert third.failures == []
    assert late not in {row["call_id"] for row in first.records("call_recordings")}
    assert oldest in rows_of(third, "call_recordings")
