"""Quartz cron expressions, checked as the platform's own parsers check them.

The public API wants a number for the seconds, and one for the minutes too where a year is named;
so the connection runs once a minute at most, which is the most that the platform allows.
"""

import re
from dataclasses import dataclass

from deploy.failures import RegisterError

DEFAULT_SCHEDULE = "0 0 */6 * * ?"
MANUAL = "manual"

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_DAYS = "SUN MON TUE WED THU FRI SAT".split()
_WITHOUT_YEAR, _WITH_YEAR = 6, 7
_DAY_OF_MONTH, _DAY_OF_WEEK = 3, 5


@dataclass(frozen=True)
class _Field:
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    special: str = r"(?!)"
    """What is said with letters of Quartz, such as the last day."""

    def takes(self, text: str) -> bool:
        return all(self._takes_part(part) for part in text.split(","))

    def _takes_part(self, part: str) -> bool:
        if re.fullmatch(self.special, part):
            return True
        found = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([0-9]{1,4}))?", part)
        if found is None:
            return False
        first, last, step = found.groups()
        numbers = [self._number(one) for one in (first, last) if one is not None]
        if any(number is None for number in numbers) or (step and not 1 <= int(step) <= self.most):
            return False
        return len(numbers) < 2 or (numbers[0] or 0) <= (numbers[1] or 0)

    def _number(self, text: str) -> int | None:
        if text.upper() in self.words:
            return self.least + self.words.index(text.upper())
        is_number = re.fullmatch("[0-9]{1,4}", text) and self.least <= int(text) <= self.most
        return int(text) if is_number else None


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31, special=r"\?|L|LW|L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field(
        "day of the week",
        1,
        7,
        tuple(_DAYS),
        special=rf"(?i)\?|L|([1-7]|{'|'.join(_DAYS)})(L|#[1-5])",
    ),
    _Field("year", 1970, 2099),
)


def checked_schedule(value: str) -> str | None:
    """A schedule without its time zone, None if none is asked for; RegisterError if it is wrong."""
    words = value.removesuffix("UTC").split()
    if words in ([], [MANUAL]):
        return words[0] if words else None
    if fault := fault_of(words):
        raise RegisterError(
            f"SCHEDULE {value!r} is neither {MANUAL} nor a Quartz cron expression that begins with"
            f" the seconds, such as '{DEFAULT_SCHEDULE}' (every six hours): {fault}."
        )
    return " ".join(words)


def fault_of(words: list[str]) -> str | None:
    """What is wrong with the fields of an expression; None if nothing is."""
    zone = next((one for one in words[5:] if re.fullmatch(r"[A-Z]{3,}|[A-Za-z_]+/\w+.*", one)), "")
    if zone and zone not in _DAYS and not zone.startswith(tuple(f"{one}/" for one in _DAYS)):
        return f"{zone} is a time zone, and the schedule is in UTC; leave it out"
    if len(words) not in (_WITHOUT_YEAR, _WITH_YEAR):
        return f"it has {len(words)} fields in place of six, or seven with a year"
    for field, text in zip(_FIELDS, words, strict=False):
        if not field.takes(text):
            return f"the {field.name} cannot be {text}"
    numbers = words[:2] if len(words) == _WITH_YEAR else words[:1]
    if not all(re.fullmatch("[0-9]+", one) for one in numbers):
        return "the second has to be one number, and with a year the minute too"
    if [words[_DAY_OF_MONTH], words[_DAY_OF_WEEK]].count("?") != 1:
        return "one of day of the month and day of the week, and not both, has to be ?"
    return None
