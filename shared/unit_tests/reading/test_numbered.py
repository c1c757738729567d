"""Numbered lists: all records come, whatever is announced, and no request too many is sent."""

import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import requests
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http.refusals import PageRefusedError
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.numbered import EmptyPageError, NumberedList
from calls_shared.reading.pagination import PageNumbers

NUMBERS = PageNumbers(page_size=10, page_count_at="pages", total_at="total")
REFUSED = PageRefusedError(message="There is no such page.")
PAUSES = (1.0, 2.0, 4.0)
BEYOND = (1_000_000, 1_000_001)
"""Pages that no list has."""

Page = str | Exception


class Provider:
    """Pages of calls with one-letter ids, and what each of them announces.

    Args:
        pages: by number from 1, what a page answers: the ids, or what it raises; a list of them is
            answered in turn, the last one for good.
        past: what pages past those answer; of several, in turn by number.
        announces: what each page says of `pages` and `total`; by number, or the same for all.
    """

    def __init__(
        self,
        pages: Sequence[Page | list[Page]],
        announces: Mapping[str, Any] | Mapping[int, Mapping[str, Any]],
        past: Page | Sequence[Page] = "",
    ) -> None:
        self.pages = pages
        self.past = (past,) if isinstance(past, (str, Exception)) else past
        self.announces = announces
        self.asked: list[int] = []
        self._lock = threading.Lock()

    def fetch(self, number: int) -> requests.Response:
        with self._lock:
            times = self.asked.count(number)
            self.asked.append(number)
        page: Page | list[Page] = self.past[number % len(self.past)]
        if number <= len(self.pages):
            page = self.pages[number - 1]
        if isinstance(page, list):
            page = page[min(times, len(page) - 1)]
        if isinstance(page, Exception):
            raise page
        said: Any = self.announces.get(number, self.announces)  # type: ignore[call-overload]
        response = requests.Response()
        response.status_code = 200
        response._content = json.dumps({"data": list(page), **said}).encode()
        return response


class Read:
    """What a reading came to: the ids of each page, its end, what was asked and slept."""

    def __init__(
        self, provider: Provider, workers: int = 1, unlisted: int = 0, limit: int = 60
    ) -> None:
        self.pages: list[str] = []
        self.slept: list[float] = []
        self.failure: Exception | None = None
        seen: set[str] = set()
        listing = NumberedList(
            provider.fetch,
            NUMBERS,
            lambda response: response.json()["data"],
            lambda: len(seen),
            pauses=PAUSES,
            sleep=self.slept.append,
            workers=lambda: workers,
            unlisted=unlisted,
        )
        try:
            for page in listing.pages():
                ids = page.response.json()["data"]
                assert page.size == len(ids) > 0
                seen.update(ids)
                self.pages.append("".join(ids))
                assert len(self.pages) < limit, "a list without end"
        except (EmptyPageError, AirbyteTracedException) as failure:
            self.failure = failure
        self.end = listing.end
        self.asked = provider.asked


def list_of(provider: Provider) -> NumberedList:
    """A list to be read page by page."""
    return NumberedList(
        provider.fetch,
        NUMBERS,
        lambda response: response.json()["data"],
        lambda: 99,
        pauses=[],
        sleep=lambda _: None,
        workers=lambda: 1,
    )


def words(text: str) -> list[Page | list[Page]]:
    return [*text.split()]


ANNOUNCEMENTS = [
    {},
    {"total": None, "pages": None},
    {"total": 0, "pages": 0},
    {"total": 1},
    {"pages": 1},
    {"total": 3, "pages": 1},
    {"total": 5, "pages": 2},
    {"total": "7", "pages": "3"},
    {"total": 7, "pages": 3},
    {"total": 7, "pages": 1},  # computed with another size
    {"total": 8, "pages": 3},
    {"total": 9, "pages": 3},
    {"total": -1, "pages": "many"},
    {"total": 3},  # of the page
    {1: {"total": 3}, 2: {"total": 3}, 3: {"total": 1}},
    {1: {"total": 70}, 2: {"total": 7}, 3: {"total": 2}},
    {1: {"total": 2}, 2: {"total": 70, "pages": 3}, 3: {"total": 7}},
]


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("announces", ANNOUNCEMENTS, ids=str)
@pytest.mark.parametrize("pages", ["abc def g", "abc def gh", "abc def", "abc", "a"])
def test_all_pages_come_whatever_is_announced(
    pages: str, announces: Mapping[str, Any], workers: int
) -> None:
    read = Read(Provider(words(pages), announces), workers)
    assert (read.pages, read.failure) == (pages.split(), None)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(
    ("past", "totals"),
    [
        ("", [0, 3, 6, 7, 8, 9, 10, 11, None]),
        (REFUSED, [0, 3, 6, 7, 8, 9, 10, 11, None]),
        # before the announced end a page that repeats is none
        ("ghi", [7, 8, 9]),
    ],
    ids=["empty", "refused", "repeats"],
)
def test_the_three_ways_in_which_a_list_ends(
    past: Page, totals: list[int | None], workers: int
) -> None:
    for total in totals:
        read = Read(Provider(words("abc def ghi"), {"total": total}, past), workers)
        assert (read.pages, read.failure) == (["abc", "def", "ghi"], None), total
        assert not read.end.walled


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("announces", [{}, {"total": 0}, {"total": 6}, {"pages": 2}], ids=str)
def test_where_less_is_announced_than_there_is_one_repetition_is_no_end(
    announces: Mapping[str, Any], workers: int
) -> None:
    """An import shifts a list by a whole page while it is read."""
    read = Read(Provider(words("abc def ghi"), announces, past="ghi"), workers)
    assert (read.pages, read.failure) == (["abc", "def", "ghi", "ghi"], None)
    assert not read.end.walled
    shifted = Read(Provider(words("abc def ghi ghi jk"), announces), workers)
    assert (shifted.pages, shifted.failure) == (["abc", "def", "ghi", "ghi", "jk"], None)
    # two repetitions have to be of one and the same page, and in a row
    often = "abc abc def def ghi ghi jk"
    assert Read(Provider(words(often), announces), workers).pages == often.split()


@pytest.mark.parametrize(
    ("pages", "announces", "asked"),
    [
        # short, at the announced end, all ids seen: nothing can follow
        ("abc def g", {"total": 7, "pages": 3}, [1, 2, 3]),
        ("abc def g", {"total": "7"}, [1, 2, 3]),
        ("abc d", {1: {"total": 3}, 2: {"total": 4}}, [1, 2]),
        ("abc d e", {"total": 5, "pages": 3}, [1, 2, 3]),  # a short page in the middle
        # a full last page, also one that may be full: one page more
        ("abc def", {"total": 6, "pages": 2}, [1, 2, 3]),
        ("a", {"total": 1, "pages": 1}, [1, 2]),
        # no total, one that is too small, one too high
        ("abc def g", {"pages": 3}, [1, 2, 3, 4]),
        ("abc def g", {"total": 6, "pages": 3}, [1, 2, 3, 4]),
        ("abc def g", {"total": 8, "pages": 3}, [1, 2, 3, 4]),
        # past the announced end: whether there is an end at all
        ("abc def g", {"pages": 2, "total": 6}, [1, 2, 3, BEYOND[0], 4]),
        ("abc def ghi j", {"pages": 2, "total": 6}, [1, 2, 3, BEYOND[0], 4, 5]),
        # nothing at all
        ("", {"total": 0, "pages": 0}, [1]),
        ("", {"total": None}, [1]),
        ("", {}, [1]),
    ],
    ids=str,
)
def test_how_many_requests_a_list_costs(
    pages: str, announces: Mapping[str, Any], asked: list[int]
) -> None:
    read = Read(Provider(words(pages), announces))
    assert (read.asked, read.pages, read.slept) == (asked, pages.split(), [])


def test_a_duplicate_is_no_second_record() -> None:
    """Six rows, five ids and a total of six: the page after the last one is looked at."""
    read = Read(Provider(words("abc cde f"), {"total": 7, "pages": 3}))
    assert read.asked == [1, 2, 3, 4]
    assert read.pages == ["abc", "cde", "f"]


def test_pages_that_are_fetched_ahead_come_in_order() -> None:
    pages = [f"{chr(97 + n)}{chr(65 + n)}" for n in range(20)]
    read = Read(Provider([*pages], {"total": 40, "pages": 20}), workers=5)
    assert read.pages == pages
    assert sorted(read.asked) == list(range(1, 22))


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("announces", [{"pages": 1}, {"total": 3}], ids=str)
def test_the_same_page_for_every_number_comes_once(
    announces: Mapping[str, Any], workers: int
) -> None:
    read = Read(Provider(["abc"], announces, past="abc"), workers)
    assert (read.pages, read.failure) == (["abc"], None)


@pytest.mark.parametrize("announces", [{}, {"total": 0}], ids=str)
def test_the_same_page_for_every_number_is_no_list_where_none_is_announced(
    announces: Mapping[str, Any],
) -> None:
    """Page numbers mean nothing there; three in a row are a fault, which the retriever notices."""
    full = "abcdefghij"  # as many records as were asked for
    listing = list_of(Provider([full], announces, past=full))
    found = [(page.number, page.size) for page in itertools.islice(listing.pages(), 3)]
    assert found == [(1, 10), (2, 10), (3, 10)]
    assert listing.end == ListEnd()


@pytest.mark.parametrize("announces", [{}, {"total": 0}], ids=str)
def test_the_only_page_is_not_full_and_comes_again(announces: Mapping[str, Any]) -> None:
    """It is the last one: there is nothing that the page number could have hidden."""
    listing = list_of(Provider(["abc"], announces, past="abc"))
    found = [(page.number, page.size) for page in listing.pages()]
    assert found == [(1, 3), (2, 3)]
    assert listing.end == ListEnd(announced=announces.get("total"))


MADE_UP = ["uvw", "xyz"]


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("announces", [{"pages": 2}, {"total": 6}, {"total": 0}], ids=str)
def test_a_provider_that_makes_up_records_for_every_number_is_not_believed(
    announces: Mapping[str, Any], workers: int
) -> None:
    read = Read(Provider(words("abc def"), announces, past=MADE_UP), workers)
    assert read.pages == (["abc"] if announces == {"total": 0} else ["abc", "def"])
    assert read.failure is None
    assert sum(number in BEYOND for number in read.asked) == 2


@pytest.mark.parametrize("beyond", ["", "ghi", REFUSED], ids=["empty", "the last one", "refused"])
def test_pages_past_the_announced_end_are_believed_if_there_is_an_end(beyond: Page) -> None:
    read = Read(Provider(words("abc def ghi"), {"total": 3}, past=beyond))
    assert list(dict.fromkeys(read.pages)) == ["abc", "def", "ghi"]
    assert len(read.pages) == 3 + (beyond == "ghi")  # one repetition is no end
    assert read.failure is None
    far = [number for number in read.asked if number in BEYOND]
    assert far == ([*BEYOND] if beyond == "ghi" else [BEYOND[0]])  # asked once


def test_the_last_page_again_and_again_ends_a_list_of_which_all_was_seen() -> None:
    """Although more pages are announced than there are."""
    read = Read(Provider(words("abc def g"), {"total": 7, "pages": 9}, past="g"))
    assert (read.pages, read.failure) == (["abc", "def", "g", "g"], None)


@pytest.mark.parametrize("announces", [{}, {"pages": 9}, {"total": 27}], ids=str)
def test_up_to_the_announced_end_a_page_may_repeat(announces: Mapping[str, Any]) -> None:
    """Three in a row are a fault, which the retriever notices."""
    read = Read(Provider(words("abc abc def"), announces, past=""))
    assert read.pages == ["abc", "abc", "def"]


# --- an empty page before the announced end ---


@pytest.mark.parametrize("workers", [1, 3])
def test_a_page_that_is_empty_for_a_moment_is_tried_again(workers: int) -> None:
    provider = Provider(["abc", ["", "", "def"], "g"], {"total": 7, "pages": 3})
    read = Read(provider, workers)
    assert (read.pages, read.failure) == (["abc", "def", "g"], None)
    assert read.slept == [1.0, 2.0]


def test_a_first_page_that_is_empty_for_a_moment_counts_once_it_is_there() -> None:
    """Its size too: the two that follow are short ones."""
    provider = Provider([["", "abc"], "d", "e"], {"total": 9, "pages": 3})
    read = Read(provider)
    assert (read.pages, read.slept) == (["abc", "d", "e"], [1.0])
    assert not read.end.walled


def test_each_empty_page_does_not_have_a_patience_of_its_own() -> None:
    """Pages past the last record may be many; they are probed, not tried one by one."""
    provider = Provider(["abc", "d"], {"total": 70, "pages": 24})
    read = Read(provider)
    assert read.pages == ["abc", "d"]
    assert read.slept == list(PAUSES)
    assert read.asked == [1, 2, 3, 3, 3, 3, 4, 13, 24]


@pytest.mark.parametrize(
    ("pages", "announced", "found"),
    [
        (["abc", "", "def"], 3, "an empty page 2 of 3"),
        # the next, one in the middle, and the last announced one are probed
        (["abc", "", "", "", "", "def", "", "", "", ""], 10, "an empty page 2 of 10"),
        (["abc", "", "", "", "", "", "", "", "", "def"], 10, "an empty page 2 of 10"),
        (["", "abc"], 2, "an empty page 1 of 2"),
    ],
)
def test_an_empty_page_with_records_behind_it_is_a_fault(
    pages: list[Page | list[Page]], announced: int, found: str
) -> None:
    read = Read(Provider(pages, {"pages": announced}))
    assert isinstance(read.failure, EmptyPageError)
    assert str(read.failure) == found
    assert read.slept == list(PAUSES)
    assert read.pages == [page for page in pages[:1] if page]


def test_a_refused_probe_holds_no_records() -> None:
    read = Read(Provider(["abc", "", REFUSED, REFUSED], {"pages": 4}, past=REFUSED))
    assert (read.pages, read.failure) == (["abc"], None)


@pytest.mark.parametrize(("total", "unlisted"), [(4, 0), (5, 1), (6, 2), (6, 9)])
def test_where_all_were_seen_that_are_ever_listed_it_ends_at_once(
    total: int, unlisted: int
) -> None:
    announces = {"total": total, "pages": 9}
    read = Read(Provider(words("abc d"), announces), unlisted=unlisted)
    assert (read.pages, read.slept, read.asked) == (["abc", "d"], [], [1, 2, 3])


@pytest.mark.parametrize(("total", "unlisted"), [(5, 0), (7, 2), (3, 9)])
def test_where_more_or_fewer_are_announced_than_that_it_is_looked_at(
    total: int, unlisted: int
) -> None:
    announces = {"total": total, "pages": 9}
    read = Read(Provider(words("abc d"), announces), unlisted=unlisted)
    assert (read.pages, read.slept) == (["abc", "d"], list(PAUSES))


def test_what_an_empty_page_announces_does_not_count() -> None:
    """A provider in trouble: an empty page that announces an empty list."""
    announces: dict[int, dict[str, Any]] = {n: {"total": 7, "pages": 3} for n in range(9)}
    announces[2] = {"total": 0, "pages": 0}
    read = Read(Provider(["abc", ["", "def"], "g"], announces))
    assert read.pages == ["abc", "def", "g"]


# --- a refused page ---


def test_a_first_page_that_is_refused_is_no_end() -> None:
    read = Read(Provider([REFUSED], {}))
    assert read.failure is REFUSED


def test_a_refused_page_before_the_announced_end_is_a_failure() -> None:
    """Unless it is a wall: a page or more is announced behind a full one."""
    read = Read(Provider(["abc", "de", REFUSED, "f"], {"total": 6, "pages": 4}))
    assert (read.pages, read.failure) == (["abc", "de"], REFUSED)
    read = Read(Provider(["abc", "def", REFUSED, "g"], {"total": 8, "pages": 4}))
    assert (read.pages, read.failure) == (["abc", "def"], REFUSED)


@pytest.mark.parametrize("total", [6, "6", None, 0])
def test_a_refused_page_past_the_end_is_the_end(total: Any) -> None:
    read = Read(Provider(words("abc def"), {"total": total}, past=REFUSED))
    assert (read.pages, read.failure) == (["abc", "def"], None)
    assert not read.end.walled


def test_another_failure_is_none_of_the_lists() -> None:
    failure = AirbyteTracedException(message="The key was refused.")
    read = Read(Provider(["abc", failure], {"pages": 1}))
    assert (read.pages, read.failure) == (["abc"], failure)


# --- a wall ---


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("past", ["", REFUSED], ids=["empty", "refused"])
@pytest.mark.parametrize(
    ("pages", "announces", "walled"),
    [
        # a page in force or more behind a full page
        ("abc def", {"total": 9, "pages": 3}, True),
        ("abc def", {"total": 900, "pages": 300}, True),
        ("abc def", {"pages": 300}, True),
        ("abc def", {"pages": 4}, True),
        # a page of which nobody knows whether it is a full one
        ("abc def", {"pages": 3}, False),
        ("abc def", {"total": 9, "pages": 4}, True),
        # fewer: a total that is too high
        ("abc def", {"total": 6, "pages": 2}, False),
        ("abc def", {"total": 8, "pages": 3}, False),
        # behind a short page: a total that is too high too
        ("abc de", {"total": 5, "pages": 2}, False),
    ],
    ids=str,
)
def test_a_wall(
    pages: str, announces: Mapping[str, Any], walled: bool, past: Page, workers: int
) -> None:
    read = Read(Provider(words(pages), announces, past), workers)
    assert (read.pages, read.failure) == (pages.split(), None)
    assert read.end == ListEnd(walled, announces.get("total"))


@pytest.mark.parametrize("total", [6, 7, 8])
def test_a_surplus_of_less_than_a_page_is_no_wall(total: int) -> None:
    read = Read(Provider(words("abc def"), {"total": total, "pages": 3}))
    assert (read.pages, read.end) == (["abc", "def"], ListEnd(False, total))


@pytest.mark.parametrize("past", ["", REFUSED], ids=["empty", "refused"])
@pytest.mark.parametrize(("unlisted", "walled"), [(0, True), (2, True), (3, False), (9, False)])
def test_a_surplus_that_is_known_is_no_wall(unlisted: int, walled: bool, past: Page) -> None:
    read = Read(Provider(words("abc def"), {"total": 9, "pages": 3}, past), unlisted=unlisted)
    assert (read.pages, read.end) == (["abc", "def"], ListEnd(walled, 9))


def test_calls_that_came_while_it_was_read_are_no_wall() -> None:
    """At the head of a list, where the first page had been read: the total grows, nobody hides."""
    totals = {1: {"total": 6}, 2: {"total": 9}, 3: {"total": 9}, 4: {"total": 9}}
    read = Read(Provider(words("def abc def"), totals))
    assert (read.pages, read.end) == (["def", "abc", "def"], ListEnd(False, 9))
    # the page past the end may have been asked for before they came
    read = Read(Provider(words("abc def"), totals))
    assert (read.pages, read.end) == (["abc", "def"], ListEnd(False, 9))


@pytest.mark.parametrize("past", ["", REFUSED], ids=["empty", "refused"])
@pytest.mark.parametrize(
    ("pages", "walled"),
    [
        # a page of old calls moved to the head, so that what stood there came again
        ("abc def def ghi", False),
        ("abc abc def def", False),
        ("abc cde efg ghi", False),
        # the same, and a page or more behind it
        ("abc def def", True),
        ("abc cde efg", True),
    ],
)
def test_what_comes_twice_because_the_list_moves_is_not_behind_it(
    pages: str, walled: bool, past: Page
) -> None:
    read = Read(Provider(words(pages), {"total": 12}, past))
    assert (read.pages, read.failure) == (pages.split(), None)
    assert read.end == ListEnd(walled, 12)


def test_a_surplus_behind_a_short_page_is_no_wall() -> None:
    read = Read(Provider(words("abc de"), {"total": 900, "pages": 300}))
    assert (read.pages, read.end) == (["abc", "de"], ListEnd(False, 900))


def test_the_end_is_not_known_before_the_list_was_read() -> None:
    read = Read(Provider(words("abc def"), {"total": 9}), limit=60)
    assert read.end.walled
    listing = list_of(Provider(words("abc def"), {"total": 9}))
    next(listing.pages())
    assert listing.end == ListEnd()
