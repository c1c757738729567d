"""The mapping of one provider: data in its manifest, compiled once into plain functions.

A column's source is one of (first match in this order):

    {cases: [{value: V, equals: {path: V, ...}, present: [path, ...]}, ...], ...}   first case met
    {from: path}  {from: [path, ...]}     the first field that is not null
    {dialogue: path, from: path}          a list of what was said, as a text; then `from`
    {join: [path, ...]}                   texts joined by a blank
    {latest: [path, ...]}                 the last of several timestamps; each must be readable
    {uuid7: path}                         the moment in a UUIDv7, then `from`
    {from_slice: path}                    a field of the parent, from the stream slice
    {lookup: path, in_slice: path, at: path, join: [path, ...]}   a text of a parent's list item

with these additions: `words: {theirs: ours}` translates, beside the words that telephony vendors
share, `unless: path` gives null where that field is true; `computed` says what stands in where none
of it gives a value (`calls_shared.normalization`). A path is the names of nested fields joined by
dots; where one of them holds something else than an object, the column is unreadable. In `join` a
name may end with `[]`: the field holds a list, and each item is read.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calls_shared import converters
from calls_shared.converters import UNREADABLE
from calls_shared.words import COLUMNS_OF_WORDS, UnknownWord, ignore, translator

Convert = Callable[[Any], Any]
Read = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
"""A compiled source: takes the provider's record and the slice's extra fields, gives a value."""

_CONVERTERS: Mapping[str, Convert] = {
    "string": converters.text,
    "timestamp": converters.timestamp,
    "integer": converters.whole_seconds,
    "boolean": converters.boolean,
}
_KEYS = frozenset("cases from dialogue join latest uuid7 from_slice words unless computed".split())


class MappingError(ValueError):
    """A mapping in a manifest that cannot be compiled; the message names the column."""


def field(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """A function that reads a path from a parsed JSON object; null where a part is missing."""
    first, *names = path.split(".")
    if not names:
        return lambda record: record.get(path)

    if len(names) == 1:
        (second,) = names

        def inner(record: Mapping[str, Any]) -> Any:
            value = record.get(first)
            return value.get(second) if isinstance(value, dict) else None

        return inner

    def nested(record: Mapping[str, Any]) -> Any:
        value = record.get(first)
        for name in names:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    return nested


def value_at(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """The same for a column: `UNREADABLE` where a part on the way is no object, but says something.

    An empty text or list in place of an object says nothing (PHP writes an empty object as `[]`).
    """
    first, *names = path.split(".")
    if not names:
        return lambda record: record.get(path)

    def nested(record: Mapping[str, Any]) -> Any:
        value = record.get(first)
        for name in names:
            if value.__class__ is not dict:
                return None if value in (None, "", []) else UNREADABLE
            value = value.get(name)
        return value

    return nested


def values_at(path: str) -> Callable[[Mapping[str, Any]], list[Any]]:
    """All values of a path in which a name may end with `[]`, in order.

    What is no list there counts as unreadable; a null one holds nothing.
    """
    names = path.split(".")

    def read(record: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = [record]
        for name in names:
            found = [step(item, name) for item in found if item is not None]
            if name.endswith("[]"):
                found = [item for items in found for item in _items(items)]
        return found

    def step(item: Any, name: str) -> Any:
        return item.get(name.removesuffix("[]")) if isinstance(item, Mapping) else UNREADABLE

    return read


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [UNREADABLE]


def plain_field(
    name: str, kind: str, source: Mapping[str, Any], unknown_word: UnknownWord = ignore
) -> tuple[str, Convert] | None:
    """The field and the converter of a column that needs nothing else, as most columns do."""
    path = source.get("from")
    if (
        not source.keys() <= {"from", "words", "computed"}
        or not isinstance(path, str)
        or "." in path
    ):
        return None
    return path, _converter(name, kind, source, unknown_word)


def compile_column(
    name: str, kind: str, source: Mapping[str, Any], unknown_word: UnknownWord = ignore
) -> Read:
    """Compile one column's source.

    Args:
        name: the column's name.
        kind: its kind, see `calls_shared.columns.Column`.
        source: where it comes from, see above.
        unknown_word: is told each word of a status or a direction that is in no vocabulary.

    Raises:
        MappingError: if the source has an unknown key or none that says where to read.
    """
    if unknown := set(source) - _KEYS:
        raise MappingError(f"column {name}: unknown key {sorted(unknown)[0]!r} in its mapping")
    if kind not in _CONVERTERS:
        raise MappingError(f"column {name}: a column of kind {kind!r} cannot be mapped")
    read = _source(name, _converter(name, kind, source, unknown_word), source)
    if "cases" in source:
        for case in source["cases"]:
            if "value" not in case or set(case) - {"value", "equals", "present"}:
                raise MappingError(f"column {name}: a case has value, equals and present only")
        read = _cases(source["cases"], read)
    if "unless" in source:
        read = _unless(field(source["unless"]), read)
    return read


def _converter(
    name: str, kind: str, source: Mapping[str, Any], unknown_word: UnknownWord
) -> Convert:
    if name not in COLUMNS_OF_WORDS:
        if "words" in source:
            raise MappingError(f"column {name}: only status and direction have words")
        return _CONVERTERS[kind]
    if not {"from", "from_slice", "cases"} & source.keys():
        raise MappingError(f"column {name}: its words come with from, from_slice or cases")
    return translator(name, source.get("words", {}), unknown_word)


def _source(name: str, convert: Convert, source: Mapping[str, Any]) -> Read:
    if "uuid7" in source:
        return _either(_uuid7(source["uuid7"]), _fields(convert, source.get("from", [])))
    if "dialogue" in source:
        return _either(_dialogue(source["dialogue"]), _fields(convert, source.get("from", [])))
    if "from" in source:
        return _fields(convert, source["from"])
    if "join" in source:
        if (pair := _pair(source["join"])) is not None:
            return pair
        if any("[]" in path for path in source["join"]):
            lists = [values_at(path) for path in source["join"]]
            return lambda record, _: converters.joined(v for read in lists for v in read(record))
        reads = [value_at(path) for path in source["join"]]
        return lambda record, _: converters.joined([read(record) for read in reads])
    if "latest" in source:
        return _latest([value_at(path) for path in source["latest"]])
    if "from_slice" in source:
        read_slice = value_at(source["from_slice"])
        return lambda _, extra: convert(read_slice(extra))
    if "cases" in source:
        return lambda _record, _extra: None
    raise MappingError(f"column {name}: its mapping does not say where to read it from")


def _pair(paths: Sequence[str]) -> Read | None:
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


def _fields(convert: Convert, paths: str | Sequence[str]) -> Read:
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


def _dialogue(path: str) -> Read:
    read = value_at(path)
    return lambda record, _: converters.dialogue(read(record))


def _uuid7(path: str) -> Read:
    read = field(path)
    return lambda record, _: converters.uuid7_timestamp(read(record))


def _either(first: Read, second: Read) -> Read:
    def read(record: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        value = first(record, extra)
        return second(record, extra) if value is None or value is UNREADABLE else value

    return read


def _latest(reads: Sequence[Callable[[Mapping[str, Any]], Any]]) -> Read:
    """The last of the moments; unreadable if one of them is, for it might be the last."""

    def read(record: Mapping[str, Any], _: Mapping[str, Any]) -> Any:
        found: str | None = None
        for part in reads:
            value = part(record)
            if value is None:
                continue
            moment = converters.timestamp(value)
            if moment is UNREADABLE:
                return UNREADABLE
            if isinstance(moment, str) and (found is None or found[:-1] < moment[:-1]):
                found = moment
        return found

    return read


def _cases(cases: Sequence[Mapping[str, Any]], otherwise: Read) -> Read:
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
                given = part(record)
                # `is` first: 1 must not pass for true
                if given is not wanted and not (isinstance(wanted, str) and given == wanted):
                    break
            else:
                for part in present:
                    if part(record) in (None, ""):
                        break
                else:
                    return value
        return otherwise(record, extra)

    return read


def _unless(condition: Callable[[Mapping[str, Any]], Any], read: Read) -> Read:
    return lambda record, extra: None if condition(record) is True else read(record, extra)
