"""What the demo asks the DuckDB file: what a sync changed, and the table over all providers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
from rich import box
from rich.table import Table

from examples.demo_options import DemoError

REPORT = """
SELECT
    provider,
    coalesce(direction, 'unknown') AS direction,
    count(*) AS calls,
    avg(answered::INTEGER) AS answered_share,  -- of the calls where it is known
    sum(talk_seconds)::BIGINT AS talk_seconds  -- the same
FROM ({all_calls})
GROUP BY ALL
ORDER BY provider, direction
"""

CALLS = "SELECT provider, direction, answered, talk_seconds FROM {provider}.calls"

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
    """A line of the table."""

    provider: str
    direction: str
    calls: int
    answered_share: float | None
    """0 to 1; None where the provider says it of no call."""
    talk_seconds: int | None
    """None where the provider says it of no call."""


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


def report(database: Path, providers: Sequence[str]) -> list[Row]:
    """The lines of the table, from one query over the union of the providers' calls."""
    with opened(database) as connection:
        known = [provider for provider in providers if has_calls(connection, provider)]
        if not known:
            return []
        all_calls = " UNION ALL ".join(CALLS.format(provider=provider) for provider in known)
        rows = connection.execute(REPORT.format(all_calls=all_calls)).fetchall()
    return [Row(*row) for row in rows]


def has_calls(connection: duckdb.DuckDBPyConnection, provider: str) -> bool:
    """Whether the provider has a table yet; PyAirbyte makes it at the first sync."""
    query = "SELECT 1 FROM duckdb_tables() WHERE schema_name = ? AND table_name = 'calls'"
    return bool(connection.execute(query, [provider]).fetchall())


def table_of(rows: Sequence[Row]) -> Table:
    """The table for the terminal."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("Provider")
    table.add_column("Direction")
    for title in ("Calls", "Answered", "Talk time"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.provider,
            row.direction,
            f"{row.calls:,}",
            "–" if row.answered_share is None else f"{row.answered_share:.1%}",
            "–" if row.talk_seconds is None else hours_of(row.talk_seconds),
        )
    return table


def hours_of(seconds: int) -> str:
    """A duration as h:mm:ss."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:,}:{minutes % 60:02d}:{rest:02d}"
