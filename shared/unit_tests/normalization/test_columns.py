from typing import Any

import pytest
from jsonschema import Draft7Validator

from calls_shared import CallSchema
from calls_shared.normalization.columns import COLUMNS

# The product's table of columns: name, type; the three that are never null end with "!".
TABLE = """
provider string!
id string!
direction string
status string
occurred_at timestamp
started_at timestamp
answered_at timestamp
ended_at timestamp
created_at timestamp
updated_at timestamp
answered boolean
answered_by_type string
duration_seconds integer
duration_source string
wait_seconds integer
talk_seconds integer
from_number string
to_number string
external_number string
internal_number string
line_id string
line_name string
user_id string
user_name string
user_email string
contact_id string
contact_name string
contact_email string
conversation_id string
disposition_id string
disposition_name string
transferred boolean
forwarded_from string
forwarded_to string
notes string
deleted_at timestamp
recording_url string
transcript_url string
transcript string
participants array
summary string
voicemail_url string
voicemail_seconds integer
voicemail_transcript string
end_reason string
provider_status string
provider_direction string
provider_call_type string
provider_record object!
"""
ROWS = [tuple(line.split()) for line in TABLE.strip().splitlines()]
FIELDS = {"properties": {"id": {"type": "string", "description": "The id."}}}


def test_names_order_and_kinds() -> None:
    declared = [(c.name, c.kind + ("!" if c.required else "")) for c in COLUMNS]
    assert declared == ROWS


@pytest.mark.parametrize(("name", "kind"), ROWS)
def test_schema_of_a_column(name: str, kind: str) -> None:
    column: dict[str, Any] = CallSchema(FIELDS).get_json_schema()["properties"][name]
    base = {"timestamp": "string"}.get(kind.rstrip("!"), kind.rstrip("!"))
    expected: dict[str, Any] = {"type": base if kind.endswith("!") else ["null", base]}
    if kind == "timestamp":
        expected |= {"format": "date-time", "airbyte_type": "timestamp_with_timezone"}
    if kind == "array":
        expected |= {"items": {"type": "string"}}
    if name == "provider_record":
        expected |= {"properties": FIELDS["properties"], "additionalProperties": True}
    description = column.pop("description")
    assert column == expected
    assert description.endswith(".")


def test_schema_as_a_whole() -> None:
    schema = dict(CallSchema(FIELDS).get_json_schema())
    properties = schema.pop("properties")
    assert schema == {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "required": ["provider", "id", "provider_record"],
    }
    assert list(properties) == [name for name, _ in ROWS]
    Draft7Validator.check_schema({**schema, "properties": properties})


def test_schemas_of_two_streams_do_not_share_their_fields() -> None:
    other = {"properties": {"uuid": {"type": "string", "description": "Another."}}}
    first = CallSchema(FIELDS).get_json_schema()
    second = CallSchema(other).get_json_schema()
    again = CallSchema(FIELDS).get_json_schema()
    assert first["properties"]["provider_record"]["properties"] == FIELDS["properties"]
    assert second["properties"]["provider_record"]["properties"] == other["properties"]
    assert again == first


@pytest.mark.parametrize("name", ["recording_url", "transcript_url"])
def test_links_say_that_they_may_need_the_credential_and_may_expire(name: str) -> None:
    (description,) = (column.description for column in COLUMNS if column.name == name)
    assert "may need" in description.lower()
    assert "credential" in description
    assert "may expire" in description


@pytest.mark.parametrize("provider", ["intercom", "openphone", "amplemarket", "skipcall"])
def test_the_four_catalogs_have_the_same_columns(manifests: dict[str, Any], provider: str) -> None:
    streams = (s for e in manifests[provider]["streams"] for s in e.get("streams", [e]))
    stream = next(s for s in streams if s["name"] == "calls")
    loader = stream["schema_loader"]
    assert loader["class_name"] == "calls_shared.CallSchema"
    descriptions = loader["descriptions"]
    schema = CallSchema(loader["provider_record"], descriptions).get_json_schema()
    assert descriptions.keys() <= {"duration_seconds", "conversation_id"}
    assert "duration_seconds" in descriptions
    for name, text in descriptions.items():
        assert schema["properties"][name]["description"].endswith(f" {text}")
        schema["properties"][name] = CallSchema(FIELDS).get_json_schema()["properties"][name]
    plain = CallSchema(FIELDS).get_json_schema()["properties"]
    shared = {name: column for name, column in plain.items() if name != "provider_record"}
    assert list(schema["properties"]) == [name for name, _ in ROWS]
    assert {n: c for n, c in schema["properties"].items() if n != "provider_record"} == shared
    described = schema["properties"]["provider_record"]["properties"]
    assert [name for name, field in described.items() if not field.get("description")] == []
    assert [name for name, field in described.items() if "type" not in field] == []
