"""Whether a reading of the newest end may be left, while the list moves under it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from airbyte_cdk.sources.types import Record

from calls_shared.http.refusals import PageRefusedError
from calls_shared.normalization import times
from calls_shared.reading.order_proof import Moments
from calls_shared.reading.pages import Page
from calls_shared.reading.pagination import PageNumbers
from calls_shared.reading.recent import NewestEnd, Verdict

BOUND = times.lower_bound("2026-01-15T00:00:00.000000Z")


def page(days: Sequence[int], total: int | None = None) -> Page:
    """A page of calls that were created on these days of January 2026, which are their ids too."""
    response = requests.Response()
    response.status_code = 200
    response._content = json.dumps({"ids": [f"{day}" for day in days], "total": total}).encode()
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
    """Numbered pages, read backwards; each is what it was when asked for; null is refused."""

    strategy = PageNumbers(page_size=3, total_at="total")

    def __init__(self, pages: Mapping[int, Sequence[int] | None], total: int | None = None) -> None:
        self.pages = pages
        self.total = total
        self.asked: list[int] = []

    def page(self, number: int) -> Page:
        self.asked.append(number)
        if (days := self.pages.get(number, [])) is None:
            raise PageRefusedError("No.")
        return page(days, self.total)

    def at_most(self, ahead: Callable[[], int]) -> Callable[[], int]:
        return lambda: min(1, ahead())

    def ids_of(self, response: Any) -> Sequence[str]:
        ids: list[str] = response.json()["ids"]
        return ids


def read_backwards(provider: Provider) -> tuple[str, bool]:
    """The days of the pages that came, and whether they were enough; page 5 is announced last."""
    end = newest_end()
    assert end.page(page([1, 2, 3])) is Verdict.OLDEST_FIRST
    over: list[bool] = []

    def read() -> Iterator[Page]:
        over.append((yield from end.backwards(provider)))  # type: ignore[arg-type]

    days = [",".join(call.data["id"] for call in one.records) for one in read()]
    return " ".join(days), over[0]


@pytest.mark.parametrize(
    ("pages", "came", "is_done"),
    [
        ({5: [28, 29], 4: [25, 26, 27], 3: [13, 14, 16]}, "28,29 25,26,27 13,14,16", True),
        # two older ones have gone meanwhile, so that page 4 holds two of page 5
        ({5: [27, 28, 29], 4: [26, 27, 28], 3: [13, 14]}, "27,28,29 26,27,28 13,14", True),
        ({5: [26, 28, 29], 4: [25, 27, 24], 3: [13, 14]}, "26,28,29 25,27,24", False),
        # many have gone meanwhile, so that page 4 is behind the end
        ({5: [27, 28, 29], 4: None}, "27,28,29", False),
    ],
)
def test_calls_that_come_again_on_the_way_back_are_no_disorder(
    pages: dict[int, Sequence[int] | None], came: str, is_done: bool
) -> None:
    assert read_backwards(Provider(pages)) == (came, is_done)


@pytest.mark.parametrize(
    ("pages", "total", "asked"),
    [
        # a short last page, and all that is announced is listed
        ({5: [28, 29], 4: [13, 14]}, 14, [5, 4]),
        # as many as it could be, more or fewer than are announced, or nobody knows
        ({5: [27, 28, 29], 4: [13, 14]}, 15, [5, 6, 4]),
        ({5: [28, 29], 4: [13, 14]}, 15, [5, 6, 4]),
        ({5: [28, 29], 4: [13, 14]}, 13, [5, 6, 4]),
        ({5: [28, 29], 4: [13, 14]}, None, [5, 6, 4]),
        # there is more behind the announced end
        ({5: [27, 28, 29], 6: [30], 4: [13, 14]}, 15, [5, 6, 7, 4]),
        ({5: [27, 28, 29], 6: [30], 4: [13, 14]}, 16, [5, 6, 4]),
    ],
)
def test_how_far_the_real_end_is_looked_for(
    pages: dict[int, Sequence[int]],
    total: int | None,
    asked: list[int],
) -> None:
    provider = Provider(pages, total)
    came, is_done = read_backwards(provider)
    assert is_done
    assert provider.asked == asked
    assert came == " ".join(
        ",".join(map(str, pages[number])) for number in asked if number in pages
    )
