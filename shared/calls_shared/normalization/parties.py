"""The two parties of a call: who called whom, and who of them is outside the company."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from calls_shared.keys import Keys, exactly
from calls_shared.normalization import converters
from calls_shared.normalization.converters import UNREADABLE
from calls_shared.normalization.mapping import SOURCE, MappingError, compile_column
from calls_shared.normalization.sources import Read
from calls_shared.paths import field

_OTHER: Final = frozenset({"other_of", "than_slice", "else_in_slice"})
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
    """A number; `{other_of: path, than_slice: path}` is the list item that is not our own.

    `else_in_slice: path` is a list of the parent that is read where the record's own is empty.
    """
    if "other_of" not in source:
        return compile_column(f"{side}_number", "string", source)
    if not {"other_of", "than_slice"} <= set(source) <= _OTHER:
        raise MappingError(f"parties {side}: it has other_of, than_slice and else_in_slice only")
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
