"""The sandbox's Intercom against the provider's pages and answers seen live."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from integration_tests.sandbox import IntercomSwitches, Sandbox, Switches, World, expected_call
from integration_tests.sandbox.intercom_calls import IntercomCall, Timings

HEADERS = {
    "Authorization": "Bearer test-key-intercom-not-real",
    "Intercom-Version": "2.14",
    "Accept": "application/json",
}
Get = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(World(calls=60)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.world = World(calls=60)
    shared.switches = Switches()
    shared.key_faults = {}
    shared.clear_requests()
    return shared


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    with requests.Session() as session:

        def send(path: str = "/calls", headers: dict[str, Any] | None = None, **query: Any) -> Any:
            url, sent = f"{sandbox.url}/intercom{path}", {**HEADERS, **(headers or {})}
            return session.get(url, params=query, headers=sent, timeout=600)

        yield send


def listed(get: Get, per_page: int = 25) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    page = 1
    while data := get(page=page, per_page=per_page).json()["data"]:
        records += data
        page += 1
    return records


def sandbox_with(sandbox: Sandbox, **positions: Any) -> None:
    sandbox.switches = Switches(intercom=IntercomSwitches(**positions))


def test_first_page_has_the_documented_envelope(sandbox: Sandbox, get: Get) -> None:
    body = get().json()
    newest = sorted(sandbox.world.intercom.calls.values(), key=lambda c: (c.created, c.id))[:-26:-1]
    assert [record["id"] for record in body.pop("data")] == [call.id for call in newest]
    assert body == {
        "type": "list",
        "total_count": 60,
        "pages": {
            "type": "pages",
            "page": 1,
            "per_page": 25,
            "total_pages": 3,
            "next": {"per_page": 25, "starting_after": "WzE30002e5"},
        },
    }


def test_a_record_has_the_pages_fields_as_intercom_types_them(sandbox: Sandbox, get: Get) -> None:
    identifier = sandbox.world.add_call("intercom", **ANSWERED, timings=None)
    assert get().json()["data"][0] == {"type": "call", "id": identifier, **ANSWERED}
    measured = Timings(90, 85, None, 3)
    identifier = sandbox.world.add_call("intercom", **ANSWERED, timings=measured)
    record = get(f"/calls/{identifier}").json()
    assert record == {"type": "call", "id": identifier, **ANSWERED, **measured._asdict()}


ANSWERED: dict[str, Any] = {
    "conversation_id": "0456",
    "admin_id": "789",
    "contact_id": "6762f0dd1bb69f9f2193bb83",
    "state": "completed",
    "initiated_at": 1734537437,
    "answered_at": 1734537440,
    "ended_at": 1734537500,
    "created_at": 1734537436,
    "updated_at": 1734537600,
    "recording_url": "https://api.intercom.io/calls/123/recording",
    "transcription_url": "https://api.intercom.io/calls/123/transcript",
    "call_type": "phone",
    "direction": "outbound",
    "ended_reason": "completed",
    "phone": "+15551234567",
    "fin_recording_url": None,
    "fin_transcription_url": None,
}
EXPECTED = {
    "provider": "intercom",
    "direction": "outbound",
    "status": "completed",
    "occurred_at": "2024-12-18T15:57:17Z",
    "started_at": "2024-12-18T15:57:17Z",
    "answered_at": "2024-12-18T15:57:20Z",
    "ended_at": "2024-12-18T15:58:20Z",
    "created_at": "2024-12-18T15:57:16Z",
    "updated_at": "2024-12-18T16:00:00Z",
    "answered": True,
    "duration_seconds": 63,
    "duration_source": "computed",
    "wait_seconds": 3,
    "talk_seconds": 60,
    "to_number": "+15551234567",
    "external_number": "+15551234567",
    "user_id": "789",
    "contact_id": "6762f0dd1bb69f9f2193bb83",
    "conversation_id": "0456",
    "recording_url": "https://api.intercom.io/calls/123/recording",
    "transcript_url": "https://api.intercom.io/calls/123/transcript",
    "end_reason": "completed",
    "provider_status": "completed",
    "provider_direction": "outbound",
    "provider_call_type": "phone",
    "participants": ["+15551234567"],
}
UNANSWERED = {
    **dict.fromkeys(["answered_at", "talk_seconds"]),
    "answered": False,
    "status": "no-answer",
    "wait_seconds": 63,
}
"""What differs where nobody answers, if the call has ended."""
NO_END = dict.fromkeys(["ended_at", "duration_seconds", "duration_source", "talk_seconds"])
OPEN = {**UNANSWERED, **NO_END, "wait_seconds": None}
FIN = {
    "fin_recording_url": "https://api.intercom.io/calls/124/recording",
    "fin_transcription_url": "https://api.intercom.io/calls/124/transcript",
}


def test_expected_record_of_an_answered_call(sandbox: Sandbox) -> None:
    identifier = sandbox.world.add_call("intercom", **ANSWERED, timings=None)
    record = {"type": "call", "id": identifier, **ANSWERED}
    assert sandbox.expected("intercom")[identifier] == {
        **EXPECTED,
        "id": identifier,
        "provider_record": record,
    }


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        pytest.param(
            {"direction": "inbound"},
            {
                "direction": "inbound",
                "provider_direction": "inbound",
                "from_number": "+15551234567",
                "to_number": None,
            },
            id="inbound",
        ),
        pytest.param(
            {"direction": "transfer"},
            {"provider_direction": "transfer"}
            | dict.fromkeys(["direction", "to_number", "participants"]),
            id="unknown direction",
        ),
        pytest.param(
            {"state": "zigzag"},
            {"status": "unknown", "provider_status": "zigzag"},
            id="unknown state",
        ),
        pytest.param(
            {"state": "no-answer"},
            {"status": "no-answer", "provider_status": "no-answer"},
            id="known state",
        ),
        pytest.param({"direction": "Outgoing"}, {"provider_direction": "Outgoing"}, id="folded"),
        pytest.param(
            {"direction": "outbound-api"}, {"provider_direction": "outbound-api"}, id="by an API"
        ),
        pytest.param({"answered_at": None}, UNANSWERED, id="unanswered"),
        pytest.param({"answered_at": None, "ended_at": None}, OPEN, id="unanswered by its word"),
        pytest.param(
            {"answered_at": None, "ended_at": None, "state": "ringing"},
            {**OPEN, "answered": None, "status": "ringing", "provider_status": "ringing"},
            id="ringing",
        ),
        pytest.param(
            {"answered_at": None, "state": "parked"},
            {**UNANSWERED, "status": "unknown", "provider_status": "parked"},
            id="unanswered, unknown state",
        ),
        pytest.param(
            {"answered_at": None, "state": "forwarded"},
            {
                **UNANSWERED,
                **dict.fromkeys(["answered", "wait_seconds"]),
                **dict.fromkeys(["status", "provider_status"], "forwarded"),
            },
            id="forwarded",
        ),
        pytest.param(
            {"state": "forwarded"},
            dict.fromkeys(["status", "provider_status"], "forwarded"),
            id="forwarded, answered",
        ),
        pytest.param(
            {"answered_at": None, "ended_at": None, "state": "on_hold"},
            {**OPEN, "answered": True, "status": "in-progress", "provider_status": "on_hold"},
            id="answered by its word",
        ),
        pytest.param({"state": "on_hold"}, {"provider_status": "on_hold"}, id="was on hold"),
        pytest.param(
            {"state": "busy"}, dict.fromkeys(["status", "provider_status"], "busy"), id="busy later"
        ),
        pytest.param(
            {"timings": Timings(90, 85, 2, 3)},
            {"duration_seconds": 90, "duration_source": "provider", "talk_seconds": 85},
            id="measured",
        ),
        pytest.param(
            {"timings": Timings(None, 77, 2, None)}, {"talk_seconds": 77}, id="talk time alone"
        ),
        pytest.param(
            {"timings": Timings(0, 0, 0, 0)},
            {"duration_seconds": 0, "duration_source": "provider", "talk_seconds": 0},
            id="measured as nothing",
        ),
        pytest.param(FIN, {}, id="a second leg"),
        pytest.param(
            {**FIN, "recording_url": None, "transcription_url": None},
            {
                "recording_url": FIN["fin_recording_url"],
                "transcript_url": FIN["fin_transcription_url"],
            },
            id="that leg alone",
        ),
        pytest.param(
            {"initiated_at": None},
            {
                "started_at": None,
                "occurred_at": "2024-12-18T15:57:16Z",
                "duration_seconds": None,
                "duration_source": None,
                "wait_seconds": None,
            },
            id="no start",
        ),
        pytest.param(
            {"created_at": None}, {"created_at": "2024-12-18T15:57:17Z"}, id="earliest readable"
        ),
        pytest.param(
            {"updated_at": None}, {"updated_at": "2024-12-18T15:57:16Z"}, id="never updated"
        ),
        pytest.param(
            {"ended_at": 1734537430},
            {
                "ended_at": "2024-12-18T15:57:10Z",
                "duration_seconds": None,
                "duration_source": None,
                "talk_seconds": None,
            },
            id="negative duration",
        ),
        pytest.param({"ended_reason": ""}, {"end_reason": None}, id="empty text"),
    ],
)
def test_expected_record_follows_the_design(
    sandbox: Sandbox, fields: dict[str, Any], changed: dict[str, Any]
) -> None:
    call = {"timings": None, **ANSWERED, **fields}
    identifier = sandbox.world.add_call("intercom", **call)
    record = sandbox.expected("intercom")[identifier]
    del record["provider_record"]
    wanted = {**EXPECTED, "id": identifier, **changed}
    assert record == {name: value for name, value in wanted.items() if value is not None}


@pytest.mark.parametrize(("name", "switches"), Switches.positions("intercom"))
def test_every_switch_lists_every_call_once(
    sandbox: Sandbox, get: Get, name: str, switches: Switches
) -> None:
    sandbox.switches = switches
    records = listed(get)
    expected = sandbox.expected("intercom")
    assert len(records) == 60
    assert {record["id"]: record for record in records} == {
        identifier: record["provider_record"] for identifier, record in expected.items()
    }
    assert sandbox.ever_listed("intercom") == expected


def test_odd_ids_stay_texts(get: Get) -> None:
    assert {"007", "12", "1200e5"} <= {record["id"] for record in listed(get)}
    assert get("/calls/1200e5").json()["id"] == "1200e5"


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("created_desc", lambda call: (-call.created,)),
        ("created_asc", lambda call: (call.created,)),
        ("updated_desc", lambda call: (-(call.updated_at or call.created),)),
        ("updated_asc", lambda call: (call.updated_at or call.created,)),
        ("started_desc", lambda call: (-(call.initiated_at or call.created),)),
        ("started_asc", lambda call: (call.initiated_at or call.created,)),
    ],
)
def test_orders(
    sandbox: Sandbox, get: Get, order: str, key: Callable[[IntercomCall], tuple[int]]
) -> None:
    sandbox_with(sandbox, order=order)
    listed(get)
    changed = sandbox.world.add_call("intercom")
    sandbox.world.change_call("intercom", "007")
    sandbox.world.delete_call("intercom", "12")
    calls = sandbox.world.intercom.calls
    keys = [key(calls[record["id"]]) for record in listed(get)]
    assert keys == sorted(keys)
    assert len(keys) == 60
    assert (changed in calls, "12" in calls) == (True, False)


def test_shuffled_order_is_stable_and_no_order_in_time(sandbox: Sandbox, get: Get) -> None:
    sandbox_with(sandbox, order="shuffled")
    ids = [record["id"] for record in listed(get)]
    calls = sandbox.world.intercom.calls
    created = [calls[identifier].created for identifier in ids]
    assert ids == [record["id"] for record in listed(get)]
    assert created not in (sorted(created), sorted(created, reverse=True))


def test_pages_may_be_null_and_next_has_four_forms(sandbox: Sandbox, get: Get) -> None:
    sandbox_with(sandbox, pages="null")
    assert get().json()["pages"] is None
    assert get().json()["total_count"] == 60
    sandbox_with(sandbox, pages_next="url")
    url = "https://api.intercom.io/calls?per_page=25&page=3"
    assert get(page=2).json()["pages"]["next"] == url
    sandbox_with(sandbox, pages_next="null")
    assert get().json()["pages"]["next"] is None
    sandbox_with(sandbox, pages_next="absent")
    assert "next" not in get().json()["pages"]
    sandbox_with(sandbox, pages_next="object")
    assert get(page=3).json()["pages"]["next"] is None


def test_iso_timestamps(sandbox: Sandbox, get: Get) -> None:
    sandbox_with(sandbox, timestamps="iso")
    sandbox.world.add_call("intercom", **ANSWERED)
    record = get().json()["data"][0]
    assert record["initiated_at"] == "2024-12-18T15:57:17Z"
    assert record["updated_at"] == "2024-12-18T16:00:00Z"


def test_per_page_is_cut_or_refused(sandbox: Sandbox, get: Get) -> None:
    assert [len(get(per_page=26).json()["data"]), get(per_page=26).json()["pages"]["per_page"]] == [
        25,
        25,
    ]
    assert len(get(per_page=7).json()["data"]) == 7
    sandbox_with(sandbox, per_page_over_25="refuse")
    refused = get(per_page=26)
    assert (refused.status_code, code_of(refused)) == (400, "parameter_invalid")


def code_of(answer: requests.Response) -> str:
    body = answer.json()
    assert body["type"] == "error.list"
    assert body["errors"][0]["message"]
    return str(body["errors"][0]["code"])


@pytest.mark.parametrize("page", ["0", "-1", "two", "1.5", "1e1"])
def test_page_must_be_a_positive_integer(get: Get, page: str) -> None:
    assert (get(page=page).status_code, code_of(get(page=page))) == (400, "parameter_invalid")


def test_past_the_end_is_empty_and_unknown_parameters_are_ignored(get: Get) -> None:
    body = get(page=99).json()
    assert (body["data"], body["pages"]["total_pages"], body["total_count"]) == ([], 3, 60)
    assert get(updated_since="2026-01-01", starting_after="x").json() == get().json()


def test_an_empty_workspace_has_zero_pages(sandbox: Sandbox, get: Get) -> None:
    sandbox.world = World(calls=0)
    body = get().json()
    assert (body["data"], body["total_count"], body["pages"]["total_pages"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": None}, 401, "unauthorized"),
        ({"Authorization": "Bearer wrong"}, 401, "unauthorized"),
        ({"Authorization": "test-key-intercom-not-real"}, 401, "unauthorized"),
        ({"Intercom-Version": None}, 400, "intercom_version_invalid"),
        ({"Intercom-Version": "2.13"}, 400, "intercom_version_invalid"),
        ({"Intercom-Version": "Unstable"}, 400, "intercom_version_invalid"),
        ({"Accept": "text/html"}, 406, "not_acceptable"),
    ],
)
def test_headers_are_required(get: Get, headers: dict[str, Any], status: int, code: str) -> None:
    answer = get(headers=headers)
    assert (answer.status_code, code_of(answer)) == (status, code)


@pytest.mark.parametrize("version", ["2.14", "2.16", "3.0", "Preview"])
def test_newer_versions_have_calls(get: Get, version: str) -> None:
    assert get(headers={"Intercom-Version": version}).status_code == 200


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("token_unauthorized", 401, "token_unauthorized"),
        ("token_revoked", 401, "token_revoked"),
        ("api_plan_restricted", 403, "api_plan_restricted"),
        ("payment_required", 402, "payment_required"),
    ],
)
def test_key_faults(sandbox: Sandbox, get: Get, name: str, status: int, code: str) -> None:
    sandbox.key_faults["odd-key"] = name
    answer = get(headers={"Authorization": "Bearer odd-key"})
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_one_call_by_id(sandbox: Sandbox, get: Get) -> None:
    record = get("/calls/007").json()
    assert record == sandbox.expected("intercom")["007"]["provider_record"]
    assert set(sandbox.ever_listed("intercom")) == {"007"}
    missing = get("/calls/nope")
    assert (missing.status_code, code_of(missing)) == (404, "not_found")
    assert get("/contacts").status_code == 404


def test_rate_limit_counts_per_key_and_names_its_window(sandbox: Sandbox, get: Get) -> None:
    sandbox_with(sandbox, limit=3, window_seconds=5000.0)
    sandbox.keys["intercom"].add("second")
    answers = [get() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    remaining = [answer.headers["X-RateLimit-Remaining"] for answer in answers]
    assert remaining == ["2", "1", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"3"}
    now = parsedate_to_datetime(answers[0].headers["Date"])
    assert now == sandbox.world.now  # the provider shows the world's clock
    resets = {int(answer.headers["X-RateLimit-Reset"]) for answer in answers}
    assert max(resets) - min(resets) <= 1
    assert 0 < min(resets) - now.timestamp() <= 5001
    assert code_of(answers[-1]) == "rate_limit_exceeded"
    assert get(headers={"Authorization": "Bearer second"}).status_code == 200
    assert "X-RateLimit-Limit" not in get(headers={"Authorization": "Bearer wrong"}).headers
    sandbox.switches = replace(sandbox.switches, enforce_limits=False)
    assert get().status_code == 200


def test_default_limit_is_the_private_apps(get: Get) -> None:
    assert get().headers["X-RateLimit-Limit"] == "1666"


def test_expected_call_is_pure(sandbox: Sandbox) -> None:
    call = sandbox.world.intercom.calls["007"]
    assert expected_call("intercom", call, Switches()) == sandbox.expected("intercom")["007"]
