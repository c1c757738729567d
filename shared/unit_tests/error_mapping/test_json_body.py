import json
import math
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from calls_shared.error_mapping import json_body
from calls_shared.error_mapping.json_body import read_json

PROPERTY = settings(database=None, deadline=None, max_examples=150)
BROKEN = (
    "{count} broken characters (such as half an emoji) in the provider's texts were read as U+FFFD."
)
NO_NUMBERS = "{count} numbers that are none (NaN, infinity) were read as null."


@pytest.mark.parametrize(
    ("content", "value", "broken"),
    [
        # as JavaScript writes a text that was cut inside an emoji
        (rb'{"a": "called \ud83d"}', {"a": "called \ufffd"}, 1),
        (rb'{"a": "\uDE00 called"}', {"a": "\ufffd called"}, 1),
        (rb'["\ud83d\ud83d\ude00\ude00"]', ["\ufffd😀\ufffd"], 2),
        (rb'["\ud83dx\ude00"]', ["\ufffdx\ufffd"], 2),
        (rb'{"\ud83d": 1, "k\udfff": [{"\udbff\u0041": "\udc00"}]}', None, 4),
        # beside what is no half
        (rb'["\\ud83d \ud83d\ude00 \\\ud83d \\\\ud83d"]', ["\\ud83d 😀 \\\ufffd \\\\ud83d"], 1),
        (rb'["\"\ud83d\"", "\u00e9\/\b\n"]', ['"\ufffd"', "é/\b\n"], 1),
        # as bytes that a strict reader of UTF-8 refuses
        (b'["\xed\xa0\xbd"]', ["\ufffd"], 1),
        (b'["\xed\xa0\xbd\xed\xb8\x80 \xed\xb8\x80"]', ["😀 \ufffd"], 1),
        (b'["caf\xe9", "\xf0\x9f\x98\x80"]', ["caf\ufffd", "😀"], 1),
        (b'["\xff\xfe"]', ["\ufffd\ufffd"], 2),
    ],
)
def test_half_a_character(content: bytes, value: Any, broken: int) -> None:
    body = read_json(content)
    assert body.repairs == {BROKEN: broken}
    if value is None:
        value = {"\ufffd": 1, "k\ufffd": [{"\ufffdA": "\ufffd"}]}
    assert body.value == value
    assert json.loads(orjson.dumps(body.value)) == value  # a record can be written again


TEXT = {"name": "café “quoted”", "n": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", ""),
        ("utf-8", "application/json; charset=iso-8859-1"),  # UTF-8 whatever it says
        ("utf-8-sig", ""),
        ("utf-8-sig", "application/json; charset=windows-1252"),
        ("utf-16", ""),
        ("utf-32", ""),
        ("utf-16-le", "application/json; charset=UTF-16LE"),
        ("cp1252", "application/json; charset=windows-1252"),
        ("cp1252", 'application/json;Charset = "Windows-1252"; x=y'),
    ],
)
def test_character_sets(encoding: str, content_type: str) -> None:
    content = json.dumps(TEXT, ensure_ascii=False).encode(encoding)
    assert read_json(content, content_type) == json_body.Body(TEXT, {})


def test_declared_latin_1() -> None:
    content = '{"name": "café"}'.encode("latin-1")
    body = read_json(content, "application/json; charset=ISO-8859-1")
    assert body == json_body.Body({"name": "café"}, {})


@pytest.mark.parametrize("charset", ["no-such", "hex", "ascii"])
def test_a_declared_set_that_does_not_fit(charset: str) -> None:
    content = '{"name": "café"}'.encode("latin-1")
    body = read_json(content, f"application/json; charset={charset}")
    assert body == json_body.Body({"name": "caf\ufffd"}, {BROKEN: 1})


def test_no_numbers_are_null() -> None:
    body = read_json(b'{"a": [NaN, Infinity, -Infinity, 1e999, -1e999, 1.5e3], "b": "NaN"}')
    assert body == json_body.Body(
        {"a": [None, None, None, None, None, 1500.0], "b": "NaN"}, {NO_NUMBERS: 5}
    )


def test_control_characters_in_a_text() -> None:
    assert read_json(b'{"a": "one\ntwo\t\x00"}') == json_body.Body({"a": "one\ntwo\t\x00"}, {})


@pytest.mark.parametrize(
    ("digits", "value"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("9999999999999999999", 9999999999999999999),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", "18446744073709551616"),
        ("-9223372036854775808", -(2**63)),
        ("-9223372036854775809", "-9223372036854775809"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("9" * 5000, "9" * 5000),
        ("1234567890123456789012.5", 1234567890123456789012.5),
        ("0.12345678901234567890123", 0.12345678901234567890123),
        ("1" * 30 + "e-28", 11.1),
    ],
)
@pytest.mark.parametrize("form", ['{{"a":{}}}', '{{"a": {} , "b": [1]}}', '{{"a":\n{}\n}}'])
def test_integers_keep_their_digits(form: str, digits: str, value: Any) -> None:
    found = read_json(form.format(digits).encode()).value["a"]
    assert found == (pytest.approx(value, rel=1e-2) if isinstance(value, float) else value)
    assert type(found) is type(value)
    assert json.loads(orjson.dumps(found)) == found  # a record can be written again


def test_long_integers_in_a_list() -> None:
    big = "12345678901234567890123"
    assert read_json(f"[{big},-{big}, {big}]".encode()).value == [big, f"-{big}", big]
    assert read_json(f"[1,{big}]".encode()).value == [1, big]


def test_digits_in_a_text_stay_and_need_no_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_body, "_repaired", None)
    record = {"sid": "12345678901234567890123", "at": "2026-01-31T12:00:00.000Z", "n": 1.25e22}
    assert read_json(orjson.dumps({"data": [record] * 100})).value == {"data": [record] * 100}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        b" \r\n ",
        b"<html>",
        b'{"data": [{"id": "1"}, {"id"',
        b'{"data": []',
        rb'{"data": ["\ud83d',
        rb'{"data": ["\ud83d"]',
        b'{"data": [NaN',
        b'{"data": []}{"data": []}',
        b'{"data": [12345678901234567890123',
        b"{'data': []}",
        b'{"data": nan}',
        b'{"data": undefined}',
        b"\x1f\x8b\x08\x00",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"NaN" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_stays_so(content: bytes) -> None:
    assert read_json(content) == json_body.Body(None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@PROPERTY
@given(JSON, st.booleans())
@example({"\\ud83d": "\\\\ud83d"}, True)
def test_what_is_json_is_read_as_it_is_with_and_without_repairs(value: Any, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    assert read_json(text.encode()) == json_body.Body(value)
    repaired = read_json(f"[{text}, NaN]".encode())
    assert repaired == json_body.Body([value, None], {NO_NUMBERS: 1})
    wide = read_json(text.encode("utf-16"))
    assert wide == json_body.Body(value)


@PROPERTY
@given(st.binary(max_size=60), st.text(max_size=40))
def test_reading_is_total(content: bytes, content_type: str) -> None:
    body = read_json(content, content_type)
    if body.value is not None:
        assert all(isinstance(count, int) and count > 0 for count in body.repairs.values())
        orjson.dumps(body.value)


@PROPERTY
@given(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=20))
def test_any_text_of_a_program_can_be_read(text: str) -> None:
    written: Mapping[str, str] = {"a": text}
    body = read_json(json.dumps(written).encode())
    halves = len(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    assert len(body.value["a"]) == halves
    assert body.value["a"] == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_a_number_is_never_infinite() -> None:
    body = read_json(b"[1e308, 1e309, NaN]")
    assert body.value == [1e308, None, None]
    assert math.isfinite(body.value[0])
