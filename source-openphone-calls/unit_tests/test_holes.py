"""What a refusal leaves behind: which conversations are asked for, and which state leaves."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
)
from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentPerPartitionCursor,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from source_openphone_calls import SourceOpenphoneCalls

from calls_shared.http.budget import CallBudget
from integration_tests.commands import catalog_for
from integration_tests.in_process import LOGGER, state_of

BASE = "https://api.openphone.com/v1"
CONFIG = {"api_key": "12e5", "num_workers": 1, "lookback_days": 1}
REFUSED = (
    403,
    {"message": "No.", "code": "0101403", "status": 403, "title": "Not Phone Number User"},
)
GONE = (404, {"error": {"message": "No call", "key": "Not Found"}})
TOO_MANY = (400, {"message": "No.", "code": "0101400", "title": "Too Many Participants"})
UNLISTED = (403, {"error": {"message": "Not Phone Number User", "key": "Forbidden"}})
DAYS = {"CN1": 1, "CN2": 3, "CN3": 5, "CN4": 7}
Reply = Any


def moment(day: int) -> str:
    return f"2026-01-{day:02d}T00:00:00.000000Z"


def call(identifier: str, user: str = "US1") -> dict[str, Any]:
    times = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": None}
    return {"id": identifier, "userId": user, "status": "completed", **times}


class Quo:
    """Phone numbers with conversations, each with one call; what a conversation answers by user.

    `replies`: by (conversation, user or None), a page's body or (status, body); a list of pages.
    """

    def __init__(
        self,
        numbers: Mapping[str, list[str]],
        replies: Mapping[tuple[str, str | None], Reply] | None = None,
        users: tuple[str, ...] = ("US1",),
        unlisted: tuple[str, ...] = (),
    ) -> None:
        self.numbers = numbers
        self.replies = dict(replies or {})
        self.users = users
        self.unlisted = unlisted
        self.asked: list[tuple[str, str | None]] = []

    def body(self, request: Any, context: Any) -> Any:
        path, query = request.path, request.qs
        if path == "/v1/phone-numbers":
            users = [{"id": user} for user in self.users]
            return {
                "data": [
                    {"id": name, "number": f"+1555000{n}", "users": users}
                    for n, name in enumerate(self.numbers)
                ]
            }
        if path == "/v1/conversations":
            return self.conversations(query["phonenumbers"][0].upper(), context)
        name = f"CN{query['participants'][0][-1]}"
        user = query["userid"][0].upper() if "userid" in query else None
        self.asked.append((name, user))
        reply = self.replies.get((name, user), {"data": [call(f"AC-{name}")]})
        if isinstance(reply, list):
            number = int(query.get("pagetoken", ["0"])[0])
            reply = reply[number]
        if isinstance(reply, tuple):
            context.status_code, reply = reply
        return reply

    def conversations(self, number: str, context: Any) -> Any:
        if number in self.unlisted:
            context.status_code, body = UNLISTED
            return body
        return {
            "data": [
                {
                    "id": name,
                    "phoneNumberId": number,
                    "participants": [f"+1415555010{name[-1]}"],
                    "updatedAt": moment(DAYS[name]),
                }
                for name in reversed(self.numbers[number])
            ]
        }


Synced = tuple[list[str], list[dict[str, Any]], AirbyteTracedException | None]
Sync = Callable[..., Synced]


@pytest.fixture
def sync(monkeypatch: pytest.MonkeyPatch) -> Sync:
    """Reads calls: their ids in order, the states that left, the failure."""
    monkeypatch.setattr(CallBudget, "start", lambda self: True)
    monkeypatch.setattr(CallBudget, "sleep", lambda self, seconds: None)
    # the CDK lets a state out after each slice, not once in ten minutes
    monkeypatch.setattr(ConcurrentPerPartitionCursor, "_throttle_state_message", lambda self: 1.0)

    def run(quo: Quo, state: Any = (), **config: Any) -> Synced:
        catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_for("openphone"))
        states = [AirbyteStateMessageSerializer.load(dict(entry)) for entry in state]
        source, messages, failure = SourceOpenphoneCalls(), [], None
        if "num_workers" not in config:  # one slice after another
            in_turn = {"type": "ConcurrencyLevel", "default_concurrency": 1}
            source.__dict__["manifest"] = {**source.manifest, "concurrency_level": in_turn}
        with requests_mock.Mocker() as mock:
            mock.get(requests_mock.ANY, json=quo.body)
            try:
                for message in source.read(LOGGER, {**CONFIG, **config}, catalog, states):
                    messages.append(message)
            except AirbyteTracedException as caught:
                failure = caught
        ids = [message.record.data["id"] for message in messages if message.record is not None]
        left = [m.state.stream for m in messages if m.state is not None]
        blobs = [vars(stream.stream_state) for stream in left if stream is not None]
        return ids, blobs, failure

    return run


def reached(state: Mapping[str, Any]) -> dict[str, int]:
    """How far a state says that each phone number was read, as a day."""
    entries = state["parent_state"]["conversations"]["states"]
    return {
        entry["partition"]["phone_number_id"]: int(entry["cursor"]["active_at"][8:10])
        for entry in entries
    }


def all_of(*names: str, answer: Reply, users: tuple[str | None, ...] = (None, "US1")) -> Any:
    return {(name, user): answer for name in names for user in users}


TWO = {"PN1": ["CN1", "CN2"], "PN2": ["CN3", "CN4"]}


def test_each_slice_moves_the_state_of_its_number(sync: Sync) -> None:
    ids, states, failure = sync(Quo(TWO))
    assert failure is None
    assert ids == ["AC-CN1", "AC-CN2", "AC-CN3", "AC-CN4"]
    assert [reached(state) for state in states] == [
        {"PN1": 1},
        {"PN1": 3},
        {"PN1": 3, "PN2": 5},
        {"PN1": 3, "PN2": 7},
        {"PN1": 3, "PN2": 7},  # of the last slice, which concludes
        {"PN1": 3, "PN2": 7},
    ]
    # what it compares with is known once a number is listed: its cursor still has the rest read
    inventories = [list(s["parent_state"]["conversations"]["inventory"]) for s in states]
    assert inventories == [["PN1", "PN2"]] * 6


@pytest.mark.parametrize(
    ("hole", "ids", "end"),
    [
        # the first slice of all, of which the CDK would wait for the end
        ("CN1", ["AC-CN2", "AC-CN3", "AC-CN4"], {"PN2": 7}),
        ("CN2", ["AC-CN1", "AC-CN3", "AC-CN4"], {"PN1": 1, "PN2": 7}),
        ("CN3", ["AC-CN1", "AC-CN2", "AC-CN4"], {"PN1": 3}),
        ("CN4", ["AC-CN1", "AC-CN2", "AC-CN3"], {"PN1": 3, "PN2": 5}),
    ],
)
def test_a_refused_conversation_holds_back_its_number_alone(
    sync: Sync, hole: str, ids: list[str], end: dict[str, int]
) -> None:
    found, states, failure = sync(Quo(TWO, all_of(hole, answer=REFUSED)))
    assert found == ids
    assert reached(states[-1]) == end
    # states leave on the way too, each as far as it was proved
    assert len(states) >= 3
    order = [reached(state) for state in states]
    assert all(value <= end[name] for state in order for name, value in state.items())
    assert failure is not None
    assert failure.failure_type is FailureType.config_error
    number = "+15550000" if hole in TWO["PN1"] else "+15550001"
    assert f"refused requests for calls of the phone number {number} (HTTP 403" in (
        failure.message or ""
    )


def test_after_the_advice_was_followed_nothing_is_missing(sync: Sync) -> None:
    quo = Quo(TWO, all_of("CN1", "CN2", answer=REFUSED))
    first, states, failure = sync(quo, num_workers=8)
    assert failure is not None
    quo.replies.clear()
    second, _, failure = sync(quo, state_of("calls", states[-1]), num_workers=8)
    assert failure is None
    assert {*first, *second} == {"AC-CN1", "AC-CN2", "AC-CN3", "AC-CN4"}
    assert {"AC-CN1", "AC-CN2"} <= set(second)


@pytest.mark.parametrize(
    "replies",
    [
        {("CN1", None): REFUSED, ("CN1", "US1"): {"data": [call("AC-CN1")]}},
        {("CN1", "US1"): REFUSED},
        {("CN1", None): GONE, ("CN1", "US1"): {"data": [call("AC-CN1")]}},
    ],
)
def test_one_user_that_is_refused_is_a_skip(sync: Sync, replies: Any) -> None:
    ids, states, failure = sync(Quo(TWO, replies))
    assert (ids, failure) == (["AC-CN1", "AC-CN2", "AC-CN3", "AC-CN4"], None)
    assert reached(states[-1]) == {"PN1": 3, "PN2": 7}


@pytest.mark.parametrize("answer", [GONE, TOO_MANY])
def test_a_conversation_that_is_gone_holds_nothing_back(sync: Sync, answer: Reply) -> None:
    ids, states, failure = sync(Quo(TWO, all_of("CN1", answer=answer)))
    assert (ids, failure) == (["AC-CN2", "AC-CN3", "AC-CN4"], None)
    assert reached(states[-1]) == {"PN1": 3, "PN2": 7}


def test_a_list_that_a_refusal_breaks_off_is_a_hole(sync: Sync) -> None:
    begun = [{"data": [call("AC-1")], "nextPageToken": "1"}, REFUSED]
    ids, states, failure = sync(Quo(TWO, {("CN1", None): begun}))
    assert ids == ["AC-1", "AC-CN1", "AC-CN2", "AC-CN3", "AC-CN4"]
    assert reached(states[-1]) == {"PN2": 7}
    assert failure is not None


def test_a_number_whose_conversations_are_refused_holds_back_itself_alone(sync: Sync) -> None:
    ids, states, failure = sync(Quo(TWO, unlisted=("PN1",)))
    assert ids == ["AC-CN3", "AC-CN4"]
    assert reached(states[-1]) == {"PN2": 7}
    assert failure is not None
    assert failure.failure_type is FailureType.config_error
    assert "list the conversations of the phone number +15550000" in (failure.message or "")


@pytest.mark.parametrize("status", [403, 404])
def test_a_gateway_is_no_skip(sync: Sync, status: int) -> None:
    ids, states, failure = sync(Quo(TWO, all_of("CN2", answer=(status, "no object"))))
    assert ids == ["AC-CN1", "AC-CN3", "AC-CN4"]
    assert reached(states[-1]) == {"PN1": 1, "PN2": 7}
    assert failure is not None
    assert failure.failure_type is FailureType.transient_error
    assert "in a form that is not Quo (OpenPhone)'s own" in (failure.message or "")


def test_a_conversation_that_is_listed_twice_does_not_hold_back_its_number(sync: Sync) -> None:
    ids, states, failure = sync(Quo({"PN1": ["CN1", "CN1", "CN2"], "PN2": ["CN3"]}))
    assert (ids, failure) == (["AC-CN1", "AC-CN2", "AC-CN3"], None)
    assert reached(states[-1]) == {"PN1": 3, "PN2": 5}


# --- a state that was handed in, as version 0.1.0 emitted it ---

OLD_PARENTS = {
    "use_global_cursor": False,
    "lookback_window": 1,
    "state": {"active_at": moment(7)},
    "states": [
        {
            "partition": {"phone_number_id": "PN1", "parent_slice": {}},
            "cursor": {"active_at": moment(5)},
        }
    ],
}
OLD = {
    "use_global_cursor": True,
    "state": {"updated_at": moment(1)},
    "lookback_window": 1,
    "parent_state": {"conversations": OLD_PARENTS},
}


def test_a_state_of_0_1_0_brings_everything_once_and_is_carried_on(sync: Sync) -> None:
    quo = Quo({"PN1": ["CN1", "CN3", "CN4"], "PN2": ["CN2"]})
    ids, states, failure = sync(quo, state_of("calls", OLD))
    asked = [(n, user) for n in ("CN1", "CN3", "CN4", "CN2") for user in (None, "US1")]
    assert quo.asked == asked
    assert (ids, failure) == (["AC-CN1", "AC-CN3", "AC-CN4", "AC-CN2"], None)
    assert [reached(state) for state in states] == [
        {"PN1": 5},
        {"PN1": 5},
        {"PN1": 7},
        {"PN1": 7, "PN2": 3},
        {"PN1": 7, "PN2": 3},
        {"PN1": 7, "PN2": 3},
    ]
    assert set(states[-1]) == {
        "use_global_cursor",
        "state",
        "lookback_window",
        "parent_state",
        "scope",
    }
    assert states[-1]["use_global_cursor"] is True
    # from here on each number from a day (the lookback) before its own newest
    again = Quo(quo.numbers)
    sync(again, state_of("calls", states[-1]))
    assert again.asked == [(n, u) for n in ("CN4", "CN2") for u in (None, "US1")]


def test_a_state_stays_where_its_number_has_nothing_new(sync: Sync) -> None:
    _, states, failure = sync(Quo({"PN1": ["CN1"]}), state_of("calls", OLD))
    assert failure is None
    assert reached(states[-1]) == {"PN1": 5}


REFUSED_FORM = (400, {"code": "0100400", "title": "Bad Request", "message": "Expected array"})


@pytest.mark.parametrize(
    ("answer", "failure_type"),
    [
        (REFUSED, FailureType.config_error),
        (GONE, FailureType.system_error),
        (TOO_MANY, FailureType.system_error),
        (REFUSED_FORM, FailureType.system_error),
        ((500, {}), FailureType.transient_error),
        ((403, {"message": "Forbidden"}), FailureType.transient_error),
    ],
)
@pytest.mark.parametrize("workers", [1, 8])
def test_no_state_leaves_before_a_good_answer_but_the_one_handed_in(
    sync: Sync, answer: Reply, failure_type: FailureType, workers: int
) -> None:
    for handed_in in (None, OLD):
        quo = Quo(TWO, all_of("CN1", "CN2", "CN3", "CN4", answer=answer))
        given = () if handed_in is None else state_of("calls", handed_in)
        ids, states, failure = sync(quo, given, num_workers=workers)
        assert quo.asked
        assert ids == []
        assert failure is not None
        assert failure.failure_type is failure_type
        assert all(state == handed_in for state in states)
