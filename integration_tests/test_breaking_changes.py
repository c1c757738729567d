"""What counts as a breaking change: made-up changes of a spec and of a catalog."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from integration_tests.snapshots.breaking import breaks_in_catalog, breaks_in_spec

SPEC: dict[str, Any] = {
    "documentationUrl": "https://example.com",
    "connectionSpecification": {
        "type": "object",
        "additionalProperties": True,
        "required": ["key"],
        "properties": {
            "key": {"type": "string", "airbyte_secret": True},
            "region": {"type": "string", "enum": ["us", "eu"], "default": "us"},
            "days": {"type": "integer", "minimum": 1, "maximum": 30},
            "ids": {
                "type": "array",
                "items": {"type": "string", "pattern": "^[0-9]+$"},
                "maxItems": 9,
            },
            "start": {"type": ["string", "null"]},
            "other": {},
            "closed": {"type": "object", "additionalProperties": False},
        },
    },
}
CATALOG: dict[str, Any] = {
    "streams": [
        {
            "name": "calls",
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_cursor": True,
            "default_cursor_field": ["updated_at"],
            "source_defined_primary_key": [["id"]],
            "json_schema": {
                "type": "object",
                "additionalProperties": True,
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "status": {"type": ["null", "string"], "enum": ["completed", "busy"]},
                    "occurred_at": {
                        "type": ["null", "string"],
                        "format": "date-time",
                        "airbyte_type": "timestamp_with_timezone",
                    },
                    "record": {
                        "type": "object",
                        "properties": {
                            "tags": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "properties": {"name": {"type": "string"}},
                                },
                            }
                        },
                    },
                },
            },
        },
        {
            "name": "numbers",
            "supported_sync_modes": ["full_refresh"],
            "json_schema": {"type": "object", "properties": {"id": {"type": "string"}}},
        },
    ]
}
Change = Callable[[Any], object]


def changed_spec(change: Change) -> dict[str, Any]:
    new = copy.deepcopy(SPEC)
    change(new["connectionSpecification"])
    return new


def changed_catalog(change: Change) -> dict[str, Any]:
    new = copy.deepcopy(CATALOG)
    change(new["streams"])
    return new


def in_property(name: str, **keywords: Any) -> Change:
    return lambda schema: schema["properties"][name].update(keywords)


def in_column(name: str, **keywords: Any) -> Change:
    return lambda streams: streams[0]["json_schema"]["properties"][name].update(keywords)


def in_stream(**keywords: Any) -> Change:
    return lambda streams: streams[0].update(keywords)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s["properties"].pop("days"), "the configuration.days: it is removed"),
        (
            in_property("start", type="string"),
            "the configuration.start: the type null or string became string",
        ),
        (
            in_property("days", type="string"),
            "the configuration.days: the type integer became string",
        ),
        (
            in_property("other", type="string"),
            "the configuration.other: the type anything became string",
        ),
        (
            lambda s: s.update(required=["key", "region"]),
            "the configuration: region is required",
        ),
        (
            lambda s: s.update(
                required=["key", "plan"], properties={**s["properties"], "plan": {"type": "string"}}
            ),
            "the configuration: plan is required",
        ),
        (
            lambda s: s.update(additionalProperties=False),
            "the configuration: unknown keys are refused",
        ),
        (
            in_property("region", enum=["us", "au"]),
            "the configuration.region: the value eu is removed",
        ),
        (in_property("start", enum=["now"]), "the configuration.start: only now are left"),
        (in_property("days", minimum=2), "the configuration.days: minimum 1 became 2"),
        (in_property("days", maximum=29), "the configuration.days: maximum 30 became 29"),
        (in_property("key", minLength=1), "the configuration.key: minLength None became 1"),
        (in_property("key", maxLength=9), "the configuration.key: maxLength None became 9"),
        (in_property("key", pattern="^k"), "the configuration.key: pattern None became ^k"),
        (
            in_property("start", format="date-time"),
            "the configuration.start: format None became date-time",
        ),
        (
            in_property("key", airbyte_secret=False),
            "the configuration.key: it is no secret any more",
        ),
        (
            in_property("ids", items={"type": "integer"}),
            "the configuration.ids[]: the type string became integer",
        ),
        (
            in_property("ids", items={"type": "string", "pattern": "^[1-9]+$"}),
            "the configuration.ids[]: pattern ^[0-9]+$ became ^[1-9]+$",
        ),
        (
            in_property("days", items={"type": "string"}),
            'the configuration.days[]: null became {"type": "string"}',
        ),
        (in_property("key", const="k"), 'the configuration.key: const null became "k"'),
    ],
)
def test_a_spec_that_asks_for_more_or_accepts_less(change: Change, sentence: str) -> None:
    assert breaks_in_spec(SPEC, changed_spec(change)) == [sentence]


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda s: s["properties"].update(plan={"type": "string"}),
        lambda s: s.update(required=[]),
        in_property("region", enum=["us", "eu", "au"], default="eu"),
        lambda s: s["properties"]["region"].pop("enum"),
        in_property("days", minimum=0, maximum=31, description="How many.", order=7),
        in_property("days", type="number"),
        in_property("days", type=["integer", "null"]),
        lambda s: s["properties"]["days"].pop("type"),
        in_property("ids", items={"type": "string"}),
        lambda s: s["properties"]["ids"].pop("maxItems"),
        in_property("start", airbyte_secret=True),
    ],
)
def test_a_spec_that_accepts_more_breaks_nothing(change: Change) -> None:
    assert breaks_in_spec(SPEC, changed_spec(change)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda streams: streams.pop(1), "numbers: the stream is removed"),
        (
            lambda s: s[0]["json_schema"]["properties"].pop("status"),
            "calls.status: it is removed",
        ),
        (
            in_column("status", type="string"),
            "calls.status: the type null or string became string",
        ),
        (
            in_column("id", type=["null", "string"]),
            "calls.id: the type string became null or string",
        ),
        (
            in_column("status", enum=["completed"]),
            "calls.status: the value busy is removed",
        ),
        (
            in_column("occurred_at", airbyte_type="timestamp_without_timezone"),
            "calls.occurred_at: airbyte_type timestamp_with_timezone became"
            " timestamp_without_timezone",
        ),
        (
            in_column("occurred_at", format=None),
            "calls.occurred_at: format date-time became None",
        ),
        (
            lambda s: s[0]["json_schema"].update(additionalProperties=False),
            "calls: additionalProperties True became False",
        ),
        (lambda s: s[0]["json_schema"].update(required=[]), "calls: id may be missing"),
        (
            in_stream(source_defined_primary_key=[["provider"], ["id"]]),
            'calls: the primary key [["id"]] became [["provider"], ["id"]]',
        ),
        (
            in_stream(default_cursor_field=["created_at"]),
            'calls: the cursor ["updated_at"] became ["created_at"]',
        ),
        (
            in_stream(source_defined_cursor=False),
            "calls: who defines the cursor true became false",
        ),
        (
            in_stream(supported_sync_modes=["full_refresh"]),
            "calls: the sync mode incremental is removed",
        ),
        (
            in_column("record", type=["object", "string"]),
            "calls.record: the type object became object or string",
        ),
        (
            lambda s: s[0]["json_schema"]["properties"]["record"]["properties"]["tags"].update(
                items={"type": "object", "properties": {}}
            ),
            "calls.record.tags[].name: it is removed",
        ),
        (
            in_column("id", oneOf=[{"type": "string"}]),
            'calls.id: oneOf null became [{"type": "string"}]',
        ),
    ],
)
def test_a_catalog_that_gives_less_or_something_else(change: Change, sentence: str) -> None:
    assert breaks_in_catalog(CATALOG, changed_catalog(change)) == [sentence]


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda s: s.append({"name": "users", "json_schema": {}}),
        lambda s: s[0]["json_schema"]["properties"].update(notes={"type": "string"}),
        in_column("status", enum=["completed", "busy", "failed"], description="How it went."),
        in_column("status", type=["string", "null"]),
        lambda s: s[0]["json_schema"].update(required=["id", "status"]),
        lambda s: s[1].update(supported_sync_modes=["full_refresh", "incremental"]),
    ],
)
def test_a_catalog_that_gives_more_breaks_nothing(change: Change) -> None:
    assert breaks_in_catalog(CATALOG, changed_catalog(change)) == []
