"""The moment that all built files bear, so that equal sources give equal files."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from integration_tests.connectors import ROOT
from release import ReleaseError

VARIABLE = "SOURCE_DATE_EPOCH"
"""See https://reproducible-builds.org/docs/source-date-epoch/: seconds since 1970."""
_NEWEST_ENTRY = re.compile(r"(?m)^## \[[^\]]+\] - (\d{4}-\d\d-\d\d)$")


def source_date_epoch(environment: Mapping[str, str], root: Path = ROOT) -> int:
    """What the environment says, else the beginning of the day of the changelog's newest entry.

    Raises:
        ReleaseError: the environment says something that is no number of seconds.
    """
    given = environment.get(VARIABLE, "").strip()
    if given:
        if not given.isdecimal():
            raise ReleaseError(f"{VARIABLE} must be a number of seconds since 1970, not {given!r}.")
        return int(given)
    found = _NEWEST_ENTRY.search((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if found is None:
        raise ReleaseError("CHANGELOG.md has no entry such as `## [0.3.0] - 2026-01-31`.")
    return int(datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp())
