"""`StateGate`: what stands between a cursor of the CDK and its way out."""

from collections.abc import Callable, Mapping
from typing import Any

from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessage
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor

Change = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


class StateGate:
    """Changes each state of a cursor before it leaves the process, or holds it back.

    It takes the place of the cursor's state manager and message repository, the one seam that every
    state of every kind of cursor passes.

    Args:
        cursor: a cursor of the CDK.
        change: takes the state that the cursor would emit; gives the one that leaves, or None if
            none may leave yet.
    """

    def __init__(self, cursor: Cursor, change: Change) -> None:
        self._change = change
        self._is_held = False
        self._manager = cursor._connector_state_manager  # type: ignore[attr-defined]
        self._repository = cursor._message_repository  # type: ignore[attr-defined]
        cursor._connector_state_manager = self  # type: ignore[attr-defined]
        cursor._message_repository = self  # type: ignore[attr-defined]

    def update_state_for_stream(
        self, stream_name: str, namespace: str | None, value: Mapping[str, Any]
    ) -> None:
        """Take a state from the cursor."""
        changed = self._change(value)
        self._is_held = changed is None
        if changed is not None:
            self._manager.update_state_for_stream(stream_name, namespace, changed)

    def create_state_message(self, stream_name: str, namespace: str | None) -> AirbyteStateMessage:
        """The message of the state that was taken last."""
        message: AirbyteStateMessage = self._manager.create_state_message(stream_name, namespace)
        return message

    def emit_message(self, message: AirbyteMessage) -> None:
        """Let a message out, unless its state is held back."""
        if not self._is_held:
            self._repository.emit_message(message)
