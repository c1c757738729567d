"""The forms of specifications and catalogs that the platform and its form for users need.

Airbyte's retired acceptance tests asserted them; the CDK's standard tests do not.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError

from integration_tests.connectors import ALL
from integration_tests.page_tables import discovered

COMBINERS = {"$ref", "oneOf", "anyOf", "allOf", "not"}
SCALARS = {"string", "integer", "number", "boolean"}
SECRET_WORDS = ("key", "token", "password", "secret")
Change = Callable[[Any], object]


def nodes(schema: Any, path: str = "$") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema within a schema, with its path."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from nodes(schema["items"], f"{path}[]")


def problems_of_spec(spec: Any) -> Iterator[str]:
    """What the platform's form could not show, or would show in the open."""
    if spec.get("additionalProperties") is not True:
        yield "$ refuses unknown keys, and so the configurations of later versions"
    orders = [field.get("order") for field in spec["properties"].values()]
    if None in orders or len(set(orders)) != len(orders):
        yield "$ has settings without an order of their own"
    if missing := {*spec.get("required", ())} - {*spec["properties"]}:
        yield f"$ requires {sorted(missing)}, which there is not"
    for path, node in nodes(spec):
        kind = node.get("type")
        if found := COMBINERS & {*node}:
            yield f"{path} has {sorted(found)}"
        if not isinstance(kind, str) or kind not in {*SCALARS, "array", "object"}:
            yield f"{path} has the type {kind}"
        if kind == "object" and not node.get("properties"):
            yield f"{path} is an object without properties"
        if kind == "array" and node.get("items", {}).get("type") not in SCALARS:
            yield f"{path} is a list of something else than texts and numbers"
        if (node.get("format") in {"date", "date-time"}) is not ("pattern_descriptor" in node):
            yield f"{path} is a date without a pattern that is explained, or the other way round"
        if "pattern_descriptor" in node and "pattern" not in node:
            yield f"{path} explains a pattern that there is not"
        named = path.rpartition(".")[2].lower()
        is_secret = kind == "string" and any(w in named.split("_") for w in SECRET_WORDS)
        if is_secret and node.get("airbyte_secret") is not True:
            yield f"{path} would be shown in the open"
        if "enum" in node and node.get("default", node["enum"][0]) not in node["enum"]:
            yield f"{path} has a default that is none of its values"


def problems_of_stream(stream: Mapping[str, Any]) -> Iterator[str]:
    """What a destination could not take of a stream."""
    schema, name = stream["json_schema"], stream["name"]
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError as error:
        yield f"{name} has no valid schema: {error.message}"
        return
    columns = schema.get("properties", {})
    if not stream["supported_sync_modes"]:
        yield f"{name} has no sync mode"
    for column in stream.get("default_cursor_field") or ():
        if column not in columns:
            yield f"{name} has the cursor {column}, which is no column"
    for (column,) in stream.get("source_defined_primary_key") or ():
        kinds = columns.get(column, {}).get("type")
        if kinds not in ("string", "integer"):
            yield f"{name} has the primary key {column} of the type {kinds}"
    for path, node in nodes(schema):
        if found := COMBINERS & {*node}:
            yield f"{name} {path} has {sorted(found)}"
        if node.get("additionalProperties", True) is not True:
            yield f"{name} {path} refuses what a provider adds"


def spec_of(provider: str) -> Any:
    return ALL[provider].manifest_as_written()["spec"]["connection_specification"]


def streams_of(provider: str) -> list[dict[str, Any]]:
    return [
        {**vars(s), "supported_sync_modes": [mode.value for mode in s.supported_sync_modes]}
        for s in discovered(ALL[provider])
    ]


@pytest.mark.parametrize("provider", ALL)
def test_a_form_can_be_made_from_each_specification(provider: str) -> None:
    assert list(problems_of_spec(spec_of(provider))) == []


@pytest.mark.parametrize("provider", ALL)
def test_a_destination_can_take_each_stream(provider: str) -> None:
    found = [problem for stream in streams_of(provider) for problem in problems_of_stream(stream)]
    assert found == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop("additionalProperties"), "$ refuses unknown keys"),
        (
            lambda s: s["properties"]["start_date"].update(order=0),
            "$ has settings without an order",
        ),
        (lambda s: s.update(required=["other"]), "$ requires ['other'], which there is not"),
        (lambda s: s["properties"]["api_key"].update(oneOf=[]), "$.api_key has ['oneOf']"),
        (
            lambda s: s["properties"]["api_key"].update(type=["string", "null"]),
            "$.api_key has the type ['string', 'null']",
        ),
        (
            lambda s: s["properties"].update(x={"type": "object", "order": 9}),
            "$.x is an object with",
        ),
        (lambda s: s["properties"]["workspace_ids"].pop("items"), "$.workspace_ids is a list of"),
        (
            lambda s: s["properties"]["start_date"].pop("pattern_descriptor"),
            "$.start_date is a date without a pattern",
        ),
        (lambda s: s["properties"]["start_date"].pop("pattern"), "$.start_date explains a pattern"),
        (lambda s: s["properties"]["api_key"].pop("airbyte_secret"), "$.api_key would be shown in"),
        (
            lambda s: s["properties"]["api_key"].update(enum=["a"], default="b"),
            "$.api_key has a default that is none",
        ),
    ],
)
def test_what_a_form_cannot_show(change: Change, sentence: str) -> None:
    spec = copy.deepcopy(spec_of("skipcall"))
    change(spec)
    (found,) = problems_of_spec(spec)
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.update(json_schema={"type": "text"}), "calls has no valid schema: "),
        (lambda s: s.update(supported_sync_modes=[]), "calls has no sync mode"),
        (
            lambda s: s.update(default_cursor_field=["x"]),
            "calls has the cursor x, which is no colu",
        ),
        (
            lambda s: s.update(source_defined_primary_key=[["notes"]]),
            "calls has the primary key notes of the type ['null', 'string']",
        ),
        (
            lambda s: s["json_schema"]["properties"]["id"].update(allOf=[]),
            "calls has no valid schema: ",
        ),
        (
            lambda s: s["json_schema"]["properties"]["id"].update({"not": {}}),
            "calls $.id has ['not']",
        ),
        (
            lambda s: s["json_schema"]["properties"]["provider_record"]["properties"][
                "contact"
            ].update(additionalProperties=False),
            "calls $.provider_record.contact refuses what a provider adds",
        ),
    ],
)
def test_what_a_destination_cannot_take(change: Change, sentence: str) -> None:
    stream = copy.deepcopy(next(s for s in streams_of("skipcall") if s["name"] == "calls"))
    change(stream)
    (found,) = problems_of_stream(stream)
    assert found.startswith(sentence)
