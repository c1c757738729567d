"""Times, as converters: pure, total functions (see `calls_shared.normalization.converters`).

A time before 1990 stands for "never": 0, 1970-01-01, 0001-01-01, 0000-00-00 and their like are what
programs write for an empty field, and no provider has calls that old.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from calls_shared.normalization.converters import (
    UNITS,
    UNREADABLE,
    Unreadable,
    counted_number,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)
_TWO_DIGITS: Final = tuple(f"{number:02d}" for number in range(60))
_FIRST_EPOCH_MILLISECOND: Final = (
    100_000_000_000  # seconds of the year 5138: larger is milliseconds
)
_FIRST_YEAR: Final = "1990"
_FIRST_SECOND: Final = 631_152_000  # 1990-01-01T00:00:00Z since 1970
_ZERO_DATE: Final = re.compile(r"(?:-\d|[01])\d{3}-\d\d-\d\d", re.ASCII)
_ZERO_NUMBER: Final = re.compile(r"0+(\.0*)?|-\d+(\.\d*)?", re.ASCII)
_UUID7: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    re.ASCII | re.IGNORECASE,
)
_FIRST_UUID7: Final = "0092f397-3c00"  # the milliseconds of 1990-01-01T00:00:00Z
_UUID7_END: Final = "e677d21f-dc00"  # those of the year 10000


def timestamp(value: Any) -> str | None | Unreadable:
    """A moment as RFC 3339 in UTC with `Z`, in the precision given, cut at six fraction digits.

    Reads ISO 8601 date-times (with `Z`, an offset, or none, which is UTC) and epoch numbers:
    seconds, or milliseconds from 100,000,000,000 on. (Intercom's page "List all calls" allows both
    an ISO string and epoch seconds.) A moment before 1990 is null; `moment` reads it.
    """
    kind = value.__class__
    if kind is str:
        length = len(value)
        if (
            (length == 20 or (22 <= length <= 27 and value[19] == "."))
            and value[-1] == "Z"
            and value[10] == "T"
            and value[13] == ":"
            and value[5] != "W"
            and value >= _FIRST_YEAR
        ):  # our own form, if Python reads it (it reads week dates and times without colons too)
            try:
                datetime.fromisoformat(value)
            except ValueError:
                return UNREADABLE
            return value  # type: ignore[no-any-return]
        if not value or _is_zero_text(value):
            return None
    elif kind is int or kind is float:
        if value < _FIRST_SECOND:
            return None
        if kind is int and value < _FIRST_EPOCH_MILLISECOND:
            return _epoch_second(value)
    found = moment(value)
    return None if isinstance(found, str) and found < _FIRST_YEAR else found


def counted(value: Any, unit: str) -> str | None | Unreadable:
    """The same where a number, or a text of its digits, is counted in a unit since 1970.

    Any other text is read as `timestamp` reads it.
    """
    number = counted_number(value)
    if number is None:
        return timestamp(value)
    second = number / UNITS[unit]
    if second < _FIRST_SECOND:
        return None
    try:
        found = _EPOCH + timedelta(microseconds=round(second * 1_000_000))
    except OverflowError:  # the infinities too
        return UNREADABLE
    except ValueError:  # NaN
        return UNREADABLE
    if unit == "milliseconds":
        return format_timestamp(found, 6 if found.microsecond % 1000 else 3)
    return format_timestamp(found, 6 if found.microsecond else 0)


def _epoch_second(value: int) -> str:
    """A second since 1970: Intercom has five in a call."""
    minutes, second = divmod(value, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    two = _TWO_DIGITS
    return f"{_day(day)}T{two[hour]}:{two[minute]}:{two[second]}Z"


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return (_EPOCH_DAY + timedelta(number)).isoformat()


def moment(value: Any) -> str | None | Unreadable:
    """The same for any moment of the calendar, as a configuration or a state may hold it."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _iso_timestamp(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNREADABLE
    return _epoch_timestamp(value)


def _is_zero_text(value: str) -> bool:
    """Whether a text stands for "never", though it may be no moment of the calendar.

    That is a date, with or without a time, before the last day of 1989 (an offset can lead from
    there into 1990), or the digits of a number that is not positive.
    """
    if value <= "1989-12-31" and _ZERO_DATE.match(value):
        return True
    return value[0] in "0-" and _ZERO_NUMBER.fullmatch(value) is not None


def _iso_timestamp(value: str) -> str | Unreadable:
    if len(value) < 16 or value[10] not in "Tt ":
        return UNREADABLE  # a date alone is not a moment
    if value[-1] == "z":  # RFC 3339 allows it, Python does not
        value = f"{value[:-1]}Z"
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return UNREADABLE
    digits = _fraction_digits(value)
    try:
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        return UNREADABLE
    return format_timestamp(read, digits)


def _fraction_digits(value: str) -> int:
    separator = max(value.find("."), value.find(","))
    if separator < 0:
        return 0
    digits = 0
    for character in value[separator + 1 :]:
        if not character.isdigit():
            break
        digits += 1
    return min(digits, 6)


def _epoch_timestamp(value: int | float) -> str | Unreadable:
    if not -_FIRST_EPOCH_MILLISECOND * 1000 < value < _FIRST_EPOCH_MILLISECOND * 10_000:
        return UNREADABLE  # also NaN and the infinities
    milliseconds = abs(value) >= _FIRST_EPOCH_MILLISECOND
    microseconds = round(value * 1000) if milliseconds else round(value * 1_000_000)
    try:
        moment = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return UNREADABLE
    if milliseconds:
        return format_timestamp(moment, 3 if microseconds % 1000 == 0 else 6)
    return format_timestamp(moment, 6 if isinstance(value, float) and moment.microsecond else 0)


def format_timestamp(moment: datetime, fraction_digits: int = 6) -> str:
    """A UTC moment as RFC 3339 with `Z` and the number of fraction digits (0 to 6)."""
    if fraction_digits == 0:
        return f"{moment.isoformat(timespec='seconds')[:19]}Z"
    return moment.isoformat(timespec="microseconds")[: 20 + fraction_digits] + "Z"


def sort_key(moment: str) -> str:
    """A string that orders timestamps of this module, whatever their precision."""
    return moment[:-1]


def lower_bound(moment: str) -> str:
    """The smallest `sort_key` of any timestamp that is not before the moment."""
    key = moment[:-1]
    return key.rstrip("0").rstrip(".") if "." in key else key


def latest(moments: Iterable[str]) -> str | None:
    """The last of some timestamps of this module."""
    return max(moments, key=sort_key, default=None)


def earliest(moments: Iterable[str]) -> str | None:
    """The first of some timestamps of this module."""
    return min(moments, key=sort_key, default=None)


def seconds_between(start: str, end: str) -> int | None:
    """Whole seconds from one timestamp of this module to a later one; null if it is not later."""
    elapsed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return None if elapsed.days < 0 else elapsed.days * 86_400 + elapsed.seconds


def is_uuid7(value: Any) -> bool:
    """Whether the value is a UUID of version 7 in its usual form (RFC 9562) that holds a moment.

    One before 1990 or after 9999 is none: such an id tells nothing about its creation.
    """
    return (
        isinstance(value, str)
        and _UUID7.fullmatch(value) is not None
        and _FIRST_UUID7 <= value.lower() < _UUID7_END
    )


def uuid7_timestamp(value: Any) -> str | None | Unreadable:
    """The moment in a UUIDv7, in milliseconds; null for any other id, which holds no moment."""
    if not isinstance(value, str) or _UUID7.fullmatch(value) is None:
        return None
    milliseconds = int(value[:8] + value[9:13], 16)
    if milliseconds < _FIRST_SECOND * 1000:
        return None
    try:
        return format_timestamp(_EPOCH + timedelta(milliseconds=milliseconds), 3)
    except OverflowError:
        return UNREADABLE
