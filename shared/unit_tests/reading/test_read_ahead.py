import random
import threading
import time
from collections.abc import Callable

import pytest

from calls_shared.reading.read_ahead import pages_in_order

Announced = Callable[[int], int | None]


class Pages:
    """A list of numbered pages that remembers what was asked of it. A page is its own number."""

    def __init__(self, longest_delay: float = 0.0, broken: int | None = None) -> None:
        self.asked: list[int] = []
        self.answered: list[int] = []
        self._delay = longest_delay
        self._broken = broken
        self._random = random.Random(7)
        self._lock = threading.Lock()

    def fetch(self, number: int) -> int:
        with self._lock:
            self.asked.append(number)
            delay = self._random.uniform(0, self._delay)
        time.sleep(delay)
        if number == self._broken:
            raise ConnectionError(f"page {number}")
        with self._lock:
            self.answered.append(number)
        return number


def settle() -> None:
    time.sleep(0.03)  # long enough for idle workers to ask for what they must not


def settle_at(pages: Pages, asked: int) -> None:
    """Wait until so many pages were asked for, and a little longer."""
    until = time.monotonic() + 600.0
    while len(pages.asked) < asked and time.monotonic() < until:
        time.sleep(0.001)
    settle()


def always(count: int | None) -> Announced:
    return lambda _page: count


@pytest.mark.parametrize("workers", [0, 1, 2, 7])
def test_pages_come_in_order_whatever_their_delays(workers: int) -> None:
    pages = Pages(longest_delay=0.01)
    numbered = list(pages_in_order(pages.fetch, always(20), lambda: workers))
    assert numbered == [(number, number) for number in range(1, 21)]
    assert sorted(pages.asked) == list(range(1, 21))  # each once, none past the last


def test_pages_are_fetched_at_once() -> None:
    together = threading.Barrier(4)  # breaks, and so fails the test, unless four come together

    def fetch(number: int) -> int:
        if number > 1:
            together.wait(600.0)
        return number

    numbered = list(pages_in_order(fetch, always(9), lambda: 4))
    assert numbered == [(number, number) for number in range(1, 10)]


@pytest.mark.parametrize("announced", [0, 1])
def test_one_page_is_one_request(announced: int) -> None:
    pages = Pages()
    assert list(pages_in_order(pages.fetch, always(announced), lambda: 4)) == [(1, 1)]
    assert pages.asked == [1]


def test_nothing_is_asked_for_before_the_second_page_is() -> None:
    pages = Pages()
    reading = pages_in_order(pages.fetch, always(9), lambda: 4)
    settle()
    assert pages.asked == []
    assert next(reading) == (1, 1)
    settle()
    assert pages.asked == [1]
    assert next(reading) == (2, 2)
    settle_at(pages, 5)
    assert sorted(pages.asked) == [1, 2, 3, 4, 5]
    reading.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_slow_reader_holds_a_bounded_number_of_pages(workers: int) -> None:
    pages = Pages()
    unread = []
    for taken, _ in enumerate(pages_in_order(pages.fetch, always(12), lambda: workers)):
        settle_at(pages, 1 if taken == 0 else min(taken + workers, 12))
        unread.append(len(pages.asked) - taken)  # the page in the reader's hand counts
    assert unread[0] == 1
    assert max(unread) == workers


def test_the_number_of_pages_ahead_may_change() -> None:
    pages = Pages()
    workers = [2]
    unread = []
    for number, _ in pages_in_order(pages.fetch, always(40), lambda: workers[0]):
        workers[0] = {5: 6, 15: 3}.get(number, workers[0])
        settle()
        unread.append(len(pages.asked) - number + 1)  # the page in the reader's hand counts
    # a new number holds from the next page on; of a smaller one, what was asked for still comes
    assert unread[1:5] == [2] * 4
    assert unread[5:15] == [6] * 10
    assert unread[15:20] == [5, 4, 3, 3, 3]


def test_a_fault_surfaces_at_its_page_after_all_earlier_ones() -> None:
    pages = Pages(longest_delay=0.005, broken=6)
    taken = []
    with pytest.raises(ConnectionError, match="page 6"):  # noqa: PT012 - what came before counts
        for number, _ in pages_in_order(pages.fetch, always(30), lambda: 4):
            taken.append(number)
    assert taken == [1, 2, 3, 4, 5]
    settle()
    asked = len(pages.asked)
    settle()
    assert len(pages.asked) == asked <= 5 + 4


def test_a_fault_of_the_first_page() -> None:
    pages = Pages(broken=1)
    with pytest.raises(ConnectionError, match="page 1"):
        next(pages_in_order(pages.fetch, always(30), lambda: 4))
    assert pages.asked == [1]


def test_closing_early_stops_further_fetches() -> None:
    pages = Pages(longest_delay=0.005)
    reading = pages_in_order(pages.fetch, always(1000), lambda: 3)
    for _ in range(4):
        next(reading)
    reading.close()  # type: ignore[attr-defined]
    settle()
    asked = list(pages.asked)
    settle()
    assert pages.asked == asked
    assert max(asked) <= 4 + 3


def test_the_announced_count_grows_while_reading() -> None:
    pages = Pages()
    counts = {1: 3, 2: 3, 3: 5}
    numbered = list(pages_in_order(pages.fetch, lambda page: counts.get(page, 6), lambda: 2))
    assert [number for number, _ in numbered] == [1, 2, 3, 4, 5, 6]


def test_the_announced_count_shrinks_while_reading() -> None:
    pages = Pages()
    numbered = list(pages_in_order(pages.fetch, lambda page: 10 if page < 3 else 4, lambda: 2))
    # pages 3 and 4 were asked for when ten were announced, nothing after that
    assert [number for number, _ in numbered] == [1, 2, 3, 4]
    assert sorted(pages.asked) == [1, 2, 3, 4]


def test_pages_that_were_asked_for_before_the_count_shrank_still_come() -> None:
    pages = Pages()
    numbered = list(pages_in_order(pages.fetch, lambda page: 10 if page == 1 else 2, lambda: 3))
    assert [number for number, _ in numbered] == [1, 2, 3, 4]


def test_without_an_announced_count_pages_come_one_by_one_until_the_reader_stops() -> None:
    pages = Pages()
    reading = pages_in_order(pages.fetch, always(None), lambda: 4)
    for expected in range(1, 6):
        assert next(reading) == (expected, expected)
        settle()
        assert pages.asked == list(range(1, expected + 1))
    reading.close()  # type: ignore[attr-defined]
    settle()
    assert pages.asked == [1, 2, 3, 4, 5]


def test_a_count_that_is_announced_late() -> None:
    pages = Pages()
    numbered = list(pages_in_order(pages.fetch, lambda page: None if page < 3 else 6, lambda: 3))
    assert [number for number, _ in numbered] == [1, 2, 3, 4, 5, 6]


def test_reading_may_begin_at_another_page() -> None:
    pages = Pages()
    assert list(pages_in_order(pages.fetch, always(2), lambda: 2, first_page=0)) == [
        (0, 0),
        (1, 1),
        (2, 2),
    ]
