from datetime import UTC, datetime
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    FailureType,
    StreamDescriptor,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from calls_shared import converters, state
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(database=None, deadline=None, max_examples=100)
PARENTS = {"conversations": "active_at"}
FIELDS = {"updated_at", "active_at"}

PARTITIONED = {  # as the CDK keeps a child with a global cursor and its partitioned parent
    "use_global_cursor": True,
    "state": {"updated_at": "2026-01-31T00:00:00.000Z"},
    "lookback_window": 1,
    "parent_state": {
        "conversations": {
            "use_global_cursor": False,
            "states": [
                {
                    "partition": {"phone_number_id": "PN1", "parent_slice": {}},
                    "cursor": {"active_at": "2026-01-30T00:00:00.000Z"},
                },
                {
                    "partition": {"phone_number_id": "PN2", "parent_slice": {}},
                    "cursor": {"active_at": "2026-02-01T00:00:00.5Z"},
                },
            ],
            "parent_state": {},
        }
    },
}


def message_with(content: dict[str, Any] | None) -> AirbyteStateMessage:
    blob = None if content is None else AirbyteStateBlob(**content)
    return AirbyteStateMessage(
        type=AirbyteStateType.STREAM,
        stream=AirbyteStreamState(
            stream_descriptor=StreamDescriptor(name="calls"), stream_state=blob
        ),
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            message_with({"updated_at": "x", "more": {"a": [1]}}),
            {"updated_at": "x", "more": {"a": [1]}},
        ),
        (message_with({}), {}),
        (message_with(None), {}),
        (message_with({"__ab_no_cursor_state_message": True}), {}),
        (message_with({"__ab_full_refresh_sync_complete": True}), {}),
        (
            message_with({"__ab_no_cursor_state_message": True, "updated_at": "x"}),
            {"__ab_no_cursor_state_message": True, "updated_at": "x"},
        ),
        (AirbyteStateMessage(type=AirbyteStateType.STREAM), {}),
    ],
)
def test_as_mapping(message: AirbyteStateMessage, expected: dict[str, Any]) -> None:
    assert state.as_mapping(message) == expected


def test_cursor_values_at_any_depth() -> None:
    assert list(state.cursor_values(PARTITIONED, FIELDS)) == [
        "2026-01-31T00:00:00.000Z",
        "2026-01-30T00:00:00.000Z",
        "2026-02-01T00:00:00.5Z",
    ]
    assert list(state.cursor_values(PARTITIONED, {"updated_at"})) == ["2026-01-31T00:00:00.000Z"]
    assert list(state.cursor_values({"updated_at": {"updated_at": None}}, FIELDS)) == [None]
    assert list(state.cursor_values("updated_at", FIELDS)) == []


@pytest.mark.parametrize(
    ("content", "parents"),
    [
        ({}, {}),
        ({}, PARENTS),
        ({"updated_at": "2026-01-31T00:00:00Z"}, {}),
        ({"updated_at": "2026-01-31T00:00:00.123456Z", "other": 5}, {}),
        ({"updated_at": "2026-01-31T00:00:00+02:00"}, {}),
        (PARTITIONED, PARENTS),
        ({"updated_at": "2026-01-31T00:00:00Z"}, PARENTS),
        ({"parent_state": {"conversations": {}}}, PARENTS),
        ({"parent_state": {"conversations": {"states": []}, "more": {}}}, PARENTS),
    ],
)
def test_a_state_that_is_accepted(content: dict[str, Any], parents: dict[str, str]) -> None:
    state.check_state("calls", content, "updated_at", parents)  # raises nothing


LACKS = "The state of the stream calls has no cursor updated_at. "
WRONG = (
    "The state of the stream calls holds a cursor updated_at that is not a date-time such as"
    " 2026-01-31T00:00:00.000000Z. "
)
FIX = "Use the state that the last sync emitted, or none to read everything again."


@pytest.mark.parametrize(
    ("content", "parents", "message"),
    [
        ({"cursor": "2026-01-31T00:00:00Z"}, {}, LACKS),
        ({"state": {"updated_at": "2026-01-31T00:00:00Z"}}, {}, LACKS),
        ({"created_at": "2026-01-31T00:00:00Z"}, {}, LACKS),
        ({"parent_state": {"conversations": {}}}, {}, LACKS),
        ({"parent_state": {}}, PARENTS, LACKS),
        ({"parent_state": None}, PARENTS, LACKS),
        ({"parent_state": {"conversations": {}}}, {**PARENTS, "users": "changed_at"}, LACKS),
        ({"parent_state": {"phone_numbers": {}}}, PARENTS, LACKS),
        ({"updated_at": None}, {}, WRONG),
        ({"updated_at": ""}, {}, WRONG),
        ({"updated_at": 1769817600}, {}, WRONG),
        ({"updated_at": True}, {}, WRONG),
        ({"updated_at": "2026-01-31"}, {}, WRONG),
        ({"updated_at": "2026-02-30T00:00:00Z"}, {}, WRONG),
        ({"updated_at": "yesterday"}, {}, WRONG),
        (
            {"parent_state": {"conversations": {"states": [{"cursor": {"active_at": "soon"}}]}}},
            PARENTS,
            WRONG,
        ),
        ({**PARTITIONED, "state": {"updated_at": 5}}, PARENTS, WRONG),
    ],
)
def test_a_state_that_is_refused(
    content: dict[str, Any], parents: dict[str, str], message: str
) -> None:
    with pytest.raises(AirbyteTracedException) as caught:
        state.check_state("calls", content, "updated_at", parents)
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == message + FIX


def test_in_own_form() -> None:
    found = state.in_own_form(
        {
            "updated_at": "2026-01-31 02:00:00.5+02:00",
            "more": [{"active_at": "2026-01-31t00:00:00z", "partition": {"updated_at": "a b"}}],
            "complete": {"at": "2026-01-31 00:00:00", "seen": 5, "none": None},
        },
        FIELDS,
    )
    assert found == {
        "updated_at": "2026-01-31T00:00:00.500000Z",
        "more": [{"active_at": "2026-01-31T00:00:00.000000Z", "partition": {"updated_at": "a b"}}],
        "complete": {"at": "2026-01-31 00:00:00", "seen": 5, "none": None},
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0001-01-01T00:00:00+14:00", "1990-01-01T00:00:00.000000Z"),
        ("1970-01-01T00:00:00Z", "1990-01-01T00:00:00.000000Z"),
        ("1990-01-01T00:00:00.000001Z", "1990-01-01T00:00:00.000001Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-30T00:00:00.000000Z"),
    ],
)
def test_a_cursor_stays_where_arithmetic_bears_it(value: str, expected: str) -> None:
    assert state.in_own_form({"updated_at": value}, FIELDS) == {"updated_at": expected}


def test_a_partition_holds_no_cursor() -> None:
    partition, late = {"updated_at": "2999-01-01"}, {"updated_at": "2026-07-01T00:00:00Z"}
    content = {"states": [{"partition": partition, "cursor": late}]}
    assert list(state.cursor_values(content, FIELDS)) == ["2026-07-01T00:00:00Z"]
    assert state.capped(content, FIELDS, CEILING) == {
        "states": [{"partition": partition, "cursor": {"updated_at": CEILING}}]
    }


def test_newest() -> None:
    assert state.newest(PARTITIONED, FIELDS) == "2026-02-01T00:00:00.5Z"
    assert state.newest(PARTITIONED, {"updated_at"}) == "2026-01-31T00:00:00.000Z"
    mixed = {
        "updated_at": "2026-01-31T00:00:00+02:00",
        "deep": [{"updated_at": "1970-01-01 00:00"}],
    }
    own = state.in_own_form(mixed, FIELDS)
    assert state.newest(own, FIELDS) == "2026-01-30T22:00:00.000000Z"
    assert state.newest({}, FIELDS) is None


CEILING = "2026-01-31T12:00:00.000000Z"


def test_capped_lowers_what_is_beyond_the_ceiling_and_nothing_else() -> None:
    ceiling = "2026-01-30T12:00:00.000000Z"
    capped = state.capped(PARTITIONED, FIELDS, ceiling)
    assert capped == {
        "use_global_cursor": True,
        "state": {"updated_at": ceiling},
        "lookback_window": 1,
        "parent_state": {
            "conversations": {
                "use_global_cursor": False,
                "states": [
                    {
                        "partition": {"phone_number_id": "PN1", "parent_slice": {}},
                        "cursor": {"active_at": "2026-01-30T00:00:00.000Z"},
                    },
                    {
                        "partition": {"phone_number_id": "PN2", "parent_slice": {}},
                        "cursor": {"active_at": ceiling},
                    },
                ],
                "parent_state": {},
            }
        },
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31T11:59:59.999999Z", "2026-01-31T11:59:59.999999Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.000001Z", CEILING),
        ("2026-01-31T12:00:01Z", CEILING),
        ("9999-12-30T00:00:00.000000Z", CEILING),
        (None, None),
        (5, 5),
    ],
)
def test_capped_value(value: Any, expected: Any) -> None:
    assert state.capped({"updated_at": value}, FIELDS, CEILING) == {"updated_at": expected}
    other = {"created_at": value, "updated_at": {"id": value}}
    assert state.capped(other, FIELDS, CEILING) == other


MOMENTS = st.builds(
    converters.format_timestamp,
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 6),
)
CEILINGS = st.builds(
    converters.format_timestamp,
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)


@PROPERTY
@given(MOMENTS, MOMENTS, CEILINGS)
def test_capping_is_monotone_and_never_beyond_the_ceiling(
    one: str, other: str, ceiling: str
) -> None:
    def cap(moment: str) -> datetime:
        capped = state.capped({"updated_at": moment}, {"updated_at"}, ceiling)["updated_at"]
        again = state.capped({"updated_at": capped}, {"updated_at"}, ceiling)["updated_at"]
        assert again == capped
        return datetime.fromisoformat(capped)

    moments = [datetime.fromisoformat(moment) for moment in (one, other)]
    limit = datetime.fromisoformat(ceiling)
    assert [cap(one), cap(other)] == [min(moment, limit) for moment in moments]


def test_cap_message_changes_the_message_in_place() -> None:
    message = message_with(PARTITIONED)
    state.cap_message(message, FIELDS, "2026-01-30T12:00:00.000000Z")
    kept = state.as_mapping(message)
    assert list(state.cursor_values(kept, FIELDS)) == [
        "2026-01-30T12:00:00.000000Z",
        "2026-01-30T00:00:00.000Z",
        "2026-01-30T12:00:00.000000Z",
    ]
    assert PARTITIONED["state"] == {"updated_at": "2026-01-31T00:00:00.000Z"}


def test_cap_message_leaves_a_message_without_a_state_alone() -> None:
    for message in (message_with(None), AirbyteStateMessage(type=AirbyteStateType.STREAM)):
        before = repr(message)
        state.cap_message(message, FIELDS, CEILING)
        assert repr(message) == before
