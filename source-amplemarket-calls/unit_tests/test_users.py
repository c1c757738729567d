"""The streams `users` and `call_dispositions`: the requests, and what becomes of the answers."""

from typing import Any

import pytest
import requests_mock
from source_amplemarket_calls import SourceAmplemarketCalls

from integration_tests.commands import catalog_for
from integration_tests.in_process import read, records

URL = "https://api.amplemarket.com"
HEADERS = {
    "Accept": "application/json",
    "Authorization": "Bearer 1_000",
    "User-Agent": "source-amplemarket-calls",
}
USER = {
    "id": "0b5c1e52-0000-4000-8000-000000000001",
    "name": "Joe Example",
    "email": "joe@example.com",
    "status": "active",
    "role": "sales_rep",
    "mailboxes": [{"id": "m1", "email": "joe@example.com"}],
}
ROW = {
    "provider": "amplemarket",
    "id": "0b5c1e52-0000-4000-8000-000000000001",
    "name": "Joe Example",
    "email": "joe@example.com",
    "role": "sales_rep",
    "is_active": True,
}
DISPOSITION = {"id": "d1", "name": "Connected", "slug": "connected", "action": "complete"}
PATHS = {"users": ("/users", "users"), "call_dispositions": ("/calls/dispositions", "dispositions")}


def rows_of(stream: str, *pages: list[Any], **more: Any) -> tuple[list[dict[str, Any]], list[Any]]:
    """The rows of some pages, each of which names the next one, and the requests for them."""
    path, key = PATHS[stream]
    config = {"api_key": "1_000", "start_date": "2026-01-01T00:00:00Z"}
    with requests_mock.Mocker() as mock:
        for number, listed in enumerate(pages):
            query = "" if number == 0 else f"?page[size]=20&page[after]={number}"
            following = {"href": f"{path}?page[size]=20&page[after]={number + 1}"}
            links = {"next": following} if number + 1 < len(pages) else {}
            mock.get(f"{URL}{path}{query}", json={key: listed, "_links": links, **more})
        messages = read(SourceAmplemarketCalls(), config, catalog_for("amplemarket", stream))
        return records(messages, stream), mock.request_history


@pytest.mark.parametrize("stream", PATHS)
def test_links_are_followed_from_a_bare_request_on(stream: str) -> None:
    """The largest page is not documented, so that none is asked for; dates are of calls."""
    listed = [[{"id": "a"}, {"id": "b"}], [{"id": "c"}], [{"id": "5e3"}]]
    rows, sent = rows_of(stream, *listed)
    assert rows == [{"provider": "amplemarket", "id": name} for name in ("a", "b", "c", "5e3")]
    path = PATHS[stream][0]
    assert [request.url for request in sent] == [
        f"{URL}{path}",
        f"{URL}{path}?page%5Bsize%5D=20&page%5Bafter%5D=1",
        f"{URL}{path}?page%5Bsize%5D=20&page%5Bafter%5D=2",
    ]
    for request in sent:
        assert {name: request.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, {}),
        ({"status": "deactivated"}, {"is_active": False}),
        ({"status": None}, {"is_active": None}),
        ({"status": ""}, {"is_active": None}),
        ({"role": None, "name": ""}, {"role": None, "name": None}),
    ],
)
def test_active_is_who_is_called_so(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    rows, _ = rows_of("users", [{**USER, **fields}])
    wanted = {**ROW, **changed}
    assert rows == [{name: value for name, value in wanted.items() if value is not None}]


def test_dispositions_keep_their_words() -> None:
    later = {"id": "d2", "name": "Später", "slug": None, "action": "next_stage"}
    rows, _ = rows_of("call_dispositions", [DISPOSITION, later], _links=None)
    assert rows == [
        {"provider": "amplemarket", **DISPOSITION},
        {"provider": "amplemarket", "id": "d2", "name": "Später", "action": "next_stage"},
    ]
