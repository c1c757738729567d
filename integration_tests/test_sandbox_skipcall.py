"""The sandbox's Skipcall against the provider's pages."""

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from integration_tests.sandbox import Sandbox, SkipcallSwitches, Switches, World
from integration_tests.sandbox.numbered_lists import ListSwitches, WallForm
from integration_tests.sandbox.skipcall_calls import SkipcallCall, SkipcallContact

HEADERS = {"Authorization": "Bearer test-key-skipcall-not-real"}
REQUIRED = {
    "id",
    "callType",
    "status",
    "type",
    "startedAt",
    "endedAt",
    "createdAt",
    "contact",
    "phoneNumber",
    "caller",
    "callerPhoneNumber",
}
Get = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(World(calls=230)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.world = World(calls=230)
    shared.switches = Switches(enforce_limits=False)
    shared.key_faults = {}
    return shared


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    with requests.Session() as session:

        def send(path: str = "/v1/calls", key: str | None = None, **query: Any) -> Any:
            url = f"{sandbox.url}/skipcall{path}"
            headers: Any = HEADERS if key is None else {"Authorization": key or None}
            return session.get(url, params=query, headers=headers, timeout=600)

        yield send


def sandbox_with(sandbox: Sandbox, **positions: Any) -> None:
    sandbox.switches = Switches(skipcall=SkipcallSwitches(**positions), enforce_limits=False)


def listed(get: Get, **query: Any) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    page, pages = 1, 1
    while page <= pages:
        body = get(**{"page": page, "limit": 100, **query}).json()
        records += body["data"]
        page, pages = page + 1, body["totalPages"]
    assert len(records) == body["total"]
    return records


def newest_first(sandbox: Sandbox) -> list[SkipcallCall]:
    calls = sandbox.world.skipcall.calls.values()
    return sorted(calls, key=lambda call: (call.created, call.id), reverse=True)


def test_envelope_and_defaults(sandbox: Sandbox, get: Get) -> None:
    body = get().json()
    assert [one["id"] for one in body.pop("data")] == [one.id for one in newest_first(sandbox)[:10]]
    assert body == {"total": 230, "page": 1, "limit": 10, "totalPages": 23}
    last = get(page=3, limit=100).json()
    assert [one["id"] for one in last.pop("data")] == [
        one.id for one in newest_first(sandbox)[200:]
    ]
    assert last == {"total": 230, "page": 3, "limit": 100, "totalPages": 3}
    assert get(page=4, limit=100).json()["data"] == []


@pytest.mark.parametrize(("name", "switches"), Switches.positions("skipcall"))
def test_every_switch_lists_every_call_once(
    sandbox: Sandbox, get: Get, name: str, switches: Switches
) -> None:
    sandbox.switches = switches
    records = listed(get)
    expected = sandbox.expected("skipcall")
    assert len(records) == len(expected)
    assert {record["id"]: record for record in records} == {
        identifier: record["provider_record"] for identifier, record in expected.items()
    }
    assert sandbox.ever_listed("skipcall") == expected
    deleted = {one.id for one in newest_first(sandbox) if one.deleted is not None}
    assert deleted
    if name == "soft_deleted_listed=False":
        assert len(expected) == 230 - len(deleted)
        assert not deleted & set(expected)
    else:
        assert len(expected) == 230


@pytest.mark.parametrize(("cut", "effective"), [(None, 100), (50, 50), (20, 20)])
def test_limit_is_cut_silently(sandbox: Sandbox, get: Get, cut: int | None, effective: int) -> None:
    sandbox_with(sandbox, limit_cut=cut)
    body = get(limit=1000).json()
    assert (len(body["data"]), body["limit"]) == (effective, effective)
    assert body["totalPages"] == -(-230 // effective)


def started(call: SkipcallCall) -> int:
    return call.created if call.started is None else call.started


KEYS: dict[str, Callable[[SkipcallCall], int]] = {
    "created": lambda call: call.created,
    "updated": lambda call: call.updated or call.created,
    "started": started,
}
DIRECTIONS = {"asc": 1, "desc": -1}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("by", KEYS)
def test_orders_follow_changes(sandbox: Sandbox, get: Get, by: str, direction: str) -> None:
    sandbox_with(sandbox, order=f"{by}_{direction}")
    before = listed(get)
    sandbox.world.change_call("skipcall", before[7]["id"])
    sandbox.world.delete_call("skipcall", before[8]["id"])
    late = sandbox.world.add_call("skipcall", started=1_700_000_000_000)
    calls = sandbox.world.skipcall.calls
    ids = [record["id"] for record in listed(get)]
    keys = [DIRECTIONS[direction] * KEYS[by](calls[call_id]) for call_id in ids]
    assert keys == sorted(keys)
    assert len(keys) == 230
    # where a call stands that was told late
    ends = {("started", "desc"): -1, ("started", "asc"): 0, ("created", "desc"): 0}
    assert ids[ends.get((by, direction), -1 if direction == "asc" else 0)] == late


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_nearly_sorted_list_has_some_calls_days_further_down(
    sandbox: Sandbox, get: Get, direction: str
) -> None:
    sandbox_with(sandbox, order=f"nearly_{direction}")
    calls = [sandbox.world.skipcall.calls[record["id"]] for record in listed(get)]
    calls = calls if direction == "desc" else calls[::-1]
    newest = 1 << 62
    out_of_place = []
    for call in calls:  # newest first
        if call.created > newest:
            out_of_place.append(call)
            assert call.created - newest <= 5 * 24 * 3600 * 1000
        else:
            newest = call.created
    assert 1 <= len(out_of_place) <= len(calls) // 10


FORMS: dict[str, Callable[[str, str], dict[str, str]]] = {
    "form": lambda by, order: {"orderBy": by, "order": order},
    "brackets": lambda by, order: {"sort[orderBy]": by, "sort[order]": order},
    "json": lambda by, order: {"sort": f'{{"orderBy":"{by}","order":"{order}"}}'},
}
"""How the object `sort` may be encoded."""


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("by", KEYS)
@pytest.mark.parametrize("encoding", FORMS)
def test_an_order_is_asked_for_in_the_encoding_that_is_understood(
    sandbox: Sandbox, get: Get, encoding: str, by: str, direction: str
) -> None:
    sandbox_with(sandbox, order="shuffled")
    shuffled = listed(get)
    sandbox_with(sandbox, order=f"{by}_{direction}")
    wanted = listed(get)
    assert wanted != shuffled
    sandbox_with(sandbox, order="shuffled", sort=encoding)
    assert listed(get) == shuffled
    for form, query in FORMS.items():
        found = listed(get, **query(f"{by}At", direction))
        assert found == (wanted if form == encoding else shuffled)


@pytest.mark.parametrize("encoding", FORMS)
def test_an_order_that_is_not_known_is_refused_and_one_without_direction_ascends(
    sandbox: Sandbox, get: Get, encoding: str
) -> None:
    sandbox_with(sandbox, sort=encoding)
    assert get(**FORMS[encoding]("notes", "asc")).status_code == 400
    assert get(**FORMS[encoding]("createdAt", "up")).status_code == 400
    ascending = listed(get, **FORMS[encoding]("createdAt", "asc"))
    assert listed(get, **FORMS[encoding]("createdAt", "")) == ascending


@pytest.mark.parametrize("form", FORMS)
def test_an_order_is_refused_in_every_encoding(sandbox: Sandbox, get: Get, form: str) -> None:
    sandbox_with(sandbox, sort="refused")
    answer = get(**FORMS[form]("createdAt", "desc"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert listed(get) == listed(get, limit=50)


@pytest.mark.parametrize(("form", "status"), [("refused", 422), ("empty", 200), ("capped", 200)])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_wall_hides_what_stands_behind_it(
    sandbox: Sandbox, get: Get, form: WallForm, status: int, direction: str
) -> None:
    """In whatever order; it is announced all the same, unless it is capped."""
    sandbox_with(sandbox, order=f"created_{direction}")
    whole = listed(get)
    wall = ListSwitches(wall=40, wall_form=form)
    sandbox_with(sandbox, order=f"created_{direction}", lists=wall)
    pages = [get(page=number, limit=20) for number in (1, 2, 3)]
    found = [record for page in pages[:2] for record in page.json()["data"]]
    assert found == whole[:40]
    assert pages[0].json()["total"] == (40 if form == "capped" else 230)
    assert pages[2].status_code == status
    if status == 200:
        assert pages[2].json()["data"] == []


def test_sort_and_filters_are_accepted_and_ignored(get: Get) -> None:
    odd = {"sort": '{"orderBy":"createdAt","order":"asc"}', "filters": '{"status":"x"}', "a": "b"}
    assert get(**odd).json() == get().json()


def test_workspaces_narrow_the_list(sandbox: Sandbox, get: Get) -> None:
    first, second = sandbox.world.skipcall_workspaces
    halves = [
        [call.id for call in newest_first(sandbox) if call.workspace_id == workspace]
        for workspace in (first, second)
    ]
    assert all(halves)
    assert sum(map(len, halves)) == 230
    assert [one["id"] for one in listed(get, workspaceIds=first)] == halves[0]
    assert [one["id"] for one in listed(get, **{"workspaceIds[]": [second]})] == halves[1]
    assert listed(get, workspaceIds=f"{second},{first}") == listed(get)
    assert listed(get, **{"workspaceIds[]": [first, second]}) == listed(get)
    strange = get(workspaceIds=f"{first},550e8400-e29b-41d4-a716-446655440000")
    assert (strange.status_code, strange.json()["error"]["status"]) == (403, 403)


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "x"}, {"page": "1.5"}, {"limit": "0"}, {"limit": "ten"}]
)
def test_page_and_limit_must_be_positive_integers(get: Get, query: dict[str, str]) -> None:
    answer = get(**query)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, 400)


def test_authentication_and_its_two_bodies(sandbox: Sandbox, get: Get) -> None:
    documented = {
        "error": {
            "code": "UNAUTHORIZED",
            "message": "Invalid or revoked API key",
            "status": 401,
        }
    }
    for key in ("", "Bearer wrong", "Basic test-key-skipcall-not-real"):
        answer = get(key=key)
        assert (answer.status_code, answer.json()) == (401, documented)
    assert answer.headers["X-RateLimit-Limit"] == "100"
    sandbox_with(sandbox, body_401="docs_page")
    answer = get(key="Bearer wrong")
    assert (answer.status_code, answer.json()) == (
        401,
        {"code": "API_KEY_INVALID", "details": None},
    )
    assert get("/v1/contacts").status_code == 404


@pytest.mark.parametrize("name", ["SUBSCRIPTION_REQUIRED", "PLAN_NOT_ELIGIBLE"])
def test_key_faults(sandbox: Sandbox, get: Get, name: str) -> None:
    sandbox.key_faults["odd"] = name
    answer = get(key="Bearer odd")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, name)
    sandbox.key_faults["odd"] = "WORKSPACE_OUT_OF_SCOPE"
    assert "outside the API key scope" in get(key="Bearer odd").json()["error"]["message"]


@pytest.mark.parametrize(("unit", "length"), [("seconds", 10), ("milliseconds", 13)])
def test_rate_limit(sandbox: Sandbox, get: Get, unit: str, length: int) -> None:
    sandbox.world = World(calls=230)
    options = SkipcallSwitches(limit=2, window_seconds=6000.0, reset_unit=unit)  # type: ignore[arg-type]
    sandbox.switches = Switches(skipcall=options)
    answers = [get() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [one.headers["X-RateLimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert {len(one.headers["X-RateLimit-Reset"]) for one in answers} == {length}
    now = parsedate_to_datetime(answers[0].headers["Date"]).timestamp()
    assert 0 < int(answers[0].headers["X-RateLimit-Reset"][:10]) - now <= 6001
    assert answers[2].json()["error"]["status"] == 429
    assert "Retry-After" not in answers[2].headers


def test_required_keys_are_always_there_and_others_may_be_absent_or_null(get: Get) -> None:
    records = listed(get)
    assert all(set(record) >= REQUIRED for record in records)
    optional = {name for record in records for name in record} - REQUIRED
    for name in ("updatedAt", "deletedAt", "notes", "organizationMembershipId", "sequenceId"):
        assert name in optional
        assert any(name not in record for record in records)
    assert any(record.get("notes", "") is None for record in records)
    for name in ("startedAt", "endedAt", "contact", "phoneNumber", "caller", "callerPhoneNumber"):
        assert any(record[name] is None for record in records), name


def test_columns_and_records_tell_the_same(sandbox: Sandbox) -> None:
    sandbox.world.advance(hours=24, new=20, changed=200, deleted=0, late=5)
    pairs = [("deleted_at", "deletedAt"), ("user_id", "organizationMembershipId")]
    for expected in sandbox.expected("skipcall").values():
        record = expected["provider_record"]
        assert all(expected.get(column) == record.get(name) for column, name in pairs)
        assert (expected.get("notes") or None) == (record.get("notes") or None)
        latest = max(record.get(name) or "" for name in ("updatedAt", "deletedAt"))
        assert expected["updated_at"] == (latest or record["createdAt"])


CALL: dict[str, Any] = {
    "call_type": "CALL_SESSION",
    "status": "completed",
    "type": "outbound",
    "started": 1_710_925_200_000,
    "ended": 1_710_926_099_999,
    "created": 1_710_924_900_000,
    "updated": 1_710_926_160_000,
    "deleted": None,
    "notes": "été",
    "membership_id": "m1",
    "caller": ("Alice", "Martin"),
    "contact": SkipcallContact("c1", "Ana", "", is_unknown=False),
    "phone_number": "+33612345678",
    "caller_phone_number": "+33184000000",
    "managed_number_id": "l1",
    "transferred": True,
    "absent": frozenset[str](),
}
EXPECTED = {
    "provider": "skipcall",
    "direction": "outbound",
    "status": "completed",
    "occurred_at": "2024-03-20T09:00:00.000Z",
    "started_at": "2024-03-20T09:00:00.000Z",
    "ended_at": "2024-03-20T09:14:59.999Z",
    "created_at": "2024-03-20T08:55:00.000Z",
    "updated_at": "2024-03-20T09:16:00.000Z",
    "duration_seconds": 899,
    "duration_source": "computed",
    "from_number": "+33184000000",
    "to_number": "+33612345678",
    "external_number": "+33612345678",
    "internal_number": "+33184000000",
    "line_id": "l1",
    "transferred": True,
    "user_id": "m1",
    "user_name": "Alice Martin",
    "contact_id": "c1",
    "contact_name": "Ana",
    "notes": "été",
    "provider_status": "completed",
    "provider_direction": "outbound",
    "provider_call_type": "CALL_SESSION",
    "participants": ["+33184000000", "+33612345678"],
}
UNANSWERED = {"answered": False, "wait_seconds": 899}
NO_DURATION = dict.fromkeys(["duration_seconds", "duration_source"])


def test_a_record_as_listed(sandbox: Sandbox, get: Get) -> None:
    sandbox.world = World(calls=0)
    identifier = sandbox.world.add_call("skipcall", **CALL)
    record = get().json()["data"][0]
    shown = {name: record[name] for name in REQUIRED | {"updatedAt", "deletedAt", "notes"}}
    assert shown == {
        "id": identifier,
        "callType": "CALL_SESSION",
        "status": "completed",
        "type": "outbound",
        "startedAt": "2024-03-20T09:00:00.000Z",
        "endedAt": "2024-03-20T09:14:59.999Z",
        "createdAt": "2024-03-20T08:55:00.000Z",
        "updatedAt": "2024-03-20T09:16:00.000Z",
        "deletedAt": None,
        "notes": "été",
        "contact": {"id": "c1", "firstName": "Ana", "lastName": "", "isUnknown": False},
        "phoneNumber": {"value": "+33612345678"},
        "caller": {"firstName": "Alice", "lastName": "Martin"},
        "callerPhoneNumber": {"value": "+33184000000"},
    }
    later = {"created": 1_710_924_900_001, "deleted": 1_710_926_100_000}
    deleted = sandbox.world.add_call("skipcall", **{**CALL, **later})
    assert get().json()["data"][0]["deletedAt"] == "2024-03-20T09:15:00.000Z"
    sandbox.world.delete_call("skipcall", deleted)
    expected = {**EXPECTED, "id": identifier, "provider_record": record}
    assert sandbox.expected("skipcall") == {identifier: expected}


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        (
            {"type": "inbound"},
            {
                "direction": "inbound",
                "provider_direction": "inbound",
                "from_number": "+33612345678",
                "to_number": "+33184000000",
                "participants": ["+33612345678", "+33184000000"],
            },
        ),
        (
            {"type": "internal"},
            {"direction": None, "provider_direction": "internal"}
            | dict.fromkeys(["from_number", "to_number", "participants"]),
        ),
        ({"status": "COMPLETED"}, {"status": "completed", "provider_status": "COMPLETED"}),
        (
            {"status": "No Answer"},
            {"status": "no-answer", "provider_status": "No Answer", **UNANSWERED},
        ),
        ({"status": "busy"}, dict.fromkeys(["status", "provider_status"], "busy") | UNANSWERED),
        ({"status": "failed"}, dict.fromkeys(["status", "provider_status"], "failed") | UNANSWERED),
        (
            {"status": "cancelled"},
            {"status": "canceled", "provider_status": "cancelled", **UNANSWERED},
        ),
        (
            {"status": "busy", "ended": None},
            dict.fromkeys(["status", "provider_status"], "busy")
            | {**NO_DURATION, "answered": False, "ended_at": None},
        ),
        (
            {"status": "in-progress", "ended": None},
            dict.fromkeys(["status", "provider_status"], "in-progress")
            | {**NO_DURATION, "answered": True, "ended_at": None},
        ),
        (
            {"status": "ringing", "ended": None},
            dict.fromkeys(["status", "provider_status"], "ringing")
            | {**NO_DURATION, "ended_at": None},
        ),
        ({"status": "forwarded"}, dict.fromkeys(["status", "provider_status"], "forwarded")),
        ({"transferred": False}, {"transferred": False}),
        ({"absent": frozenset({"transferred"})}, {"transferred": None}),
        ({"managed_number_id": None}, {"line_id": None}),
        ({"call_type": "DIRECT_CALL"}, {"provider_call_type": "DIRECT_CALL"}),
        ({"type": "Outgoing"}, {"provider_direction": "Outgoing"}),
        (
            {"started": None},
            {"occurred_at": "2024-03-20T08:55:00.000Z"}
            | dict.fromkeys(["started_at", "duration_seconds", "duration_source"]),
        ),
        (
            {"ended": None},
            dict.fromkeys(["ended_at", "duration_seconds", "duration_source"]),
        ),
        (
            {"ended": 1_710_925_199_000},
            {"ended_at": "2024-03-20T08:59:59.000Z"}
            | dict.fromkeys(["duration_seconds", "duration_source"]),
        ),
        ({"updated": None}, {"updated_at": "2024-03-20T08:55:00.000Z"}),
        (
            {"deleted": 1_710_926_400_001},
            dict.fromkeys(["updated_at", "deleted_at"], "2024-03-20T09:20:00.001Z"),
        ),
        ({"deleted": 1_710_926_100_000}, {"deleted_at": "2024-03-20T09:15:00.000Z"}),
        (
            {"contact": SkipcallContact("c1", "A", "B", is_unknown=True)},
            {"contact_id": None, "contact_name": None},
        ),
        (
            {"contact": None, "caller": None},
            dict.fromkeys(["contact_id", "contact_name", "user_name"]),
        ),
        ({"notes": ""}, {"notes": None}),
        (
            {"phone_number": None},
            {"to_number": None, "external_number": None, "participants": ["+33184000000"]},
        ),
    ],
)
def test_expected_record_follows_the_design(
    sandbox: Sandbox, fields: dict[str, Any], changed: dict[str, Any]
) -> None:
    identifier = sandbox.world.add_call("skipcall", **{**CALL, **fields})
    record = sandbox.expected("skipcall")[identifier]
    del record["provider_record"]
    wanted = {**EXPECTED, "id": identifier, **changed}
    assert record == {name: value for name, value in wanted.items() if value is not None}
