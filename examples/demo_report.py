"""What the demo asks the DuckDB file: what a sync changed, and the table over all providers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from rich import box
from rich.table import Table

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


def table_of(rows: Sequence[Row]) -> Table:
    """The calls of each provider and direction, for the terminal."""
    table = new_table("Provider", "Direction")
    for title in ("Calls", "Answered", "By a human", "Duration", "Talk time"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.provider,
            row.direction,
            f"{row.calls:,}",
            f"{row.answered:,} of {row.answered_known:,} known" if row.answered_known else "–",
            f"{row.by_human:,} of {row.answerer_known:,}" if row.answerer_known else "–",
            "–" if row.duration_seconds is None else hours_of(row.duration_seconds),
            "–" if row.talk_seconds is None else hours_of(row.talk_seconds),
        )
    return table


def outcomes_of(outcomes: Sequence[Outcome]) -> Table:
    """The calls of each provider by what became of them, for the terminal."""
    providers = sorted({outcome.provider for outcome in outcomes})
    table = new_table("Status", "Answered")
    for provider in providers:
        table.add_column(provider, justify="right")
    answers = {True: "yes", False: "no", None: "not known"}
    counts: dict[tuple[str | None, bool | None], dict[str, int]] = {}
    for status, answered, provider, calls in outcomes:
        counts.setdefault((status, answered), {})[provider] = calls
    for (status, answered), by_provider in counts.items():
        cells = (by_provider.get(provider) for provider in providers)
        table.add_row(
            status or "not given",
            answers[answered],
            *("–" if calls is None else f"{calls:,}" for calls in cells),
        )
    return table


def deleted_of(deleted: Mapping[str, int]) -> str:
    """The calls that the tables leave out, in a sentence."""
    parts = ", ".join(f"{calls:,} of {provider}" for provider, calls in deleted.items())
    return f"Not counted: calls that the provider has marked as deleted ({parts})."


def new_table(*titles: str) -> Table:
    """A table that begins with these columns; it fits into 80 columns of a terminal."""
    table = Table(
        box=box.SIMPLE_HEAD,
        header_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for title in titles:
        table.add_column(title)
    return table


def hours_of(seconds: int) -> str:
    """A duration as h:mm:ss."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:,}:{minutes % 60:02d}:{rest:02d}"
