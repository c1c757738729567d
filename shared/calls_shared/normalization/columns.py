"""The columns of the stream `calls`: one table that the schema, the mapping and the README rest on.

The types are Airbyte's: a `timestamp` is a JSON string with `format: date-time` and
`airbyte_type: timestamp_with_timezone`; a duration is an `integer` number of seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar

from airbyte_cdk.sources.declarative.schema.schema_loader import SchemaLoader

from calls_shared.keys import Keys, exactly


@dataclass(frozen=True)
class Column:
    """One column of a stream.

    `kind` is `string`, `timestamp`, `integer`, `number`, `boolean`, `object` or `array` (of
    strings); it also chooses the converter that reads a provider's field into the column. A
    `required` column is never null.
    """

    name: str
    kind: str
    description: str
    required: bool = False

    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of the column, as Airbyte destinations read it."""
        base = "string" if self.kind == "timestamp" else self.kind
        schema: dict[str, Any] = {"type": base if self.required else ["null", base]}
        if self.kind == "timestamp":
            schema |= {"format": "date-time", "airbyte_type": "timestamp_with_timezone"}
        if self.kind == "array":
            schema["items"] = {"type": "string"}
        schema["description"] = self.description
        return schema


_MAY_EXPIRE = " May need the provider's API credential, and may expire."

COLUMNS: tuple[Column, ...] = (
    Column("provider", "string", "Which provider the call comes from.", required=True),
    Column("id", "string", "The provider's id of the call, unchanged.", required=True),
    Column("direction", "string", "inbound or outbound, from the company's side."),
    Column(
        "status",
        "string",
        "queued, ringing, in-progress, completed (ended normally; with an answer, where the"
        " provider states answers), no-answer (ended without one), busy, canceled, failed,"
        " forwarded, or unknown for a word of the provider outside this list (see"
        " provider_status).",
    ),
    Column("occurred_at", "timestamp", "Where the call belongs on a time line: start or creation."),
    Column("started_at", "timestamp", "Start of the call, as the provider states it."),
    Column("answered_at", "timestamp", "When the call was answered, as the provider states it."),
    Column("ended_at", "timestamp", "End of the call, as the provider states it."),
    Column("created_at", "timestamp", "When the provider created the record."),
    Column(
        "updated_at",
        "timestamp",
        "The provider's last change of the record; created_at if it reports none, null if it"
        " reports one that cannot be read.",
    ),
    Column(
        "answered",
        "boolean",
        "Whether the call was answered, by a person, a machine or an AI (see answered_by_type);"
        " null while it still rings, and where the provider does not say.",
    ),
    Column(
        "answered_by_type",
        "string",
        "Who answered, on the company's side for incoming calls, on the other side for outgoing"
        " ones: human, machine or ai; null where it is not known.",
    ),
    Column(
        "duration_seconds",
        "integer",
        "Duration of the call in whole seconds, as the provider measures it (the README says what"
        " and from when); a computed one includes ringing.",
    ),
    Column(
        "duration_source",
        "string",
        "provider, or computed (ended_at - started_at, which includes ringing).",
    ),
    Column(
        "wait_seconds",
        "integer",
        "Whole seconds from the start (where the provider states none, from the creation) to the"
        " answer; of a call that nobody answered, to its end.",
    ),
    Column(
        "talk_seconds",
        "integer",
        "Talk time in whole seconds, as the provider states it, else ended_at - answered_at.",
    ),
    Column("from_number", "string", "The calling party, as given by the provider."),
    Column("to_number", "string", "The called party, as given by the provider."),
    Column(
        "external_number",
        "string",
        "The party outside the company; between two own lines the other line.",
    ),
    Column("internal_number", "string", "The company's own line."),
    Column("line_id", "string", "The provider's id of the company's own line."),
    Column("line_name", "string", "Name of the company's own line."),
    Column(
        "user_id",
        "string",
        "The provider's id of the company's person on the call; null if an AI answered alone.",
    ),
    Column("user_name", "string", "Name of the company's person on the call."),
    Column("user_email", "string", "E-mail address of the company's person on the call."),
    Column("contact_id", "string", "The provider's id of the other party's record."),
    Column("contact_name", "string", "Name in the other party's record."),
    Column("contact_email", "string", "E-mail address in the other party's record."),
    Column("conversation_id", "string", "The thread that the call belongs to."),
    Column("disposition_id", "string", "The outcome that the person chose (the disposition)."),
    Column("disposition_name", "string", "Name of the outcome that the person chose."),
    Column(
        "transferred", "boolean", "Whether the call was transferred, as the provider states it."
    ),
    Column(
        "forwarded_from", "string", "Number, line or user that forwarded the call here, as given."
    ),
    Column(
        "forwarded_to", "string", "Number, line or user that the call was forwarded to, as given."
    ),
    Column("notes", "string", "Notes that the person took."),
    Column("deleted_at", "timestamp", "When the provider marked the record as deleted."),
    Column("recording_url", "string", "Where the recording is." + _MAY_EXPIRE),
    Column("transcript_url", "string", "Where the transcript is." + _MAY_EXPIRE),
    Column("transcript", "string", "Text of the call, where the provider puts it in the record."),
    Column(
        "participants",
        "array",
        "The numbers of all parties, as given; where the provider lists none, the known ones of"
        " from_number and to_number.",
    ),
    Column("summary", "string", "The provider's summary of the call, a line a sentence."),
    Column("voicemail_url", "string", "Where the voicemail is." + _MAY_EXPIRE),
    Column("voicemail_seconds", "integer", "Length of the voicemail in whole seconds."),
    Column("voicemail_transcript", "string", "Text of the voicemail."),
    Column("end_reason", "string", "The provider's own reason why the call ended."),
    Column("provider_status", "string", "The provider's own status word."),
    Column("provider_direction", "string", "The provider's own direction word."),
    Column("provider_call_type", "string", "The provider's own word for the kind of call."),
    Column(
        "provider_record", "object", "The provider's record exactly as received.", required=True
    ),
)

LISTED_COLUMNS: tuple[Column, ...] = COLUMNS[:2]
"""What a call is known by across providers, and all that a stream of listed calls has."""


@dataclass
class CallSchema(SchemaLoader):
    """Schema loader of a stream of calls: the shared columns and the provider's own record.

    `provider_record` in the manifest is `{properties: {...}}`, which describes the provider's
    fields; it is put below the column of the same name. `descriptions` adds to the descriptions of
    columns what they are at this provider.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {
        "descriptions": exactly(column.name for column in COLUMNS)
    }

    provider_record: Mapping[str, Any]
    descriptions: Mapping[str, str] = dataclass_field(default_factory=dict)

    def get_json_schema(self) -> Mapping[str, Any]:
        """The JSON schema of one normalized call."""
        properties = _properties(COLUMNS)
        for name, here in self.descriptions.items():
            properties[name]["description"] += f" {here}"
        properties["provider_record"]["properties"] = dict(self.provider_record["properties"])
        properties["provider_record"]["additionalProperties"] = True
        return _schema(properties)


@dataclass
class ListedCallSchema(SchemaLoader):
    """Schema loader of a stream with no more of a call than what it is known by."""

    def get_json_schema(self) -> Mapping[str, Any]:
        """The JSON schema of one listed call."""
        return _schema(_properties(LISTED_COLUMNS))


def _properties(columns: Iterable[Column]) -> dict[str, Any]:
    return {column.name: column.json_schema() for column in columns}


def _schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "required": [
            column.name for column in COLUMNS if column.required and column.name in properties
        ],
        "properties": properties,
    }
