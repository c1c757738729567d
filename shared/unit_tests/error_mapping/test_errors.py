from typing import Any

import pytest

from calls_shared.error_mapping import errors
from calls_shared.error_mapping.envelope import EnvelopeForm
from calls_shared.error_mapping.errors import Answered, ErrorRow, Resolution, rows_from

WORDS = {"provider": "Acme", "detail": ""}
FORMS = (EnvelopeForm(("key",), "error", ("key",), ("key", "message")),)
CODED: dict[str, Any] = {"status": 404, "action": "skip", "code": "0100404", "title": "Not Found"}


def resolve(status: Any, body: Any, table: list[dict[str, Any]], own: bool = True) -> Resolution:
    return errors.resolve(rows_from(table), Answered(status, body, own, forms=FORMS), WORDS)


def test_the_most_specific_row_stands_first_and_decides() -> None:
    table: list[dict[str, Any]] = [
        {"status": 403, "code": "A", "action": "retry", "message": "code"},
        {"status": 403, "says": "Plan", "action": "skip", "message": "words"},
        {"status": [400, 499], "action": "wait", "message": "range"},
    ]
    both = {"code": "A", "message": "your plan"}
    assert resolve(403, both, table).message == "code"
    assert resolve(403, {"code": "B", "message": "YOUR PLAN"}, table).message == "words"
    assert resolve(403, {"code": "a"}, table).message == "code"  # whatever its case
    assert resolve(403, {"code": "AB"}, table).message == "range"
    assert resolve(401, both, table).message == "range"
    assert resolve(500, both, table).message == "Acme answered with status 500."


def test_a_range_is_inclusive() -> None:
    table = [{"status": [410, 412], "action": "skip"}]
    actions = [resolve(status, {}, table).action for status in (409, 410, 411, 412, 413)]
    assert actions == ["fail", "skip", "skip", "skip", "fail"]


@pytest.mark.parametrize("status", ["network", "shape", "link"])
def test_a_range_of_numbers_does_not_match_what_is_no_status(status: str) -> None:
    assert resolve(status, None, [{"status": [0, 999], "action": "accept"}]).action == "fail"
    assert resolve(status, None, [{"status": status, "action": "wait"}]).action == "wait"


def test_without_any_row_there_is_still_an_answer() -> None:
    expected = Resolution("fail", "system_error", "Acme answered with status 418.")
    assert resolve(418, None, []) == expected


# --- a skip must be earned ---


@pytest.mark.parametrize(
    ("body", "skips"),
    [
        ({"code": "0100404", "title": "Anything"}, True),
        ({"code": "9", "title": "Not Found"}, True),
        ({"code": "9", "title": " Not Found "}, True),
        ({"error": {"key": "Not Found", "message": "No such call"}}, True),
        ({"error": {"key": "NotFound", "message": "Not Found"}}, True),
        ({"error": {"key": "0100404", "message": "x"}}, True),
        ({"code": "9", "title": "not found"}, False),
        ({"code": "9", "title": "Not Found."}, False),
        ({"code": "9", "title": "Page Not Found"}, False),
        ({"code": "01004040", "title": "x"}, False),
        ({"code": "0101404", "title": "x"}, False),
        ({"code": 100404, "title": "x"}, False),
        ({"code": "9", "message": "Not Found"}, False),
        ({"error": {"key": "NotFound", "message": "Not found"}}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_row_with_a_code_and_a_title_needs_one_of_them_exactly(body: Any, skips: bool) -> None:
    assert resolve(404, body, [CODED]).action == ("skip" if skips else "fail")
    assert resolve(404, body, [CODED], own=False).action == "fail"


def test_a_row_that_skips_matches_the_providers_own_envelope_only() -> None:
    bare = {"status": 404, "action": "skip"}
    assert resolve(404, {}, [bare]).action == "skip"
    assert resolve(404, {}, [bare], own=False).action == "fail"
    with pytest.raises(ValueError, match="may skip the provider's own envelope only"):
        rows_from([{**bare, "own": False}])


def test_other_rows_match_what_they_are_told_to() -> None:
    table: list[dict[str, Any]] = [
        {"status": 500, "action": "fail", "own": True, "message": "own"},
        {"status": 500, "action": "fail", "own": False, "message": "foreign"},
        {"status": [500, 599], "action": "fail", "message": "either"},
    ]
    assert resolve(500, {}, table, own=True).message == "own"
    assert resolve(500, {}, table, own=False).message == "foreign"
    assert resolve(501, {}, table, own=True).message == "either"
    assert resolve(501, {}, table, own=False).message == "either"


# --- what a failure ends ---


@pytest.mark.parametrize(
    ("row", "ends_sync"),
    [
        *(({"status": status, "action": "fail"}, True) for status in (401, 402, 403)),
        *(
            ({"status": status, "action": "fail"}, False)
            for status in (400, 404, 422, 429, 500, "network", "shape", "link", [400, 499])
        ),
        ({"status": 403, "action": "fail", "ends": "slice"}, False),
        ({"status": 403, "action": "fail", "ends": "sync"}, True),
        ({"status": 400, "action": "fail", "ends": "sync"}, True),
        # what is tried again or waited for has not failed for the key
        ({"status": 403, "action": "retry"}, False),
        ({"status": 403, "action": "skip"}, False),
        ({"status": 401, "action": "wait"}, False),
    ],
)
def test_what_a_failure_ends(row: dict[str, Any], ends_sync: bool) -> None:
    status = row["status"][0] if isinstance(row["status"], list) else row["status"]
    assert resolve(status, {}, [row]).ends_sync is ends_sync


# --- the table as a manifest writes it ---


def test_rows_from_gives_the_providers_rows_only() -> None:
    shared = {"status": 401, "action": "fail"}
    rows = rows_from(
        [
            {"status": [200, 299], "action": "wait", "code": "x"},
            # another stream's table, by reference
            [shared, [{"status": 404, "action": "skip", "title": "T"}]],
        ]
    )
    assert rows == (
        ErrorRow((200, 299), "wait", code="x"),
        ErrorRow(401, "fail"),
        ErrorRow(404, "skip", title="T"),
    )
    assert rows_from([]) == ()


@pytest.mark.parametrize(
    ("row", "error", "fragment"),
    [
        ({"status": 400, "action": "explode"}, ValueError, "unknown action 'explode'"),
        ({"status": 400, "action": "FAIL"}, ValueError, "unknown action 'FAIL'"),
        (
            {"status": 400, "action": "fail", "failure_type": "my_error"},
            ValueError,
            "unknown failure type 'my_error'",
        ),
        ({"status": 400, "action": "fail", "ends": "all"}, ValueError, "cannot end 'all'"),
        ({"status": 400, "action": "fail", "mesage": "x"}, TypeError, "mesage"),
        ({"status": 400}, TypeError, "action"),
    ],
)
def test_rows_from_refuses(row: dict[str, Any], error: type[Exception], fragment: str) -> None:
    with pytest.raises(error, match=fragment):
        rows_from([row])


# --- the sentence ---


def test_the_sentence_is_filled_in_once() -> None:
    row = {"status": 500, "action": "fail", "message": "{provider} {status} {detail} {says}"}
    answer = Answered("shape", {"message": "{provider} {0}"}, http_status=206)
    words = {"provider": "Acme", "detail": "{says}"}
    rows = rows_from([{**row, "status": "shape"}])
    assert errors.resolve(rows, answer, words).message == "Acme 206 {says} {provider} {0}"


def test_what_the_provider_does_not_say_is_nothing_more() -> None:
    row = {"status": 500, "action": "fail", "message": "It says: {says}"}
    assert resolve(500, None, [row]).message == "It says: nothing more."
