"""What the sandbox can be told to do that no page of a provider promises."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from integration_tests.commands import PROVIDERS, test_key
from integration_tests.sandbox import Fault, Sandbox, SeenRequest, Switches, World
from integration_tests.sandbox.edits import (
    SameAgain,
    as_latin_1,
    bomb,
    with_body,
    with_page,
    with_records,
)
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.openphone_errors import (
    ENVELOPES,
    NOT_NUMBER_USER,
    NUMBER_REFUSED,
    refusal_body,
)
from integration_tests.sandbox.openphone_refusals import (
    asks,
    for_one_of,
    from_conversation,
    refusing,
)
from integration_tests.sandbox.openphone_workspace import LOBBY, SALES, SUPPORT
from integration_tests.sandbox.switches import NO_TIMES, NoTime
from integration_tests.sandbox.times import ZERO_TIMES

PATHS = {
    "intercom": "/calls",
    "openphone": f"/v1/calls?phoneNumberId={SALES.id}&participants=%2B15551230001&maxResults=100",
    "amplemarket": "/calls?page[size]=100",
    "skipcall": "/v1/calls?limit=100",
}
Get = Callable[..., requests.Response]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World(calls=120), Switches(enforce_limits=False)) as sandbox:
        yield sandbox


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    with requests.Session() as session:

        def send(provider: str, path: str = "", **headers: str) -> requests.Response:
            key = test_key(provider)
            sent = {
                "Authorization": key if provider == "openphone" else f"Bearer {key}",
                "Accept": "application/json",
                "Intercom-Version": "2.14",
                **headers,
            }
            url = f"{sandbox.url}/{provider}{path or PATHS[provider]}"
            return session.get(url, headers=sent, timeout=600, allow_redirects=False)

        yield send


@pytest.mark.parametrize("provider", PROVIDERS)
def test_gzip_for_those_who_ask_for_it(sandbox: Sandbox, get: Get, provider: str) -> None:
    sound = get(provider).json()
    sandbox.switches = replace(sandbox.switches, gzip=True)
    packed = get(provider, **{"Accept-Encoding": "deflate, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == sound
    assert int(packed.headers["Content-Length"]) < len(packed.content)
    plain = get(provider, **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == sound


def test_an_edit_is_laid_over_the_sound_answer(sandbox: Sandbox, get: Get) -> None:
    sound = get("skipcall").json()

    def mark(record: dict[str, Any]) -> None:
        record["mark"] = True

    sandbox.faults = [Fault("skipcall", nth=2, kind="edit", edit=with_records(mark))]
    assert get("skipcall").json() == sound
    marked = get("skipcall").json()
    assert [record.pop("mark") for record in marked["data"]] == [True] * len(sound["data"])
    assert marked == sound
    assert get("skipcall").json() == sound
    assert [seen.status for seen in sandbox.requests] == [200] * 4


def test_an_edit_of_a_page_and_of_its_bytes(sandbox: Sandbox, get: Get) -> None:
    edit = with_page(lambda page: page.update(data=None))
    sandbox.faults = [Fault("intercom", kind="edit", edit=edit)]
    assert get("intercom").json()["data"] is None
    latin = with_body(as_latin_1, "application/json; charset=iso-8859-1")
    sandbox.faults = [Fault("skipcall", kind="edit", edit=latin)]
    answer = get("skipcall")
    assert answer.headers["Content-Type"] == "application/json; charset=iso-8859-1"
    assert json.loads(answer.content.decode("latin-1")) == get("skipcall").json()


def test_latin_1_keeps_every_character() -> None:
    text = '{"a": "é ÿ Ā 田 📞 \\" \\u00e9"}'
    assert json.loads(as_latin_1(text.encode()).decode("latin-1")) == json.loads(text)
    assert "é".encode("latin-1") in as_latin_1(text.encode())


def test_a_small_parcel_that_unpacks_to_much(sandbox: Sandbox, get: Get) -> None:
    sound = get("skipcall").json()
    sandbox.faults = [Fault("skipcall", kind="edit", edit=bomb(1 << 26))]
    answer = get("skipcall")
    assert int(answer.headers["Content-Length"]) < 1 << 20
    assert len(answer.content) > 1 << 26
    assert answer.json() == sound


def test_the_same_records_under_links_that_never_end(sandbox: Sandbox, get: Get) -> None:
    sound = get("amplemarket").json()

    def onward(page: dict[str, Any], number: int) -> None:
        page["_links"]["next"] = {"href": f"/calls?page[after]={number}"}

    again = SameAgain(onward)
    sandbox.faults = [Fault("amplemarket", times=ENDLESS, kind="edit", edit=again)]
    first, second = get("amplemarket").json(), get("amplemarket", "/calls?page[after]=1").json()
    assert first["calls"] == second["calls"] == sound["calls"]
    links = [page["_links"]["next"]["href"] for page in (first, second)]
    assert links == ["/calls?page[after]=1", "/calls?page[after]=2"]


TIMES = {
    "intercom": ("initiated_at", "answered_at", "ended_at", "created_at", "updated_at"),
    "openphone": ("answeredAt", "completedAt", "createdAt", "updatedAt"),
    "amplemarket": ("start_date",),
    "skipcall": ("startedAt", "endedAt", "createdAt", "updatedAt", "deletedAt"),
}


@pytest.mark.parametrize("no_time", NO_TIMES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_time_that_never_was_is_listed_as_a_zero_time_and_is_null_in_the_truth(
    sandbox: Sandbox, provider: str, no_time: NoTime
) -> None:
    sandbox.world = World(calls=400)
    sound = sandbox.expected(provider)
    sandbox.switches = sandbox.switches.moved(provider, "no_time", no_time)
    found = sandbox.expected(provider)
    never = ZERO_TIMES[no_time][provider != "intercom"]
    met = set()
    for key, record in found.items():
        before, listed = sound[key].pop("provider_record"), record.pop("provider_record")
        for name in TIMES[provider]:
            if name in before and before[name] is None:
                assert listed[name] == never
                met.add(name)
        assert record == sound[key]
    never_null = {"openphone": {"createdAt"}, "skipcall": {"createdAt"}}.get(provider, set())
    assert met == set(TIMES[provider]) - never_null


@pytest.mark.parametrize(
    ("provider", "unit"), [("intercom", 1), ("openphone", 1000), ("skipcall", 1000)]
)
@pytest.mark.parametrize("seconds", [0, -1, -62_135_596_800, 631_151_999])
def test_a_creation_before_1990_falls_back_to_the_earliest_other_time(
    sandbox: Sandbox, provider: str, unit: int, seconds: int
) -> None:
    name = "created_at" if provider == "intercom" else "created"
    for call in sandbox.listable(provider):
        sandbox.world.change_call(provider, call.id, **{name: seconds * unit})
        record = sandbox.expected(provider)[call.id]
        others = ("started_at", "answered_at", "ended_at", "deleted_at", "updated_at")
        times = [record[other] for other in others if other in record]
        assert record["created_at"] == min(times, key=lambda text: text.rstrip("Z"))
        assert record["occurred_at"] == record.get("started_at", record["created_at"])
        break
    sandbox.world.change_call(provider, call.id, **{name: 631_152_000 * unit})
    assert sandbox.expected(provider)[call.id]["created_at"].startswith("1990-01-01T00:00:00")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NO ANSWER", "no-answer"),
        ("In_Progress", "in-progress"),
        ("cancelled", "canceled"),
        ("zigzag", "unknown"),
    ],
)
@pytest.mark.parametrize(
    ("provider", "name"), [("intercom", "state"), ("openphone", "status"), ("skipcall", "status")]
)
def test_words_are_folded_in_the_truth(
    sandbox: Sandbox, provider: str, name: str, word: str, status: str
) -> None:
    call = sandbox.listable(provider)[0]
    sandbox.world.change_call(provider, call.id, **{name: word})
    record = sandbox.expected(provider)[call.id]
    assert (record["status"], record["provider_status"]) == (status, word)


def test_calls_by_who_was_involved(sandbox: Sandbox, get: Get) -> None:
    calls = [call for call in sandbox.listable("openphone") if call.conversation.line is SUPPORT]
    busiest = [call for call in calls if call.conversation.participants == ("+15551230001",)]

    def ask(user: str = "") -> set[str]:
        path = PATHS["openphone"].replace(SALES.id, SUPPORT.id) + (user and f"&userId={user}")
        return {record["id"] for record in get("openphone", path).json()["data"]}

    owned = {call.id for call in busiest if call.user_id == "USclerk4"}
    helped = {call.id for call in busiest if "USclerk4" in (call.answered_by, call.initiated_by)}
    assert ask("USclerk4") == owned
    assert helped - owned
    switches = sandbox.switches.moved("openphone", "user_effect", "involvement")
    sandbox.switches = switches
    assert ask("USclerk4") == owned | helped
    assert ask() == ask("USagent2")  # the owner of the number
    assert ask() | ask("USclerk4") == {call.id for call in busiest}


def test_the_first_user_of_a_number(sandbox: Sandbox, get: Get) -> None:
    sandbox.switches = sandbox.switches.moved("openphone", "user_default", "first_user")
    assert SALES.users[0].id == "USowner1"
    first = get("openphone", PATHS["openphone"]).json()["data"]
    assert first == get("openphone", PATHS["openphone"] + "&userId=USowner1").json()["data"]
    path = PATHS["openphone"].replace(SALES.id, LOBBY.id).replace("15551230001", "15551238001")
    users = {record["userId"] for record in get("openphone", path).json()["data"]}
    assert users == {LOBBY.owner.id}


def test_numbers_without_text(sandbox: Sandbox, get: Get) -> None:
    sandbox.switches = sandbox.switches.moved("openphone", "numbers", "null")
    lines = get("openphone", "/v1/phone-numbers").json()["data"]
    assert [line["number"] for line in lines] == [None] * 3
    assert len({line["id"] for line in lines}) == 3
    for record in sandbox.expected("openphone").values():
        assert "internal_number" not in record
        assert record["external_number"].startswith("+")


@pytest.mark.parametrize(
    ("position", "start"),
    [
        ("http", "http://api.amplemarket.com/calls?"),
        ("port", "https://api.amplemarket.com:443/calls?"),
        ("capitals", "HTTPS://API.Amplemarket.COM/calls?"),
    ],
)
def test_spellings_of_links(sandbox: Sandbox, get: Get, position: str, start: str) -> None:
    sound = get("amplemarket").json()["_links"]["next"]["href"]
    sandbox.switches = sandbox.switches.moved("amplemarket", "links", position)
    assert get("amplemarket").json()["_links"]["next"]["href"] == start + sound.partition("?")[2]


def ask_for_calls(get: Get, line: str, participant: str, user: str = "") -> int:
    query = f"phoneNumberId={line}&participants=%2B{participant[1:]}&maxResults=5&userId={user}"
    return get("openphone", f"/v1/calls?{query.removesuffix('&userId=')}").status_code


@pytest.mark.parametrize("form", ENVELOPES)
def test_refusals_have_three_forms(sandbox: Sandbox, get: Get, form: Any) -> None:
    sandbox.faults = [refusing(NOT_NUMBER_USER, form)]
    answer = get("openphone")
    assert answer.status_code == 403
    assert answer.json() == refusal_body(NOT_NUMBER_USER, form)
    sandbox.faults = []
    sandbox.switches = sandbox.switches.moved("openphone", "envelope", form)
    assert get("openphone", PATHS["openphone"] + "&userId=USclerk4").json() == answer.json()


def test_refusals_of_chosen_requests(sandbox: Sandbox, get: Get) -> None:
    first, second = "+15551230001", "+15551230002"
    chosen = [
        asks(userId="USagent2"),
        asks(userId=None, participants=first),
        for_one_of({(SUPPORT.id, first)}),
        asks(phoneNumberId=SUPPORT.id),
    ]
    questions = [
        (SALES.id, first),
        (SALES.id, first, "USagent2"),
        (SALES.id, second, "USagent2"),
        (SUPPORT.id, first),
        (SUPPORT.id, first, "USclerk4"),
        (LOBBY.id, second),
    ]
    met = []
    for where in chosen:
        sandbox.faults = [refusing(NOT_NUMBER_USER, where=where)]
        met.append([ask_for_calls(get, *question) == 403 for question in questions])
    assert met == [
        [False, True, True, False, False, False],
        [True, False, False, True, False, False],
        [False, False, False, True, True, False],
        [False, False, False, True, True, False],
    ]


def test_refusals_from_a_conversation_on(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults = [refusing(NOT_NUMBER_USER, where=from_conversation(2))]
    first, second, third = "+15551230001", "+15551230002", "+8190123456"
    asked = [first, second, first, third, second, first]
    statuses = [ask_for_calls(get, SALES.id, participant) for participant in asked]
    assert statuses == [200, 403, 200, 403, 403, 200]


def test_the_conversations_of_a_number_are_refused(sandbox: Sandbox, get: Get) -> None:
    where = asks(phoneNumbers=SUPPORT.id)
    sandbox.faults = [refusing(NUMBER_REFUSED, where=where, path="/v1/conversations")]
    refused = get("openphone", f"/v1/conversations?maxResults=9&phoneNumbers={SUPPORT.id}")
    assert (refused.status_code, refused.json()["code"]) == (403, "1001403")
    assert get("openphone", f"/v1/conversations?maxResults=9&phoneNumbers={SALES.id}").ok


def test_a_chosen_request_is_counted_alone() -> None:
    def seen(page: str) -> SeenRequest:
        return SeenRequest("skipcall", "GET", "/v1/calls", (("page", page),), "", {}, 0, 0.0)

    fault = Fault("skipcall", where=lambda request: ("page", "2") in request.query)
    assert [fault.matches(seen(page)) for page in ("1", "2", "3")] == [False, True, False]
