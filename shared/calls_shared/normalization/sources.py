"""The sources of a column, compiled: functions from a record and its slice to a value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calls_shared.normalization import converters, times
from calls_shared.normalization.converters import UNREADABLE
from calls_shared.normalization.fields import value_at
from calls_shared.paths import field

Convert = Callable[[Any], Any]
Read = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
"""A compiled source: takes the provider's record and the slice's extra fields, gives a value."""


def pair(paths: Sequence[str]) -> Read | None:
    """A first and a last name in one object, as most names come: read at once."""
    parents = [path.split(".") for path in paths]
    if len(parents) != 2 or {len(names) for names in parents} != {2}:
        return None
    (parent, first), (other, last) = parents
    if parent != other:
        return None
    reads = [value_at(path) for path in paths]

    def read(record: Mapping[str, Any], _: Mapping[str, Any]) -> Any:
        person = record.get(parent)
        if person.__class__ is not dict:
            return converters.joined([part(record) for part in reads])
        one, two = person.get(first), person.get(last)
        if one.__class__ is str and two.__class__ is str and one and two:
            return f"{one} {two}"
        return converters.joined((one, two))

    return read


def first_of(convert: Convert, paths: str | Sequence[str]) -> Read:
    """The first of some fields that says something."""
    paths = [paths] if isinstance(paths, str) else paths
    if len(paths) == 1 and "." not in paths[0]:
        only = paths[0]
        return lambda record, _: convert(record.get(only))
    reads = [value_at(path) for path in paths]
    if len(reads) == 1:
        (read_only,) = reads
        return lambda record, _: convert(read_only(record))

    def first(record: Mapping[str, Any], _: Mapping[str, Any]) -> Any:
        answer: Any = None
        for read in reads:
            value = convert(read(record))
            if value is not None and value is not UNREADABLE:
                return value
            answer = answer or value
        return answer

    return first


def dialogue(path: str) -> Read:
    """What was said, a line for each entry of a list."""
    read = value_at(path)
    return lambda record, _: converters.dialogue(read(record))


def uuid7(path: str) -> Read:
    """The moment in a UUID of version 7."""
    read = field(path)
    return lambda record, _: times.uuid7_timestamp(read(record))


def either(first: Read, second: Read) -> Read:
    """One source, and where it says nothing that can be read another."""

    def read(record: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        value = first(record, extra)
        return second(record, extra) if value is None or value is UNREADABLE else value

    return read


def latest(
    reads: Sequence[Callable[[Mapping[str, Any]], Any]], convert: Convert = times.timestamp
) -> Read:
    """The last of the moments; unreadable if one of them is, for it might be the last."""

    def read(record: Mapping[str, Any], _: Mapping[str, Any]) -> Any:
        found: str | None = None
        for part in reads:
            value = part(record)
            if value is None:
                continue
            moment = convert(value)
            if moment is UNREADABLE:
                return UNREADABLE
            if isinstance(moment, str) and (found is None or found[:-1] < moment[:-1]):
                found = moment
        return found

    return read


def first_case(cases: Sequence[Mapping[str, Any]], otherwise: Read) -> Read:
    """The value of the first case that is met."""
    compiled = [
        (
            case["value"],
            [(field(path), value) for path, value in case.get("equals", {}).items()],
            [field(path) for path in case.get("present", [])],
        )
        for case in cases
    ]

    def read(record: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        for value, equals, present in compiled:
            for part, wanted in equals:
                if not _is(part(record), wanted):
                    break
            else:
                for part in present:
                    if part(record) in (None, ""):
                        break
                else:
                    return value
        return otherwise(record, extra)

    return read


def _is(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_is(given, one) for one in wanted)
    # `is` first: 1 must not pass for true
    return given is wanted or (isinstance(wanted, str) and given == wanted)


def where(conditions: Mapping[str, Any], read: Read, *, met: bool = True) -> Read:
    """Null unless all of some fields have their values (or, if not `met`, where they have).

    Args:
        conditions: by path the value, or a list of values, of which the field has one.
        read: what is read.
        met: whether it is read where the conditions are met, or where they are not.
    """
    compiled = [(field(path), value) for path, value in conditions.items()]

    def read_where(record: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        is_met = all(_is(part(record), wanted) for part, wanted in compiled)
        return read(record, extra) if is_met is met else None

    return read_where
