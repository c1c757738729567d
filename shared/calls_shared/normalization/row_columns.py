"""The columns of the streams beside `calls`: one table a stream, which its schema rests on.

The streams are the same in every connector that has them, as `calls` is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from airbyte_cdk.sources.declarative.schema.schema_loader import SchemaLoader

from calls_shared.normalization.columns import Column

_PROVIDER: Final = Column("provider", "string", "Which provider the row comes from.", required=True)
_CALL_ID: Final = Column(
    "call_id", "string", "The call (the column id of the stream calls).", required=True
)
_CHANGED: Final = Column(
    "updated_at",
    "timestamp",
    "The provider's last change of the call (the column of the stream calls); the stream's cursor.",
)

ROW_COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = {
    "call_transcripts": (
        _PROVIDER,
        _CALL_ID,
        Column("recording_id", "string", "The recording that the row was heard in."),
        Column(
            "segment_index",
            "integer",
            "The row's place in the transcript of the call, from 0.",
            required=True,
        ),
        Column("speaker", "string", "Who spoke, as the provider names the party."),
        Column("speaker_label", "string", "What else the provider calls who spoke."),
        Column("content", "string", "What was said."),
        Column("start_time", "number", "When it began, in seconds as the provider counts them."),
        Column("end_time", "number", "When it ended, in seconds as the provider counts them."),
        _CHANGED,
    ),
    "call_recordings": (
        _PROVIDER,
        _CALL_ID,
        Column(
            "recording_id",
            "string",
            "The recording; call_id where the provider gives it no id of its own.",
            required=True,
        ),
        Column(
            "url",
            "string",
            "Where the recording is, as of this sync. A signed URL expires; another kind may need"
            " the provider's API credential.",
        ),
        Column("duration_seconds", "integer", "Duration of the recording in whole seconds."),
        Column("started_at", "timestamp", "Start of the recording, as the provider states it."),
        Column("status", "string", "The provider's own word for how far the recording is."),
        Column("expires_at", "timestamp", "When the signed URL expires, as it says itself."),
        _CHANGED,
    ),
    "users": (
        _PROVIDER,
        Column("id", "string", "The provider's id of the user, unchanged.", required=True),
        Column("name", "string", "Name of the user."),
        Column("email", "string", "E-mail address of the user."),
        Column("role", "string", "The provider's own word for what the user may do."),
        Column("is_active", "boolean", "Whether the user is active, as the provider states it."),
    ),
    "call_dispositions": (
        _PROVIDER,
        Column("id", "string", "The provider's id of the outcome, unchanged.", required=True),
        Column("name", "string", "Name of the outcome."),
        Column("slug", "string", "A name of the outcome for programs."),
        Column("action", "string", "The provider's own word for what the outcome does."),
    ),
}
"""By the stream's name, its columns in order."""


def columns_of(shape: str) -> tuple[Column, ...]:
    """The columns of a stream.

    Raises:
        ValueError: if no stream has that name.
    """
    if shape not in ROW_COLUMNS:
        raise ValueError(f"shape {shape!r} is not one of {', '.join(ROW_COLUMNS)}")
    return ROW_COLUMNS[shape]


@dataclass
class RowSchema(SchemaLoader):
    """Schema loader of a stream beside `calls`.

    Attributes:
        shape: which one: `call_transcripts`, `call_recordings`, `users` or `call_dispositions`.
    """

    shape: str

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse a shape that is none.

        Raises:
            ValueError: saying which there are.
        """
        columns_of(node["shape"])

    def get_json_schema(self) -> Mapping[str, Any]:
        """The JSON schema of one row."""
        columns = columns_of(self.shape)
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "additionalProperties": True,
            "required": [column.name for column in columns if column.required],
            "properties": {column.name: column.json_schema() for column in columns},
        }
