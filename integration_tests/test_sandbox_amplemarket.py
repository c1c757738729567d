"""The sandbox's Amplemarket against the provider's pages."""

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from integration_tests.sandbox import AmplemarketSwitches, Sandbox, Switches, World
from integration_tests.sandbox.amplemarket_calls import NewerFields
from integration_tests.sandbox.identifiers import as_uuid4, as_uuid7, milliseconds_of
from integration_tests.sandbox.times import parse_iso

HEADERS = {"Authorization": "Bearer test-key-amplemarket-not-real"}
PAGE = {"page_size": "page[size]", "page_after": "page[after]", "page_before": "page[before]"}
Get = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(World(calls=250)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.world = World(calls=250)
    shared.switches = Switches(enforce_limits=False)
    return shared


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    with requests.Session() as session:

        def send(href: str = "/calls", headers: dict[str, Any] | None = None, **query: Any) -> Any:
            pairs = {PAGE.get(name, name): value for name, value in query.items()}
            url, sent = f"{sandbox.url}/amplemarket{href}", {**HEADERS, **(headers or {})}
            return session.get(url, params=pairs, headers=sent, timeout=600)

        yield send


def sandbox_with(sandbox: Sandbox, **positions: Any) -> None:
    sandbox.switches = Switches(amplemarket=AmplemarketSwitches(**positions), enforce_limits=False)


def followed(get: Get, direction: str = "next", **query: Any) -> list[dict[str, Any]]:
    body = get(**query).json()
    records = list(body["calls"])
    while direction in body["_links"]:
        target = urlsplit(body["_links"][direction]["href"])
        body = get(f"{target.path}?{target.query}").json()
        records += body["calls"]
    return records


def newest_first(sandbox: Sandbox) -> list[str]:
    return sorted(sandbox.world.amplemarket.calls, reverse=True)


def test_bare_request_and_links(sandbox: Sandbox, get: Get) -> None:
    ids = newest_first(sandbox)
    body = get().json()
    assert [record["id"] for record in body["calls"]] == ids[:20]
    after = f"/calls?page[size]=20&page[after]={ids[19]}"
    assert body["_links"] == {
        "self": {"href": "/calls?page[size]=20"},
        "next": {"href": after},
    }
    second = get(after).json()
    assert [record["id"] for record in second["calls"]] == ids[20:40]
    assert second["_links"] == {
        "self": {"href": after},
        "prev": {"href": f"/calls?page[size]=20&page[before]={ids[20]}"},
        "next": {"href": f"/calls?page[size]=20&page[after]={ids[39]}"},
    }
    back = get(second["_links"]["prev"]["href"]).json()
    assert back["calls"] == body["calls"]
    assert "prev" not in back["_links"]


def test_last_page_has_no_next(sandbox: Sandbox, get: Get) -> None:
    ids = newest_first(sandbox)
    body = get(page_size=100, page_after=ids[199]).json()
    assert [record["id"] for record in body["calls"]] == ids[200:]
    assert set(body["_links"]) == {"self", "prev"}
    exact = get(page_size=50, page_after=ids[199]).json()
    assert (len(exact["calls"]), set(exact["_links"])) == (50, {"self", "prev"})
    empty = get(page_after=ids[-1]).json()
    assert (empty["calls"], set(empty["_links"])) == ([], {"self"})


@pytest.mark.parametrize(("name", "switches"), Switches.positions("amplemarket"))
def test_every_switch_lists_every_call_once(
    sandbox: Sandbox, get: Get, name: str, switches: Switches
) -> None:
    sandbox.switches = switches
    records = followed(get, page_size=100)
    expected = sandbox.expected("amplemarket")
    assert len(records) == 250
    assert {record["id"]: record for record in records} == {
        identifier: record["provider_record"] for identifier, record in expected.items()
    }
    assert sandbox.ever_listed("amplemarket") == expected


def test_a_deleted_cursor_still_works(sandbox: Sandbox, get: Get) -> None:
    ids = newest_first(sandbox)
    sandbox.world.delete_call("amplemarket", ids[19])
    body = get(page_after=ids[19]).json()
    assert [record["id"] for record in body["calls"]] == ids[20:40]


def test_order_is_by_creation_not_by_start(sandbox: Sandbox, get: Get) -> None:
    late = sandbox.world.add_call("amplemarket", started=1_700_000_000)
    records = followed(get, page_size=100)
    assert (records[0]["id"], records[0]["start_date"]) == (late, "2023-11-14T22:13:20Z")
    created = [milliseconds_of(record["id"]) for record in records]
    starts = [record["start_date"] for record in records]
    assert created == sorted(created, reverse=True)
    assert starts != sorted(starts, reverse=True)
    assert len(set(created)) < len(created)


def test_uuid4_ids_keep_the_order_by_creation(sandbox: Sandbox, get: Get) -> None:
    sandbox_with(sandbox, ids="uuid4")
    ids = [as_uuid4(identifier) for identifier in newest_first(sandbox)]
    assert [record["id"] for record in followed(get)] == ids
    assert {identifier[14] for identifier in ids} == {"4"}
    assert [as_uuid7(identifier) for identifier in ids] == newest_first(sandbox)
    sandbox.world.delete_call("amplemarket", ids[5])
    assert [record["id"] for record in followed(get)] == ids[:5] + ids[6:]


def test_filters_on_user_and_numbers(sandbox: Sandbox, get: Get) -> None:
    spaced = sandbox.world.add_call("amplemarket", from_number="+1 123456789", to_number="+12")
    assert [one["id"] for one in followed(get, **{"from": "+1 123456789"})] == [spaced]
    assert [one["id"] for one in followed(get, **{"from": "+1 123456789", "to": "+13"})] == []
    user = next(iter(sandbox.world.amplemarket.calls.values())).user_id
    own = [one for one in followed(get) if one["user_id"] == user]
    assert followed(get, user_id=user) == own
    assert len(own) > 20


@pytest.mark.parametrize(
    ("position", "offsets"),
    [
        ("works_exclusive", [2, 3]),
        ("works_inclusive", [1, 2, 3, 4]),
        ("ignored", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_date_filter(sandbox: Sandbox, get: Get, position: str, offsets: list[int]) -> None:
    sandbox.world = World(calls=0)
    sandbox_with(sandbox, date_filter=position)
    for offset in range(6):
        sandbox.world.add_call("amplemarket", started=1_700_000_000 + offset)
    bounds = {
        "start_date_from": "2023-11-14T22:13:21Z",
        "start_date_to": "2023-11-14T22:13:24+00:00",
    }
    records = followed(get, **bounds)
    started = sorted((parse_iso(one["start_date"]) or 0) // 1000 - 1_700_000_000 for one in records)
    assert started == offsets


def test_links_carry_filters_or_not(sandbox: Sandbox, get: Get) -> None:
    bounds = {"start_date_from": "2020-01-01T00:00:00Z", "from": "+351210000001"}
    carried = get(page_size=5, **bounds).json()["_links"]["next"]["href"]
    assert carried.startswith("/calls?page[size]=5&page[after]=")
    assert carried.endswith("&from=%2B351210000001&start_date_from=2020-01-01T00:00:00Z")
    sandbox_with(sandbox, links_carry_filters=False)
    links = get(page_size=5, **bounds).json()["_links"]
    assert links["next"]["href"].count("=") == 2
    assert "from=" in links["self"]["href"]


def test_absolute_links(sandbox: Sandbox, get: Get) -> None:
    sandbox_with(sandbox, links="absolute")
    last = newest_first(sandbox)[19]
    href = get().json()["_links"]["next"]["href"]
    assert href == f"https://api.amplemarket.com/calls?page[size]=20&page[after]={last}"


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "101"},
        {"page_size": "0"},
        {"page_size": "many"},
        {"page_after": "not-a-uuid"},
        {"start_date_from": "yesterday"},
        {"start_date_to": "2026-13-01"},
    ],
)
def test_unsupported_values(get: Get, query: dict[str, str]) -> None:
    answer = get(**query)
    body = answer.json()
    assert (answer.status_code, body["object"]) == (400, "error")
    error = body["_errors"][0]
    assert (error["code"], error["title"]) == ("unsupported_value", "Unsupported Value")
    if any(name.startswith("start") for name in query):
        assert error["detail"] == "Invalid date format"


def test_authentication(sandbox: Sandbox, get: Get) -> None:
    sandbox.key_faults = {"odd": "forbidden", "gone": "unauthorized"}
    for header, status, code in [
        (None, 401, "unauthorized"),
        ("Bearer wrong", 401, "unauthorized"),
        ("test-key-amplemarket-not-real", 401, "unauthorized"),
        ("Bearer gone", 401, "unauthorized"),
        ("Bearer odd", 403, "forbidden"),
    ]:
        answer = get(headers={"Authorization": header})
        assert (answer.status_code, answer.json()["_errors"][0]["code"]) == (status, code)
    assert get("/contacts").status_code == 404


@pytest.mark.parametrize("form", ["seconds", "http_date", "absent"])
def test_rate_limit_and_retry_after(sandbox: Sandbox, get: Get, form: str) -> None:
    options = AmplemarketSwitches(limit=2, window_seconds=6000.0, retry_after=form)  # type: ignore[arg-type]
    sandbox.switches = Switches(amplemarket=options)
    answers = [get(page_size=1) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["object"] == "error"
    wait = answers[2].headers.get("Retry-After")
    if form == "seconds":
        assert 5000 < int(wait or "") <= 6000
    elif form == "http_date":
        sent = parsedate_to_datetime(answers[2].headers["Date"])
        assert 5000 < (parsedate_to_datetime(wait or "") - sent).total_seconds() <= 6002
    else:
        assert wait is None


CALL: dict[str, Any] = {
    "from_number": "+351999999999",
    "to_number": "+351888888888",
    "duration": 61,
    "transcription": "Olá",
    "recording_url": "https://api.amplemarket.com/calls/1/recording",
    "has_recording_url": True,
    "answered": True,
    "human": True,
    "external": False,
    "started": 1_780_508_657,
    "notes": "não",
    "disposition_id": "019e8e96-ef3b-7998-8ba4-000000000001",
    "task_id": None,
    "user_id": "019e8e96-ef3b-7998-8ba4-4f418eae7fcf",
    "contact_id": "c1",
    "contact_name": "João",
    "contact_email": None,
    "direction": "incoming",
    "newer": None,
}
EXPECTED = {
    "provider": "amplemarket",
    "status": "completed",
    "occurred_at": "2026-06-03T17:44:17Z",
    "started_at": "2026-06-03T17:44:17Z",
    "created_at": "2026-10-01T12:00:01.000Z",
    "updated_at": "2026-10-01T12:00:01.000Z",
    "answered": True,
    "answered_by_type": "human",
    "duration_seconds": 61,
    "duration_source": "provider",
    "from_number": "+351999999999",
    "to_number": "+351888888888",
    "user_id": "019e8e96-ef3b-7998-8ba4-4f418eae7fcf",
    "contact_id": "c1",
    "contact_name": "João",
    "disposition_id": "019e8e96-ef3b-7998-8ba4-000000000001",
    "notes": "não",
    "recording_url": "https://api.amplemarket.com/calls/1/recording",
    "transcript": "Olá",
    "participants": ["+351999999999", "+351888888888"],
}
NO_CONTACT = dict.fromkeys(["contact_id", "contact_name"])


def test_a_record_as_listed(sandbox: Sandbox, get: Get) -> None:
    identifier = sandbox.world.add_call("amplemarket", **CALL)
    record = get().json()["calls"][0]
    assert record == {
        "id": identifier,
        "disposition_id": "019e8e96-ef3b-7998-8ba4-000000000001",
        "duration": 61,
        "external": False,
        "start_date": "2026-06-03T17:44:17Z",
        "from": "+351999999999",
        "to": "+351888888888",
        "notes": "não",
        "transcription": "Olá",
        "task_id": None,
        "user_id": "019e8e96-ef3b-7998-8ba4-4f418eae7fcf",
        "human": True,
        "answered": True,
        "contact": {"id": "c1", "name": "João", "email": None},
        "recording_url": "https://api.amplemarket.com/calls/1/recording",
    }
    assert sandbox.expected("amplemarket")[identifier] == {
        **EXPECTED,
        "id": identifier,
        "provider_record": record,
    }
    bare = sandbox.world.add_call("amplemarket", contact_id=None, has_recording_url=False)
    record = get().json()["calls"][0]
    assert (record["id"], record["contact"], "recording_url" in record) == (bare, None, False)


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"human": False}, {"answered_by_type": "machine"}),
        ({"answered": False}, {"answered": False, "answered_by_type": None, "status": "no-answer"}),
        (
            {"answered": False, "duration": None},
            dict.fromkeys(["answered_by_type", "duration_seconds", "duration_source"])
            | {"answered": False, "status": "no-answer"},
        ),
        ({"contact_email": "j@example.org"}, {"contact_email": "j@example.org"}),
        ({"contact_email": "j@example.org", "contact_id": None}, NO_CONTACT),
        ({"answered": None}, {"answered": None, "answered_by_type": None, "status": None}),
        ({"duration": None}, dict.fromkeys(["duration_seconds", "duration_source", "status"])),
        ({"duration": 0}, {"duration_seconds": 0}),
        ({"notes": "", "contact_name": ""}, {"notes": None, "contact_name": None}),
        ({"contact_id": None}, NO_CONTACT),
        ({"has_recording_url": False}, {"recording_url": None}),
        (
            {"to_number": "+351999999999"},
            {"to_number": "+351999999999", "participants": ["+351999999999"]},
        ),
    ],
)
def test_expected_record_follows_the_design(
    sandbox: Sandbox, fields: dict[str, Any], changed: dict[str, Any]
) -> None:
    identifier = sandbox.world.add_call("amplemarket", **{**CALL, **fields})
    record = sandbox.expected("amplemarket")[identifier]
    del record["provider_record"]
    wanted = {**EXPECTED, "id": identifier, **changed}
    assert record == {name: value for name, value in wanted.items() if value is not None}


@pytest.mark.parametrize(
    ("word", "columns"),
    [
        ("incoming", ("inbound", "+351999999999", "+351888888888")),
        ("outgoing", ("outbound", "+351888888888", "+351999999999")),
        ("internal", (None, None, None)),
    ],
)
def test_direction_when_present(
    sandbox: Sandbox, word: str, columns: tuple[str | None, ...]
) -> None:
    sandbox_with(sandbox, direction="present")
    identifier = sandbox.world.add_call("amplemarket", **{**CALL, "direction": word})
    record = sandbox.expected("amplemarket")[identifier]
    names = ("direction", "external_number", "internal_number")
    assert tuple(record.get(name) for name in names) == columns
    assert record["provider_direction"] == record["provider_record"]["direction"] == word


NEWER = NewerFields(({"speaker": "Ana", "text": "Olá"}, "Sim"), "Connected", "ana@example.com")


@pytest.mark.parametrize(
    ("entries", "transcript"),
    [
        (NEWER.transcript, "Ana: Olá\nSim"),
        (({"role": "agent", "content": "Oi"}, {"text": "Tchau"}), "agent: Oi\nTchau"),
        (({"speaker": "Ana", "words": ["é"]},), '{"speaker": "Ana", "words": ["é"]}'),
        ((), "text submitted"),
    ],
)
def test_newer_fields_when_present(
    sandbox: Sandbox, get: Get, entries: tuple[Any, ...], transcript: str
) -> None:
    fields = {**CALL, "transcription": "text submitted", "has_recording_url": False}
    newer = NEWER._replace(transcript=entries)
    identifier = sandbox.world.add_call("amplemarket", **{**fields, "newer": newer})
    names = ("direction", "disposition_name", "user_email", "recording_url", "transcript")
    before = sandbox.expected("amplemarket")[identifier]
    assert [before.get(name) for name in names] == [None] * 4 + ["text submitted"]
    sandbox_with(sandbox, newer_fields="present")
    record = get().json()["calls"][0]
    shown = [record[name] for name in names]
    url = fields["recording_url"]
    assert shown == ["incoming", "Connected", "ana@example.com", url, list(entries)]
    expected = sandbox.expected("amplemarket")[identifier]
    columns = [expected.get(name) for name in names]
    assert columns == ["inbound", "Connected", "ana@example.com", url, transcript]
    older = sandbox.world.add_call("amplemarket", newer=None)
    record = sandbox.expected("amplemarket")[older]["provider_record"]
    assert not {"transcript", "disposition_name", "user_email", "direction"} & record.keys()


def test_creation_falls_back_to_the_start_for_uuid4(sandbox: Sandbox) -> None:
    sandbox_with(sandbox, ids="uuid4")
    identifier = as_uuid4(sandbox.world.add_call("amplemarket", **CALL))
    record = sandbox.expected("amplemarket")[identifier]
    assert record["created_at"] == record["updated_at"] == "2026-06-03T17:44:17Z"
