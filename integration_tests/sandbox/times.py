"""Instants as whole numbers (milliseconds or seconds since 1970, UTC) and as RFC 3339 text."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from .switches import NoTime

SECOND = 1_000
"""Milliseconds in a second."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ZERO_TIMES: Mapping[NoTime, tuple[int | str | None, str | None]] = {
    "null": (None, None),
    "zero": (0, "1970-01-01T00:00:00Z"),
    "minus_one": (-1, "1969-12-31T23:59:59.000Z"),
    "year_one": (-62_135_596_800, "0001-01-01T00:00:00Z"),
    "year_zero": ("0000-00-00 00:00:00", "0000-00-00T00:00:00.000Z"),
    "eighties": (473_385_600, "1985-01-01T00:00:00.000Z"),
}
"""What stands for a time that never was, as a number of seconds and as a text.

The zero of Unix, of Go and .NET, of MySQL, and an instant long before any of the providers.
"""


class RealClock:
    """The machine's clocks, in a class, where tools that freeze time in tests miss them."""

    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def to_milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970 of an instant; one without a zone is read as UTC."""
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return round(instant.timestamp() * SECOND)


def to_datetime(milliseconds: int) -> datetime:
    """The UTC instant of milliseconds since 1970."""
    seconds, rest = divmod(milliseconds, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000)


def iso_seconds(seconds: int) -> str:
    """`2026-10-01T12:00:00Z` from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


def iso_milliseconds(milliseconds: int) -> str:
    """`2026-10-01T12:00:00.000Z` from milliseconds since 1970: always three fraction digits."""
    seconds, rest = divmod(milliseconds, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"


def parse_iso(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 text (no zone = UTC), None when it is not one."""
    try:
        return to_milliseconds(datetime.fromisoformat(text))
    except ValueError:
        return None
