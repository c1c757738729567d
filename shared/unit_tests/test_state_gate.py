from collections.abc import Mapping
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
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor, CursorField
from airbyte_cdk.sources.streams.concurrent.state_converters import (
    datetime_stream_state_converter as state_converters,
)
from calls_shared.state_gate import StateGate


class Cursor:
    """The part of a cursor of the CDK that lets states out."""

    def __init__(self, handed_in: Mapping[str, Any] | None = None) -> None:
        states = []
        if handed_in is not None:
            descriptor = StreamDescriptor(name="calls")
            state = AirbyteStreamState(descriptor, AirbyteStateBlob(**handed_in))
            states.append(AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=state))
        self.repository = InMemoryMessageRepository()
        self._message_repository: Any = self.repository
        self._connector_state_manager: Any = ConnectorStateManager(state=states)

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


def gate(cursor: Cursor, change: Any) -> None:
    StateGate(cursor, change)  # type: ignore[arg-type]


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


@pytest.mark.parametrize("held", [True, False])
def test_the_cursors_of_the_cdk_have_the_seam(held: bool) -> None:
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

    StateGate(cursor, change)
    cursor.ensure_at_least_one_state_emitted()
    assert len(seen) == 1
    states = [m.state.stream for m in repository.consume_queue() if m.state is not None]
    found = [vars(state.stream_state) for state in states if state is not None]
    assert found == ([] if held else [{"gated": True}])
