"""What the demo asks the DuckDB file: what a sync changed, and what the calls say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from examples.demo_options import DemoError

REPORT = """
SELECT
    provider,
    coalesce(direction, 'unknown') AS direction,
    count(*) AS calls,
    count(*) FILTER (WHERE answered) AS answered,
    count(answered) AS answered_known,
    count(*) FILTER (WHERE answered_by_type = 'human') AS by_human,
    count(answered_by_type) AS answerer_known,
    sum(duration_seconds)::BIGINT AS duration_seconds,  -- of the calls where it is known
    sum(talk_seconds)::BIGINT AS talk_seconds  -- the same
FROM ({all_calls})
WHERE deleted_at IS NULL
GROUP BY ALL
ORDER BY provider, direction
"""

OUTCOMES = """
SELECT status, answered, provider, count(*)
FROM ({all_calls})
WHERE deleted_at IS NULL
GROUP BY ALL
ORDER BY status NULLS LAST, answered DESC NULLS LAST, provider
"""

DELETED = """
SELECT provider, count(deleted_at)
FROM ({all_calls})
GROUP BY provider
HAVING count(deleted_at) > 0
ORDER BY provider
"""

CALLS = """
SELECT
    provider, direction, status, answered, answered_by_type, duration_seconds, talk_seconds,
    deleted_at
FROM {provider}.calls
"""

BEFORE = """
CREATE OR REPLACE TABLE demo.before AS
SELECT id, _airbyte_raw_id AS row, md5(provider_record::VARCHAR) AS record FROM {provider}.calls
"""

NOTHING_BEFORE = "CREATE OR REPLACE TABLE demo.before (id VARCHAR, row VARCHAR, record VARCHAR)"

CHANGES = """
WITH after AS (
    SELECT id, _airbyte_raw_id AS row, md5(provider_record::VARCHAR) AS record
    FROM {provider}.calls
)
SELECT
    count(*) FILTER (before.id IS NULL) AS new,
    count(*) FILTER (before.record <> after.record) AS changed,
    count(*) FILTER (before.record = after.record AND before.row <> after.row) AS unchanged
FROM after LEFT JOIN demo.before USING (id)
"""

REPEATED = """
DELETE FROM {provider}.calls
WHERE rowid NOT IN (
    SELECT arg_max(rowid, (_airbyte_extracted_at, _airbyte_raw_id))
    FROM {provider}.calls
    GROUP BY id
)
"""


class Changes(NamedTuple):
    """What a sync did to a provider's table, in calls."""

    new: int
    changed: int
    unchanged: int
    """Read again (the lookback), with the same provider's record."""

    def __str__(self) -> str:
        parts = [
            f"{self.new:,} new" if self.new else "",
            f"{self.changed:,} changed" if self.changed else "",
            f"{self.unchanged:,} re-read unchanged" if self.unchanged else "",
        ]
        return ", ".join(part for part in parts if part) or "nothing new"


class Row(NamedTuple):
    """A line of the table: calls that are not marked as deleted."""

    provider: str
    direction: str
    calls: int
    answered: int
    answered_known: int
    """Calls of which the provider says whether they were answered."""
    by_human: int
    answerer_known: int
    """Answered calls of which the provider says who answered."""
    duration_seconds: int | None
    """None where the provider says it of no call."""
    talk_seconds: int | None
    """The same."""


class Outcome(NamedTuple):
    """How many calls of a provider, without those marked as deleted, have both values."""

    status: str | None
    answered: bool | None
    provider: str
    calls: int


class Report(NamedTuple):
    """What the demo shows of the file."""

    rows: Sequence[Row]
    outcomes: Sequence[Outcome]
    deleted: Mapping[str, int]
    """By provider: calls that it has marked as deleted, where there are any."""


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the DuckDB file; DemoError if another program holds it."""
    try:
        connection = duckdb.connect(str(database))
    except duckdb.IOException as error:
        raise DemoError(f"{database} cannot be opened; close it in other programs.") from error
    with connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS demo")
        yield connection


def runs_so_far(database: Path) -> int:
    """How many runs against the sandbox have finished."""
    with opened(database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS demo.runs (finished_at TIMESTAMPTZ)")
        return len(connection.execute("SELECT * FROM demo.runs").fetchall())


def add_run(database: Path) -> None:
    """One more run against the sandbox has finished."""
    with opened(database) as connection:
        connection.execute("INSERT INTO demo.runs VALUES (now())")


def remember(database: Path, provider: str) -> None:
    """Note what the provider's table holds, for `changes_of` after the sync."""
    with opened(database) as connection:
        known = has_calls(connection, provider)
        connection.execute(BEFORE.format(provider=provider) if known else NOTHING_BEFORE)


def changes_of(database: Path, provider: str) -> Changes:
    """What the sync since `remember` did to the provider's table.

    A connector may read a call twice in one sync, and PyAirbyte's merge then inserts both: only
    the row read last is kept.
    """
    with opened(database) as connection:
        found = (0, 0, 0)
        if has_calls(connection, provider):
            connection.execute(REPEATED.format(provider=provider))
            [found] = connection.execute(CHANGES.format(provider=provider)).fetchall()
        connection.execute("DROP TABLE demo.before")
        return Changes(*found)


def report(database: Path, providers: Sequence[str]) -> Report:
    """What the union of the providers' calls says."""
    with opened(database) as connection:
        known = [provider for provider in providers if has_calls(connection, provider)]
        if not known:
            return Report([], [], {})
        all_calls = " UNION ALL ".join(CALLS.format(provider=provider) for provider in known)

        def asked(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query.format(all_calls=all_calls)).fetchall()

        return Report(
            [Row(*row) for row in asked(REPORT)],
            [Outcome(*row) for row in asked(OUTCOMES)],
            dict(asked(DELETED)),
        )


def has_calls(connection: duckdb.DuckDBPyConnection, provider: str) -> bool:
    """Whether the provider has a table yet; PyAirbyte makes it at the first sync."""
    query = "SELECT 1 FROM duckdb_tables() WHERE schema_name = ? AND table_name = 'calls'"
    return bool(connection.execute(query, [provider]).fetchall())
