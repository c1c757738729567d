"""`CallDetails` and its queue, with sources made by hand: order, parallel requests, failures."""

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from airbyte_cdk.sources.types import Record, StreamSlice

from calls_shared import CallDetails
from calls_shared.http.budget import budget_of
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.details_in_record import Answer
from calls_shared.reading.plan import MOST_REFUSALS

SLICE = StreamSlice(partition={"p": "1"}, cursor_slice={})
WAIT = 60.0  # seconds that no good test waits
Item = Record | Checkpoint


@dataclass
class Source:
    """Answers about the calls whose number is one of its own; keeps what it was asked."""

    most: int = 1
    numbers: Sequence[int] = tuple(range(10_000))
    entries_at: Sequence[str] = ("said",)
    columns: Mapping[str, Any] = field(default_factory=dict)
    none_if: Mapping[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    failing: Sequence[str] = ()
    refused: Sequence[str] = ()
    hold: Mapping[str, threading.Event] = field(default_factory=dict)

    def key_of(self, call: Mapping[str, Any]) -> str | None:
        return str(call["key"]) if call["number"] in self.numbers else None

    def answer(self, calls: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Answer:
        self.asked.append(tuple(keys))
        for key in keys:
            if key in self.hold:
                assert self.hold[key].wait(WAIT)
            if key in self.failing:
                raise RuntimeError(key)
            if key in self.refused:
                response = requests.Response()
                response.status_code = 403
                response._content = b'{"message": "Upgrade"}'
                return Answer({}, refused=response)
        return Answer({call["id"]: [{"said": call["id"]}] for call in calls}, is_good=True)


def call(number: int, key: Any = None) -> Record:
    data = {
        "provider": "acme",
        "id": f"C{number}",
        "number": number,
        "key": key or f"C{number}",
        "updated_at": "2026-10-01T12:00:00Z",
        "provider_record": {"said": f"C{number}"},
    }
    return Record(data, "call_transcripts", SLICE)


def details_of(*sources: Source, workers: int = 4) -> CallDetails:
    config = {"num_workers": workers}
    budget = budget_of(config)  # held until the details hold it
    details = CallDetails(
        config=config,
        name="call_transcripts",
        provider_name="Acme",
        shape="call_transcripts",
        sources=sources,
        plan_message="No such thing (HTTP {status}). Acme says: {says}",
    )
    assert details._budget is budget
    return details


class Calls:
    """Gives out calls and checkpoints; knows how many it has given, and whether it was closed."""

    def __init__(self, *items: Item | Exception) -> None:
        self.items = items
        self.given = 0
        self.is_closed = False

    def __call__(self) -> Generator[Item, None, None]:
        try:
            for item in self.items:
                if isinstance(item, Exception):
                    raise item
                self.given += 1
                yield item
        finally:
            self.is_closed = True


def told(items: Iterator[Item], found: list[str] | None = None) -> list[str]:
    """What each row says, and a bar for a checkpoint."""
    found = [] if found is None else found
    for item in items:
        if isinstance(item, Checkpoint):
            found.append("|")
        else:
            assert item.stream_name == "call_transcripts"
            assert item.associated_slice is SLICE
            assert item.data["call_id"] == item.data["content"]
            found.append(item.data["content"])
    return found


def nobody(call: Record) -> None:
    """Is told of each call."""


def test_requests_go_out_in_parallel_and_rows_come_in_order() -> None:
    """The first request is answered only when the others have been."""
    release = threading.Event()
    source = Source(hold={"C0": release})
    details = details_of(source)
    calls = Calls(*map(call, range(6)))
    rows = details.rows(calls(), nobody)
    watch = threading.Thread(target=lambda: _when(lambda: len(source.asked) == 6, release))
    watch.start()
    assert told(rows) == [f"C{n}" for n in range(6)]
    watch.join(WAIT)
    assert sorted(source.asked) == [(f"C{n}",) for n in range(6)]


def _when(condition: Any, event: threading.Event) -> None:
    for _ in range(int(WAIT / 0.001)):
        if condition():
            event.set()
            return
        threading.Event().wait(0.001)


def test_calls_are_not_pulled_far_ahead() -> None:
    release = threading.Event()
    source = Source(hold={"C0": release})
    calls = Calls(*map(call, range(500)))
    rows = details_of(source, workers=4).rows(calls(), nobody)
    first = threading.Thread(target=lambda: next(rows))
    first.start()
    threading.Event().wait(0.2)
    assert calls.given <= 2 * max(4, 4) + 2
    release.set()
    first.join(WAIT)


def test_calls_of_which_nothing_is_asked_wait_for_the_earlier_ones_and_are_few() -> None:
    release = threading.Event()
    source = Source(numbers=[0], hold={"C0": release})
    calls = Calls(*map(call, range(5000)))
    rows = details_of(source).rows(calls(), nobody)
    first = threading.Thread(target=lambda: next(rows))
    first.start()
    threading.Event().wait(0.2)
    assert calls.given <= 1002
    release.set()
    first.join(WAIT)
    assert told(rows) == []
    assert calls.given == 5000


def test_a_checkpoint_passes_when_all_rows_before_it_are_out_and_not_earlier() -> None:
    order: list[str] = []
    marks = [Checkpoint(lambda n=n: order.append(f"passed {n}")) for n in range(2)]  # type: ignore[misc]
    calls = Calls(call(0), call(1), marks[0], call(2), marks[1])
    details = details_of(Source())
    items = details.rows(calls(), lambda one: order.append(f"done {one.data['id']}"))
    found = []
    for item in items:
        if isinstance(item, Checkpoint):
            # nothing of what comes after it has been asked for
            assert calls.given == calls.items.index(item) + 1
            item.passed()
            found.append("|")
        else:
            order.append(f"row {item.data['call_id']}")
            found.append(item.data["call_id"])
    assert found == ["C0", "C1", "|", "C2", "|"]
    assert order == [
        "row C0",
        "done C0",
        "row C1",
        "done C1",
        "passed 0",
        "row C2",
        "done C2",
        "passed 1",
    ]


def test_a_failure_comes_at_its_call_and_passes_no_checkpoint() -> None:
    source = Source(failing=["C2"])
    calls = Calls(*map(call, range(4)), Checkpoint(), call(9))
    found: list[str] = []
    with pytest.raises(RuntimeError, match="C2"):
        told(details_of(source).rows(calls(), nobody), found)
    assert found == ["C0", "C1"]
    assert calls.is_closed


def test_what_was_read_before_the_list_failed_comes_out() -> None:
    calls = Calls(call(0), call(1), ValueError("the list"))
    found: list[str] = []
    with pytest.raises(ValueError, match="the list"):
        told(details_of(Source()).rows(calls(), nobody), found)
    assert found == ["C0", "C1"]


def test_several_keys_go_in_one_request_and_each_key_once() -> None:
    source = Source(most=3)
    keys = "a b a c d d e f g".split()
    calls = [call(n, key) for n, key in enumerate(keys)]
    assert told(details_of(source).rows(Calls(*calls)(), nobody)) == [f"C{n}" for n in range(9)]
    assert source.asked == [("a", "b", "c"), ("d", "e", "f"), ("g",)]


def test_a_batch_is_full_also_where_single_requests_stand_between() -> None:
    several, single = Source(most=20, numbers=range(0, 100, 2)), Source(numbers=range(1, 100, 2))
    calls = Calls(*map(call, range(12)))
    assert told(details_of(several, single, workers=1).rows(calls(), nobody)) == [
        f"C{n}" for n in range(12)
    ]
    assert several.asked == [tuple(f"C{n}" for n in range(0, 12, 2))]


def test_a_checkpoint_sends_a_batch_that_is_not_full() -> None:
    source = Source(most=20)
    calls = Calls(call(0), Checkpoint(), call(1))
    assert told(details_of(source).rows(calls(), nobody)) == ["C0", "|", "C1"]
    assert source.asked == [("C0",), ("C1",)]


def test_what_stands_in_the_record_needs_no_thread() -> None:
    source = Source(most=0)
    before = threading.active_count()
    calls = Calls(*map(call, range(50)))
    rows = details_of(source).rows(calls(), nobody)
    assert next(rows).data["call_id"] == "C0"  # type: ignore[union-attr]
    assert calls.given == 1
    assert told(rows) == [f"C{n}" for n in range(1, 50)]
    assert threading.active_count() == before


def test_the_first_source_that_a_call_is_for_is_asked() -> None:
    first, second = Source(numbers=[1]), Source()
    told(details_of(first, second).rows(Calls(*map(call, range(3)))(), nobody))
    assert (first.asked, sorted(second.asked)) == ([("C1",)], [("C0",), ("C2",)])


def test_after_so_many_refusals_nothing_more_is_asked_or_read() -> None:
    source = Source(refused=[f"C{n}" for n in range(1000)])
    details = details_of(source, workers=2)
    calls = Calls(*map(call, range(1000)), Checkpoint())
    assert told(details.rows(calls(), nobody)) == []
    assert MOST_REFUSALS <= len(source.asked) <= MOST_REFUSALS + 32
    assert calls.given < 100
    assert calls.is_closed
    assert details.are_refused
    assert details.hold_the_state(is_ending=True)
    assert details.warning() == "No such thing (HTTP 403). Acme says: Upgrade"


def test_no_checkpoint_passes_behind_calls_whose_refusal_closes_the_plan() -> None:
    source = Source(refused=[f"C{n}" for n in range(MOST_REFUSALS)])
    calls = Calls(*map(call, range(MOST_REFUSALS)), Checkpoint(), call(500))
    assert told(details_of(source, workers=32).rows(calls(), nobody)) == []


def test_some_refusals_are_skipped_and_hold_nothing_once_others_are_answered() -> None:
    source = Source(refused=["C0", "C2"])
    details = details_of(source)
    assert details.hold_the_state(is_ending=False)
    assert told(details.rows(Calls(*map(call, range(4)))(), nobody)) == ["C1", "C3"]
    assert not details.hold_the_state(is_ending=False)
    assert "refused 2 of the requests for call_transcripts" in (details.warning() or "")


def test_what_is_never_asked_for_holds_no_state_at_the_end() -> None:
    details = details_of(Source(numbers=[]))
    assert told(details.rows(Calls(call(0))(), nobody)) == []
    assert details.hold_the_state(is_ending=False)
    assert not details.hold_the_state(is_ending=True)
    assert not details_of(Source(most=0)).hold_the_state(is_ending=False)


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ({"shape": "users", "sources": [{}]}, "shape 'users' is not one of"),
        ({"shape": "call_transcripts", "sources": []}, "it needs a source at least"),
        (
            {"shape": "call_transcripts", "sources": [{"requester": {}}]},
            "plan_message is needed",
        ),
        (
            {"shape": "call_transcripts", "sources": [{"columns": {"url": {"from": "x"}}}]},
            "column url is not a column of call_transcripts",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(node: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        CallDetails.check_manifest(node)
