"""OpenPhone: a request for calls is skipped only if the provider itself says so, in its own words.

A conversation that was never answered well has not been read: no state passes it, and the other
conversations are read all the same, whatever the timing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from integration_tests.fault_cases import (
    ATTEMPTS,
    BEFORE_THE_WORLD,
    Sync,
    be_quick,
    quick_switches,
    sync,
)
from integration_tests.sandbox import Fault, OpenPhoneSwitches, Sandbox, SeenRequest, World
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.openphone_errors import (
    ENVELOPES,
    FORBIDDEN,
    NOT_FOUND,
    NOT_NUMBER_USER,
    NUMBER_REFUSED,
    TOO_MANY_PARTICIPANTS,
    Envelope,
    Refusal,
    invalid,
)
from integration_tests.sandbox.openphone_refusals import (
    asks,
    conversation_of,
    for_one_of,
    from_conversation,
    refusing,
)
from integration_tests.sandbox.openphone_workspace import LINES, LOBBY, SALES, SUPPORT, Line

Truth = dict[str, dict[str, Any]]
PAGES = {"conversations": 100, "calls_v1": 100}


@contextmanager
def stage(monkeypatch: pytest.MonkeyPatch, **switches: Any) -> Iterator[Sandbox]:
    """Nine conversations with seven calls each, one after another; three of each phone number."""
    world = World(calls=63, conversations=9, one_after_another=True)
    openphone = OpenPhoneSwitches(**{"user_default": "everyone", **switches})
    with Sandbox(world, replace(quick_switches(), openphone=openphone)) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        yield sandbox


def read(states: Any = (), workers: int = 4) -> Sync:
    return sync(
        "openphone",
        states,
        page_sizes=PAGES,
        first_window=BEFORE_THE_WORLD,
        num_workers=workers,
    )


def conversations(sandbox: Sandbox, line: Line) -> list[str]:
    """The participants of the line's conversations, the oldest first."""
    threads = sandbox.world.openphone.threads.values()
    found = [one.conversation for one in threads if one.conversation.line is line]
    return [one.participants[0] for one in found]


def without(truth: Truth, *participants: str) -> Truth:
    return {key: one for key, one in truth.items() if one["external_number"] not in participants}


def assert_nothing_lost(sandbox: Sandbox, broken: Sync) -> Sync:
    """A healthy sync from the last state completes the truth."""
    sandbox.faults = []
    sandbox.clear_requests()
    healthy = read(broken.states)
    assert healthy.failures == []
    assert broken.by_id() | healthy.by_id() == sandbox.expected("openphone")
    return healthy


@pytest.mark.parametrize("form", ENVELOPES)
@pytest.mark.parametrize("refusal", [NOT_FOUND, TOO_MANY_PARTICIPANTS], ids=["404", "400"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_earned_404_or_400_closes_the_conversation(
    refusal: Refusal,
    form: Envelope,
    place: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with stage(monkeypatch) as sandbox:
        participant = conversations(sandbox, SALES)[place]
        sandbox.faults = [refusing(refusal, form, asks(participants=participant))]
        done = read()
        assert done.failures == []
        assert done.by_id() == without(sandbox.expected("openphone"), participant)
        asked = [seen for seen in sandbox.requests if conversation_of(seen)[1] == participant]
        warning = next(text for text in caplog.messages if f"HTTP {refusal.status}" in text)
        assert warning.startswith(f"{len(asked)} requests for calls")
        # it is closed: the state moves, and old conversations are not asked for again
        sandbox.clear_requests()
        assert read(done.states).failures == []
        again = {conversation_of(seen) for seen in sandbox.requests if seen.path == "/v1/calls"}
        assert (SALES.id, conversations(sandbox, SALES)[0]) not in again


@pytest.mark.parametrize("form", ENVELOPES)
def test_a_403_for_one_user_is_a_skip_while_another_request_is_answered(
    form: Envelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage(monkeypatch, user_default="number_owner") as sandbox:
        truth = sandbox.expected("openphone")
        agents = {one.id for one in LINES[0].users} - {"USowner1"}
        sandbox.faults = [
            refusing(NOT_NUMBER_USER, form, asks(phoneNumberId=SALES.id, userId=user))
            for user in agents
        ]
        done = read()
        assert done.failures == []
        hidden = {
            key for key, one in truth.items() if one["internal_number"] == SALES.number
        } - done.by_id().keys()
        assert {truth[key]["provider_record"]["userId"] for key in hidden} == agents
        assert done.by_id() == {key: one for key, one in truth.items() if key not in hidden}


@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("latency", [0.0, 0.05])
@pytest.mark.parametrize("form", ENVELOPES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_conversation_that_is_refused_is_a_hole_whatever_the_timing(
    place: int,
    form: Envelope,
    latency: float,
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stage(monkeypatch) as sandbox:
        sandbox.switches = replace(sandbox.switches, latency_seconds=latency)
        participant = conversations(sandbox, SUPPORT)[place]
        sandbox.faults = [refusing(NOT_NUMBER_USER, form, asks(participants=participant))]
        broken = read(workers=workers)
        assert broken.by_id() == without(sandbox.expected("openphone"), participant)
        assert_refused(broken, SUPPORT)
        assert_nothing_lost(sandbox, broken)


def assert_refused(broken: Sync, line: Line) -> None:
    assert broken.failures
    for failure_type, sentence in broken.failures:
        assert failure_type == "config_error"
        assert line.number in sentence
        assert sentence.isprintable()


@pytest.mark.parametrize("form", ENVELOPES)
@pytest.mark.parametrize("number", [2, 3, 6, 9])
def test_a_403_that_begins_midway(
    number: int, form: Envelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user was taken off all phone numbers while the sync ran."""
    with stage(monkeypatch) as sandbox:
        refused = refusing(NOT_NUMBER_USER, form, from_conversation(number))
        sandbox.faults = [refused]
        broken = read()
        truth = sandbox.expected("openphone")
        answered = {
            conversation_of(seen)[1]
            for seen in sandbox.requests
            if seen.path == "/v1/calls" and seen.status == 200
        }
        assert len(answered) == number - 1
        assert broken.by_id() == {
            key: one for key, one in truth.items() if one["external_number"] in answered
        }
        assert {failure[0] for failure in broken.failures} == {"config_error"}
        assert_nothing_lost(sandbox, broken)


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/conversations"])
@pytest.mark.parametrize("form", ENVELOPES)
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
def test_a_phone_number_that_is_refused_does_not_hold_the_others_back(
    line: Line, form: Envelope, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage(monkeypatch) as sandbox:
        if path == "/v1/calls":
            refused = refusing(NOT_NUMBER_USER, form, asks(phoneNumberId=line.id))
        else:
            refused = refusing(NUMBER_REFUSED, form, asks(phoneNumbers=line.id), path=path)
        sandbox.faults = [refused]
        broken = read()
        truth = sandbox.expected("openphone")
        assert broken.by_id() == without(truth, *conversations(sandbox, line))
        assert_refused(broken, line)

        assert_nothing_lost(sandbox, broken)
        again = {conversation_of(seen) for seen in sandbox.requests if seen.path == "/v1/calls"}
        # the oldest conversation of each other number ended long ago: its state has moved past it
        for other in LINES:
            oldest = (other.id, conversations(sandbox, other)[0])
            assert (oldest in again) == (other is line)


@pytest.mark.parametrize("form", ENVELOPES)
@pytest.mark.parametrize(
    "refusal",
    [NOT_FOUND, TOO_MANY_PARTICIPANTS, NOT_NUMBER_USER],
    ids=["404", "400", "403"],
)
def test_a_sync_in_which_every_request_was_skipped_fails_and_moves_no_state(
    refusal: Refusal, form: Envelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage(monkeypatch) as sandbox:
        sandbox.faults = [refusing(refusal, form)]
        broken = read()
        assert broken.records() == []
        assert broken.failures
        healthy = assert_nothing_lost(sandbox, broken)
        assert healthy.by_id() == sandbox.expected("openphone")

        # nor later, when there is a state already
        sandbox.world.advance(hours=24 * 30, new=20, changed=0, deleted=0, late=0)
        sandbox.faults = [refusing(refusal, form)]
        later = read(healthy.states)
        assert later.failures
        sandbox.faults = []
        last = read(later.states or healthy.states)
        assert last.failures == []
        assert healthy.by_id() | last.by_id() == sandbox.expected("openphone")


OTHERS = {
    "403": (FORBIDDEN, "config_error", "The workspace does not allow this"),
    "400": (invalid("/participants", "Expected array"), "system_error", "Expected array"),
}


@pytest.mark.parametrize("form", ["live", "documented"])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("name", OTHERS)
def test_a_refusal_with_another_code_is_no_skip(
    name: str, every: bool, form: Envelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal, failure_type, says = OTHERS[name]
    with stage(monkeypatch) as sandbox:
        chosen = {(SUPPORT.id, conversations(sandbox, SUPPORT)[1])}
        where = (lambda seen: True) if every else for_one_of(chosen)
        sandbox.faults = [refusing(refusal, form, where)]
        broken = read()
        assert broken.failures
        for kind, sentence in broken.failures:
            assert kind == failure_type
            assert says in sentence
        assert_nothing_lost(sandbox, broken)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("number", [1, 3, 9])
def test_a_firewall_that_begins_midway(
    number: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage(monkeypatch) as sandbox:
        page = "<!DOCTYPE html><html><body>Access denied</body></html>"
        sandbox.faults = [
            Fault(
                "openphone",
                path_contains="/v1/calls",
                where=from_conversation(number),
                times=ENDLESS,
                status=status,
                headers={"Content-Type": "text/html"},
                body=page,
            )
        ]
        broken = read()
        assert {failure[0] for failure in broken.failures} == {"transient_error"}
        assert_nothing_lost(sandbox, broken)


def test_what_one_number_proves_about_the_filter_by_user_holds_for_it_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Numbers without text: one lists everybody's calls by default, the others their owner's."""
    with stage(monkeypatch, numbers="null") as sandbox:
        everyone = sandbox.switches
        owner = everyone.moved("openphone", "user_default", "number_owner")

        def default_of(seen: SeenRequest) -> None:
            sandbox.switches = everyone if conversation_of(seen)[0] == SALES.id else owner

        lobby = {call.id for call in sandbox.listable("openphone")}
        sandbox.before_answer = default_of
        done = read()
        sandbox.before_answer = None
        sandbox.switches = owner
        truth = sandbox.expected("openphone")
        assert done.failures == []
        assert lobby >= truth.keys()
        assert done.by_id().keys() >= truth.keys()
        assert any(call.conversation.line is LOBBY for call in sandbox.listable("openphone"))


def test_calls_listed_for_whoever_was_involved_all_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two owners in one answer do not prove that nothing was filtered."""
    with stage(monkeypatch, user_default="first_user", user_effect="involvement") as sandbox:
        sandbox.world = World(calls=400)
        done = read()
        assert done.failures == []
        assert done.by_id() == sandbox.expected("openphone")
        owners = {call.user_id for call in sandbox.listable("openphone")}
        assert len(owners) > 3


def test_requests_for_users_are_left_out_where_nothing_was_filtered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stage(monkeypatch) as sandbox:
        done = read(workers=1)
        assert done.by_id() == sandbox.expected("openphone")
        asked = [dict(seen.query) for seen in sandbox.requests if seen.path == "/v1/calls"]
        by_user = [query for query in asked if query.get("userId")]
        # until the first conversation of a number has proved it
        assert len(by_user) < len(asked) / 2


MAINTENANCE: dict[str, Any] = {
    "kind": "status",
    "status": 503,
    "times": ENDLESS,
    "path_contains": "/v1/calls",
}


def test_a_provider_that_is_down_is_not_tried_for_each_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three requests that were tried patiently are enough, of sixty."""
    with stage(monkeypatch) as sandbox:
        sandbox.world = World(calls=120, conversations=60)
        sandbox.faults = [Fault("openphone", **MAINTENANCE)]
        broken = read(workers=1)
        assert {failure[0] for failure in broken.failures} == {"transient_error"}
        asked = [seen for seen in sandbox.requests if seen.path == "/v1/calls"]
        # and what was under way beside them
        assert 3 * ATTEMPTS <= len(asked) < 6 * ATTEMPTS
        assert_nothing_lost(sandbox, broken)


def test_failures_with_good_answers_between_them_do_not_end_the_sync(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every second conversation fails patiently; all the others are read."""
    with stage(monkeypatch) as sandbox:
        sandbox.world = World(calls=36, conversations=18, one_after_another=True)
        chosen = {
            (line.id, participant)
            for line in LINES
            for participant in conversations(sandbox, line)[1::2]
        }
        assert len(chosen) == 9
        sandbox.faults = [Fault("openphone", **MAINTENANCE, where=for_one_of(chosen))]
        broken = read(workers=1)
        assert {failure[0] for failure in broken.failures} == {"transient_error"}
        refused = {participant for _, participant in chosen}
        assert broken.by_id() == without(sandbox.expected("openphone"), *refused)
        assert_nothing_lost(sandbox, broken)
