"""`Windows`: a list that a provider lists only up to a wall, read as windows of time.

Beyond so many records a provider lists none, but it takes two bounds in time. So a reading of the
list is that of its windows, the oldest first; one that meets the wall is halved. The oldest window
has no lower and the newest no upper bound, so that what has no time, or one in the future, is not
lost where the provider lists it without a bound. The bounds are inclusive and shared by two
neighbours. They come from the list alone, never from a state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from airbyte_cdk.sources.declarative.requesters.request_options import (
    DefaultRequestOptionsProvider,
)
from airbyte_cdk.sources.types import StreamSlice, StreamState

from calls_shared.normalization import times
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.moments import FIRST, LAST

_UNITS: Final = {"seconds": 1, "milliseconds": 1000, "date-time": 1}
_TEXT: Final = "date-time"
_FIRST: Final = int(FIRST.timestamp())
_LAST: Final = int(LAST.timestamp())
_SHORTEST: Final = 1
"""Seconds; a window as short as this is not halved."""

WINDOW_KEYS: Final = frozenset({"from", "to", "unit", "wall"})
"""The keys of `Windows.of`."""
_WINDOW: Final = "window"  # under this name a slice holds the window that is read


@dataclass(frozen=True)
class Window:
    """A window of time, its bounds in seconds since 1970, both inclusive; null is no bound."""

    first: int | None = None
    last: int | None = None

    def halves(self, now: datetime) -> "tuple[Window, Window] | None":
        """The older and the newer half; null of a window that cannot be halved.

        Args:
            now: our time, up to which most of an unbounded window lies.
        """
        first = min(_FIRST, self.last or _FIRST) if self.first is None else self.first
        last = self.last
        if last is None:  # what lies ahead of now is halved too, if there is nothing else
            last = int(now.timestamp())
            last = last if last - first > _SHORTEST else _LAST
        if last - first <= _SHORTEST:
            return None
        middle = (first + last) // 2
        return Window(self.first, middle), Window(middle, self.last)

    @property
    def ends(self) -> str:
        """Its last second (RFC 3339), or that of its beginning where it has no end."""
        known = self.last if self.last is not None else self.first
        return times.format_timestamp(datetime.fromtimestamp(known or 0, UTC))


@dataclass(frozen=True)
class Windows:
    """How a provider's windows are asked for, as data of a manifest.

    Attributes:
        from_parameter, to_parameter: the request parameters with the bounds.
        unit: what the bounds are counted in since 1970, `seconds` or `milliseconds`, or
            `date-time` for RFC 3339.
        wall: so many records a list has at most; one that announces as many may be cut there. Null
            where there is none.
    """

    from_parameter: str
    to_parameter: str
    unit: str
    wall: int | None

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> "Windows | None":
        """A manifest's `windows: {from: name, to: name, unit: seconds, wall: 10000}`, if it has it.

        Without a wall the windows are there to be read at the same time.

        Raises:
            ValueError: if a key is missing or unknown, or the unit or the wall is none.
        """
        if not source:
            return None
        if source.keys() | {"wall"} != WINDOW_KEYS:
            raise ValueError("windows have exactly the keys from, to, unit and wall")
        if source["unit"] not in _UNITS:
            raise ValueError(f"the unit of windows must be one of {', '.join(_UNITS)}")
        wall = source.get("wall")
        is_none = not isinstance(wall, int) or isinstance(wall, bool) or wall < 1
        if "wall" in source and is_none:
            raise ValueError("the wall of windows must be a number of records")
        return cls(source["from"], source["to"], source["unit"], wall)

    def are_met(self, number: int | None) -> bool:
        """Whether so many records, announced or listed, reach the wall."""
        return number is not None and self.wall is not None and number >= self.wall

    def parameters(self, window: Window) -> dict[str, str]:
        """The request parameters of a window."""
        bounds = {self.from_parameter: window.first, self.to_parameter: window.last}
        return {
            name: second(moment) if self.unit == _TEXT else str(moment * _UNITS[self.unit])
            for name, moment in bounds.items()
            if moment is not None
        }


def second(since_1970: int) -> str:
    """A second as RFC 3339, without a fraction."""
    moment = datetime.fromtimestamp(since_1970, UTC)
    return f"{moment.replace(tzinfo=None).isoformat()}Z"  # (%Y has no leading zeros)


class WindowOptions(DefaultRequestOptionsProvider):
    """Request options with the bounds of the window that a slice names."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    def get_request_params(
        self,
        *,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """The request parameters of the window."""
        window = stream_slice.extra_fields.get(_WINDOW) if stream_slice is not None else None
        return {} if window is None else self._windows.parameters(window)


def of_window(stream_slice: StreamSlice, window: Window) -> StreamSlice:
    """A slice that names a window."""
    return StreamSlice(
        partition=stream_slice.partition,
        cursor_slice=stream_slice.cursor_slice,
        extra_fields={**stream_slice.extra_fields, _WINDOW: window},
    )


class WindowWalk:
    """The windows of one reading, the oldest first, each as large as the wall allows.

    Args:
        windows: the manifest's.
        now: our time.
    """

    def __init__(self, windows: Windows, now: datetime) -> None:
        self._windows = windows
        self._now = now
        self._waiting = [Window()]  # the oldest last
        self._under_way = self._waiting[0]
        self._walled: list[str] = []
        self._were_halved = False

    def __iter__(self) -> Iterator[Window]:
        """The windows; each is closed before the next one comes."""
        while self._waiting:
            self._under_way = self._waiting.pop()
            yield self._under_way

    @property
    def has_more(self) -> bool:
        """Whether a window follows the one under way."""
        return bool(self._waiting)

    def is_too_large(self, number: int | None) -> bool:
        """Whether the window under way, of so many records, is to be halved."""
        return self._windows.are_met(number) and self._under_way.halves(self._now) is not None

    def close(self, *numbers: int | None, walled: bool = False) -> bool:
        """End the window under way, which is halved if it meets the wall.

        Args:
            numbers: how many records it announces and lists, as far as that is known.
            walled: whether its pages have shown a wall.

        Returns:
            Whether it was read to its end, or as far as it ever can be.
        """
        if not walled and not any(map(self._windows.are_met, numbers)):
            return True
        halves = self._under_way.halves(self._now)
        if halves is None:
            self._walled.append(self._under_way.ends)
            return True
        self._waiting += reversed(halves)
        self._were_halved = True
        return False

    def end(self, last: ListEnd) -> ListEnd:
        """How the list ended, by how its last window did."""
        announced = None if self._were_halved else last.announced
        return replace(
            last, walled=bool(self._walled), announced=announced, walled_at=tuple(self._walled)
        )
