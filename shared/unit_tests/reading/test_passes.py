import uuid

import pytest

from calls_shared.normalization import times
from calls_shared.reading.passes import NewestFirstProof, Repetition


def uuid7_at(moment: str, rest: int = 1) -> str:
    seconds = times.seconds_between("1970-01-01T00:00:00Z", moment)
    assert seconds is not None
    return str(uuid.UUID(int=seconds * 1000 << 80 | 7 << 76 | 2 << 62 | rest))


def page_of(*moments: str) -> list[tuple[str, str | None]]:
    return [(uuid7_at(moment, number), moment) for number, moment in enumerate(moments)]


BOUND = "2026-01-15T00:00:00"
NEWER = page_of("2026-01-20T00:00:00Z", "2026-01-19T00:00:00Z")
ACROSS = page_of("2026-01-16T00:00:00Z", "2026-01-14T00:00:00Z")
OLDER = page_of("2026-01-13T00:00:00Z", "2026-01-12T00:00:00Z")
OLDEST = page_of("2026-01-11T00:00:00Z", "2026-01-10T00:00:00Z")
UUID4 = ("3b9ac9ff-1c2d-4b98-8c4d-e5f6a7b8c9d0", "2026-01-12T12:00:00Z")


@pytest.mark.parametrize(
    ("scenario", "pages", "answers"),
    [
        (
            "leaves after the page that is all before the bound",
            [NEWER, ACROSS, OLDER],
            [False, False, True],
        ),
        ("the second page may be the last", [NEWER, OLDER], [False, True]),
        ("never after the first page", [OLDER], [False]),
        ("after an old first page the second decides", [OLDER, OLDEST], [False, True]),
        ("reads on while a page reaches into what is wanted", [NEWER, ACROSS], [False, False]),
        ("an id that is no UUIDv7", [NEWER, [*OLDER, UUID4], OLDEST], [False, False, False]),
        (
            "an id that is no UUIDv7 on the first page",
            [[*NEWER, UUID4], OLDER, OLDEST],
            [False] * 3,
        ),
        ("no creation", [NEWER, [(OLDER[0][0], None), OLDER[1]], OLDEST], [False, False, False]),
        ("an empty page", [NEWER, [], OLDEST], [False, False, False]),
        ("a page newer than the one before", [OLDER, NEWER, OLDEST], [False, False, False]),
        ("oldest first", [OLDEST, OLDER, ACROSS, NEWER], [False] * 4),
        ("the order within a page does not matter", [NEWER, OLDER[::-1]], [False, True]),
    ],
)
def test_newest_first_proof(
    scenario: str, pages: list[list[tuple[str, str | None]]], answers: list[bool]
) -> None:
    proof = NewestFirstProof(BOUND)
    assert [proof.page(page) for page in pages] == answers, scenario


@pytest.mark.parametrize(
    ("newest_of_the_second", "stops"),
    [
        ("2026-01-12T00:00:00Z", True),
        ("2026-01-12T00:00:59Z", True),
        ("2026-01-12T00:01:00Z", True),
        ("2026-01-12T00:01:01Z", False),
        ("2026-01-13T00:00:00Z", False),
        pytest.param("2026-01-12T00:01:00.500Z", False),
    ],
)
def test_a_page_may_be_newer_than_the_end_of_the_one_before_by_a_minute(
    newest_of_the_second: str, stops: bool
) -> None:
    proof = NewestFirstProof(BOUND)
    proof.page(OLDER)  # ends at 2026-01-12T00:00:00Z
    assert proof.page(page_of(newest_of_the_second, "2026-01-11T00:00:00Z")) is stops
    assert proof.page(OLDEST) is stops  # one violation, and the list is read to its end


def test_the_bound_itself_is_still_wanted() -> None:
    proof = NewestFirstProof(times.lower_bound("2026-01-15T00:00:00.000000Z"))
    proof.page(NEWER)
    assert proof.page(page_of("2026-01-15T00:00:00Z")) is False
    assert proof.page(page_of("2026-01-14T23:59:59Z")) is True


def test_without_a_bound_the_list_is_read_to_its_end() -> None:
    proof = NewestFirstProof("")
    assert [proof.page(page) for page in (NEWER, ACROSS, OLDER, OLDEST)] == [False] * 4


# --- lists without end ---


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
