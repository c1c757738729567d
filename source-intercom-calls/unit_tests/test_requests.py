"""The requests that the connector sends: path, every query parameter, headers."""

from typing import Any
from unittest.mock import patch

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteCatalogSerializer, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from source_intercom_calls import SourceIntercomCalls

from calls_shared.http.budget import CallBudget
from integration_tests.commands import catalog_for
from integration_tests.in_process import LOGGER, last_state, read, records, state_of

HOSTS = {None: "api", "us": "api", "eu": "api.eu", "au": "api.au"}
URL = "https://api.intercom.io/calls"
HEADERS = {
    "Accept": "application/json",
    "Authorization": "Bearer 007",
    "Intercom-Version": "2.14",
    "User-Agent": "source-intercom-calls",
}
CONFIG = {"access_token": "007", "num_workers": 1}


def call(number: int) -> dict[str, object]:
    moment = 1_767_225_600 + number * 86_400  # 2026-01-01 and so many days
    return {"type": "call", "id": f"{number:03d}", "created_at": moment, "updated_at": moment}


def page(*calls: dict[str, object], pages: object, total: int | None) -> dict[str, object]:
    body: dict[str, object] = {"type": "list", "data": list(calls), "pages": pages}
    return body if total is None else {**body, "total_count": total}


def numbers(page_number: int, total_pages: int) -> dict[str, object]:
    return {"type": "pages", "page": page_number, "per_page": 25, "total_pages": total_pages}


def sent(mock: requests_mock.Mocker) -> list[tuple[str, dict[str, str]]]:
    return [
        (request.url, {name: request.headers[name] for name in HEADERS})
        for request in mock.request_history
    ]


@pytest.mark.parametrize("region", HOSTS)
def test_the_region_chooses_the_host(region: str | None) -> None:
    url = f"https://{HOSTS[region]}.intercom.io/calls"
    config = CONFIG if region is None else {**CONFIG, "region": region}
    with requests_mock.Mocker() as mock:
        mock.get(url, json=page(call(1), pages=numbers(1, 1), total=1))
        read(SourceIntercomCalls(), config, catalog_for("intercom"))
        # a full page is no end: the next one repeats it
        assert sent(mock) == [(f"{url}?page={n}&per_page=25", HEADERS) for n in (1, 2)]


@pytest.mark.parametrize("next_page", [{"per_page": 25, "starting_after": "x"}, URL, None])
def test_pages_by_number_whatever_next_says(next_page: object) -> None:
    with requests_mock.Mocker() as mock:
        for number in (1, 2, 3):
            pages = {**numbers(number, 3), "next": next_page}
            mock.get(f"{URL}?page={number}", json=page(call(number), pages=pages, total=3))
        end = {**numbers(4, 3), "next": next_page}
        mock.get(f"{URL}?page=4", json=page(pages=end, total=3))
        found = records(read(SourceIntercomCalls(), CONFIG, catalog_for("intercom")))
        assert [record["id"] for record in found] == ["001", "002", "003"]
        assert sent(mock) == [(f"{URL}?page={n}&per_page=25", HEADERS) for n in (1, 2, 3, 4)]


def test_without_pages_the_total_tells_the_last_page() -> None:
    with requests_mock.Mocker() as mock:
        first = [call(number) for number in range(1, 26)]
        mock.get(f"{URL}?page=1", json=page(*first, pages=None, total=26))
        mock.get(f"{URL}?page=2", json=page(call(26), pages=None, total=26))
        found = records(read(SourceIntercomCalls(), CONFIG, catalog_for("intercom")))
        assert [record["id"] for record in found] == [f"{n:03d}" for n in range(1, 27)]
        assert [url for url, _ in sent(mock)] == [f"{URL}?page={n}&per_page=25" for n in (1, 2)]


def test_without_pages_and_total_until_an_empty_page() -> None:
    with requests_mock.Mocker() as mock:
        for number in (1, 2):
            mock.get(f"{URL}?page={number}", json=page(call(number), pages=None, total=None))
        mock.get(f"{URL}?page=3", json=page(pages=None, total=None))
        messages = read(SourceIntercomCalls(), CONFIG, catalog_for("intercom"))
        found = records(messages)
        assert [record["id"] for record in found] == ["001", "002"]
        asked = [int(request.qs["page"][0]) for request in mock.request_history]
        assert asked == [1, 2, 3]  # nothing announces that anything is missing
        state = last_state(messages)
        assert state["updated_at"] == state["complete"]["cursor"] == "2026-01-03T00:00:00.000000Z"
        assert state["inventory"]["months"].keys() == {"2026-01"}


def test_what_is_listed_is_read_twice_whatever_the_start_date() -> None:
    with requests_mock.Mocker() as mock:
        for number in (1, 2):
            body = page(call(number), pages=numbers(number, 2), total=2)
            mock.get(f"{URL}?page={number}", json=body)
        mock.get(f"{URL}?page=3", json=page(pages=numbers(3, 2), total=2))
        config = {**CONFIG, "start_date": "2030-01-01T00:00:00Z"}
        catalog = catalog_for("intercom", "listed_calls")
        found = records(read(SourceIntercomCalls(), config, catalog), "listed_calls")
        assert found == [{"provider": "intercom", "id": name} for name in ("001", "002")]
        pages = [(f"{URL}?page={n}&per_page=25", HEADERS) for n in (1, 2, 3)]
        assert sent(mock) == [*pages, *pages]


def synced(state: list[dict[str, Any]], until: int) -> tuple[list[str], list[dict[str, Any]]]:
    """Ids and state of a sync some days after New Year, which lists a call a day on one page."""
    with requests_mock.Mocker() as mock:
        now = {"Date": f"{until + 1:02d} Jan 2026 12:00:00 GMT"}
        calls = [call(number) for number in range(1, until + 1)]
        for number, listed in ((1, calls), (2, [])):
            body = page(*listed, pages=numbers(number, 1), total=until)
            mock.get(f"{URL}?page={number}", json=body, headers=now)
        messages = read(SourceIntercomCalls(), CONFIG, catalog_for("intercom"), state)
        assert [url for url, _ in sent(mock)] == [f"{URL}?page={n}&per_page=25" for n in (1, 2)]
    return [record["id"] for record in records(messages)], state_of("calls", last_state(messages))


def test_state_and_lookback_choose_on_our_side_only() -> None:
    first, state = synced([], 17)
    assert first == [f"{n:03d}" for n in range(1, 18)]
    second, _ = synced(state, 20)
    assert second == [f"{n:03d}" for n in range(10, 21)]


def test_a_state_of_0_1_0_brings_everything_once() -> None:
    state = state_of("calls", {"updated_at": "2026-01-18T00:00:00.000000Z"})
    first, state = synced(state, 20)
    assert first == [f"{n:03d}" for n in range(1, 21)]
    second, _ = synced(state, 20)
    assert second == [f"{n:03d}" for n in range(13, 21)]


def test_calls_by_id_asks_for_each_id_unchanged_and_skips_unknown_ones() -> None:
    config = {**CONFIG, "call_ids": ["007", "12e5", "1_000", "gone"]}
    with requests_mock.Mocker() as mock:
        for call_id in ("007", "12e5", "1_000"):
            mock.get(f"{URL}/{call_id}", json={**call(1), "id": call_id})
        gone = {"type": "error.list", "errors": [{"code": "not_found", "message": "Not Found"}]}
        mock.get(f"{URL}/gone", status_code=404, json=gone)
        catalog = catalog_for("intercom", "calls_by_id")
        found = records(read(SourceIntercomCalls(), config, catalog), "calls_by_id")
        assert sorted(record["id"] for record in found) == ["007", "12e5", "1_000"]
        urls = sorted(request.url for request in mock.request_history)
        assert urls == [f"{URL}/007", f"{URL}/12e5", f"{URL}/1_000", f"{URL}/gone"]
        assert all(headers == HEADERS for _, headers in sent(mock))


@pytest.mark.parametrize("call_ids", [None, [], ["1"]])
def test_calls_by_id_is_offered_only_with_ids(call_ids: list[str] | None) -> None:
    config = CONFIG if call_ids is None else {**CONFIG, "call_ids": call_ids}
    catalog = SourceIntercomCalls().discover(LOGGER, config)
    about_calls = ["call_transcripts", "call_recordings"]
    others = ["listed_calls", "users", *(["calls_by_id"] if call_ids else [])]
    expected = ["calls", *about_calls, *others]
    assert [stream.name for stream in catalog.streams] == expected


def test_check_costs_one_request() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(call(1), pages=numbers(1, 9), total=200))
        status = SourceIntercomCalls().check(
            LOGGER, {**CONFIG, "start_date": "2030-01-01T00:00:00Z"}
        )
        assert (status.status.value, status.message) == ("SUCCEEDED", None)
        assert sent(mock) == [(f"{URL}?page=1&per_page=25", HEADERS)]


def test_the_start_date_is_compared_with_the_start_of_the_call() -> None:
    """Not with the creation of its record, which may be logged late."""
    start = {number: call(number)["created_at"] for number in (1, 9)}
    logged_late = {**call(9), "initiated_at": start[1]}
    planned_early = {**call(1), "initiated_at": start[9]}
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(logged_late, planned_early, pages=numbers(1, 1), total=2))
        config = {**CONFIG, "start_date": "2026-01-06T00:00:00Z"}
        found = records(read(SourceIntercomCalls(), config, catalog_for("intercom")))
        assert [record["id"] for record in found] == ["001"]


def test_without_a_state_calls_of_any_time_are_read() -> None:
    times = [631_152_000, 0, -1, "0001-01-01T00:00:00Z", "soon", 915_200_000]
    calls = [{**call(n), "created_at": at, "updated_at": at} for n, at in enumerate(times)]
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(*calls, pages=numbers(1, 1), total=6))
        found = records(read(SourceIntercomCalls(), CONFIG, catalog_for("intercom")))
        assert {record["id"]: record.get("updated_at") for record in found} == {
            "000": "1990-01-01T00:00:00Z",
            "001": None,
            "002": None,
            "003": None,
            "004": None,
            "005": "1999-01-01T14:13:20Z",
        }


def failing_id(status: int, body: object) -> tuple[list[str], AirbyteTracedException | None, int]:
    """Ids read of three in `call_ids` of which the second is answered so; the failure; requests."""
    config = {**CONFIG, "call_ids": ["001", "002", "003"]}
    messages: list[AirbyteMessage] = []
    failure = None
    with requests_mock.Mocker() as mock, patch.object(CallBudget, "sleep"):
        for call_id in ("001", "003"):
            mock.get(f"{URL}/{call_id}", json={**call(1), "id": call_id})
        mock.get(f"{URL}/002", status_code=status, json=body)
        mock.get(URL, json=page(call(9), pages=numbers(1, 1), total=1))
        catalog = ConfiguredAirbyteCatalogSerializer.load(
            catalog_for("intercom", "calls_by_id", "calls")
        )
        try:
            for message in SourceIntercomCalls().read(LOGGER, config, catalog, []):
                messages.append(message)
        except AirbyteTracedException as caught:
            failure = caught
        count = sum(request.path == "/calls/002" for request in mock.request_history)
    return sorted(m.record.data["id"] for m in messages if m.record is not None), failure, count


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_id_that_is_refused_is_that_ids_fault(status: int, caplog: Any) -> None:
    body = {"type": "error.list", "errors": [{"code": "parameter_invalid", "message": "No"}]}
    with caplog.at_level("WARNING"):
        found, failure, _ = failing_id(status, body)
    assert (found, failure) == (["001", "003", "009"], None)
    warnings = [record.getMessage() for record in caplog.records]
    assert any(w.startswith("1 of the call_ids") and f"HTTP {status}" in w for w in warnings)


def test_an_id_that_may_not_be_read_fails_alone() -> None:
    body = {"type": "error.list", "errors": [{"code": "forbidden", "message": "Not yours"}]}
    found, failure, count = failing_id(403, body)
    assert found == ["001", "003", "009"]
    assert count == 1
    assert failure is not None
    assert failure.failure_type is FailureType.config_error
    assert "the call 002 of call_ids (HTTP 403)" in (failure.message or "")


@pytest.mark.parametrize(
    ("status", "body"), [(403, {"message": "Forbidden"}), (404, {"statusCode": 404}), (404, [])]
)
def test_a_gateway_that_refuses_an_id_is_tried_again(status: int, body: object) -> None:
    found, failure, count = failing_id(status, body)
    assert found == ["001", "003", "009"]
    assert count == 8
    assert failure is not None
    assert failure.failure_type is FailureType.transient_error
    assert "call_ids" not in (failure.message or "")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "list", "data": [], "errors": [{"code": "unauthorized", "message": "Bad token"}]},
        {"data": [], "success": False, "status": 401, "message": "Bad token"},
    ],
)
def test_check_does_not_believe_an_error_beside_an_empty_list(body: object) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=body)
        status = SourceIntercomCalls().check(LOGGER, CONFIG)
    assert status.status.value == "FAILED"
    assert "Check the value of access_token" in (status.message or "")
    assert "Bad token" in (status.message or "")


def test_check_of_an_empty_workspace_succeeds() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json={**page(pages=numbers(1, 0), total=0), "errors": []})
        status = SourceIntercomCalls().check(LOGGER, CONFIG)
    assert status.status.value == "SUCCEEDED"


@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "still refuses because of its rate limit"), (503, "could not answer (HTTP 503).")],
)
def test_check_does_not_wait_for_an_hour_and_does_not_say_that_it_did(
    status: int, words: str
) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, status_code=status, headers={"Retry-After": "3600"})
        found = SourceIntercomCalls().check(LOGGER, CONFIG)
        assert mock.call_count == 1
    assert found.status.value == "FAILED"
    assert words in (found.message or "")
    assert "resume" not in (found.message or "")
    assert "trying again" not in (found.message or "")
