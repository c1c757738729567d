import unicodedata
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from calls_shared.error_mapping import envelope
from calls_shared.error_mapping.envelope import EnvelopeForm, forms_from, is_own
from calls_shared.quoting import quoted

PROPERTY = settings(database=None, deadline=None, max_examples=100)


# --- the provider's own form ---

FLAT = EnvelopeForm(("code", "title"))
INNER = EnvelopeForm(("key", "message"), at="error")


@pytest.mark.parametrize(
    ("form", "body", "expected"),
    [
        (FLAT, {"code": "1", "title": "No"}, True),
        (FLAT, {"code": "1", "title": "No", "more": 5}, True),
        (FLAT, {"code": 1, "title": "No"}, False),
        (FLAT, {"code": "1", "title": None}, False),
        (FLAT, {"code": "1", "title": " "}, False),
        (FLAT, {"code": "1", "title": ["No"]}, False),
        (FLAT, {"code": "1"}, False),
        (FLAT, {"error": {"code": "1", "title": "No"}}, False),
        (FLAT, [{"code": "1", "title": "No"}], False),
        (FLAT, {}, False),
        (FLAT, None, False),
        (FLAT, "code title", False),
        (INNER, {"error": {"key": "a", "message": "b"}}, True),
        # of a list, one part is enough
        (INNER, {"error": [{"key": "a"}, {"key": "a", "message": "b"}]}, True),
        (INNER, {"error": [{"key": "a"}, {"message": "b"}, None, "key"]}, False),
        (INNER, {"error": []}, False),
        (INNER, {"error": "key message"}, False),
        (INNER, {"error": None}, False),
        (INNER, {"key": "a", "message": "b"}, False),
    ],
)
def test_a_form_is_met_by_texts_at_its_place_only(
    form: EnvelopeForm, body: Any, expected: bool
) -> None:
    assert form.matches(body) is expected
    assert is_own(body, [form]) is expected
    assert is_own(body, [EnvelopeForm(("never",)), form]) is expected
    assert is_own(body, []) is False


def test_forms_from() -> None:
    table: list[dict[str, Any]] = [
        {"needs": ["code", "title"]},
        {"at": "error", "needs": ["key", "message"]},
    ]
    assert forms_from(table) == (FLAT, INNER)
    assert forms_from([]) == ()


@pytest.mark.parametrize(
    ("entry", "error", "fragment"),
    [
        ({"needs": []}, ValueError, "needs at least one field"),
        ({"at": "error"}, KeyError, "needs"),
        ({"needs": ["code"], "att": "error"}, TypeError, "att"),
        ({"needs": "code"}, TypeError, "needs of an error envelope must be a list"),
        ({"needs": ["code"], "texts": "message"}, TypeError, "texts of an error envelope"),
    ],
)
def test_forms_from_refuses(entry: dict[str, Any], error: type[Exception], fragment: str) -> None:
    with pytest.raises(error, match=fragment):
        forms_from([entry])


# --- what an envelope says ---

# what manifests say of their providers' envelopes
PLACES = (
    EnvelopeForm(("code",), at="_errors"),
    EnvelopeForm(("message",), "error", ("code", "key"), ("title", "key", "message")),
)


@pytest.mark.parametrize(
    ("body", "codes", "titles", "message"),
    [
        (
            {
                "type": "error.list",
                "request_id": "b3c",
                "errors": [
                    {"code": "unauthorized", "message": "Access Token Invalid", "field": None},
                    {"code": "second", "message": "More"},
                ],
            },
            ["unauthorized", "second"],
            [],
            "Access Token Invalid",
        ),
        (
            {
                "message": "Too many",
                "code": "0101400",
                "status": 400,
                "docs": "https://quo.com/docs",
                "title": "Too Many Participants",
                "trace": "1",
                "errors": [{"path": "/query", "message": "Expected 1", "value": 2, "schema": {}}],
            },
            ["0101400"],
            ["Too Many Participants"],
            "Expected 1",
        ),
        (
            {"error": {"message": "No header", "key": "Unauthorized"}},
            ["Unauthorized"],
            ["Unauthorized", "No header"],
            "No header",
        ),
        (
            {
                "object": "error",
                "_errors": [
                    {"code": "unsupported_value", "title": "Bad", "detail": "Invalid date format"}
                ],
                "_links": {},
            },
            ["unsupported_value"],
            ["Bad"],
            "Invalid date format",
        ),
        (
            {"object": "error", "_errors": [{"title": "Only a title"}]},
            [],
            ["Only a title"],
            "Only a title",
        ),
        (
            {"error": {"code": "UNAUTHORIZED", "message": "Invalid key", "status": 401}},
            ["UNAUTHORIZED"],
            ["Invalid key"],
            "Invalid key",
        ),
        ({"code": "API_KEY_INVALID", "details": None}, ["API_KEY_INVALID"], [], "API_KEY_INVALID"),
        # a message outside of `error` is no title: a router says "Not Found" there
        ({"code": "E404", "message": "Not Found"}, ["E404"], [], "Not Found"),
        ({"error": "invalid_grant"}, [], [], "invalid_grant"),
        ({"message": "Plain"}, [], [], "Plain"),
        ({"message": "  ", "title": "Titled"}, [], ["Titled"], "Titled"),
        ({"message": 5, "code": 401, "title": ["x"]}, [], [], ""),
        ({"error": {"key": 5, "message": None}}, [], [], ""),
        ({"errors": "broken", "_errors": {"a": 1}, "error": 5}, [], [], ""),
        ({"errors": [None, "x", 5, []]}, [], [], ""),
        ({}, [], [], ""),
        ([{"code": "x"}], [], [], ""),
        ("<html>", [], [], ""),
        (None, [], [], ""),
    ],
)
def test_envelopes(body: Any, codes: list[str], titles: list[str], message: str) -> None:
    assert list(envelope.envelope_codes(body, PLACES)) == codes
    assert list(envelope.envelope_titles(body, PLACES)) == titles
    assert envelope.provider_message(body, PLACES) == message


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": 401}, 401),
        ({"error": {"code": "X", "status": 403}}, 403),
        ({"statusCode": 599}, 599),
        ({"status": 400}, 400),
        ({"errors": [{"status": 404}], "status": 500}, 404),
        ({"status": 399}, None),
        ({"status": 600}, None),
        ({"status": 200}, None),
        ({"status": "401"}, None),
        ({"status": True}, None),
        ({"status": 401.0}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_status_that_an_envelope_names(body: Any, status: int | None) -> None:
    assert envelope.named_status(body) == status


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "error.list"}, True),
        ({"object": "error"}, True),
        ({"errors": [{}]}, True),
        ({"_errors": [{"code": "x"}], "data": []}, True),
        ({"error": {"code": "x"}}, True),
        ({"error": "no"}, True),
        ({"error": True}, True),
        ({"success": False}, True),
        ({"success": False, "data": [{"id": "1"}]}, True),
        # an empty one says that nothing went wrong
        ({"errors": [], "data": []}, False),
        ({"_errors": []}, False),
        ({"error": {}}, False),
        ({"error": ""}, False),
        ({"error": False}, False),
        ({"error": None, "data": []}, False),
        ({"success": True}, False),
        ({"success": None}, False),
        ({"success": 0}, False),
        ({"data": []}, False),
        ({"type": "list", "data": []}, False),
        ({"message": "hello"}, False),
        ([{"errors": [1]}], False),
        (None, False),
    ],
)
def test_says_error(body: Any, expected: bool) -> None:
    assert envelope.says_error(body, PLACES) is expected


def test_a_list_of_errors_that_no_form_speaks_of_says_nothing() -> None:
    assert envelope.says_error({"_problems": [{"code": "x"}]}) is False
    assert list(envelope.envelope_codes({"_problems": [{"code": "x"}]})) == []
    assert envelope.says_error({"_errors": [{"code": "x"}]}) is True  # as two of the four say it


FLAT_TEXTS = EnvelopeForm(("error", "hint"), codes=("error",), texts=("hint", "error"))


@pytest.mark.parametrize(
    ("body", "codes", "message"),
    [
        ({"error": "Forbidden", "hint": "Check the key"}, ["Forbidden"], "Check the key"),
        ({"error": "Forbidden", "hint": ""}, ["Forbidden"], "Forbidden"),
        ({"error": "Forbidden"}, ["Forbidden"], "Forbidden"),
        ({"error": {"message": "Nested"}}, [], "Nested"),  # a gateway's
    ],
)
def test_a_form_says_which_fields_are_the_code_and_the_words(
    body: Any, codes: list[str], message: str
) -> None:
    assert list(envelope.envelope_codes(body, [FLAT_TEXTS])) == codes
    assert envelope.provider_message(body, [FLAT_TEXTS]) == message
    assert envelope.says_error(body, [FLAT_TEXTS]) is True


def test_a_row_looks_for_its_words_in_the_fields_of_the_form() -> None:
    body = {"error": "Forbidden", "hint": "Check the Key"}
    assert "check the key" in envelope.envelope_text(body, [FLAT_TEXTS])
    assert "check the key" not in envelope.envelope_text(body)


def test_a_form_names_a_place_inside_of_another_one() -> None:
    form = EnvelopeForm(("why",), at="response.faults", codes=("no",), texts=("why",))
    body = {"response": {"faults": [{"no": "17", "why": "Closed"}]}, "message": "Outer"}
    assert form.matches(body)
    assert envelope.says_error(body, [form]) is True
    assert list(envelope.envelope_codes(body, [form])) == ["17"]
    assert envelope.provider_message(body, [form]) == "Closed"
    assert envelope.named_status({"response": {"faults": {"status": 429}}}, [form]) == 429


def test_a_very_long_list_of_errors_is_not_read_whole() -> None:
    body = {"errors": [{"code": str(number)} for number in range(1000)]}
    codes = list(envelope.envelope_codes(body))
    assert codes[:3] == ["0", "1", "2"]
    assert len(codes) <= 20


# --- the provider's own words ---


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("plain", "plain"),
        ("  padded \n", "padded"),
        ("two\r\nlines", "two lines"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\x00b\x7fc\x9bd", "a b c d"),
        ("left\u202etfel", "left tfel"),
        ("a\u2028b\u2029c", "a b c"),
        ("a\u2066b\u2069c\u200ed\u200fe", "a b c d e"),
        ("Zoë 📞 日本", "Zoë 📞 日本"),
        ("", ""),
        ("\n\n", ""),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        ("x" * 5_000_000, "x" * 299 + "…"),
    ],
)
def test_quoted(words: str, expected: str) -> None:
    assert quoted(words) == expected


@PROPERTY
@given(st.text(max_size=400))
@example("\x1b]0;title\x07" * 100)
def test_quoted_is_one_short_line_without_control_characters(words: str) -> None:
    found = quoted(words)
    assert len(found) <= 300
    assert len(found.splitlines()) <= 1
    assert [c for c in found if unicodedata.category(c) == "Cc"] == []
    # what turns the reading direction (Unicode, Bidi_Control), but for the Arabic letter mark
    assert set(found).isdisjoint(
        "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
