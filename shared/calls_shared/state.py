"""State: reading what a user or the platform hands in, and capping what is emitted."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from airbyte_cdk.models import AirbyteStateBlob, AirbyteStateMessage, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import converters
from calls_shared.manifest import StreamCursor

_NO_CURSOR_YET = frozenset(
    {
        "__ab_no_cursor_state_message",
        "__ab_full_refresh_sync_complete",
        "use_global_cursor",
        "lookback_window",
    }
)


def as_mapping(message: AirbyteStateMessage) -> dict[str, Any]:
    """The state of one stream as plain data; empty if there is none yet."""
    blob = message.stream.stream_state if message.stream else None
    state = dict(vars(blob)) if blob is not None else {}
    # the CDK emits such marks and notes for a stream of which nothing was read yet
    return {} if set(state) <= _NO_CURSOR_YET else state


def cursor_values(state: Any, cursor_fields: Collection[str]) -> Iterator[Any]:
    """All values that stand under one of the cursor fields, at any depth."""
    if isinstance(state, Mapping):
        for key, value in state.items():
            if key in cursor_fields and not isinstance(value, (Mapping, list)):
                yield value
            else:
                yield from cursor_values(value, cursor_fields)
    elif isinstance(state, list):
        for item in state:
            yield from cursor_values(item, cursor_fields)


def check_state(
    stream: str, state: Mapping[str, Any], cursor_field: str, parents: Mapping[str, str]
) -> None:
    """Refuse a state that would silently be taken for another one.

    Args:
        stream: the stream's name.
        state: its state.
        cursor_field: its cursor field.
        parents: names and cursor fields of the parent streams whose state is kept with it.

    Raises:
        AirbyteTracedException: (config_error) if the cursor is missing or unreadable.
    """
    if not state:
        return
    fix = "Use the state that the last sync emitted, or none to read everything again."
    kept = state.get("parent_state")
    known = kept if isinstance(kept, Mapping) else {}
    if cursor_field not in state and not (parents and set(parents) <= set(known)):
        raise AirbyteTracedException(
            message=f"The state of the stream {stream} has no cursor {cursor_field}. {fix}",
            internal_message=f"keys of the state: {sorted(map(str, state))[:10]}",
            failure_type=FailureType.config_error,
        )
    for value in cursor_values(state, {cursor_field, *parents.values()}):
        if not isinstance(value, str) or not isinstance(converters.moment(value), str):
            raise AirbyteTracedException(
                message=f"The state of the stream {stream} holds a cursor {cursor_field} that is"
                f" not a date-time such as 2026-01-31T00:00:00.000000Z. {fix}",
                internal_message=f"type of the value: {type(value).__name__}",
                failure_type=FailureType.config_error,
            )


def newest(state: Any, cursor_fields: Collection[str]) -> str | None:
    """The newest cursor value in a state that has been checked."""
    moments = (converters.moment(value) for value in cursor_values(state, cursor_fields))
    return converters.latest(moment for moment in moments if isinstance(moment, str))


def capped(state: Any, cursor_fields: Collection[str], ceiling: str) -> Any:
    """The state with no cursor value beyond the ceiling (RFC 3339, six fraction digits).

    A call can change after its page was read, while a later page carries a newer time; so no state
    may pass the moment before the sync's first request.
    """
    if isinstance(state, Mapping):
        return {
            key: min(value, ceiling, key=converters.sort_key)
            if key in cursor_fields and isinstance(value, str)
            else capped(value, cursor_fields, ceiling)
            for key, value in state.items()
        }
    if isinstance(state, list):
        return [capped(item, cursor_fields, ceiling) for item in state]
    return state


def cap_message(message: AirbyteStateMessage, cursor_fields: Collection[str], ceiling: str) -> None:
    """Cap the state of a message in place."""
    if message.stream and message.stream.stream_state is not None:
        state = vars(message.stream.stream_state)
        message.stream.stream_state = AirbyteStateBlob(**capped(state, cursor_fields, ceiling))


class StateGuard:
    """Checks the states that come in and caps those that go out.

    Attributes:
        known: by stream name, the newest cursor value of its state.
        usable: the states that hold a cursor; marks of a full refresh without one are left out.

    Raises:
        AirbyteTracedException: (config_error) on a state that cannot be used.
    """

    def __init__(
        self,
        cursors: Mapping[str, StreamCursor],
        states: Iterable[AirbyteStateMessage],
        began: str,
    ) -> None:
        """A guard of a sync that began at a moment (RFC 3339, six fraction digits)."""
        self._cursors = cursors
        self._began = began
        self.known: dict[str, str | None] = {}
        self.usable: list[AirbyteStateMessage] = []
        for message in states:
            name, content = _stream_name(message), as_mapping(message)
            if name in cursors and content:
                check_state(name, content, cursors[name].field, cursors[name].parents)
                self.known[name] = newest(content, cursors[name].fields)
                self.usable.append(message)

    def cap(self, message: AirbyteStateMessage) -> None:
        """Cap an outgoing state in place; a state that came in from the future stays."""
        name = _stream_name(message)
        if name in self._cursors:
            known = self.known.get(name)
            ceiling = converters.latest([self._began, *([known] if known else [])]) or self._began
            cap_message(message, self._cursors[name].fields, ceiling)


def _stream_name(message: AirbyteStateMessage) -> str:
    return message.stream.stream_descriptor.name if message.stream else ""
