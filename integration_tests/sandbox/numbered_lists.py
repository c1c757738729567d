"""What a numbered list announces and how it ends, which no page of the two providers promises."""

from binascii import crc32
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, get_args

from .views import Call

Number = Literal[
    "true",
    "few_less",
    "zero",
    "capped",
    "per_page",
    "text",
    "words",
    "absent",
    "negative",
    "few_more",
    "page_more",
    "further_page",
    "thousandfold",
    "shrinking",
    "growing",
    "at_times",
]
"""A number of records: what is announced of the true one.

`capped` is a page's size at most, `per_page` what the page itself holds, `at_times` sometimes none.
"""
Pages = Literal[
    "true",
    "one_less",
    "zero",
    "one",
    "text",
    "absent",
    "other_size",
    "one_more",
    "many_more",
    "changing",
]
"""A number of pages; `other_size` is computed with a page of a tenth of the size, rounded down."""
PastEnd = Literal["empty", "400", "404", "422", "last_page", "same_page"]
"""`same_page`: the first page for every number; else only past the last page that holds records."""
WallForm = Literal["refused", "empty", "capped"]
TOTALS: tuple[Number, ...] = get_args(Number)
PAGE_COUNTS: tuple[Pages, ...] = get_args(Pages)
PAST_ENDS: tuple[PastEnd, ...] = get_args(PastEnd)


@dataclass(frozen=True)
class ListSwitches:
    """Doubtful points of a numbered list, all UNKNOWN.

    Attributes:
        total: the number of records that is announced.
        page_count: the number of pages that is announced.
        past_end: what a page past the last one is.
        taken_out: rows that are taken out once the pages are cut, but counted: every third one, or
            all of the second page.
        duplicate: the first row of each page but the first repeats the last one of the page before.
        wall: so many rows are listed, whatever is announced; None lists all.
        wall_form: what comes behind them.
    """

    total: Number = "true"
    page_count: Pages = "true"
    past_end: PastEnd = "empty"
    taken_out: Literal["none", "third", "second_page"] = "none"
    duplicate: bool = False
    wall: int | None = None
    wall_form: WallForm = "refused"


@dataclass(frozen=True)
class NumberedPage(Generic[Call]):
    """A page as it is listed: the rows, the two numbers (null: not announced), and a refusal."""

    rows: Sequence[Call]
    total: int | str | None
    page_count: int | str | None
    refused: int | None = None


def numbered_page(
    switches: ListSwitches,
    rows: Callable[[int, int], Sequence[Call]],
    count: int,
    page: int,
    size: int,
) -> NumberedPage[Call]:
    """The page of a number (from 1).

    Args:
        switches: how the list behaves.
        rows: the records from a position on, in the list's order.
        count: how many records there are.
        page: the number.
        size: records a page.
    """
    cut = 1 if switches.duplicate else 0
    step = size - cut
    listed = count if switches.wall is None else min(count, switches.wall)
    last = max(1, -(-max(0, listed - cut) // step))
    walled = listed < count and page > last
    refused = None
    if walled and switches.wall_form == "refused":
        refused = 422
    number = page
    if page > last and not walled and switches.past_end.isdigit():
        refused = int(switches.past_end)
    elif page > last and not walled and switches.past_end == "last_page":
        number = last
    elif switches.past_end == "same_page" and not walled:
        number = 1
    start = (number - 1) * step
    found = rows(start, max(0, min(size, listed - start)))
    found = [call for call in found if not is_taken_out(call, switches, number)]
    announced = listed if switches.wall_form == "capped" else count
    total = lie_about_total(switches.total, announced, page, size, len(found))
    pages = lie_about_pages(switches.page_count, announced, page, size, step)
    return NumberedPage(found, total, pages, refused)


def is_taken_out(call: Call, switches: ListSwitches, page: int = 0) -> bool:
    """Whether a call is counted, but not listed (on a page of this number)."""
    if switches.taken_out == "second_page":
        return page == 2
    return switches.taken_out == "third" and crc32(call.id.encode()) % 3 == 0


def lie_about_total(kind: Number, total: int, page: int, size: int, rows: int) -> int | str | None:
    """The number of records that a page announces."""
    further = (-(-total // size) + 1) * size  # to the end of the next page
    numbers: dict[Number, int | str | None] = {
        "true": total,
        "few_less": max(0, total - 7),
        "zero": 0,
        "capped": min(total, size),
        "per_page": rows,
        "text": f" {total} ",
        "words": "many",
        "absent": None,
        "negative": -1,
        "few_more": total + 3,
        "page_more": total + size + 3,
        "further_page": further,
        "thousandfold": total * 1000,
        "shrinking": max(0, total + 9 - 3 * page),
        "growing": total + page - 1,
        "at_times": total if page % 2 else None,
    }
    return numbers[kind]


def lie_about_pages(kind: Pages, total: int, page: int, size: int, step: int) -> int | str | None:
    """The number of pages that a page announces."""
    true = -(-total // step)
    numbers: dict[Pages, int | str | None] = {
        "true": true,
        "one_less": max(0, true - 1),
        "zero": 0,
        "one": 1,
        "text": f"{true}",
        "absent": None,
        "other_size": total // (10 * size),
        "one_more": true + 1,
        "many_more": true + 5,
        "changing": true + (2, -1, 4)[page % 3],
    }
    return numbers[kind]
