import uuid
from collections.abc import Iterable

import pytest
from calls_shared import converters
from calls_shared.passes import NewestFirstProof, PassAudit, Repetition

BEGAN = "2026-01-31T12:00:00Z"
BEFORE = "2026-01-01T00:00:00Z"
DURING = "2026-01-31T12:00:01.5Z"

Page = tuple[int | None, list[tuple[str, str | None]]]


def audit_of(pages: Iterable[Page], earlier: PassAudit | None = None) -> PassAudit:
    audit = PassAudit(BEGAN, earlier)
    for total, calls in pages:
        audit.page(total)
        for call_id, created in calls:
            audit.call(call_id, created)
    return audit


def old(*ids: str) -> list[tuple[str, str | None]]:
    return [(call_id, BEFORE) for call_id in ids]


def new(*ids: str) -> list[tuple[str, str | None]]:
    return [(call_id, DURING) for call_id in ids]


@pytest.mark.parametrize(
    ("scenario", "pages", "complete", "complete_by_totals"),
    [
        ("quiet", [(4, old("d", "c")), (4, old("b", "a"))], True, True),
        ("quiet and empty", [(0, [])], True, True),
        ("one page", [(1, old("a"))], True, True),
        # newest first: e comes in at the head during the pass, and c repeats
        (
            "addition at the head",
            [(4, old("d", "c")), (5, old("c", "b")), (5, old("a"))],
            True,
            True,
        ),
        (
            "addition at the head that is seen",
            [(3, new("d") + old("c")), (3, old("b", "a"))],
            True,
            True,
        ),
        # oldest first: the addition comes last
        ("addition at the end", [(3, old("a", "b")), (4, old("c") + new("d"))], True, True),
        ("addition after the last page", [(4, old("a", "b")), (4, old("c", "d"))], True, True),
        # d is deleted after page 1, so b slides from page 2 to page 1
        ("deletion that slides a call", [(4, old("d", "c")), (3, old("a"))], False, False),
        ("deletion that slides no call", [(4, old("d", "c")), (3, old("b", "a"))], False, False),
        # oldest first: a is deleted, so c slides; e hides that in the total
        (
            "deletion hidden by an addition at the end",
            [(4, old("a", "b")), (4, old("d") + new("e"))],
            False,
            True,  # only the last pass trusts totals
        ),
        (
            "deletion hidden by an addition that is not seen",
            [(4, old("d", "c")), (4, old("a"))],
            False,
            False,
        ),
        (
            "the total shrinks and grows again",
            [(4, old("a", "b")), (3, []), (4, old("c", "d"))],
            False,
            False,
        ),
        ("the total falls below the first", [(4, old("a", "b", "c", "d")), (3, [])], False, False),
        (
            "the total falls, but not below the first",
            [(2, old("a", "b")), (4, []), (3, [])],
            True,
            True,
        ),
        ("a call twice is one call", [(4, old("d", "c")), (4, old("c", "a"))], False, False),
        ("more than announced", [(2, old("d", "c")), (2, old("b", "a"))], True, True),
        ("too few", [(5, old("d", "c")), (5, old("b", "a"))], False, False),
        ("no total", [(None, old("a", "b")), (None, [])], False, False),
        ("a total on the second page only", [(None, old("a", "b")), (2, [])], True, True),
        ("a page without a total", [(2, old("a")), (None, old("b")), (2, [])], True, True),
        # without a creation a call counts as old
        ("no creation times", [(2, [("a", None)]), (2, [("b", None)])], True, True),
        # creation times that cannot be right: all calls look as if they were new
        ("creation in the future", [(2, new("a")), (2, new("b"))], False, True),
        ("creation in the future, too few", [(3, new("a")), (3, new("b"))], False, False),
    ],
)
def test_pass_audit(
    scenario: str, pages: list[Page], complete: bool, complete_by_totals: bool
) -> None:
    assert audit_of(pages).complete() is complete, scenario
    assert audit_of(pages).complete(trust_totals=True) is complete_by_totals, scenario


@pytest.mark.parametrize(
    ("created", "is_old"),
    [
        ("2026-01-31T11:59:59.999999Z", True),
        ("2026-01-31T11:59:59Z", True),
        ("2026-01-31T12:00:00Z", False),
        ("2026-01-31T12:00:00.000Z", False),
        ("2026-01-31T12:00:00.5Z", False),
        (None, True),
    ],
)
def test_a_call_is_old_if_it_was_created_before_the_pass_began(
    created: str | None, is_old: bool
) -> None:
    audit = PassAudit(BEGAN)
    audit.page(1)
    audit.call("a", created)
    assert audit.complete() is is_old


def test_a_pass_without_pages_proves_nothing() -> None:
    assert PassAudit(BEGAN).complete() is False
    assert PassAudit(BEGAN).complete(trust_totals=True) is False


def test_the_totals_are_kept() -> None:
    audit = audit_of([(None, []), (4, []), (6, []), (5, [])])
    assert (audit.first_total, audit.last_total) == (4, 5)


def test_a_call_of_an_earlier_pass_is_not_fresh() -> None:
    first = audit_of([(2, old("a") + new("b"))])
    second = PassAudit(BEGAN, first)
    assert second.call("a", BEFORE) is False
    assert second.call("b", DURING) is False
    assert second.call("c", BEFORE) is True
    third = PassAudit(BEGAN, second)
    assert [third.call(call_id, BEFORE) for call_id in "abcd"] == [False, False, False, True]
    # a call twice within one pass is emitted twice; the destination deduplicates
    assert third.call("d", BEFORE) is True


def test_calls_of_an_earlier_pass_count_in_their_own_pass_too() -> None:
    first = audit_of([(3, old("a", "b"))])
    assert audit_of([(3, old("a", "b", "c"))], earlier=first).complete() is True
    assert audit_of([(3, old("c"))], earlier=first).complete() is False


# --- newest first ---


def uuid7_at(moment: str, rest: int = 1) -> str:
    seconds = converters.seconds_between("1970-01-01T00:00:00Z", moment)
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
    proof = NewestFirstProof(converters.lower_bound("2026-01-15T00:00:00.000000Z"))
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
