"""The stream `users`: the requests that are sent, and what becomes of the answers."""

from typing import Any

import pytest
import requests_mock
from source_openphone_calls import SourceOpenphoneCalls

from integration_tests.commands import catalog_for
from integration_tests.in_process import read, records

URL = "https://api.openphone.com/v1/users"
HEADERS = {
    "Accept": "application/json",
    "Authorization": "12e5",
    "User-Agent": "source-openphone-calls",
}
USER = {
    "id": "US007",
    "email": "hiro@example.com",
    "firstName": "Hiro",
    "lastName": "田中",
    "role": "member",
    "groupId": "GR1",
}
ROW = {
    "provider": "openphone",
    "id": "US007",
    "name": "Hiro 田中",
    "email": "hiro@example.com",
    "role": "member",
}


def users_of(*pages: list[Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    """The rows of some pages, each of which names the next one, and the requests for them."""
    with requests_mock.Mocker() as mock:
        for number, listed in enumerate(pages):
            token = f"{number + 1}e5" if number + 1 < len(pages) else None
            query = f"?pageToken={number}e5" if number else "?maxResults=50"
            body = {"data": listed, "totalItems": 0, "nextPageToken": token}
            mock.get(f"{URL}{query}", json=body)
        catalog = catalog_for("openphone", "users")
        messages = read(SourceOpenphoneCalls(), {"api_key": "12e5"}, catalog)
        return records(messages, "users"), mock.request_history


def test_pages_of_fifty_until_there_is_no_token() -> None:
    rows, sent = users_of([USER, {**USER, "id": "US5e3"}], [{**USER, "id": "US9"}])
    assert rows == [ROW, {**ROW, "id": "US5e3"}, {**ROW, "id": "US9"}]
    queries = ["maxResults=50", "maxResults=50&pageToken=1e5"]
    found = ["&".join(sorted(request.url.partition("?")[2].split("&"))) for request in sent]
    assert found == queries
    assert {request.url.partition("?")[0] for request in sent} == {URL}
    for request in sent:
        assert {name: request.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"lastName": None}, {"name": "Hiro"}),
        ({"firstName": "", "lastName": None}, {"name": None}),
        ({"email": None, "role": None}, {"email": None, "role": None}),
    ],
)
def test_what_is_not_said_is_null(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    rows, _ = users_of([{**USER, **fields}])
    assert rows == [{name: value for name, value in {**ROW, **changed}.items() if value}]
