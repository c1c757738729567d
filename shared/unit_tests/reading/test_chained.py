import pytest

from calls_shared.reading.chained import ChainedEnd
from calls_shared.reading.list_end import ListEnd

Pages = list[tuple[str, int | None]]


@pytest.mark.parametrize(
    ("pages", "unlisted", "is_short", "walled"),
    [
        # ids of each page, and what it announces
        ([("abc", None), ("de", None)], 0, False, False),
        ([("abc", 5), ("de", 5)], 0, False, False),
        ([("abc", 4), ("de", 4)], 0, False, False),
        ([("abc", 6), ("de", 6)], 0, True, False),
        ([("abc", 9), ("de", 9)], 0, True, False),  # a short page is the last: rule 5
        ([("abc", 9), ("def", 9)], 0, True, True),
        ([("abc", 8), ("def", 8)], 0, True, False),  # less than a page is missing
        ([("abc", 9), ("def", None)], 0, True, True),  # the last announced one counts
        ([("abc", 9), ("abc", 9)], 0, True, True),
        ([("abc", 9), ("abc", 9), ("def", 9)], 0, True, False),  # it moved: nothing is behind it
        ([("abc", 9), ("", 9)], 0, True, True),
        ([("", 9)], 0, True, False),
        ([("abc", 6), ("def", 9)], 0, True, False),  # as many came at its head as it read
        ([("abc", 9), ("def", 9)], 3, False, False),
        ([("abc", 9), ("def", 9)], 2, True, True),
    ],
)
def test_what_is_announced_and_not_listed(
    pages: Pages, unlisted: int, is_short: bool, walled: bool
) -> None:
    chain = ChainedEnd(unlisted)
    for ids, total in pages:
        chain.page(list(ids), total)
    assert chain.is_short is is_short
    totals = [total for _, total in pages if total is not None]
    assert chain.end() == ListEnd(walled, totals[-1] if totals else None)


@pytest.mark.parametrize(
    ("pages", "may"),
    [
        ([], False),
        ([("abc", None)], False),  # a token that has expired, perhaps
        ([("", 3)], False),
        ([("abc", 3)], True),
        ([("abc", 5)], False),
        ([("abc", 6)], True),
        ([("abc", 6), ("abc", 6)], True),  # it moved, and this was its end
        ([("abc", 7), ("abc", 7)], False),
    ],
)
def test_a_page_that_is_refused(pages: Pages, may: bool) -> None:
    chain = ChainedEnd()
    for ids, total in pages:
        chain.page(list(ids), total)
    assert chain.may_be_refused() is may
