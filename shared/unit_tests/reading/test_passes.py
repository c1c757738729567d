import pytest

from calls_shared.reading.passes import Repetition


@pytest.mark.parametrize(
    ("scenario", "pages", "answers"),
    [
        ("three pages with the very same ids", ["ab", "ab", "ab"], [False, False, True]),
        ("in another order", ["ab", "ba", "ab"], [False, False, True]),
        ("and no fewer", ["ab", "ab", "cd", "ab", "ab"], [False] * 5),
        ("a page that holds more, or less", ["ab", "ab", "abc", "ab", "a", "a"], [False] * 6),
        ("after other pages", ["ab", "cd", "cd", "cd"], [False, False, False, True]),
        # an import shifts a list by whole pages
        ("pages without a new id", ["ab", "cd", "ab", "cd", "ab", "cd"], [False] * 6),
        ("an empty page is not the same page", ["ab", "ab", "", "ab", "ab"], [False] * 5),
    ],
)
def test_repetition(scenario: str, pages: list[str], answers: list[bool]) -> None:
    repetition = Repetition()
    assert [repetition.page(frozenset(page)) for page in pages] == answers, scenario


def test_a_hundred_empty_pages_in_a_row_lead_nowhere() -> None:
    repetition, empty = Repetition(), frozenset[str]()
    assert [repetition.page(empty) for _ in range(99)] == [False] * 99
    assert repetition.page(frozenset("a")) is False
    assert [repetition.page(empty) for _ in range(100)] == [False] * 99 + [True]
