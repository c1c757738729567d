import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import RowNormalization, RowSchema
from calls_shared.normalization.mapping import MappingError
from calls_shared.normalization.rows import RowMapping
from calls_shared.report import SyncReport, report_of

# The product's table of columns: name, type; those that are never null end with "!".
SHAPES = {
    "call_transcripts": """
        provider string!
        call_id string!
        recording_id string
        segment_index integer!
        speaker string
        speaker_label string
        content string
        start_time number
        end_time number
        updated_at timestamp
    """,
    "call_recordings": """
        provider string!
        call_id string!
        recording_id string!
        url string
        duration_seconds integer
        started_at timestamp
        status string
        expires_at timestamp
        updated_at timestamp
    """,
    "users": """
        provider string!
        id string!
        name string
        email string
        role string
        is_active boolean
    """,
    "call_dispositions": """
        provider string!
        id string!
        name string
        slug string
        action string
    """,
}
USERS = {
    "id": {"from": "id"},
    "name": {"join": ["firstName", "lastName"]},
    "is_active": {"cases": [{"value": True, "equals": {"status": "active"}}]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_schema_has_the_columns_in_order(shape: str) -> None:
    schema = RowSchema(shape).get_json_schema()
    found = {}
    for name, column in schema["properties"].items():
        kinds = column["type"] if isinstance(column["type"], list) else [column["type"]]
        kind = "timestamp" if column.get("format") == "date-time" else kinds[-1]
        found[name] = kind + ("" if "null" in kinds else "!")
        assert column["description"].endswith(".")
    wanted = [line.split() for line in SHAPES[shape].strip().splitlines()]
    assert list(found.items()) == [(name, kind) for name, kind in wanted]
    assert schema["required"] == [name for name, kind in wanted if kind.endswith("!")]


def test_a_record_becomes_a_row() -> None:
    record = {"id": 7, "firstName": "Ada", "lastName": "Lovelace", "status": "active", "x": 1}
    RowNormalization("users", "acme", USERS).transform(record)
    assert record == {"provider": "acme", "id": "7", "name": "Ada Lovelace", "is_active": True}


def test_what_cannot_be_read_is_counted_and_left_out() -> None:
    config: dict[str, str] = {}
    rows = RowNormalization("users", "acme", USERS, config)
    record = {"id": "7", "firstName": ["Ada"], "status": "gone"}
    rows.transform(record)
    assert record == {"provider": "acme", "id": "7"}
    assert report_of(config).sentences() == [
        "1 values could not be read into the column name of users; it is null there."
    ]


def test_a_record_without_an_id_cannot_be_kept() -> None:
    with pytest.raises(AirbyteTracedException, match="A record of users from acme has no id"):
        RowNormalization("users", "acme", USERS).transform({"firstName": "Ada"})


def test_a_status_is_the_providers_own_word() -> None:
    mapping = RowMapping("call_recordings", {"status": {"from": "status"}}, SyncReport())
    assert mapping.row({"status": "In-Progress"}, {}) == {"status": "In-Progress"}


@pytest.mark.parametrize(
    ("given", "wanted"), [(0, 0), (1.25, 1.25), ("3.5", 3.5), ("", None), ([], None), (True, None)]
)
def test_numbers_are_kept_as_they_are(given: object, wanted: float | None) -> None:
    mapping = RowMapping("call_transcripts", {"start_time": {"from": "start"}}, SyncReport())
    assert mapping.row({"start": given}, {}).get("start_time") == wanted


@pytest.mark.parametrize(
    ("shape", "columns", "sentence"),
    [
        ("people", USERS, "shape 'people' is not one of call_transcripts, call_recordings, users"),
        ("users", {"id": {"from": "id"}, "slug": {"from": "x"}}, "slug is not a column of users"),
        ("users", {"name": {"from": "name"}}, "column id is never null, and has no source"),
        ("users", {"id": {"form": "id"}}, "column users.id: unknown key 'form'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    shape: str, columns: dict[str, dict[str, str]], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        RowNormalization.check_manifest({"shape": shape, "provider": "acme", "columns": columns})


def test_a_mapping_error_names_the_column() -> None:
    with pytest.raises(MappingError, match=r"users\.is_active"):
        RowNormalization("users", "acme", {**USERS, "is_active": {"cases": [{"value": "yes"}]}})
