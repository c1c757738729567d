"""The README's SQL over the streams beside `calls`, on what the connectors brought."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pytest

from integration_tests.connectors import ROOT
from integration_tests.readme_commands import TEXT
from integration_tests.sandbox import Sandbox
from integration_tests.test_details import Row, in_order, sandbox_of, synced

PROVIDERS = ("intercom", "openphone", "amplemarket")
TABLES = {
    "calls": {
        **dict.fromkeys(("provider", "id", "occurred_at", "user_id", "user_name"), "TEXT"),
        "answered": "BOOLEAN",
        "talk_seconds": "INTEGER",
        "deleted_at": "TEXT",
    },
    "call_transcripts": {
        "provider": "TEXT",
        "call_id": "TEXT",
        "segment_index": "INTEGER",
        "speaker": "TEXT",
        "content": "TEXT",
    },
    "users": {"provider": "TEXT", "id": "TEXT", "name": "TEXT"},
}
FILES = ("transcripts", "calls_per_agent")


def sql(name: str) -> str:
    return (ROOT / "examples" / f"{name}.sql").read_text(encoding="utf-8")


def answer(name: str, tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[Row]:
    """The rows of a query over tables of a destination."""
    with duckdb.connect() as database:
        for table, kinds in TABLES.items():
            columns = ", ".join(f"{column} {kind}" for column, kind in kinds.items())
            database.execute(f"CREATE TABLE {table} ({columns})")
            places = ", ".join("?" * len(kinds))
            rows = [[row.get(column) for column in kinds] for row in tables.get(table, ())]
            if rows:
                database.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
        found = database.execute(sql(name)).fetchall()
        columns_found = [column[0] for column in database.description or ()]
    return [dict(zip(columns_found, row, strict=True)) for row in found]


@pytest.mark.parametrize("name", FILES)
def test_the_readme_has_the_sql(name: str) -> None:
    lines = [line for line in sql(name).splitlines() if not line.startswith("--")]
    assert len(lines) == 4 + (name == "calls_per_agent")
    assert "```sql\n" + "\n".join(lines) + "\n```\n" in TEXT


@pytest.fixture(scope="module", params=PROVIDERS)
def brought(request: pytest.FixtureRequest) -> tuple[str, Sandbox, dict[str, list[Row]]]:
    """A provider, its sandbox, and the tables that a sync of its streams makes."""
    sandbox = sandbox_of()
    done = synced(sandbox, request.param, *TABLES)
    assert done.failures == []
    return request.param, sandbox, {table: done.records(table) for table in TABLES}


def test_what_was_said_in_each_call(
    brought: tuple[str, Sandbox, dict[str, list[Row]]],
) -> None:
    provider, sandbox, tables = brought
    said: dict[str, list[str]] = {}
    for row in in_order(sandbox.expected_rows(provider, "call_transcripts")):
        line = f"{row['speaker']}: {row['content']}" if "speaker" in row else row["content"]
        said.setdefault(row["call_id"], []).append(line)
    moments = {key: call["occurred_at"] for key, call in sandbox.expected(provider).items()}

    # a destination keeps no order of rows
    tables = {**tables, "call_transcripts": tables["call_transcripts"][::-1]}
    found = answer("transcripts", tables)

    assert len(said) > 5
    assert max(len(lines) for lines in said.values()) > 1
    assert {row["id"]: row["conversation"] for row in found} == {
        key: "\n".join(lines) for key, lines in said.items()
    }
    assert [row["occurred_at"] for row in found] == sorted(
        (moments[key] for key in said), reverse=True
    )


def test_calls_per_agent(brought: tuple[str, Sandbox, dict[str, list[Row]]]) -> None:
    provider, sandbox, tables = brought
    names = {user["id"]: user.get("name") for user in sandbox.expected_rows(provider, "users")}
    wanted: dict[str, list[Row]] = {}
    for call in sandbox.expected(provider).values():
        if "user_id" in call:
            wanted.setdefault(call["user_id"], []).append(call)

    found = {row["user_id"]: row for row in answer("calls_per_agent", tables)}

    assert len(wanted) > 2
    assert found.keys() == wanted.keys()
    for user, calls in wanted.items():
        talked = [call["talk_seconds"] for call in calls if "talk_seconds" in call]
        in_calls = max((call["user_name"] for call in calls if "user_name" in call), default=user)
        assert found[user] == {
            "provider": provider,
            "user_id": user,
            "agent": names.get(user) or in_calls,
            "calls": len(calls),
            "answered": sum(call.get("answered") is True for call in calls),
            "talk_seconds": sum(talked) if talked else None,
        }


def test_who_is_no_user_any_more_is_counted_all_the_same() -> None:
    """Deleted calls are not."""
    calls: list[Row] = [
        {"provider": "acme", "id": "1", "user_id": "u", "user_name": "Ada", "answered": True},
        {"provider": "acme", "id": "2", "user_id": "u", "user_name": "Ada", "deleted_at": "then"},
        {"provider": "acme", "id": "3", "user_id": "v", "answered": False},
        {"provider": "acme", "id": "4"},
        {"provider": "other", "id": "1", "user_id": "v", "talk_seconds": 5},
    ]
    users = [{"provider": "other", "id": "v", "name": "Grace"}]

    found = answer("calls_per_agent", {"calls": calls, "users": users})

    assert [tuple(row.values()) for row in found] == [
        ("acme", "u", "Ada", 1, 1, None),
        ("acme", "v", "v", 1, 0, None),
        ("other", "v", "Grace", 1, 0, 5),
    ]
