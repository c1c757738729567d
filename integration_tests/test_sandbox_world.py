"""The sandbox's worlds: determinism, the passing of time, awkward data, switches, limits."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from integration_tests.sandbox import IntercomSwitches, OpenPhoneSwitches, Switches, World
from integration_tests.sandbox.history import CallHistory
from integration_tests.sandbox.identifiers import as_uuid4, as_uuid7, milliseconds_of, uuid7
from integration_tests.sandbox.limits import FixedWindow, MovingWindow
from integration_tests.sandbox.openphone_switches import CHILD_ALTERNATIVES, OpenPhoneDatedSwitches
from integration_tests.sandbox.openphone_workspace import SALES
from integration_tests.sandbox.switches import ALTERNATIVES, PROVIDERS
from integration_tests.sandbox.times import iso_milliseconds, iso_seconds, parse_iso
from integration_tests.sandbox.views import CallView

DAY = 86_400_000


def contents(world: World) -> dict[str, dict[str, Any]]:
    return {provider: dict(world.history(provider).calls) for provider in PROVIDERS}


def created_of(call: Any) -> int:
    """Milliseconds since 1970."""
    if hasattr(call, "created"):
        return int(call.created * 1000 if call.created < 10**11 else call.created)
    return milliseconds_of(call.id)


def test_equal_arguments_and_steps_make_equal_worlds() -> None:
    worlds = [World(calls=80), World(calls=80)]
    for world in worlds:
        world.advance(hours=3, new=5)
        for provider in PROVIDERS:
            added = world.add_call(provider)
            world.change_call(provider, added)
            world.delete_call(provider, next(iter(world.history(provider).calls)))
        world.advance()
    assert contents(worlds[0]) == contents(worlds[1])
    assert worlds[0].now == worlds[1].now
    assert worlds[0].skipcall_workspaces == worlds[1].skipcall_workspaces
    other = contents(World(seed=8, calls=80))
    assert all(not set(other[name]) & set(contents(worlds[0])[name]) for name in PROVIDERS[1:])


def test_providers_are_built_lazily_and_steps_replayed() -> None:
    eager, lazy = World(calls=50), World(calls=50)
    contents(eager)
    for world in (eager, lazy):
        world.advance(hours=7)
        world.add_call("intercom")
        world.advance(hours=1, new=2, changed=30, deleted=1, late=1)
    assert contents(eager) == contents(lazy)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_history_spans_about_400_days_before_now(provider: str) -> None:
    world = World(calls=400)
    now = round(world.now.timestamp() * 1000)
    created = sorted(created_of(call) for call in world.history(provider).calls.values())
    assert len(created) == 400
    assert 395 < (now - created[0]) / DAY <= 401
    assert now - DAY < created[-1] <= now
    assert sum(1 for at in created if at > now - 5 * DAY) > 15


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_lies_after_now(provider: str) -> None:
    world = World(calls=2000)
    world.advance(hours=2, new=300, changed=300, late=50)
    now = world.now.timestamp() * 1000
    for call in world.history(provider).calls.values():
        for name, value in call._asdict().items():
            if isinstance(value, int) and value > 10**9:
                assert (value * 1000 if value < 10**11 else value) <= now, (call.id, name)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_advance_adds_changes_and_deletes(provider: str) -> None:
    world = World(calls=400)
    before = dict(world.history(provider).calls)
    begin = world.now
    world.advance(hours=12, new=7, changed=9, deleted=4, late=2)
    after = world.history(provider).calls
    assert world.now == begin + timedelta(hours=12)
    gone = before.keys() - after.keys()
    new = [after[identifier] for identifier in after.keys() - before.keys()]
    changed = [i for i in before.keys() & after.keys() if before[i] != after[i]]
    assert (len(gone), len(new)) == (4, 9)
    assert 5 <= len(changed) <= 9
    first, last = begin.timestamp() * 1000, world.now.timestamp() * 1000
    recorded = sorted(created_of(call) for call in new)
    assert recorded[-1] <= last
    recent = [at for at in recorded if at >= first - 1000]
    assert len(recent) == (7 if provider == "openphone" else 9)


@pytest.mark.parametrize(
    ("provider", "moment"),
    [
        ("intercom", lambda call: (call.updated_at or 0) * 1000),
        ("openphone", lambda call: call.updated or 0),
        ("skipcall", lambda call: max(call.updated or 0, call.deleted or 0)),
    ],
)
def test_a_change_moves_the_providers_own_time(provider: str, moment: Callable[[Any], int]) -> None:
    world = World(calls=300)
    before = dict(world.history(provider).calls)
    begin = world.now.timestamp() * 1000
    world.advance(hours=24, new=0, changed=100, deleted=0, late=0)
    after = world.history(provider).calls
    changed = [call for identifier, call in after.items() if before[identifier] != call]
    assert len(changed) == 100
    assert all(moment(call) >= begin - 1000 for call in changed)


def test_changes_take_every_form() -> None:
    world = World(calls=300)
    before = contents(world)
    world.advance(hours=24, new=0, changed=200, deleted=0, late=0)
    after = contents(world)

    def became(provider: str, name: str, value: Callable[[Any, Any], bool]) -> bool:
        pairs = ((before[provider][i], call) for i, call in after[provider].items())
        return any(value(getattr(old, name), getattr(new, name)) for old, new in pairs)

    for provider, name in [
        ("intercom", "ended_at"),
        ("intercom", "recording_url"),
        ("openphone", "completed"),
        ("amplemarket", "disposition_id"),
        ("amplemarket", "recording_url"),
        ("skipcall", "ended"),
        ("skipcall", "deleted"),
    ]:
        assert became(provider, name, lambda old, new: old is None and new is not None), name
    for provider in ("amplemarket", "skipcall"):
        assert became(provider, "notes", lambda old, new: old != new)


def test_only_young_amplemarket_calls_change() -> None:
    world = World(calls=400)
    before = dict(world.amplemarket.calls)
    world.advance(hours=24, new=0, changed=400, deleted=0, late=0)
    changed = [i for i, call in world.amplemarket.calls.items() if before[i] != call]
    oldest = world.now - timedelta(days=5)
    assert changed
    assert all(milliseconds_of(i) >= oldest.timestamp() * 1000 for i in changed)


def test_late_calls_are_recorded_now_and_happened_before() -> None:
    world = World(calls=10)
    before = contents(world)
    begin = world.now.timestamp()
    world.advance(hours=1, new=0, changed=0, deleted=0, late=5)

    def late(provider: str) -> list[Any]:
        calls = world.history(provider).calls
        return [calls[i] for i in calls.keys() - before[provider].keys()]

    assert [len(late(provider)) for provider in PROVIDERS] == [5, 5, 5, 5]
    assert all(milliseconds_of(one.id) > begin * 1000 for one in late("amplemarket"))
    started = [one.started for one in late("amplemarket") if one.started is not None]
    assert started
    assert all(at < begin - 80_000 for at in started)
    assert all(one.created >= begin for one in late("intercom"))
    for call in late("openphone"):
        assert call.created < (begin - 80_000) * 1000
        assert world.openphone.threads[call.conversation.id].activity > begin * 1000


@pytest.mark.parametrize("provider", PROVIDERS)
def test_single_steps(provider: str) -> None:
    world = World(calls=20)
    begin = world.now
    calls = world.history(provider).calls
    added = world.add_call(provider)
    assert added in calls
    before = calls[added]
    world.change_call(provider, added)
    assert calls[added] != before
    world.delete_call(provider, added)
    assert added not in calls
    assert world.now == begin + timedelta(seconds=3)
    with pytest.raises(KeyError):
        world.delete_call(provider, added)
    with pytest.raises(KeyError):
        world.add_call("aircall")


def test_fields_that_a_test_sets() -> None:
    world = World(calls=5)
    call = world.add_call("skipcall", notes="x", updated=None)
    assert world.skipcall.calls[call].notes == "x"
    world.change_call("skipcall", call, notes="y")
    changed = world.skipcall.calls[call]
    assert (changed.notes, changed.updated) == ("y", round(world.now.timestamp() * 1000))
    assert not changed.absent & {"notes", "updatedAt"}
    shown = as_uuid4(world.add_call("amplemarket"))
    world.change_call("amplemarket", shown, notes="z")
    assert world.amplemarket.calls[as_uuid7(shown)].notes == "z"


def test_added_openphone_calls_can_be_listed_by_default() -> None:
    world = World(calls=0)
    for _ in range(60):
        call = world.openphone.calls[world.add_call("openphone")]
        line = call.conversation.line
        assert call.conversation.askable
        assert call.user_id in {line.owner.id, *(user.id for user in line.users)}
    assert len(world.openphone.threads) > 19


def seconds_shared(history: CallHistory[Any], unit: int) -> bool:
    counted = Counter(created_of(call) // unit for call in history.calls.values())
    return max(counted.values()) > 1


def test_awkward_data() -> None:
    world = World()
    for provider in PROVIDERS:
        assert seconds_shared(world.history(provider), 1000)
    for provider in ("openphone", "amplemarket", "skipcall"):
        assert seconds_shared(world.history(provider), 1)
    intercom = list(world.intercom.calls.values())
    assert {"on_hold", "voicemail", "in-progress", "ringing"} <= {one.state for one in intercom}
    assert {"in_progress", "No Answer", "COMPLETED", "ended", "cancelled", "missed"} <= {
        one.state for one in intercom
    }
    assert {"transfer", "incoming", "Outgoing", "outbound-api"} <= {
        one.direction for one in intercom
    }
    for name in ("conversation_id", "admin_id", "contact_id", "initiated_at", "answered_at"):
        assert any(getattr(one, name) is None for one in intercom), name
    for name in ("ended_at", "updated_at", "recording_url", "ended_reason", "phone"):
        assert any(getattr(one, name) is None for one in intercom), name
    assert any(one.created_at is None for one in World(calls=2000).intercom.calls.values())
    openphone = list(world.openphone.calls.values())
    assert {one.status for one in openphone} == {
        *("queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed"),
        *("no-answer", "canceled", "missed", "answered", "forwarded", "abandoned"),
        *("COMPLETED", "No_Answer", "unanswered", "parked"),
    }
    assert {one.direction for one in openphone} == {
        *("incoming", "outgoing", "Incoming", "OUTGOING"),
    }
    assert {len(one.conversation.participants) for one in openphone} == {1, 2, 3}
    amplemarket = list(world.amplemarket.calls.values())
    assert any(" " in one.to_number or " " in one.from_number for one in amplemarket)
    assert {one.answered for one in amplemarket} == {True, False, None}
    assert any(one.notes and not one.notes.isascii() for one in amplemarket)
    assert any(one.notes == "" for one in amplemarket)
    assert {"internal", "Outgoing", "INBOUND"} <= {one.direction for one in amplemarket}
    skipcall = list(world.skipcall.calls.values())
    assert {"voicemail_left", "COMPLETED", "No Answer", "cancelled", "In_Progress"} <= {
        one.status for one in skipcall
    }
    assert {"internal", "INBOUND", "Outgoing"} <= {one.type for one in skipcall}
    assert {one.transferred for one in skipcall} == {True, False}
    assert {one.call_type for one in skipcall} == {"CALL_SESSION", "DIRECT_CALL"}
    assert any(one.managed_number_id is None for one in skipcall)
    assert any(one.contact and one.contact.is_unknown for one in skipcall)
    assert any(one.deleted for one in skipcall)
    assert any(one.caller and not one.caller[1].isascii() for one in skipcall)


def test_openphone_calls_of_shared_lines_and_of_ai() -> None:
    calls = list(World().openphone.calls.values())
    answered = [call for call in calls if call.answered is not None]
    incoming = [call for call in answered if call.direction.lower() == "incoming"]
    outgoing = [call for call in calls if call.direction.lower() == "outgoing"]
    owner = SALES.owner.id
    by_others = {call.answered_by for call in incoming if call.user_id == owner} - {None, owner}
    assert {"USagent2", "US007"} & by_others
    assert any(call.initiated_by not in (None, call.user_id) for call in outgoing)
    named = [call for call in incoming if call.answered_by and call.initiated_by]
    assert any(len({call.user_id, call.answered_by, call.initiated_by}) == 3 for call in named)
    assert any(call.answered_by for call in outgoing)
    kinds = {((call.answered_by or "")[:3], call.ai_handled) for call in incoming}
    assert {("SYU", "ai-agent"), ("", "ai-agent"), ("", None)} <= kinds
    assert any(kind[:2] == "US" and handled for kind, handled in kinds)
    assert any(kind[:2] == "SY" and not handled for kind, handled in kinds)
    assert any(call.ai_handled for call in outgoing)
    assert any(call.ai_handled for call in calls if call.answered is None)
    attended = [call for call in calls if call.conversation.attended and call.user_id == owner]
    assert all(call.answered_by or call.initiated_by for call in attended)
    assert len({call.answered_by or call.initiated_by for call in attended}) > 1
    assert {call.names_participants for call in calls} == {True, False}
    voicemails = [call for call in calls if call.voicemail_seconds is not None]
    assert voicemails
    assert {(call.status, call.answered, call.duration) for call in voicemails} == {
        ("completed", None, 0)
    }
    assert all(call.completed is not None for call in voicemails)


def test_times_that_intercom_measures() -> None:
    calls = list(World().intercom.calls.values())
    timed = [(call, call.timings) for call in calls if call.timings is not None]
    assert 20 < len(timed) < len(calls) / 3
    found = set()
    for call, (duration, talked, queued, held) in timed:
        if call.ended_at is None or call.initiated_at is None:
            found.add("ongoing" if call.ended_at is None else "no start")
            continue
        waited = (call.answered_at or call.ended_at) - call.initiated_at
        assert queued == waited
        if call.answered_at is None:
            assert (talked, held) == (0, 0)
            found.add("unanswered")
            continue
        spoken = call.ended_at - call.answered_at
        assert spoken == (talked or 0) + (held or 0)
        is_inbound = call.direction in ("inbound", "incoming")
        assert duration in (None, spoken + (waited if is_inbound else 0))
        found.add("no duration" if duration is None else "inbound" if is_inbound else "outbound")
    assert found >= {"ongoing", "unanswered", "no duration", "inbound", "outbound"}


def test_views_follow_random_changes() -> None:
    rng = Random(1)
    calls = {call.id: call for call in World(calls=100).intercom.calls.values()}
    view = CallView(
        calls.values(), lambda call: (call.created, call.id), lambda c: c.created % 3 != 0
    )
    fresh = list(World(seed=9, calls=100).intercom.calls.values())
    for _ in range(300):
        if rng.random() < 0.4 and calls:
            old = calls.pop(rng.choice(sorted(calls)))
            view.replace(old, None)
        else:
            made = rng.choice(fresh)._replace(created=rng.randrange(10**9))
            view.replace(calls.get(made.id), made)
            calls[made.id] = made
        kept = [one for one in calls.values() if one.created % 3 != 0]
        wanted = [one.id for one in sorted(kept, key=lambda one: (one.created, one.id))]
        assert view.ascending(0, 1000) == wanted
        assert view.descending(3, 5) == wanted[::-1][3:8]
        assert len(view) == len(wanted)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_world_ten_times_as_large_takes_about_ten_times_as_long(provider: str) -> None:
    def seconds(calls: int) -> float:
        took = []
        for _ in range(3):
            world = World(calls=calls, conversations=calls // 10)
            begin = time.process_time()
            assert len(world.history(provider).calls) == calls
            took.append(time.process_time() - begin)
        return min(took)

    assert seconds(30_000) < 50 * seconds(3_000)  # a hundred times if each call looked at all


def test_identifiers() -> None:
    rng = Random(3)
    for _ in range(50):
        seven = uuid7(rng, 1_780_508_717_243)
        assert milliseconds_of(seven) == 1_780_508_717_243
        assert (len(seven), seven[14], as_uuid4(seven)[14]) == (36, "7", "4")
        assert seven[19] in "89ab"
        assert as_uuid4(seven)[19] in "89ab"
        assert as_uuid7(as_uuid4(seven)) == seven
    assert milliseconds_of("019e8e96-f0bb-7046-95c1-7eba023ab110") == parse_iso(
        "2026-06-03T17:45:17.243Z"
    )


def test_times() -> None:
    assert iso_seconds(1_780_508_657) == "2026-06-03T17:44:17Z"
    assert iso_milliseconds(1_780_508_657_007) == "2026-06-03T17:44:17.007Z"
    assert parse_iso("2026-06-03T19:44:17+02:00") == 1_780_508_657_000
    assert parse_iso("2026-06-03") == 1_780_444_800_000
    assert parse_iso("2026-06-03T17:44:17 00:00") is None
    assert World(now=datetime(2026, 1, 2, tzinfo=UTC)).now == datetime(2026, 1, 2, tzinfo=UTC)


def test_positions_move_one_switch_at_a_time() -> None:
    for provider in PROVIDERS:
        positions = Switches.positions(provider)
        names = [name for name, _ in positions]
        moved = [f"{n}={value}" for n, values in ALTERNATIVES[provider] for value in values]
        assert names == ["default", *moved, "gzip=True", "unknown_fields=True"]
        assert positions[0][1] == Switches()
        distinct = {switches for _, switches in positions}
        assert len(distinct) == len(positions)
    children = [name for name, _ in Switches.positions("openphone_children")]
    assert children == [
        "default",
        *(f"{n}={value}" for n, values in CHILD_ALTERNATIVES for value in values),
        *("gzip=True", "unknown_fields=True"),
    ]
    dated = dict(Switches.positions("openphone_dated"))
    assert dated["cursor=offset"].openphone_dated == OpenPhoneDatedSwitches(cursor="offset")
    # what v1's switches say of the answers of both
    assert dated["numbers=null"] == Switches(openphone=OpenPhoneSwitches(numbers="null"))
    assert not [name for name in dated if name.startswith("user_")]
    assert len(set(dated.values())) == len(dated)
    by_name = dict(Switches.positions("intercom"))
    assert by_name["limit=167"] == Switches(intercom=IntercomSwitches(limit=167))


def test_switches_from_text() -> None:
    switches = Switches().with_text("intercom.timestamps=iso")
    switches = switches.with_text("openphone.participants_include_own=true")
    switches = switches.with_text("openphone.limit=5")
    assert switches == Switches(
        intercom=IntercomSwitches(timestamps="iso"),
        openphone=OpenPhoneSwitches(participants_include_own=True, limit=5),
    )
    moving = Switches().with_text("openphone_dated.parts_move_update=true")
    assert moving.openphone_dated == OpenPhoneDatedSwitches(parts_move_update=True)
    refusing = Switches().with_text("openphone_children.plan=refused_402").openphone_children
    assert refusing.plan == "refused_402"
    assert Switches().with_text("skipcall.limit_cut=50").skipcall.limit_cut == 50
    assert Switches().with_text("skipcall.window_seconds=0.5").skipcall.window_seconds == 0.5
    for wrong in (
        "openphone_dated.limit=5",
        "intercom.timestamps=unix",
        "intercom.time=iso",
        "aircall.x=1",
        "intercom",
        "",
    ):
        with pytest.raises(ValueError, match=r"knows|no switch"):
            Switches().with_text(wrong)


def test_fixed_window() -> None:
    now = [1003.0]
    window = FixedWindow(lambda: now[0])
    taken = [window.take("a", 2, 10.0, enforced=True) for _ in range(3)]
    assert [(one.allowed, one.remaining) for one in taken] == [(True, 1), (True, 0), (False, 0)]
    assert (taken[2].resets_at, taken[2].wait_seconds) == (1010.0, 7.0)
    assert window.take("b", 2, 10.0, enforced=True).allowed
    assert window.take("a", 2, 10.0, enforced=False).allowed
    now[0] = 1010.0
    assert window.take("a", 2, 10.0, enforced=True).allowed


def test_moving_window() -> None:
    now = [100.0]
    window = MovingWindow(lambda: now[0])
    allowed = []
    for at in (100.0, 100.6, 100.9, 101.0, 101.5, 101.6, 101.61):
        now[0] = at
        allowed.append(window.take("a", 2, 1.0, enforced=True).allowed)
    assert allowed == [True, True, False, True, False, True, False]
    assert round(window.take("a", 2, 1.0, enforced=True).wait_seconds, 6) == 0.39
