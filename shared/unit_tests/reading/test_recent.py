"""Whether a reading of the newest end may be left, while the list moves under it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airbyte_cdk.sources.types import Record

from calls_shared.normalization import times
from calls_shared.reading.order_proof import Moments
from calls_shared.reading.pages import Page
from calls_shared.reading.recent import NewestEnd, Verdict

BOUND = times.lower_bound("2026-01-15T00:00:00.000000Z")


def page(days: Sequence[int]) -> Page:
    """A page of calls that were created on these days of January 2026, which are their ids too."""
    response: Any = [f"{day}" for day in days]
    return Page(response, [Record({"id": f"{day}"}, "calls") for day in days])


def moments(call: Record) -> Moments:
    moment = datetime(2025, 12, 31, tzinfo=UTC) + timedelta(days=int(call.data["id"]))
    return Moments(times.format_timestamp(moment), None)


def newest_end() -> NewestEnd:
    return NewestEnd(BOUND, moments, lambda *_: 5)


@pytest.mark.parametrize(
    ("pages", "verdicts"),
    [
        # three have come at the head meanwhile, so that these come again
        ([[28, 27, 26, 25], [27, 26, 25, 24], [18, 14]], "GO_ON GO_ON ENOUGH"),
        ([[28, 27, 26], [28, 27, 26], [25, 14]], "GO_ON GO_ON ENOUGH"),
        # what was not there before is disorder
        ([[28, 26, 25], [27, 24], [18, 14]], "GO_ON GO_ON GO_ON"),
        ([[28, 27, 26, 25], [26, 27, 25, 24], [18, 14]], "GO_ON GO_ON ENOUGH"),
    ],
)
def test_calls_that_come_again_because_the_list_moved_are_no_disorder(
    pages: Sequence[Sequence[int]], verdicts: str
) -> None:
    end = newest_end()
    assert [end.page(page(days)).name for days in pages] == verdicts.split()


class Provider:
    """Numbered pages, read backwards; each is what it was when it was asked for."""

    def __init__(self, pages: dict[int, Sequence[int]]) -> None:
        self.pages = pages
        self.asked: list[int] = []

    def page(self, number: int) -> Page:
        self.asked.append(number)
        return page(self.pages.get(number, []))

    def at_most(self, ahead: Callable[[], int]) -> Callable[[], int]:
        return lambda: min(1, ahead())

    def ids_of(self, response: Any) -> Sequence[str]:
        return list(response)


@pytest.mark.parametrize(
    ("pages", "asked", "is_done"),
    [
        ({5: [28, 29], 4: [25, 26, 27], 3: [13, 14, 16]}, [5, 6, 4, 3], True),
        # two older ones have gone meanwhile, so that page 4 holds two of page 5
        ({5: [27, 28, 29], 4: [26, 27, 28], 3: [13, 14, 16]}, [5, 6, 4, 3], True),
        ({5: [26, 28, 29], 4: [25, 27, 24], 3: [13, 14, 16]}, [5, 6, 4, 3], False),
    ],
)
def test_calls_that_come_again_on_the_way_back_are_no_disorder(
    pages: dict[int, Sequence[int]],
    asked: list[int],
    is_done: bool,
) -> None:
    end, provider = newest_end(), Provider(pages)
    assert end.page(page([1, 2, 3])) is Verdict.OLDEST_FIRST
    reading = end.backwards(provider)  # type: ignore[arg-type]
    over: list[bool] = []

    def read() -> Iterator[Page]:
        over.append((yield from reading))

    found = list(read())
    assert over == [is_done]
    assert provider.asked[: len(asked)] == asked[: len(provider.asked)]
    assert [one.records for one in found[:2]] == [page(pages[n]).records for n in (5, 4)]
