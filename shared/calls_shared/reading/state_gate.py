"""`StateGate`: what stands between a cursor of the CDK and its way out, whoever runs it."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessage
from airbyte_cdk.sources.message.repository import StateFilteringMessageRepository
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor

from calls_shared.normalization import times
from calls_shared.reading.state import capped, newest

LOGGER = logging.getLogger("airbyte.calls")
Change = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


class StateGate:
    """Changes each state of a cursor before it leaves the process, or holds it back.

    No state that leaves passes the moment before the sync's first request, but for one that was
    handed in from the future. It takes the place of the cursor's state manager and message
    repository, the one seam that every state of every kind of cursor passes, and tells the closing
    warnings when the cursor tells that its stream is done.

    Args:
        cursor: a cursor of the CDK.
        cursor_fields: names of all fields that hold a cursor value in the stream's state.
        change: takes the state that the cursor would emit; gives the one that leaves, or None if
            none may leave yet.
        warnings: what is to be told at the end of the stream; each sentence once.

    Attributes:
        handed_in: the stream's state as the sync began with it; empty if there was none.
        is_parent: whether the stream is read for its children, with whose state its own leaves.
        is_ending: whether the stream is done, so that the last state leaves.
    """

    def __init__(
        self,
        cursor: Cursor,
        cursor_fields: Collection[str],
        change: Change,
        warnings: Callable[[], list[str]],
    ) -> None:
        self._fields = frozenset(cursor_fields) - {""}
        self._change = change
        self._warnings = warnings
        self._is_held = False
        self.is_ending = False
        self._manager = cursor._connector_state_manager  # type: ignore[attr-defined]
        self._repository = cursor._message_repository  # type: ignore[attr-defined]
        name = cursor._stream_name  # type: ignore[attr-defined]
        self.handed_in: Mapping[str, Any] = self._manager.get_stream_state(name, None)
        known = newest(self.handed_in, self._fields)
        began = times.format_timestamp(datetime.now(UTC))
        self._ceiling = began if known is None else max(began, known, key=times.sort_key)
        self.is_parent = isinstance(self._repository, StateFilteringMessageRepository)
        self._tell_state = cursor.ensure_at_least_one_state_emitted
        cursor._connector_state_manager = self  # type: ignore[attr-defined]
        cursor._message_repository = self  # type: ignore[attr-defined]
        cursor.ensure_at_least_one_state_emitted = self._end  # type: ignore[method-assign]

    def _end(self) -> None:
        self.is_ending = True
        self._tell_state()
        if not self.is_parent:
            for sentence in self._warnings():
                LOGGER.warning(sentence)

    def tell(self) -> None:
        """Let a state of the cursor out, as it is changed now."""
        self._tell_state()

    def get_stream_state(self, stream_name: str, namespace: str | None) -> Mapping[str, Any]:
        """The state as the CDK's manager has it."""
        state: Mapping[str, Any] = self._manager.get_stream_state(stream_name, namespace)
        return state

    def update_state_for_stream(
        self, stream_name: str, namespace: str | None, value: Mapping[str, Any]
    ) -> None:
        """Take a state from the cursor."""
        changed = self._change(value)
        self._is_held = changed is None
        if changed is not None:
            state = capped(changed, self._fields, self._ceiling)
            self._manager.update_state_for_stream(stream_name, namespace, state)

    def create_state_message(self, stream_name: str, namespace: str | None) -> AirbyteStateMessage:
        """The message of the state that was taken last."""
        message: AirbyteStateMessage = self._manager.create_state_message(stream_name, namespace)
        return message

    def emit_message(self, message: AirbyteMessage) -> None:
        """Let a message out, unless its state is held back."""
        if not self._is_held:
            self._repository.emit_message(message)
