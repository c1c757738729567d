"""State: reading what a user or the platform hands in, and capping what is emitted."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    ConfiguredAirbyteCatalog,
    FailureType,
    SyncMode,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import converters
from calls_shared.manifest import StreamCursor
from calls_shared.moments import is_ahead, moment_of, within_bounds

_AHEAD = timedelta(days=1)  # more than any clock is wrong by a time zone
_PARTITION = "partition"  # what the CDK keeps a state for; never a cursor

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


def of_incremental(
    states: Iterable[AirbyteStateMessage], catalog: ConfiguredAirbyteCatalog
) -> list[AirbyteStateMessage]:
    """The states without those of streams of which everything is to be read."""
    full = {s.stream.name for s in catalog.streams if s.sync_mode is SyncMode.full_refresh}
    return [message for message in states if _stream_name(message) not in full]


def cursor_values(state: Any, cursor_fields: Collection[str]) -> Iterator[Any]:
    """All values that stand under one of the cursor fields, at any depth."""
    if isinstance(state, Mapping):
        for key, value in state.items():
            if key in cursor_fields and not isinstance(value, (Mapping, list)):
                yield value
            elif key != _PARTITION:
                yield from cursor_values(value, cursor_fields)
    elif isinstance(state, list):
        for item in state:
            yield from cursor_values(item, cursor_fields)


def _changed(state: Any, cursor_fields: Collection[str], change: Callable[[str], str]) -> Any:
    """The state with each of its cursor values changed; all else is carried along."""
    if isinstance(state, Mapping):
        return {
            key: change(value)
            if key in cursor_fields and isinstance(value, str)
            else value
            if key == _PARTITION
            else _changed(value, cursor_fields, change)
            for key, value in state.items()
        }
    if isinstance(state, list):
        return [_changed(item, cursor_fields, change) for item in state]
    return state


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
        if moment_of(value) is None:
            raise AirbyteTracedException(
                message=f"The state of the stream {stream} holds a cursor {cursor_field} that is"
                f" not a date-time such as 2026-01-31T00:00:00.000000Z. {fix}",
                internal_message=f"type of the value: {type(value).__name__}",
                failure_type=FailureType.config_error,
            )
    is_odd = isinstance(state.get(cursor_field), (Mapping, list))
    if is_odd or (parents and not _has_the_cdks_form(state)):
        raise AirbyteTracedException(
            message=f"The state of the stream {stream} is not in the form in which such states are"
            f" kept. {fix}",
            internal_message=f"keys of the state: {sorted(map(str, state))[:10]}",
            failure_type=FailureType.config_error,
        )


def _has_the_cdks_form(state: Any) -> bool:
    """Whether a state by partition is one that the CDK can read, down to those of its parents."""
    if not isinstance(state, Mapping):
        return False
    entries, parents = state.get("states", []), state.get("parent_state", {})
    return (
        isinstance(state.get("state", {}), Mapping)
        and isinstance(state.get("lookback_window", 0), (int, float))
        and isinstance(entries, list)
        and all(
            isinstance(entry, Mapping)
            and isinstance(entry.get("partition", {}), Mapping)
            and isinstance(entry.get("cursor"), Mapping)
            and not any(isinstance(value, (Mapping, list)) for value in entry["cursor"].values())
            for entry in entries
        )
        and isinstance(parents, Mapping)
        and all(_has_the_cdks_form(parent) for parent in parents.values())
    )


def in_own_form(state: Any, cursor_fields: Collection[str]) -> Any:
    """A checked state with each cursor value as the CDK is told to read it, within its bounds.

    RFC 3339 in UTC with six fraction digits. A moment before 1990 bounds nothing there either.
    """

    def own(value: str) -> str:
        moment = moment_of(value)
        return value if moment is None else converters.format_timestamp(within_bounds(moment))

    return _changed(state, cursor_fields, own)


def newest(state: Any, cursor_fields: Collection[str]) -> str | None:
    """The newest cursor value of a state in our own form."""
    return converters.latest(cursor_values(state, cursor_fields))


def capped(state: Any, cursor_fields: Collection[str], ceiling: str) -> Any:
    """The state with no cursor value beyond the ceiling (RFC 3339, six fraction digits).

    A call can change after its page was read, while a later page carries a newer time; so no state
    may pass the moment before the sync's first request.
    """
    return _changed(
        state, cursor_fields, lambda value: min(value, ceiling, key=converters.sort_key)
    )


def cap_message(message: AirbyteStateMessage, cursor_fields: Collection[str], ceiling: str) -> None:
    """Cap the state of a message in place."""
    if message.stream and message.stream.stream_state is not None:
        state = vars(message.stream.stream_state)
        message.stream.stream_state = AirbyteStateBlob(**capped(state, cursor_fields, ceiling))


class StateGuard:
    """Checks the states that come in and caps those that go out.

    Attributes:
        known: by stream name, the newest cursor value of its state.
        usable: the states that hold a cursor, in our own form; marks of a full refresh without one
            are left out.
        warnings: what the user should know of the states, a sentence each.

    Raises:
        AirbyteTracedException: (config_error) on a state that cannot be used.
    """

    def __init__(
        self,
        cursors: Mapping[str, StreamCursor],
        states: Iterable[AirbyteStateMessage],
        began: datetime,
    ) -> None:
        """A guard of a sync that began at a moment in UTC."""
        self._cursors = cursors
        self._began = converters.format_timestamp(began)
        self.known: dict[str, str | None] = {}
        self.usable: list[AirbyteStateMessage] = []
        self.warnings: list[str] = []
        for message in states:
            name, content = _stream_name(message), as_mapping(message)
            if name in cursors and content and message.stream is not None:
                check_state(name, content, cursors[name].field, cursors[name].parents)
                content = in_own_form(content, cursors[name].fields)
                latest = self.known[name] = newest(content, cursors[name].fields)
                self.usable.append(_with_content(message.stream, content))
                moment = moment_of(latest)
                if moment is not None and is_ahead(moment, began, _AHEAD):
                    self.warnings.append(
                        f"The state of the stream {name} holds {latest}, which is more than a day"
                        f" ahead of the time here ({self._began}): no change of an earlier time"
                        " is read. If that clock is right, reset the stream or use an older state."
                    )

    def cap(self, message: AirbyteStateMessage) -> None:
        """Cap an outgoing state in place; a state that came in from the future stays."""
        name = _stream_name(message)
        if name in self._cursors:
            known = self.known.get(name)
            ceiling = converters.latest([self._began, *([known] if known else [])]) or self._began
            cap_message(message, self._cursors[name].fields, ceiling)


def _stream_name(message: AirbyteStateMessage) -> str:
    return message.stream.stream_descriptor.name if message.stream else ""


def _with_content(stream: AirbyteStreamState, content: Mapping[str, Any]) -> AirbyteStateMessage:
    """A state message of its own, because the one that was handed in is the caller's."""
    return AirbyteStateMessage(
        type=AirbyteStateType.STREAM,
        stream=AirbyteStreamState(
            stream_descriptor=stream.stream_descriptor, stream_state=AirbyteStateBlob(**content)
        ),
    )
