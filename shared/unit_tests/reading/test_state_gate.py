import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.message import InMemoryMessageRepository
from airbyte_cdk.sources.message.repository import StateFilteringMessageRepository
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor, CursorField
from airbyte_cdk.sources.streams.concurrent.state_converters import (
    datetime_stream_state_converter as state_converters,
)

from calls_shared.reading import state_gate
from calls_shared.reading.state_gate import Change, StateGate
from calls_shared.report import SyncReport


class Cursor:
    """The part of a cursor of the CDK that lets states out."""

    def __init__(self, handed_in: Mapping[str, Any] | None = None) -> None:
        states = []
        if handed_in is not None:
            descriptor = StreamDescriptor(name="calls")
            state = AirbyteStreamState(descriptor, AirbyteStateBlob(**handed_in))
            states.append(AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=state))
        self.repository = InMemoryMessageRepository()
        self._stream_name = "calls"
        self._message_repository: Any = self.repository
        self._connector_state_manager: Any = ConnectorStateManager(state=states)
        self.last: Mapping[str, Any] = {"last": True}

    def ensure_at_least_one_state_emitted(self) -> None:
        """What the CDK calls once all slices of the stream have been read."""
        self.emit(self.last)

    def emit(self, state: Mapping[str, Any]) -> None:
        """As `ConcurrentPerPartitionCursor._emit_state_message`."""
        self._connector_state_manager.update_state_for_stream("calls", None, state)
        message = self._connector_state_manager.create_state_message("calls", None)
        self._message_repository.emit_message(message)

    def left(self) -> list[dict[str, Any]]:
        """The states that have left since the last look."""
        messages: list[AirbyteMessage] = list(self.repository.consume_queue())
        assert all(message.type is Type.STATE for message in messages)
        return [
            dict(vars(m.state.stream.stream_state)) for m in messages if m.state and m.state.stream
        ]


def gate(
    cursor: Cursor,
    change: Change = lambda state: state,
    fields: Collection[str] = ("updated_at", "active_at"),
    warnings: Callable[[], list[str]] = list,
) -> StateGate:
    return StateGate(cursor, fields, change, warnings)  # type: ignore[arg-type]


def test_a_state_leaves_changed() -> None:
    cursor = Cursor()
    gate(cursor, lambda state: {**state, "more": 1})
    cursor.emit({"a": 1})
    cursor.emit({"a": 2})
    assert cursor.left() == [{"a": 1, "more": 1}, {"a": 2, "more": 1}]


def test_a_state_that_may_not_leave_yet_is_held_back() -> None:
    cursor = Cursor()
    gate(cursor, lambda state: state if state["a"] % 2 else None)
    for number in range(5):
        cursor.emit({"a": number})
    assert cursor.left() == [{"a": 1}, {"a": 3}]


def test_what_is_held_back_does_not_leave_by_the_state_manager_either() -> None:
    """The CDK makes the last message of a stream from the state manager."""
    cursor = Cursor({"a": 0})
    manager = cursor._connector_state_manager
    gate(cursor, lambda _: None)
    cursor.emit({"a": 1})
    assert cursor.left() == []
    message = manager.create_state_message("calls", None)
    assert vars(message.state.stream.stream_state) == {"a": 0}


def test_the_last_state_of_a_stream_passes_too() -> None:
    cursor = Cursor()
    gate(cursor, lambda state: {**state, "more": 1})
    cursor.ensure_at_least_one_state_emitted()
    assert cursor.left() == [{"last": True, "more": 1}]


def test_the_state_as_the_sync_began_with_it() -> None:
    assert gate(Cursor()).handed_in == {}
    cursor = Cursor({"a": 0})
    found = gate(cursor)
    cursor.emit({"a": 1})
    assert found.handed_in == {"a": 0}
    assert cursor._connector_state_manager.get_stream_state("calls", None) == {"a": 1}


# --- the cap ---

BEGAN = "2026-01-31T12:00:00.000000Z"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_gate, "datetime", SimpleNamespace(now=NOON.astimezone))


@pytest.mark.usefixtures("_at_noon")
@pytest.mark.parametrize(
    ("known", "emitted", "expected"),
    [
        (None, "2026-01-31T11:00:00.000000Z", "2026-01-31T11:00:00.000000Z"),
        (None, "2026-01-31T13:00:00.000000Z", BEGAN),
        ("2026-01-30T00:00:00.000000Z", "2026-01-31T13:00:00.000000Z", BEGAN),
        # a state that is newer than our clock never moves back, and not on either
        (
            "2026-02-02T00:00:00.000000Z",
            "2026-02-02T00:00:00.000000Z",
            "2026-02-02T00:00:00.000000Z",
        ),
        (
            "2026-02-02T00:00:00.000000Z",
            "2026-02-03T00:00:00.000000Z",
            "2026-02-02T00:00:00.000000Z",
        ),
    ],
)
def test_no_state_passes_the_beginning_of_the_sync(
    known: str | None, emitted: str, expected: str
) -> None:
    def content(moment: str) -> dict[str, Any]:
        entry = {"partition": {"updated_at": "2999"}, "cursor": {"active_at": moment}}
        parents = {"conversations": {"states": [entry]}}
        return {"updated_at": moment, "parent_state": parents, "other_at": "2999"}

    # the newest one of its parents counts as well
    cursor = Cursor(None if known is None else {"parent_state": {"x": {"active_at": known}}})
    gate(cursor)
    cursor.emit(content(emitted))
    assert cursor.left() == [content(expected)]


@pytest.mark.usefixtures("_at_noon")
def test_what_the_change_adds_is_capped_too() -> None:
    cursor = Cursor()
    gate(cursor, lambda state: {**state, "updated_at": "2026-02-02T00:00:00.000000Z"})
    cursor.emit({"a": 1})
    assert cursor.left() == [{"a": 1, "updated_at": BEGAN}]


@pytest.mark.usefixtures("_at_noon")
def test_a_stream_without_a_cursor_field_has_nothing_to_cap() -> None:
    cursor = Cursor()
    gate(cursor, fields={""})
    cursor.emit({"": "2999-01-01T00:00:00.000000Z", "updated_at": "2999"})
    assert cursor.left() == [{"": "2999-01-01T00:00:00.000000Z", "updated_at": "2999"}]


# --- the closing warnings ---


def test_the_warnings_are_told_at_the_end_of_the_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    report, cursor = SyncReport(), Cursor()
    gate(cursor, warnings=report.new_sentences)
    report.note("{count} conversations could not be asked for.", 2)
    cursor.emit({"a": 1})
    assert caplog.messages == []
    report.note("{count} conversations could not be asked for.")
    cursor.ensure_at_least_one_state_emitted()
    assert caplog.record_tuples == [
        ("airbyte.calls", logging.WARNING, "3 conversations could not be asked for.")
    ]
    # of another stream of the same source, and once
    other = Cursor()
    gate(other, warnings=report.new_sentences)
    report.note("A note.")
    other.ensure_at_least_one_state_emitted()
    assert caplog.messages[1:] == ["A note."]
    assert len(other.left()) == 1


def test_the_last_state_may_add_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    report, cursor = SyncReport(), Cursor()

    def change(state: Mapping[str, Any]) -> None:
        report.note("No state was moved.")

    gate(cursor, change, warnings=report.new_sentences)
    cursor.ensure_at_least_one_state_emitted()
    assert (caplog.messages, cursor.left()) == (["No state was moved."], [])


def test_a_parent_leaves_the_warnings_to_the_stream_that_is_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The CDK ends it once for each of its own slices, and no state of it leaves by itself."""
    report, cursor = SyncReport(), Cursor()
    cursor._message_repository = StateFilteringMessageRepository(cursor.repository)
    assert gate(cursor, warnings=report.new_sentences).is_parent
    report.note("A note.")
    cursor.ensure_at_least_one_state_emitted()
    assert (caplog.messages, cursor.left()) == ([], [])
    assert not gate(Cursor()).is_parent


@pytest.mark.parametrize("held", [True, False])
def test_the_cursors_of_the_cdk_have_the_seam(held: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Names without a promise: an update of the CDK that renames them must be noticed."""
    repository = InMemoryMessageRepository()
    converter = state_converters.EpochValueConcurrentStreamStateConverter
    cursor = ConcurrentCursor(
        stream_name="calls",
        stream_namespace=None,
        stream_state={},
        message_repository=repository,
        connector_state_manager=ConnectorStateManager(),
        connector_state_converter=converter(True),
        cursor_field=CursorField("updated_at"),
        slice_boundary_fields=None,
        start=None,
        end_provider=converter.get_end_provider(),  # type: ignore[arg-type]
    )
    seen: list[Mapping[str, Any]] = []

    def change(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        seen.append(state)
        return None if held else {"gated": True}

    told = ["A note."]
    gate_of_it = StateGate(cursor, {"updated_at"}, change, lambda: told)
    assert gate_of_it.handed_in == {}
    cursor.ensure_at_least_one_state_emitted()
    assert len(seen) == 1
    states = [m.state.stream for m in repository.consume_queue() if m.state is not None]
    found = [vars(state.stream_state) for state in states if state is not None]
    assert found == ([] if held else [{"gated": True}])
    assert caplog.messages == told
