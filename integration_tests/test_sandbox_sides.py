"""What the sandbox's Intercom and Amplemarket keep beside calls, against the providers' pages."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from integration_tests.sandbox import (
    AmplemarketSwitches,
    IntercomSwitches,
    Sandbox,
    Switches,
    World,
    amplemarket_children,
    intercom_children,
)
from integration_tests.sandbox.intercom_calls import IntercomCall
from integration_tests.sandbox.side_switches import (
    AmplemarketSideSwitches,
    IntercomSideSwitches,
    Plan,
)

HEADERS = {
    "Authorization": "Bearer test-key-intercom-not-real",
    "Intercom-Version": "2.14",
    "Accept": "application/json",
}
TALK = {"id": "900006", "answered_at": 1}
"""A call in which something is said."""
Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(World(calls=300)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.world = World(calls=300)
    shared.switches = Switches()
    shared.key_faults = {}
    shared.clear_requests()
    return shared


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Ask]:
    with requests.Session() as session:

        def send(path: str, method: str = "GET", provider: str = "intercom", **more: Any) -> Any:
            headers = HEADERS | {"Authorization": f"Bearer test-key-{provider}-not-real"}
            return session.request(
                method,
                f"{sandbox.url}/{provider}{path}",
                headers={**headers, **more.pop("headers", {})},
                timeout=600,
                allow_redirects=False,
                **more,
            )

        yield send


def sides(sandbox: Sandbox, **positions: Any) -> Switches:
    sandbox.switches = Switches(IntercomSwitches(sides=IntercomSideSwitches(**positions)))
    return sandbox.switches


def searched(ask: Ask, *conversations: str) -> requests.Response:
    body = {"conversation_ids": list(conversations)}
    return ask("/calls/search", "POST", json=body)


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["errors"][0]["code"])


def conversations(sandbox: Sandbox) -> dict[str, list[IntercomCall]]:
    found: dict[str, list[IntercomCall]] = {}
    for call in sandbox.world.intercom.calls.values():
        if call.conversation_id is not None:
            found.setdefault(call.conversation_id, []).append(call)
    return found


def test_a_search_lists_all_calls_of_its_conversations_as_the_list_does(
    sandbox: Sandbox, ask: Ask
) -> None:
    known = conversations(sandbox)
    assert max(map(len, known.values())) > 1
    asked = sorted(known, key=lambda name: -len(known[name]))[:19]
    listed = searched(ask, *asked, "unknown").json()
    assert listed.keys() == {"type", "data"}
    assert listed["type"] == "list"
    expected = sandbox.expected("intercom")
    found = {one.pop("id"): one for one in listed["data"]}
    assert found.keys() == {call.id for name in asked for call in known[name]}
    statuses = set()
    for identifier, one in found.items():
        statuses.add((bool(one.pop("transcript")), one.pop("transcript_status")))
        assert {"id": identifier, **one} == expected[identifier]["provider_record"]
    assert statuses == {(True, "completed"), (False, None)}


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ("spoken", {"speaker", "text", "start", "end"}),
        ("warehouse", {"speaker", "speaker_label", "content", "start_time", "end_time"}),
        ("unrecognisable", {"p", "w"}),
    ],
)
def test_an_entry_has_one_of_three_forms(
    sandbox: Sandbox, ask: Ask, entries: str, names: set[str]
) -> None:
    sides(sandbox, entries=entries)
    call = sandbox.world.add_call("intercom", **TALK, conversation_id="9000001")
    (found,) = searched(ask, "9000001").json()["data"]
    assert found["id"] == call
    assert len(found["transcript"]) > 0
    assert [set(entry) for entry in found["transcript"]] == [names] * len(found["transcript"])


def test_the_rows_are_what_the_entries_say(sandbox: Sandbox) -> None:
    world = sandbox.world
    identifier = world.add_call("intercom", **TALK, conversation_id="9000002")
    call = world.intercom.calls[identifier]
    rows = {
        entries: intercom_children.expected_transcript(call, sides(sandbox, entries=entries))
        for entries in ("spoken", "warehouse", "unrecognisable")
    }
    first = rows["spoken"][0]
    assert first == {
        "provider": "intercom",
        "call_id": identifier,
        "segment_index": 0,
        "speaker": "Agent",
        "content": first["content"],
        "start_time": 1,
        "end_time": 3.5,
    }
    label = rows["warehouse"][0]["speaker_label"]
    assert label.startswith("agent-")
    assert rows["warehouse"][0] == {**first, "speaker_label": label}
    assert rows["unrecognisable"][0]["content"].startswith('{"p": [1, 3.5], "w": ["')
    assert [row["segment_index"] for row in rows["spoken"]] == list(range(len(rows["spoken"])))
    refused = sides(sandbox, plan="payment_required")
    assert intercom_children.expected_transcript(call, refused) == []


@pytest.mark.parametrize("number", [0, 21])
def test_a_search_has_one_to_twenty_conversations(ask: Ask, number: int) -> None:
    refused = searched(ask, *map(str, range(number)))
    assert code_of(refused) == (400, "conversation_id_limit_exceeded")
    assert searched(ask, *map(str, range(20))).json() == {"type": "list", "data": []}


@pytest.mark.parametrize(
    "more",
    [
        {"data": '{"conversation_ids": ["1"]}'},
        {"json": ["1"]},
        {"json": {}},
        {"json": {"conversation_ids": [1]}},
        {"data": "{", "headers": {"Content-Type": "application/json"}},
    ],
)
def test_a_search_needs_the_body_of_its_page(ask: Ask, more: dict[str, Any]) -> None:
    assert code_of(ask("/calls/search", "POST", **more)) == (400, "parameter_invalid")


def test_the_log_keeps_the_body(sandbox: Sandbox, ask: Ask) -> None:
    searched(ask, "1", "2")
    (seen,) = sandbox.requests
    assert (seen.method, seen.path) == ("POST", "/calls/search")
    assert seen.body == b'{"conversation_ids": ["1", "2"]}'


def test_a_transcript_is_text_of_time_speaker_and_words(sandbox: Sandbox, ask: Ask) -> None:
    identifier = sandbox.world.add_call(
        "intercom",
        **TALK,
        conversation_id=None,
        transcription_url="https://api.intercom.io/x",
    )
    rows = intercom_children.expected_transcript(
        sandbox.world.intercom.calls[identifier], Switches()
    )
    answer = ask(f"/calls/{identifier}/transcript")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert len(rows) > 0
    assert answer.text.splitlines() == [
        f"[00:{row['start_time']:02d}] {row['speaker']}: {row['content']}" for row in rows
    ]


@pytest.mark.parametrize(
    ("position", "status", "body"),
    [("empty_object", 200, "[{}]"), ("empty_text", 200, ""), ("404", 404, None)],
)
def test_no_transcript_looks_in_one_of_three_ways(
    sandbox: Sandbox, ask: Ask, position: str, status: int, body: str | None
) -> None:
    sides(sandbox, no_transcript=position)
    quiet = {"answered_at": None, "recording_url": None, "transcription_url": None}
    identifier = sandbox.world.add_call("intercom", **quiet)
    answer = ask(f"/calls/{identifier}/transcript")
    assert answer.status_code == status
    assert body is None or answer.text == body
    assert code_of(ask("/calls/nobody/transcript")) == (404, "not_found")


def recorded(ask: Ask, sandbox: Sandbox) -> dict[str, requests.Response]:
    """The answers for the recordings that the record of a call names."""
    return {
        call.id: ask(urlsplit(url).path)
        for call in sandbox.world.intercom.calls.values()
        if (url := call.recording_url or call.fin_recording_url)
    }


def test_a_recording_is_a_way_to_a_signed_url(sandbox: Sandbox, ask: Ask) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    forms: set[frozenset[str]] = set()
    for identifier, answer in recorded(ask, sandbox).items():
        assert answer.status_code in (302, 404)
        call = sandbox.world.intercom.calls[identifier]
        found[identifier] = intercom_children.expected_recordings(call, sandbox.switches)
        urls = [answer.headers["Location"]] if answer.status_code == 302 else []
        assert [row["url"] for row in found[identifier]] == urls
        forms.update(frozenset(parse_qs(urlsplit(url).query)) for url in urls)
        assert urls or code_of(answer) == (404, "not_found")
    assert forms == {
        frozenset({"X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires"}),
        frozenset({"token"}),
        frozenset({"Expires", "Signature"}),
        frozenset({"X-Goog-Date", "X-Goog-Expires", "X-Goog-Signature"}),
    }
    assert {len(rows) for rows in found.values()} == {0, 1}
    named = {row["recording_id"] == row["call_id"] for rows in found.values() for row in rows}
    assert named == {True}
    assert any("-fin.mp3" in row["url"] for rows in found.values() for row in rows)
    assert {"expires_at" in row for rows in found.values() for row in rows} == {True, False}
    assert (sandbox.heard, sandbox.signed_requests) == (0, [])


def test_the_end_of_a_signed_url_is_an_hour_after_it_was_signed(sandbox: Sandbox) -> None:
    for number in range(200):
        identifier = sandbox.world.add_call(
            "intercom",
            ended_at=1734537495,
            recording_url="https://api.intercom.io/x",
            contact_id=str(number),
        )
        call = sandbox.world.intercom.calls[identifier]
        for row in intercom_children.expected_recordings(call, sandbox.switches):
            query = parse_qs(urlsplit(row["url"]).query)
            stated = "token" not in query
            assert row.get("expires_at") == ("2024-12-18T16:58:15Z" if stated else None)
            date = query.get("X-Amz-Date") or query.get("X-Goog-Date") or ["20241218T155815Z"]
            assert date == ["20241218T155815Z"]
            assert query.get("Expires") in (None, ["1734541095"])


def test_whoever_takes_a_recording_is_noticed(sandbox: Sandbox, ask: Ask) -> None:
    before = sandbox.heard
    sides(sandbox, recording="audio")
    path = next(
        urlsplit(str(call.recording_url)).path
        for call in sandbox.world.intercom.calls.values()
        if intercom_children.expected_recordings(call, Switches()) and call.recording_url
    )
    with ask(path, stream=True) as answer:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/mpeg")
    assert sandbox.heard == before
    assert len(ask(path).content) == 1 << 26
    assert (sandbox.heard, sandbox.signed_requests) == (before + 1, [])
    assert ask("/signed/1.mp3", headers={"Authorization": None}, stream=True).status_code == 200
    assert [seen.path for seen in sandbox.signed_requests] == ["/signed/1.mp3"]


PLANS: list[tuple[Plan, tuple[int, str]]] = [
    ("payment_required", (402, "payment_required")),
    ("api_plan_restricted", (403, "api_plan_restricted")),
]


@pytest.mark.parametrize(("plan", "refused"), PLANS)
def test_a_plan_may_have_calls_alone(
    sandbox: Sandbox, ask: Ask, plan: Plan, refused: tuple[int, str]
) -> None:
    sides(sandbox, plan=plan)
    assert code_of(searched(ask, "1")) == refused
    assert code_of(ask("/calls/007/transcript")) == refused
    assert code_of(ask("/calls/007/recording")) == refused
    assert [ask(path).status_code for path in ("/calls", "/calls/007", "/admins")] == [200] * 3
    calls = sandbox.world.intercom.calls.values()
    assert {len(intercom_children.expected_recordings(c, sandbox.switches)) for c in calls} == {0}


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Authorization": "Bearer wrong"}, (401, "unauthorized")),
        ({"Intercom-Version": None}, (400, "intercom_version_invalid")),
    ],
)
def test_what_stands_beside_needs_what_calls_need(
    ask: Ask, headers: dict[str, Any], refused: tuple[int, str]
) -> None:
    asked = [("GET", "/calls/007/transcript"), ("GET", "/calls/007/recording"), ("GET", "/admins")]
    for method, path in [*asked, ("POST", "/calls/search")]:
        assert code_of(ask(path, method, headers=headers)) == refused


def test_a_search_counts_for_the_rate(sandbox: Sandbox, ask: Ask) -> None:
    limited = IntercomSwitches(limit=2, window_seconds=5000.0)
    sandbox.switches = Switches(intercom=limited)
    sandbox.keys["intercom"].add("second")
    other = {"Authorization": "Bearer second"}
    statuses = [
        ask("/calls/search", "POST", json={"conversation_ids": ["1"]}, headers=other).status_code
        for _ in range(3)
    ]
    assert statuses == [200, 200, 429]


def test_admins_are_listed_with_teams_among_them(sandbox: Sandbox, ask: Ask) -> None:
    listed = ask("/admins").json()
    assert listed["type"] == "admin.list"
    people = {one["id"]: one for one in listed["admins"] if one["type"] == "admin"}
    teams = [one["id"] for one in listed["admins"] if one["type"] == "team"]
    assert (len(people), teams) == (12, ["814865"])
    rows = intercom_children.expected_users(sandbox.switches)
    assert rows == [
        {"provider": "intercom", "id": one, **{k: people[one][k] for k in ("name", "email")}}
        for one in people
    ]
    named = {call.admin_id for call in sandbox.world.intercom.calls.values()} - {None}
    assert named - people.keys() == {"7011"}
    sides(sandbox, teams="absent")
    assert [one["type"] for one in ask("/admins").json()["admins"]] == ["admin"] * 12
    assert intercom_children.expected_dispositions(sandbox.switches) == []


@pytest.mark.parametrize(
    ("fault", "refused"),
    [
        ("no_admins", (401, "token_unauthorized")),
        ("admins_restricted", (403, "api_plan_restricted")),
    ],
)
def test_a_key_may_read_calls_and_no_admins(
    sandbox: Sandbox, ask: Ask, fault: str, refused: tuple[int, str]
) -> None:
    sandbox.key_faults["odd-key"] = fault
    headers = {"Authorization": "Bearer odd-key"}
    assert code_of(ask("/admins", headers=headers)) == refused
    assert ask("/calls", headers=headers).status_code == 200


def pages(ask: Ask, path: str, key: str) -> list[list[dict[str, Any]]]:
    """The pages of a list of Amplemarket, by its links."""
    found = []
    href: str | None = path
    while href is not None:
        body = ask(href, provider="amplemarket").json()
        found.append(body[key])
        href = body.get("_links", {}).get("next", {}).get("href")
    return found


@pytest.mark.parametrize(
    ("query", "sizes"),
    [("", [20] * 6 + [3]), ("?page[size]=100", [100, 23]), ("?page[size]=41", [41, 41, 41])],
)
def test_users_come_in_pages(sandbox: Sandbox, ask: Ask, query: str, sizes: list[int]) -> None:
    found = pages(ask, f"/users{query}", "users")
    assert list(map(len, found)) == sizes
    users = [user for page in found for user in page]
    rows = amplemarket_children.expected_users(sandbox.switches)
    assert [user["id"] for user in users] == [row["id"] for row in rows]
    assert users[0].keys() == {"id", "name", "email", "status", "role", "mailboxes"}
    assert rows[0] == {
        "provider": "amplemarket",
        "id": users[0]["id"],
        "name": "Amélie Dubois",
        "email": "rep0@example.com",
        "role": "sales_rep",
        "is_active": True,
    }
    active = [(user["status"], row.get("is_active")) for user, row in zip(users, rows, strict=True)]
    words = {("active", True), ("deactivated", False), ("invited", False), (None, None)}
    assert set(active) == words
    calls = sandbox.world.amplemarket.calls.values()
    assert {call.user_id for call in calls} == {row["id"] for row in rows[:6]}


def test_a_page_of_users_may_be_small(sandbox: Sandbox, ask: Ask) -> None:
    small = AmplemarketSideSwitches(largest_page=20)
    sandbox.switches = Switches(amplemarket=AmplemarketSwitches(sides=small))
    assert ask("/users?page[size]=21", provider="amplemarket").status_code == 400
    assert ask("/users?page[size]=20", provider="amplemarket").status_code == 200
    assert ask("/users?page[after]=nobody", provider="amplemarket").status_code == 400


@pytest.mark.parametrize(("position", "sizes"), [("whole", [5]), ("paged", [2, 2, 1])])
def test_dispositions_come_at_once_or_in_pages(
    sandbox: Sandbox, ask: Ask, position: Any, sizes: list[int]
) -> None:
    options = AmplemarketSideSwitches(dispositions=position)
    sandbox.switches = Switches(amplemarket=AmplemarketSwitches(sides=options))
    found = pages(ask, "/calls/dispositions", "dispositions")
    assert list(map(len, found)) == sizes
    rows = [
        {"provider": "amplemarket", **{k: v for k, v in one.items() if v is not None}}
        for page in found
        for one in page
    ]
    assert rows == amplemarket_children.expected_dispositions(sandbox.switches)
    chosen = {call.disposition_id for call in sandbox.world.amplemarket.calls.values()} - {None}
    assert chosen == {row["id"] for row in rows}


def test_a_key_may_list_calls_and_nothing_beside(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.key_faults["odd-key"] = "sides_forbidden"
    headers = {"Authorization": "Bearer odd-key"}
    asked = ("/calls", "/users", "/calls/dispositions", "/nothing")
    found = [ask(path, provider="amplemarket", headers=headers).status_code for path in asked]
    assert found == [200, 403, 403, 404]


ENTRIES: list[tuple[Any, dict[str, Any]]] = [
    ({"speaker": "Rep", "text": "Olá?"}, {"speaker": "Rep", "content": "Olá?"}),
    ({"role": "agent", "content": "Hi"}, {"speaker": "agent", "content": "Hi"}),
    ("Hello?", {"content": "Hello?"}),
    ({"text": "Whose?"}, {"content": "Whose?"}),
    ({"at": 0.5, "words": ["é"]}, {"content": '{"at": 0.5, "words": ["é"]}'}),
]


def test_rows_of_a_call_of_amplemarket(sandbox: Sandbox) -> None:
    world = sandbox.world
    newest = max(world.amplemarket.calls.values(), key=lambda call: call.newer is not None)
    assert newest.newer is not None
    call = newest._replace(
        newer=newest.newer._replace(transcript=tuple(entry for entry, _ in ENTRIES)),
        transcription="Rep: Alone\n\nwith a line",
        recording_url="https://api.amplemarket.com/r",
        has_recording_url=False,
    )
    known = {"provider": "amplemarket", "call_id": call.id}
    without = Switches()
    newer = AmplemarketSwitches(newer_fields="present")
    with_newer = replace(without, amplemarket=newer)
    assert amplemarket_children.expected_transcript(call, with_newer) == [
        {**known, "segment_index": place, **row} for place, (_, row) in enumerate(ENTRIES)
    ]
    lines = ("Rep: Alone", "with a line")
    alone = [{**known, "segment_index": n, "content": line} for n, line in enumerate(lines)]
    assert amplemarket_children.expected_transcript(call, without) == alone
    silent = call._replace(newer=newest.newer._replace(transcript=()))
    assert amplemarket_children.expected_transcript(silent, with_newer) == alone
    row = {**known, "recording_id": call.id, "url": "https://api.amplemarket.com/r"}
    assert amplemarket_children.expected_recordings(call, with_newer) == [row]
    assert amplemarket_children.expected_recordings(call, without) == []
