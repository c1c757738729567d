"""When a list is to be read to its end once more."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from calls_shared.reading.moments import moment_of

DEFAULT_HOURS: Final = 24
"""Between two complete readings, as the specifications say."""


def hours_between(config: Mapping[str, Any]) -> int:
    """The hours between two complete readings; 0 makes each reading one."""
    hours = config.get("full_scan_hours")
    return DEFAULT_HOURS if hours in (None, "") else int(hours)


def is_due(last: str | None, hours: int, now: datetime) -> bool:
    """Whether a complete reading is due.

    Args:
        last: when the last one began, by our clock (RFC 3339); a time in the future counts as none.
        hours: between two of them.
        now: by our clock.
    """
    began = moment_of(last)
    return began is None or not timedelta() <= now - began < timedelta(hours=hours)
