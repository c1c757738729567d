from collections.abc import Callable, Sequence
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from calls_shared import CallRetriever, NextLink, PageNumbers, PageRecords, PageToken
from calls_shared.budget import CallBudget

Answer = Callable[..., requests.Response]
DATE = {"Date": "Sat, 31 Jan 2026 12:00:00 GMT"}
NUMBERS = PageNumbers(page_size=2, page_count_at="pages", total_at="total")
TOKENS = PageToken("next", 2)
UNVERIFIED = (
    "The list of calls changed while it was read, 3 times in a row, so that a call may have slipped"
    " between two pages. All calls seen were emitted; the state stays where it was, and the next"
    " sync reads them again."
)


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


class SeenByCursor:
    """Stands for the stream's cursor: keeps what it is shown."""

    def __init__(self) -> None:
        self.observed: list[dict[str, Any]] = []

    def observe(self, record: Record) -> None:
        self.observed.append(dict(record.data))


def retriever_of(
    requester: Requester, strategy: Any, config: dict[str, Any] | None = None, **more: Any
) -> CallRetriever:
    return CallRetriever(
        requester=requester,  # type: ignore[arg-type]
        record_selector=RecordSelector(
            extractor=PageRecords("data"),
            config={},
            parameters={},
            schema_normalization=TypeTransformer(TransformConfig.NoTransform),
            name="calls",
        ),
        paginator=DefaultPaginator(
            pagination_strategy=strategy,
            config={},
            url_base="https://api.acme.example",
            parameters={},
        ),
        config=config or {},
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
    budget = CallBudget(10, 1.0)
    page = [call("a", None), call("b", "2026-01-15T00:00:00Z"), call("c", None)]
    for number in (1, 2):
        requester = Requester([answer({"data": page})])
        retriever = retriever_of(requester, TOKENS, cursor_field="updated_at", api_budget=budget)
        assert read(retriever, "2026-01-20T00:00:00Z") == ["a", "c"]
        assert budget.report.sentences() == [
            f"{2 * number} records of calls have no updated_at that can be read; such records come"
            " with every sync."
        ]


def test_a_creation_in_the_year_0_of_an_id_is_no_reason_to_leave_a_call_out(
    answer: Answer,
) -> None:
    zero = call("00000000-0001-7000-8000-000000000001", "2026-01-15T00:00:00Z")
    old = call("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "2022-02-22T19:22:22.000Z")
    requester = Requester([answer({"data": [zero, old]})])
    retriever = retriever_of(requester, TOKENS, cursor_field="created_at", stop_early=True)
    assert read(retriever, "2026-01-20T00:00:00Z") == [zero["id"]]


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
    page = answer({"data": [call("a")]})  # announces no number of pages
    requester = ByPage([page] * 9)
    with pytest.raises(AirbyteTracedException, match="lead in a circle") as caught:
        read(retriever_of(requester, NUMBERS))
    assert caught.value.failure_type is FailureType.transient_error
    assert requester.tokens[:3] == [1, 2, 3]
    assert len(requester.tokens) <= 4


def test_a_skipped_answer_is_an_empty_slice(answer: Answer) -> None:
    requester = Requester([answer({"data": [call("a")], "next": "x"}, status=404)])
    assert read(retriever_of(requester, TOKENS)) == []
    assert requester.tokens == [None]


UUID7S = {
    # the id's milliseconds are of no interest here, only its version
    name: f"0193d9f5-1c2d-7b98-8c4d-00000000000{number}"
    for number, name in enumerate("abcdef")
}


def linked(answer: Answer, *pages: list[tuple[str, str]]) -> Requester:
    answers = []
    for number, page in enumerate(pages, start=1):
        following = {"next": {"href": f"/calls?page={number + 1}"}} if number < len(pages) else {}
        data = [call(UUID7S[name], changed) for name, changed in page]
        answers.append(answer({"data": data, "_links": following}))
    return Requester(answers)


def test_a_newest_first_list_is_left_early_on_proof(answer: Answer) -> None:
    link = NextLink("_links.next.href")
    pages = [
        [("a", "2026-01-20T00:00:00Z"), ("b", "2026-01-16T00:00:00Z")],
        [("c", "2026-01-15T00:00:00Z"), ("d", "2026-01-14T00:00:00Z")],
        [("e", "2026-01-13T00:00:00Z")],
        [("f", "2026-01-12T00:00:00Z")],
    ]
    options: dict[str, Any] = {"cursor_field": "created_at"}
    early = linked(answer, *pages)
    wanted = [UUID7S[name] for name in "abc"]
    start = "2026-01-15T00:00:00.000000Z"
    assert read(retriever_of(early, link, stop_early=True, **options), start) == wanted
    assert early.tokens == [None, "/calls?page=2", "/calls?page=3"]
    whole = linked(answer, *pages)
    assert read(retriever_of(whole, link, **options), start) == wanted
    assert whole.tokens == [None, "/calls?page=2", "/calls?page=3", "/calls?page=4"]
    unordered = linked(answer, pages[2], pages[0], pages[1], pages[3])
    assert read(retriever_of(unordered, link, stop_early=True, **options), start) == wanted
    assert len(unordered.tokens) == 4


def test_a_call_whose_creation_is_only_a_guess_is_kept(answer: Answer) -> None:
    link = NextLink("_links.next.href")
    calls = [call("uuid4", "2026-01-01T00:00:00Z"), call(UUID7S["a"], "2026-01-01T00:00:00Z")]
    requester = Requester([answer({"data": calls})])
    retriever = retriever_of(requester, link, stop_early=True, cursor_field="created_at")
    assert read(retriever, "2026-01-15T00:00:00Z") == ["uuid4"]


# --- numbered pages ---


@pytest.mark.parametrize("workers", [1, 4])
def test_numbered_pages_come_in_order(answer: Answer, workers: int) -> None:
    pages = [answer({"data": [call(name)], "pages": 6}) for name in "abcdef"]
    requester = ByPage(pages)
    assert read(retriever_of(requester, NUMBERS, workers=workers)) == list("abcdef")
    assert sorted(requester.tokens) == [1, 2, 3, 4, 5, 6]


def test_num_workers_of_the_user_counts(answer: Answer) -> None:
    retriever = retriever_of(ByPage([]), NUMBERS, {"num_workers": 3}, workers=9)
    assert retriever._worker_count() == 3
    assert retriever_of(ByPage([]), NUMBERS, workers=9)._worker_count() == 9


def test_without_an_announced_count_an_empty_page_ends_the_list(answer: Answer) -> None:
    requester = ByPage([answer({"data": [call("a")]}), answer({"data": []}), answer({"data": []})])
    assert read(retriever_of(requester, NUMBERS, workers=4)) == ["a"]
    assert requester.tokens == [1, 2]


# --- verified passes ---


class Passes(Requester):
    """Numbered pages that are others in each pass; the last pass repeats."""

    def __init__(self, passes: Sequence[Sequence[requests.Response]]) -> None:
        super().__init__([])
        self.passes = passes
        self.done = 0

    def send_request(self, *, next_page_token: Any, **_: Any) -> requests.Response:
        number: int = next_page_token["next_page_token"]
        self.tokens.append(number)
        if number == 1:
            self.done += 1
        return self.passes[min(self.done, len(self.passes)) - 1][number - 1]


OLD = "2026-01-30T00:00:00Z"
NEW = "2026-01-31T12:00:01Z"


def two_pages(
    answer: Answer, first: str, second: str, totals: tuple[int, int]
) -> list[requests.Response]:
    """Two pages of calls by one-letter ids; capitals were created during the pass."""
    return [
        answer(
            {
                "data": [call(name, NEW if name.isupper() else OLD) for name in names],
                "pages": 2,
                "total": total,
            },
            headers=DATE,
        )
        for names, total in zip((first, second), totals, strict=True)
    ]


def read_verified(
    passes: Sequence[Sequence[requests.Response]],
    start: str | None = None,
    config: dict[str, Any] | None = None,
) -> tuple[list[str], list[dict[str, Any]], list[str], int]:
    """Calls, what the cursor observed, the sentences of the report, and how many passes."""
    requester, cursor, budget = Passes(passes), SeenByCursor(), CallBudget(10, 1.0)
    retriever = retriever_of(
        requester,
        NUMBERS,
        config,
        cursor=cursor,
        cursor_field="updated_at",
        start_date_field="occurred_at",
        total_at="total",
        api_budget=budget,
    )
    calls = read(retriever, start)
    return calls, cursor.observed, budget.report.sentences(), requester.done


def test_a_quiet_list_is_read_once(answer: Answer) -> None:
    quiet = two_pages(answer, "dc", "ba", (4, 4))
    assert read_verified([quiet]) == (list("dcba"), [{"updated_at": OLD}], [], 1)


def test_the_cursor_observes_the_newest_change_once(answer: Answer) -> None:
    grown = two_pages(answer, "Ec", "ba", (3, 4))
    assert read_verified([grown]) == (list("Ecba"), [{"updated_at": NEW}], [], 1)


def test_an_unproved_pass_is_repeated_and_its_calls_come_once(answer: Answer) -> None:
    slid = two_pages(answer, "dc", "a", (4, 3))
    quiet = two_pages(answer, "cb", "a", (3, 3))
    calls, observed, sentences, passes = read_verified([slid, quiet])
    assert (calls, passes, sentences) == (["d", "c", "a", "b"], 2, [])
    assert observed == [{"updated_at": OLD}]


def test_a_deletion_that_an_addition_hides_is_noticed(answer: Answer) -> None:
    hidden = two_pages(answer, "ab", "dE", (4, 4))  # oldest first; c has slid to the first page
    quiet = two_pages(answer, "bc", "de", (4, 4))
    calls, _, sentences, passes = read_verified([hidden, quiet])
    assert (calls, passes, sentences) == (["a", "b", "d", "E", "c", "e"], 2, [])


def test_a_list_that_never_rests_is_emitted_but_the_state_stays(answer: Answer) -> None:
    calls, observed, sentences, passes = read_verified([two_pages(answer, "dc", "a", (4, 3))])
    assert (calls, passes) == (["d", "c", "a"], 3)
    assert observed == []
    assert sentences == [UNVERIFIED]


def test_only_the_last_pass_trusts_totals(answer: Answer) -> None:
    future = two_pages(answer, "DC", "BA", (4, 4))  # creation times that cannot be right
    calls, observed, sentences, passes = read_verified([future])
    assert (calls, observed, sentences, passes) == (list("DCBA"), [{"updated_at": NEW}], [], 3)


def test_calls_that_are_left_out_are_seen_and_counted_all_the_same(answer: Answer) -> None:
    quiet = two_pages(answer, "dC", "ba", (4, 4))
    found = read_verified([quiet], start="2026-01-31T00:00:00Z")
    # all four old or new ones are there, so one more pass would find nothing else
    assert found[0] == ["C"]
    assert found[1] == [{"updated_at": NEW}]
    assert found[2] == []


def test_a_verified_pass_without_any_call_moves_no_cursor(answer: Answer) -> None:
    empty = [answer({"data": [], "pages": 0, "total": 0}, headers=DATE)]
    assert read_verified([empty]) == ([], [], [], 1)


@pytest.mark.parametrize("headers", [{}, {"Date": "once upon a time"}, {"Date": ""}])
def test_without_a_readable_date_our_own_clock_counts(
    answer: Answer, headers: dict[str, str]
) -> None:
    page = answer({"data": [call("a")], "pages": 1, "total": 1}, headers=headers)
    assert read_verified([[page]]) == (["a"], [{"updated_at": OLD}], [], 1)


def test_records_of_a_verified_pass_are_not_observed_one_by_one(answer: Answer) -> None:
    requester = Passes([two_pages(answer, "dc", "ba", (4, 4))])
    retriever = retriever_of(requester, NUMBERS, total_at="total", cursor_field="updated_at")
    stream_slice = StreamSlice(partition={}, cursor_slice={"start_time": "x", "end_time": "y"})
    # the CDK shows a record to the cursor of the slice that it belongs to
    records = [r for r in retriever.read_records({}, stream_slice) if isinstance(r, Record)]
    slices = {repr(record.associated_slice) for record in records}
    assert slices == {repr(StreamSlice(partition={}, cursor_slice={}))}
