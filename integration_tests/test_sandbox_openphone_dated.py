"""The sandbox's dated API of Quo against the provider's pages, and against v1 over one world."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import requests

from integration_tests.sandbox import OpenPhoneSwitches, Sandbox, Switches, World
from integration_tests.sandbox.openphone_calls import OpenPhoneCall
from integration_tests.sandbox.openphone_invented_parts import is_unfinished
from integration_tests.sandbox.openphone_parts import Parts, Summary, Voicemail
from integration_tests.sandbox.openphone_switches import OpenPhoneDatedSwitches
from integration_tests.sandbox.openphone_unlisted import SYSTEM_ACTOR
from integration_tests.sandbox.openphone_workspace import (
    E164,
    GIVEN_UP,
    OWNER,
    SALES,
    SUPPORT,
    Conversation,
)

KEY = "test-key-openphone-not-real"
VERSION = "2026-03-30"
BUSY = "+15551230001"
GTE, LTE = "createdAt[gte]", "createdAt[lte]"
Get = Callable[..., requests.Response]
Record = dict[str, Any]


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

        def send(
            path: str = "/calls",
            query: Record | None = None,
            *,
            key: str | None = KEY,
            version: str | None = VERSION,
        ) -> requests.Response:
            headers = {"Authorization": key, "Quo-Api-Version": version}
            url = f"{sandbox.url}/openphone{path}"
            return session.get(url, params=query, headers=headers, timeout=600)

        yield send


def sandbox_with(sandbox: Sandbox, **positions: Any) -> None:
    dated = OpenPhoneDatedSwitches(**positions)
    sandbox.switches = Switches(openphone_dated=dated, enforce_limits=False)


def pages(get: Get, path: str = "/calls", **query: Any) -> list[list[Record]]:
    """All pages of a list; names in the query may not hold brackets, so GTE and LTE are `gte`."""
    asked = {{"gte": GTE, "lte": LTE}.get(name, name): value for name, value in query.items()}
    found: list[list[Record]] = []
    cursor: str | None = None
    while True:
        answer = get(path, {**asked, "after": cursor})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found.append(body["data"])
        cursor = body.get("nextCursor")
        if cursor is None:
            return found


def listed(get: Get, path: str = "/calls", **query: Any) -> list[Record]:
    return [record for page in pages(get, path, **{"limit": 50, **query}) for record in page]


def ids(records: Sequence[Record]) -> list[str]:
    return [record["id"] for record in records]


def true_calls(sandbox: Sandbox) -> list[OpenPhoneCall]:
    """All calls, newest first, straight from the world."""
    history = sandbox.world.openphone
    calls = [*history.calls.values(), *history.unlisted.calls.values()]
    return sorted(calls, key=lambda call: (call.created, call.id), reverse=True)


def allowed_parts(sandbox: Sandbox) -> str | None:
    refused = sandbox.switches.openphone_dated.refused_parts()
    return ",".join(part for part in ("summary", "voicemail") if part not in refused) or None


def seen_by_v1(sandbox: Sandbox, session: requests.Session) -> set[str]:
    """The ids of what v1 lists to who asks for every number, conversation and user."""

    def v1(path: str, **query: Any) -> list[Record]:
        found: list[Record] = []
        token = None
        while True:
            url = f"{sandbox.url}/openphone/v1/{path}"
            asked = {**query, "maxResults": 100, "pageToken": token}
            body = session.get(url, params=asked, headers={"Authorization": KEY}).json()
            found += body["data"]
            token = body.get("nextPageToken")
            if token is None:
                return found

    found: set[str] = set()
    for line in v1("phone-numbers"):
        for conversation in v1("conversations", phoneNumbers=line["id"]):
            others = conversation["participants"]
            if len(others) == 1 and E164.fullmatch(others[0]):
                for user in [None, *(user["id"] for user in line["users"])]:
                    asked = {"phoneNumberId": line["id"], "participants": others[0]}
                    found |= {call["id"] for call in v1("calls", **asked, userId=user)}
    return found


EVERY_POSITION = {
    **dict(Switches.positions("openphone")),
    **dict(Switches.positions("openphone_dated")),
}


@pytest.mark.parametrize("name", EVERY_POSITION)
def test_v1_and_what_it_cannot_see_are_the_dated_list(
    sandbox: Sandbox, get: Get, name: str
) -> None:
    """Under every switch, also after a day of life, with a conversation that v1 does not list."""
    sandbox.switches = replace(EVERY_POSITION[name], enforce_limits=False)
    sandbox.world.advance(hours=24)
    busy = sandbox.world.openphone.thread(SALES.id, BUSY)
    assert busy is not None
    sandbox.world.openphone.hidden = {busy.conversation.id}
    records = listed(get, include=allowed_parts(sandbox))
    expected = sandbox.expected("openphone", VERSION)
    assert len(records) == len(expected)
    assert {one["id"]: one for one in records} == {
        identifier: record["provider_record"] for identifier, record in expected.items()
    }
    assert sandbox.ever_listed("openphone") == expected
    with requests.Session() as session:
        of_v1 = seen_by_v1(sandbox, session)
    unseen = sandbox.unseen_by_v1()
    assert of_v1 == set(sandbox.expected("openphone"))
    assert of_v1.isdisjoint(unseen)
    assert of_v1 | set(unseen) == set(ids(records))
    everyone = "everyone" in name or "access_scope" in name
    reasons = {"no_line", "group", "no_number", "unlisted_conversation"}
    assert set(unseen.values()) == reasons | (set() if everyone else {"nobody_on_the_line"})


def test_what_v1_cannot_see(sandbox: Sandbox, get: Get) -> None:
    records = {one["id"]: one for one in listed(get)}
    unseen = sandbox.unseen_by_v1()
    assert {records[one]["phoneNumberId"] for one in unseen if unseen[one] == "no_line"} == {None}
    numbers = {
        party["phoneNumber"]
        for one, reason in unseen.items()
        if reason == "no_number"
        for party in records[one]["participants"]
    }
    odd = {number for number in numbers if not E164.fullmatch(number)}
    assert odd == {"anonymous", "blocked", "restricted", "311", "72345", "12345678"}
    groups = [records[one] for one, reason in unseen.items() if reason == "group"]
    assert {len(one["participants"]) for one in groups} >= {3, 4}
    assert SYSTEM_ACTOR in {one["actorId"] for one in records.values()}
    assert {one for one in unseen if records[one]["actorId"] == SYSTEM_ACTOR}


def test_worlds_of_so_many_conversations_have_only_what_v1_lists(sandbox: Sandbox) -> None:
    sandbox.world = World(calls=60, conversations=20)
    sandbox.world.advance(hours=24)
    assert sandbox.unseen_by_v1() == {}
    assert set(sandbox.expected("openphone")) == set(sandbox.expected("openphone", VERSION))


def test_newest_first_by_creation_then_id(sandbox: Sandbox, get: Get) -> None:
    wanted = [call.id for call in true_calls(sandbox)]
    instants = [call.created for call in true_calls(sandbox)]
    assert len(set(instants)) < len(instants)
    for size in (7, 50):
        found = pages(get, limit=size)
        assert [identifier for page in found for identifier in ids(page)] == wanted
        assert {len(page) for page in found[:-1]} == {size}
    assert len(get().json()["data"]) == 10


def refused(answer: requests.Response) -> tuple[int, str, str | None]:
    """Status, title and path of an error; checks its form."""
    body = answer.json()
    assert {"title", "message", "docs"} <= set(body) <= {"title", "message", "docs", *OPTIONAL}
    problems = body.get("errors", [])
    assert all(set(one) == {"path", "message", "schema"} for one in problems)
    return answer.status_code, body["title"], problems[0]["path"] if problems else None


OPTIONAL = ("trace", "errors")
PATHS = (
    "/calls",
    "/calls/AC1",
    "/calls/AC1/recordings",
    "/calls/AC1/transcripts",
    "/users",
    "/phone-numbers",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("version", [None, "", "2026-03-31", "v1"])
def test_the_version_is_needed_before_a_key(get: Get, path: str, version: str | None) -> None:
    wanted = (400, "Bad Request", "/headers/quo-api-version")
    assert refused(get(path, version=version)) == wanted
    assert refused(get(path, version=version, key=None)) == wanted


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [None, "wrong", f"Bearer {KEY}"])
def test_a_dated_path_needs_the_raw_key(get: Get, path: str, key: str | None) -> None:
    assert refused(get(path, key=key)) == (401, "Unauthorized", None)


def test_keys_that_are_refused(sandbox: Sandbox, get: Get) -> None:
    sandbox.key_faults = {"late": "subscription_expired", "odd": "forbidden"}
    assert refused(get(key="late")) == (402, "Payment Required", None)
    assert refused(get(key="odd")) == (403, "Forbidden", None)
    assert get("/v1/phone-numbers", key="odd").status_code == 200


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"limit": "51"}, (400, "/query/limit")),
        ({"limit": "0"}, (400, "/query/limit")),
        ({"limit": "-1"}, (400, "/query/limit")),
        ({"limit": "ten"}, (400, "/query/limit")),
        ({"after": "x"}, (400, "/query/after")),
        ({GTE: "soon"}, (400, f"/query/{GTE}")),
        ({LTE: "2026-13-01T00:00:00Z"}, (400, f"/query/{LTE}")),
        ({LTE: "2026-10-01"}, (400, f"/query/{LTE}")),
        ({LTE: "2026-10-01T00:00:00"}, (400, f"/query/{LTE}")),
        ({LTE: ""}, (400, f"/query/{LTE}")),
        ({"createdAt[gt]": "2026-10-01T00:00:00Z"}, (400, "/query/createdAt[gt]")),
        ({"createdAt[lt]": "2026-10-01T00:00:00Z"}, (400, "/query/createdAt[lt]")),
        ({"createdAfter": "2026-10-01T00:00:00Z"}, (400, "/query/createdAfter")),
        ({"updatedAt[gte]": "2026-10-01T00:00:00Z"}, (400, "/query/updatedAt[gte]")),
        ({"sort": "createdAt:asc"}, (400, "/query/sort")),
        ({"maxResults": "10"}, (400, "/query/maxResults")),
        ({"include": "transcript"}, (400, "/query/include")),
        ({"include": "summary,voicemail,x"}, (400, "/query/include")),
        ({"include": ""}, (400, "/query/include")),
        ({"phoneNumberId": "+14155550000"}, (400, "/query/phoneNumberId")),
        ({"actorId": "AC1"}, (400, "/query/actorId")),
        ({"participant": "15551230001"}, (400, "/query/participant")),
        ({"participant": "anonymous"}, (400, "/query/participant")),
        ({"participant[in]": f"{BUSY},x"}, (400, "/query/participant[in]")),
        ({"direction": "inbound"}, (400, "/query/direction")),
        ({"status": "completed,missed"}, (400, "/query/status")),
        ({"status[in]": "completed,ended"}, (400, "/query/status[in]")),
        ({GTE: "2026-10-01T00:00:01Z", LTE: "2026-10-01T00:00:00Z"}, (422, None)),
    ],
)
def test_refused_queries(get: Get, query: Record, wanted: tuple[int, str | None]) -> None:
    titles = {400: "Bad Request", 422: "Unprocessable Entity"}
    status, title, path = refused(get("/calls", query))
    assert (status, path) == wanted
    assert title in (titles[status], "Unprocessable Content")  # its newer name


def test_unknown_calls_and_paths(sandbox: Sandbox, get: Get) -> None:
    assert refused(get("/calls/AC0")) == (404, "Not Found", None)
    assert get("/calls/AC0").json()["message"] == "Call not found"
    assert refused(get("/calls/0")) == (400, "Bad Request", "/callId")
    known = true_calls(sandbox)[0].id
    assert refused(get(f"/calls/{known}/summary")) == (404, "Not Found", None)
    assert get("/conversations").headers["Content-Type"].startswith("text/html")


def test_brackets_encoded_or_not(sandbox: Sandbox, get: Get) -> None:
    bound = "2026-09-30T00:00:00Z"
    wanted = ids(listed(get, gte=bound))
    assert wanted
    for name in (GTE, "createdAt%5Bgte%5D", "createdAt%5bgte]"):
        found = get(f"/calls?limit=50&{name}={bound}").json()["data"]
        assert ids(found) == wanted[:50]
    assert get(f"/calls?{GTE}=2026-09-30T02:00:00+02:00").status_code == 400  # a raw plus
    assert (
        ids(get(f"/calls?limit=50&{GTE}=2026-09-30T02:00:00%2B02:00").json()["data"])
        == (wanted[:50])
    )


def at(sandbox: Sandbox, *milliseconds: int) -> list[str]:
    """Adds a call for each millisecond after 2026-05-01T00:00:00Z; their ids."""
    sandbox.world = World(calls=0)
    begin = 1_777_593_600_000
    return [
        sandbox.world.add_call("openphone", created=begin + one, completed=None, answered=None)
        for one in milliseconds
    ]


@pytest.mark.parametrize(
    ("bound", "since", "until"),
    [
        ("2026-05-01T00:00:59.499Z", "defg", "abc"),
        ("2026-05-01T00:00:59.500Z", "defg", "abcd"),
        ("2026-05-01T00:00:59.500001Z", "efg", "abcd"),
        ("2026-05-01T00:00:59.999Z", "fg", "abcde"),
        ("2026-05-01T00:00:59.999999Z", "fg", "abcde"),
        ("2026-05-01T00:01:00Z", "fg", "abcdef"),
        ("2026-05-01T00:00:59Z", "bcdefg", "ab"),
        ("2026-05-01T00:00:59.000Z", "bcdefg", "ab"),
        ("2026-05-01T02:00:59+02:00", "bcdefg", "ab"),
    ],
)
def test_both_bounds_are_inclusive(
    sandbox: Sandbox, get: Get, bound: str, since: str, until: str
) -> None:
    added = at(sandbox, 58_999, 59_000, 59_400, 59_500, 59_900, 60_000, 60_001)
    names = dict(zip(added, "abcdefg", strict=True))

    def found(**query: str) -> str:
        return "".join(sorted(names[one] for one in ids(listed(get, **query))))

    assert (found(gte=bound), found(lte=bound)) == (since, until)
    both = "".join(sorted(set(since) & set(until)))
    assert found(gte=bound, lte=bound) == both
    sandbox_with(sandbox, bounds="cut_to_seconds")
    cut = {"ab": "abcde", "abcdef": "abcdefg"} if "." not in bound else {}
    assert (found(gte=bound), found(lte=bound)) == (since, cut.get(until, until))


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ({"phoneNumberId": SALES.id}, lambda one: one["phoneNumberId"] == SALES.id),
        ({"phoneNumberId": "PN0"}, lambda one: False),
        ({"actorId": "USagent2"}, lambda one: one["actorId"] == "USagent2"),
        ({"actorId": SYSTEM_ACTOR}, lambda one: one["actorId"] == SYSTEM_ACTOR),
        ({"direction": "incoming"}, lambda one: one["direction"].lower() == "incoming"),
        ({"status": "missed"}, lambda one: one["status"] == "missed"),
        ({"status[in]": "missed,busy"}, lambda one: one["status"] in ("missed", "busy")),
        (
            {"status[in]": "missed,busy", "direction": "outgoing", "actorId": OWNER.id},
            lambda one: (
                one["status"] in ("missed", "busy")
                and one["direction"].lower() == "outgoing"
                and one["actorId"] == OWNER.id
            ),
        ),
    ],
)
def test_filters(get: Get, query: Record, chosen: Callable[[Record], bool]) -> None:
    wanted = [one["id"] for one in listed(get) if chosen(one)]
    assert ids(listed(get, **query)) == wanted
    assert bool(wanted) is ("PN0" not in query.values())


def test_participants_are_the_calling_and_the_called_number(sandbox: Sandbox, get: Get) -> None:
    def wanted(*numbers: str) -> list[str]:
        return [
            call.id
            for call in true_calls(sandbox)
            if call.conversation.participants[0] in numbers
            or (call.conversation.attached and call.conversation.line.number in numbers)
        ]

    assert ids(listed(get, participant=BUSY)) == wanted(BUSY) != []
    both = (BUSY, SUPPORT.number)
    assert ids(listed(get, **{"participant[in]": ",".join(both)})) == wanted(*both)
    third = "+15551240003"
    parties = {one["phoneNumber"] for record in listed(get) for one in record["participants"]}
    assert third in parties
    assert listed(get, participant=third) == []


def test_a_keyset_cursor_is_a_place(sandbox: Sandbox, get: Get) -> None:
    wanted = [call.id for call in true_calls(sandbox)]
    first = get("/calls", {"limit": 50}).json()
    second = {"limit": 50, "after": first["nextCursor"]}
    sandbox.world.delete_call("openphone", wanted[3])
    assert ids(get("/calls", second).json()["data"]) == wanted[50:100]
    sandbox.world.add_call("openphone")
    added = sandbox.world.add_call("openphone")
    assert ids(get("/calls", second).json()["data"]) == wanted[50:100]
    assert get("/calls").json()["data"][0]["id"] == added


def test_an_offset_cursor_moves_with_the_list(sandbox: Sandbox, get: Get) -> None:
    sandbox_with(sandbox, cursor="offset")
    wanted = [call.id for call in true_calls(sandbox)]
    assert ids(listed(get)) == wanted
    first = get("/calls", {"limit": 50}).json()
    sandbox.world.delete_call("openphone", wanted[3])
    second = get("/calls", {"limit": 50, "after": first["nextCursor"]}).json()
    assert ids(second["data"]) == wanted[51:101]
    sandbox.world.add_call("openphone")
    sandbox.world.add_call("openphone")
    third = get("/calls", {"limit": 50, "after": first["nextCursor"]}).json()
    assert ids(third["data"]) == wanted[49:99]


def test_cursors_are_opaque_and_belong_to_their_filters(get: Get) -> None:
    query = {"limit": 10, "direction": "incoming"}
    cursors = []
    cursor = None
    for _ in range(6):
        cursor = get("/calls", {**query, "after": cursor}).json()["nextCursor"]
        cursors.append(cursor)
    assert cursors[:3] == ["1e5", "002", "0x3"]
    assert get("/calls", {**query, "limit": 3, "after": "1e5"}).status_code == 200
    for wrong in ({"limit": 10, "after": "1e5"}, {**query, "after": "100000"}):
        assert refused(get("/calls", wrong)) == (400, "Bad Request", "/query/after")
    assert refused(get("/users", {"after": "1e5"})) == (400, "Bad Request", "/query/after")


def test_the_end_of_a_list(sandbox: Sandbox, get: Get) -> None:
    sandbox.world = World(calls=0)
    for _ in range(4):
        sandbox.world.add_call("openphone")
    for size in (2, 4, 5):
        assert get("/calls", {"limit": size}).json()["nextCursor"] is None or size == 2
    sandbox_with(sandbox, list_end="absent")
    assert set(get("/calls", {"limit": 4}).json()) == {"data"}
    assert set(get("/calls", {"limit": 3}).json()) == {"data", "nextCursor"}
    sandbox_with(sandbox, list_end="empty_page")
    assert [len(page) for page in pages(get, limit=2)] == [2, 2, 0]
    assert [len(page) for page in pages(get, limit=3)] == [3, 1]
    assert [len(page) for page in pages(get, limit=5)] == [4]


def test_one_budget_for_both_versions(sandbox: Sandbox, get: Get) -> None:
    options = OpenPhoneSwitches(window_seconds=3600.0, retry_after="seconds")
    sandbox.switches = Switches(openphone=options)
    sandbox.world = World()
    # without the version nothing is counted
    assert get(version=None).status_code == 400
    answers = [get(("/calls", "/v1/phone-numbers")[turn % 2]) for turn in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert refused(answers[-1]) == (429, "Too Many Requests", None)
    assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert get("/v1/phone-numbers").status_code == 429
    assert get(key="another").status_code == 401
    sandbox.world = World()
    sandbox.switches = Switches(openphone=replace(options, limit=1, retry_after="absent"))
    assert get().status_code == 200
    assert "Retry-After" not in get().headers


CALL: Record = {
    "user_id": "USagent2",
    "direction": "incoming",
    "status": "completed",
    "answered": 1_780_508_660_900,
    "completed": 1_780_508_720_800,
    "created": 1_780_508_657_000,
    "updated": 1_780_508_800_123,
    "duration": 63,
    "answered_by": "USowner1",
    "initiated_by": None,
    "call_route": "phone-number",
    "forwarded_from": None,
    "forwarded_to": None,
    "ai_handled": None,
    "names_participants": True,
    "voicemail_seconds": None,
    "parts": Parts(),
}
OWN = {"phoneNumber": SALES.number, "actorId": "USowner1"}
OTHER = {"phoneNumber": BUSY, "actorId": None}
RECORD = {
    "phoneNumberId": SALES.id,
    "actorId": "USagent2",
    "direction": "incoming",
    "status": "completed",
    "participants": [OWN, OTHER],
    "answeredAt": "2026-06-03T17:44:20.900Z",
    "answeredBy": "USowner1",
    "initiatedBy": None,
    "completedAt": "2026-06-03T17:45:20.800Z",
    "createdAt": "2026-06-03T17:44:17Z",
    "updatedAt": "2026-06-03T17:46:40.123Z",
    "callRoute": "phone-number",
    "duration": 63,
    "forwardedFrom": None,
    "forwardedTo": None,
    "aiHandled": None,
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
    "to_number": SALES.number,
    "external_number": BUSY,
    "internal_number": SALES.number,
    "line_id": SALES.id,
    "line_name": SALES.name,
    "user_id": "USowner1",
    "user_name": "Amélie Dubois",
    "user_email": "usowner1@example.com",
    "provider_status": "completed",
    "provider_direction": "incoming",
    "provider_call_type": "phone-number",
    "participants": [SALES.number, BUSY],
}
NO_OUTSIDE = dict.fromkeys(["external_number", "from_number"])
NO_LINE = dict.fromkeys(["internal_number", "line_id", "line_name", "to_number"])
NOBODY = dict.fromkeys(["user_id", "user_name", "user_email"])
NO_NAME = dict.fromkeys(["user_name", "user_email"])


def conversation(*others: str, attached: bool = True) -> Conversation:
    return Conversation("CN1", SALES, others, (OWNER,), unlisted=True, attached=attached)


def added(sandbox: Sandbox, **fields: Any) -> str:
    where = fields.pop("conversation", None) or conversation(BUSY)
    return sandbox.world.add_call("openphone", **{**CALL, "conversation": where, **fields})


def told(sandbox: Sandbox, get: Get, identifier: str, **query: Any) -> Record:
    """The record as it is listed and asked for alone; both are the same."""
    found: Record = next(one for one in listed(get, **query) if one["id"] == identifier)
    assert get(f"/calls/{identifier}", query).json() == {"data": found}
    return found


def columns(sandbox: Sandbox, identifier: str) -> Record:
    record = sandbox.expected("openphone", VERSION)[identifier]
    assert record.pop("id") == identifier
    return record


def test_a_record_as_listed_and_as_expected(sandbox: Sandbox, get: Get) -> None:
    identifier = added(sandbox)
    assert told(sandbox, get, identifier) == {"id": identifier, **RECORD}
    whole = told(sandbox, get, identifier, include="summary,voicemail")
    assert whole == {"id": identifier, **RECORD, "summary": None}
    assert columns(sandbox, identifier) == {**EXPECTED, "provider_record": whole}


@pytest.mark.parametrize(
    ("others", "attached", "record", "changed"),
    [
        (
            (BUSY, "+15551230002"),
            True,
            [OWN, OTHER, {"phoneNumber": "+15551230002", "actorId": None}],
            {**NO_OUTSIDE, "participants": [SALES.number, BUSY, "+15551230002"]},
        ),
        (
            (SUPPORT.number, BUSY),
            True,
            [OWN, {"phoneNumber": SUPPORT.number, "actorId": "USagent2"}, OTHER],
            {"participants": [SALES.number, SUPPORT.number, BUSY]},
        ),
        (
            (SUPPORT.number,),
            True,
            [OWN, {"phoneNumber": SUPPORT.number, "actorId": "USagent2"}],
            dict.fromkeys(["external_number", "from_number"], SUPPORT.number)
            | {"participants": [SALES.number, SUPPORT.number]},
        ),
        (
            ("Anonymous",),
            True,
            [OWN, {"phoneNumber": "anonymous", "actorId": None}],
            dict.fromkeys(["external_number", "from_number"], "anonymous")
            | {"participants": [SALES.number, "anonymous"]},
        ),
        ((BUSY,), False, [OTHER], {**NO_LINE, **NO_NAME, "participants": [BUSY]}),
        (
            (BUSY, GIVEN_UP),
            False,
            [OTHER, {"phoneNumber": GIVEN_UP, "actorId": "USformer6"}],
            {**NO_LINE, **NO_NAME, "participants": [BUSY, GIVEN_UP]},
        ),
        (
            (BUSY, "+15551230002"),
            False,
            [OTHER, {"phoneNumber": "+15551230002", "actorId": None}],
            {**NO_OUTSIDE, **NO_LINE, **NO_NAME, "participants": [BUSY, "+15551230002"]},
        ),
    ],
)
def test_parties(
    sandbox: Sandbox,
    get: Get,
    others: tuple[str, ...],
    attached: bool,
    record: list[Record],
    changed: Record,
) -> None:
    identifier = added(sandbox, conversation=conversation(*others, attached=attached))
    found = told(sandbox, get, identifier)
    assert found["participants"] == record
    assert found["phoneNumberId"] == (SALES.id if attached else None)
    expected = columns(sandbox, identifier)
    del expected["provider_record"]
    wanted = {**EXPECTED, **changed}
    assert expected == {name: value for name, value in wanted.items() if value is not None}


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"answered_by": None}, {"user_id": "USagent2", "answered_by_type": None}),
        ({"answered_by": None, "user_id": SYSTEM_ACTOR}, NOBODY),
        ({"answered_by": "SYU1"}, {"answered_by_type": "ai", **NOBODY}),
        ({"user_id": SYSTEM_ACTOR}, {"user_id": "USowner1"}),
        (
            {"direction": "outgoing", "answered_by": None, "initiated_by": "US007"},
            {"user_id": "US007", "from_number": SALES.number, "to_number": BUSY},
        ),
        (
            {"names_participants": False},
            {**NO_OUTSIDE, "participants": [SALES.number]},
        ),
    ],
)
def test_expected_record_follows_the_design(
    sandbox: Sandbox, fields: Record, changed: Record
) -> None:
    record = columns(sandbox, added(sandbox, **fields))
    assert {name: record.get(name) for name in changed} == changed


def test_odd_participants(sandbox: Sandbox, get: Get) -> None:
    identifier = added(sandbox)
    other_own = {"phoneNumber": SALES.number, "actorId": "USagent2"}
    for position, record in {
        "each_once": [OWN, OTHER],
        "own_twice": [OWN, other_own, OTHER],
        "all_twice": [OWN, OTHER, OWN, OTHER],
        "without_own": [OTHER],
    }.items():
        sandbox_with(sandbox, participants=position)
        assert told(sandbox, get, identifier)["participants"] == record
        expected = columns(sandbox, identifier)
        numbers = [BUSY] if position == "without_own" else [SALES.number, BUSY]
        assert (expected["participants"], expected["external_number"]) == (numbers, BUSY)
        assert expected["internal_number"] == SALES.number
    sandbox.switches = sandbox.switches.moved("openphone", "numbers", "null")
    assert told(sandbox, get, identifier)["participants"] == [OTHER]
    assert "internal_number" not in columns(sandbox, identifier)


@pytest.mark.parametrize(
    ("position", "created", "answered"),
    [
        ("mixed", "2026-06-03T17:44:17Z", "2026-06-03T17:44:20.900Z"),
        ("milliseconds", "2026-06-03T17:44:17.000Z", "2026-06-03T17:44:20.900Z"),
        ("seconds", "2026-06-03T17:44:17Z", "2026-06-03T17:44:20Z"),
    ],
)
def test_timestamps(sandbox: Sandbox, get: Get, position: str, created: str, answered: str) -> None:
    identifier = added(sandbox)
    sandbox_with(sandbox, timestamps=position)
    record = told(sandbox, get, identifier)
    assert (record["createdAt"], record["answeredAt"]) == (created, answered)
    expected = columns(sandbox, identifier)
    assert (expected["created_at"], expected["answered_at"]) == (created, answered)
    assert expected["talk_seconds"] == (60 if position == "seconds" else 59)
    unanswered = added(sandbox, answered=None)
    sandbox.switches = sandbox.switches.moved("openphone", "no_time", "year_one")
    assert told(sandbox, get, unanswered)["answeredAt"] == "0001-01-01T00:00:00Z"
    assert "answered_at" not in columns(sandbox, unanswered)


SUMMARY = Summary("completed", "agent", "Offre", ("Zusage", "Ruft am Freitag an"), ("Angebot",))
VOICEMAIL = Voicemail("VM1", "completed", 7, "https://files.quo.example/VM1.mp3", "Allô")
SHOWN_SUMMARY: Record = {
    "status": "completed",
    "type": "agent",
    "title": "Offre",
    "summary": ["Zusage", "Ruft am Freitag an"],
    "nextSteps": ["Angebot"],
    "jobs": [],
}
ABSENT: Record = {**dict.fromkeys(SHOWN_SUMMARY), "status": "absent", "jobs": []}
SHOWN_VOICEMAIL: Record = {
    "id": "VM1",
    "status": "completed",
    "duration": 7,
    "recordingUrl": "https://files.quo.example/VM1.mp3",
    "transcript": "Allô",
}
NAMES = ("summary", "voicemail_url", "voicemail_seconds", "voicemail_transcript")
TEXTS: tuple[str | int | None, ...] = (
    "Zusage\nRuft am Freitag an",
    "https://files.quo.example/VM1.mp3",
    7,
    "Allô",
)


def test_included_parts(sandbox: Sandbox, get: Get) -> None:
    identifier = added(sandbox, parts=Parts(SUMMARY, VOICEMAIL))
    with_both: Record = {"summary": SHOWN_SUMMARY, "voicemail": SHOWN_VOICEMAIL}
    included: dict[str, Record] = {
        "": {},
        "summary": {"summary": SHOWN_SUMMARY},
        "voicemail": {"voicemail": SHOWN_VOICEMAIL},
        "summary,voicemail": with_both,
        "voicemail,summary": with_both,
    }
    for include, more in included.items():
        found = told(sandbox, get, identifier, include=include or None)
        assert found == {"id": identifier, **RECORD, **more}
    expected = columns(sandbox, identifier)
    assert tuple(expected[name] for name in NAMES) == TEXTS
    assert expected["provider_record"] == {"id": identifier, **RECORD, **with_both}
    bare = added(sandbox, parts=Parts(Summary("in-progress")))
    found = told(sandbox, get, bare, include="summary,voicemail")
    assert found["summary"] == {**ABSENT, "status": "in-progress"}
    assert "voicemail" not in found
    assert not set(NAMES) & set(columns(sandbox, bare))


@pytest.mark.parametrize(
    ("position", "statuses", "summary", "voicemail"),
    [
        ("all", (200, 200, 200), SHOWN_SUMMARY, True),
        ("summary_403", (403, 200, 403), None, True),
        ("summary_402", (402, 200, 402), None, True),
        ("summary_400", (400, 200, 400), None, True),
        ("summary_left_out", (200, 200, 200), None, True),
        ("summary_absent", (200, 200, 200), ABSENT, True),
        ("voicemail_403", (200, 403, 403), SHOWN_SUMMARY, False),
        ("both_403", (403, 403, 403), None, False),
        ("both_402", (402, 402, 402), None, False),
    ],
)
def test_parts_that_the_plan_does_not_have(
    sandbox: Sandbox,
    get: Get,
    position: str,
    statuses: tuple[int, ...],
    summary: Record | None,
    voicemail: bool,
) -> None:
    identifier = added(sandbox, parts=Parts(SUMMARY, VOICEMAIL))
    sandbox_with(sandbox, included=position)
    words = ("summary", "voicemail", "summary,voicemail")
    for path in ("/calls", f"/calls/{identifier}"):
        answers = [get(path, {"include": word}) for word in words]
        assert tuple(answer.status_code for answer in answers) == statuses
        problems = [refused(one)[2] for one in answers if one.status_code != 200]
        assert set(problems) <= {"/query/include" if position == "summary_400" else None}
    found = told(sandbox, get, identifier, include=allowed_parts(sandbox))
    more = {"summary": summary} if summary is not None else {}
    more |= {"voicemail": SHOWN_VOICEMAIL} if voicemail else {}
    assert found == {"id": identifier, **RECORD, **more}
    expected = columns(sandbox, identifier)
    assert expected["provider_record"] == found
    texts = [*(TEXTS[:1] if summary is SHOWN_SUMMARY else [None])]
    texts += TEXTS[1:] if voicemail else [None] * 3
    assert [expected.get(name) for name in NAMES] == texts


def awaited(sandbox: Sandbox) -> OpenPhoneCall:
    """A call whose summary is still to come."""
    history = sandbox.world.openphone
    while True:
        identifier = added(sandbox, parts=None)
        sandbox.world.change_call("openphone", identifier, updated=CALL["updated"])
        record = sandbox.expected("openphone", VERSION)[identifier]["provider_record"]
        if record["summary"]["status"] == "in-progress":
            return history.find(identifier)


@pytest.mark.parametrize("moves", [False, True])
def test_whether_a_summary_that_lands_moves_the_update(
    sandbox: Sandbox, get: Get, moves: bool
) -> None:
    sandbox_with(sandbox, parts_move_update=moves)
    call = awaited(sandbox)
    before = told(sandbox, get, call.id, include="summary")
    sandbox.world.openphone.land(call, 1_780_600_000_000)
    after = told(sandbox, get, call.id, include="summary")
    assert before["summary"]["status"] == "in-progress"
    assert after["summary"]["status"] in ("completed", "failed", "absent")
    at = "2026-06-04T19:06:40Z" if moves else "2026-06-03T17:46:40.123Z"
    assert after["updatedAt"] == columns(sandbox, call.id)["updated_at"] == at


def test_life_acts_on_both_versions_alike(sandbox: Sandbox, get: Get) -> None:
    of_both = next(iter(sandbox.expected("openphone")))
    unlisted = next(i for i, why in sandbox.unseen_by_v1().items() if why == "no_line")
    for identifier in (of_both, unlisted):
        sandbox.world.change_call("openphone", identifier, duration=4711)
        assert told(sandbox, get, identifier)["duration"] == 4711
    assert sandbox.expected("openphone")[of_both]["duration_seconds"] == 4711
    for identifier in (of_both, unlisted):
        whole = ids(listed(get))
        sandbox.world.hide_call("openphone", identifier)
        assert set(whole) - set(ids(listed(get))) == {identifier}
        sandbox.world.show_call("openphone", identifier)
        assert ids(listed(get)) == whole
        sandbox.world.delete_call("openphone", identifier)
        assert refused(get(f"/calls/{identifier}")) == (404, "Not Found", None)
        assert set(whole) - set(ids(listed(get))) == {identifier}
    assert of_both not in sandbox.expected("openphone")
    with pytest.raises(KeyError):
        sandbox.world.delete_call("openphone", unlisted)
    before = {call.id: call for call in true_calls(sandbox)}
    lists = sandbox.world.openphone.calls, sandbox.world.openphone.unlisted.calls
    known = [set(one) for one in lists]
    sandbox.world.advance(hours=24, new=40, changed=40, deleted=3, late=3)
    after = {call.id: call for call in true_calls(sandbox)}
    for now, then, new in zip(lists, known, (43, 5), strict=True):
        assert len(set(now) - then) == new
        assert then - set(now)
        assert any(before[one].duration != after[one].duration for one in then & set(now))
    assert ids(listed(get)) == [call.id for call in true_calls(sandbox)]


def test_what_was_long_in_coming_lands_within_two_days(sandbox: Sandbox) -> None:
    sandbox.world.advance(hours=24, deleted=0)
    begin = round(sandbox.world.now.timestamp() * 1000)
    before = {call.id: call for call in true_calls(sandbox)}
    sandbox.world.advance(hours=24, deleted=0)
    after = {call.id: call for call in true_calls(sandbox)}
    landed = {one for one in before if before[one].landed != after[one].landed}
    assert landed
    for identifier in landed:
        at = after[identifier].landed
        assert at is not None
        assert begin < at <= after[identifier].created + 2 * 86_400_000
        assert is_unfinished(before[identifier])
        assert not is_unfinished(after[identifier])


def test_what_lands_leaves_no_trace_in_v1(sandbox: Sandbox) -> None:
    history = sandbox.world.openphone
    call = awaited(sandbox)
    before = [(one.activity, one.last_call, list(one.calls)) for one in history.threads.values()]
    shown = sandbox.expected("openphone")
    history.land(call, 1_780_600_000_000)
    listed_call = next(iter(history.calls.values()))
    history.land(listed_call, 1_780_600_000_000)
    assert history.find(listed_call.id).landed == max(1_780_600_000_000, listed_call.created)
    assert before == [(one.activity, one.last_call, one.calls) for one in history.threads.values()]
    assert sandbox.expected("openphone") == shown


def test_users_and_numbers(sandbox: Sandbox, get: Get) -> None:
    found = pages(get, "/users", limit=25)
    assert [len(page) for page in found] == [25, 25, 12]
    users = [user for page in found for user in page]
    assert len({user["id"] for user in users}) == 62
    owner = {"id": "USowner1", "email": "usowner1@example.com", "role": "owner"}
    names = {"firstName": "Amélie", "lastName": "Dubois", "pictureUrl": None}
    dates = {"createdAt": "2022-01-01T00:00:00Z", "updatedAt": "2022-01-02T03:04:05.678Z"}
    assert users[0] == {**owner, **names, **dates}
    assert len(get("/users").json()["data"]) == 10
    assert refused(get("/users", {"limit": "51"})) == (400, "Bad Request", "/query/limit")
    numbers = [page[0] for page in pages(get, "/phone-numbers", limit=1)]
    assert [(one["id"], one["phoneNumber"], one["name"]) for one in numbers] == [
        ("PNsales1", "+14155550000", "Sales – été"),
        ("PN5e3", "+442071838750", "Support"),
        ("PNlobby3", "+33170000000", "Accueil"),
    ]
    assert not any({"users", "number", "restrictions"} & one.keys() for one in numbers)
    one = get("/phone-numbers", {"phoneNumber": SUPPORT.number, "include": "restrictions"}).json()
    assert ids(one["data"]) == [SUPPORT.id]
    assert one["data"][0]["restrictions"]["calling"]["US"] == "unrestricted"
    assert refused(get("/phone-numbers", {"include": "users"}))[2] == "/query/include"
