"""The windows of time in which a list is read, where its server filters by creation.

How many there are is a matter of speed alone: they cover all of time together whatever they are.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil
from typing import Final, NamedTuple

from calls_shared.reading.moments import FIRST, moment_of
from calls_shared.reading.windows import Window

_PAGES_OF_A_WINDOW: Final = 100
"""So many pages a window should have, if calls were as dense in all of it as on the newest page; in
truth there are fewer. Its last page is half empty, and costs a request all the same."""
_FEWEST_PAGES: Final = 4
_SIDE_BY_SIDE: Final = 16
"""So many windows there should be even if they are small, so that they can be read at once."""
_MOST_WINDOWS: Final = 256
"""Most of them may be empty, where the first page is of a busy hour."""
_KNOWN_ENOUGH: Final = 8
"""Where the list begins is looked for until the part of it that is uncertain is so small."""


class Covered(NamedTuple):
    """The first and the last creation of a page, in seconds since 1970."""

    first: float
    last: float

    @classmethod
    def by(cls, created: Iterable[str | None]) -> "Covered | None":
        """By the creations (RFC 3339) of a page; null if they show no time that passes."""
        moments = [moment for one in created if (moment := moment_of(one)) is not None]
        if len(moments) < 2:
            return None
        return cls(min(moments).timestamp(), max(moments).timestamp())


def beginning_of(holds: Callable[[int], bool], now: int) -> int:
    """A second before which few calls, or none, were created.

    Args:
        holds: whether a call was created up to a second; a request each.
        now: our time.
    """
    none_until, first = int(FIRST.timestamp()), now
    while first - none_until > max(1, (now - first) // _KNOWN_ENOUGH):
        middle = (none_until + first) // 2
        if holds(middle):
            first = middle
        else:
            none_until = middle
    return none_until


def windows_between(
    lower: int | None, beginning: int, now: int, newest: Covered | None
) -> list[Window]:
    """The windows, the oldest first; neighbours share a second, the newest has no upper bound.

    Args:
        lower: the lower bound of the oldest one, in seconds since 1970; null is none.
        beginning: a second up to which little is expected.
        now: our time; little is expected after it.
        newest: what the newest page covers, after which nothing is expected; null if that is not
            known.
    """
    end = now if newest is None else max(beginning, int(newest.last))
    number = _number_of(max(1, end - beginning), newest)
    edges = [beginning + (end - beginning) * part // number for part in range(1, number)]
    bounds = [lower, *sorted({edge for edge in edges if lower is None or edge > lower}), None]
    return [Window(first, last) for first, last in pairwise(bounds)]


def _number_of(seconds: int, newest: Covered | None) -> int:
    if newest is None:
        return _SIDE_BY_SIDE
    pages = seconds / max(newest.last - newest.first, 1)
    wanted = max(ceil(pages / _PAGES_OF_A_WINDOW), min(_SIDE_BY_SIDE, int(pages) // _FEWEST_PAGES))
    return max(1, min(wanted, _MOST_WINDOWS, seconds))


def months_of(names: Iterable[str]) -> list[Window]:
    """A window for each month, such as `2026-01`; all of time where one is no month."""
    windows = []
    for name in sorted(names):
        first = moment_of(f"{name}-01T00:00:00Z")
        if first is None:
            return [Window()]
        year, month = divmod(first.year * 12 + first.month, 12)
        is_last = year > datetime.max.year
        last = None if is_last else int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp())
        windows.append(Window(int(first.timestamp()), last))
    return windows
