"""Moments that a user or a platform hands in: any form of RFC 3339, and the bounds of what counts.

No provider has calls from before 1990: an earlier moment stands for "never", and bounds nothing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from calls_shared.http.waiting import http_date
from calls_shared.normalization import times

FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""Whatever is earlier bounds nothing; a year's subtraction from it is safe."""

LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""Whatever is later bounds the same; a day's addition to it is safe."""

_FORM: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?", re.ASCII
)


def moment_of(value: Any) -> datetime | None:
    """A moment in UTC, or None if the value is no date-time.

    Reads a text with `T`, `t` or a blank in the middle, any number of fraction digits (cut at six),
    and `Z`, `z`, an offset or none (which is UTC). A moment that no calendar in UTC has, because an
    offset moves it out of the years 1 to 9999, becomes the first or the last one.
    """
    if not isinstance(value, str) or not _FORM.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)


def is_ahead(moment: datetime, now: datetime, by: timedelta = timedelta(0)) -> bool:
    """Whether a moment lies further ahead of now than it may."""
    return moment - now > by


def within_bounds(moment: datetime) -> datetime:
    """The moment, not before `FIRST` and not after `LAST`, so that arithmetic bears it."""
    return min(max(moment, FIRST), LAST)


def moment_after(headers: Mapping[str, str]) -> str:
    """The second (RFC 3339) after an answer was given, by the provider's own clock if it tells.

    `Date` has whole seconds. A call of that very second counts as one that was there already; else
    a workspace with a call a second would be read twice in every sync.
    """
    told = http_date(headers.get("Date", ""))
    moment = datetime.now(UTC) if told is None else datetime.fromtimestamp(told, UTC)
    return times.format_timestamp(moment + timedelta(seconds=1))


def earlier(moment: str, span: timedelta) -> str:
    """A moment (RFC 3339) so long before another one, or that one if there is none."""
    try:
        return times.format_timestamp(datetime.fromisoformat(moment) - span)
    except OverflowError:
        return moment
