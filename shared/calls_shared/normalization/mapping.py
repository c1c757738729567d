"""The mapping of one provider: data in its manifest, compiled once into plain functions.

A column's source is one of (first match in this order):

    {cases: [{value: V, equals: {path: V, ...}, present: [path, ...]}, ...], ...}   first case met
    {from: path}  {from: [path, ...]}     the first field that is not null
    {dialogue: path, from: path}          a list of what was said, as a text; then `from`
    {join: [path, ...]}                   texts joined by a blank
    {lines: [path, ...]}                  texts joined by a line break
    {list: [path, ...]}                   an array of texts, each once
    {latest: [path, ...]}                 the last of several timestamps; each must be readable
    {uuid7: path}                         the moment in a UUIDv7, then `from`
    {from_slice: path}                    a field of the parent, from the stream slice

with these additions: `words: {theirs: ours}` translates, beside the words that telephony vendors
share; `unit: seconds` or `unit: milliseconds` says in what a duration, or a number that stands for
a time, is counted (its digits may come as a text); `where: {path: value, ...}` gives null unless
these fields have these values (of a list, one of them), `unless: {path: value, ...}` where they
have, and `unless: path` where that field is true; `computed: ended_minus_started` says what stands
in for a duration where none of it gives one. A path is the names of nested fields joined by dots;
where one of them holds something else than an object, the column is unreadable. In `join`, `lines`
and `list` a name may end with `[]`: the field holds a list, and each item is read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from calls_shared.keys import FREE, exactly
from calls_shared.normalization import converters, sources, times
from calls_shared.normalization.fields import value_at, values_at
from calls_shared.normalization.sources import Convert, Read
from calls_shared.normalization.words import (
    COLUMNS_OF_WORDS,
    UnknownWord,
    ignore,
    is_ours,
    translator,
)

_CONVERTERS: Mapping[str, Convert] = {
    "string": converters.text,
    "timestamp": times.timestamp,
    "integer": converters.whole_seconds,
    "number": converters.number,
    "boolean": converters.boolean,
    "array": lambda value: converters.texts(value if isinstance(value, list) else [value]),
}
_CONVERTERS_OF_UNITS: Mapping[str, Callable[..., Any]] = {
    "timestamp": times.counted,
    "integer": converters.seconds_counted,
}
_TYPES: Mapping[str, type[Any] | tuple[type[Any], ...]] = {
    "string": str,
    "timestamp": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
}
COMPUTED: Final = "ended_minus_started"
"""What stands in for a duration that is not stated."""

_CASE = exactly(("value", "equals", "present"), equals=FREE)
SOURCE: Final = exactly(
    "cases from dialogue join lines list latest uuid7 from_slice words unit where unless"
    " computed".split(),
    words=FREE,
    where=FREE,
    unless=FREE,
    cases=_CASE,
)
"""The keys of a column's source."""


class MappingError(ValueError):
    """A mapping in a manifest that cannot be compiled; the message names the column."""


def plain_field(
    name: str, kind: str, source: Mapping[str, Any], unknown_word: UnknownWord = ignore
) -> tuple[str, Convert] | None:
    """The field and the converter of a column that needs nothing else, as most columns do."""
    path = source.get("from")
    if (
        not source.keys() <= {"from", "words", "unit", "computed"}
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
        kind: its kind, see `calls_shared.normalization.columns.Column`.
        source: where it comes from, see above.
        unknown_word: is told each word of a status or a direction that is in no vocabulary.

    Raises:
        MappingError: if the source has an unknown key or none that says where to read.
    """
    if unknown := source.keys() - (SOURCE.known or ()):
        raise MappingError(f"column {name}: unknown key {sorted(unknown)[0]!r} in its mapping")
    if kind not in _CONVERTERS:
        raise MappingError(f"column {name}: a column of kind {kind!r} cannot be mapped")
    if (kind == "array") is not ("list" in source):
        raise MappingError(f"column {name}: list is the source of an array, and of nothing else")
    read = _source(name, _converter(name, kind, source, unknown_word), source)
    if "cases" in source:
        for case in source["cases"]:
            if "value" not in case or case.keys() - (_CASE.known or ()):
                raise MappingError(f"column {name}: a case has value, equals and present only")
            if not isinstance(case["value"], _TYPES[kind]) or not is_ours(name, case["value"]):
                raise MappingError(f"column {name}: {case['value']!r} is no value of this column")
        read = sources.first_case(source["cases"], read)
    if "where" in source:
        read = sources.where(source["where"], read)
    if "unless" in source:
        unless = source["unless"]
        conditions = {unless: True} if isinstance(unless, str) else unless
        read = sources.where(conditions, read, met=False)
    return read


def _converter(
    name: str, kind: str, source: Mapping[str, Any], unknown_word: UnknownWord
) -> Convert:
    if "unit" in source:
        if kind not in _CONVERTERS_OF_UNITS or source["unit"] not in converters.UNITS:
            raise MappingError(
                f"column {name}: only times and durations have a unit, seconds or milliseconds"
            )
        return partial(_CONVERTERS_OF_UNITS[kind], unit=source["unit"])
    if name not in COLUMNS_OF_WORDS:
        if "words" in source:
            raise MappingError(f"column {name}: only status and direction have words")
        return _CONVERTERS[kind]
    for word in source.get("words", {}).values():
        if not is_ours(name, word):
            raise MappingError(f"column {name}: {word!r} in its words is no value of this column")
    if not {"from", "from_slice", "cases"} & source.keys():
        raise MappingError(f"column {name}: its words come with from, from_slice or cases")
    return translator(name, source.get("words", {}), unknown_word)


def _source(name: str, convert: Convert, source: Mapping[str, Any]) -> Read:
    otherwise = sources.first_of(convert, source.get("from", []))
    if "uuid7" in source:
        return sources.either(sources.uuid7(source["uuid7"]), otherwise)
    if "dialogue" in source:
        return sources.either(sources.dialogue(source["dialogue"]), otherwise)
    if "from" in source:
        return sources.first_of(convert, source["from"])
    if "join" in source:
        if (pair := sources.pair(source["join"])) is not None:
            return pair
        if any("[]" in path for path in source["join"]):
            return _of_all(source["join"], converters.joined)
        reads = [value_at(path) for path in source["join"]]
        return lambda record, _: converters.joined([read(record) for read in reads])
    if "lines" in source:
        return _of_all(source["lines"], partial(converters.joined, by="\n"))
    if "list" in source:
        return _of_all(source["list"], converters.texts)
    if "latest" in source:
        return sources.latest([value_at(path) for path in source["latest"]], convert)
    if "from_slice" in source:
        read_slice = value_at(source["from_slice"])
        return lambda _, extra: convert(read_slice(extra))
    if "cases" in source:
        return lambda _record, _extra: None
    raise MappingError(f"column {name}: its mapping does not say where to read it from")


def _of_all(paths: Sequence[str], convert: Callable[[Iterable[Any]], Any]) -> Read:
    """What all values of some paths give together."""
    reads = [values_at(path) for path in paths]
    return lambda record, _: convert(value for read in reads for value in read(record))
