from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from calls_shared import OldestFirstRetriever, PageRecords, PageToken, converters

Answer = Callable[..., requests.Response]
ANNOYED = RuntimeError("the second page fails")
WINDOWS = (
    ("2026-01-01T00:00:00.000000Z", "2026-01-30T23:59:59.999999Z"),
    ("2026-01-31T00:00:00.000000Z", "2026-03-01T23:59:59.999999Z"),
    ("2026-03-02T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
)


class Requester:
    """Answers by phone number and page; raises an answer that is an exception."""

    def __init__(self, answers: Mapping[str, list[Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []

    def send_request(
        self, *, stream_slice: StreamSlice, next_page_token: Any, **_: Any
    ) -> requests.Response:
        page = int(next_page_token["next_page_token"] if next_page_token else 0)
        self.asked.append((stream_slice.partition["phone"], page))
        found = self.answers[stream_slice.partition["phone"]][page]
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, requests.Response)
        return found


def retriever_of(requester: Requester) -> OldestFirstRetriever:
    return OldestFirstRetriever(
        requester=requester,  # type: ignore[arg-type]
        record_selector=RecordSelector(
            extractor=PageRecords("data"),
            config={},
            parameters={},
            schema_normalization=TypeTransformer(TransformConfig.NoTransform),
            name="conversations",
        ),
        paginator=DefaultPaginator(
            pagination_strategy=PageToken("next", 100),
            config={},
            url_base="https://api.acme.example",
            parameters={},
        ),
        config={},
        parameters={},
        name="conversations",
        primary_key="id",
        cursor_field="active_at",
    )


def window(phone: str, number: int) -> StreamSlice:
    start, end = WINDOWS[number]
    return StreamSlice(
        partition={"phone": phone}, cursor_slice={"start_time": start, "end_time": end}
    )


def read(retriever: OldestFirstRetriever, one: StreamSlice) -> list[dict[str, Any]]:
    """The records of a window, each of which belongs to it."""
    found = []
    for record in retriever.read_records({}, one):
        assert isinstance(record, Record)
        assert record.associated_slice == one
        assert record.stream_name == "conversations"
        found.append(dict(record.data))
    return found


def conversation(name: str, active_at: str | None) -> dict[str, Any]:
    return {"id": name} if active_at is None else {"id": name, "active_at": active_at}


A = conversation("a", "2026-01-02T00:00:00Z")
B = conversation("b", "2026-01-30T23:59:59.999999Z")
C = conversation("c", "2026-01-31T00:00:00Z")
D = conversation("d", "2026-03-01T23:59:59.9Z")
E = conversation("e", "2026-03-02T00:00:00.000Z")


def test_each_window_gets_its_time_oldest_first_from_one_listing(answer: Answer) -> None:
    pages = [
        answer({"data": [E, D, B], "next": "1"}),
        answer({"data": [C, A]}),  # a page may be out of order
    ]
    requester = Requester({"PN1": pages})
    retriever = retriever_of(requester)
    assert read(retriever, window("PN1", 0)) == [A, B]
    assert requester.asked == [("PN1", 0), ("PN1", 1)]
    assert read(retriever, window("PN1", 1)) == [C, D]
    assert read(retriever, window("PN1", 2)) == [E]
    assert requester.asked == [("PN1", 0), ("PN1", 1)]


def test_each_partition_is_listed_by_itself(answer: Answer) -> None:
    requester = Requester({"PN1": [answer({"data": [C, A]})], "PN2": [answer({"data": [D, B]})]})
    retriever = retriever_of(requester)
    assert [read(retriever, window("PN1", number)) for number in range(3)] == [[A], [C], []]
    assert [read(retriever, window("PN2", number)) for number in range(3)] == [[B], [D], []]
    assert requester.asked == [("PN1", 0), ("PN2", 0)]


def test_what_waits_of_one_partition_does_not_come_out_under_the_next(answer: Answer) -> None:
    requester = Requester({"PN1": [answer({"data": [C, A]})], "PN2": [answer({"data": [E]})]})
    retriever = retriever_of(requester)
    assert read(retriever, window("PN1", 0)) == [A]
    assert [read(retriever, window("PN2", number)) for number in range(3)] == [[], [], [E]]


def test_the_first_window_is_bounded_by_the_state(answer: Answer) -> None:
    requester = Requester({"PN1": [answer({"data": [E, D, C, B, A]})]})
    retriever = retriever_of(requester)
    assert read(retriever, window("PN1", 1)) == [C, D]
    assert read(retriever, window("PN1", 2)) == [E]


def test_what_no_window_holds_comes_first_and_without_a_time(answer: Answer) -> None:
    """So the cursor does not see it: a state of this window must not pass the next ones."""
    later = converters.format_timestamp(datetime.now(UTC) + timedelta(minutes=1), 3)
    page = [
        conversation("a year ahead", "9999-12-31T00:00:00Z"),
        conversation("active since the sync began", later),
        E,
        A,
        conversation("without a time", None),
    ]
    retriever = retriever_of(Requester({"PN1": [answer({"data": page})]}))
    assert read(retriever, window("PN1", 0)) == [
        {"id": "a year ahead"},
        {"id": "active since the sync began"},
        {"id": "without a time"},
        A,
    ]
    assert [read(retriever, window("PN1", number)) for number in (1, 2)] == [[], [E]]


def test_a_parent_that_is_listed_twice_comes_out_once(answer: Answer) -> None:
    """The CDK drops the slice of the second one, with its ticket."""
    moved = {**A, "active_at": "2026-02-02T00:00:00Z"}
    pages = [answer({"data": [D, C, C], "next": "1"}), answer({"data": [moved, D, A]})]
    retriever = retriever_of(Requester({"PN1": pages, "PN2": [answer({"data": [A]})]}))
    assert [read(retriever, window("PN1", n)) for n in range(3)] == [[], [C, moved, D], []]
    assert read(retriever, window("PN2", 0)) == [A]  # of each partition


def test_a_failure_comes_before_all_that_was_listed(answer: Answer) -> None:
    undated = conversation("x", None)
    requester = Requester({"PN1": [answer({"data": [E, undated, B], "next": "1"}), ANNOYED]})
    retriever = retriever_of(requester)
    failure = {"id": "failure of {'phone': 'PN1'}", "deferred_failure": ANNOYED}
    assert read(retriever, window("PN1", 0)) == [failure, undated, B]
    assert read(retriever, window("PN1", 1)) == []
    assert read(retriever, window("PN1", 2)) == [E]
    assert requester.asked == [("PN1", 0), ("PN1", 1)]  # a failed listing is not tried again


@pytest.mark.parametrize("wrong", [GeneratorExit, KeyboardInterrupt])
def test_the_end_of_the_process_is_no_failure_of_the_list(
    wrong: type[BaseException], answer: Answer
) -> None:
    class Ended(Requester):
        def send_request(self, **_: Any) -> requests.Response:
            raise wrong

    with pytest.raises(wrong):
        read(retriever_of(Ended({})), window("PN1", 0))
