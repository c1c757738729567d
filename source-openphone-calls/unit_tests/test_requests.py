"""The requests that the connector sends: path, every query parameter, headers."""

from typing import Any

import pytest
import requests_mock
from source_openphone_calls import SourceOpenphoneCalls

from integration_tests.commands import catalog_for
from integration_tests.in_process import LOGGER, read, records

BASE = "https://api.openphone.com/v1"
HEADERS = {
    "Accept": "application/json",
    "Authorization": "12e5",
    "User-Agent": "source-openphone-calls",
}
CONFIG = {"api_key": "12e5", "num_workers": 1}
NUMBER = {
    "id": "PN5e3",
    "number": "+14155550000",
    "users": [
        {"id": "US1", "firstName": "Ada", "lastName": "Byron"},
        {"id": "US2", "firstName": "Bo", "lastName": None},
    ],
}
CONVERSATION = {
    "id": "CN1",
    "phoneNumberId": "PN5e3",
    "participants": ["+15550001111"],
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-05T00:00:00.000Z",
    "lastActivityAt": None,
}


def call(identifier: str, user: str) -> dict[str, object]:
    return {
        "id": identifier,
        "userId": user,
        "direction": "incoming",
        "status": "completed",
        "participants": ["+15550001111"],
        "createdAt": "2026-01-04T00:00:00.000Z",
        "updatedAt": None,
    }


def page(*data: object, token: str | None = None) -> dict[str, object]:
    return {"data": list(data), "totalItems": 0, "nextPageToken": token}


def serve(mock: requests_mock.Mocker, conversations: Any, calls: Any) -> None:
    mock.get(f"{BASE}/phone-numbers", json={"data": [NUMBER]})
    mock.get(f"{BASE}/conversations", json=conversations)
    mock.get(f"{BASE}/calls", json=calls)


def calls_of_one_user(request: Any, _: Any) -> dict[str, object]:
    user = request.qs.get("userid", ["us1"])[0].upper()
    return page(call(f"AC-{user}", user))


def sent(mock: requests_mock.Mocker) -> list[str]:
    for request in mock.request_history:
        assert {name: request.headers[name] for name in HEADERS} == HEADERS
    return [request.url.removeprefix(BASE) for request in mock.request_history]


CALLS = "/calls?phoneNumberId=PN5e3&participants=%2B15550001111"


def test_once_without_a_user_and_once_for_each() -> None:
    with requests_mock.Mocker() as mock:
        serve(mock, page(CONVERSATION), calls_of_one_user)
        found = records(read(SourceOpenphoneCalls(), CONFIG, catalog_for("openphone")))
        assert sent(mock) == [
            "/phone-numbers",
            "/conversations?phoneNumbers=PN5e3&maxResults=100",
            f"{CALLS}&maxResults=100",
            f"{CALLS}&userId=US1&maxResults=100",
            f"{CALLS}&userId=US2&maxResults=100",
        ]
        # AC-US1 is in two answers, and comes out once
        assert [record["id"] for record in found] == ["AC-US1", "AC-US2"]
        assert [record["user_name"] for record in found] == ["Ada Byron", "Bo"]
        assert [record["conversation_id"] for record in found] == ["CN1", "CN1"]
        assert [record["to_number"] for record in found] == ["+14155550000"] * 2


@pytest.mark.parametrize("field", ["answeredBy", "initiatedBy"])
def test_two_owners_prove_nothing_if_one_user_is_involved_in_all_rows(field: str) -> None:
    """It is not documented whether the default user filters by the owner or by any part."""
    with requests_mock.Mocker() as mock:
        other = {**call("AC2", "US2"), field: "US1"}
        serve(mock, page(CONVERSATION), page(call("AC1", "US1"), other))
        found = records(read(SourceOpenphoneCalls(), CONFIG, catalog_for("openphone")))
        assert [record["id"] for record in found] == ["AC1", "AC2"]
        assert sent(mock)[2:] == [
            f"{CALLS}&maxResults=100",
            f"{CALLS}&userId=US1&maxResults=100",
            f"{CALLS}&userId=US2&maxResults=100",
        ]


def test_two_users_in_one_answer_prove_that_the_default_is_everyone() -> None:
    with requests_mock.Mocker() as mock:
        serve(mock, page(CONVERSATION), page(call("AC1", "US1"), call("AC2", "US2")))
        found = records(read(SourceOpenphoneCalls(), CONFIG, catalog_for("openphone")))
        assert [record["id"] for record in found] == ["AC1", "AC2"]
        assert sent(mock)[2:] == [f"{CALLS}&maxResults=100"]


def test_what_was_proved_of_one_number_without_a_text_says_nothing_of_another() -> None:
    def conversations(request: Any, _: Any) -> dict[str, object]:
        number = request.qs["phonenumbers"][0].upper()
        return page({**CONVERSATION, "id": f"CN-{number}", "phoneNumberId": number})

    def calls(request: Any, _: Any) -> dict[str, object]:
        number = request.qs["phonenumberid"][0].upper()
        user = request.qs.get("userid", [""])[0].upper()
        if number == "PN1":
            return page(call("AC1", "US1"), call("AC2", "US2"))
        return page(call(f"AC3{user}", "US1"))

    with requests_mock.Mocker() as mock:
        serve(mock, conversations, calls)
        numbers = [{**NUMBER, "id": name, "number": None} for name in ("PN1", "PN2")]
        mock.get(f"{BASE}/phone-numbers", json={"data": numbers})
        found = records(read(SourceOpenphoneCalls(), CONFIG, catalog_for("openphone")))
        expected = ["AC1", "AC2", "AC3", "AC3US1", "AC3US2"]
        assert sorted(record["id"] for record in found) == expected


def test_page_tokens_that_look_like_numbers_travel_unchanged() -> None:
    def calls(request: Any, _: Any) -> dict[str, object]:
        tokens = {None: "12e5", "12e5": "007", "007": "1_0", "1_0": None}
        token = request.qs.get("pagetoken", [None])[0]
        return page(call(f"AC-{token}", "US1"), call(f"AC2-{token}", "US2"), token=tokens[token])

    with requests_mock.Mocker() as mock:
        serve(mock, page(CONVERSATION), calls)
        read(SourceOpenphoneCalls(), CONFIG, catalog_for("openphone"))
        assert sent(mock)[2:] == [
            f"{CALLS}&maxResults=100",
            f"{CALLS}&pageToken=12e5&maxResults=100",
            f"{CALLS}&pageToken=007&maxResults=100",
            f"{CALLS}&pageToken=1_0&maxResults=100",
        ]


def test_the_start_date_is_sent_as_a_hint_one_day_early() -> None:
    with requests_mock.Mocker() as mock:
        serve(mock, page(CONVERSATION), page(call("AC1", "US1"), call("AC2", "US2")))
        config = {**CONFIG, "start_date": "2026-01-03T00:00:00Z"}
        found = records(read(SourceOpenphoneCalls(), config, catalog_for("openphone")))
        assert [record["id"] for record in found] == ["AC1", "AC2"]
        assert sent(mock)[2:] == [f"{CALLS}&createdAfter=2026-01-02T00%3A00%3A00Z&maxResults=100"]


def test_conversations_that_cannot_be_asked_for_are_left_out_and_counted(
    caplog: Any,
) -> None:
    others: list[Any] = [["+15550001111", "+15550002222"], ["Anonymous"], ["72345"], [], None]
    with requests_mock.Mocker() as mock:
        conversations = [
            {**CONVERSATION, "id": f"CN{n}", "participants": other}
            for n, other in enumerate(others)
        ]
        serve(mock, page(*conversations), page())
        with caplog.at_level("WARNING"):
            read(SourceOpenphoneCalls(), CONFIG, catalog_for("openphone"))
        assert sent(mock) == ["/phone-numbers", "/conversations?phoneNumbers=PN5e3&maxResults=100"]
        (warning,) = [r.getMessage() for r in caplog.records if "conversations" in r.getMessage()]
        assert warning.startswith("5 conversations could not be asked for calls")


def test_check_reads_the_phone_numbers_and_costs_one_request() -> None:
    with requests_mock.Mocker() as mock:
        serve(mock, page(), page())
        status = SourceOpenphoneCalls().check(LOGGER, CONFIG)
        assert (status.status.value, status.message) == ("SUCCEEDED", None)
        assert sent(mock) == ["/phone-numbers"]


def test_without_a_state_conversations_of_any_time_are_read() -> None:
    times = {
        "CN1990": "1990-01-01T00:00:00.000Z",
        "CN1995": "1995-06-01T00:00:00Z",
        "CN0": "0001-01-01T00:00:00Z",
        "CNx": "soon",
        "CN2026": "2026-01-05T00:00:00.000Z",
    }
    conversations = [
        {**CONVERSATION, "id": name, "participants": [f"+1555{n:07d}"], "createdAt": None}
        | {"updatedAt": time}
        for n, (name, time) in enumerate(times.items())
    ]

    def one_call(request: Any, _: Any) -> dict[str, object]:
        (participant,) = request.qs["participants"]
        return page({**call(f"AC{participant[-1]}", "US1"), "participants": [participant]})

    with requests_mock.Mocker() as mock:
        serve(mock, page(*conversations), one_call)
        messages = read(SourceOpenphoneCalls(), CONFIG, catalog_for("openphone"))
        assert {record["id"] for record in records(messages)} == {f"AC{n}" for n in range(5)}
