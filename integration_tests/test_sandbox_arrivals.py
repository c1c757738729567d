"""The oracle of time itself: with which sync something must have arrived."""

import ast
from pathlib import Path
from typing import Any

import pytest

from integration_tests.sandbox import World, arrivals
from integration_tests.sandbox.arrivals import Happening, Promise, Run, place_of
from integration_tests.sandbox.identifiers import milliseconds_of
from integration_tests.sandbox.listing import displaced_key
from integration_tests.sandbox.switches import LIST_ORDERS, ListOrder
from integration_tests.sandbox.times import DAY, HOUR, MINUTE

NOW = 100 * DAY
YOUNG, OLD = NOW - DAY, NOW - 8 * DAY
"""Within the seven days of the lookback, and before them."""


def run(hours: float, **other: bool) -> Run:
    """A sync so many hours from now, which went well and read the newest end."""
    went = {"is_kept": True, "is_quiet": True, "is_complete": False, **other}
    return Run(NOW + round(hours * HOUR), **went)


RUNS = (
    run(-1, is_complete=True),  # before it could be seen
    run(0, is_kept=False),
    run(1, is_quiet=False),
    run(2),
    run(3),
    run(4, is_complete=True, is_quiet=False),
    run(5, is_complete=True, is_kept=False),
    run(6, is_complete=True),
    run(7, is_complete=True),
)
NEXT, NEXT_COMPLETE = 3, 7


@pytest.mark.parametrize(
    ("order", "kind", "place", "number"),
    [
        ("created_desc", "new", NOW, NEXT),
        ("created_desc", "changed", YOUNG, NEXT),
        ("created_desc", "changed", OLD, NEXT_COMPLETE),
        ("created_desc", "changed", NOW - 7 * DAY, NEXT),
        ("created_desc", "changed", NOW - 7 * DAY - 1, NEXT_COMPLETE),
        ("created_desc", "appeared", YOUNG, NEXT),
        ("created_desc", "appeared", OLD, NEXT_COMPLETE),
        ("created_desc", "gone", NOW, None),
        ("created_asc", "new", NOW, NEXT),
        ("created_asc", "changed", OLD, NEXT_COMPLETE),
        # by change, each change stands where those of now do
        ("updated_desc", "changed", NOW, NEXT),
        ("updated_asc", "changed", NOW, NEXT),
        # by start, a call that is told late stands where nobody looks
        ("started_desc", "new", NOW, NEXT),
        ("started_desc", "new", OLD, NEXT_COMPLETE),
        ("started_asc", "new", NOW - 7 * DAY + MINUTE, NEXT_COMPLETE),
        ("nearly_desc", "new", NOW - 5 * DAY, NEXT),
        ("nearly_asc", "new", OLD, NEXT_COMPLETE),
        ("shuffled", "new", NOW, NEXT),
    ],
)
def test_with_which_sync_something_must_have_arrived(
    order: ListOrder, kind: Any, place: int, number: int | None
) -> None:
    happening = Happening(kind, NOW, place)
    promise = Promise(order)
    assert promise.arrives_with(happening, RUNS) == number
    if number is not None:
        assert promise.arrives_with(happening, RUNS[: number + 1]) == number
        assert promise.arrives_with(happening, RUNS[:number]) is None


@pytest.mark.parametrize(
    ("kind", "place", "number"),
    [
        ("new", NOW, NEXT),
        ("changed", YOUNG, NEXT),
        ("changed", OLD, None),
        ("appeared", OLD, NEXT_COMPLETE),
    ],
)
def test_changes_that_no_record_tells(kind: Any, place: int, number: int | None) -> None:
    promise = Promise("created_desc", tells_changes=False)
    assert promise.arrives_with(Happening(kind, NOW, place), RUNS) == number


@pytest.mark.parametrize(("days", "number"), [(1, NEXT_COMPLETE), (2, NEXT), (30, NEXT)])
def test_the_lookback_is_a_setting(days: int, number: int) -> None:
    happening = Happening("changed", NOW, NOW - 2 * DAY)
    assert Promise("created_desc", lookback_days=days).arrives_with(happening, RUNS) == number


@pytest.mark.parametrize("order", LIST_ORDERS)
@pytest.mark.parametrize(
    ("runs", "hours", "is_due"),
    [
        ((), 0, True),
        ((run(0, is_complete=True),), 23.99, False),
        ((run(0, is_complete=True),), 24, True),
        ((run(0, is_complete=True), run(23)), 24, True),
        ((run(0, is_complete=True), run(23, is_complete=True)), 24, False),
        ((run(0, is_complete=True), run(23, is_complete=True, is_kept=False)), 24, True),
        ((run(0, is_complete=True), run(23, is_complete=True, is_quiet=False)), 24, False),
    ],
)
def test_when_the_whole_list_has_to_be_read(
    order: ListOrder, runs: tuple[Run, ...], hours: float, is_due: bool
) -> None:
    began = NOW + round(hours * HOUR)
    assert Promise(order).is_complete_due(runs, began) is (is_due or order == "shuffled")
    assert Promise(order, full_scan_hours=0).is_complete_due(runs, began)


def test_where_a_call_stands() -> None:
    world = World(calls=60)
    intercom = next(c for c in world.intercom.calls.values() if c.initiated_at and c.updated_at)
    skipcall = next(c for c in world.skipcall.calls.values() if c.started and c.updated)
    for order in ("created_desc", "created_asc"):
        assert place_of("intercom", order, intercom) == intercom.created * 1000
        assert place_of("skipcall", order, skipcall) == skipcall.created
    assert place_of("intercom", "updated_asc", intercom) == (intercom.updated_at or 0) * 1000
    assert place_of("skipcall", "updated_desc", skipcall) == skipcall.updated
    assert place_of("intercom", "started_desc", intercom) == (intercom.initiated_at or 0) * 1000
    assert place_of("skipcall", "started_asc", skipcall) == skipcall.started
    displaced = {
        call.created - place_of("skipcall", "nearly_desc", call)
        for call in world.skipcall.calls.values()
    }
    assert displaced == {0, 5 * DAY}
    moments = arrivals.MOMENTS["intercom"]
    nearly = place_of("intercom", "nearly_asc", intercom)
    assert nearly == displaced_key(intercom, moments)[0] * 1000
    amplemarket = next(iter(world.amplemarket.calls.values()))
    assert place_of("amplemarket", "created_desc", amplemarket) == milliseconds_of(amplemarket.id)


def test_the_sandbox_knows_nothing_of_the_package_that_it_judges() -> None:
    for file in Path(arrivals.__file__).parent.glob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        imports = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
        modules = [n.module or "" for n in imports if isinstance(n, ast.ImportFrom)]
        modules += [alias.name for n in imports for alias in n.names]
        assert not [module for module in modules if module.startswith("calls_shared")]
