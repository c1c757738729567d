"""The requests that the connector sends: path, every query parameter, headers."""

from base64 import b64encode
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from source_aircall_calls import SourceAircallCalls

from calls_shared import CallsSource
from integration_tests.in_process import LOGGER, last_state, read, records

URL = "https://api.aircall.io/v1/calls"
REST = "per_page=50"
CONFIG = {"api_id": "12e5", "api_token": "+14", "num_workers": 1}
HEADERS = {
    "Accept": "application/json",
    "Authorization": f"Basic {b64encode(b'12e5:+14').decode()}",  # neither part becomes a number
    "User-Agent": "source-aircall-calls",
}
CATALOG = {
    "streams": [
        {
            "stream": {
                "name": "calls",
                "json_schema": {},
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        }
    ]
}


def call(number: int) -> dict[str, object]:
    return {"id": number, "status": "done", "started_at": 1_767_225_600 + number}


def page(number: int, total: int, *calls: dict[str, object]) -> dict[str, Any]:
    meta = {"count": len(calls), "total": total, "current_page": number, "per_page": 50}
    return {"meta": meta, "calls": list(calls)}


def sent(mock: requests_mock.Mocker) -> list[tuple[str, dict[str, str]]]:
    return [
        (request.url, {name: request.headers[name] for name in HEADERS})
        for request in mock.request_history
    ]


def test_pages_one_after_another_until_all_that_is_announced_came() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}?page=1", json=page(1, 3, call(1), call(2)))
        mock.get(f"{URL}?page=2", json=page(2, 3, call(3)))
        messages = read(SourceAircallCalls(), CONFIG, CATALOG)
        assert [record["id"] for record in records(messages)] == ["1", "2", "3"]
        assert sent(mock) == [(f"{URL}?order=asc&page={n}&{REST}", HEADERS) for n in (1, 2)]
    assert last_state(messages)["updated_at"] == "2026-01-01T00:00:03.000000Z"


def test_a_list_as_large_as_the_wall_is_halved() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=lambda request, _: answer(request.qs))
        found = records(read(SourceAircallCalls(), CONFIG, CATALOG))
        assert sorted({record["id"] for record in found}) == ["1", "2"]
        queries = [request.qs for request in mock.request_history]
    assert [sorted(query.keys() - {"per_page", "order", "page"}) for query in queries[:5]] == [
        [],
        *[["to"]] * 2,  # a full page is no end
        *[["from"]] * 2,
    ]
    (middle,) = queries[1]["to"]
    assert queries[3]["from"] == [middle]  # shared by the two
    assert 631_152_000 < int(middle) < 1_900_000_000


def answer(query: dict[str, list[str]]) -> dict[str, Any]:
    """As many as the wall on a full page, one before the middle, the others in it or behind it."""
    total, calls = {"to": (1, [1]), "from": (2, [1, 2])}.get(
        next(iter(query.keys() & {"to", "from"}), ""), (10_000, [1] * 50)
    )
    return page(int(query["page"][0]), total, *map(call, calls if query["page"] == ["1"] else []))


def test_check_costs_one_request() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(1, 20_000, call(1)))
        config = {**CONFIG, "start_date": "2030-01-01T00:00:00Z"}
        status = SourceAircallCalls().check(LOGGER, config)
        assert (status.status.value, status.message) == ("SUCCEEDED", None)
        assert sent(mock) == [(f"{URL}?order=asc&page=1&{REST}", HEADERS)]


def test_an_empty_company_passes_check() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(1, 0))
        status = SourceAircallCalls().check(LOGGER, CONFIG)
        assert status.status.value == "SUCCEEDED"


@pytest.mark.parametrize(
    ("status", "body", "failure_type", "fragment"),
    [
        (
            403,
            {"error": "Forbidden", "troubleshoot": "Check your API token"},
            FailureType.config_error,
            "Check the values of api_id and api_token: they may be mistyped or revoked. Aircall"
            " says: Check your API token",
        ),
        (
            401,
            {"error": "Unauthorized", "troubleshoot": ""},
            FailureType.config_error,
            "Check the value of api_id and api_token: it may be mistyped, revoked or expired."
            " Aircall says: Unauthorized",
        ),
        (
            400,
            {"error": "Bad Request", "troubleshoot": "order is wrong"},
            FailureType.system_error,
            "Aircall refused the request (HTTP 400) and says: order is wrong",
        ),
    ],
)
def test_refusals(status: int, body: object, failure_type: FailureType, fragment: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, status_code=status, json=body)
        with pytest.raises(AirbyteTracedException) as caught:
            read(SourceAircallCalls(), CONFIG, CATALOG)
        assert mock.call_count == 1
    assert caught.value.failure_type is failure_type
    assert fragment in (caught.value.message or "")


def test_it_is_a_source_without_constructor_arguments() -> None:
    assert isinstance(SourceAircallCalls(), CallsSource)
