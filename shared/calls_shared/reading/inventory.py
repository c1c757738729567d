"""The inventory: what a complete reading listed, by month of creation.

A list that is read page by page while it changes cannot be proved complete. So each complete
reading leaves how many calls of each month it listed and a checksum of their ids, and the next one
compares: a call that slipped between two pages, became visible late or came back makes its month
differ, and that month is emitted whole. `docs/reliability.md` explains it.
"""

from collections.abc import Mapping
from typing import Any

UNDATED = "undated"
"""The period of ids whose creation is not known."""

MONTHS = 7
"""Length of `2026-01`."""

YEARS = 4
"""Length of `2026`."""

_MODULUS = 1 << 64
_ONE = 1 << 128
"""An id is counted above the sum of digests, in one number: this runs on every call."""


class Inventory:
    """How many ids of each period were listed, and the sum of their digests.

    Only what was created before a bound counts: younger calls still come and go, and the lookback
    is for them.

    Args:
        until: the bound, a `sort_key` of `calls_shared.normalization.converters`.
        length: length of a period's name, `MONTHS` or `YEARS`.

    Attributes:
        sums: by period, the count and the sum of its digests in one number.
    """

    def __init__(self, until: str, length: int = MONTHS) -> None:
        self.until = until
        self._length = length
        self.sums: dict[str, int] = {}

    def period_of(self, created: str | None) -> str | None:
        """The period of a creation (RFC 3339); null if it is not settled yet."""
        is_settled = created is None or created[:-1] < self.until
        return period(created, self._length) if is_settled else None

    def add(self, digest: int, created: str | None) -> None:
        """Count an id, once, by its digest and its creation."""
        if created is None:
            name = UNDATED
        elif created[:-1] < self.until:
            name = created[: self._length]
        else:
            return
        self.sums[name] = self.sums.get(name, 0) + _ONE + digest

    def periods(self) -> dict[str, str]:
        """What the state keeps: by period, `<count>:<checksum>`."""
        return told(self.sums)


def told(sums: Mapping[str, int]) -> dict[str, str]:
    """Sums of periods as a state keeps them."""
    return {
        name: f"{total // _ONE}:{total % _MODULUS:016x}" for name, total in sorted(sums.items())
    }


def sums_of(periods: Mapping[str, str]) -> dict[str, int]:
    """The sums of what a state keeps.

    Raises:
        ValueError: if it is not in that form.
    """
    parts = {name: kept.split(":") for name, kept in periods.items()}
    return {name: int(count) * _ONE + int(sums, 16) for name, (count, sums) in parts.items()}


def period(created: str | None, length: int) -> str:
    """The name of the period of a creation (RFC 3339)."""
    return UNDATED if created is None else created[:length]


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> frozenset[str]:
    """The periods in which two readings differ, those that only one of them has included."""
    return frozenset(p for p in before.keys() | now.keys() if before.get(p) != now.get(p))
