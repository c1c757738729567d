import copy
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from calls_shared import CallNormalization, CallSchema
from calls_shared.http.budget import budget_of
from calls_shared.normalization.mapping import MappingError

PROPERTY = settings(database=None, deadline=None, max_examples=60)
PROVIDERS = ("intercom", "openphone", "amplemarket", "skipcall")

Record = dict[str, Any]
Normalize = Callable[..., Record]

UUID7 = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"  # RFC 9562, appendix A.6: 2022-02-22T19:22:22Z

NUMBER = {  # what a conversation hands to its calls
    "id": "CN123abc",
    "number": "+15550001111",
    "users": [
        {"id": "US1", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"},
        {"id": "US2", "firstName": "Grace", "lastName": None, "email": "grace@example.com"},
    ],
    "name": "Sales",
    "user_id": None,
}

FULL: dict[str, tuple[Record, Record]] = {
    "intercom": (
        {
            "type": "call",
            "id": "123",
            "conversation_id": "456",
            "admin_id": "789",
            "contact_id": "6762f0dd1bb69f9f2193bb83",
            "state": "completed",
            "initiated_at": 1734537437,
            "answered_at": 1734537442,
            "ended_at": 1734537500,
            "created_at": 1734537430,
            "updated_at": 1734537600,
            "recording_url": "https://api.intercom.io/calls/123/recording",
            "transcription_url": "https://api.intercom.io/calls/123/transcript",
            "call_type": "phone",
            "direction": "outbound",
            "ended_reason": "answered",
            "phone": "+15551234567",
            "fin_recording_url": "https://api.intercom.io/calls/124/recording",
            "fin_transcription_url": "https://api.intercom.io/calls/124/transcript",
            "duration": 61,
            "talk_time": 57,
            "queue_time": 3,
            "hold_time": 1,
            "new_field": {"deep": [1, 2.5, None, {"x": "ü"}]},
        },
        {
            "provider": "intercom",
            "id": "123",
            "direction": "outbound",
            "status": "completed",
            "occurred_at": "2024-12-18T15:57:17Z",
            "started_at": "2024-12-18T15:57:17Z",
            "answered_at": "2024-12-18T15:57:22Z",
            "ended_at": "2024-12-18T15:58:20Z",
            "created_at": "2024-12-18T15:57:10Z",
            "updated_at": "2024-12-18T16:00:00Z",
            "answered": True,
            "duration_seconds": 61,
            "duration_source": "provider",
            "wait_seconds": 5,
            "talk_seconds": 57,
            "to_number": "+15551234567",
            "external_number": "+15551234567",
            "participants": ["+15551234567"],
            "user_id": "789",
            "contact_id": "6762f0dd1bb69f9f2193bb83",
            "conversation_id": "456",
            "recording_url": "https://api.intercom.io/calls/123/recording",
            "transcript_url": "https://api.intercom.io/calls/123/transcript",
            "end_reason": "answered",
            "provider_status": "completed",
            "provider_direction": "outbound",
            "provider_call_type": "phone",
        },
    ),
    "openphone": (
        {
            "id": "AC123abc",
            "answeredAt": "2026-01-31T12:00:05.250Z",
            "answeredBy": "US2",
            "initiatedBy": None,
            "direction": "incoming",
            "status": "completed",
            "completedAt": "2026-01-31T12:01:00.000Z",
            "createdAt": "2026-01-31T12:00:00.000Z",
            "callRoute": "phone-number",
            "duration": 60,
            "forwardedFrom": "+15550009999",
            "forwardedTo": "US2",
            "aiHandled": None,
            "phoneNumberId": "PN123abc",
            "participants": ["+15550001111", "+15557654321"],
            "updatedAt": "2026-01-31T12:05:00.000Z",
            "userId": "US1",
            "newField": [{"a": 1}],
        },
        {
            "provider": "openphone",
            "id": "AC123abc",
            "direction": "inbound",
            "status": "completed",
            "occurred_at": "2026-01-31T12:00:00.000Z",
            "answered_at": "2026-01-31T12:00:05.250Z",
            "ended_at": "2026-01-31T12:01:00.000Z",
            "created_at": "2026-01-31T12:00:00.000Z",
            "updated_at": "2026-01-31T12:05:00.000Z",
            "answered": True,
            "answered_by_type": "human",
            "duration_seconds": 60,
            "duration_source": "provider",
            "wait_seconds": 5,
            "talk_seconds": 54,
            "from_number": "+15557654321",
            "to_number": "+15550001111",
            "external_number": "+15557654321",
            "internal_number": "+15550001111",
            "line_id": "PN123abc",
            "line_name": "Sales",
            "user_id": "US2",
            "user_name": "Grace",
            "user_email": "grace@example.com",
            "conversation_id": "CN123abc",
            "forwarded_from": "+15550009999",
            "forwarded_to": "US2",
            "participants": ["+15550001111", "+15557654321"],
            "provider_status": "completed",
            "provider_direction": "incoming",
            "provider_call_type": "phone-number",
        },
    ),
    "amplemarket": (
        {
            "id": UUID7,
            "from": "+351999999999",
            "to": "+1 123456789",
            "duration": 124,
            "transcription": "Hello.\nGood bye.",
            "recording_url": "https://recordings.example/1.mp3",
            "answered": True,
            "human": True,
            "external": False,
            "start_date": "2022-02-22T19:22:20Z",
            "disposition_id": "D1",
            "task_id": "T1",
            "user_id": "U1",
            "notes": "Call back.",
            "direction": "outgoing",
            "contact": {"id": "C1", "name": "Grace Hopper", "email": "grace@example.com"},
            "disposition_name": "Interested",
            "user_email": "ada@example.com",
            "transcript": [{"speaker": "Ada", "text": "Hello."}, {"text": "Good bye."}, {"at": 5}],
        },
        {
            "provider": "amplemarket",
            "id": UUID7,
            "direction": "outbound",
            "status": "completed",
            "occurred_at": "2022-02-22T19:22:20Z",
            "started_at": "2022-02-22T19:22:20Z",
            "created_at": "2022-02-22T19:22:22.000Z",
            "updated_at": "2022-02-22T19:22:22.000Z",
            "answered": True,
            "answered_by_type": "human",
            "duration_seconds": 124,
            "duration_source": "provider",
            "from_number": "+351999999999",
            "to_number": "+1 123456789",
            "external_number": "+1 123456789",
            "internal_number": "+351999999999",
            "participants": ["+351999999999", "+1 123456789"],
            "user_id": "U1",
            "user_email": "ada@example.com",
            "contact_id": "C1",
            "contact_name": "Grace Hopper",
            "contact_email": "grace@example.com",
            "disposition_id": "D1",
            "disposition_name": "Interested",
            "notes": "Call back.",
            "recording_url": "https://recordings.example/1.mp3",
            "transcript": 'Ada: Hello.\nGood bye.\n{"at": 5}',
            "provider_direction": "outgoing",
        },
    ),
    "skipcall": (
        {
            "id": "550e8400-e29b-41d4-a716-446655440000",
            "callType": "CALL_SESSION",
            "phoneNumberId": "P1",
            "userProviderSid": "CA1",
            "adminProviderSid": None,
            "providerConferenceId": "CF1",
            "status": "completed",
            "type": "outbound",
            "transferred": False,
            "startedAt": "2026-01-31T12:05:00.000Z",
            "endedAt": "2026-01-31T12:07:30.900Z",
            "createdAt": "2026-01-31T12:00:00.000Z",
            "updatedAt": "2026-01-31T12:08:00.000Z",
            "sequenceRunId": None,
            "sequenceId": None,
            "syncedWithCrmDate": "2026-01-31T12:09:00.000Z",
            "deletedAt": "2026-02-01T00:00:00.000Z",
            "organizationId": "O1",
            "organizationMembershipId": "M1",
            "managedPhoneNumberId": "P2",
            "notes": "Rappeler lundi.",
            "contact": {"id": "C1", "firstName": "Zoë", "lastName": "Dupont", "isUnknown": False},
            "phoneNumber": {"value": "+33612345678"},
            "caller": {"firstName": "Ada", "lastName": "Lovelace"},
            "callerPhoneNumber": {"value": "+33100000000"},
            "newField": True,
        },
        {
            "provider": "skipcall",
            "id": "550e8400-e29b-41d4-a716-446655440000",
            "direction": "outbound",
            "status": "completed",
            "occurred_at": "2026-01-31T12:05:00.000Z",
            "started_at": "2026-01-31T12:05:00.000Z",
            "ended_at": "2026-01-31T12:07:30.900Z",
            "created_at": "2026-01-31T12:00:00.000Z",
            "updated_at": "2026-02-01T00:00:00.000Z",
            "duration_seconds": 150,
            "duration_source": "computed",
            "from_number": "+33100000000",
            "to_number": "+33612345678",
            "external_number": "+33612345678",
            "internal_number": "+33100000000",
            "participants": ["+33100000000", "+33612345678"],
            "line_id": "P2",
            "user_id": "M1",
            "user_name": "Ada Lovelace",
            "contact_id": "C1",
            "contact_name": "Zoë Dupont",
            "transferred": False,
            "notes": "Rappeler lundi.",
            "deleted_at": "2026-02-01T00:00:00.000Z",
            "provider_status": "completed",
            "provider_direction": "outbound",
            "provider_call_type": "CALL_SESSION",
        },
    ),
}


T = 1769817600  # 2026-01-31T00:00:00Z


def slice_with(extra: Mapping[str, Any]) -> StreamSlice:
    return StreamSlice(partition={}, cursor_slice={}, extra_fields=dict(extra))


def calls_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The stream `calls`; where it depends on the configuration the first one."""
    streams = (s for entry in manifest["streams"] for s in entry.get("streams", [entry]))
    found: dict[str, Any] = next(s for s in streams if s["name"] == "calls")
    return found


def transformation(manifests: Mapping[str, Any], provider: str) -> dict[str, Any]:
    stream = calls_of(manifests[provider])
    (block,) = stream["transformations"]
    assert block["class_name"] == "calls_shared.CallNormalization"
    return {key: value for key, value in block.items() if key in get_type_hints(CallNormalization)}


def described_fields(manifests: Mapping[str, Any], provider: str) -> dict[str, Any]:
    stream = calls_of(manifests[provider])
    fields: dict[str, Any] = stream["schema_loader"]["provider_record"]
    return fields


@pytest.fixture(scope="module")
def normalize(manifests: Mapping[str, Any]) -> Normalize:
    """`normalize(provider, record, extra={...})`: the call, with the four real mappings."""
    compiled = {
        provider: CallNormalization(**transformation(manifests, provider)) for provider in PROVIDERS
    }

    def call_of(provider: str, record: Record, extra: Mapping[str, Any] | None = None) -> Record:
        call = {"provider_record": copy.deepcopy(record)}
        slice_ = slice_with(extra if extra is not None else NUMBER)
        compiled[provider].transform(call, config={}, stream_state={}, stream_slice=slice_)
        return call

    return call_of


@pytest.fixture
def normalize_and_report(manifests: Mapping[str, Any]) -> Callable[..., tuple[Record, list[str]]]:
    """The same with a report of its own: gives the call and the sentences at the end of a sync."""

    def call_and_sentences(provider: str, *records: Record) -> tuple[Record, list[str]]:
        config: dict[str, Any] = {}
        compiled = CallNormalization(**transformation(manifests, provider), config=config)
        call: Record = {}
        for record in records:
            call = {"provider_record": copy.deepcopy(record)}
            compiled.transform(call, stream_slice=slice_with(NUMBER))
        return call, budget_of(config).report.sentences()

    return call_and_sentences


def nulled(value: Any) -> Any:
    """The same fields without a value; nested objects stay objects."""
    return {k: nulled(v) for k, v in value.items()} if isinstance(value, dict) else None


def garbled(record: Record) -> Record:
    """The same fields, each with a value that no column of its kind can hold."""
    return {
        name: garbled(value) if isinstance(value, dict) else {"garbled": name}
        for name, value in record.items()
    }


# --- whole records ---


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_full_record(normalize: Normalize, provider: str) -> None:
    record, expected = FULL[provider]
    assert normalize(provider, record) == {**expected, "provider_record": record}


COMPUTED = set(
    "provider occurred_at created_at updated_at answered answered_by_type duration_source"
    " wait_seconds talk_seconds participants from_number to_number external_number internal_number"
    " user_id user_name user_email".split()
)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_manifest_maps_no_column_that_the_full_record_lacks(
    manifests: Mapping[str, Any], provider: str
) -> None:
    """So that `test_a_full_record` is a test of each column that a manifest maps."""
    mapped = transformation(manifests, provider)["columns"].keys()
    assert mapped - FULL[provider][1].keys() == set()
    assert mapped | COMPUTED >= FULL[provider][1].keys()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_full_record_has_each_described_field(
    manifests: Mapping[str, Any], provider: str
) -> None:
    described = described_fields(manifests, provider)["properties"]
    dated = {"actorId", "summary", "voicemail"} if provider == "openphone" else set()
    assert described.keys() - FULL[provider][0].keys() == dated  # test_dated_normalization.py


@pytest.mark.parametrize("with_keys", [True, False], ids=["nulls", "absent"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_record_of_nulls_has_null_columns(
    normalize: Normalize, provider: str, with_keys: bool
) -> None:
    record = {**(nulled(FULL[provider][0]) if with_keys else {}), "id": "X1"}
    assert normalize(provider, record, {}) == {
        "provider": provider,
        "id": "X1",
        "provider_record": record,
    }


def test_a_record_of_nulls_keeps_what_the_slice_says(normalize: Normalize) -> None:
    assert normalize("openphone", {"id": "X1"}) == {
        "provider": "openphone",
        "id": "X1",
        "internal_number": "+15550001111",
        "line_name": "Sales",
        "conversation_id": "CN123abc",
        "provider_record": {"id": "X1"},
    }


UNREADABLE_COLUMNS = {
    "intercom": "direction status provider_direction provider_status started_at answered_at"
    " ended_at created_at updated_at user_id contact_id conversation_id recording_url"
    " transcript_url end_reason external_number provider_call_type duration_seconds talk_seconds",
    "openphone": "direction status provider_direction provider_status answered_at ended_at"
    " created_at updated_at duration_seconds user_id external_number line_id forwarded_from"
    " forwarded_to participants provider_call_type",
    "amplemarket": "direction provider_direction started_at created_at answered duration_seconds"
    " user_id user_email contact_id contact_name contact_email disposition_id disposition_name"
    " notes recording_url transcript from_number to_number",
    "skipcall": "direction status provider_direction provider_status started_at ended_at created_at"
    " updated_at deleted_at user_id user_name contact_id contact_name notes external_number"
    " internal_number line_id transferred provider_call_type",
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_garbled_values_leave_their_columns_null_and_are_counted(
    normalize_and_report: Callable[..., tuple[Record, list[str]]], provider: str
) -> None:
    record = {**garbled(FULL[provider][0]), "id": "X1"}
    call, sentences = normalize_and_report(provider, record, record)
    columns = UNREADABLE_COLUMNS[provider].split()
    assert call.keys().isdisjoint(columns)
    assert call["provider_record"] == record
    assert sorted(sentences) == sorted(
        f"2 values could not be read into the column {column}; they stand in provider_record only."
        for column in columns
    )


@pytest.mark.parametrize(
    ("provider", "field", "value", "column"),
    [
        ("intercom", "updated_at", "2026-02-30T00:00:00Z", "updated_at"),
        ("intercom", "initiated_at", "soon", "started_at"),
        ("openphone", "createdAt", "2026-01-31", "created_at"),
        ("openphone", "duration", -1, "duration_seconds"),
        ("amplemarket", "answered", "yes", "answered"),
        ("amplemarket", "duration", "two minutes", "duration_seconds"),
        ("skipcall", "endedAt", "2026-13-01T00:00:00Z", "ended_at"),
        ("skipcall", "notes", ["a"], "notes"),
    ],
)
def test_one_garbled_value_is_counted_once_a_record(
    normalize_and_report: Callable[..., tuple[Record, list[str]]],
    provider: str,
    field: str,
    value: Any,
    column: str,
) -> None:
    good = FULL[provider][0]
    _, sentences = normalize_and_report(provider, good, {**good, field: value}, good)
    assert sentences == [
        f"1 values could not be read into the column {column}; they stand in provider_record only."
    ]


# --- vocabularies ---


@pytest.mark.parametrize(
    ("provider", "field", "word", "expected"),
    [
        ("intercom", "direction", "outbound", "outbound"),
        ("intercom", "direction", "inbound", "inbound"),
        ("intercom", "direction", "incoming", "inbound"),
        ("intercom", "direction", "Outbound", "outbound"),
        ("openphone", "direction", "incoming", "inbound"),
        ("openphone", "direction", "outgoing", "outbound"),
        ("openphone", "direction", "sideways", None),
        ("amplemarket", "direction", None, None),
        ("amplemarket", "direction", "incoming", "inbound"),
        ("amplemarket", "direction", "outgoing", "outbound"),
        ("amplemarket", "direction", "sideways", None),
        ("skipcall", "type", "inbound", "inbound"),
        ("skipcall", "type", "outbound", "outbound"),
        ("skipcall", "type", "internal", None),
    ],
)
def test_direction(
    normalize: Normalize, provider: str, field: str, word: str | None, expected: str | None
) -> None:
    call = normalize(provider, {**FULL[provider][0], field: word})
    assert call.get("direction") == expected
    assert call.get("provider_direction") == word


@pytest.mark.parametrize(
    ("provider", "word", "expected"),
    [
        *(
            ("openphone", word, expected)
            for word, expected in [
                ("queued", "queued"),
                ("initiated", "queued"),
                ("ringing", "ringing"),
                ("in-progress", "in-progress"),
                ("completed", "completed"),
                ("busy", "busy"),
                ("failed", "failed"),
                ("no-answer", "no-answer"),
                ("canceled", "canceled"),
                ("missed", "no-answer"),
                ("forwarded", "forwarded"),
                ("abandoned", "no-answer"),
                ("parked", "unknown"),
                (None, None),
            ]
        ),
        *(
            ("intercom", word, expected)
            for word, expected in [
                ("queued", "queued"),
                ("ringing", "ringing"),
                ("in-progress", "in-progress"),
                ("completed", "completed"),
                ("no-answer", "no-answer"),
                ("busy", "busy"),
                ("canceled", "canceled"),
                ("failed", "failed"),
                ("forwarded", "forwarded"),
                ("unknown", "unknown"),
                ("missed", "no-answer"),
                ("in_progress", "in-progress"),
                ("zigzag", "unknown"),
                (None, None),
            ]
        ),
        *(
            ("skipcall", word, expected)
            for word, expected in [
                ("completed", "completed"),
                ("queued", "queued"),
                ("ringing", "ringing"),
                ("in-progress", "in-progress"),
                ("busy", "busy"),
                ("failed", "failed"),
                ("no-answer", "no-answer"),
                ("canceled", "canceled"),
                ("initiated", "queued"),
                ("COMPLETED", "completed"),
                ("declined", "no-answer"),
                ("zigzag", "unknown"),
                (None, None),
            ]
        ),
    ],
)
def test_status(
    normalize: Normalize, provider: str, word: str | None, expected: str | None
) -> None:
    field = {"openphone": "status", "intercom": "state", "skipcall": "status"}[provider]
    call = normalize(provider, {**FULL[provider][0], field: word})
    assert call.get("status") == expected
    assert call.get("provider_status") == word


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (None, "in-progress"),
        ("", "in-progress"),
        ("0001-01-01T00:00:00Z", "in-progress"),
        ("2026-01-31T12:01:00Z", "completed"),
        ("2026-01-31T12:01:77Z", "completed"),  # there is an end, though it cannot be read
    ],
)
@pytest.mark.parametrize(
    ("provider", "word", "names"),
    [
        ("openphone", "answered", ("status", "completedAt")),
        ("intercom", "On Hold", ("state", "ended_at")),
        ("skipcall", "CONNECTED", ("status", "endedAt")),
    ],
)
def test_an_answered_call_goes_on_until_it_ends(
    normalize: Normalize,
    provider: str,
    word: str,
    names: tuple[str, str],
    end: str | None,
    expected: str,
) -> None:
    record = {**FULL[provider][0], **dict(zip(names, (word, end), strict=True))}
    assert normalize(provider, record)["status"] == expected
    assert normalize(provider, record)["provider_status"] == word


def test_unknown_words_are_told_with_their_counts(
    normalize_and_report: Callable[..., tuple[Record, list[str]]],
) -> None:
    records = [
        {**FULL["skipcall"][0], "type": direction, "status": status}
        for direction, status in [
            ("OUTBOUND", "zigzag"),
            ("sideways", "zigzag"),
            ("Inbound", "In_Progress"),
            ("outbound", 7),
        ]
    ]
    _, sentences = normalize_and_report("skipcall", *records)
    assert sentences == [
        "Words of the provider that are not known: status 'zigzag' (2), direction 'sideways' (1),"
        " status '7' (1). Such a status is unknown and such a direction null; the words stand in"
        " provider_record."
    ]


def test_an_unknown_word_is_masked_and_harmless(
    normalize_and_report: Callable[..., tuple[Record, list[str]]],
) -> None:
    update_secrets(["made-up-secret"])
    try:
        record = {"id": "1", "state": "a\x1b[31m\nmade-up-secret" + "x" * 1000}
        _, (sentence,) = normalize_and_report("intercom", record)
    finally:
        update_secrets([])
    assert "made-up-secret" not in sentence
    assert sentence.isprintable()
    assert len(sentence) < 300


@pytest.mark.parametrize(
    ("provider", "name", "column"),
    [
        ("skipcall", "phoneNumber", "external_number"),
        ("skipcall", "callerPhoneNumber", "internal_number"),
        ("skipcall", "caller", "user_name"),
        ("amplemarket", "contact", "contact_id"),
    ],
)
def test_a_field_whose_type_changed_is_counted(
    normalize_and_report: Callable[..., tuple[Record, list[str]]],
    provider: str,
    name: str,
    column: str,
) -> None:
    record = {**FULL[provider][0], name: "+33100000009"}
    call, sentences = normalize_and_report(provider, record)
    assert column not in call
    assert (
        f"1 values could not be read into the column {column}; they stand in provider_record only."
        in sentences
    )


@pytest.mark.parametrize("reason", ["completed", "answered", "on fire"])
def test_intercom_end_reason_does_not_decide_the_status(normalize: Normalize, reason: str) -> None:
    call = normalize("intercom", {"id": "1", "ended_reason": reason})
    assert (call["end_reason"], call.get("status")) == (reason, None)


@pytest.mark.parametrize(
    ("answered", "duration", "status"),
    [
        (True, 60, "completed"),
        (True, 0, "completed"),
        (True, None, None),
        (False, 60, "no-answer"),
        (False, None, "no-answer"),
        (None, 60, None),
        (None, None, None),
    ],
)
def test_amplemarket_status(
    normalize: Normalize, answered: bool | None, duration: int | None, status: str | None
) -> None:
    record = {**FULL["amplemarket"][0], "answered": answered, "duration": duration}
    call = normalize("amplemarket", record)
    assert call.get("status") == status
    assert call.get("answered") is answered
    assert call.get("duration_seconds") == duration
    assert "provider_status" not in call


@pytest.mark.parametrize(
    ("answered", "human", "expected"),
    [
        (True, True, "human"),
        (True, False, "machine"),
        (True, None, None),
        (True, 1, None),
        (False, True, None),
        (False, False, None),
        (None, False, None),
    ],
)
def test_amplemarket_answered_by_type(
    normalize: Normalize, answered: bool | None, human: Any, expected: str | None
) -> None:
    record = {**FULL["amplemarket"][0], "answered": answered, "human": human}
    assert normalize("amplemarket", record).get("answered_by_type") == expected


@pytest.mark.parametrize(
    ("ai_handled", "answered_by", "expected"),
    [
        ("ai-agent", None, "ai"),
        ("ai-agent", "US2", "ai"),
        (None, "US2", "human"),
        (None, None, None),
        ("AI_Agent", "US2", "ai"),
        ("robot", None, None),
        (None, "SY1", "ai"),
        (None, "SYU1", "ai"),
        (None, "PN1", None),
    ],
)
def test_openphone_answered_by_type(
    normalize: Normalize, ai_handled: str | None, answered_by: str | None, expected: str | None
) -> None:
    record = {**FULL["openphone"][0], "aiHandled": ai_handled, "answeredBy": answered_by}
    assert normalize("openphone", record).get("answered_by_type") == expected


# --- answered, durations ---


@pytest.mark.parametrize(
    ("answered_at", "ended_at", "expected"),
    [
        (1734537442, 1734537500, True),
        (1734537442, None, True),
        (None, 1734537500, False),
        (None, None, False),  # completed, so it has ended
    ],
)
def test_intercom_answered(
    normalize: Normalize, answered_at: int | None, ended_at: int | None, expected: bool | None
) -> None:
    record = {**FULL["intercom"][0], "answered_at": answered_at, "ended_at": ended_at}
    assert normalize("intercom", record).get("answered") is expected


@pytest.mark.parametrize(
    ("answered_at", "completed_at", "status", "expected"),
    [
        ("2026-01-31T12:00:05Z", "2026-01-31T12:01:00Z", "completed", True),
        ("2026-01-31T12:00:05Z", None, "missed", True),
        (None, "2026-01-31T12:01:00Z", "completed", False),
        (None, None, "missed", False),
        (None, None, "no-answer", False),
        (None, None, "busy", False),
        (None, None, "failed", False),
        (None, None, "canceled", False),
        (None, None, "abandoned", False),
        (None, None, "ringing", None),
        (None, None, "in-progress", True),
        (None, None, "answered", True),
        (None, "2026-01-31T12:01:00Z", "answered", True),
        (None, None, "completed", False),
        (None, None, "forwarded", None),
        (None, "2026-01-31T12:01:00Z", "forwarded", None),
        ("2026-01-31T12:00:05Z", None, "forwarded", True),
        ("garbled", "2026-01-31T12:01:00Z", "completed", None),
        ("garbled", "2026-01-31T12:01:00Z", "no-answer", None),
        (None, None, None, None),
    ],
)
def test_openphone_answered(
    normalize: Normalize,
    answered_at: str | None,
    completed_at: str | None,
    status: str | None,
    expected: bool | None,
) -> None:
    record = {
        **FULL["openphone"][0],
        "answeredAt": answered_at,
        "completedAt": completed_at,
        "status": status,
    }
    assert normalize("openphone", record).get("answered") is expected


@pytest.mark.parametrize(
    ("provider", "field"), [("intercom", "answered_at"), ("openphone", "answeredAt")]
)
def test_a_garbled_answer_time_does_not_say_that_nobody_answered(
    normalize: Normalize, provider: str, field: str
) -> None:
    call = normalize(provider, {**FULL[provider][0], field: "half past nine"})
    assert call.get("answered") is not False


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", None),
        ("in-progress", True),
        ("answered", True),
        ("no-answer", False),
        ("busy", False),
        ("failed", False),
        ("canceled", False),
        ("forwarded", None),
        ("ringing", None),
        ("odd", None),
        (None, None),
    ],
)
def test_skipcall_answered(normalize: Normalize, status: str | None, expected: bool | None) -> None:
    """It states no answer times, so that only its own word tells."""
    call = normalize("skipcall", {**FULL["skipcall"][0], "status": status})
    assert call.get("answered") is expected


@pytest.mark.parametrize(
    ("provider", "changes", "status"),
    [
        ("intercom", {"answered_at": None}, "no-answer"),
        ("intercom", {"answered_at": None, "state": "ended"}, "no-answer"),
        ("intercom", {"answered_at": None, "ended_at": None}, "no-answer"),
        ("intercom", {"answered_at": "garbled"}, "completed"),
        ("intercom", {"answered_at": None, "state": "answered"}, "completed"),
        ("intercom", {"answered_at": None, "state": "answered", "ended_at": None}, "in-progress"),
        ("intercom", {"answered_at": None, "state": "busy"}, "busy"),
        ("openphone", {"answeredAt": None}, "no-answer"),
        ("openphone", {"answeredAt": "0001-01-01T00:00:00Z"}, "no-answer"),
        ("skipcall", {}, "completed"),
    ],
)
def test_a_call_that_ended_without_an_answer_is_not_completed(
    normalize: Normalize, provider: str, changes: Record, status: str
) -> None:
    assert normalize(provider, {**FULL[provider][0], **changes})["status"] == status


@pytest.mark.parametrize(
    ("provider", "changes", "seconds"),
    [
        ("intercom", {}, 5),
        ("intercom", {"answered_at": None}, 63),
        ("intercom", {"initiated_at": None}, None),
        ("intercom", {"answered_at": 1734537436}, None),  # before the start
        ("intercom", {"answered_at": None, "ended_at": None}, None),
        ("intercom", {"answered_at": "garbled"}, None),
        ("openphone", {}, 5),  # 5.25, from the creation on
        ("openphone", {"answeredAt": None}, 60),
        ("openphone", {"createdAt": None}, None),
        ("amplemarket", {"answered": False}, None),
        ("skipcall", {"status": "in-progress"}, None),
        ("skipcall", {"status": "busy"}, 150),
        ("skipcall", {"status": "busy", "startedAt": None}, None),
        ("skipcall", {}, None),
    ],
)
def test_wait_seconds(
    normalize: Normalize, provider: str, changes: Record, seconds: int | None
) -> None:
    assert normalize(provider, {**FULL[provider][0], **changes}).get("wait_seconds") == seconds


@pytest.mark.parametrize(
    ("provider", "changes", "seconds", "source"),
    [
        ("intercom", {}, 61, "provider"),
        ("intercom", {"duration": None}, 63, "computed"),
        ("intercom", {"duration": None, "ended_at": None}, None, None),
        ("intercom", {"duration": None, "initiated_at": None}, None, None),
        ("intercom", {"duration": None, "ended_at": 1734537437}, 0, "computed"),
        ("intercom", {"duration": None, "ended_at": 1734537436}, None, None),  # before it starts
        ("intercom", {"duration": 0}, 0, "provider"),
        ("intercom", {"duration": "garbled"}, None, None),
        ("openphone", {}, 60, "provider"),
        ("openphone", {"duration": 0}, 0, "provider"),
        ("openphone", {"duration": None}, None, None),
        ("openphone", {"duration": "60"}, 60, "provider"),
        ("openphone", {"duration": "an hour"}, None, None),
        ("amplemarket", {"duration": 0}, 0, "provider"),
        ("amplemarket", {"duration": None}, None, None),
        ("skipcall", {}, 150, "computed"),
        ("skipcall", {"endedAt": None}, None, None),
        ("skipcall", {"startedAt": "garbled"}, None, None),
    ],
)
def test_duration(
    normalize: Normalize,
    provider: str,
    changes: Record,
    seconds: int | None,
    source: str | None,
) -> None:
    call = normalize(provider, {**FULL[provider][0], **changes})
    assert call.get("duration_seconds") == seconds
    assert call.get("duration_source") == source


@pytest.mark.parametrize(
    ("provider", "changes", "seconds"),
    [
        ("intercom", {}, 57),
        ("intercom", {"talk_time": None}, 58),
        ("intercom", {"talk_time": "garbled"}, None),
        ("intercom", {"talk_time": None, "ended_at": None}, None),
        ("intercom", {"talk_time": None, "answered_at": None}, None),
        ("intercom", {"talk_time": None, "answered_at": 1734537500}, 0),
        ("intercom", {"talk_time": None, "answered_at": 1734537501}, None),
        ("openphone", {}, 54),  # 54.75
        ("openphone", {"completedAt": None}, None),
        ("amplemarket", {}, None),
        ("skipcall", {}, None),
    ],
)
def test_talk_seconds(
    normalize: Normalize, provider: str, changes: Record, seconds: int | None
) -> None:
    assert normalize(provider, {**FULL[provider][0], **changes}).get("talk_seconds") == seconds


def test_a_missed_call_with_a_zero_answer_time_was_not_answered(normalize: Normalize) -> None:
    record = {**FULL["intercom"][0], "state": "missed", "answered_at": 0, "talk_time": None}
    call = normalize("intercom", record)
    assert call["answered"] is False
    assert call.keys().isdisjoint({"answered_at", "talk_seconds"})


# --- times ---


@pytest.mark.parametrize(
    ("provider", "record", "created", "updated", "occurred"),
    [
        # the record says all
        (
            "intercom",
            {"initiated_at": T + 200, "created_at": T + 100, "updated_at": T + 300},
            "2026-01-31T00:01:40Z",
            "2026-01-31T00:05:00Z",
            "2026-01-31T00:03:20Z",
        ),
        # no creation: the earliest time of the record
        (
            "intercom",
            {"initiated_at": T + 200, "answered_at": T + 150, "updated_at": T + 400},
            "2026-01-31T00:02:30Z",
            "2026-01-31T00:06:40Z",
            "2026-01-31T00:03:20Z",
        ),
        (
            "intercom",
            {"created_at": "", "ended_at": T + 300},
            "2026-01-31T00:05:00Z",
            "2026-01-31T00:05:00Z",
            "2026-01-31T00:05:00Z",
        ),
        (
            "intercom",
            {"updated_at": T + 400},
            "2026-01-31T00:06:40Z",
            "2026-01-31T00:06:40Z",
            "2026-01-31T00:06:40Z",
        ),
        # no start: the creation
        (
            "intercom",
            {"created_at": T + 100, "updated_at": T + 300},
            "2026-01-31T00:01:40Z",
            "2026-01-31T00:05:00Z",
            "2026-01-31T00:01:40Z",
        ),
        # zero times are no times
        (
            "intercom",
            {"initiated_at": 0, "answered_at": -1, "created_at": T + 100, "updated_at": 0},
            "2026-01-31T00:01:40Z",
            "2026-01-31T00:01:40Z",
            "2026-01-31T00:01:40Z",
        ),
        (
            "skipcall",
            {
                "createdAt": "0000-00-00T00:00:00Z",
                "updatedAt": "0001-01-01T00:00:00Z",
                "deletedAt": "1970-01-01T00:00:00.000Z",
                "startedAt": "2026-01-01T00:00:00Z",
            },
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
        ),
        ("intercom", {"created_at": 0, "updated_at": -1, "initiated_at": 1}, None, None, None),
        (
            "amplemarket",
            {"id": "00000000-0001-7000-8000-000000000000", "start_date": "2026-01-31T12:00:00Z"},
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z",
        ),
        # a change that cannot be read may be of any time
        (
            "intercom",
            {"created_at": T + 100, "updated_at": "soon"},
            "2026-01-31T00:01:40Z",
            None,
            "2026-01-31T00:01:40Z",
        ),
        (
            "skipcall",
            {
                "createdAt": "2026-01-01T00:00:00Z",
                "updatedAt": "2026-01-02T00:00:00Z",
                "deletedAt": "2026-01-03T00:00:77Z",
            },
            "2026-01-01T00:00:00Z",
            None,
            "2026-01-01T00:00:00Z",
        ),
        # and so may a creation, where there is no change
        (
            "intercom",
            {"created_at": "soon", "ended_at": T + 300},
            "2026-01-31T00:05:00Z",
            None,
            "2026-01-31T00:05:00Z",
        ),
        # no change: the creation
        (
            "openphone",
            {"createdAt": "2026-01-31T12:00:00.5Z", "updatedAt": None},
            "2026-01-31T12:00:00.5Z",
            "2026-01-31T12:00:00.5Z",
            "2026-01-31T12:00:00.5Z",
        ),
        # the creation stands in the id, else in the start
        (
            "amplemarket",
            {"id": UUID7, "start_date": "2026-01-31T12:00:00Z"},
            "2022-02-22T19:22:22.000Z",
            "2022-02-22T19:22:22.000Z",
            "2026-01-31T12:00:00Z",
        ),
        (
            "amplemarket",
            {"id": "0193d9f5-1c2d-4b98-8c4d-e5f6a7b8c9d0", "start_date": "2026-01-31T12:00:00Z"},
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z",
        ),
        (
            "amplemarket",
            {"id": UUID7, "start_date": "garbled"},
            "2022-02-22T19:22:22.000Z",
            "2022-02-22T19:22:22.000Z",
            "2022-02-22T19:22:22.000Z",
        ),
        # a soft delete is a change
        (
            "skipcall",
            {
                "createdAt": "2026-01-01T00:00:00Z",
                "updatedAt": "2026-01-02T00:00:00Z",
                "deletedAt": "2026-01-03T00:00:00.000Z",
            },
            "2026-01-01T00:00:00Z",
            "2026-01-03T00:00:00.000Z",
            "2026-01-01T00:00:00Z",
        ),
        (
            "skipcall",
            {
                "createdAt": "2026-01-01T00:00:00Z",
                "updatedAt": "2026-01-04T00:00:00Z",
                "deletedAt": "2026-01-03T00:00:00.000Z",
            },
            "2026-01-01T00:00:00Z",
            "2026-01-04T00:00:00Z",
            "2026-01-01T00:00:00Z",
        ),
        (
            "skipcall",
            {"deletedAt": "2026-01-03T00:00:00.000Z"},
            "2026-01-03T00:00:00.000Z",
            "2026-01-03T00:00:00.000Z",
            "2026-01-03T00:00:00.000Z",
        ),
        ("skipcall", {"createdAt": "garbled"}, None, None, None),
        ("openphone", {}, None, None, None),
    ],
)
def test_fallbacks_of_the_times(
    normalize: Normalize,
    provider: str,
    record: Record,
    created: str | None,
    updated: str | None,
    occurred: str | None,
) -> None:
    call = normalize(provider, {"id": "X1", **record})
    assert call.get("created_at") == created
    assert call.get("updated_at") == updated
    assert call.get("occurred_at") == occurred


def test_a_fallback_is_no_statement_of_the_provider(normalize: Normalize) -> None:
    call = normalize("intercom", {"id": "1", "created_at": T})
    assert call.keys().isdisjoint({"started_at", "answered_at", "ended_at", "deleted_at"})


# --- the parties ---


PARTY_RECORDS: dict[str, Record] = {
    "intercom": {"id": "1", "phone": "+outside"},
    "openphone": {"id": "1", "participants": ["+outside"]},
    "amplemarket": {"id": "1", "from": "+caller", "to": "+called"},
    "skipcall": {
        "id": "1",
        "phoneNumber": {"value": "+outside"},
        "callerPhoneNumber": {"value": "+own"},
    },
}
OWN = {"number": "+own", "users": []}


@pytest.mark.parametrize(
    ("provider", "word", "from_number", "to_number", "external", "internal"),
    [
        ("intercom", "inbound", "+outside", None, "+outside", None),
        ("intercom", "outbound", None, "+outside", "+outside", None),
        ("intercom", "sideways", None, None, "+outside", None),
        ("intercom", None, None, None, "+outside", None),
        ("openphone", "incoming", "+outside", "+own", "+outside", "+own"),
        ("openphone", "outgoing", "+own", "+outside", "+outside", "+own"),
        ("openphone", "sideways", None, None, "+outside", "+own"),
        ("openphone", None, None, None, "+outside", "+own"),
        ("amplemarket", "incoming", "+caller", "+called", "+caller", "+called"),
        ("amplemarket", "outgoing", "+caller", "+called", "+called", "+caller"),
        ("amplemarket", "sideways", "+caller", "+called", None, None),
        ("amplemarket", None, "+caller", "+called", None, None),
        ("skipcall", "inbound", "+outside", "+own", "+outside", "+own"),
        ("skipcall", "outbound", "+own", "+outside", "+outside", "+own"),
        ("skipcall", "sideways", None, None, "+outside", "+own"),
        ("skipcall", None, None, None, "+outside", "+own"),
    ],
)
def test_parties(
    normalize: Normalize,
    provider: str,
    word: str | None,
    from_number: str | None,
    to_number: str | None,
    external: str | None,
    internal: str | None,
) -> None:
    field = "type" if provider == "skipcall" else "direction"
    call = normalize(provider, {**PARTY_RECORDS[provider], field: word}, OWN)
    assert call.get("from_number") == from_number
    assert call.get("to_number") == to_number
    assert call.get("external_number") == external
    assert call.get("internal_number") == internal


@pytest.mark.parametrize(
    ("direction", "present", "expected"),
    [
        ("incoming", {"from": "+a"}, {"from_number": "+a", "external_number": "+a"}),
        ("incoming", {"to": "+a"}, {"to_number": "+a", "internal_number": "+a"}),
        ("outgoing", {"from": "+a"}, {"from_number": "+a", "internal_number": "+a"}),
        ("outgoing", {"to": "+a"}, {"to_number": "+a", "external_number": "+a"}),
        ("outgoing", {}, {}),
    ],
)
def test_one_party_alone(
    normalize: Normalize, direction: str, present: Record, expected: Record
) -> None:
    call = normalize("amplemarket", {"id": "1", "direction": direction, **present})
    numbers = {name: value for name, value in call.items() if name.endswith("_number")}
    assert numbers == expected


@pytest.mark.parametrize(
    ("participants", "expected"),
    [
        (["+outside"], "+outside"),
        (["+own", "+outside"], "+outside"),
        (["+outside", "+own"], "+outside"),
        (["+own"], None),
        ([], None),
        (None, None),
        (["5e3"], "5e3"),
        (["Anonymous"], "Anonymous"),
        ([{"number": "+outside"}], None),
        ("+outside", None),
    ],
)
def test_openphone_external_number_is_the_participant_that_is_not_our_own(
    normalize: Normalize, participants: Any, expected: str | None
) -> None:
    call = normalize("openphone", {"id": "1", "participants": participants}, OWN)
    assert call.get("external_number") == expected
    assert call.get("internal_number") == "+own"


@pytest.mark.parametrize(
    ("participants", "expected"),
    [([], "+listed"), (None, "+listed"), (["+given"], "+given"), (["+own"], None)],
)
def test_openphone_without_participants_the_conversation_knows_the_other_party(
    normalize: Normalize, participants: Any, expected: str | None
) -> None:
    of_conversation = {**OWN, "participants": ["+own", "+listed"]}
    call = normalize("openphone", {"id": "1", "participants": participants}, of_conversation)
    assert call.get("external_number") == expected


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("incoming", "USanswered"), ("outgoing", "USplaced"), (None, "USowns")],
)
def test_openphone_names_who_was_on_the_call(
    normalize: Normalize, direction: str | None, expected: str
) -> None:
    persons = {"userId": "USowns", "answeredBy": "USanswered", "initiatedBy": "USplaced"}
    call = normalize("openphone", {"id": "1", "direction": direction, **persons})
    assert call["user_id"] == expected


@pytest.mark.parametrize(
    ("user", "expected"), [("US1", "Ada Lovelace"), ("US2", "Grace"), ("US9", None), (None, None)]
)
def test_openphone_user_name_stands_in_the_phone_number(
    normalize: Normalize, user: str | None, expected: str | None
) -> None:
    call = normalize("openphone", {"id": "1", "userId": user})
    assert call.get("user_name") == expected
    assert call.get("user_id") == user


@pytest.mark.parametrize("unknown", [True, False, None])
def test_skipcall_contact_that_is_not_stored(normalize: Normalize, unknown: bool | None) -> None:
    contact = {"id": "C1", "firstName": "Zoë", "lastName": None, "isUnknown": unknown}
    call = normalize("skipcall", {"id": "1", "contact": contact})
    expected = (None, None) if unknown else ("C1", "Zoë")
    assert (call.get("contact_id"), call.get("contact_name")) == expected


# --- the provider's own record; ids ---


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_field_of_the_provider_with_the_name_of_a_column_stays_inside(
    normalize: Normalize, provider: str
) -> None:
    record = {"id": "1", "provider": "someone", "provider_record": {"a": 1}, "talk_seconds": "x"}
    call = normalize(provider, record)
    assert call["provider"] == provider
    assert call["provider_record"] == record
    assert "talk_seconds" not in call


@pytest.mark.parametrize(("given_id", "expected"), [(123, "123"), ("007", "007"), ("12e5", "12e5")])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_id_is_a_string(
    normalize: Normalize, provider: str, given_id: Any, expected: str
) -> None:
    call = normalize(provider, {"id": given_id})
    assert call["id"] == expected
    assert call["provider_record"] == {"id": given_id}


@pytest.mark.parametrize(
    "record", [{}, {"id": None}, {"id": ""}, {"id": True}, {"id": ["1"]}, {"id": {"value": "1"}}]
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_record_without_an_id_stops_the_stream(
    normalize: Normalize, provider: str, record: Record
) -> None:
    with pytest.raises(AirbyteTracedException) as caught:
        normalize(provider, {**record, "notes": "secret words of a customer"})
    assert caught.value.failure_type is FailureType.system_error
    assert caught.value.message == (
        f"A call from {provider} has no id, so it could not be kept; the sync stops here. Ask the"
        " provider why it lists a call without an id."
    )
    assert "customer" not in str(caught.value.internal_message)


def test_a_mapping_is_compiled_once(manifests: Mapping[str, Any]) -> None:
    block = copy.deepcopy(transformation(manifests, "skipcall"))
    compiled = CallNormalization(**block)
    block["columns"].clear()
    block["parties"].clear()
    call = {"provider_record": copy.deepcopy(FULL["skipcall"][0])}
    compiled.transform(call)
    assert call == {**FULL["skipcall"][1], "provider_record": FULL["skipcall"][0]}


@pytest.mark.parametrize(
    ("columns", "parties", "message"),
    [
        ({"id": {"from": "id"}, "colour": {"from": "x"}}, {}, "column colour is not a column"),
        ({"status": {"computed": "somehow"}}, {}, "column status cannot be computed"),
        (
            {"provider_record": {"from": "x"}},
            {},
            "column provider_record: a column of kind 'object'",
        ),
        ({"notes": {"form": "x"}}, {}, "column notes: unknown key 'form'"),
        ({}, {"caller": {"from": "x"}}, "parties must name external and internal, or from and to"),
        ({}, {"from": {"from": "x"}}, "parties must name external and internal, or from and to"),
        (
            {},
            {"from": {"from": "x"}, "internal": {"from": "y"}},
            "parties must name external and internal, or from and to",
        ),
        ({}, {"external": {}}, "column external_number: its mapping does not say"),
        (
            {},
            {"external": {"other_of": "x"}},
            "parties external: it has at, else_in_slice, other_of, ours, than_slice only",
        ),
        (
            {},
            {"external": {"other_of": "x", "than_slice": "y", "from": "z"}},
            "parties external: it has at, else_in_slice, other_of, ours, than_slice only",
        ),
    ],
)
def test_a_mapping_that_cannot_be_compiled(columns: Record, parties: Record, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        CallNormalization("anyone", columns, parties)
    assert str(caught.value).startswith(message)


# --- properties ---

TIMES = st.one_of(
    st.integers(-(10**12), 10**16),
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat()),
    st.sampled_from(["2026-01-31T12:00:00.123456789Z", "2026-02-30T00:00:00Z", "garbled"]),
)
WORDS = st.sampled_from(
    "inbound outbound incoming outgoing completed answered missed in-progress ai-agent US1".split()
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.text(max_size=10),
    TIMES,
    WORDS,
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "value", "name", "firstName", "lastName", "isUnknown", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=5,
)
IDS = st.one_of(st.text(min_size=1, max_size=8), st.integers(0, 2**63), st.just(UUID7))


def any_record(provider: str) -> st.SearchStrategy[Record]:
    known = [name for name in FULL[provider][0] if name != "id"]
    fields = st.dictionaries(st.sampled_from(known) | st.text(max_size=6), ANYTHING, max_size=12)
    return st.builds(lambda record, identifier: {**record, "id": identifier}, fields, IDS)


def same(one: Any, other: Any) -> bool:
    """Equality in which NaN is itself and true is not 1."""
    return repr(one) == repr(other)


RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_record_becomes_a_call(
    normalize: Normalize, manifests: Mapping[str, Any], provider: str
) -> None:
    # what the provider's own fields may hold is the provider's affair
    schema = CallSchema({"properties": {}}).get_json_schema()
    validator = Draft7Validator(schema)
    times = [n for n, column in schema["properties"].items() if column.get("format") == "date-time"]

    @PROPERTY
    @given(any_record(provider))
    def holds(record: Record) -> None:
        before = copy.deepcopy(record)
        call = normalize(provider, record)
        assert same(call["provider_record"], before)
        assert [error.message for error in validator.iter_errors(call)] == []
        assert call.keys() <= schema["properties"].keys()
        assert None not in call.values()
        for name in times:
            if name in call:
                assert RFC_3339.fullmatch(call[name])
                assert datetime.fromisoformat(call[name]).tzinfo == UTC
        assert ("created_at" in call) == ("occurred_at" in call)
        # one that is there but cannot be read is no creation in disguise
        assert "created_at" in call or "updated_at" not in call
        assert ("duration_seconds" in call) == ("duration_source" in call)
        assert same(normalize(provider, call["provider_record"]), call)

    holds()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_full_record_validates_against_the_manifests_schema(
    normalize: Normalize, manifests: Mapping[str, Any], provider: str
) -> None:
    schema = CallSchema(described_fields(manifests, provider)).get_json_schema()
    call = normalize(provider, FULL[provider][0])
    assert [error.message for error in Draft7Validator(schema).iter_errors(call)] == []
    record = {**nulled(FULL[provider][0]), "id": "X1"}
    bare = normalize(provider, record, {})
    assert [error.message for error in Draft7Validator(schema).iter_errors(bare)] == []
