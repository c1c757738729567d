"""What surrounds a call in the sandbox's Quo, both versions, against the rows that must come."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import requests

from integration_tests.sandbox import Sandbox, Switches, World
from integration_tests.sandbox.children import expected_rows
from integration_tests.sandbox.openphone_child_records import by_ai
from integration_tests.sandbox.openphone_parts import (
    Parts,
    Segment,
    Summary,
    Utterance,
    Voicemail,
)
from integration_tests.sandbox.openphone_workspace import MEMBERS, SALES

KEY = "test-key-openphone-not-real"
VERSION = "2026-03-30"
VERSIONS = ("v1", VERSION)
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
    return shared


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    with requests.Session() as session:

        def send(path: str, **query: Any) -> requests.Response:
            headers = {"Authorization": KEY, "Quo-Api-Version": VERSION}
            url = f"{sandbox.url}/openphone{path}"
            return session.get(url, params=query, headers=headers, timeout=600)

        yield send


def move(sandbox: Sandbox, **positions: str) -> None:
    switches = Switches(enforce_limits=False)
    for name, position in positions.items():
        switches = switches.moved("openphone_children", name, position)
    sandbox.switches = switches


def paged(get: Get, path: str, size: int) -> list[Record] | None:
    """A list of the dated API; None where it is refused or not there."""
    found: list[Record] = []
    cursor = None
    while True:
        answer = get(path, limit=size, after=cursor)
        if answer.status_code != 200:
            assert answer.status_code in (402, 403, 404)
            return None
        found += answer.json()["data"]
        cursor = answer.json().get("nextCursor")
        if cursor is None:
            return found


def content(get: Get, path: str) -> Any:
    """The `data` of a path of v1; None where it is refused or not there."""
    answer = get(path)
    assert answer.status_code in (200, 402, 403, 404)
    return answer.json()["data"] if answer.status_code == 200 else None


def recordings(get: Get, call: str, version: str) -> list[Record]:
    """The rows that the answers for a call give, but for the end of their URLs."""
    path = f"/v1/call-recordings/{call}" if version == "v1" else f"/calls/{call}/recordings"
    listed = content(get, path) if version == "v1" else paged(get, path, 2)
    names = {
        "id": "recording_id",
        "url": "url",
        "duration": "duration_seconds",
        "startTime": "started_at",
        "status": "status",
    }
    return [
        {"provider": "openphone", "call_id": call}
        | {names[key]: value for key, value in one.items() if key in names and value is not None}
        for one in listed or []
        if one["status"] != "absent"
    ]


def transcript(get: Get, call: str, version: str) -> list[Record]:
    """The rows that the answers for a call give."""
    if version == "v1":
        listed = [content(get, f"/v1/call-transcripts/{call}") or {}]
    else:
        listed = paged(get, f"/calls/{call}/transcripts", 1) or []
    said = [(one, line) for one in listed for line in one.get("dialogue") or []]
    rows = [
        {
            "provider": "openphone",
            "call_id": call,
            "recording_id": one.get("recordingId"),
            "segment_index": place,
            "speaker": line["identifier"],
            "speaker_label": line["userId" if version == "v1" else "actorId"],
            "content": line["content"],
            "start_time": line["start"],
            "end_time": line["end"],
        }
        for place, (one, line) in enumerate(said)
    ]
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "switches"), Switches.positions("openphone_children"))
def test_the_answers_give_the_rows(
    sandbox: Sandbox, get: Get, name: str, switches: Switches, version: str
) -> None:
    sandbox.switches = replace(switches, enforce_limits=False)
    sandbox.world = World(calls=150)
    expected = sandbox.expected("openphone", version)
    answered = [one for one, record in expected.items() if record.get("answered")]
    rows = sandbox.expected_rows("openphone", "call_transcripts", version)
    assert [row for one in answered for row in transcript(get, one, version)] == rows
    without = "refused" in name or name == "plan=absent"
    assert bool(rows) is not without
    rows = sandbox.expected_rows("openphone", "call_recordings", version)
    found = [row for one in answered for row in recordings(get, one, version)]
    assert found == [
        {key: value for key, value in row.items() if key != "expires_at"} for row in rows
    ]
    assert bool(rows) is not name.startswith("plan=recordings")
    for one in set(expected) - set(answered):
        assert transcript(get, one, version) == recordings(get, one, version) == []


def test_the_world_has_all_kinds(sandbox: Sandbox) -> None:
    for version in VERSIONS:
        rows = sandbox.expected_rows("openphone", "call_recordings", version)
        assert {row["status"] for row in rows} == {
            *("completed", "in-progress", "paused", "processing", "deleted", "failed"),
        }
        by_call = [
            sum(row["call_id"] == one for row in rows) for one in sandbox.expected("openphone")
        ]
        assert {0, 1, 2, 3} <= set(by_call)
        has_url = [row for row in rows if "url" in row]
        assert all(row["status"] == "completed" for row in has_url)
        kinds = {
            ("X-Amz-Expires" in row["url"], "?Expires" in row["url"], "expires_at" in row)
            for row in has_url
        }
        assert kinds == {(True, False, True), (False, True, True), (False, False, False)}
        said = sandbox.expected_rows("openphone", "call_transcripts", version)
        assert {"speaker" in row for row in said} == {True, False}
        assert {"speaker_label" in row for row in said} == {True, False}
        keys = [(row["call_id"], row["segment_index"]) for row in said]
        assert len(set(keys)) == len(keys)
    records = sandbox.expected("openphone", VERSION).values()
    summaries = [record["provider_record"]["summary"] for record in records]
    assert None in summaries
    assert {one["status"] for one in summaries if one} == {
        *("absent", "in-progress", "completed", "failed"),
    }
    assert any("\n" in record.get("summary", "") for record in records)


BEGAN = 1_780_508_657_000
FIRST = Segment(
    "CR1",
    BEGAN + 4_000,
    20,
    "completed",
    "amazon",
    "completed",
    (
        Utterance("Grüezi", 0, 1_250, SALES.number, "USowner1"),
        Utterance("Salut", 1_250, 3_000, "+15551230001", None),
    ),
)
SECOND = Segment(
    "CR2",
    BEGAN + 30_500,
    10,
    "completed",
    "expires",
    "completed",
    (Utterance("Bye", 500, 900, None, "SYU1"),),
)
THIRD = Segment("CR3", BEGAN + 50_000, None, "processing", "plain", "completed", ())
CALL: Record = {
    "direction": "incoming",
    "status": "completed",
    "answered": BEGAN + 3_000,
    "completed": BEGAN + 60_000,
    "created": BEGAN,
    "answered_by": "USowner1",
    "ai_handled": None,
}


def added(sandbox: Sandbox, **fields: Any) -> str:
    return sandbox.world.add_call("openphone", **{**CALL, **fields})


def rows_of(sandbox: Sandbox, stream: str, identifier: str, version: str) -> list[Record]:
    call = sandbox.world.openphone.find(identifier)
    known = {"provider": "openphone", "call_id": identifier}
    rows = expected_rows(stream, "openphone", [call], sandbox.switches, version)
    assert all(row.items() >= known.items() for row in rows)
    return [{name: row[name] for name in row if name not in known} for row in rows]


def test_recordings_of_a_call(sandbox: Sandbox, get: Get) -> None:
    call = added(sandbox, parts=Parts(segments=(FIRST, SECOND, THIRD)))
    urls = [
        "https://files.quo.example/recordings/CR1.mp3?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Date=20260603T174441Z&X-Amz-Expires=3600&X-Amz-Signature=made-up",
        "https://files.quo.example/recordings/CR2.mp3?Expires=1780595097&Signature=made-up",
    ]
    records = [
        {
            "id": "CR1",
            "status": "completed",
            "startTime": "2026-06-03T17:44:21Z",
            "duration": 20,
            "url": urls[0],
            "type": "audio/mpeg",
        },
        {
            "id": "CR2",
            "status": "completed",
            "startTime": "2026-06-03T17:44:47.500Z",
            "duration": 10,
            "url": urls[1],
            "type": "audio/mpeg",
        },
        {
            "id": "CR3",
            "status": "processing",
            "startTime": "2026-06-03T17:45:07Z",
            "duration": None,
            "url": None,
            "type": "audio/mpeg",
        },
    ]
    assert get(f"/v1/call-recordings/{call}").json() == {"data": records}
    assert paged(get, f"/calls/{call}/recordings", 2) == records
    first = get(f"/calls/{call}/recordings", limit=2).json()
    assert (first["data"], first["nextCursor"]) == (records[:2], "1e5")
    rows = [
        {
            "recording_id": "CR1",
            "url": urls[0],
            "duration_seconds": 20,
            "started_at": "2026-06-03T17:44:21Z",
            "status": "completed",
            "expires_at": "2026-06-03T18:44:41Z",
        },
        {
            "recording_id": "CR2",
            "url": urls[1],
            "duration_seconds": 10,
            "started_at": "2026-06-03T17:44:47.500Z",
            "status": "completed",
            "expires_at": "2026-06-04T17:44:57Z",
        },
        {"recording_id": "CR3", "started_at": "2026-06-03T17:45:07Z", "status": "processing"},
    ]
    for version in VERSIONS:
        assert rows_of(sandbox, "call_recordings", call, version) == rows
    sandbox.switches = sandbox.switches.moved("openphone_dated", "timestamps", "milliseconds")
    shown = [row["started_at"] for row in rows_of(sandbox, "call_recordings", call, VERSION)]
    assert shown[0] == "2026-06-03T17:44:21.000Z"
    assert rows_of(sandbox, "call_recordings", call, "v1") == rows
    never = added(sandbox, answered=None, status="missed", parts=Parts(segments=(FIRST,)))
    assert rows_of(sandbox, "call_recordings", never, VERSION) == []
    assert rows_of(sandbox, "call_transcripts", never, VERSION) == []


def test_transcripts_count_from_the_segment_or_from_the_call(sandbox: Sandbox, get: Get) -> None:
    call = added(sandbox, parts=Parts(segments=(FIRST, SECOND)))
    of_first = [
        ("Grüezi", 0, 1.25, "+14155550000", "USowner1"),
        ("Salut", 1.25, 3, "+15551230001", None),
    ]
    dated = [
        {
            "recordingId": name,
            "status": "completed",
            "startTime": at,
            "createdAt": at,
            "duration": seconds,
            "dialogue": [dict(zip(NAMES, line, strict=True)) for line in lines],
        }
        for name, at, seconds, lines in (
            ("CR1", "2026-06-03T17:44:21Z", 20, of_first),
            ("CR2", "2026-06-03T17:44:47.500Z", 10, [("Bye", 0.5, 0.9, None, "SYU1")]),
        )
    ]
    assert paged(get, f"/calls/{call}/transcripts", 1) == dated
    whole = [
        ("Grüezi", 4, 5.25, "+14155550000", "USowner1"),
        ("Salut", 5.25, 7, "+15551230001", None),
        ("Bye", 31, 31.4, None, "SYU1"),
    ]
    names = (*NAMES[:4], "userId")
    assert get(f"/v1/call-transcripts/{call}").json()["data"] == {
        "callId": call,
        "createdAt": "2026-06-03T17:44:17Z",
        "duration": 30,
        "status": "completed",
        "dialogue": [dict(zip(names, line, strict=True)) for line in whole],
    }
    columns = ("content", "start_time", "end_time", "speaker", "speaker_label")
    lines = [*of_first, ("Bye", 0.5, 0.9, None, "SYU1")]
    for version, told, recorded in (
        ("v1", whole, (None, None, None)),
        (VERSION, lines, ("CR1", "CR1", "CR2")),
    ):
        wanted = [
            {"segment_index": place, "recording_id": name, **dict(zip(columns, line, strict=True))}
            for place, (line, name) in enumerate(zip(told, recorded, strict=True))
        ]
        assert rows_of(sandbox, "call_transcripts", call, version) == [
            {name: value for name, value in row.items() if value is not None} for row in wanted
        ]


NAMES = ("content", "start", "end", "identifier", "actorId")


def test_v1_waits_for_the_whole_transcript(sandbox: Sandbox, get: Get) -> None:
    later = SECOND._replace(transcript="in-progress", said=None)
    call = added(sandbox, parts=Parts(segments=(FIRST, later)))
    told = get(f"/v1/call-transcripts/{call}").json()["data"]
    assert (told["status"], told["dialogue"]) == ("in-progress", None)
    assert rows_of(sandbox, "call_transcripts", call, "v1") == []
    assert len(rows_of(sandbox, "call_transcripts", call, VERSION)) == 2
    listed = paged(get, f"/calls/{call}/transcripts", 50) or []
    assert [(one["status"], one["dialogue"] is None) for one in listed] == [
        ("completed", False),
        ("in-progress", True),
    ]


@pytest.mark.parametrize(
    ("missing", "recordings_of_v1", "transcript_of_v1", "listed"),
    [
        ("empty", [], {}, []),
        (
            "absent",
            [{"status": "absent", **dict.fromkeys(["id", "startTime", "duration", "url", "type"])}],
            {"status": "absent", **dict.fromkeys(["createdAt", "duration", "dialogue"])},
            ["absent"],
        ),
        ("404", None, None, None),
    ],
)
def test_what_there_is_of_a_call_without_them(
    sandbox: Sandbox,
    get: Get,
    missing: str,
    recordings_of_v1: list[Record] | None,
    transcript_of_v1: Record | None,
    listed: list[str] | None,
) -> None:
    move(sandbox, missing=missing)
    call = added(sandbox, parts=Parts())
    assert content(get, f"/v1/call-recordings/{call}") == recordings_of_v1
    told = content(get, f"/v1/call-transcripts/{call}")
    assert told == (transcript_of_v1 and {"callId": call, **transcript_of_v1})
    for child in ("recordings", "transcripts"):
        found = paged(get, f"/calls/{call}/{child}", 50)
        assert (found and [one["status"] for one in found]) == (listed or found)
        assert (found is None) is (listed is None)
    summary = content(get, f"/v1/call-summaries/{call}")
    absent = {"callId": call, "status": "absent", "summary": None, "nextSteps": None}
    assert summary == {"empty": {}, "absent": absent, "404": None}[missing]


def statuses(get: Get, call: str) -> dict[str, int]:
    """The statuses for a call, by child; the versions may not differ."""
    found = {}
    for child in ("recordings", "transcripts"):
        paths = (f"/v1/call-{child}/{call}", f"/calls/{call}/{child}")
        both = {get(path).status_code for path in paths}
        assert len(both) == 1
        found[child] = both.pop()
    found["summaries"] = get(f"/v1/call-summaries/{call}").status_code
    return found


@pytest.mark.parametrize(
    ("plan", "of_people", "of_ai"),
    [
        ("all", (200, 200, 200), (200, 200, 200)),
        ("refused_402", (200, 402, 402), (200, 402, 402)),
        ("refused_403", (200, 403, 403), (200, 403, 403)),
        ("refused_404", (200, 404, 404), (200, 404, 404)),
        ("absent", (200, 200, 200), (200, 200, 200)),
        ("ai_only", (200, 403, 403), (200, 200, 200)),
        ("recordings_402", (402, 200, 200), (402, 200, 200)),
        ("recordings_403", (403, 200, 200), (403, 200, 200)),
    ],
)
def test_plans(
    sandbox: Sandbox, get: Get, plan: str, of_people: tuple[int, ...], of_ai: tuple[int, ...]
) -> None:
    move(sandbox, plan=plan)
    parts = Parts(Summary("completed", lines=("Ja",)), segments=(FIRST,))
    people = added(sandbox, parts=parts)
    handled = added(sandbox, parts=parts, ai_handled="ai-agent")
    named = added(sandbox, parts=parts, answered_by="SYU1")
    assert tuple(statuses(get, people).values()) == of_people
    for call in (handled, named):
        assert by_ai(sandbox.world.openphone.find(call))
        assert tuple(statuses(get, call).values()) == of_ai
        told = content(get, f"/v1/call-transcripts/{call}")
        rows = rows_of(sandbox, "call_transcripts", call, "v1")
        assert len(rows) == (2 if told and told["status"] == "completed" else 0)
        listed = paged(get, f"/calls/{call}/transcripts", 50) or []
        assert len(rows) == (2 if [one["status"] for one in listed] == ["completed"] else 0)
    if plan == "absent":
        told = content(get, f"/v1/call-transcripts/{people}")
        assert (told["status"], told["dialogue"]) == ("absent", None)
        assert content(get, f"/v1/call-summaries/{people}")["status"] == "absent"


def test_refusals_come_in_the_versions_envelope(sandbox: Sandbox, get: Get) -> None:
    move(sandbox, plan="refused_402")
    call = added(sandbox, parts=Parts(segments=(FIRST,)))
    body = get(f"/calls/{call}/transcripts").json()
    assert (body["title"], set(body)) == (
        "Payment Required",
        {"title", "message", "docs", "trace"},
    )
    paths = (f"/v1/call-transcripts/{call}", f"/v1/call-summaries/{call}")
    assert [get(path).json()["error"]["key"] for path in paths] == ["Payment Required"] * 2
    sandbox.switches = sandbox.switches.moved("openphone", "envelope", "documented")
    assert [get(path).json()["code"] for path in paths] == ["0600402", "0500402"]


@pytest.mark.parametrize("name", ["recordings", "transcripts", "summaries", "voicemails"])
def test_unknown_calls(sandbox: Sandbox, get: Get, name: str) -> None:
    assert get(f"/v1/call-{name}/AC0").status_code == 404
    assert get(f"/v1/call-{name}/0").status_code == 400
    sandbox.switches = sandbox.switches.moved("openphone", "envelope", "documented")
    code = {"recordings": "0900", "transcripts": "0600", "summaries": "0500", "voicemails": "1200"}
    assert get(f"/v1/call-{name}/AC0").json()["code"] == f"{code[name]}404"
    if name in ("recordings", "transcripts"):
        assert get(f"/calls/AC0/{name}").json()["message"] == "Call not found"


def test_summaries_and_voicemails_of_v1(sandbox: Sandbox, get: Get) -> None:
    summary = Summary("completed", "human", "Titel", ("Eins", "Zwei"), ("Drei",))
    voicemail = Voicemail("VM1", "in-progress", None, None, None)
    call = added(sandbox, parts=Parts(summary, voicemail))
    assert content(get, f"/v1/call-summaries/{call}") == {
        "callId": call,
        "status": "completed",
        "summary": ["Eins", "Zwei"],
        "nextSteps": ["Drei"],
    }
    assert content(get, f"/v1/call-voicemails/{call}") == {
        "id": "VM1",
        "status": "in-progress",
        **dict.fromkeys(["duration", "recordingUrl", "transcript"]),
    }
    bare = added(sandbox, parts=Parts(Summary("in-progress")))
    assert content(get, f"/v1/call-summaries/{bare}")["status"] == "in-progress"
    assert content(get, f"/v1/call-voicemails/{bare}") is None


def test_users_of_v1(sandbox: Sandbox, get: Get) -> None:
    found: list[Record] = []
    token = None
    sizes = []
    while True:
        body = get("/v1/users", maxResults=50, pageToken=token).json()
        found += body["data"]
        sizes.append(len(body["data"]))
        token = body["nextPageToken"]
        if token is None:
            break
    assert sizes == [50, 12]
    dated = paged(get, "/users", 50)
    assert found == dated
    rows = sandbox.expected_rows("openphone", "users")
    assert [row["id"] for row in rows] == [user["id"] for user in found]
    assert rows[0] == {
        "provider": "openphone",
        "id": "USowner1",
        "name": "Amélie Dubois",
        "email": "usowner1@example.com",
        "role": "owner",
    }
    assert rows[5:7] == [
        {
            "provider": "openphone",
            "id": "USinvited6",
            "email": "invited@example.com",
            "role": "member",
        },
        {"provider": "openphone", "id": "USkiosk7", "name": "Kiosk", "role": "member"},
    ]
    assert len(rows) == len(MEMBERS) == 62
    assert len(get("/v1/users").json()["data"]) == 10
    for wrong in ({"maxResults": 51}, {"maxResults": 0}, {"pageToken": "x"}):
        assert get("/v1/users", **wrong).status_code == 400
    assert sandbox.expected_rows("openphone", "call_dispositions") == []
    assert sandbox.expected_rows("skipcall", "users") == []


def test_the_control_api_tells_rows_and_versions(sandbox: Sandbox) -> None:
    sandbox.world = World(calls=60)

    def told(path: str) -> list[Record]:
        answer = requests.get(f"{sandbox.url}/_sandbox/expected/{path}", timeout=60)
        lines = answer.text.splitlines()
        return [orjson.loads(line) for line in lines]

    version = f"?api_version={VERSION}"
    assert told("openphone") == list(sandbox.expected("openphone").values())
    assert told(f"openphone{version}") == list(sandbox.expected("openphone", VERSION).values())
    assert told(f"intercom{version}") == list(sandbox.expected("intercom").values())
    for stream in ("call_transcripts", "call_recordings", "users", "call_dispositions"):
        for provider in ("openphone", "amplemarket"):
            rows = sandbox.expected_rows(provider, stream)
            assert told(f"{provider}/{stream}") == rows
            assert rows or (provider, stream) == ("openphone", "call_dispositions")
    dated = sandbox.expected_rows("openphone", "call_recordings", VERSION)
    assert told(f"openphone/call_recordings{version}") == dated
    assert len(dated) > len(sandbox.expected_rows("openphone", "call_recordings"))
    unknown = requests.get(f"{sandbox.url}/_sandbox/expected/openphone/messages", timeout=60)
    assert unknown.status_code == 404
