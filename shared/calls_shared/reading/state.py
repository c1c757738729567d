"""State: reading what a user or the platform hands in, and capping what is emitted."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    FailureType,
    SyncMode,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.normalization import times
from calls_shared.reading.cursors import StreamCursor
from calls_shared.reading.moments import is_ahead, moment_of, within_bounds

_PARTITION = "partition"  # what the CDK keeps a state for; never a cursor

_OWN_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)

_AHEAD = timedelta(days=1)  # more than any clock is wrong by a time zone

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
    return state if holds_something(state) else {}


def holds_something(state: Mapping[str, Any]) -> bool:
    """Whether a state is more than the CDK's marks of a stream of which nothing was read yet."""
    return not set(state) <= _NO_CURSOR_YET


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
        return value if moment is None else times.format_timestamp(within_bounds(moment))

    return _changed(state, cursor_fields, own)


def with_a_start(state: Mapping[str, Any], cursor_field: str) -> Mapping[str, Any]:
    """The state of a list; one that is written by hand says from where on changes are wanted.

    A state of version 0.1.0 has no inventory either, but its cursor always has six fraction
    digits; of that one all is read once more, because it may have lost calls.
    """
    value = state.get(cursor_field)
    if "complete" in state or not isinstance(value, str):
        return state
    return state if _OWN_FORM.fullmatch(value) else {**state, "complete": {"cursor": value}}


def newest(state: Any, cursor_fields: Collection[str]) -> str | None:
    """The newest cursor value of a state in our own form."""
    return times.latest(cursor_values(state, cursor_fields))


def warning_of_the_future(stream: str, latest: str | None) -> str | None:
    """What the user should know of a state whose newest cursor value lies far in the future."""
    moment, now = moment_of(latest), datetime.now(UTC)
    if moment is None or not is_ahead(moment, now, _AHEAD):
        return None
    return (
        f"The state of the stream {stream} holds {latest}, which is more than a day"
        f" ahead of the time here ({now:%Y-%m-%d}): changes of an earlier time may be"
        " left out. If that clock is right, reset the stream or use an older state."
    )


def capped(state: Any, cursor_fields: Collection[str], ceiling: str) -> Any:
    """The state with no cursor value beyond the ceiling (RFC 3339, six fraction digits).

    A call can change after its page was read, while a later page carries a newer time; so no state
    may pass the moment before the sync's first request.
    """
    return _changed(state, cursor_fields, lambda value: min(value, ceiling, key=times.sort_key))


def usable(states: Iterable[AirbyteStateMessage]) -> list[AirbyteStateMessage]:
    """The states that hold something; marks of a stream of which nothing was read are left out."""
    return [message for message in states if as_mapping(message)]


def newest_of(
    states: Iterable[AirbyteStateMessage], cursors: Mapping[str, StreamCursor]
) -> dict[str, str | None]:
    """By name of an incremental stream, the newest cursor value of its checked state."""
    known: dict[str, str | None] = dict.fromkeys(cursors)
    for message in states:
        if (cursor := cursors.get(name := _stream_name(message))) is not None:
            fields = cursor.fields
            known[name] = newest(in_own_form(as_mapping(message), fields), fields)
    return known


def _stream_name(message: AirbyteStateMessage) -> str:
    return message.stream.stream_descriptor.name if message.stream else ""
