"""Syncs of a whole list, one after another: what comes, what is asked for, what state leaves."""

import copy
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    Type,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CallsSource
from calls_shared.http.budget import CallBudget
from calls_shared.normalization import times

LOGGER = logging.getLogger("airbyte")
NOW = datetime.now(UTC)
DATE = NOW.strftime("%a, %d %b %Y %H:%M:%S GMT")
ORDERS = ("newest", "oldest", "unsorted")


def ago(days: float) -> str:
    return times.format_timestamp(NOW - timedelta(days=days), 3)


def month_of(days: float) -> str:
    return ago(days)[:7]


@dataclass
class Skipcall:
    """A numbered list of calls by id: how many days ago each was made, or a pair with its change.

    Attributes:
        total: what is announced, from the number of calls; `size`: calls a page.
        broken: pages that answer with status 500; `refused`: those that answer with 400.
        sorts: the last page for which it takes a sort order.
    """

    calls: dict[str, float | tuple[float, float]]
    order: str = "newest"
    size: int = 2
    total: Callable[[int], Any] = lambda count: count
    broken: Sequence[int] = ()
    refused: Sequence[int] = ()
    empty: Sequence[int] = ()
    sorts: int = 10_000_000
    url: str = "https://api-public.skipcall.app/v1/calls"
    config: Mapping[str, Any] = field(
        default_factory=lambda: {"api_key": "hush", "full_scan_hours": 0}
    )
    asked: list[int] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        rows = []
        for name, days in self.calls.items():
            made, changed = days if isinstance(days, tuple) else (days, days)
            rows.append({"id": name, "createdAt": ago(made), "updatedAt": ago(changed)})
        if self.order == "changed":
            return sorted(rows, key=lambda row: row["updatedAt"], reverse=True)
        if self.order == "unsorted":
            return sorted(rows, key=lambda row: str(row["id"])[::-1], reverse=True)
        rows.sort(key=lambda row: row["createdAt"], reverse=self.order != "oldest")
        # the newest one stands on the second page
        return [*rows[1:4], rows[0], *rows[4:]] if self.order == "late" else rows

    def body(self, request: Any, context: Any) -> Any:
        number = int(request.qs["page"][0])
        self.asked.append(number)
        context.headers["Date"] = DATE
        if "orderby" in request.qs and number > self.sorts:
            context.status_code = 400
            return {"error": {"code": "bad", "message": "No sort order."}}
        if number in self.broken or number in self.refused:
            context.status_code = 500 if number in self.broken else 400
            return {"error": {"code": "bad", "message": "No."}}
        rows = [] if number in self.empty else self.rows()[(number - 1) * self.size :][: self.size]
        total = self.total(len(self.calls))
        return {"data": rows, "page": number, "total": total}


@dataclass
class Amplemarket(Skipcall):
    """A list by links, with UUIDv7 ids unless a call's name says otherwise."""

    url: str = "https://api.amplemarket.com/calls"
    config: Mapping[str, Any] = field(default_factory=lambda: {"api_key": "hush"})

    def rows(self) -> list[dict[str, Any]]:
        rows = super().rows()
        return [
            {
                "id": row["id"] if row["id"].startswith("odd") else uuid7(row["createdAt"]),
                "start_date": row["createdAt"],
                "notes": row["id"],
            }
            for row in rows
        ]

    def body(self, request: Any, context: Any) -> Any:
        number = int(request.qs.get("page[after]", ["1"])[0])
        self.asked.append(number)
        context.headers["Date"] = DATE
        if number in self.broken:
            context.status_code = 500
            return {}
        rows = self.rows()
        more = len(rows) > number * self.size
        following = {"next": {"href": f"/calls?page[after]={number + 1}"}} if more else {}
        return {"calls": rows[(number - 1) * self.size :][: self.size], "_links": following}


def uuid7(moment: str) -> str:
    milliseconds = round(datetime.fromisoformat(moment).timestamp() * 1000)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | 1))


@dataclass
class Synced:
    """What a sync came to: names of the calls in order, states, the failure, what was told."""

    names: str
    states: list[dict[str, Any]]
    failure: AirbyteTracedException | None
    told: list[str]
    asked: list[int]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    @property
    def came(self) -> list[str]:
        return sorted(self.names.split())


Sync = Callable[..., Synced]


@pytest.fixture
def sync(
    raw_manifests: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Sync:
    """Reads a list: `sync(list, state, start_date=...)`."""
    monkeypatch.setattr(CallBudget, "start", lambda self: True)
    monkeypatch.setattr(CallBudget, "sleep", lambda self, seconds: None)

    def run(world: Skipcall, state: Any = None, mode: str = "incremental", **config: Any) -> Synced:
        provider = type(world).__name__.lower()
        source = CallsSource()
        source.__dict__["manifest"] = copy.deepcopy(raw_manifests[provider])
        stream = {
            "name": "calls",
            "json_schema": {},
            "supported_sync_modes": ["full_refresh", "incremental"],
        }
        entry = {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append_dedup"}
        catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": [entry]})
        descriptor = {"stream_descriptor": {"name": "calls"}, "stream_state": state}
        states = [] if state is None else [{"type": "STREAM", "stream": descriptor}]
        given = [AirbyteStateMessageSerializer.load(copy.deepcopy(one)) for one in states]
        caplog.clear()
        world.asked.clear()
        names, left, failure = [], [], None
        with requests_mock.Mocker() as mock, caplog.at_level("INFO"):
            mock.get(requests_mock.ANY, json=world.body)
            try:
                for message in source.read(LOGGER, {**world.config, **config}, catalog, given):
                    if message.type is Type.RECORD and message.record is not None:
                        call = message.record.data
                        names.append(call.get("notes") or call["id"])
                    if message.state is not None and message.state.stream is not None:
                        left.append(vars(message.state.stream.stream_state))
            except AirbyteTracedException as caught:
                failure = caught
        told = [r.getMessage() for r in caplog.records if r.name == "airbyte.calls"]
        return Synced(" ".join(names), left, failure, told, sorted(world.asked))

    return run


FIVE: dict[str, float | tuple[float, float]] = {"a": 1, "b": 40, "c": 75, "d": 110, "e": 145}
"""Of five months: no two of them lie in the same one, and but for the first all are settled."""

WORKERS = {"num_workers": 1}


# --- one sync after another ---


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("order", ORDERS)
def test_the_first_sync_brings_all_and_the_next_one_what_is_young(
    sync: Sync, order: str, workers: int
) -> None:
    world = Skipcall(FIVE, order)
    first = sync(world, num_workers=workers)
    assert (first.came, first.failure, first.asked) == (list("abcde"), None, [1, 2, 3])
    state = first.state
    assert set(state) == {"updated_at", "complete", "inventory", "scope"}
    assert state["updated_at"] == ago(1)[:-1] + "000Z"
    assert state["complete"]["cursor"] == ago(1)[:-1] + "000Z"
    assert list(state["inventory"]["months"]) == sorted(
        month_of(days) for days in (40, 75, 110, 145)
    )
    assert [entry[:2] for entry in state["inventory"]["months"].values()] == ["1:"] * 4
    assert state["scope"] == {}
    second = sync(world, state, num_workers=workers)
    assert (second.came, second.failure, second.asked) == (["a"], None, [1, 2, 3])
    assert second.state["inventory"]["months"] == state["inventory"]["months"]
    assert second.told == []


@pytest.mark.parametrize("order", ORDERS)
def test_what_a_reading_missed_arrives_with_the_next_one(sync: Sync, order: str) -> None:
    """A call that slipped, became visible late, or came with a wider key."""
    more = {**FIVE, "f": 75.001}  # of the month of c
    first = sync(Skipcall({name: days for name, days in more.items() if name != "c"}, order))
    second = sync(Skipcall(more, order), first.state)
    assert second.came == ["a", "c", "f"]
    assert second.asked.count(1) == 2
    assert second.told == ["calls: the list differs from what is known; reading it again."]
    assert sync(Skipcall(more, order), second.state).came == ["a"]


def test_a_month_of_which_nothing_was_known_comes_at_once(sync: Sync) -> None:
    first = sync(Skipcall({name: days for name, days in FIVE.items() if name != "c"}))
    second = sync(Skipcall(FIVE), first.state)
    assert (second.came, second.asked) == (["a", "c"], [1, 2, 3])
    assert sync(Skipcall(FIVE), second.state).came == ["a"]


def test_a_deletion_repeats_its_month_once(sync: Sync) -> None:
    world = Skipcall({**FIVE, "f": 75.001})
    first = sync(world)
    gone = Skipcall(FIVE)
    second = sync(gone, first.state)
    assert second.came == ["a", "c"]
    assert sync(gone, second.state).came == ["a"]


def test_a_change_of_an_old_call_comes_without_a_second_reading(sync: Sync) -> None:
    first = sync(Skipcall(FIVE))
    changed = sync(Skipcall({**FIVE, "d": (110, 0.5)}), first.state)
    assert (changed.came, changed.asked) == (["a", "d"], [1, 2, 3])
    assert changed.state["updated_at"] == ago(0.5)[:-1] + "000Z"


def test_the_same_requests_are_what_a_healthy_reading_costs(sync: Sync) -> None:
    assert sync(Skipcall(FIVE)).asked == [1, 2, 3]
    # a full last page may not be the last one
    assert sync(Skipcall({name: FIVE[name] for name in "abcd"})).asked == [1, 2, 3]


# --- totals that are wrong ---


@pytest.mark.parametrize(
    "total",
    [
        lambda count: 0,
        lambda count: 1,
        lambda count: count - 1,
        lambda count: 2,  # of the page
        str,
        lambda count: None,
        lambda count: "many",
    ],
    ids=["zero", "one", "one too low", "per page", "a text", "none", "a word"],
)
@pytest.mark.parametrize("workers", [1, 4])
def test_a_total_that_is_too_small_hides_nothing(
    sync: Sync, total: Callable[[int], Any], workers: int
) -> None:
    world = Skipcall({str(n): 10.0 + 30 * n for n in range(9)}, total=total)
    found = sync(world, num_workers=workers)
    assert (found.came, found.failure) == ([str(n) for n in range(9)], None)
    again = sync(world, found.state, num_workers=workers)
    assert (again.came, again.told) == (["0"], [])
    assert [again.asked.count(number) for number in range(1, 6)] == [1] * 5
    assert len(again.asked) <= 8


@pytest.mark.parametrize("total", [lambda count: 0, lambda count: None], ids=["zero", "none"])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_page_that_comes_for_every_number_is_the_last_one_if_it_is_not_full(
    sync: Sync, total: Callable[[int], Any], workers: int
) -> None:
    """What it may have hidden comes once it is listed."""

    class SamePage(Skipcall):
        def body(self, request: Any, context: Any) -> Any:
            return {**super().body(request, context), "data": self.rows()[: self.size]}

    SamePage.__name__ = "Skipcall"
    found = sync(SamePage(FIVE, total=total), num_workers=workers)
    assert found.failure is None
    assert set(found.came) == {"a", "b"}
    again = sync(Skipcall(FIVE), found.state, num_workers=workers)
    assert {"c", "d", "e"} <= set(again.came)


@pytest.mark.parametrize("order", ORDERS)
def test_entries_that_are_null_count_as_listed(sync: Sync, order: str) -> None:
    """They count towards the total, take a place in a page, and bring no second reading."""

    class WithNulls(Skipcall):
        def rows(self) -> list[Any]:
            rows = super().rows()
            return [*rows[:2], None, None, *rows[2:]]  # a page of nothing else

    WithNulls.__name__ = "Skipcall"
    world = WithNulls(FIVE, order, total=lambda count: count + 2)
    first = sync(world, **WORKERS)
    assert (first.came, first.failure) == (list("abcde"), None)
    assert first.asked == [1, 2, 3, 4]  # once
    assert "unlisted" not in first.state["complete"]
    second = sync(world, first.state, **WORKERS)
    assert (second.came, second.asked) == (["a"], [1, 2, 3, 4])


@pytest.mark.parametrize("surplus", [1, 2, 7])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_total_that_is_too_high_costs_one_more_reading_once(
    sync: Sync, surplus: int, workers: int
) -> None:
    world = Skipcall(FIVE, total=lambda count: count + surplus)
    first = sync(world, num_workers=workers)
    assert (first.came, first.failure) == (list("abcde"), None)
    assert first.asked.count(1) == 2
    assert first.state["updated_at"] == ago(1)[:-1] + "000Z"
    assert first.state["complete"]["unlisted"] == surplus
    sentence = f"Skipcall announces {5 + surplus} calls and lists 5, twice in a row."
    assert sentence in first.told
    second = sync(world, first.state, num_workers=workers)
    assert (second.came, second.asked.count(1)) == (["a"], 1)
    assert second.told == []


def test_a_total_that_changes_from_page_to_page(sync: Sync) -> None:
    totals = iter([5, 8, 6, 5, 9, 7] * 99)
    world = Skipcall(FIVE, total=lambda _: next(totals))
    first = sync(world, **WORKERS)
    assert (first.came, first.failure) == (list("abcde"), None)
    assert first.asked.count(1) <= 2


# --- a reading that fails ---


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_reading_that_fails_leaves_the_inventory_and_the_cursor_alone(
    sync: Sync, page: int
) -> None:
    first = sync(Skipcall(FIVE))
    more = {**FIVE, "a": (1, 0.2), "x": 41.0, "y": 111.0}
    failed = sync(Skipcall(more, broken=[page]), first.state, **WORKERS)
    assert failed.failure is not None
    for state in failed.states:
        assert state == first.state
    rest = sync(Skipcall(more), failed.states[-1] if failed.states else first.state)
    assert set("axy") <= set(failed.came) | set(rest.came)
    assert {"a", "x", "y"} <= set(rest.came)


def test_a_first_reading_that_fails_leaves_no_inventory(sync: Sync) -> None:
    failed = sync(Skipcall(FIVE, broken=[3]), **WORKERS)
    assert failed.came == ["a", "b", "c", "d"]
    assert failed.failure is not None
    for state in failed.states:
        assert "inventory" not in state
        assert "complete" not in state
        assert state["updated_at"] < ago(3650)
    last = failed.states[-1] if failed.states else None
    assert sync(Skipcall(FIVE), last).came == list("abcde")


def test_an_empty_page_in_the_middle_fails_and_leaves_nothing(sync: Sync) -> None:
    first = sync(Skipcall(FIVE))
    failed = sync(Skipcall(FIVE, empty=[2]), first.state, **WORKERS)
    assert failed.failure is not None
    assert failed.failure.failure_type.value == "transient_error"
    assert "an empty page 2 of 3" in (failed.failure.message or "")
    assert all(state == first.state for state in failed.states)


def test_the_second_reading_counts_too(sync: Sync) -> None:
    """If it fails, the months that differ have not come: nothing of the first one is kept."""
    first = sync(Skipcall({**FIVE, "f": 75.001}))

    class FailsLater(Skipcall):
        def body(self, request: Any, context: Any) -> Any:
            if self.asked.count(1) == 2:
                self.broken = [3]
            return super().body(request, context)

    FailsLater.__name__ = "Skipcall"
    failed = sync(FailsLater(FIVE), first.state, **WORKERS)
    assert failed.failure is not None
    assert failed.asked.count(1) == 2
    assert all(state == first.state for state in failed.states)


# --- walls ---

ROWS: dict[str, float | tuple[float, float]] = {
    name: 10.0 + 35 * number for number, name in enumerate("abcd")
}
"""Two full pages."""


@pytest.mark.parametrize("refused", [[], [3, 4]], ids=["empty", "refused"])
def test_a_wall_newest_first(sync: Sync, refused: list[int]) -> None:
    world = Skipcall(ROWS, total=lambda _: 8, refused=refused)
    first = sync(world, **WORKERS)
    assert first.came == list("abcd")
    assert first.failure is not None
    assert first.failure.failure_type.value == "config_error"
    day = ago(115 - 1)[:10]
    assert first.failure.message == (
        f"Skipcall lists only 4 of 8 calls, the newest; set start_date to {day}T00:00:00Z or"
        " later. What it lists was read."
    )
    # what was read counts: but for the month of the oldest listed call
    assert first.state["updated_at"] == ago(10)[:-1] + "000Z"
    assert sorted(first.state["inventory"]["months"]) == sorted(month_of(n) for n in (10, 45, 80))
    second = sync(world, first.state, **WORKERS)
    # the month of the oldest listed call has nothing to be compared with, so it always comes
    assert second.came == ["a", "d"]
    assert second.failure is not None
    # a start date inside of what is listed
    config = {"start_date": times.format_timestamp(NOW - timedelta(days=90), 0), **WORKERS}
    inside = sync(world, second.state, **config)
    assert (inside.came, inside.failure) == (list("abc"), None)
    # and what it hid comes once it is gone
    gone = sync(Skipcall({**ROWS, "e": 150.0}), second.state, **WORKERS)
    assert gone.failure is None
    assert gone.came == ["a", "d", "e"]


@pytest.mark.parametrize("order", ["oldest", "unsorted"])
def test_a_wall_that_may_hide_new_calls(sync: Sync, order: str) -> None:
    config = {"start_date": ago(90)[:19] + "Z", **WORKERS}
    found = sync(
        Skipcall(dict(zip("badc", (10, 45, 80, 115), strict=True)), order, total=lambda _: 8),
        **config,
    )
    assert found.failure is not None
    assert found.failure.failure_type.value == "system_error"
    assert "Skipcall lists only 4 of 8 calls, and not the newest first" in (
        found.failure.message or ""
    )


@pytest.mark.parametrize(
    ("order", "before", "now", "is_told"),
    [
        ("oldest", 3, 5, True),
        ("unsorted", 3, 4, True),
        ("oldest", 0, 2, True),
        # less than a page, no more than before, or behind the oldest ones
        ("oldest", 0, 1, False),
        ("oldest", 5, 5, False),
        ("oldest", 5, 4, False),
        ("newest", 3, 5, False),
    ],
)
def test_calls_that_come_where_a_list_of_the_oldest_first_lists_no_more(
    sync: Sync, order: str, before: int, now: int, is_told: bool
) -> None:
    """The last page is not full, so that no wall is seen."""
    first = sync(Skipcall(FIVE, order, total=lambda count: count + before), **WORKERS)
    second = sync(Skipcall(FIVE, order, total=lambda count: count + now), first.state, **WORKERS)
    sentence = (
        f"Skipcall announces {now} calls more than it lists, {before} at the last complete reading,"
        " and does not list the newest first: new ones may be missing. Ask it for a complete list."
    )
    assert [line for line in first.told if "more than it lists" in line] == []
    assert [line for line in second.told if "more than it lists" in line] == [sentence] * is_told
    assert (first.failure, second.failure) == (None, None)
    assert second.state["complete"]["unlisted"] == now


def test_what_comes_twice_because_the_list_moves_hides_no_new_calls(sync: Sync) -> None:
    class Moving(Skipcall):
        def rows(self) -> list[dict[str, Any]]:
            rows = super().rows()
            return rows[:2] + rows

    Moving.__name__ = "Skipcall"
    first = sync(Skipcall(FIVE, "oldest", total=lambda count: count + 3), **WORKERS)
    moved = sync(Moving(FIVE, "oldest", total=lambda count: count + 5), first.state, **WORKERS)
    assert (moved.failure, [line for line in moved.told if "more than it lists" in line]) == (
        None,
        [],
    )


# --- scope ---


def test_an_earlier_start_date_reads_everything_once_more(sync: Sync) -> None:
    world = Skipcall(FIVE)
    late, early = ago(90)[:19] + "Z", ago(130)[:19] + "Z"
    first = sync(world, start_date=late)
    assert first.came == list("abc")
    assert first.state["scope"] == {"start_date": late}
    second = sync(world, first.state, start_date=early)
    assert second.came == list("abcd")
    assert second.state["scope"] == {"start_date": early}
    assert second.told == [
        "calls: what is to be read is not what the state is of (workspace_ids, start_date); all of"
        " it is read once more."
    ]
    assert sync(world, second.state, start_date=early).came == ["a"]
    narrow = sync(world, second.state, start_date=late)
    assert narrow.came == list("abc")
    assert sync(world, narrow.state).came == list("abcde")


def test_a_scope_is_written_only_once_all_of_it_was_read(sync: Sync) -> None:
    world = Skipcall(FIVE)
    late = ago(90)[:19] + "Z"
    first = sync(world, start_date=late)
    failed = sync(Skipcall(FIVE, broken=[3]), first.state, **WORKERS)
    assert failed.failure is not None
    for state in failed.states:
        assert state["scope"] == {"start_date": late}
    state = failed.states[-1] if failed.states else first.state
    assert sync(world, state).came == list("abcde")


def test_the_order_of_a_list_is_no_scope(sync: Sync) -> None:
    ids = ["550e8400-e29b-41d4-a716-446655440000", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]
    world = Skipcall(FIVE)
    first = sync(world, workspace_ids=ids)
    assert sync(world, first.state, workspace_ids=ids[::-1]).came == ["a"]
    assert sync(world, first.state, workspace_ids=ids[:1]).came == list("abcde")


# --- states of others ---


def test_a_state_of_0_1_0_brings_everything_once(sync: Sync) -> None:
    world = Skipcall(FIVE)
    found = sync(world, {"updated_at": ago(1)[:-1] + "000Z"})
    assert (found.came, found.failure) == (list("abcde"), None)
    assert sync(world, found.state).came == ["a"]


@pytest.mark.parametrize("form", ["{}Z", "{}.5Z", "{}+00:00"])
def test_a_state_that_was_written_by_hand_bounds(sync: Sync, form: str) -> None:
    world = Skipcall(FIVE)
    found = sync(world, {"updated_at": form.format(ago(60)[:19])})
    assert (found.came, found.failure) == (["a", "b"], None)
    assert len(found.state["inventory"]["months"]) == 4
    assert sync(world, found.state).came == ["a"]


def test_a_full_refresh_brings_everything_whatever_the_state(sync: Sync) -> None:
    world = Skipcall(FIVE)
    first = sync(world)
    again = sync(world, first.state, "full_refresh")
    assert again.came == list("abcde")
    slipped = Skipcall(FIVE, total=lambda count: count + 1)
    assert sync(slipped, mode="full_refresh").asked.count(1) == 2


# --- an empty list ---


def test_an_empty_list_leaves_an_empty_inventory(sync: Sync) -> None:
    found = sync(Skipcall({}))
    assert (found.came, found.failure, found.asked) == ([], None, [1])
    assert found.state["inventory"]["months"] == {}
    filled = sync(Skipcall(FIVE), found.state)
    assert filled.came == list("abcde")
    assert sync(Skipcall(FIVE), filled.state).came == ["a"]


# --- a list that is left early ---

MANY: dict[str, float | tuple[float, float]] = {f"n{n}": 1.0 + 5 * n for n in range(12)}
"""Six pages: n0 to n11, newest first, five days apart."""


def test_within_a_day_of_a_complete_reading_the_newest_end_is_enough(sync: Sync) -> None:
    first = sync(Amplemarket(MANY))
    assert (len(first.came), first.asked) == (12, [1, 2, 3, 4, 5, 6])
    recent = sync(Amplemarket({**MANY, "new": 0.5}), first.state)
    # up to the page that passes the lookback, the second one at the earliest
    assert (recent.came, recent.asked) == (["n0", "n1", "new"], [1, 2])
    # it is no complete reading: what that one left is kept
    for place in ("complete", "inventory", "scope"):
        assert recent.state[place] == first.state[place]
    assert recent.state["created_at"] == ago(0.5)[:-1] + "000Z"


@pytest.mark.parametrize(
    ("hours", "pages"), [(23.9, 2), (24.1, 6), (9999, 6), (-0.1, 6), (-9999, 6), (None, 6)]
)
def test_a_complete_reading_comes_once_a_day(sync: Sync, hours: float | None, pages: int) -> None:
    """By our own clock; a time of the future, or one that cannot be read, counts as none."""
    first = sync(Amplemarket(MANY))
    state = copy.deepcopy(first.state)
    moment = datetime.now(UTC) - timedelta(hours=hours or 0)
    state["complete"]["at"] = "soon" if hours is None else times.format_timestamp(moment)
    found = sync(Amplemarket(MANY), state)
    assert (found.asked, found.came) == (list(range(1, pages + 1)), ["n0", "n1"])


def test_what_a_recent_reading_cannot_see_comes_with_the_complete_one(sync: Sync) -> None:
    first = sync(Amplemarket(MANY))
    late = Amplemarket({**MANY, "late": 48.0})
    recent = sync(late, first.state)
    assert recent.came == ["n0", "n1"]
    state = copy.deepcopy(recent.state)
    state["complete"]["at"] = ago(2)
    whole = sync(late, state)
    assert "late" in whole.came
    assert whole.asked == sorted([1, 2, 3, 4, 5, 6, 7] * 2)
    assert sync(late, whole.state).came == ["n0", "n1"]


def test_another_scope_is_read_completely(sync: Sync) -> None:
    first = sync(Amplemarket(MANY))
    found = sync(Amplemarket(MANY), first.state, start_date=ago(30)[:19] + "Z")
    assert found.asked == [1, 2, 3, 4, 5, 6]
    assert found.came == sorted(f"n{n}" for n in range(6))


def test_a_complete_reading_that_fails_is_made_again(sync: Sync) -> None:
    failed = sync(Amplemarket(MANY, broken=[4]))
    assert failed.failure is not None
    state = failed.states[-1] if failed.states else None
    assert len(sync(Amplemarket(MANY), state).came) == 12


def test_a_list_that_contradicts_its_order_is_read_to_its_end(sync: Sync) -> None:
    first = sync(Amplemarket(MANY))
    odd = {**MANY, "odd-id": 2.0}
    found = sync(Amplemarket(odd), first.state)
    assert found.asked == [1, 2, 3, 4, 5, 6, 7]
    assert found.came == ["n0", "n1", "odd-id"]
    oldest_first = sync(Amplemarket(MANY, "oldest"), first.state)
    assert oldest_first.asked == [1, 2, 3, 4, 5, 6]
    assert oldest_first.came == ["n0", "n1"]


def test_a_call_whose_creation_is_only_a_guess_always_comes(sync: Sync) -> None:
    world = Amplemarket({**MANY, "odd-id": 40.0})
    first = sync(world)
    for hours in (0, 48):
        state = copy.deepcopy(first.state)
        state["complete"]["at"] = times.format_timestamp(NOW - timedelta(hours=hours))
        found = sync(Amplemarket({"odd-id": 40.0, "n0": 1.0}), state)
        assert "odd-id" in found.came


@pytest.mark.parametrize("total", [lambda count: count, lambda _: None, lambda _: 0])
@pytest.mark.parametrize("sorts", [0, 1, 2, 6])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_sort_order_that_is_taken_for_the_first_pages_only(
    sync: Sync, sorts: int, total: Callable[[int], Any], workers: int
) -> None:
    """A page that is refused for its sort order is no end of the list, and no wall."""
    world = Skipcall(MANY, "oldest", total=total, sorts=sorts)
    found = sync(world, num_workers=workers)
    assert found.failure is None
    assert set(found.came) == set(MANY)
    settled = [name for name, days in MANY.items() if isinstance(days, float) and days > 7]
    counts = [int(entry.split(":")[0]) for entry in found.state["inventory"]["months"].values()]
    assert sum(counts) == len(settled)
    later = Skipcall({**MANY, "new": 0.5}, "oldest", total=total, sorts=sorts)
    again = sync(later, found.state, num_workers=workers, full_scan_hours=24)
    assert {"new", "n0", "n1"} <= set(again.came)


@pytest.mark.parametrize("field", ["cursor", "updated_at"])
@pytest.mark.parametrize("order", ["newest", "oldest", "unsorted"])
def test_a_moment_of_the_future_in_the_state_hides_nothing(
    sync: Sync, field: str, order: str
) -> None:
    first = sync(Skipcall(MANY, order), **HOURS)
    changed = Skipcall({**MANY, "n9": (46.0, 0.2), "new": 0.1, "newer": 0.05}, order)
    state = copy.deepcopy(first.state)
    (state["complete"] if field == "cursor" else state)[field] = "2099-01-01T00:00:00.000000Z"
    recent = sync(changed, state, **HOURS)
    assert {"new", "newer", "n0", "n1"} <= set(recent.came)
    state = copy.deepcopy(recent.state)
    state["complete"]["at"] = ago(1.1)
    assert {"n9", "new", "newer"} <= set(sync(changed, state, **HOURS).came)


@pytest.mark.parametrize("hours", [0, 24])
def test_a_provider_whose_clock_is_ahead_has_not_everything_read_again(
    sync: Sync, hours: int
) -> None:
    """Both cursors of the state are cut at moments of our clock, which are not the same."""
    ahead: dict[str, float | tuple[float, float]] = {**MANY, "soon": -0.5}
    first = sync(Skipcall(ahead), full_scan_hours=hours)
    assert first.state["complete"]["cursor"] >= first.state["updated_at"]
    again = sync(Skipcall(ahead), first.state, full_scan_hours=hours)
    assert again.came == ["n0", "n1", "soon"]


# --- the newest end of a numbered list ---

HOURS = {"full_scan_hours": 24}


@pytest.mark.parametrize(
    ("order", "asked"),
    [
        ("newest", [1, 2]),
        ("changed", [1, 2]),
        # the first page shows the order; behind a short last one nothing is looked for
        ("oldest", [1, 6, 7, 5]),
        ("unsorted", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
@pytest.mark.parametrize("workers", [1, 4])
def test_between_complete_readings_the_newest_end_is_read(
    sync: Sync, order: str, asked: list[int], workers: int
) -> None:
    settings = {**HOURS, "num_workers": workers}
    first = sync(Skipcall(MANY, order), **settings)
    assert len(first.came) == 12
    recent = sync(Skipcall({**MANY, "new": 0.5}, order), first.state, **settings)
    assert recent.came == ["n0", "n1", "new"]
    assert recent.asked == sorted(asked)
    assert recent.state["updated_at"] == ago(0.5)[:-1] + "000Z"
    if order == "unsorted":
        assert any("shows no order" in line for line in recent.told)
        assert recent.state["complete"]["at"] > first.state["complete"]["at"]
    else:
        assert any("newest end of the list only" in line for line in recent.told)
        for place in ("complete", "inventory", "scope"):
            assert recent.state[place] == first.state[place]


def test_sorted_by_change_a_recent_reading_misses_no_change(sync: Sync) -> None:
    first = sync(Skipcall(MANY, "changed"), **HOURS)
    changed = {**MANY, "n11": (56.0, 0.2), "n7": (36.0, 0.1)}
    recent = sync(Skipcall(changed, "changed"), first.state, **HOURS)
    assert recent.came == ["n0", "n1", "n11", "n7"]
    assert recent.asked == [1, 2, 3]


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_change_of_an_old_call_comes_with_the_next_complete_reading(
    sync: Sync, order: str
) -> None:
    first = sync(Skipcall(MANY, order), **HOURS)
    changed = Skipcall({**MANY, "n9": (46.0, 0.2), "new": 0.1}, order)
    recent = sync(changed, first.state, **HOURS)
    assert recent.came == ["n0", "n1", "new"]
    state = copy.deepcopy(recent.state)
    state["complete"]["at"] = ago(1.1)
    whole = sync(changed, state, **HOURS)
    assert "n9" in whole.came
    assert whole.asked == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("hours", [0, 1])
def test_how_often_a_list_is_read_to_its_end_is_a_setting(sync: Sync, hours: int) -> None:
    first = sync(Skipcall(MANY), full_scan_hours=hours)
    state = copy.deepcopy(first.state)
    moment = datetime.now(UTC) - timedelta(minutes=54)
    state["complete"]["at"] = times.format_timestamp(moment)
    again = sync(Skipcall(MANY), state, full_scan_hours=hours)
    assert again.asked == ([1, 2, 3, 4, 5, 6, 7] if hours == 0 else [1, 2])


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("seconds", [0, 50, 300])
def test_an_import_within_a_minute_shows_no_order(sync: Sync, seconds: int, workers: int) -> None:
    """With it an oldest-first list begins, so that what is new is not on its first pages."""
    imported = {f"i{n}": 90 - n * seconds / 6 / 86400 for n in range(6)}
    settings = {**HOURS, "num_workers": workers}
    first = sync(Skipcall({**imported, **MANY}, "oldest"), **settings)
    found = sync(Skipcall({**imported, **MANY, "new": 0.5}, "oldest"), first.state, **settings)
    assert found.came == ["n0", "n1", "new"]
    assert found.state["complete"] == first.state["complete"]


@pytest.mark.parametrize("order", ["oldest", "unsorted"])
def test_a_change_of_all_old_calls_at_once_shows_no_order(sync: Sync, order: str) -> None:
    bulk: dict[str, float | tuple[float, float]] = {f"n{n}": (11.0 + 5 * n, 9.0) for n in range(12)}
    bulk["young"] = 0.6
    first = sync(Skipcall(bulk, order), **HOURS)
    found = sync(Skipcall({**bulk, "new": 0.5}, order), first.state, **HOURS)
    assert found.came == ["new", "young"]


def test_backwards_the_same_page_under_every_number_is_no_order(sync: Sync) -> None:
    """A wall that repeats its last page: what is new stands behind it."""

    class Walled(Skipcall):
        def body(self, request: Any, context: Any) -> Any:
            number = min(int(request.qs["page"][0]), 4)
            return super().body(SimpleNamespace(qs={"page": [f"{number}"]}), context)

    Walled.__name__ = "Skipcall"
    first = sync(Skipcall(MANY, "oldest"), **HOURS)
    found = sync(Walled({**MANY, "new": 0.5}, "oldest"), first.state, **HOURS)
    assert found.failure is not None


def test_one_contradiction_and_the_reading_becomes_a_complete_one(sync: Sync) -> None:
    first = sync(Skipcall(MANY), **HOURS)

    found = sync(Skipcall({**MANY, "new": 0.5}, "late"), first.state, **HOURS)
    assert found.came == ["n0", "n1", "new"]
    assert found.asked == [1, 2, 3, 4, 5, 6, 7]  # each of them once
    assert found.state["complete"]["at"] > first.state["complete"]["at"]


def test_a_recent_reading_does_not_meet_a_wall(sync: Sync) -> None:
    """A complete one does, and says so; it counts as complete all the same."""
    walled = Skipcall(MANY, empty=(5, 6, 7))
    first = sync(walled, **HOURS)
    assert first.failure is not None
    assert "lists only 8 of 12" in str(first.failure.message)
    recent = sync(walled, first.state, **HOURS)
    assert (recent.failure, recent.asked, recent.came) == (None, [1, 2], ["n0", "n1"])


@pytest.mark.parametrize(("days", "came"), [(3.0, ["n0"]), (400.0, ["n0", "n1"])])
def test_a_start_date_holds_in_a_recent_reading_too(
    sync: Sync, days: float, came: list[str]
) -> None:
    start = {"start_date": ago(days)[:19] + "Z"}
    first = sync(Skipcall(MANY), **HOURS, **start)
    recent = sync(Skipcall(MANY), first.state, **HOURS, **start)
    assert (recent.asked, recent.came) == ([1, 2], came)


def test_an_oldest_first_list_that_ends_otherwise_is_read_to_its_end(sync: Sync) -> None:
    """The announced last page is empty: so the reading is a complete one."""
    first = sync(Skipcall(MANY, "oldest"), **HOURS)
    found = sync(Skipcall(MANY, "oldest", total=lambda count: count + 8), first.state, **HOURS)
    assert found.came == ["n0", "n1"]
    assert found.state["complete"]["at"] > first.state["complete"]["at"]


# --- warnings ---


def test_records_without_a_time_are_told_of_once(sync: Sync) -> None:
    class Garbled(Skipcall):
        def rows(self) -> list[dict[str, Any]]:
            return [{**row, "updatedAt": "soon"} for row in super().rows()]

    Garbled.__name__ = "Skipcall"
    found = sync(Garbled(FIVE))
    sentence = "5 records of calls have no updated_at that can be read; such records come with"
    assert [t for t in found.told if t.startswith(sentence)] == [f"{sentence} every sync."]
    assert sync(Garbled(FIVE), found.state).came == list("abcde")
