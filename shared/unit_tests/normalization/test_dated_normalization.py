"""The mapping of Quo's dated API: what differs from that of API v1, and what must not."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import pytest
from airbyte_cdk.sources.types import StreamSlice

from calls_shared.http.budget import budget_of
from calls_shared.normalization.normalization import CallNormalization

OWN, OTHER_OWN, OUTSIDE, OUTSIDE_TOO = "+15550001111", "+15550002222", "+15557654321", "+15550009"
LINES = {
    "PN1": {
        "number": OWN,
        "name": "Sales",
        "users": [
            {"id": "US1", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"},
            {"id": "US2", "firstName": "Grace", "lastName": None, "email": "grace@example.com"},
        ],
    },
    "PN3": {"number": None, "name": "Being ported", "users": []},
}


def party(number: str | None, actor: str | None = None) -> dict[str, Any]:
    return {"phoneNumber": number, "actorId": actor}


FULL: dict[str, Any] = {
    "id": "AC123abc",
    "phoneNumberId": "PN1",
    "actorId": "US1",
    "direction": "incoming",
    "status": "completed",
    "participants": [party(OUTSIDE), party(OWN, "US1"), party(OWN, "US1")],
    "answeredAt": "2026-01-31T12:00:05.250Z",
    "answeredBy": "US2",
    "initiatedBy": None,
    "completedAt": "2026-01-31T12:01:00Z",
    "createdAt": "2026-01-31T12:00:00Z",
    "updatedAt": "2026-01-31T12:05:00.000Z",
    "callRoute": "phone-number",
    "duration": 60,
    "forwardedFrom": "anonymous",
    "forwardedTo": "US2",
    "aiHandled": None,
    "summary": {
        "status": "completed",
        "type": "human",
        "title": "A first talk",
        "summary": ["They talked.", "They agreed."],
        "nextSteps": ["Call back."],
        "jobs": [],
    },
    "voicemail": {
        "id": "VM1",
        "status": "completed",
        "duration": 7,
        "recordingUrl": "https://media.example.com/VM1.mp3",
        "transcript": "Please call back.",
    },
}
COLUMNS: dict[str, Any] = {
    "provider": "openphone",
    "id": "AC123abc",
    "direction": "inbound",
    "status": "completed",
    "occurred_at": "2026-01-31T12:00:00Z",
    "answered_at": "2026-01-31T12:00:05.250Z",
    "ended_at": "2026-01-31T12:01:00Z",
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:05:00.000Z",
    "answered": True,
    "answered_by_type": "human",
    "duration_seconds": 60,
    "duration_source": "provider",
    "wait_seconds": 5,
    "talk_seconds": 54,
    "from_number": OUTSIDE,
    "to_number": OWN,
    "external_number": OUTSIDE,
    "internal_number": OWN,
    "participants": [OUTSIDE, OWN],
    "line_id": "PN1",
    "line_name": "Sales",
    "user_id": "US2",
    "user_name": "Grace",
    "user_email": "grace@example.com",
    "forwarded_from": "anonymous",
    "forwarded_to": "US2",
    "summary": "They talked.\nThey agreed.",
    "voicemail_url": "https://media.example.com/VM1.mp3",
    "voicemail_seconds": 7,
    "voicemail_transcript": "Please call back.",
    "provider_status": "completed",
    "provider_direction": "incoming",
    "provider_call_type": "phone-number",
}
Normalize = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def stream(manifests: Mapping[str, Any]) -> Mapping[str, Any]:
    branches = [entry for entry in manifests["openphone"]["streams"] if "streams" in entry]
    (dated,) = (one for one in branches if "==" in one["condition"])
    found: Mapping[str, Any] = next(one for one in dated["streams"] if one["name"] == "calls")
    return found


@pytest.fixture(scope="module")
def block(stream: Mapping[str, Any]) -> dict[str, Any]:
    (found,) = stream["transformations"]
    return {key: value for key, value in found.items() if key in get_type_hints(CallNormalization)}


@pytest.fixture(scope="module")
def normalize(block: Mapping[str, Any]) -> Normalize:
    compiled = CallNormalization(**block)

    def call_of(**changes: Any) -> dict[str, Any]:
        call: dict[str, Any] = {"provider_record": copy.deepcopy({**FULL, **changes})}
        extra = {"lines": LINES}
        piece = StreamSlice(partition={}, cursor_slice={}, extra_fields=extra)
        compiled.transform(call, stream_slice=piece)
        return call

    return call_of


def test_a_full_record(normalize: Normalize) -> None:
    assert normalize() == {**COLUMNS, "provider_record": FULL}


def test_each_described_field_and_each_mapped_column_is_in_it(
    stream: Mapping[str, Any], block: Mapping[str, Any]
) -> None:
    described = stream["schema_loader"]["provider_record"]["properties"]
    assert described.keys() - FULL.keys() == {"userId"}  # API v1's
    for name in ("summary", "voicemail"):
        assert described[name]["properties"].keys() <= FULL[name].keys()
    assert block["columns"].keys() <= COLUMNS.keys()


def test_the_two_versions_describe_the_record_alike(
    manifests: Mapping[str, Any], stream: Mapping[str, Any]
) -> None:
    """So that switching changes no catalog."""
    branches = [entry for entry in manifests["openphone"]["streams"] if "streams" in entry]
    (v1,) = (one for one in branches if "!=" in one["condition"])
    calls = next(one for one in v1["streams"] if one["name"] == "calls")
    for name in ("schema_loader", "primary_key"):
        mine, other = copy.deepcopy(stream[name]), copy.deepcopy(calls[name])
        assert _without_parameters(mine) == _without_parameters(other)
    assert stream["incremental_sync"]["cursor_field"] == calls["incremental_sync"]["cursor_field"]


def _without_parameters(node: Any) -> Any:
    """What the CDK hands down to each component is not of the schema."""
    if isinstance(node, dict):
        handed = ("$parameters", "url_base", "scope", "cursor_field")
        return {k: _without_parameters(v) for k, v in node.items() if k not in handed}
    return [_without_parameters(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    ("participants", "external"),
    [
        ([party(OUTSIDE), party(OWN, "US1")], OUTSIDE),
        ([party(OUTSIDE)], OUTSIDE),
        ([party("anonymous"), party(OWN)], "anonymous"),
        ([party("44321"), party(OWN)], "44321"),
        # a colleague was added; who is outside is clear
        ([party(OUTSIDE), party(OWN, "US1"), party(OTHER_OWN, "US2")], OUTSIDE),
        # between two lines of the company
        ([party(OWN, "US1"), party(OTHER_OWN, "US2")], OTHER_OWN),
        # a group
        ([party(OUTSIDE), party(OUTSIDE_TOO), party(OWN, "US1")], None),
        ([party(OUTSIDE), party(OUTSIDE), party(OWN, "US1")], OUTSIDE),
        ([party(OWN, "US1")], None),
        ([], None),
        (None, None),
        ([None, party(None), party(OUTSIDE)], OUTSIDE),
        # the row with an actor tells that the number is one of us
        ([party(OUTSIDE), party(OTHER_OWN), party(OTHER_OWN, "US2"), party(OWN)], OUTSIDE),
    ],
)
def test_the_party_outside(
    normalize: Normalize, participants: list[Any] | None, external: str | None
) -> None:
    call = normalize(participants=participants)
    assert call.get("external_number") == external
    assert call.get("from_number") == external
    assert call["internal_number"] == OWN


@pytest.mark.parametrize(
    ("line", "participants", "external"),
    [
        (None, [party(OUTSIDE), party(OWN, "US1")], OUTSIDE),
        (None, [party(OWN, "US1")], None),
        (None, [party(OUTSIDE), party(OUTSIDE_TOO)], None),
        ("PN2", [party(OUTSIDE), party(OWN, "US1")], OUTSIDE),
        ("PN3", [party(OUTSIDE), party(OWN, "US1")], OUTSIDE),
    ],
)
def test_a_call_whose_line_is_not_known(
    normalize: Normalize, line: str | None, participants: list[Any], external: str | None
) -> None:
    call = normalize(phoneNumberId=line, participants=participants)
    assert call.get("line_id") == line
    assert call.get("line_name") == ("Being ported" if line == "PN3" else None)
    assert "internal_number" not in call
    assert call.get("external_number") == external
    assert "user_name" not in call


@pytest.mark.parametrize(
    ("summary", "voicemail"),
    [
        (None, None),
        ({"status": "absent", "summary": None}, None),
        ({"status": "in-progress", "summary": []}, {"status": "in-progress", "duration": None}),
    ],
)
def test_parts_that_are_not_there(normalize: Normalize, summary: Any, voicemail: Any) -> None:
    call = normalize(summary=summary, voicemail=voicemail)
    names = ("summary", "voicemail_url", "voicemail_seconds", "voicemail_transcript")
    assert {name: call.get(name) for name in names} == dict.fromkeys(names)


def test_a_system_actor_is_nobody_of_us(normalize: Normalize) -> None:
    call = normalize(actorId="SYU1", answeredBy=None, answeredAt=None)
    assert "user_id" not in call
    assert normalize(actorId="SYU1")["user_id"] == "US2"


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ({"participants": "all"}, ["external_number", "participants"]),
        ({"participants": [{"phoneNumber": ["x"]}]}, ["external_number", "participants"]),
        ({"summary": {"summary": "a text"}}, ["summary"]),
        ({"voicemail": {"duration": "long", "recordingUrl": 1.5}}, ["voicemail_seconds"]),
        ({"phoneNumberId": ["PN1"]}, ["line_id"]),
    ],
)
def test_what_cannot_be_read_is_null_and_counted(
    block: Mapping[str, Any], change: dict[str, Any], columns: list[str]
) -> None:
    config: dict[str, Any] = {}
    compiled = CallNormalization(**block, config=config)
    call: dict[str, Any] = {"provider_record": {**FULL, **change}}
    piece = StreamSlice(partition={}, cursor_slice={}, extra_fields={"lines": LINES})
    compiled.transform(call, stream_slice=piece)
    told = " ".join(budget_of(config).report.sentences())
    for name in columns:
        assert name not in call
        assert name in told
