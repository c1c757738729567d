"""How long to wait: what a provider's headers say, and our own growing pauses."""

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0
"""Seconds. A provider that names more is asked again after an hour; that is harmless."""

_DAY = 86_400.0


def named_wait(
    headers: Mapping[str, str], reset_header: str, now: float | None = None
) -> float | None:
    """Seconds that a refusal because of a limit asks us to wait, or None if it names no such time.

    `Retry-After`; else the header that the manifest names (`RateLimit.reset_header`): a Unix time
    in seconds or milliseconds (some pages do not say which), or seconds to wait. Times are
    compared with the answer's own `Date`, so a wrong clock here does no harm. A number that is no
    wait of a day or less is read in the other units; if none fits, it counts as not given.
    """
    reset = headers.get(reset_header, "") if reset_header else ""
    return retry_after(headers, now) or _sensible(_reading(reset, _server_now(headers, now)))


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds that `Retry-After` (RFC 9110) asks to wait: in seconds, or as an HTTP date.

    This is all that a fault may name: a reset of the limit comes with every sound answer too.
    """
    words, server_now = headers.get("Retry-After", "").strip(), _server_now(headers, now)
    seconds = _reading(words, server_now)
    if seconds is None and (moment := http_date(words)) is not None:
        seconds = moment - server_now
    return _sensible(seconds)


def _server_now(headers: Mapping[str, str], now: float | None) -> float:
    return http_date(headers.get("Date", "")) or (time.time() if now is None else now)


def _reading(words: str, now: float) -> float | None:
    number = _number(words.strip())
    return None if number is None else _within_a_day(number, now)


def _sensible(seconds: float | None) -> float | None:
    return None if seconds is None or seconds <= 0.0 else min(seconds, LONGEST_WAIT)


def _within_a_day(number: float, now: float) -> float | None:
    """The wait that a number means: seconds, milliseconds, or a Unix time in either unit."""
    if number <= _DAY:
        return number
    # `Date` has whole seconds: without the extra second we would come back too early
    until = (number - now + 1.0, number / 1000 - now + 1.0)
    return next((wait for wait in (number / 1000, *until) if 0.0 < wait <= _DAY), None)


def _number(words: str) -> float | None:
    try:
        number = float(words)
    except ValueError:
        return None
    return number if 0.0 <= number < 1e15 else None


def http_date(words: str) -> float | None:
    """Seconds since 1970 of a date in HTTP's form (RFC 9110), or None."""
    if not words:
        return None
    try:
        return parsedate_to_datetime(words).timestamp()
    except (ValueError, OverflowError):
        return None


def growing_pause(attempt: int, first: float, longest: float) -> float:
    """Seconds before the next attempt: doubled each time, with jitter, at most `longest`.

    `attempt` counts from 1. The jitter (half to one and a half) keeps workers from coming back
    all at once.
    """
    pause = min(first * 2.0 ** (min(attempt, 30) - 1), longest)
    return min(pause * random.uniform(0.5, 1.5), longest)
