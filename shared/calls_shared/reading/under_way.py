"""`UnderWay`: what the state keeps of a first complete reading that has not come to its end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from calls_shared.reading.moments import moment_of

_SUMS: Final = re.compile(r"\d+:[0-9a-f]{16}", re.ASCII)
_TIMES: Final = ("at", "until", "through")


@dataclass(frozen=True)
class UnderWay:
    """A reading by creation, the oldest calls first, that goes on where it was interrupted.

    Attributes:
        at: when it began, by our clock (RFC 3339).
        until: the bound of its inventory (RFC 3339).
        through: all that was created before has been read (RFC 3339, a whole second).
        months: the inventory of that (`calls_shared.reading.inventory.Inventory.periods`).
        scope: by configuration key, what it reads.
    """

    at: str
    until: str
    through: str
    months: Mapping[str, str]
    scope: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Any) -> "UnderWay | None":
        """What a state holds; null if it cannot be read: then the reading begins anew."""
        if not isinstance(kept, Mapping):
            return None
        months, scope = kept.get("months"), kept.get("scope")
        times = {name: kept.get(name) for name in _TIMES}
        if not isinstance(months, Mapping) or not isinstance(scope, Mapping):
            return None
        if not all(isinstance(value, str) and moment_of(value) for value in times.values()):
            return None
        if not all(isinstance(sums, str) and _SUMS.fullmatch(sums) for sums in months.values()):
            return None
        return cls(str(times["at"]), str(times["until"]), str(times["through"]), months, scope)

    def as_state(self) -> dict[str, Any]:
        """The same for a state."""
        return {
            **{name: getattr(self, name) for name in _TIMES},
            "months": dict(self.months),
            "scope": dict(self.scope),
        }
