"""The state that is handed in, before any component sees it."""

from copy import deepcopy
from typing import Any

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CheckedState

MOMENT = "2026-01-31T00:00:00.000000Z"


def of_list(config: dict[str, Any] | None = None, scope: list[str] | None = None) -> CheckedState:
    return CheckedState(config or {}, "calls", "updated_at", scope=scope or [])


def with_parents(**config: Any) -> CheckedState:
    parents = {"conversations": "active_at"}
    return CheckedState(config, "calls", "updated_at", parents, ["api", "start_date"])


def migrated(check: CheckedState, state: dict[str, Any]) -> Any:
    """What the CDK hands on, which asks first; the state itself is left alone."""
    before = deepcopy(state)
    found = check.migrate(state) if check.should_migrate(state) else state
    assert state == before
    return found


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"__ab_no_cursor_state_message": True},
        {"__ab_full_refresh_sync_complete": True},
        {"use_global_cursor": False, "lookback_window": 5},
    ],
)
def test_marks_of_a_stream_of_which_nothing_was_read_are_no_state(state: dict[str, Any]) -> None:
    assert migrated(of_list(), state) == {}
    assert migrated(with_parents(), state) == {}


@pytest.mark.parametrize(
    ("state", "fragment"),
    [
        ({"created_at": MOMENT}, "has no cursor updated_at. "),
        ({"updated_at": "yesterday"}, "holds a cursor updated_at that is not a date-time"),
        (
            {"updated_at": {"updated_at": MOMENT}},
            "is not in the form in which such states are kept",
        ),
    ],
)
def test_another_state_is_refused(state: dict[str, Any], fragment: str) -> None:
    for check in (of_list(), with_parents()):
        with pytest.raises(AirbyteTracedException) as caught:
            migrated(check, state)
        assert caught.value.failure_type is FailureType.config_error
        message = caught.value.message or ""
        assert message.startswith(f"The state of the stream calls {fragment}")
        assert message.endswith("or none to read everything again.")


def test_of_a_stream_with_parents_their_states_are_checked_too() -> None:
    state = {"parent_state": {"conversations": {"states": [{"cursor": {"active_at": "soon"}}]}}}
    with pytest.raises(AirbyteTracedException, match="not a date-time"):
        migrated(with_parents(), state)


# --- a list ---


def test_a_state_leaves_in_our_own_form() -> None:
    state = {
        "updated_at": "2026-01-31 02:00:00+02:00",
        "complete": {"cursor": MOMENT},
        "inventory": {"until": MOMENT, "months": {"2026-01": "1:a"}},
        "scope": {"start_date": "2026-01-01T00:00:00Z"},
        "more": 5,
    }
    assert migrated(of_list(), state) == {**state, "updated_at": MOMENT}


@pytest.mark.parametrize("by_hand", ["2026-01-31T00:00:00Z", "2026-01-31 02:00:00+02:00"])
def test_a_state_that_was_written_by_hand_bounds_from_there_on(by_hand: str) -> None:
    found = migrated(of_list(), {"updated_at": by_hand})
    assert found == {"updated_at": MOMENT, "complete": {"cursor": by_hand}}


def test_a_state_of_a_version_before_says_no_start() -> None:
    """So that everything is read once: it may have lost calls."""
    assert migrated(of_list(), {"updated_at": MOMENT}) == {"updated_at": MOMENT}


def test_of_a_list_the_scope_is_none_of_the_checks() -> None:
    """Its retriever compares it, which has the inventory."""
    state = {"updated_at": MOMENT, "complete": {}, "scope": {"start_date": "2020-01-01T00:00:00Z"}}
    assert migrated(of_list({"start_date": "2021-01-01T00:00:00Z"}, ["start_date"]), state) == state


# --- a stream with parents ---

PARTITIONED: dict[str, Any] = {
    "use_global_cursor": True,
    "state": {"updated_at": MOMENT},
    "parent_state": {
        "conversations": {
            "states": [{"partition": {"phone": "PN1"}, "cursor": {"active_at": MOMENT}}],
            "inventory": {"PN1": {"until": MOMENT, "years": {"2025": "1:a"}}},
        }
    },
    "scope": {"api": 1, "start_date": "2026-01-01T00:00:00Z"},
}
SAME = {"api": 1, "start_date": "2026-01-01T00:00:00Z", "api_key": "hush"}


def test_a_state_of_the_same_scope_stays() -> None:
    assert migrated(with_parents(**SAME), PARTITIONED) == PARTITIONED


def test_the_cursors_of_the_parents_are_put_in_our_own_form_too() -> None:
    state = deepcopy(PARTITIONED)
    state["state"]["updated_at"] = "2026-01-31 00:00:00Z"
    (entry,) = state["parent_state"]["conversations"]["states"]
    entry["cursor"]["active_at"] = "2026-01-31T02:00:00+02:00"
    assert migrated(with_parents(**SAME), state) == PARTITIONED


@pytest.mark.parametrize(
    "config",
    [
        {**SAME, "api": 2},
        {**SAME, "start_date": "2025-01-01T00:00:00Z"},  # wider
        {**SAME, "start_date": "2026-02-01T00:00:00Z"},  # narrower
        {**SAME, "start_date": None},
        {},
    ],
)
def test_a_state_of_another_scope_is_put_aside(
    config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        found = migrated(with_parents(**config), PARTITIONED)
    # no parent is left out, whatever was read of it
    assert found == {"superseded": PARTITIONED, "parent_state": {}}
    assert caplog.messages == [
        "calls: what is to be read is not what the state is of (api, start_date); all of it is"
        " read once more."
    ]
    # the CDK asks more than once in a sync
    assert migrated(with_parents(**config), found) == found
    assert len(caplog.messages) == 1


def test_what_is_put_aside_is_in_our_own_form() -> None:
    """It leaves again as it is, until all of the new scope has been read."""
    state = {**PARTITIONED, "state": {"updated_at": "2026-01-31 00:00:00Z"}}
    assert migrated(with_parents(), state)["superseded"] == PARTITIONED


def test_a_state_without_a_scope_is_read_as_it_is() -> None:
    """One of a version before: its inventory is missing too, so that all comes once."""
    state = {key: value for key, value in PARTITIONED.items() if key != "scope"}
    assert migrated(with_parents(api=2), state) == state


def test_a_state_of_a_stream_with_parents_says_no_start_of_a_list() -> None:
    found = migrated(with_parents(), {"updated_at": "2026-01-31T00:00:00Z"})
    assert found == {"updated_at": MOMENT}
