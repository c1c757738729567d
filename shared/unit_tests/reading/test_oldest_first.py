from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import OldestFirstRetriever, PageToken
from calls_shared.http.budget import budget_of
from calls_shared.normalization import times
from calls_shared.reading.deferred import DeferredFailure
from calls_shared.reading.progress import ParentProgress, keep_progress, progress_of
from calls_shared.reading.seen import digest_of
from shared.unit_tests.cdk_parts import selector_of

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


def progress_in(retriever: OldestFirstRetriever) -> ParentProgress:
    """The progress that the retriever and its children share."""
    return progress_of(budget_of(retriever.config), retriever.cursor, ParentProgress("none", {}))


def retriever_of(
    requester: Requester, state: dict[str, Any] | None = None, **config: Any
) -> OldestFirstRetriever:
    """A retriever, whose children began with a state of the parents, if there are children."""
    budget = budget_of(config)  # held until the retriever holds it
    if state is not None:
        keep_progress(budget, None, ParentProgress("active_at", state))
    return OldestFirstRetriever(
        requester=requester,  # type: ignore[arg-type]
        record_selector=selector_of("conversations"),
        paginator=DefaultPaginator(
            pagination_strategy=PageToken(token_at="next", page_size=100),
            config={},
            url_base="https://api.acme.example",
            parameters={},
        ),
        config=config,
        parameters={},
        name="conversations",
        primary_key="id",
        cursor_field="active_at",
        created_field="created_at",
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
    retriever = retriever_of(requester, state_of(A, B, C, D, E))
    assert read(retriever, window("PN1", 1)) == [C, D]
    assert read(retriever, window("PN1", 2)) == [E]


# --- the inventory by year ---

UNTIL = "2026-01-15T00:00:00.000000Z"


def years_of(*parents: dict[str, Any]) -> dict[str, str]:
    """By year of creation, how many there are and the sum of their digests."""
    found: dict[str, list[int]] = {}
    for parent in parents:
        year = str(parent.get("created_at", "undated"))
        found.setdefault(year if year == "undated" else year[:4], []).append(
            digest_of(parent["id"])
        )
    return {year: f"{len(all_)}:{sum(all_) % 2**64:016x}" for year, all_ in found.items()}


def state_of(*parents: dict[str, Any], until: str = UNTIL) -> dict[str, Any]:
    """A state of the parents with the inventory of PN1."""
    return {"states": [], "inventory": {"PN1": {"until": until, "years": years_of(*parents)}}}


def created(name: str, created_at: str | None, active_at: str = "2026-01-02T00:00:00Z") -> Any:
    made = {"id": name, "created_at": created_at, "active_at": active_at}
    return {key: value for key, value in made.items() if value is not None}


K = created("k", "2023-05-01T00:00:00Z")
L = created("l", "2024-05-01T00:00:00Z")
M = created("m", "2024-06-01T00:00:00Z")
N = created("n", "2025-12-31T23:59:59Z")
U = created("u", None)
Y = created("y", "2026-01-14T00:00:00Z", "2026-02-05T00:00:00Z")
"""The only one that was active since the state."""

Z = created("z", UNTIL)
"""Not settled when the inventory was taken."""

ALL = [K, L, M, N, U, Y]


def test_only_what_was_active_comes_where_no_year_differs(answer: Answer) -> None:
    retriever = retriever_of(Requester({"PN1": [answer({"data": ALL})]}), state_of(*ALL))
    assert read(retriever, window("PN1", 1)) == [Y]


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [
        # one that the last reading did not see: it slipped, or came late, or with a wider key
        ([K, L, N, U, Y], ALL, "lm"),
        ([L, M, N, U, Y], ALL, "k"),
        ([K, L, M, N, Y], ALL, "u"),
        # one that is gone, which may hide another one
        (ALL, [K, L, N, U, Y], "l"),
        (ALL, [L, M, N, U, Y], ""),
        # one in place of another
        (ALL, [K, L, created("x", M["created_at"]), N, U, Y], "lx"),
        # of several years
        ([K, L, U, Y], ALL, "lmn"),
        # one that was not settled then is not compared
        (ALL, [*ALL, Z], ""),
        ([*ALL, Z], [*ALL, Z], "yz"),
    ],
)
def test_a_year_that_differs_comes_out_whole(
    answer: Answer,
    before: list[dict[str, Any]],
    now: list[dict[str, Any]],
    again: str,
) -> None:
    retriever = retriever_of(Requester({"PN1": [answer({"data": now})]}), state_of(*before))
    found = "".join(sorted(parent["id"] for parent in read(retriever, window("PN1", 1))))
    assert found == "".join(sorted({"y", *again}))


@pytest.mark.parametrize(
    "inventory",
    [
        {},
        {"PN2": {"until": UNTIL, "years": years_of(*ALL)}},
        {"PN1": {"years": years_of(*ALL)}},
        {"PN1": {"until": UNTIL}},
        {"PN1": {"until": 5, "years": years_of(*ALL)}},
        {"PN1": {"until": UNTIL, "years": [*years_of(*ALL)]}},
    ],
)
def test_without_an_inventory_everything_comes_once(
    answer: Answer, inventory: dict[str, Any]
) -> None:
    """A state of a version before may have lost some."""
    state = {"states": [], "inventory": inventory}
    retriever = retriever_of(Requester({"PN1": [answer({"data": ALL})]}), state)
    found = sorted(parent["id"] for parent in read(retriever, window("PN1", 1)))
    assert found == [*"klmnuy"]


def test_what_comes_again_still_comes_once_and_in_its_window(answer: Answer) -> None:
    late = created("x", Y["created_at"], "2026-03-05T00:00:00Z")
    requester = Requester({"PN1": [answer({"data": [late, Y, N]})]})
    retriever = retriever_of(requester, state_of(N))
    assert read(retriever, window("PN1", 1)) == [Y]
    assert read(retriever, window("PN1", 2)) == [late]


@pytest.mark.parametrize("days", [None, 3, 30])
def test_a_listing_leaves_the_inventory_of_what_is_settled(
    answer: Answer, days: int | None
) -> None:
    config = {} if days is None else {"lookback_days": days}
    lookback = timedelta(days=days or 7)
    began = datetime(2026, 9, 8, 7, 6, 5, tzinfo=UTC)  # by the provider's clock
    young = created("young", times.format_timestamp(began - lookback + timedelta(hours=1)))
    headers = {"Date": format_datetime(began, usegmt=True)}
    requester = Requester(
        {
            "PN1": [answer({"data": [young, *ALL]}, headers=headers)],
            "PN2": [answer({"data": []}, headers=headers)],
        }
    )
    retriever = retriever_of(requester, {}, **config)
    read(retriever, window("PN1", 0))
    progress = progress_in(retriever)
    (kept,) = progress.state()["inventory"].values()
    assert kept["years"] == years_of(*ALL)
    read(retriever, window("PN2", 0))
    assert progress.state()["inventory"] == {"PN1": kept, "PN2": {**kept, "years": {}}}
    assert datetime.fromisoformat(kept["until"]) + lookback == began + timedelta(seconds=1)
    # what it leaves is what the next reading compares with
    again = {"states": [], "inventory": {"PN1": kept}}
    second = retriever_of(Requester({"PN1": [answer({"data": [young, *ALL]})]}), again)
    assert [parent["id"] for parent in read(second, window("PN1", 1))] == ["y"]


def test_a_year_that_comes_again_counts_as_read_once_it_was_given_out(answer: Answer) -> None:
    """Not where the reading is killed before: its parents lie behind the cursor."""
    entry = {"partition": {"phone": "PN1"}, "cursor": {"active_at": UNTIL}}
    before = {**state_of(K, L, N, U, Y), "states": [entry]}
    requester = Requester({"PN1": [answer({"data": ALL})], "PN2": [answer({"data": []})]})
    retriever = retriever_of(requester, before)
    progress = progress_in(retriever)
    for number in (1, 2):
        read(retriever, window("PN1", number))
        assert progress.state()["inventory"]["PN1"]["years"] == years_of(K, N, U, Y)
    read(retriever, window("PN2", 0))
    assert progress.state()["inventory"]["PN1"]["years"] == years_of(*ALL)


def test_a_listing_that_fails_leaves_no_inventory_and_compares_none(answer: Answer) -> None:
    pages = [answer({"data": [Y, N], "next": "1"}), ANNOYED]
    requester = Requester({"PN1": pages, "PN2": [answer({"data": []})]})
    retriever = retriever_of(requester, state_of(*ALL))
    failure = {"id": "failure of {'phone': 'PN1'}", "deferred_failure": DeferredFailure(ANNOYED)}
    assert read(retriever, window("PN1", 1)) == [failure, Y]
    read(retriever, window("PN2", 0))
    progress = progress_in(retriever)
    assert progress.state()["inventory"]["PN1"] == state_of(*ALL)["inventory"]["PN1"]


@pytest.mark.parametrize("nameless", [{}, {"id": None}])
def test_a_parent_without_an_id_fails_its_partition(
    answer: Answer, nameless: dict[str, Any]
) -> None:
    """The CDK would leave it out with all of its children, and say nothing."""
    page = [Y, {**nameless, "active_at": A["active_at"]}, N]
    retriever = retriever_of(Requester({"PN1": [answer({"data": page})]}), state_of(*ALL))
    poison, *others = read(retriever, window("PN1", 1))
    failure = poison["deferred_failure"].cause
    assert isinstance(failure, AirbyteTracedException)
    assert failure.failure_type is FailureType.system_error
    assert (failure.message or "").startswith("A record of conversations has no id")
    assert others == [Y]


# --- what no window holds ---


def test_what_no_window_holds_comes_first_and_without_a_time(answer: Answer) -> None:
    """So the cursor does not see it: a state of this window must not pass the next ones."""
    later = times.format_timestamp(datetime.now(UTC) + timedelta(minutes=1), 3)
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


@pytest.mark.parametrize("order", [1, -1])
def test_a_parent_is_as_active_as_the_latest_of_its_rows_says(answer: Answer, order: int) -> None:
    """One of them may be of before its last activity, by which no state excludes it."""
    moved = {**A, "active_at": "2026-02-02T00:00:00Z"}
    page = [moved, A][::order]
    retriever = retriever_of(Requester({"PN1": [answer({"data": page})]}), state_of(A))
    assert read(retriever, window("PN1", 1)) == [moved]
    timeless = {"id": "a"}
    page = [moved, timeless][::order]
    retriever = retriever_of(Requester({"PN1": [answer({"data": page})]}), state_of(A))
    assert read(retriever, window("PN1", 2)) == [timeless]


def test_a_failure_comes_before_all_that_was_listed(answer: Answer) -> None:
    undated = conversation("x", None)
    requester = Requester({"PN1": [answer({"data": [E, undated, B], "next": "1"}), ANNOYED]})
    retriever = retriever_of(requester)
    failure = {"id": "failure of {'phone': 'PN1'}", "deferred_failure": DeferredFailure(ANNOYED)}
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


# --- from when on changes of the children count ---


def marked(
    answer: Answer, complete: Any, *listed: dict[str, Any], keep: bool = True
) -> dict[str, Any]:
    """By parent, from when on its children's changes count; null where all of them do."""
    before = {**state_of(*ALL), "complete": complete}
    retriever = retriever_of(Requester({"PN1": [answer({"data": [*listed]})]}), before)
    if keep:
        progress_in(retriever).keep_complete()
    found = [parent for number in range(3) for parent in read(retriever, window("PN1", number))]
    return {parent["id"]: parent.get("changed_since") for parent in found}


def test_only_later_changes_count_after_a_complete_reading_less_the_lookback(
    answer: Answer,
) -> None:
    since = marked(answer, {"PN1": "2026-02-10T00:00:00.500000Z"}, *ALL)
    assert since
    assert {*since.values()} == {"2026-02-03T00:00:00.500000"}


@pytest.mark.parametrize("complete", [{}, {"PN2": UNTIL}, {"PN1": "soon"}, None])
def test_all_count_where_no_complete_reading_is_known(answer: Answer, complete: Any) -> None:
    assert {*marked(answer, complete, *ALL).values()} == {None}


def test_all_count_where_nobody_keeps_it(answer: Answer) -> None:
    assert {*marked(answer, {"PN1": UNTIL}, *ALL, keep=False).values()} == {None}


def test_all_count_of_a_year_that_differs(answer: Answer) -> None:
    """What comes out whole may be what no reading has seen yet."""
    since = marked(answer, {"PN1": UNTIL}, K, M, N, U, Y)  # L of M's year is gone
    assert {name for name, at in since.items() if at is None} == {"m"}
    assert since.keys() == {*"kmnuy"}


def test_a_mark_of_the_future_leaves_nothing_out(answer: Answer) -> None:
    (since,) = {*marked(answer, {"PN1": "2999-01-01T00:00:00.000000Z"}, *ALL).values()}
    assert since < times.format_timestamp(datetime.now(UTC))
