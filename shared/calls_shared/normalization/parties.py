"""The two parties of a call: who called whom, and who of them is outside the company."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from calls_shared.keys import Keys, exactly
from calls_shared.normalization import converters
from calls_shared.normalization.converters import UNREADABLE
from calls_shared.normalization.mapping import SOURCE, MappingError, compile_column
from calls_shared.normalization.sources import Read
from calls_shared.paths import field

_OTHER: Final = frozenset({"other_of", "than_slice", "else_in_slice", "at", "ours"})
PARTIES: Final = Keys(
    frozenset({"external", "internal", "from", "to"}),
    each=exactly({*(SOURCE.known or ()), *_OTHER}),
)
"""The keys of the parties."""

_PARTIES = {
    "inbound": (("from_number", "external_number"), ("to_number", "internal_number")),
    "outbound": (("from_number", "internal_number"), ("to_number", "external_number")),
}


def complete_parties(call: dict[str, Any]) -> None:
    """Fill in the other two of the four number columns, as far as the direction tells."""
    for side, party in _PARTIES[call["direction"]]:
        number = call.get(party)
        if number is not None:
            call.setdefault(side, number)
        elif side in call:
            call[party] = call[side]


def compile_parties(parties: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Read]]:
    """Compile a manifest's `parties` (see `CallNormalization`) into a column and its source each.

    Raises:
        MappingError: on other names than those.
    """
    if set(parties) not in ({"external", "internal"}, {"from", "to"}, {"external"}, set()):
        raise MappingError("parties must name external and internal, or from and to")
    return [(f"{side}_number", _party(side, source)) for side, source in parties.items()]


def _party(side: str, source: Mapping[str, Any]) -> Read:
    """A number; `{other_of: path, than_slice: path}` is the list item that is not our own line.

    `else_in_slice: path` is a list of the parent that is read where the record's own is empty.
    Where the items are objects, `at` is the path of the number in them, and `ours` that of whom of
    the company the number stands for: with several other numbers it is the one that is nobody's.
    """
    if "other_of" not in source:
        return compile_column(f"{side}_number", "string", source)
    if not {"other_of", "than_slice"} <= set(source) <= _OTHER:
        raise MappingError(f"parties {side}: it has {', '.join(sorted(_OTHER))} only")
    if ("at" in source) is not ("ours" in source):
        raise MappingError(f"parties {side}: at and ours come together")
    if "at" in source:
        return _outsider(source)
    parties: Callable[[Mapping[str, Any]], Any] = field(source["other_of"])
    own = field(source["than_slice"])
    known = field(source["else_in_slice"]) if "else_in_slice" in source else None

    def read(record: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        numbers = parties(record)
        if not numbers and known is not None and isinstance(found := known(extra), list):
            numbers = found
        if not isinstance(numbers, list):
            return None if numbers is None else UNREADABLE
        others = [number for number in numbers if number != own(extra)]
        return converters.text(others[0]) if others else None

    return read


def _outsider(source: Mapping[str, Any]) -> Read:
    """The one number of a list of objects that is outside the company; null if there are more."""
    parties = field(source["other_of"])
    own, number_at, ours = (field(source[name]) for name in ("than_slice", "at", "ours"))

    def read(record: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        items, line = parties(record), own(extra)
        if not isinstance(items, list):
            return None if items is None else UNREADABLE
        others: dict[str, bool] = {}  # by number, whether it stands for somebody of the company
        for item in items:
            number = converters.text(number_at(item) if isinstance(item, Mapping) else item)
            if number is UNREADABLE:
                return UNREADABLE
            if isinstance(number, str) and number != line:
                is_ours = isinstance(item, Mapping) and ours(item) not in (None, "")
                others[number] = others.get(number, False) or is_ours
        if len(others) > 1 or line is None:
            others = {number: is_ours for number, is_ours in others.items() if not is_ours}
        return next(iter(others)) if len(others) == 1 else None

    return read
