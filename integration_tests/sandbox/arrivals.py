"""The test oracle of time: the sync with which what happens must have arrived at the latest.

Written from the promise alone, without the package that keeps it: what is listed within the
lookback arrives with the next sync, all else with the next sync that reads the whole list.
A provider can list a call where no sync looks that reads the newest end only, so what counts is
where a call stands: by creation, by change, or by what else the list is sorted by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import intercom, skipcall
from .identifiers import milliseconds_of
from .listing import Moments, sort_key
from .switches import ListOrder
from .times import DAY, HOUR, MINUTE, SECOND

MOMENTS: dict[str, Moments[Any]] = {"intercom": intercom.MOMENTS, "skipcall": skipcall.MOMENTS}
"""Of the lists whose order is not known; Amplemarket's is by creation."""

BEFORE_ITS_CREATION = 10 * MINUTE
"""How far a call's start lies from its creation, where it was not told late."""


@dataclass(frozen=True)
class Happening:
    """What happens to a call, and where it stands from then on. Instants are milliseconds.

    Attributes:
        kind: it is new; it changes; it is listed although it is older, as once it is out of a
            hiding place; it is deleted, or hidden.
        at: when it can be seen.
        place: the moment that the list is sorted by.
    """

    kind: Literal["new", "changed", "appeared", "gone"]
    at: int
    place: int


@dataclass(frozen=True)
class Run:
    """A sync as it went.

    Attributes:
        began: when, in milliseconds.
        is_kept: whether it came to its end and its state was kept.
        is_quiet: whether nothing happened while it read: what moves between two pages can slip.
        is_complete: whether it read the whole list.
    """

    began: int
    is_kept: bool
    is_quiet: bool
    is_complete: bool


@dataclass(frozen=True)
class Promise:
    """What a connector promises of a list.

    Attributes:
        order: the list's.
        lookback_days, full_scan_hours: the connector's settings.
        tells_changes: whether a record says when it changed.
    """

    order: ListOrder
    lookback_days: int = 7
    full_scan_hours: int = 24
    tells_changes: bool = True

    def is_complete_due(self, runs: Sequence[Run], began: int) -> bool:
        """Whether a sync that begins at an instant has to read the whole list."""
        if self.order == "shuffled":
            return True
        complete = [run.began for run in runs if run.is_kept and run.is_complete]
        return not complete or began - complete[-1] >= self.full_scan_hours * HOUR

    def arrives_with(self, happening: Happening, runs: Sequence[Run]) -> int | None:
        """The number of the run with which it must have arrived; null if there is none yet.

        That a call is gone is told by no sync of the stream, and changes of calls before the
        lookback by none where records do not tell them.
        """
        is_near = self._stands_near(happening)
        if happening.kind == "gone":
            return None
        if happening.kind == "changed" and not (is_near or self.tells_changes):
            return None
        for number, run in enumerate(runs):
            can_bring = run.is_kept and run.is_quiet and run.began >= happening.at
            if can_bring and (is_near or run.is_complete):
                return number
        return None

    def _stands_near(self, happening: Happening) -> bool:
        """Whether it stands within the lookback, counted from when it can be seen."""
        by = self.order.partition("_")[0]
        margin = BEFORE_ITS_CREATION if by == "started" else 0
        return happening.place - margin >= happening.at - self.lookback_days * DAY


def place_of(provider: str, order: ListOrder, call: Any) -> int:
    """The moment, in milliseconds, that a call's place in a list goes by; any if shuffled."""
    if provider == "amplemarket":
        return milliseconds_of(call.id)
    moments = MOMENTS[provider]
    moment: int = sort_key(order, moments, call)[0]
    return moment * SECOND // moments.second
