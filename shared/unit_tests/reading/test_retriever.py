from collections.abc import Callable, Sequence
from dataclasses import fields
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import (
    CallRetriever,
    ListedCallsRetriever,
    OldestFirstRetriever,
    PageNumbers,
    PageToken,
)
from calls_shared.http.budget import budget_of
from calls_shared.http.places import FIRST
from calls_shared.reading.checkpoint import Checkpoint
from shared.unit_tests.cdk_parts import selector_of

Answer = Callable[..., requests.Response]
NUMBERS = PageNumbers(page_size=2, page_count_at="pages", total_at="total")
TOKENS = PageToken(token_at="next", page_size=2)


class Requester:
    """Gives its answers in turn, or by page where pages are numbered; remembers the tokens."""

    def __init__(self, answers: Sequence[requests.Response]) -> None:
        self.answers = answers
        self.tokens: list[Any] = []

    def send_request(self, *, next_page_token: Any, **_: Any) -> requests.Response:
        token = next_page_token["next_page_token"] if next_page_token else None
        self.tokens.append(token)
        return self.answers[len(self.tokens) - 1]


class ByPage(Requester):
    def send_request(self, *, next_page_token: Any, **_: Any) -> requests.Response:
        number: int = next_page_token["next_page_token"]
        self.tokens.append(number)
        return self.answers[number - 1]


def retriever_of(
    requester: Requester, strategy: Any, config: dict[str, Any] | None = None, **more: Any
) -> CallRetriever:
    return CallRetriever(
        requester=requester,  # type: ignore[arg-type]
        record_selector=selector_of("calls"),
        paginator=DefaultPaginator(
            pagination_strategy=strategy,
            config={},
            url_base="https://api.acme.example",
            parameters={},
        ),
        config={} if config is None else config,
        parameters={},
        name="calls",
        primary_key="id",
        **more,
    )


def read(
    retriever: CallRetriever, start: str | None = None, calls: list[str] | None = None
) -> list[str]:
    """The ids, which `calls` keeps where the reading fails."""
    bounds = {} if start is None else {"start_time": start, "end_time": "9999-12-30T00:00:00Z"}
    stream_slice = StreamSlice(partition={}, cursor_slice=bounds)
    calls = [] if calls is None else calls
    for record in retriever.read_records({}, stream_slice):
        assert isinstance(record, Record)
        calls.append(str(record.data.get("id")))
    return calls


def call(call_id: str, changed: str | None = "2026-01-30T00:00:00Z", **more: Any) -> dict[str, Any]:
    times = {} if changed is None else {"updated_at": changed, "created_at": changed}
    return {"id": call_id, **times, **more}


# --- which records come out ---


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (None, ["a", "b", "c", "d", "e"]),
        ("2026-01-15T00:00:00.000000Z", ["b", "c", "d", "e"]),
        ("2026-01-15T00:00:00.000001Z", ["c", "d", "e"]),
        ("2026-02-01T00:00:00.000000Z", ["d", "e"]),
    ],
)
def test_records_before_the_state_are_left_out(
    answer: Answer, start: str | None, expected: list[str]
) -> None:
    page = [
        call("a", "2026-01-14T23:59:59.999999Z"),
        call("b", "2026-01-15T00:00:00Z"),
        call("c", "2026-01-15T00:00:00.5Z"),
        call("d", None),  # without a cursor value it is emitted by every sync
        call("e", "9999-12-31T00:00:00Z"),  # newer than our clock, and than the end of the slice
    ]
    requester = Requester([answer({"data": page})])
    assert read(retriever_of(requester, TOKENS, cursor_field="updated_at"), start) == expected


def test_records_without_a_cursor_value_are_counted(answer: Answer) -> None:
    config: dict[str, Any] = {}
    page = [call("a", None), call("b", "2026-01-15T00:00:00Z"), call("c", None)]
    for number in (1, 2):
        requester = Requester([answer({"data": page})])
        retriever = retriever_of(requester, TOKENS, config, cursor_field="updated_at")
        assert read(retriever, "2026-01-20T00:00:00Z") == ["a", "c"]
        assert budget_of(config).report.sentences() == [
            f"{2 * number} records of calls have no updated_at that can be read; such records come"
            " with every sync."
        ]


@pytest.mark.parametrize("start_date", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_start_date_before_all_calls_leaves_nothing_out(answer: Answer, start_date: str) -> None:
    requester = Requester([answer({"data": [call("a", occurred_at="1990-01-01T00:00:00Z")]})])
    config = {"start_date": start_date}
    assert read(retriever_of(requester, TOKENS, config, start_date_field="occurred_at")) == ["a"]


def test_without_a_cursor_field_the_state_bounds_nothing(answer: Answer) -> None:
    requester = Requester([answer({"data": [call("a", "2000-01-01T00:00:00Z")]})])
    assert read(retriever_of(requester, TOKENS), "2026-01-15T00:00:00Z") == ["a"]


@pytest.mark.parametrize(
    ("start_date", "expected"),
    [
        (None, ["a", "b", "c", "d"]),
        ("2026-01-15T00:00:00Z", ["b", "c", "d"]),
        ("2026-01-15T00:00:00.5Z", ["c", "d"]),
        ("2026-02-01T00:00:00Z", ["d"]),
    ],
)
def test_start_date(answer: Answer, start_date: str | None, expected: list[str]) -> None:
    page = [
        {"id": "a", "occurred_at": "2026-01-14T23:59:59Z", "updated_at": "2026-03-01T00:00:00Z"},
        {"id": "b", "occurred_at": "2026-01-15T00:00:00.000Z"},
        {"id": "c", "occurred_at": "2026-01-15T00:00:00.500Z"},
        {"id": "d"},
    ]
    requester = Requester([answer({"data": page})])
    config = {} if start_date is None else {"start_date": start_date}
    retriever = retriever_of(requester, TOKENS, config, start_date_field="occurred_at")
    assert read(retriever) == expected


# --- chained pages ---


def test_pages_by_token(answer: Answer) -> None:
    requester = Requester(
        [
            answer({"data": [call("a")], "next": "5e3"}),
            answer({"data": [], "next": "007"}),
            answer({"data": [call("b")], "next": None}),
        ]
    )
    assert read(retriever_of(requester, TOKENS)) == ["a", "b"]
    assert requester.tokens == [None, "5e3", "007"]


def test_pages_that_lead_in_a_circle(answer: Answer) -> None:
    pages = [answer({"data": [call(str(n))], "next": token}) for n, token in enumerate("xyxzz")]
    with pytest.raises(AirbyteTracedException) as caught:
        read(retriever_of(Requester(pages), TOKENS))
    assert caught.value.failure_type is FailureType.transient_error
    assert "lead in a circle" in (caught.value.message or "")


def endless(answer: Answer, *pages: str) -> Requester:
    """Pages of calls by one-letter ids, with tokens that never repeat, and no last page."""
    answers = [
        answer({"data": [call(name) for name in names], "next": f"token {number}"})
        for number, names in enumerate(pages)
    ]
    return Requester(answers)


@pytest.mark.parametrize(
    ("pages", "seen"),
    [
        (["ab", "cd", "ba", "ab", "ba"], "abcdbaabba"),
        ([""] * 100, ""),
    ],
    ids=["the same records", "no records"],
)
def test_a_list_without_end_is_a_fault_of_the_answer(
    answer: Answer, pages: list[str], seen: str
) -> None:
    requester = endless(answer, *pages)
    retriever = retriever_of(requester, TOKENS)
    calls: list[str] = []
    with pytest.raises(AirbyteTracedException) as caught:
        read(retriever, calls=calls)
    assert caught.value.failure_type is FailureType.transient_error
    message = caught.value.message or ""
    assert "page after page holds the very same records, or none" in message
    assert "Run the sync again later" in message
    assert "".join(calls) == seen
    assert len(requester.tokens) == len(pages)


def test_records_that_are_left_out_tell_a_list_without_end_too(answer: Answer) -> None:
    requester = endless(answer, "ab", "ab", "ab")
    retriever = retriever_of(requester, TOKENS, cursor_field="updated_at")
    with pytest.raises(AirbyteTracedException, match="lead in a circle"):
        read(retriever, "2026-02-01T00:00:00.000000Z")
    # and other records that are left out do not
    pages = [answer({"data": [call(name)], "next": name}) for name in "abcde"]
    requester = Requester([*pages, answer({"data": []})])
    retriever = retriever_of(requester, TOKENS, cursor_field="updated_at")
    assert read(retriever, "2026-02-01T00:00:00.000000Z") == []
    assert len(requester.tokens) == 6


class LeavesAllOut(RecordFilter):
    def filter_records(self, records: Any, *_: Any, **__: Any) -> Any:
        return iter(())


def test_a_filter_hides_no_record_from_the_look_for_an_end(answer: Answer) -> None:
    pages = [answer({"data": [call(f"{n}")], "next": f"{n}"}) for n in range(150)]
    requester = Requester([*pages, answer({"data": []})])
    retriever = retriever_of(requester, TOKENS)
    selector = retriever.record_selector
    assert isinstance(selector, RecordSelector)
    selector.record_filter = LeavesAllOut(config={}, parameters={}, condition="")
    assert read(retriever) == []
    assert len(requester.tokens) == 151


def test_the_last_page_may_repeat(answer: Answer) -> None:
    same = {"data": [call("a")]}
    answers = [answer({**same, "next": "1"}), answer({**same, "next": "2"}), answer(same)]
    assert read(retriever_of(Requester(answers), TOKENS)) == ["a", "a", "a"]


def test_records_without_an_id_are_not_the_same_record(answer: Answer) -> None:
    pages = [answer({"data": [{"n": n}, {"id": None, "n": n}], "next": str(n)}) for n in range(5)]
    requester = Requester([*pages, answer({"data": []})])
    assert len(read(retriever_of(requester, TOKENS))) == 10


def test_numbered_pages_without_end_are_a_fault_too(answer: Answer) -> None:
    # announces no number of pages, and holds as many records as are asked for
    page = answer({"data": [call(str(number)) for number in range(NUMBERS.page_size)]})
    requester = ByPage([page] * 9)
    with pytest.raises(AirbyteTracedException, match="lead in a circle") as caught:
        read(retriever_of(requester, NUMBERS))
    assert caught.value.failure_type is FailureType.transient_error
    assert requester.tokens[:3] == [1, 2, 3]
    assert len(requester.tokens) <= 4


def test_up_to_the_announced_end_the_same_page_again_and_again_is_a_fault(answer: Answer) -> None:
    requester = ByPage([answer({"data": [call("a"), call("b")], "pages": 9})] * 9)
    with pytest.raises(AirbyteTracedException, match="lead in a circle"):
        read(retriever_of(requester, NUMBERS))


def test_past_the_announced_end_it_is_the_end(answer: Answer) -> None:
    requester = ByPage([answer({"data": [call("a"), call("b")], "pages": 1})] * 9)
    assert read(retriever_of(requester, NUMBERS)) == ["a", "b"]
    assert requester.tokens == [1, 2]


def test_a_skipped_answer_is_an_empty_slice(answer: Answer) -> None:
    requester = Requester([answer({"data": [call("a")], "next": "x"}, status=404)])
    assert read(retriever_of(requester, TOKENS)) == []
    assert requester.tokens == [None]


# --- numbered pages ---


@pytest.mark.parametrize("workers", [1, 4])
def test_numbered_pages_come_in_order(answer: Answer, workers: int) -> None:
    pages = [answer({"data": [call(name)], "pages": 6}) for name in "abcdef"]
    requester = ByPage([*pages, answer({"data": [], "pages": 6})])
    assert read(retriever_of(requester, NUMBERS, {"num_workers": workers})) == list("abcdef")
    assert sorted(requester.tokens) == [1, 2, 3, 4, 5, 6, 7]


def test_an_empty_page_that_holds_records_behind_it_is_a_fault_of_the_answer(
    answer: Answer,
) -> None:
    pages = [answer({"data": [call(name)] if name else [], "pages": 3}) for name in ("a", "", "c")]
    found: list[str] = []
    with pytest.raises(AirbyteTracedException) as caught:
        read(retriever_of(ByPage(pages), NUMBERS), calls=found)
    assert found == ["a"]
    assert caught.value.failure_type is FailureType.transient_error
    assert caught.value.message == (
        "The provider answered calls with an empty page 2 of 3 although pages behind it hold"
        " records, and trying again did not help. Run the sync again later; if the page stays"
        " empty, ask the provider why."
    )


@pytest.mark.parametrize(("config", "first"), [({"num_workers": 3}, 3), ({}, FIRST)])
def test_as_many_pages_are_fetched_as_there_are_places(
    answer: Answer, config: dict[str, Any], first: int
) -> None:
    """Asked for each time, since the number changes."""
    numbers: list[int] = []

    def reader(*, workers: Callable[[], int], **_: Any) -> Any:
        numbers.append(workers())
        budget_of(config).places._number = 17
        numbers.append(workers())
        return SimpleNamespace(pages=lambda so_far: iter(()))

    with patch("calls_shared.reading.retriever.PageReader", reader):
        read(retriever_of(ByPage([]), NUMBERS, config))
    assert numbers == [first, 17]


def test_without_an_announced_count_an_empty_page_ends_the_list(answer: Answer) -> None:
    requester = ByPage([answer({"data": [call("a")]}), answer({"data": []}), answer({"data": []})])
    assert read(retriever_of(requester, NUMBERS, {"num_workers": 4})) == ["a"]
    assert requester.tokens == [1, 2]


# --- checkpoints ---


def test_a_checkpoint_is_passed_when_the_records_before_it_have_been_taken(answer: Answer) -> None:
    order: list[str] = []

    class Marked(CallRetriever):
        def _calls(self, *_: Any) -> Any:
            for name in ("a", "b"):
                yield Record({"id": name}, "calls", StreamSlice(partition={}, cursor_slice={}))
                yield Checkpoint(lambda name=name: order.append(f"passed {name}"))  # type: ignore[misc]

    retriever = retriever_of(Requester([]), TOKENS)
    marked = Marked(
        **{f.name: getattr(retriever, f.name) for f in fields(retriever) if f.init}, parameters={}
    )
    for record in marked.read_records({}):
        assert isinstance(record, Record)
        order.append(str(record.data["id"]))
    assert order == ["a", "passed a", "b", "passed b"]


@pytest.mark.parametrize("kind", [ListedCallsRetriever, OldestFirstRetriever])
def test_what_gives_no_calls_has_no_details(kind: Any) -> None:
    kind.check_manifest({"paginator": {}})
    with pytest.raises(ValueError, match="details have no meaning here"):
        kind.check_manifest({"details": {"shape": "call_transcripts"}})
