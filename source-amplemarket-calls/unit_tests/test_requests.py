"""The requests that the connector sends: path, every query parameter, headers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from source_amplemarket_calls import SourceAmplemarketCalls

from integration_tests.commands import catalog_for
from integration_tests.in_process import LOGGER, last_state, read, records, state_of

URL = "https://api.amplemarket.com/calls"
HEADERS = {
    "Accept": "application/json",
    "Authorization": "Bearer 1_000",
    "User-Agent": "source-amplemarket-calls",
}
CONFIG = {"api_key": "1_000"}
NEWEST = datetime(2026, 6, 1, tzinfo=UTC)


def call(days_old: int) -> dict[str, object]:
    """A call that was created so many days before 2026-06-01."""
    moment = NEWEST - timedelta(days=days_old)
    digits = f"{int(moment.timestamp() * 1000):012x}"
    identifier = f"{digits[:8]}-{digits[8:]}-7000-8000-{days_old:012d}"
    return {"id": identifier, "start_date": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def page(*calls: dict[str, object], link: str | None) -> dict[str, object]:
    links: dict[str, object] = {"self": {"href": "/calls"}}
    if link is not None:
        links["next"] = {"href": link}
    return {"calls": list(calls), "_links": links}


def encoded(link: str) -> str:
    """The same link as it travels: brackets percent-encoded, all else as it stands."""
    return link.replace("[", "%5B").replace("]", "%5D")


def sent(mock: requests_mock.Mocker) -> list[tuple[str, dict[str, str]]]:
    return [
        (request.url, {name: request.headers[name] for name in HEADERS})
        for request in mock.request_history
    ]


@pytest.mark.parametrize(
    "base",
    [
        "",
        "https://api.amplemarket.com",
        "http://api.amplemarket.com",
        "https://API.Amplemarket.com:443",
        "//api.amplemarket.com",
    ],
)
def test_the_link_is_followed_as_it_stands(base: str) -> None:
    first_page = f"{URL}?page%5Bsize%5D=100"
    link = "/calls?page[size]=2&page[after]=12e5&x=%2B1"
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}?page[size]=100", json=page(call(0), call(1), link=base + link))
        mock.get(f"https://api.amplemarket.com{link}", json=page(call(2), link=None))
        found = records(read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket")))
        assert [record["id"] for record in found] == [call(n)["id"] for n in (0, 1, 2)]
        assert sent(mock) == [
            (first_page, HEADERS),
            (f"https://api.amplemarket.com{encoded(link)}", HEADERS),
        ]


def test_the_start_date_is_sent_as_a_hint_one_day_early_and_only_once() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(call(0), call(40), link="/calls?page[after]=1"))
        mock.get(f"{URL}?page[after]=1", json=page(call(50), link=None))
        config = {**CONFIG, "start_date": "2026-05-01T06:00:00Z"}
        found = records(read(SourceAmplemarketCalls(), config, catalog_for("amplemarket")))
        assert [record["id"] for record in found] == [call(0)["id"]]
        assert [url for url, _ in sent(mock)] == [
            f"{URL}?page%5Bsize%5D=100&start_date_from=2026-04-30T06%3A00%3A00Z",
            encoded(f"{URL}?page[after]=1"),
        ]


def chain(mock: requests_mock.Mocker, *pages: list[dict[str, object]]) -> None:
    for number, calls in enumerate(pages):
        link = f"/calls?page[after]=p{number + 1}" if number + 1 < len(pages) else None
        url = f"{URL}?page[after]=p{number}" if number else f"{URL}?page[size]=100"
        mock.get(url, json=page(*calls, link=link))


def test_what_is_listed_is_read_once_and_without_a_date() -> None:
    with requests_mock.Mocker() as mock:
        chain(mock, [call(0), call(40)], [call(50)])
        config = {**CONFIG, "start_date": "2026-05-01T06:00:00Z"}
        catalog = catalog_for("amplemarket", "listed_calls")
        found = records(read(SourceAmplemarketCalls(), config, catalog), "listed_calls")
        ids = [call(number)["id"] for number in (0, 40, 50)]
        assert found == [{"provider": "amplemarket", "id": name} for name in ids]
        assert [url for url, _ in sent(mock)] == [
            f"{URL}?page%5Bsize%5D=100",
            encoded(f"{URL}?page[after]=p1"),
        ]


OF_0_1_0 = state_of("calls", {"created_at": "2026-05-30T00:00:00.000000Z"})


def state_after(hours: float, *months: str) -> list[dict[str, Any]]:
    """A state at 30 May (less 7 days: 23 May) whose list was read to its end so long ago.

    `months` are those that the inventory knows.
    """
    at = (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    cursor = "2026-05-30T00:00:00.000000Z"
    inventory = {"until": cursor, "months": dict.fromkeys(months, "7:00000000000000a7")}
    complete = {"at": at, "cursor": cursor}
    state = {"created_at": cursor, "complete": complete, "inventory": inventory, "scope": {}}
    return state_of("calls", state)


STATE = state_after(hours=1)


def test_an_incremental_sync_stops_on_proof() -> None:
    with requests_mock.Mocker() as mock:
        chain(mock, [call(0), call(3)], [call(5), call(8)], [call(10), call(11)], [call(12)])
        state = state_after(1, "2026-05")
        found = records(read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket"), state))
        assert [record["id"] for record in found] == [call(n)["id"] for n in (0, 3, 5, 8)]
        assert len(mock.request_history) == 3  # the third page is before the lookback


@pytest.mark.parametrize("state", [OF_0_1_0, state_after(hours=25), state_after(hours=-1)])
def test_the_list_is_read_to_its_end_once_a_day_and_brings_what_is_not_known(
    state: list[dict[str, Any]],
) -> None:
    days = (0, 3, 5, 8, 10, 11, 12)
    with requests_mock.Mocker() as mock:
        chain(mock, [call(0), call(3)], [call(5), call(8)], [call(10), call(11)], [call(12)])
        messages = read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket"), state)
        assert {record["id"] for record in records(messages)} == {call(n)["id"] for n in days}
        before = len(mock.request_history)
        again = read(
            SourceAmplemarketCalls(),
            CONFIG,
            catalog_for("amplemarket"),
            state_of("calls", last_state(messages)),
        )
        # from here on less 7 days: 25 May
        assert [record["id"] for record in records(again)] == [call(n)["id"] for n in (0, 3, 5)]
        assert len(mock.request_history) - before == 2


def test_it_never_stops_after_the_first_page() -> None:
    with requests_mock.Mocker() as mock:
        chain(mock, [call(7), call(21)], [call(22)], [call(23)])
        read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket"), STATE)
        assert len(mock.request_history) == 2


def test_a_list_of_old_calls_only_is_read_to_its_end() -> None:
    """It may be in another order, so that what is new comes last."""
    with requests_mock.Mocker() as mock:
        chain(mock, [call(20), call(21)], [call(22)], [call(0)])
        found = records(read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket"), STATE))
        assert call(0)["id"] in [record["id"] for record in found]


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "2f1c7c9e-1111-4222-8333-444455556666", "start_date": "2026-05-31T00:00:00Z"},
        call(1),  # newer than the end of the page before
    ],
    ids=["no UUIDv7", "out of order"],
)
def test_one_violation_and_the_list_is_read_to_its_end(odd: dict[str, object]) -> None:
    with requests_mock.Mocker() as mock:
        chain(mock, [call(0), call(3)], [odd, call(8)], [call(20)], [call(30)], [call(2)])
        found = records(read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket"), STATE))
        assert len(mock.request_history) == 5
        listed = [call(0), call(3), odd, call(8), call(20), call(30), call(2)]
        assert [record["id"] for record in found] == [one["id"] for one in listed]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/calls?page=2",
        "//evil.test/calls",
        "https://api.amplemarket.com:8443/calls",
        "https://api.amplemarket.com@evil.test/calls",
        "https://[evil.test/calls",
    ],
)
def test_a_link_to_another_host_is_not_followed(link: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(call(0), link=link))
        with pytest.raises(AirbyteTracedException, match="another host") as failure:
            read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket"))
        assert failure.value.failure_type.value == "transient_error"
        assert [request.hostname for request in mock.request_history] == ["api.amplemarket.com"]


def test_links_that_lead_in_a_circle_end_the_sync() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(call(0), link="/calls?page[after]=a"))
        mock.get(f"{URL}?page[after]=a", json=page(call(1), link="/calls?page[after]=b"))
        mock.get(f"{URL}?page[after]=b", json=page(call(2), link="/calls?page[after]=a"))
        with pytest.raises(AirbyteTracedException, match="lead in a circle"):
            read(SourceAmplemarketCalls(), CONFIG, catalog_for("amplemarket"))
        assert len(mock.request_history) == 3


def test_check_costs_one_request() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(URL, json=page(call(0), link="/calls?page[after]=a"))
        config = {**CONFIG, "start_date": "2030-01-01T00:00:00Z"}
        status = SourceAmplemarketCalls().check(LOGGER, config)
        assert (status.status.value, status.message) == ("SUCCEEDED", None)
        assert sent(mock) == [(f"{URL}?page%5Bsize%5D=100", HEADERS)]
