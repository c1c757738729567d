"""Converters: pure, total functions from a provider's value to a column's value.

Each takes any JSON value. It returns the converted value, `None` where the provider does not say
(an absent field, a null, an empty string, a time that stands for "never"), or `UNREADABLE` where a
value is there but cannot be read; nothing is guessed and nothing is raised.
"""

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

from calls_shared.normalization.dialogue import line


class Unreadable(Enum):
    """The type of `UNREADABLE`, the answer of a converter that cannot read a value."""

    VALUE = "unreadable"


UNREADABLE: Final = Unreadable.VALUE

_DIGITS: Final = re.compile(r"\d+(\.\d+)?", re.ASCII)
_LARGEST_INTEGER: Final = 2**63 - 1  # what warehouses keep in a 64-bit integer


def text(value: Any) -> str | None | Unreadable:
    """A string as given; an integer as its digits (ids); an empty string is null."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 256:
        return str(value)
    return UNREADABLE


def boolean(value: Any) -> bool | None | Unreadable:
    """True or false; no other value stands for one of them."""
    if value is None or isinstance(value, bool):
        return value
    return UNREADABLE


def whole_seconds(value: Any) -> int | None | Unreadable:
    """A duration in whole seconds: a non-negative number, or its digits as a string."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNREADABLE
    if not 0 <= value <= _LARGEST_INTEGER:  # false for NaN and the infinities too
        return UNREADABLE
    return int(value)


def number(value: Any) -> int | float | None | Unreadable:
    """A number as given, or the digits of one as a text; no rounding."""
    if value is None or value == "":
        return None
    found = counted_number(value)
    # false for NaN and the infinities too
    return found if found is not None and abs(found) <= _LARGEST_INTEGER else UNREADABLE


def joined(values: Iterable[Any], by: str = " ") -> str | None | Unreadable:
    """Several texts joined by one blank (a first and a last name); null if there is none."""
    words = ""
    for value in values:
        part = value if value.__class__ is str else text(value)
        if part is UNREADABLE:
            return UNREADABLE
        if part:
            words = f"{words}{by}{part}" if words else part
    return words or None


def texts(values: Iterable[Any]) -> list[str] | None | Unreadable:
    """Several texts, each once and in their order; null if there is none."""
    found: dict[str, None] = {}
    for value in values:
        part = text(value)
        if isinstance(part, str):
            found[part] = None
        elif part is UNREADABLE:
            return UNREADABLE
    return [*found] or None


UNITS: Final = {"seconds": 1, "milliseconds": 1000}
"""How many of a unit a second has."""


def counted_number(value: Any) -> int | float | None:
    """A number, or the digits of one as a text; None for anything else."""
    if isinstance(value, str) and len(value) < 20 and _DIGITS.fullmatch(value):
        return float(value) if "." in value else int(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else None


def seconds_counted(value: Any, unit: str) -> int | None | Unreadable:
    """A duration in whole seconds, cut, of a number of a unit or its digits as a text."""
    if value is None or value == "":
        return None
    number = counted_number(value)
    if number is None or not 0 <= number <= _LARGEST_INTEGER:  # false for NaN too
        return UNREADABLE
    return int(number // UNITS[unit])


def dialogue(value: Any) -> str | None | Unreadable:
    """What was said, a line for each entry of a list: `speaker: text`."""
    if not value and not isinstance(value, (bool, int, float)):
        return None
    if not isinstance(value, list):
        return text(value) if isinstance(value, str) else UNREADABLE
    lines = (line(entry) for entry in value if entry not in (None, "", {}, []))
    return "\n".join(lines) or None
