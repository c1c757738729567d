"""The sandbox's OpenPhone v1 against the provider's pages and answers seen live."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from integration_tests.sandbox import OpenPhoneSwitches, Sandbox, Switches, World
from integration_tests.sandbox.openphone_calls import OpenPhoneCall
from integration_tests.sandbox.openphone_workspace import E164, LOBBY, OWNER, SALES, SUPPORT
from integration_tests.sandbox.times import parse_iso

KEY = "test-key-openphone-not-real"
BUSY = "+15551230001"
Get = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(World()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.world = World()
    shared.switches = Switches(enforce_limits=False)
    shared.key_faults = {}
    return shared


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    with requests.Session() as session:

        def send(path: str, key: str | None = KEY, **query: Any) -> requests.Response:
            url, headers = f"{sandbox.url}/openphone{path}", {"Authorization": key}
            return session.get(url, params=query, headers=headers, timeout=600)

        yield send


def sandbox_with(sandbox: Sandbox, **positions: Any) -> None:
    sandbox.switches = Switches(openphone=OpenPhoneSwitches(**positions), enforce_limits=False)


def paged(get: Get, path: str, size: int = 100, **query: Any) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        answer = get(path, maxResults=size, pageToken=token, **query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["totalItems"] == len(body["data"]) // 2
        records += body["data"]
        token = body["nextPageToken"]
        if token is None:
            return records
        assert isinstance(token, str)
        assert len(body["data"]) == size


def calls_of(get: Get, line: str, participant: str, **query: Any) -> list[dict[str, Any]]:
    return paged(get, "/v1/calls", phoneNumberId=line, participants=participant, **query)


def true_calls(sandbox: Sandbox, line: str, participant: str, *users: str) -> list[str]:
    """Ids of the calls of one conversation, newest first, straight from the world."""
    calls: list[OpenPhoneCall] = sorted(
        sandbox.world.openphone.calls.values(), key=lambda call: (call.created, call.id)
    )
    return [
        call.id
        for call in reversed(calls)
        if call.conversation.line.id == line
        and call.conversation.participants == (participant,)
        and (not users or call.user_id in users)
    ]


def everything_askable(get: Get) -> dict[str, dict[str, Any]]:
    """What is found by asking for each listed user, and once without a user."""
    found: dict[str, dict[str, Any]] = {}
    for line in get("/v1/phone-numbers").json()["data"]:
        for conversation in paged(get, "/v1/conversations", 5, phoneNumbers=line["id"]):
            others = conversation["participants"]
            if len(others) == 1 and E164.fullmatch(others[0]):
                for user in [None, *(user["id"] for user in line["users"])]:
                    for record in calls_of(get, line["id"], others[0], userId=user):
                        found[record["id"]] = record
    return found


def test_phone_numbers_are_not_paginated_and_list_their_users(get: Get) -> None:
    body = get("/v1/phone-numbers").json()
    assert set(body) == {"data"}
    numbers = {
        line["number"]: [
            (user["id"], user["firstName"], user["lastName"]) for user in line["users"]
        ]
        for line in body["data"]
    }
    assert numbers == {
        "+14155550000": [
            ("USowner1", "Amélie", "Dubois"),
            ("USagent2", "Björn", "Åkesson"),
            ("US007", "Hiro", "田中"),
        ],
        "+442071838750": [("USagent2", "Björn", "Åkesson"), ("USclerk4", "Grace", "Kim-Park")],
        "+33170000000": [],
    }
    only = get("/v1/phone-numbers", userId="USclerk4").json()["data"]
    assert [line["id"] for line in only] == ["PN5e3"]


@pytest.mark.parametrize(("name", "switches"), Switches.positions("openphone"))
def test_every_switch_lists_what_is_expected(
    sandbox: Sandbox, get: Get, name: str, switches: Switches
) -> None:
    sandbox.switches = replace(switches, enforce_limits=False)
    expected = sandbox.expected("openphone")
    assert everything_askable(get) == {
        identifier: record["provider_record"] for identifier, record in expected.items()
    }
    assert sandbox.ever_listed("openphone") == expected
    hidden = len(sandbox.world.openphone.calls) - len(expected)
    assert len(sandbox.world.openphone.calls) == 400
    everyone = "everyone" in name or "access_scope" in name
    unaskable = [
        call for call in sandbox.world.openphone.calls.values() if not call.conversation.askable
    ]
    assert hidden == len(unaskable) if everyone else hidden > len(unaskable)
    assert unaskable


def test_calls_are_newest_first_and_paged(sandbox: Sandbox, get: Get) -> None:
    wanted = true_calls(sandbox, SALES.id, BUSY, OWNER.id)
    assert len(wanted) > 100
    for size in (7, 100):
        records = paged(
            get, "/v1/calls", size, phoneNumberId=SALES.id, participants=BUSY, userId=OWNER.id
        )
        assert [record["id"] for record in records] == wanted


def test_page_tokens_look_like_numbers_and_belong_to_their_filters(get: Get) -> None:
    query = {"phoneNumberId": SALES.id, "participants": BUSY, "maxResults": 10}
    tokens = []
    token = None
    for _ in range(6):
        token = get("/v1/calls", **query, pageToken=token).json()["nextPageToken"]
        tokens.append(token)
    assert tokens[0] == "1e5"
    assert tokens[1] == "002"
    assert tokens[2] == "0x3"
    assert tokens[4] == "+5"
    again = get("/v1/calls", **query).json()["nextPageToken"]
    assert again == "1e5"
    for wrong in [
        {**query, "pageToken": "100000"},
        {**query, "pageToken": "2"},
        {**query, "pageToken": "1e5", "participants": "+15551230002"},
        {**query, "pageToken": "1e5", "userId": OWNER.id},
    ]:
        assert get("/v1/calls", **wrong).status_code == 400
    assert get("/v1/calls", **{**query, "maxResults": 3, "pageToken": "1e5"}).status_code == 200


def test_calls_that_arrive_between_two_pages_shift_nothing(sandbox: Sandbox, get: Get) -> None:
    wanted = true_calls(sandbox, SALES.id, BUSY, OWNER.id)
    query = {"phoneNumberId": SALES.id, "participants": BUSY, "maxResults": 60}
    first = get("/v1/calls", **query).json()
    thread = sandbox.world.openphone.thread(SALES.id, BUSY)
    assert thread is not None
    added = sandbox.world.add_call("openphone", conversation=thread.conversation)
    second = get("/v1/calls", **query, pageToken=first["nextPageToken"]).json()
    assert [one["id"] for one in first["data"] + second["data"]] == wanted[:120]
    assert get("/v1/calls", **query).json()["data"][0]["id"] == added


def test_a_changed_call_stays_in_its_place(sandbox: Sandbox, get: Get) -> None:
    wanted = true_calls(sandbox, SALES.id, BUSY, OWNER.id)
    sandbox.world.change_call("openphone", wanted[4])
    sandbox.world.delete_call("openphone", wanted[6])
    records = calls_of(get, SALES.id, BUSY)
    assert ids(records) == wanted[:6] + wanted[7:]
    assert records[4]["updatedAt"] == "2026-10-01T12:00:01Z"


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["id"] for record in records]


def test_whose_calls_come(sandbox: Sandbox, get: Get) -> None:
    support = (SUPPORT.id, BUSY)
    lobby = (LOBBY.id, "+15551238001")
    agent, clerk = (true_calls(sandbox, *support, user) for user in ("USagent2", "USclerk4"))
    desk, owner = (true_calls(sandbox, *lobby, user) for user in ("USdesk5", "USowner1"))
    both = true_calls(sandbox, *support)
    assert all((agent, clerk, desk, owner))
    assert ids(calls_of(get, *support)) == agent
    assert ids(calls_of(get, *support, userId="USclerk4")) == clerk
    assert ids(calls_of(get, *lobby)) == desk
    sandbox_with(sandbox, user_default="workspace_owner")
    assert ids(calls_of(get, *support)) == []
    assert ids(calls_of(get, *lobby)) == owner
    sandbox_with(sandbox, user_default="everyone")
    assert ids(calls_of(get, *support)) == both
    assert ids(calls_of(get, *support, userId="USagent2")) == agent
    sandbox_with(sandbox, user_effect="access_scope")
    assert ids(calls_of(get, *support, userId="USagent2")) == both
    assert ids(calls_of(get, *lobby)) == true_calls(sandbox, *lobby)


def test_a_former_users_calls_are_hidden_by_default(sandbox: Sandbox) -> None:
    former = {
        call.id
        for call in sandbox.world.openphone.calls.values()
        if call.user_id == "USformer6" and call.conversation.askable
    }
    assert former
    assert not former & set(sandbox.expected("openphone"))
    sandbox_with(sandbox, user_default="everyone")
    assert former <= set(sandbox.expected("openphone"))


def refused(sandbox: Sandbox, answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    if sandbox.switches.openphone.envelope == "live":
        assert set(body) == {"error"}
        assert set(body["error"]) == {"message", "key", "trace"}
        return answer.status_code, str(body["error"]["key"])
    assert {"message", "code", "status", "docs", "title"} <= set(body)
    assert body["status"] == answer.status_code
    return answer.status_code, str(body["code"])


CALLS = {"phoneNumberId": "PNsales1", "participants": BUSY, "maxResults": "10"}


@pytest.mark.parametrize(
    ("change", "live", "documented"),
    [
        pytest.param({"participants": None}, (400, "Bad Request"), "0100400", id="none"),
        pytest.param(
            {"participants": [BUSY, "+12"]}, (400, "Too Many Participants"), "0101400", id="two"
        ),
        pytest.param({"participants": "14155550000"}, (400, "Bad Request"), "0100400", id="plus"),
        pytest.param({"participants": "Anonymous"}, (400, "Bad Request"), "0100400", id="word"),
        pytest.param({"participants": "+0123"}, (400, "Bad Request"), "0100400", id="zero"),
        pytest.param({"phoneNumberId": None}, (400, "Bad Request"), "0100400", id="no number"),
        pytest.param({"phoneNumberId": "PN1"}, (404, "Not Found"), "0100404", id="strange number"),
        pytest.param({"userId": "USclerk4"}, (403, "Not Phone Number User"), "0101403", id="user"),
        pytest.param({"maxResults": None}, (400, "Bad Request"), "0100400", id="no maxResults"),
        pytest.param({"maxResults": "0"}, (400, "Bad Request"), "0100400", id="maxResults 0"),
        pytest.param({"maxResults": "101"}, (400, "Bad Request"), "0100400", id="maxResults 101"),
        pytest.param({"createdAfter": "soon"}, (400, "Bad Request"), "0100400", id="date"),
        pytest.param({"pageToken": "x"}, (400, "Bad Request"), "0100400", id="token"),
    ],
)
def test_refused_requests(
    sandbox: Sandbox, get: Get, change: dict[str, Any], live: tuple[int, str], documented: str
) -> None:
    assert refused(sandbox, get("/v1/calls", **{**CALLS, **change})) == live
    sandbox_with(sandbox, envelope="documented")
    answer = get("/v1/calls", **{**CALLS, **change})
    assert refused(sandbox, answer) == (live[0], documented)
    sandbox_with(sandbox, envelope="live_message")
    error = get("/v1/calls", **{**CALLS, **change}).json()["error"]
    keys = {400: "BadRequest", 403: "Forbidden", 404: "NotFound"}
    assert (error["key"], error["message"]) == (keys[live[0]], live[1])


def test_a_raw_plus_is_a_space(sandbox: Sandbox, get: Get) -> None:
    raw = "/v1/calls?phoneNumberId=PNsales1&maxResults=10&participants="
    assert get(raw + "+15551230001").status_code == 400
    assert get(raw + "%2B15551230001").status_code == 200
    assert (
        get(
            f"/v1/calls?phoneNumberId=PNsales1&maxResults=10&participants[]=%2B{BUSY[1:]}"
        ).status_code
        == 400
    )


def test_authentication(sandbox: Sandbox, get: Get) -> None:
    for key in (f"Bearer {KEY}", "wrong"):
        assert refused(sandbox, get("/v1/phone-numbers", key)) == (401, "Unauthorized")
    answer = get("/v1/phone-numbers", None)
    assert answer.json()["error"]["message"] == "Missing authorization header"
    sandbox_with(sandbox, envelope="documented")
    assert refused(sandbox, get("/v1/calls", "wrong")) == (401, "0100401")
    unknown = get("/v1/nothing")
    assert unknown.status_code == 404
    assert unknown.headers["Content-Type"].startswith("text/html")


def test_key_faults(sandbox: Sandbox, get: Get) -> None:
    sandbox.key_faults = {"late": "subscription_expired", "odd": "not_phone_number_user"}
    expired = get("/v1/phone-numbers", "late")
    assert (expired.status_code, expired.json()["status"]) == (402, 402)
    assert get("/v1/phone-numbers", "odd").status_code == 200
    assert get("/v1/conversations", "odd", maxResults=1).status_code == 200
    assert refused(sandbox, get("/v1/calls", "odd", **CALLS)) == (403, "Not Phone Number User")


def test_date_bounds(sandbox: Sandbox, get: Get) -> None:
    records = calls_of(get, SUPPORT.id, "+15551239003")
    middle = records[3]["createdAt"]
    at = parse_iso(middle)
    same = [one for one in records if parse_iso(one["createdAt"]) == at]
    newer, older = records[: records.index(same[0])], records[records.index(same[-1]) + 1 :]
    ask = (get, SUPPORT.id, "+15551239003")
    assert calls_of(*ask, createdAfter=middle) == newer
    assert calls_of(*ask, createdBefore=middle) == older
    assert calls_of(*ask, since=middle) == older
    sandbox_with(sandbox, date_bounds="inclusive")
    assert calls_of(*ask, createdAfter=middle) == newer + same
    assert calls_of(*ask, createdBefore=middle) == same + older


def test_conversations_newest_activity_first(sandbox: Sandbox, get: Get) -> None:
    threads = sorted(
        sandbox.world.openphone.threads.values(),
        key=lambda thread: (thread.activity, thread.conversation.id),
        reverse=True,
    )
    whole = [thread.conversation.id for thread in threads]
    assert ids(paged(get, "/v1/conversations", 4)) == whole
    sales = [one.conversation.id for one in threads if one.conversation.line is SALES]
    for name in (SALES.id, SALES.number):
        assert ids(paged(get, "/v1/conversations", 3, phoneNumbers=name)) == sales
    lobby_or_sales = [
        one.conversation.id for one in threads if one.conversation.line is not SUPPORT
    ]
    both = paged(get, "/v1/conversations", phoneNumbers=[SALES.id, LOBBY.number])
    assert ids(both) == lobby_or_sales
    assert ids(paged(get, "/v1/conversations", userId="US007")) == sales
    assert get("/v1/conversations", maxResults=5, phoneNumbers="PN1").status_code == 404
    assert get("/v1/conversations").status_code == 400
    moved = paged(get, "/v1/conversations")[-1]["id"]
    thread = sandbox.world.openphone.threads[moved]
    sandbox.world.add_call("openphone", conversation=thread.conversation)
    assert paged(get, "/v1/conversations", 1)[0]["id"] == moved


def test_conversations_of_every_kind(sandbox: Sandbox, get: Get) -> None:
    records = paged(get, "/v1/conversations")
    participants = [record["participants"] for record in records]
    assert {len(one) for one in participants} == {1, 2, 3}
    odd = [one[0] for one in participants if len(one) == 1 and not E164.fullmatch(one[0])]
    assert sorted(odd) == ["72345", "Anonymous", "Blocked"]
    undated = [one for one in records if one["createdAt"] is None]
    assert len(undated) == 4
    assert {one[name] for one in undated for name in ("updatedAt", "lastActivityAt")} == {None}
    deleted = [one for one in records if one["deletedAt"] is not None]
    active = paged(get, "/v1/conversations", excludeInactive="true")
    assert ids(active) == [one["id"] for one in records if one["deletedAt"] is None]
    assert len(deleted) == 1
    silent = {one["id"]: one["participants"] for one in records if one["lastActivityId"] is None}
    threads = sandbox.world.openphone.threads
    assert silent.keys() == {key for key, thread in threads.items() if not thread.calls}
    assert ["+15551230006"] in silent.values()


def test_conversation_date_filters(sandbox: Sandbox, get: Get) -> None:
    dated = [one for one in paged(get, "/v1/conversations") if one["updatedAt"] is not None]
    bound = dated[4]["updatedAt"]
    assert paged(get, "/v1/conversations", updatedAfter=bound) == dated[:4]
    assert paged(get, "/v1/conversations", updatedBefore=bound) == dated[5:]
    created = sorted(dated, key=lambda one: str(one["createdAt"]))[2]["createdAt"]
    older = [one for one in dated if (parse_iso(one["createdAt"]) or 0) < (parse_iso(created) or 0)]
    assert paged(get, "/v1/conversations", createdBefore=created) == older


@pytest.mark.parametrize(
    ("position", "moved"),
    [
        ("both", {"updatedAt", "lastActivityAt"}),
        ("last_activity", {"lastActivityAt"}),
        ("updated", {"updatedAt"}),
    ],
)
def test_which_dates_a_call_moves(
    sandbox: Sandbox, get: Get, position: str, moved: set[str]
) -> None:
    sandbox_with(sandbox, conversation_moves=position)
    thread = sandbox.world.openphone.thread(SALES.id, BUSY)
    assert thread is not None
    before = {one["id"]: one for one in paged(get, "/v1/conversations")}[thread.conversation.id]
    sandbox.world.advance(hours=5, new=0, changed=0, deleted=0, late=0)
    sandbox.world.change_call("openphone", thread.calls[0][1])
    after = paged(get, "/v1/conversations")[0]
    names = ("createdAt", "updatedAt", "lastActivityAt")
    assert after["id"] == thread.conversation.id
    assert {name for name in names if before[name] != after[name]} == moved
    assert {after[name] for name in moved} == {"2026-10-01T17:00:01Z"}


def test_scale_many_conversations() -> None:
    world = World(calls=3000, conversations=1000)
    with Sandbox(world, Switches(enforce_limits=False)) as sandbox, requests.Session() as session:

        def send(path: str, **query: Any) -> requests.Response:
            url, headers = f"{sandbox.url}/openphone{path}", {"Authorization": KEY}
            return session.get(url, params=query, headers=headers, timeout=600)

        records = paged(send, "/v1/conversations")
        assert len(set(ids(records))) == 1000
        assert all(E164.fullmatch(one["participants"][0]) for one in records)
    sizes = {len(thread.calls) for thread in world.openphone.threads.values()}
    assert sizes == {3}
    assert set(sandbox.expected("openphone")) == set(world.openphone.calls)


def test_timestamps_with_and_without_fractions(sandbox: Sandbox, get: Get) -> None:
    lengths = {len(one["createdAt"]) for one in calls_of(get, SALES.id, BUSY)}
    assert lengths == {len("2026-10-01T12:00:00Z"), len("2026-10-01T12:00:00.000Z")}
    sandbox_with(sandbox, timestamps="seconds")
    assert {len(one["createdAt"]) for one in calls_of(get, SALES.id, BUSY)} == {20}


def test_participants_may_include_the_own_number(sandbox: Sandbox, get: Get) -> None:
    assert calls_of(get, SALES.id, BUSY)[0]["participants"] == [BUSY]
    sandbox_with(sandbox, participants_include_own=True)
    record = calls_of(get, SALES.id, BUSY)[0]
    assert record["participants"] == [SALES.number, BUSY]
    expected = sandbox.expected("openphone")[record["id"]]
    assert expected["external_number"] == BUSY
    assert expected["participants"] == [SALES.number, BUSY]


def test_ten_requests_in_any_second(sandbox: Sandbox, get: Get) -> None:
    assert Switches().openphone.window_seconds == 1.0
    sandbox.switches = Switches(openphone=OpenPhoneSwitches(window_seconds=3600.0))
    answers = [get("/v1/phone-numbers") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert refused(sandbox, answers[-1]) == (429, "Too Many Requests")
    assert "Retry-After" not in answers[-1].headers
    assert "ratelimit" not in answers[0].headers
    sandbox.switches = Switches(openphone=OpenPhoneSwitches(window_seconds=0.2))
    time.sleep(0.3)
    assert get("/v1/phone-numbers").status_code == 200


def test_optional_rate_headers(sandbox: Sandbox, get: Get) -> None:
    options = OpenPhoneSwitches(
        limit=2, window_seconds=6000.0, retry_after="seconds", ratelimit_headers="live"
    )
    sandbox.world = World()
    sandbox.switches = Switches(openphone=options)
    answers = [get("/v1/phone-numbers") for _ in range(3)]
    assert 5000 < int(answers[2].headers["Retry-After"]) <= 6000
    assert answers[0].headers["ratelimit"] == '"per-second"; r=1; t=6000'
    assert answers[0].headers["ratelimit-policy"] == '"per-second"; q=2; w=6000'
    assert "ratelimit" in get("/v1/phone-numbers", "wrong").headers


CALL: dict[str, Any] = {
    "user_id": "USagent2",
    "direction": "incoming",
    "status": "completed",
    "answered": 1_780_508_660_900,
    "completed": 1_780_508_720_800,
    "created": 1_780_508_657_000,
    "updated": 1_780_508_800_123,
    "duration": 63,
    "answered_by": "USagent2",
    "initiated_by": None,
    "call_route": "phone-number",
    "forwarded_from": None,
    "forwarded_to": None,
    "ai_handled": None,
    "names_participants": True,
    "voicemail_seconds": None,
}
RECORD = {
    "answeredAt": "2026-06-03T17:44:20.900Z",
    "answeredBy": "USagent2",
    "initiatedBy": None,
    "direction": "incoming",
    "status": "completed",
    "completedAt": "2026-06-03T17:45:20.800Z",
    "createdAt": "2026-06-03T17:44:17Z",
    "callRoute": "phone-number",
    "duration": 63,
    "forwardedFrom": None,
    "forwardedTo": None,
    "aiHandled": None,
    "phoneNumberId": "PNsales1",
    "participants": [BUSY],
    "updatedAt": "2026-06-03T17:46:40.123Z",
    "userId": "USagent2",
}
EXPECTED = {
    "provider": "openphone",
    "direction": "inbound",
    "status": "completed",
    "occurred_at": "2026-06-03T17:44:17Z",
    "answered_at": "2026-06-03T17:44:20.900Z",
    "ended_at": "2026-06-03T17:45:20.800Z",
    "created_at": "2026-06-03T17:44:17Z",
    "updated_at": "2026-06-03T17:46:40.123Z",
    "answered": True,
    "answered_by_type": "human",
    "duration_seconds": 63,
    "duration_source": "provider",
    "wait_seconds": 3,
    "talk_seconds": 59,
    "from_number": BUSY,
    "to_number": "+14155550000",
    "external_number": BUSY,
    "internal_number": "+14155550000",
    "line_id": "PNsales1",
    "line_name": "Sales – été",
    "user_id": "USagent2",
    "user_name": "Björn Åkesson",
    "user_email": "usagent2@example.com",
    "provider_status": "completed",
    "provider_direction": "incoming",
    "provider_call_type": "phone-number",
    "participants": [BUSY],
}
OUTGOING = {
    "direction": "outbound",
    "provider_direction": "outgoing",
    "from_number": "+14155550000",
    "to_number": BUSY,
    "answered_by_type": None,
}
UNANSWERED = {
    **dict.fromkeys(["answered_at", "talk_seconds", "answered_by_type"]),
    "answered": False,
    "status": "no-answer",
    "wait_seconds": 63,
}
OWNER_NAMED = {
    "user_id": "USowner1",
    "user_name": "Amélie Dubois",
    "user_email": "usowner1@example.com",
}
NOBODY = dict.fromkeys(["user_id", "user_name", "user_email"])
UNLISTED = dict.fromkeys(["user_name", "user_email"])


def added(sandbox: Sandbox, **fields: Any) -> tuple[str, str]:
    thread = sandbox.world.openphone.thread(SALES.id, BUSY)
    assert thread is not None
    conversation = thread.conversation
    identifier = sandbox.world.add_call(
        "openphone", conversation=conversation, **{**CALL, **fields}
    )
    return identifier, conversation.id


def test_a_record_as_listed_and_as_expected(sandbox: Sandbox, get: Get) -> None:
    identifier, conversation = added(sandbox)
    records = calls_of(get, SALES.id, BUSY, userId="USagent2")
    record = next(one for one in records if one["id"] == identifier)
    assert record == {**RECORD, "id": identifier}
    assert sandbox.expected("openphone")[identifier] == {
        **EXPECTED,
        "id": identifier,
        "conversation_id": conversation,
        "provider_record": record,
    }
    identifier, _ = added(sandbox, names_participants=False, voicemail_seconds=7)
    records = calls_of(get, SALES.id, BUSY, userId="USagent2")
    record = next(one for one in records if one["id"] == identifier)
    url = f"https://files.quo.example/{identifier}.mp3"
    left = {"participants": [], "voicemail": {"url": url, "duration": 7}}
    assert record == {**RECORD, "id": identifier, **left}


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"direction": "outgoing", "answered_by": None}, OUTGOING),
        ({"direction": "Incoming"}, {"provider_direction": "Incoming"}),
        ({"answered_by": "USowner1"}, OWNER_NAMED),
        ({"answered_by": "USowner1", "initiated_by": "US007"}, OWNER_NAMED),
        ({"initiated_by": "USowner1", "direction": "outgoing"}, {**OUTGOING, **OWNER_NAMED}),
        (
            {"answered_by": "USowner1", "initiated_by": "USagent2", "direction": "outgoing"},
            OUTGOING,
        ),
        (
            {"answered_by": "USformer6"},
            {"user_id": "USformer6", "user_name": None, "user_email": None},
        ),
        ({"ai_handled": "ai-agent"}, {"answered_by_type": "ai"}),
        (
            {"ai_handled": "ai-agent", "answered_by": "SYU123"},
            {"answered_by_type": "ai", **NOBODY},
        ),
        ({"answered_by": "SY_1"}, {"answered_by_type": "ai", **NOBODY}),
        (
            {"ai_handled": "ai-agent", "answered_by": None},
            {"answered_by_type": "ai", **NOBODY},
        ),
        (
            {"ai_handled": "ai-agent", "answered_by": None, "direction": "outgoing"},
            OUTGOING,
        ),
        (
            {"ai_handled": "ai-agent", "answered_by": None, "answered": None},
            UNANSWERED,
        ),
        ({"answered_by": None}, {"answered_by_type": None}),
        ({"answered_by": "XX1"}, {"answered_by_type": None, "user_id": "XX1"} | UNLISTED),
        (
            {"forwarded_from": "+15551112222", "forwarded_to": "PN5e3"},
            {"forwarded_from": "+15551112222", "forwarded_to": "PN5e3"},
        ),
        ({"call_route": "phone-menu"}, {"provider_call_type": "phone-menu"}),
        (
            {"names_participants": False, "voicemail_seconds": 7},
            {"participants": [BUSY, "+14155550000"]},
        ),
        ({"answered": 1_780_508_660_999}, {"answered_at": "2026-06-03T17:44:20.999Z"}),
        (
            {"answered": 1_780_508_656_000},
            {"answered_at": "2026-06-03T17:44:16Z", "wait_seconds": None, "talk_seconds": 64},
        ),
        ({"updated": None}, {"updated_at": "2026-06-03T17:44:17Z"}),
        ({"duration": 0}, {"duration_seconds": 0}),
        (
            {"answered": None, "answered_by": None},
            UNANSWERED,
        ),
        (
            {"answered": None, "answered_by": None, "completed": None},
            {**UNANSWERED, "ended_at": None, "wait_seconds": None},
        ),
        ({"completed": 1_780_508_660_000}, {"talk_seconds": None, "ended_at": RECORD["createdAt"]}),
    ],
)
def test_expected_record_follows_the_design(
    sandbox: Sandbox, fields: dict[str, Any], changed: dict[str, Any]
) -> None:
    if fields.get("completed") is not None:
        changed = {**changed, "ended_at": "2026-06-03T17:44:20Z"}
    identifier, conversation = added(sandbox, **fields)
    record = sandbox.expected("openphone")[identifier]
    del record["provider_record"]
    wanted = {**EXPECTED, "id": identifier, "conversation_id": conversation, **changed}
    assert record == {name: value for name, value in wanted.items() if value is not None}


@pytest.mark.parametrize(
    ("word", "completed", "status", "answered"),
    [
        ("queued", None, "queued", None),
        ("initiated", None, "queued", None),
        ("ringing", None, "ringing", None),
        ("in-progress", None, "in-progress", True),
        ("completed", 1, "no-answer", False),
        ("completed", None, "no-answer", False),
        ("COMPLETED", 1, "no-answer", False),
        ("ended", None, "no-answer", False),
        ("ringing", 1, "ringing", False),
        ("parked", None, "unknown", None),
        ("parked", 1, "unknown", False),
        ("forwarded", 1, "forwarded", None),
        ("unanswered", None, "no-answer", False),
        ("connected", None, "in-progress", True),
        ("busy", None, "busy", False),
        ("failed", None, "failed", False),
        ("no-answer", None, "no-answer", False),
        ("canceled", None, "canceled", False),
        ("missed", None, "no-answer", False),
        ("answered", None, "in-progress", True),
        ("answered", 1, "completed", True),
        ("forwarded", None, "forwarded", None),
        ("abandoned", None, "no-answer", False),
    ],
)
def test_expected_status(
    sandbox: Sandbox, word: str, completed: int | None, status: str, answered: bool | None
) -> None:
    at = CALL["created"] if completed else None
    identifier, _ = added(sandbox, status=word, answered=None, completed=at)
    record = sandbox.expected("openphone")[identifier]
    assert (record["provider_status"], record["status"]) == (word, status)
    assert record.get("answered") is answered


def test_the_other_of_two_own_lines(sandbox: Sandbox, get: Get) -> None:
    own = calls_of(get, SALES.id, SUPPORT.number)
    assert own
    for record in own:
        expected = sandbox.expected("openphone")[record["id"]]
        numbers = (expected["external_number"], expected["internal_number"])
        assert numbers == (SUPPORT.number, SALES.number)


def test_talk_time_is_that_of_the_listed_times(sandbox: Sandbox) -> None:
    identifier, _ = added(sandbox)
    sandbox_with(sandbox, timestamps="seconds")
    record = sandbox.expected("openphone")[identifier]
    assert (record["answered_at"], record["ended_at"], record["talk_seconds"]) == (
        "2026-06-03T17:44:20Z",
        "2026-06-03T17:45:20Z",
        60,
    )


def test_a_user_who_is_not_on_the_number_has_no_name(sandbox: Sandbox) -> None:
    desk = next(
        record
        for record in sandbox.expected("openphone").values()
        if record["internal_number"] == LOBBY.number
    )
    assert (desk["user_id"], desk.get("user_name")) == ("USdesk5", None)
    assert (desk["line_id"], desk["line_name"]) == ("PNlobby3", "Accueil")
