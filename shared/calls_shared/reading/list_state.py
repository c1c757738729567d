"""`ListState`: what the state of a list keeps beside the cursor, so that readings converge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from calls_shared.normalization import times
from calls_shared.reading.moments import FIRST, is_ahead, moment_of, within_bounds
from calls_shared.reading.under_way import UnderWay

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class ListState:
    """What the last complete reading left.

    Attributes:
        at: when it began, by our clock (RFC 3339).
        cursor: the newest change that it saw (RFC 3339).
        unlisted: how many records it announced and did not list.
        until: the bound up to which calls were settled, by the provider's clock (RFC 3339).
        months: its inventory (`calls_shared.reading.inventory.Inventory.periods`); null if there
            is none.
        scope: by configuration key, what it read.
        under_way: a first complete reading that was interrupted; then there is nothing else.
    """

    at: str | None = None
    cursor: str | None = None
    unlisted: int = 0
    until: str | None = None
    months: Mapping[str, str] | None = None
    scope: Mapping[str, Any] = field(default_factory=dict)
    under_way: UnderWay | None = None

    @classmethod
    def of(cls, state: Mapping[str, Any], cursor_field: str = "") -> "ListState":
        """What a stream's state holds; what cannot be read there counts as not there.

        So does a `complete.cursor` that is a day or more later than the stream's own cursor: no
        reading saw that, and it would hide all changes. (A little later it may be: both are cut at
        moments of our clock, one after another.)
        """
        complete, inventory = _mapping(state, "complete"), _mapping(state, "inventory")
        seen = _moment(complete.get("cursor"))
        until = _moment(inventory.get("until"))
        months = inventory.get("months")
        unlisted = complete.get("unlisted")
        return cls(
            at=_moment(complete.get("at")),
            cursor=None if cursor_field and _is_later(seen, state.get(cursor_field)) else seen,
            unlisted=unlisted if type(unlisted) is int and unlisted > 0 else 0,
            until=until,
            months=months if until is not None and isinstance(months, Mapping) else None,
            scope=_mapping(state, "scope"),
            under_way=UnderWay.of(state.get("under_way")),
        )

    def under_way_in(self, scope: Mapping[str, Any]) -> UnderWay | None:
        """The reading that was interrupted, if it may go on for a scope.

        Beside it stands the last complete reading of another scope, if there was one.
        """
        is_of_it = self.under_way is not None and dict(self.under_way.scope) == dict(scope)
        is_first = self.cursor is None or dict(self.scope) != dict(scope)
        return self.under_way if is_of_it and is_first else None

    def as_state(self) -> dict[str, Any]:
        """The same for a stream's state; nothing if there was no complete reading yet."""
        if self.months is None:
            return {} if self.under_way is None else {"under_way": self.under_way.as_state()}
        complete = {"at": self.at, "cursor": self.cursor, "unlisted": self.unlisted}
        return {
            "complete": {name: value for name, value in complete.items() if value},
            "inventory": {"until": self.until, "months": dict(self.months)},
            "scope": dict(self.scope),
        }


def _is_later(seen: str | None, cursor: Any) -> bool:
    complete = within_bounds(moment_of(seen) or FIRST)
    return is_ahead(complete, moment_of(cursor) or FIRST, _DAY)


def _mapping(state: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = state.get(name)
    return value if isinstance(value, Mapping) else {}


def _moment(value: Any) -> str | None:
    moment = times.moment(value) if isinstance(value, str) else None
    return moment if isinstance(moment, str) else None
