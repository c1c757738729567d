"""Lists behind a wall, and lists by links that announce a total: what a reading brings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.declarative.requesters.request_option import (
    RequestOption,
    RequestOptionType,
)
from airbyte_cdk.sources.declarative.requesters.request_path import RequestPath
from airbyte_cdk.sources.types import Record
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import ListRetriever, NextLink, PageNumbers
from calls_shared.http.budget import budget_of
from calls_shared.http.refusals import PageRefusedError
from calls_shared.http.requester import CallRequester
from calls_shared.normalization import times
from shared.unit_tests.cdk_parts import selector_of

HOST = "https://api.acme.example"
BEGINNING = 1_700_000_000
WINDOWS = {"from": "since", "to": "until", "unit": "seconds", "wall": 40}
PAGE = 10


@dataclass
class Provider(CallRequester):
    """A requester that answers itself, as a provider with a wall does.

    Attributes:
        starts: by id, when each call began; null is no start.
        wall: so many calls can be reached by paging.
        is_cut: whether the announced total is cut there.
        announced: what is announced more than there is; null announces nothing.
        broken_links: numbers of pages that name no next one, so many times.
        empty: numbers of pages that are empty, so many times.
        by_links: whether the pages name each other.
    """

    starts: Mapping[str, int | None] = field(default_factory=dict)
    wall: int = 1_000_000
    is_cut: bool = False
    announced: int | None = 0
    broken_links: dict[int, int] = field(default_factory=dict)
    empty: dict[int, int] = field(default_factory=dict)
    by_links: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Nothing of the CDK's is needed."""

    def pauses(self) -> list[float]:
        return [0.0, 0.0]

    def send_request(self, **given: Any) -> requests.Response:
        query = {key: str(value) for key, value in given["request_params"].items()}
        path = given["path"] or ""
        linked = dict(parse_qsl(urlsplit(path).query))
        assert not linked.keys() & query.keys()  # a link's query stands as it is
        query |= linked
        self.asked.append(query)
        number = int(query.get("page", "1"))
        if number * PAGE > self.wall:
            raise PageRefusedError(message="No more.", failure_type=FailureType.system_error)
        since, until = (int(query[name]) if name in query else None for name in ("since", "until"))
        names = [
            name
            for name, start in sorted(self.starts.items(), key=lambda entry: (entry[1] or 0, entry))
            if (since is None or (start is not None and start >= since))
            and (until is None or (start or 0) <= until)
        ]
        page = [] if used(self.empty, number) else names[(number - 1) * PAGE : number * PAGE]
        body: dict[str, Any] = {"data": [{"id": n, "start": self.starts[n]} for n in page]}
        if self.announced is not None:
            body["total"] = len(names) + self.announced
            body["total"] = min(body["total"], self.wall) if self.is_cut else body["total"]
        has_next = number * PAGE < min(len(names), self.wall)
        if self.by_links and has_next and not used(self.broken_links, number):
            body["next"] = f"{HOST}/calls?{urlencode({**query, 'page': number + 1})}"
        response = requests.Response()
        response.status_code = 200
        response._content = json.dumps(body).encode()
        return response


def used(times_left: dict[int, int], number: int) -> bool:
    """Whether a fault is played once more."""
    times_left[number] = times_left.get(number, 0) - 1
    return times_left[number] >= 0


class Created:
    """Puts the columns into a record."""

    def transform(self, record: dict[str, Any], **_: Any) -> None:
        start = record.pop("start")
        record["created_at"] = None if start is None else times.timestamp(start)
        record["updated_at"] = record["created_at"]


def retriever_of(provider: Provider, **more: Any) -> ListRetriever:
    link = {
        "pagination_strategy": NextLink(link_at="next", total_at="total"),
        "page_token_option": RequestPath({}),
    }
    number = {
        "pagination_strategy": PageNumbers(page_size=PAGE, total_at="total"),
        "page_token_option": RequestOption(
            inject_into=RequestOptionType.request_parameter, field_name="page", parameters={}
        ),
    }
    config: dict[str, Any] = {"num_workers": 1}
    budget = budget_of(config)
    budget.sleep = lambda seconds: None  # type: ignore[method-assign]
    return ListRetriever(
        requester=provider,
        record_selector=selector_of("calls", transformations=[Created()]),
        paginator=DefaultPaginator(
            config={}, url_base=HOST, parameters={}, **(link if provider.by_links else number)
        ),
        config=config,
        parameters={},
        name="calls",
        primary_key="id",
        cursor_field="updated_at",
        **more,
    )


def provider_of(starts: Mapping[str, int | None], **more: Any) -> Provider:
    return Provider("calls", HOST, {}, {}, starts=starts, **more)  # type: ignore[arg-type]


def read(provider: Provider, **more: Any) -> tuple[list[str], AirbyteTracedException | None]:
    """The ids in order, and the failure."""
    found: list[str] = []
    try:
        for record in retriever_of(provider, **more).read_records({}):
            assert isinstance(record, Record)
            found.append(record.data["id"])
    except AirbyteTracedException as failure:
        return found, failure
    return found, None


def calls(count: int, apart: int = 86_400) -> dict[str, int | None]:
    return {f"c{number:04d}": BEGINNING + number * apart for number in range(count)}


def windows_of(provider: Provider) -> list[tuple[str | None, str | None]]:
    """The windows that were asked for, in order."""
    return list(dict.fromkeys((q.get("since"), q.get("until")) for q in provider.asked))


@pytest.mark.parametrize("by_links", [False, True])
@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize("count", [39, 40, 41, 150])
def test_all_calls_come_once_whatever_the_wall(by_links: bool, is_cut: bool, count: int) -> None:
    starts = calls(count)
    provider = provider_of(starts, wall=40, is_cut=is_cut, by_links=by_links)

    found, failure = read(provider, windows=WINDOWS)

    assert failure is None
    assert found == list(starts)  # the oldest first, each once
    windows = windows_of(provider)
    assert windows[0] == (None, None)
    assert (len(windows) > 1) is (count >= 40)
    # one reading: no window was taken for one that lost calls
    first_pages = [q for q in provider.asked if q.get("page", "1") == "1"]
    assert len(first_pages) == len(windows)


@pytest.mark.parametrize("by_links", [False, True])
def test_without_windows_a_wall_is_no_success(by_links: bool) -> None:
    provider = provider_of(calls(150), wall=40, by_links=by_links)
    found, failure = read(provider)
    assert failure is not None
    assert failure.failure_type is FailureType.system_error
    assert "lists only 40 of 150 calls" in str(failure.message)
    assert len(found) == 40


def test_a_call_without_a_start_and_one_in_the_future_come_too() -> None:
    starts = {**calls(100), "none": None, "far": 4_000_000_000}
    found, failure = read(provider_of(starts, wall=40), windows=WINDOWS)
    assert failure is None
    assert sorted(found) == sorted(starts)


def test_calls_that_share_a_bound_come_once() -> None:
    starts = {f"c{number}": BEGINNING + number // 15 for number in range(90)}  # 15 each second
    found, failure = read(provider_of(starts, wall=40), windows=WINDOWS)
    assert failure is None
    assert sorted(found) == sorted(starts)


def test_a_second_with_as_many_calls_as_the_wall_is_told_at_the_end() -> None:
    crowd = dict.fromkeys((f"x{number}" for number in range(45)), BEGINNING + 30 * 86_400 + 7)
    starts = {**calls(100), **crowd}

    found, failure = read(provider_of(starts, wall=40), windows=WINDOWS)

    assert failure is not None
    assert failure.failure_type is FailureType.config_error
    # the crowded second is one of 2023-12-14
    assert "lists no more of one moment" in str(failure.message)
    assert "set start_date to 2023-12-15T00:00:00Z or later" in str(failure.message)
    assert len(found) == len(set(found)) == 100 + 40


def test_a_start_date_behind_the_crowded_second_makes_it_no_wall() -> None:
    crowd = dict.fromkeys((f"x{number}" for number in range(45)), BEGINNING + 7)
    provider = provider_of({**calls(100), **crowd}, wall=40)
    retriever = retriever_of(provider, windows=WINDOWS, start_date_field="created_at")
    retriever._earliest = "2023-12-15T00:00:00"
    found = [record.data["id"] for record in retriever.read_records({})]  # type: ignore[union-attr]
    assert found == list(calls(100))[31:]


def test_a_page_that_slips_within_a_window_is_noticed() -> None:
    """Rule 5 holds of each window: its first total against what it listed."""
    provider = provider_of(calls(150), wall=40, empty={})
    whole = provider.send_request
    hidden = ["c0149"]

    def slipping(**given: Any) -> requests.Response:
        response = whole(**given)
        body = response.json()
        listed = [call["id"] for call in body["data"]]
        if hidden and hidden[0] in listed and len(listed) < PAGE:
            body["data"] = [call for call in body["data"] if call["id"] not in hidden]
            hidden.clear()
        response._content = json.dumps(body).encode()
        return response

    provider.send_request = slipping  # type: ignore[method-assign]
    found, failure = read(provider, windows=WINDOWS)
    assert failure is None
    assert sorted(found) == sorted(calls(150))
    assert found[-1] == "c0149"  # by the second reading, which repeats nothing


# --- links ---


def test_a_link_that_is_missing_too_early_is_no_end() -> None:
    provider = provider_of(calls(55), by_links=True, broken_links={2: 1})
    found, failure = read(provider)
    # full pages and more than a page behind them: as at a wall, and the next sync brings the rest
    assert len(found) == 20
    assert failure is not None
    assert "lists only 20 of 55 calls" in str(failure.message)


def test_a_short_list_of_links_is_read_again() -> None:
    provider = provider_of(calls(25), by_links=True, announced=0, broken_links={2: 1})
    found, failure = read(provider)
    assert failure is None  # less than a page is missing: no wall
    assert found == list(calls(25))


def test_a_total_that_is_too_high_costs_one_more_reading_and_a_sentence() -> None:
    provider = provider_of(calls(25), by_links=True, announced=3)
    retriever = retriever_of(provider)
    found = [record.data["id"] for record in retriever.read_records({})]  # type: ignore[union-attr]
    assert found == list(calls(25))
    assert len(provider.asked) == 6
    (sentence,) = retriever._report.sentences()
    assert "announces 28 calls and lists 25, twice in a row." in sentence


def test_an_empty_last_page_is_tried_again_while_more_is_announced() -> None:
    provider = provider_of(calls(25), by_links=True, empty={3: 1})
    found, failure = read(provider)
    assert (found, failure) == (list(calls(25)), None)
    assert [q.get("page", "1") for q in provider.asked] == ["1", "2", "3", "3"]


def test_without_an_announced_total_a_list_of_links_ends_where_none_is_named() -> None:
    provider = provider_of(calls(25), by_links=True, announced=None, broken_links={2: 1})
    found, failure = read(provider)
    assert (found, failure) == (list(calls(20)), None)
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    ("announced", "wall", "fails"),
    [(-35, 20, False), (0, 20, False), (None, 20, True), (-30, 20, True)],
)
def test_a_link_that_is_refused(announced: int | None, wall: int, fails: bool) -> None:
    """It is the end if all is listed, a wall if a page or more is announced; else a failure."""
    provider = provider_of(calls(55), by_links=True, announced=announced, wall=wall)
    named = provider.send_request

    def naming(**given: Any) -> requests.Response:
        response = named(**given)
        body = {**response.json(), "next": f"{HOST}/calls?page={len(provider.asked) + 1}"}
        response._content = json.dumps(body).encode()
        return response

    provider.send_request = naming  # type: ignore[method-assign]
    found, failure = read(provider)
    assert found == list(calls(20))
    assert isinstance(failure, PageRefusedError) is fails
    if announced == 0:
        assert "lists only 20 of 55" in str(failure and failure.message)


@pytest.mark.parametrize("by_links", [False, True])
@pytest.mark.parametrize("announced", [5000, 40])
def test_a_total_that_is_always_the_same_leads_nowhere(announced: int, by_links: bool) -> None:
    """A provider that announces the whole list, whatever window it is asked for."""

    class Stuck(Provider):
        def send_request(self, **given: Any) -> requests.Response:
            response = super().send_request(**given)
            body = {**response.json(), "total": announced}
            response._content = json.dumps(body).encode()
            return response

    provider = Stuck("calls", HOST, {}, {}, starts=calls(70), by_links=by_links)  # type: ignore[arg-type]
    found, failure = read(provider, windows=WINDOWS)
    assert failure is None
    assert sorted(found) == sorted(provider.starts)
    assert len(provider.asked) < 400


def test_what_fits_on_a_page_is_no_reason_to_halve() -> None:
    provider = provider_of(calls(3), announced=100)
    found, failure = read(provider, windows=WINDOWS)
    assert (sorted(found), failure) == (sorted(provider.starts), None)
    assert windows_of(provider) == [(None, None)]


def test_a_provider_that_does_not_heed_the_bounds() -> None:
    class Deaf(Provider):
        def send_request(self, **given: Any) -> requests.Response:
            query = {
                k: v for k, v in given["request_params"].items() if k not in ("since", "until")
            }
            return super().send_request(**{**given, "request_params": query})

    provider = Deaf("calls", HOST, {}, {}, starts=calls(70), wall=40)  # type: ignore[arg-type]
    found, failure = read(provider, windows=WINDOWS)
    assert failure is not None
    assert failure.failure_type is FailureType.system_error
    assert failure.message == (
        "The provider lists the same calls whatever window of time it is asked for, so that no more"
        " than 40 can be reached. What it lists was read. Ask it for a way to list calls by time,"
        " or report it."
    )
    assert set(found) == {f"c{number:04d}" for number in range(40)}
    assert len(provider.asked) < 400


def test_windows_that_hold_less_than_the_list_announced_are_read_twice_and_told() -> None:
    class Empty(Provider):
        def send_request(self, **given: Any) -> requests.Response:
            response = super().send_request(**given)
            if {"since", "until"} & given["request_params"].keys():
                response._content = b'{"data": [], "total": 0}'
            return response

    provider = Empty("calls", HOST, {}, {}, starts=calls(70))  # type: ignore[arg-type]
    retriever = retriever_of(provider, windows=WINDOWS)
    found = [record.data["id"] for record in retriever.read_records({})]  # type: ignore[union-attr]
    assert found == [f"c{number:04d}" for number in range(10)]
    assert [query for query in provider.asked if query == {"page": "1"}] == [{"page": "1"}] * 2
    assert retriever._report.sentences()[0] == (
        "The provider announces 70 calls and lists 10, twice in a row."
    )
