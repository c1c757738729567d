"""Who of the company was on a call, and who answered it."""

from typing import Any

import pytest

from calls_shared.normalization.mapping import MappingError
from calls_shared.normalization.people import People

SOURCE: dict[str, Any] = {
    "inbound": "answeredBy",
    "outbound": "initiatedBy",
    "otherwise": "userId",
    "person": "US",
    "system": "SY",
    "ai": {"aiHandled": "ai-agent"},
    "listed": {"in_slice": "users", "at": "id", "name": ["first", "last"], "email": "email"},
}
USERS = [
    {"id": "US1", "first": "Ada", "last": "Lovelace", "email": "ada@example.com"},
    {"id": "US2", "first": "Grace", "last": None, "email": None},
    {"id": "US3", "first": None, "last": None, "email": "cleo@example.com"},
    {"id": "US4", "first": ["x"], "last": "y", "email": 5},
    {"id": None, "first": "Nobody", "email": "nobody@example.com"},
    "US5",
]
ADA = {"user_id": "US1", "user_name": "Ada Lovelace", "user_email": "ada@example.com"}


def found(
    call: dict[str, Any], record: dict[str, Any], users: Any = USERS
) -> tuple[dict[str, Any], list[str]]:
    """What is added to a call, and the columns that could not be read."""
    before = dict(call)
    unreadable = People.of(SOURCE).complete(call, record, {"users": users})
    return {name: value for name, value in call.items() if name not in before}, unreadable


INBOUND = {"direction": "inbound", "answered": True}
MISSED = {"direction": "inbound", "answered": False}
OUTBOUND = {"direction": "outbound", "answered": True}


@pytest.mark.parametrize(
    ("call", "record", "expected"),
    [
        # who answered, of an incoming call
        (INBOUND, {"answeredBy": "US1", "userId": "US2"}, {"answered_by_type": "human", **ADA}),
        (
            INBOUND,
            {"answeredBy": "US1", "initiatedBy": "US2"},
            {"answered_by_type": "human", **ADA},
        ),
        (INBOUND, {"answeredBy": None, "userId": "US1"}, ADA),
        (INBOUND, {"answeredBy": "", "userId": "US1"}, ADA),
        # an AI: alone, and beside a person
        (INBOUND, {"answeredBy": "SY1", "userId": "US1"}, {"answered_by_type": "ai"}),
        (
            INBOUND,
            {"answeredBy": "SYU1", "userId": "US1", "aiHandled": "ai-agent"},
            {"answered_by_type": "ai"},
        ),
        (INBOUND, {"aiHandled": "ai-agent", "userId": "US1"}, {"answered_by_type": "ai"}),
        (
            INBOUND,
            {"aiHandled": "AI_Agent", "answeredBy": "US1"},
            {"answered_by_type": "ai", **ADA},
        ),
        (INBOUND, {"aiHandled": "robot", "userId": "US1"}, ADA),
        # neither a person nor a system actor
        (INBOUND, {"answeredBy": "XY1", "userId": "US1"}, {"user_id": "XY1"}),
        # nobody answered: whom it was for
        (MISSED, {"userId": "US1"}, ADA),
        (MISSED, {"userId": "US1", "aiHandled": "ai-agent"}, ADA),
        ({"direction": "inbound"}, {"userId": "US1"}, ADA),
        # who placed an outgoing call; who answered it there is not known
        (OUTBOUND, {"initiatedBy": "US1", "userId": "US2", "answeredBy": "US2"}, ADA),
        (OUTBOUND, {"initiatedBy": "US1", "aiHandled": "ai-agent"}, ADA),
        (OUTBOUND, {"initiatedBy": "SY1", "userId": "US1"}, {}),
        (OUTBOUND, {"userId": "US1"}, ADA),
        # a direction that is not known
        ({"answered": True}, {"answeredBy": "US2", "userId": "US1"}, ADA),
        # the owner's name does not stand in for somebody else's
        (
            INBOUND,
            {"answeredBy": "US9", "userId": "US1"},
            {"answered_by_type": "human", "user_id": "US9"},
        ),
        # as far as the list tells
        (OUTBOUND, {"initiatedBy": "US2"}, {"user_id": "US2", "user_name": "Grace"}),
        (OUTBOUND, {"initiatedBy": "US3"}, {"user_id": "US3", "user_email": "cleo@example.com"}),
        (OUTBOUND, {"initiatedBy": "US4"}, {"user_id": "US4", "user_email": "5"}),
        (OUTBOUND, {}, {}),
    ],
)
def test_who(call: dict[str, Any], record: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found(dict(call), record) == (expected, [])


@pytest.mark.parametrize("users", [None, {}, "US1", [], [None]])
def test_without_a_list_of_users(users: Any) -> None:
    assert found(dict(OUTBOUND), {"initiatedBy": "US1"}, users) == ({"user_id": "US1"}, [])


@pytest.mark.parametrize(
    "record",
    [{"answeredBy": ["US1"], "userId": "US2"}, {"userId": {"id": "US1"}}],
)
def test_what_cannot_be_read_is_told_and_nobody_stands_in(record: dict[str, Any]) -> None:
    assert found(dict(INBOUND), record) == ({}, ["user_id"])


@pytest.mark.parametrize(
    "source",
    [
        {key: value for key, value in SOURCE.items() if key != "person"},
        {**SOURCE, "colour": "x"},
        {**SOURCE, "listed": {"in_slice": "users", "at": "id"}},
    ],
)
def test_a_source_that_lacks_something_or_says_too_much(source: dict[str, Any]) -> None:
    with pytest.raises(MappingError, match=r"^people must have exactly"):
        People.of(source)
