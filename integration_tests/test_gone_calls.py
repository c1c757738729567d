"""The SQL that marks which calls have gone, on what two streams of the connectors brought."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import duckdb
import pytest

from integration_tests.connectors import ROOT
from integration_tests.fault_cases import Sync, sync
from integration_tests.list_reading import list_sandbox, reading
from integration_tests.readme_commands import TEXT
from integration_tests.test_convergence import by_age

SQL = (ROOT / "examples" / "gone_calls.sql").read_text(encoding="utf-8")
SIZES = {"intercom": 60, "skipcall": 60, "amplemarket": 120}
HOUR = timedelta(hours=1)
Row = tuple[str, str, datetime]
"""Provider, id, and when it was read."""


def rows(done: Sync, stream: str, later: timedelta = timedelta()) -> list[Row]:
    """What a destination holds of a sync that ran so much later than it did."""
    assert done.failures == []
    found = [m.record for m in done.messages if m.record is not None and m.record.stream == stream]
    return [
        (
            record.data["provider"],
            record.data["id"],
            datetime.fromtimestamp(record.emitted_at / 1000) + later,
        )
        for record in found
    ]


def merged(*syncs: Iterable[Row]) -> list[Row]:
    """The last row of each call."""
    return [*{row[:2]: row for rows in syncs for row in rows}.values()]


def gone(calls: Sequence[Row], listed: Sequence[Row]) -> set[tuple[str, str]]:
    """What the SQL marks; each call is one row of its result."""
    with duckdb.connect() as database:
        for name, content in (("calls", calls), ("listed_calls", listed)):
            database.execute(
                f"CREATE TABLE {name} (provider TEXT, id TEXT, _airbyte_extracted_at TIMESTAMP)"
            )
            if content:
                database.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", content)
        found = database.execute(SQL).fetchall()
        columns = [column[0] for column in database.description or ()]
    marked = [dict(zip(columns, row, strict=True)) for row in found]
    assert {row["is_gone"] for row in marked} <= {True, False}
    assert sorted((row["provider"], row["id"]) for row in marked) == sorted(
        row[:2] for row in calls
    )
    return {(row["provider"], row["id"]) for row in marked if row["is_gone"]}


def test_the_readme_has_the_sql() -> None:
    lines = [line for line in SQL.splitlines() if not line.startswith("--")]
    assert len(lines) == 3
    assert "```sql\n" + "\n".join(lines) + "\n```\n" in TEXT


@pytest.mark.parametrize("provider", SIZES)
def test_what_was_deleted_is_marked_and_nothing_else(provider: str) -> None:
    sandbox = list_sandbox(provider, SIZES[provider])
    with reading(sandbox):
        world = sandbox.world
        first = sync(provider, [])
        deleted = by_age(sandbox, provider)[5:40:7]
        for call_id in deleted:
            world.delete_call(provider, call_id)
        missing = set(deleted) - sandbox.expected(provider).keys()
        assert missing == set(deleted)
        listed = sync(provider, [], stream="listed_calls")
        # a call that is made after the listing is read by the next sync
        world.add_call(provider)
        second = sync(provider, first.states)
        young = set(second.by_id()) - set(first.by_id())
        assert young

        day = timedelta(days=1)
        calls = merged(rows(first, "calls"), rows(second, "calls", day + HOUR))
        names = rows(listed, "listed_calls", day)

        assert gone(calls, names) == {(provider, call_id) for call_id in missing}
        # as long as nothing is listed, nothing has gone
        assert gone(calls, []) == set()
        # a call comes back
        assert gone(calls, [*names, (provider, deleted[0], names[0][2])]) == {
            (provider, call_id) for call_id in deleted[1:]
        }


NOON = datetime(2026, 3, 15, 12)


@pytest.mark.parametrize(
    ("read", "is_gone"),
    [
        (NOON - timedelta(days=300), True),
        (NOON - HOUR - timedelta(seconds=1), True),
        (NOON - HOUR, False),
        (NOON, False),
        (NOON + HOUR, False),
    ],
)
def test_a_call_that_may_be_younger_than_the_listing_is_not_marked(
    read: datetime, is_gone: bool
) -> None:
    listed = [("acme", "a", NOON), ("acme", "b", NOON + 2 * HOUR)]
    assert gone([("acme", "x", read)], listed) == ({("acme", "x")} if is_gone else set())


def test_each_provider_is_judged_by_its_own_listing() -> None:
    old = NOON - timedelta(days=1)
    calls = [(provider, name, old) for provider in ("acme", "other", "third") for name in "ab"]
    listed = [("acme", "a", NOON), ("other", "b", old)]

    assert gone(calls, listed) == {("acme", "b")}
