"""How many calls of which month have gone, as two inventories tell it."""

from collections.abc import Mapping
from typing import Any, Final

from calls_shared.reading.inventory import UNDATED

_MOST_MONTHS: Final = 12
"""Months that are named each; those before them are counted together."""


def gone_since(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, int]:
    """By month, how many calls fewer are listed now than before; months with none are left out.

    Args:
        before: an inventory (`Inventory.periods`), of the months to be compared.
        now: a later one, up to the same bound.
    """
    fell = {month: _count(sums) - _count(now.get(month)) for month, sums in before.items()}
    return {month: count for month, count in sorted(fell.items()) if count > 0}


def _count(sums: Any) -> int:
    number = str(sums or "").partition(":")[0][:18]
    return int(number) if number.isascii() and number.isdigit() else 0


def gone_sentence(gone: Mapping[str, int]) -> str:
    """The sentence that tells how many calls of which month have gone."""
    months = [month for month in gone if month != UNDATED]
    earlier, named = months[:-_MOST_MONTHS], months[-_MOST_MONTHS:]
    parts = [(gone[month], f"of {month}") for month in named]
    if earlier:
        parts.insert(0, (sum(gone[month] for month in earlier), f"of before {named[0]}"))
    if UNDATED in gone:
        parts.append((gone[UNDATED], "without a date"))
    first, *others = parts
    calls = "call" if first[0] == 1 else "calls"
    texts = [f"{first[0]} {calls} {first[1]}", *(f"{count} {which}" for count, which in others)]
    last = texts.pop()
    listed = f"{', '.join(texts)} and {last}" if texts else last
    verb = "is" if sum(gone.values()) == 1 else "are"
    return f"since the last complete reading {listed} {verb} no longer listed."
