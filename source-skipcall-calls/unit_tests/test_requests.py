"""The requests that the connector sends: path, every query parameter, headers."""

from typing import Any
from unittest.mock import patch

import pytest
import requests_mock
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from source_skipcall_calls import SourceSkipcallCalls

from calls_shared import CallsSource
from calls_shared.http.budget import CallBudget
from integration_tests.commands import catalog_for
from integration_tests.in_process import LOGGER, last_state, read, records, state_of

URL = "https://api-public.skipcall.app/v1/calls"
HEADERS = {
    "Accept": "application/json",
    "Authorization": "Bearer 12e5",
    "User-Agent": "source-skipcall-calls",
}
CONFIG = {"api_key": "12e5", "num_workers": 1}
SORT = "&orderBy=createdAt&order=desc"
"""A hint: page "List calls" has the parameters, but not how they are encoded."""


def call(number: int) -> dict[str, object]:
    return {
        "id": f"id-{number}",
        "createdAt": f"2026-01-{number:02d}T00:00:00.000Z",
        "updatedAt": f"2026-01-{number:02d}T00:00:00.000Z",
    }


def page(number: int, of: int, *calls: dict[str, object], total: int, limit: int = 100) -> object:
    return {
        "data": list(calls),
        "total": total,
        "page": number,
        "limit": limit,
        "totalPages": of,
    }


def sent(mock: requests_mock.Mocker) -> list[tuple[str, dict[str, str]]]:
    found = []
    for request in mock.request_history:
        headers = {name: request.headers[name] for name in HEADERS}
        found.append((request.url, headers))
    return found


def test_pages_one_after_another_until_the_announced_last() -> None:
    with requests_mock.Mocker() as mock:
        # the server silently cuts the limit to 2: a page shorter than asked is not the last one
        mock.get(f"{URL}?page=1", json=page(1, 3, call(1), call(2), total=5, limit=2))
        mock.get(f"{URL}?page=2", json=page(2, 3, call(3), call(4), total=5, limit=2))
        mock.get(f"{URL}?page=3", json=page(3, 3, call(5), total=5, limit=2))
        found = records(read(SourceSkipcallCalls(), CONFIG, catalog_for("skipcall")))
        assert [record["id"] for record in found] == ["id-1", "id-2", "id-3", "id-4", "id-5"]
        assert sent(mock) == [
            (f"{URL}?page=1&limit=100{SORT}", HEADERS),
            (f"{URL}?page=2&limit=100{SORT}", HEADERS),
            (f"{URL}?page=3&limit=100{SORT}", HEADERS),
        ]


def test_workspaces_and_no_other_parameter() -> None:
    ids = ["550e8400-e29b-41d4-a716-446655440000", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(1, 1, call(1), total=1))
        config = {**CONFIG, "workspace_ids": ids, "start_date": "2020-01-01T00:00:00Z"}
        read(SourceSkipcallCalls(), config, catalog_for("skipcall"))
        url = f"{URL}?workspaceIds={ids[0]}%2C{ids[1]}"
        # a full page is no end: the next one repeats it
        assert sent(mock) == [(f"{url}&page={n}&limit=100{SORT}", HEADERS) for n in (1, 2)]


def synced(state: list[dict[str, Any]], until: int) -> tuple[list[str], list[dict[str, Any]]]:
    """Ids and state of a sync on that day of January, which lists a call a day on one page."""
    with requests_mock.Mocker() as mock:
        now = {"Date": f"{until:02d} Jan 2026 12:00:00 GMT"}
        calls = [call(number) for number in range(1, until + 1)]
        mock.get(URL, json=page(1, 1, *calls, total=until), headers=now)
        mock.get(f"{URL}?page=2", json=page(2, 1, total=until), headers=now)
        config = {**CONFIG, "lookback_days": 3}
        messages = read(SourceSkipcallCalls(), config, catalog_for("skipcall"), state)
        assert sent(mock) == [(f"{URL}?page={n}&limit=100{SORT}", HEADERS) for n in (1, 2)]
    return [record["id"] for record in records(messages)], state_of("calls", last_state(messages))


def test_state_and_lookback_choose_on_our_side_only() -> None:
    first, state = synced([], 18)
    assert first == [f"id-{n}" for n in range(1, 19)]
    second, _ = synced(state, 20)
    assert second == [f"id-{n}" for n in range(15, 21)]


def test_a_state_of_0_1_0_brings_everything_once() -> None:
    state = state_of("calls", {"updated_at": "2026-01-18T00:00:00.000000Z"})
    first, state = synced(state, 20)
    assert first == [f"id-{n}" for n in range(1, 21)]
    second, _ = synced(state, 20)
    assert second == [f"id-{n}" for n in range(17, 21)]


def test_a_state_that_was_written_by_hand_says_from_where_on() -> None:
    found, _ = synced(state_of("calls", {"updated_at": "2026-01-18T00:00:00Z"}), 20)
    assert found == [f"id-{n}" for n in range(15, 21)]


def test_what_is_listed_is_read_twice_of_all_workspaces() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}?page=1", json=page(1, 2, call(1), call(2), total=3, limit=2))
        mock.get(f"{URL}?page=2", json=page(2, 2, call(3), total=3, limit=2))
        config = {**CONFIG, "workspace_ids": ["550e8400-e29b-41d4-a716-446655440000"]}
        catalog = catalog_for("skipcall", "listed_calls")
        found = records(read(SourceSkipcallCalls(), config, catalog), "listed_calls")
        assert found == [{"provider": "skipcall", "id": f"id-{n}"} for n in (1, 2, 3)]
        asked = [request.qs for request in mock.request_history]
        assert [query.pop("page") for query in asked] == [["1"], ["2"], ["1"], ["2"]]
        assert not [query for query in asked if "workspaceids" in query]


def test_check_costs_one_request() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(1, 3, call(1), total=3))
        config = {**CONFIG, "start_date": "2030-01-01T00:00:00Z"}
        status = SourceSkipcallCalls().check(LOGGER, config)
        assert (status.status.value, status.message) == ("SUCCEEDED", None)
        assert sent(mock) == [(f"{URL}?page=1&limit=100{SORT}", HEADERS)]


def test_an_empty_workspace_passes_check() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(1, 0, total=0))
        status = SourceSkipcallCalls().check(LOGGER, CONFIG)
        assert status.status.value == "SUCCEEDED"


@pytest.mark.parametrize(
    ("body", "failure_type", "fragment", "requests"),
    [
        # the body for workspaces out of scope is not documented: it may look like a gateway's
        ({"message": "Forbidden"}, FailureType.transient_error, "If workspace_ids is set", 8),
        (
            {"error": {"code": "FORBIDDEN", "message": "Out of scope"}},
            FailureType.config_error,
            "If workspace_ids is set, remove the ids",
            1,
        ),
    ],
)
def test_a_403(body: object, failure_type: FailureType, fragment: str, requests: int) -> None:
    with requests_mock.Mocker() as mock, patch.object(CallBudget, "sleep"):
        mock.get(URL, status_code=403, json=body)
        with pytest.raises(AirbyteTracedException) as caught:
            read(SourceSkipcallCalls(), CONFIG, catalog_for("skipcall"))
        assert mock.call_count == requests
    assert caught.value.failure_type is failure_type
    assert fragment in (caught.value.message or "")


def test_it_is_a_source_without_constructor_arguments() -> None:
    assert isinstance(SourceSkipcallCalls(), CallsSource)
