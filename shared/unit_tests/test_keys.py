from dataclasses import dataclass
from typing import Any

import pytest

from calls_shared.keys import FREE, Keys, exactly, json_schema_problems, keys_of


@dataclass
class Row:
    status: int
    words: dict[str, str]


TABLE = exactly(("name", "rows", "words"), rows=keys_of(Row), words=FREE)


@pytest.mark.parametrize(
    ("node", "found"),
    [
        ({}, []),
        ({"name": "x", "words": {"any": 1, "thing": 2}}, []),
        ({"nmae": "x"}, ["here.nmae is not known; known are name, rows, words"]),
        ({"rows": [{"status": 1}, {"stat": 2}]}, ["here.rows[1].stat is not known; known are"]),
        ({"rows": [[{"stat": 2}]]}, ["here.rows[0][0].stat is not known"]),
        ("a text", []),
        (None, []),
    ],
)
def test_keys(node: Any, found: list[str]) -> None:
    problems = list(TABLE.problems(node, "here"))
    assert [problem[: len(text)] for problem, text in zip(problems, found, strict=True)] == found


def test_what_stands_below_each_key() -> None:
    columns = Keys(frozenset({"id", "status"}), each=exactly(["from"]))
    assert list(columns.problems({"id": {"from": "x"}}, "c")) == []
    assert list(columns.problems({"id": {"form": "x"}, "stat": {"form": "y"}}, "c")) == [
        "c.id.form is not known; known are from",
        "c.stat is not known; known are id, status",
    ]


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"type": "object", "properties": {"typ": {"type": "string"}}}, []),
        ({"propertys": {}}, ["s.propertys is no keyword of a JSON schema"]),
        (
            {"properties": {"a": {"items": {"properties": {"b": {"typ": "string"}}}}}},
            ["s.properties.a.items.properties.b.typ is no keyword of a JSON schema"],
        ),
    ],
)
def test_json_schemas(schema: Any, found: list[str]) -> None:
    assert list(json_schema_problems(schema, "s")) == found
