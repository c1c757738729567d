from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStream,
    AirbyteStreamState,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    FailureType,
    StreamDescriptor,
    SyncMode,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import given, settings
from hypothesis import strategies as st

from calls_shared.normalization import times
from calls_shared.reading import state
from calls_shared.reading.cursors import StreamCursor

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


def message_with(content: dict[str, Any] | None, stream: str = "calls") -> AirbyteStateMessage:
    blob = None if content is None else AirbyteStateBlob(**content)
    return AirbyteStateMessage(
        type=AirbyteStateType.STREAM,
        stream=AirbyteStreamState(
            stream_descriptor=StreamDescriptor(name=stream), stream_state=blob
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


ODD = "The state of the stream calls is not in the form in which such states are kept. "
GOOD = {"updated_at": "2026-01-31T00:00:00Z"}
ENTRY = {"partition": {"phone": "PN1"}, "cursor": {"active_at": "2026-01-31T00:00:00Z"}}


def of_parents(**content: Any) -> dict[str, Any]:
    return {"parent_state": {"conversations": content}}


@pytest.mark.parametrize(
    ("content", "parents"),
    [
        ({"updated_at": {"updated_at": GOOD["updated_at"]}}, {}),
        ({"updated_at": [GOOD["updated_at"]]}, {}),
        ({"updated_at": GOOD}, PARENTS),
        # the CDK would fail on these, or take them for none
        ({**GOOD, "state": "2026-01-31T00:00:00Z"}, PARENTS),
        ({**GOOD, "lookback_window": "1"}, PARENTS),
        ({**GOOD, "parent_state": [ENTRY]}, PARENTS),
        ({"parent_state": {"conversations": [ENTRY]}}, PARENTS),
        (of_parents(state=[GOOD]), PARENTS),
        (of_parents(lookback_window=None), PARENTS),
        (of_parents(states={"PN1": ENTRY}), PARENTS),
        (of_parents(states=[ENTRY, 5]), PARENTS),
        (of_parents(states=[{**ENTRY, "partition": "PN1"}]), PARENTS),
        (of_parents(states=[{"partition": ENTRY["partition"]}]), PARENTS),
        (of_parents(states=[{**ENTRY, "cursor": "2026-01-31T00:00:00Z"}]), PARENTS),
        (of_parents(states=[{**ENTRY, "cursor": {"active_at": [5]}}]), PARENTS),
        (of_parents(states=[ENTRY], parent_state=5), PARENTS),
        (of_parents(states=[ENTRY], parent_state={"phone_numbers": "x"}), PARENTS),
    ],
)
def test_a_state_in_an_odd_form_is_refused_in_one_sentence(
    content: dict[str, Any], parents: dict[str, str]
) -> None:
    with pytest.raises(AirbyteTracedException) as caught:
        state.check_state("calls", content, "updated_at", parents)
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == ODD + FIX


def test_of_a_stream_without_parents_the_rest_of_the_state_is_its_own() -> None:
    state.check_state("calls", {**GOOD, "states": 5, "lookback_window": "x"}, "updated_at", {})


@pytest.mark.parametrize(
    ("content", "is_by_hand"),
    [
        ({"updated_at": "2026-01-31T00:00:00Z"}, True),
        ({"updated_at": "2026-01-31T00:00:00.000Z"}, True),
        ({"updated_at": "2026-01-31T00:00:00.000000+00:00"}, True),
        ({"updated_at": "2026-01-31 00:00:00.000000Z"}, True),
        ({"updated_at": "２026-01-31T00:00:00.000000Z"}, True),
        # our own form: of a version that knew no inventory
        ({"updated_at": "2026-01-31T00:00:00.000000Z"}, False),
        # it tells by itself what the last complete reading left
        ({"updated_at": "2026-01-31T00:00:00Z", "complete": {}}, False),
        ({"created_at": "2026-01-31T00:00:00Z"}, False),
        ({"updated_at": 5}, False),
    ],
)
def test_a_state_that_was_written_by_hand_says_from_where_on(
    content: dict[str, Any], is_by_hand: bool
) -> None:
    more = {"complete": {"cursor": content.get("updated_at")}} if is_by_hand else {}
    assert state.with_a_start(content, "updated_at") == {**content, **more}


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
    times.format_timestamp,
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 6),
)
CEILINGS = st.builds(
    times.format_timestamp,
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


# --- what is handed in, stream by stream ---

CURSORS = {"calls": StreamCursor("updated_at", PARENTS), "calls_by_id": StreamCursor("updated_at")}


def test_the_newest_cursor_value_of_each_stream() -> None:
    """Of its parents' cursors too; streams without a cursor are none of ours."""
    deep = of_parents(states=[{**ENTRY, "cursor": {"active_at": "2026-02-01 02:00:00+02:00"}}])
    states = [message_with({**GOOD, **deep}), message_with({"anything": 5}, "phone_numbers")]
    assert state.newest_of(states, CURSORS) == {
        "calls": "2026-02-01T00:00:00.000000Z",
        "calls_by_id": None,
    }


def test_a_state_that_holds_no_cursor_yet_is_left_out() -> None:
    kept = message_with(GOOD)
    marks = [{"__ab_no_cursor_state_message": True}, {"use_global_cursor": False}, {}, None]
    assert state.usable([*map(message_with, marks), kept]) == [kept]


def test_of_a_full_refresh_no_state_counts() -> None:
    modes = {"calls": SyncMode.full_refresh, "calls_by_id": SyncMode.incremental}
    streams = [
        ConfiguredAirbyteStream(
            AirbyteStream(name=name, json_schema={}, supported_sync_modes=[mode]),
            sync_mode=mode,
            destination_sync_mode=DestinationSyncMode.append,
        )
        for name, mode in modes.items()
    ]
    states = [message_with(GOOD, name) for name in ("calls", "calls_by_id", "not in the catalog")]
    found = state.of_incremental(states, ConfiguredAirbyteCatalog(streams))
    assert found == states[1:]


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("latest", "is_far"),
    [
        (None, False),
        ("1990-01-01T00:00:00.000000Z", False),
        ("2026-02-01T12:00:00.000000Z", False),  # just a day ahead
        ("2026-02-01T12:00:00.000001Z", True),
        ("2126-02-01T00:00:00.000000Z", True),
    ],
)
def test_a_state_more_than_a_day_ahead(
    latest: str | None, is_far: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "datetime", SimpleNamespace(now=NOON.astimezone))
    sentence = (
        f"The state of the stream calls holds {latest}, which is more than a day ahead of the"
        " time here (2026-01-31): changes of an earlier time may be left out. If that"
        " clock is right, reset the stream or use an older state."
    )
    assert state.warning_of_the_future("calls", latest) == (sentence if is_far else None)
