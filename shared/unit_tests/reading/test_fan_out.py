import threading
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext, suppress
from copy import deepcopy
from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from airbyte_cdk.models import (
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    FailureType,
    StreamDescriptor,
)
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import FanOutRetriever, PageToken, ParentSlices
from calls_shared.http.budget import budget_of
from calls_shared.normalization import times
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.deferred import DeferredFailure
from calls_shared.reading.progress import ParentProgress
from shared.unit_tests.cdk_parts import selector_of

Answer = Callable[..., requests.Response]
Answers = Mapping[tuple[str, str | None], list[requests.Response]]
MOMENT = "2026-01-02T00:00:00.000000Z"
USERS = [{"id": "US1"}, {"id": "US2"}, {"id": "US3"}]


class Requester:
    """Answers by (conversation, user); remembers what it was asked, with the page token."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str | None, str | None]] = []

    def send_request(
        self, *, stream_slice: StreamSlice, next_page_token: Any, **_: Any
    ) -> requests.Response:
        conversation = stream_slice.partition["conversation"]
        user = stream_slice.extra_fields["asked_user"]
        token = next_page_token["next_page_token"] if next_page_token else None
        self.asked.append((conversation, user, token))
        return self.answers[conversation, user][int(token or 0)]


def retriever_of(
    answers: Answers, config: dict[str, Any] | None = None, **more: Any
) -> tuple[FanOutRetriever, Requester]:
    requester = Requester(answers)
    selector = selector_of("calls")
    paginator = DefaultPaginator(
        pagination_strategy=PageToken(token_at="next", page_size=100),
        config={},
        url_base="https://api.acme.example",
        parameters={},
    )
    retriever = FanOutRetriever(
        requester=requester,  # type: ignore[arg-type]
        record_selector=selector,
        paginator=paginator,
        config={} if config is None else config,
        parameters={},
        name="calls",
        primary_key="id",
        value_field="asked_user",
        values_in_slice="phone.users",
        value_at="id",
        involved_at=["user_id", "answered_by", "initiated_by"],
        group_in_slice="phone.id",
        group_named_by="phone.number",
        closing_statuses=[404, 400],
        refused_message="Acme refused {group}. Add a user to {group}.",
        **more,
    )
    return retriever, requester


def conversation(
    name: str = "CN1",
    phone: str = "PN1",
    users: Any = None,
    number: Any = "+1",
    **more: Any,
) -> StreamSlice:
    users = USERS if users is None else users
    return StreamSlice(
        partition={"conversation": name},
        cursor_slice={},
        extra_fields={"phone": {"id": phone, "number": number, "users": users}, **more},
    )


def ids(
    retriever: FanOutRetriever, stream_slice: StreamSlice, records: list[str] | None = None
) -> list[str]:
    """The ids of the calls, which `records` keeps where the reading fails."""
    records = [] if records is None else records
    for record in retriever.read_records({}, stream_slice):
        assert isinstance(record, Record)
        assert record.associated_slice is not None
        assert record.associated_slice.partition == stream_slice.partition
        records.append(str(record.data["id"]))
    return records


Row = tuple[str, str | None]
Pages = Callable[..., requests.Response]


@pytest.fixture
def page(answer: Answer) -> Pages:
    """Makes a page of calls: `page(("AC1", "US1"), ..., token="1")`; a user owns the call."""

    def make(*calls: Row, token: str | None = None) -> requests.Response:
        data = [{"id": call_id, "user_id": user} for call_id, user in calls]
        return answer({"data": data, "next": token})

    return make


def test_once_without_a_user_then_once_with_each(page: Pages) -> None:
    retriever, requester = retriever_of(
        {
            ("CN1", None): [page(("AC1", "US1"))],
            ("CN1", "US1"): [page(("AC1", "US1"), ("AC2", "US1"))],
            ("CN1", "US2"): [page(("AC3", "US2"), ("AC3", "US2"))],
            ("CN1", "US3"): [page()],
        }
    )
    assert ids(retriever, conversation()) == ["AC1", "AC2", "AC3"]
    assert requester.asked == [
        ("CN1", None, None),
        ("CN1", "US1", None),
        ("CN1", "US2", None),
        ("CN1", "US3", None),
    ]


def test_all_pages_of_each_reading_are_read(page: Pages) -> None:
    retriever, requester = retriever_of(
        {
            ("CN1", None): [page(("AC1", "US1"), token="1"), page(("AC2", "US1"))],
            ("CN1", "US1"): [page(("AC2", "US1"), token="1"), page(("AC3", "US1"))],
        }
    )
    assert ids(retriever, conversation(users=USERS[:1])) == ["AC1", "AC2", "AC3"]
    assert requester.asked == [
        ("CN1", None, None),
        ("CN1", None, "1"),
        ("CN1", "US1", None),
        ("CN1", "US1", "1"),
    ]


# --- whether the default answer is one user's ---

OWNED, ANSWERED, STARTED = "user_id", "answered_by", "initiated_by"


@pytest.mark.parametrize(
    ("rows", "of_several"),
    [
        # two owners, and no one in both
        ([{OWNED: "US1"}, {OWNED: "US2"}], True),
        ([{OWNED: "US8"}, {OWNED: "US9"}, {OWNED: "US9"}], True),
        ([{OWNED: "US1", ANSWERED: "US2"}, {OWNED: "US3", STARTED: "US4"}], True),
        ([{OWNED: "US1", ANSWERED: "US2"}, {OWNED: "US2"}, {OWNED: "US1"}], True),
        # one user is involved in all: as owner, as the one who answered or who called
        ([{OWNED: "US1"}, {OWNED: "US1"}], False),
        ([{OWNED: "US1"}, {OWNED: "US2", ANSWERED: "US1"}], False),
        ([{OWNED: "US1", ANSWERED: "US9"}, {OWNED: "US2", STARTED: "US9"}], False),
        ([{OWNED: "US1"}, {STARTED: "US1"}, {ANSWERED: "US1"}], False),
        ([{OWNED: "US1"}], False),
        # a row that names no one proves nothing
        ([{OWNED: "US1"}, {OWNED: None}, {OWNED: "US2"}], False),
        ([{OWNED: "US1"}, {}, {OWNED: "US2"}], False),
        ([{OWNED: "US1"}, {OWNED: ""}, {OWNED: "US2"}], False),
        ([{}, {}], False),
        ([], False),
    ],
    ids=str,
)
def test_the_requests_by_user_are_left_out_only_if_no_user_is_in_all_rows(
    answer: Answer, page: Pages, rows: list[dict[str, Any]], of_several: bool
) -> None:
    data = [{"id": f"AC{number}", **row} for number, row in enumerate(rows)]
    default = [answer({"data": data[:1], "next": "1"}), answer({"data": data[1:]})]
    retriever, requester = retriever_of(
        {
            ("CN1", None): default,
            ("CN1", "US1"): [page(("AC9", "US1"))],
            ("CN2", None): [page(("AC8", "US1"))],
            ("CN2", "US1"): [page()],
            ("CN3", None): [page()],
            ("CN3", "US1"): [page()],
        }
    )
    known = [row["id"] for row in data]
    assert ids(retriever, conversation(users=USERS[:1])) == known + ["AC9"] * (not of_several)
    # another conversation of the number, and one of another number
    assert ids(retriever, conversation("CN2", users=USERS[:1])) == ["AC8"]
    assert ids(retriever, conversation("CN3", "PN2", users=USERS[:1])) == []
    by_user = [(name, user) for name, user, _ in requester.asked if user is not None]
    others = [] if of_several else [("CN1", "US1"), ("CN2", "US1")]
    assert by_user == [*others, ("CN3", "US1")]


def test_an_answer_with_a_user_proves_nothing(page: Pages) -> None:
    retriever, requester = retriever_of(
        {
            ("CN1", None): [page()],
            ("CN1", "US1"): [page(("AC1", "US1"), ("AC2", "US2"))],
            ("CN1", "US2"): [page()],
        }
    )
    assert ids(retriever, conversation(users=USERS[:2])) == ["AC1", "AC2"]
    assert [user for _, user, _ in requester.asked] == [None, "US1", "US2"]


def test_the_involved_stand_in_the_providers_record(answer: Answer) -> None:
    rows = [{"provider_record": {"user_id": user}, "user_id": "US5"} for user in ("US1", "US2")]
    data = [{"id": f"AC{n}", **row} for n, row in enumerate(rows)]
    retriever, requester = retriever_of({("CN1", None): [answer({"data": data})]})
    assert ids(retriever, conversation()) == ["AC0", "AC1"]
    assert len(requester.asked) == 1


def test_groups_are_told_apart_by_id_and_not_by_name(page: Pages) -> None:
    """Two phone numbers without a text must not share what was proved of one."""
    proof = [page(("AC1", "US1"), ("AC2", "US2"))]
    retriever, requester = retriever_of(
        {("CN1", None): proof, ("CN2", None): [page()], ("CN2", "US1"): [page(("AC3", "US1"))]}
    )
    one, two = (conversation(f"CN{n}", f"PN{n}", users=USERS[:1], number=None) for n in (1, 2))
    assert ids(retriever, one) == ["AC1", "AC2"]
    assert ids(retriever, two) == ["AC3"]
    assert requester.asked[1:] == [("CN2", None, None), ("CN2", "US1", None)]


# --- the users ---


@pytest.mark.parametrize("users", [[], None, [{"id": "US1"}, {"id": "US1"}]])
def test_users_that_are_listed(page: Pages, users: Any) -> None:
    retriever, requester = retriever_of({("CN1", None): [page()], ("CN1", "US1"): [page()]})
    stream_slice = StreamSlice(
        partition={"conversation": "CN1"},
        cursor_slice={},
        extra_fields={"phone": {"id": "PN1", "number": "+1", "users": users}},
    )
    assert ids(retriever, stream_slice) == []
    # a user twice is asked for once
    assert [user for _, user, _ in requester.asked] == ([None, "US1"] if users else [None])


def test_a_user_without_an_id_adds_no_request(page: Pages) -> None:
    retriever, requester = retriever_of({("CN1", None): [page()]})
    assert ids(retriever, conversation(users=[{"email": "ada@example.com"}])) == []
    assert requester.asked == [("CN1", None, None)]


@pytest.mark.parametrize("users", [["US1"], [None], 5, [{"id": ["US1"]}]])
def test_users_that_are_garbled_add_no_request(page: Pages, users: Any) -> None:
    retriever, requester = retriever_of({("CN1", None): [page(("AC1", "US1"))]})
    assert ids(retriever, conversation(users=users)) == ["AC1"]
    assert requester.asked == [("CN1", None, None)]


# --- what was read, and what was not ---

ANSWERS = {"answered": 200, "403": 403, "404": 404, "400": 400}


def test_the_decision_about_a_conversation(answer: Answer, page: Pages) -> None:
    """By what its requests came to: without a user, with the first, with the second."""
    made = {name: [answer({}, status)] for name, status in ANSWERS.items()}
    made["answered"] = [page(("AC1", "US1"))]
    for count in (1, 2, 3):
        for came in product(ANSWERS, repeat=count):
            keys = [("CN1", user) for user in (None, "US1", "US2")]
            retriever, requester = retriever_of(
                dict(zip(keys, (made[name] for name in came), strict=False))
            )
            progress = ParentProgress("active_at", {})
            ticket = progress.open({"phone": "PN1"}, MOMENT)
            one = conversation(users=USERS[: count - 1], ticket=ticket)
            refused = "answered" not in came and "403" in came
            if refused:
                with pytest.raises(AirbyteTracedException, match=r"refused \+1\. Add"):
                    ids(retriever, one)
            else:
                assert ids(retriever, one) == ["AC1"] * ("answered" in came), came
            assert (ticket.closed, ticket.ended) == (not refused, True), came
            assert len(requester.asked) == count


@pytest.mark.parametrize(
    ("number", "name"), [("+14155550100", "+14155550100"), (None, "PN7"), ("\x1b[1m\n", "[1m")]
)
def test_a_refusal_is_a_fault_of_the_configuration_and_names_the_number(
    answer: Answer, number: str | None, name: str
) -> None:
    retriever, _ = retriever_of({("CN1", None): [answer({}, 403)]})
    with pytest.raises(AirbyteTracedException) as caught:
        ids(retriever, conversation(phone="PN7", users=[], number=number))
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == f"Acme refused {name}. Add a user to {name}."


def test_one_refused_conversation_changes_nothing_for_the_others(
    answer: Answer, page: Pages
) -> None:
    """Neither those of its own number, before and after it, nor those of another."""
    refused = [answer({}, 403)]
    answers: dict[tuple[str, str | None], list[requests.Response]] = {
        ("CN1", None): [page(("AC1", "US1"))],
        ("CN2", None): refused,
        ("CN3", None): [page(("AC3", "US1"))],
        ("CN4", None): refused,
        ("CN5", None): [page(("AC5", "US1"))],
    }
    retriever, requester = retriever_of(answers)
    read: dict[int, list[str] | None] = {}
    for number in (1, 2, 3, 4, 5):
        one = conversation(f"CN{number}", phone="PN2" if number == 5 else "PN1", users=[])
        try:
            read[number] = ids(retriever, one)
        except AirbyteTracedException:
            read[number] = None
    assert read == {1: ["AC1"], 2: None, 3: ["AC3"], 4: None, 5: ["AC5"]}
    assert [name for name, _, _ in requester.asked] == ["CN1", "CN2", "CN3", "CN4", "CN5"]


@pytest.mark.parametrize(("status", "is_read"), [(403, False), (404, True), (400, True)])
@pytest.mark.parametrize("by_user", ["answered", "404"])
def test_a_list_that_is_broken_off(
    answer: Answer, page: Pages, status: int, is_read: bool, by_user: str
) -> None:
    """A refusal after the first page leaves calls unread, whatever another request brings."""
    first = page(("AC1", "US1"), token="1")
    retriever, requester = retriever_of(
        {
            ("CN1", None): [first, answer({}, status)],
            ("CN1", "US1"): [page(("AC2", "US1")) if by_user == "answered" else answer({}, 404)],
        }
    )
    ticket = ParentProgress("active_at", {}).open({"phone": "PN1"}, MOMENT)
    found: list[str] = []
    refused = pytest.raises(AirbyteTracedException, match=r"refused \+1\.")
    with nullcontext() if is_read else refused:
        ids(retriever, conversation(users=USERS[:1], ticket=ticket), found)
    assert (ticket.closed, ticket.ended) == (is_read, True)
    assert found == ["AC1", "AC2"] if by_user == "answered" else ["AC1"]
    assert len(requester.asked) == 3


def test_a_ticket_is_closed_only_once_all_records_have_been_taken(page: Pages) -> None:
    retriever, _ = retriever_of({("CN1", None): [page(("AC1", "US1"), ("AC2", "US1"))]})
    ticket = ParentProgress("active_at", {}).open({"phone": "PN1"}, MOMENT)
    reading = iter(retriever.read_records({}, conversation(users=[], ticket=ticket)))
    next(reading)
    next(reading)
    assert (ticket.closed, ticket.ended) == (False, False)
    assert list(reading) == []
    assert (ticket.closed, ticket.ended) == (True, True)


def test_a_reading_that_is_left_has_ended_and_closes_no_ticket(page: Pages) -> None:
    retriever, _ = retriever_of({("CN1", None): [page(("AC1", "US1"), ("AC2", "US1"))]})
    ticket = ParentProgress("active_at", {}).open({"phone": "PN1"}, MOMENT)
    reading = iter(retriever.read_records({}, conversation(users=[], ticket=ticket)))
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert (ticket.closed, ticket.ended) == (False, True)


def test_a_failure_of_the_parent_is_raised_and_closes_no_ticket() -> None:
    retriever, requester = retriever_of({})
    failure = AirbyteTracedException(message="No conversations of +1.")
    ticket = ParentProgress("active_at", {}).open({"phone": "PN1"}, MOMENT)
    with pytest.raises(AirbyteTracedException) as caught:
        ids(retriever, conversation(ticket=ticket, deferred_failure=DeferredFailure(failure)))
    assert caught.value is failure
    assert (ticket.closed, ticket.ended) == (False, True)
    assert requester.asked == []


def test_a_failed_request_closes_no_ticket(page: Pages) -> None:
    retriever, _ = retriever_of({("CN1", None): [page()]})  # and none for US1: it raises
    ticket = ParentProgress("active_at", {}).open({"phone": "PN1"}, MOMENT)
    with pytest.raises(KeyError):
        ids(retriever, conversation(users=USERS[:1], ticket=ticket))
    assert (ticket.closed, ticket.ended) == (False, True)


# --- the state that may leave ---


def manager_of(stream: str, state: dict[str, Any]) -> ConnectorStateManager:
    stated = AirbyteStreamState(StreamDescriptor(name=stream), AirbyteStateBlob(**state))
    message = AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stated)
    return ConnectorStateManager(state=[message])


class Cursor:
    """The part of the CDK's cursor that lets states out."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.left: list[dict[str, Any]] = []
        self._stream_name = "calls"
        self._message_repository: Any = SimpleNamespace(emit_message=self._leaves)
        self._connector_state_manager: Any = manager_of("calls", state)

    def _leaves(self, message: AirbyteStateMessage) -> None:
        assert message.stream is not None
        self.left.append(deepcopy(vars(message.stream.stream_state)))

    def ensure_at_least_one_state_emitted(self) -> None:
        """What the CDK calls at the end of the stream."""
        self.emit()

    def emit(self) -> list[dict[str, Any]]:
        """Let the state out, as the CDK does; all that has left so far."""
        self._connector_state_manager.update_state_for_stream("calls", None, {"mine": 1})
        message = self._connector_state_manager.create_state_message("calls", None)
        self._message_repository.emit_message(message.state)
        return self.left


NOTHING: dict[str, Any] = {"use_global_cursor": False, "states": [], "inventory": {}}
HANDED_IN = {"use_global_cursor": True, "parent_state": {"conversations": {"states": []}}}
PROVED = {"mine": 1, "parent_state": {"conversations": NOTHING}, "scope": {}}


class Gated:
    """A retriever with its cursor, its router of parents and its budget."""

    def __init__(
        self,
        answers: Answers,
        state: dict[str, Any],
        parents: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        config: dict[str, Any] = more.pop("config", {})
        manager = manager_of("conversations", parents or {"states": []})
        parent_cursor = SimpleNamespace(_connector_state_manager=manager)
        parent = SimpleNamespace(name="conversations", cursor=parent_cursor)
        substream = SimpleNamespace(parent_stream_configs=[SimpleNamespace(stream=parent)])
        router = ParentSlices(
            substream=substream, cursor_at="active_at", config=config, parameters={}
        )  # type: ignore[arg-type]
        self.progress = router.progress
        self.budget = budget_of(config)
        self.cursor = Cursor(state)
        self.retriever, self.requester = retriever_of(
            answers, config, cursor=self.cursor, partition_router=router, **more
        )

    def read(self, name: str, *, moment: str | None = MOMENT) -> list[str]:
        """Read a conversation, as the router gives it out."""
        ticket = self.progress.open({"phone": "PN1"}, moment)
        return ids(self.retriever, conversation(name, users=[], ticket=ticket))

    def conclude(self) -> None:
        """Read the slice that closes the reading."""
        closing = StreamSlice(
            partition={"closing": True}, cursor_slice={}, extra_fields={"closing": self.progress}
        )
        assert list(self.retriever.read_records({}, closing)) == []


@pytest.mark.parametrize("state", [{}, {"updated_at": MOMENT}, HANDED_IN], ids=str)
@pytest.mark.parametrize("status", [403, 404, 400, None])
def test_before_a_good_answer_no_state_leaves_but_the_one_handed_in(
    answer: Answer, page: Pages, state: dict[str, Any], status: int | None
) -> None:
    answers: dict[tuple[str, str | None], list[requests.Response]] = {("CN2", None): [page()]}
    if status is not None:  # else the request fails outright
        answers["CN1", None] = [answer({}, status)]
    gated = Gated(answers, state)
    with suppress(AirbyteTracedException, KeyError):
        ids(gated.retriever, conversation(users=[]))
    expected = [state] if state else []
    assert gated.cursor.emit() == expected
    assert gated.cursor.emit() == expected * 2  # the first one has changed nothing
    assert ids(gated.retriever, conversation("CN2", users=[])) == []
    assert gated.cursor.emit() == [*expected * 2, PROVED]


def test_marks_of_the_cdk_are_no_state_that_was_handed_in(answer: Answer) -> None:
    gated = Gated({("CN1", None): [answer({}, 404)]}, {"use_global_cursor": False})
    gated.read("CN1")
    assert gated.cursor.emit() == []


def test_where_nothing_was_asked_for_the_state_leaves() -> None:
    gated = Gated({}, HANDED_IN)
    assert gated.cursor.emit() == [PROVED]
    gated.conclude()  # and it is no failure
    assert gated.cursor.emit() == [PROVED] * 2


def test_what_is_proved_later_leaves_later(page: Pages) -> None:
    gated = Gated({("CN1", None): [page()]}, {})
    ticket = gated.progress.open({"phone": "PN1"}, MOMENT)
    ids(gated.retriever, conversation(users=[]))
    assert gated.cursor.emit()[-1] == PROVED
    ticket.close()
    entry = {"partition": {"phone": "PN1"}, "cursor": {"active_at": MOMENT}}
    assert gated.cursor.emit()[-1]["parent_state"]["conversations"]["states"] == [entry]


def test_no_state_passes_the_beginning_of_the_sync(page: Pages) -> None:
    """That of the parents neither, whose cursor field is none of the stream's own."""
    began = times.format_timestamp(datetime.now(UTC))
    gated = Gated({("CN1", None): [page()]}, {})
    built = times.format_timestamp(datetime.now(UTC))
    gated.read("CN1", moment="2999-01-01T00:00:00.000000Z")
    (entry,) = gated.cursor.emit()[-1]["parent_state"]["conversations"]["states"]
    assert began <= entry["cursor"]["active_at"] <= built


def test_without_a_router_of_tickets_the_state_is_the_cdks(page: Pages) -> None:
    cursor = Cursor({})
    retriever, _ = retriever_of({("CN1", None): [page()]}, cursor=cursor)
    assert ids(retriever, conversation(users=[])) == []
    assert cursor.emit() == [{"mine": 1}]


def test_the_cursor_has_a_state_of_the_parents_before_any_slice_is_closed() -> None:
    """Else the CDK lets no state out before the first one is, which may be a hole."""
    gated = Gated({}, {})
    assert vars(gated.cursor)["_parent_state"] == {"conversations": {}}


# --- the end of the reading ---


@pytest.mark.parametrize("status", [404, 400])
def test_a_sync_in_which_every_request_was_skipped_fails(answer: Answer, status: int) -> None:
    skipped = [answer({}, status)]
    gated = Gated({("CN1", None): skipped, ("CN2", None): skipped}, {})
    assert gated.read("CN1") == []
    assert gated.read("CN2") == []
    with pytest.raises(AirbyteTracedException) as caught:
        gated.conclude()
    assert caught.value.failure_type is FailureType.system_error
    assert (caught.value.message or "").startswith("Not one request for calls was answered well")
    assert "No state was moved" in (caught.value.message or "")
    assert gated.cursor.emit() == []


@pytest.mark.parametrize("status", [404, 400])
def test_one_good_answer_is_enough(answer: Answer, page: Pages, status: int) -> None:
    gated = Gated({("CN1", None): [answer({}, status)], ("CN2", None): [page()]}, {})
    gated.read("CN1")
    gated.read("CN2")
    gated.conclude()
    assert [name for name, _, _ in gated.requester.asked] == ["CN1", "CN2"]  # and no more
    (state,) = gated.cursor.emit()
    (entry,) = state["parent_state"]["conversations"]["states"]
    assert entry["cursor"] == {"active_at": MOMENT}


def test_where_a_slice_has_failed_its_own_failure_tells_enough(answer: Answer) -> None:
    gated = Gated({("CN1", None): [answer({}, 404)], ("CN2", None): [answer({}, 403)]}, {})
    gated.read("CN1")
    with pytest.raises(AirbyteTracedException, match=r"Acme refused \+1"):
        gated.read("CN2")
    gated.conclude()


def test_the_conclusion_waits_for_all_other_slices(answer: Answer, page: Pages) -> None:
    gated = Gated({("CN1", None): [answer({}, 404)], ("CN2", None): [page()]}, {})
    gated.read("CN1")
    last = gated.progress.open({"phone": "PN1"}, MOMENT)
    failures: list[BaseException] = []

    def conclude() -> None:
        try:
            gated.conclude()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=conclude, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()  # it does not know yet that a request is answered well
    assert ids(gated.retriever, conversation("CN2", users=[], ticket=last)) == []
    thread.join(60.0)
    assert not thread.is_alive()
    assert failures == []


def test_a_sync_that_is_stopped_concludes_nothing(page: Pages) -> None:
    gated = Gated({("CN1", None): [page()]}, {"superseded": OLD, "parent_state": {}})
    gated.read("CN1")
    gated.progress.open({"phone": "PN1"}, MOMENT)  # its reader is gone
    gated.budget.stopped.set()
    gated.conclude()
    assert gated.cursor.emit() == [OLD]


# --- a state of another scope ---

OLD = {"use_global_cursor": True, "parent_state": {"conversations": NOTHING}, "scope": {"api": 1}}
NEW_SCOPE: dict[str, Any] = {
    "scope": ["api", "start_date"],
    "config": {"api": 2, "start_date": "", "other": 3},
}
ENTRY = {"partition": {"phone": "PN1"}, "cursor": {"active_at": MOMENT}}


def test_a_state_has_the_scope_that_was_read(page: Pages) -> None:
    gated = Gated({("CN1", None): [page()]}, {}, **NEW_SCOPE)
    gated.read("CN1")
    assert gated.cursor.emit()[-1]["scope"] == {"api": 2}


def test_a_superseded_state_is_the_one_that_leaves_until_all_was_read(page: Pages) -> None:
    superseded = {"superseded": OLD, "parent_state": {}}
    gated = Gated({(f"CN{n}", None): [page()] for n in (1, 2)}, superseded, **NEW_SCOPE)
    assert gated.cursor.emit() == [OLD]
    gated.read("CN1")
    assert gated.cursor.emit() == [OLD] * 2  # though what was read is proved
    gated.read("CN2")
    gated.conclude()
    *before, now = gated.cursor.emit()
    assert before == [OLD] * 2
    parents = {"conversations": {**NOTHING, "states": [ENTRY]}}
    assert now == {"mine": 1, "parent_state": parents, "scope": {"api": 2}}


def test_a_hole_leaves_the_superseded_state(answer: Answer, page: Pages) -> None:
    """The next sync then finds the other scope again, and reads everything once more."""
    answers: Answers = {("CN1", None): [page()], ("CN2", None): [answer({}, 403)]}
    gated = Gated(answers, {"superseded": OLD, "parent_state": {}}, **NEW_SCOPE)
    gated.read("CN1")
    with suppress(AirbyteTracedException):
        gated.read("CN2")
    gated.conclude()
    assert gated.cursor.emit() == [OLD]


def test_of_a_superseded_state_nothing_of_this_sync_leaves_without_a_good_answer(
    answer: Answer,
) -> None:
    superseded = {"superseded": OLD, "parent_state": {}}
    gated = Gated({("CN1", None): [answer({}, 404)]}, superseded, **NEW_SCOPE)
    gated.read("CN1")
    with pytest.raises(AirbyteTracedException, match="Not one request"):
        gated.conclude()
    assert gated.cursor.emit() == [OLD]


def test_where_the_new_scope_holds_nothing_the_new_state_leaves() -> None:
    gated = Gated({}, {"superseded": OLD, "parent_state": {}}, **NEW_SCOPE)
    assert gated.cursor.emit() == [OLD]
    gated.conclude()
    assert gated.cursor.emit()[-1] == {**PROVED, "scope": {"api": 2}}


# --- where each call is replaced by what there is to it ---


class Details:
    """Gives a row for each call, after all of a slice have been read; keeps what came."""

    def __init__(self, *, are_refused: bool = False, failing: str = "") -> None:
        self.are_refused = are_refused
        self.failing = failing
        self.came: list[str] = []

    def rows(self, items: Any, done: Any) -> Any:
        with closing(items):
            held: list[Record] = []
            for item in items:
                if isinstance(item, Checkpoint):
                    yield from self._rows(held)
                    yield item
                else:
                    self.came.append(item.data["id"])
                    held.append(item)
            yield from self._rows(held)

    def _rows(self, held: list[Record]) -> Any:
        while held:
            call = held.pop(0)
            if call.data["id"] == self.failing:
                raise RuntimeError(self.failing)
            yield Record({"id": f"row of {call.data['id']}"}, "rows", call.associated_slice)


def of_details(page: Pages, details: Details, **changed: str) -> FanOutRetriever:
    rows = page(*((name, "US1") for name in changed))
    retriever, _ = retriever_of({("CN1", None): [rows]}, details=details, changed_field="at")
    pages = retriever._pages

    def with_changes(*arguments: Any) -> Any:
        for one in pages(*arguments):
            for record in one.records:
                if changed[record.data["id"]]:
                    record.data["at"] = changed[record.data["id"]]
            yield one

    retriever._pages = with_changes  # type: ignore[assignment]
    return retriever


def test_only_calls_that_changed_since_are_asked_about(page: Pages) -> None:
    since = "2026-02-03T00:00:00"
    changed = {
        "AC1": "2026-02-02T23:59:59.999Z",
        "AC2": "2026-02-03T00:00:00Z",
        "AC3": "2026-03-01T00:00:00.5Z",
        "AC4": "",
    }
    for given, wanted in ((since, ["AC2", "AC3", "AC4"]), (None, [*changed])):
        details = Details()
        retriever = of_details(page, details, **changed)
        found = ids(retriever, conversation(users=[], changed_since=given))
        assert details.came == wanted
        assert found == [f"row of {name}" for name in wanted]


def test_a_stream_of_calls_has_all_of_a_slice_whenever_they_changed(page: Pages) -> None:
    retriever = of_details(page, Details(), AC1="2026-01-01T00:00:00Z")
    retriever.details = None
    slice_ = conversation(users=[], changed_since="2026-02-03T00:00:00")
    assert ids(retriever, slice_) == ["AC1"]


def test_a_ticket_is_closed_when_the_rows_are_out(page: Pages) -> None:
    for failing in ("", "AC2"):
        details = Details(failing=failing)
        ticket = ParentProgress("active_at", {}).open({"phone": "PN1"}, MOMENT)
        one = conversation(users=[], ticket=ticket)
        retriever = of_details(page, details, AC1="", AC2="")
        reading = iter(retriever.read_records({}, one))
        first = next(reading)
        assert isinstance(first, Record)
        assert first.data == {"id": "row of AC1"}
        assert (details.came, ticket.closed) == (["AC1", "AC2"], False)
        with pytest.raises(RuntimeError) if failing else nullcontext():
            assert len([*reading]) == 1
        assert (ticket.closed, ticket.ended) == (not failing, True)


def test_where_the_plan_refuses_no_call_is_read_and_no_ticket_closed(page: Pages) -> None:
    retriever, requester = retriever_of({}, details=Details(are_refused=True))
    ticket = ParentProgress("active_at", {}).open({"phone": "PN1"}, MOMENT)
    assert ids(retriever, conversation(users=[], ticket=ticket)) == []
    assert (ticket.closed, ticket.ended) == (False, True)
    assert requester.asked == []


def test_details_need_to_know_which_calls_have_changed() -> None:
    carried = {"parent_stream_configs": [{"extra_fields": [["changed_since"]]}]}
    good = {"details": {"shape": "x"}, "changed_field": "updated_at", "partition_router": carried}
    FanOutRetriever.check_manifest(good)
    with pytest.raises(ValueError, match="changed_field is needed beside details"):
        FanOutRetriever.check_manifest({**good, "changed_field": ""})
    carried["parent_stream_configs"][0]["extra_fields"] = []
    with pytest.raises(ValueError, match="its slices do not carry changed_since"):
        FanOutRetriever.check_manifest(good)
