from collections.abc import Callable
from typing import Any

import pytest
import requests

from calls_shared.error_mapping import body
from calls_shared.error_mapping.body import BadShapeError, PageShape
from calls_shared.error_mapping.json_body import Body, read_json

Answer = Callable[..., requests.Response]
LIST = PageShape("data", "pages.total_pages", "total")
ONE = PageShape("")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty body"),
        (b" \r\n ", "an empty body"),
        (b"null", "the JSON value null"),
        (b"<!doctype html><html><body>Bad gateway</body></html>", "an HTML or XML page"),
        (b"\n  <?xml version='1.0'?>", "an HTML or XML page"),
        (b"[]", "a JSON list in place of an object"),
        (b'[{"id": "1"}]', "a JSON list in place of an object"),
        (b'"data"', "a JSON str in place of an object"),
        (b"42", "a JSON int in place of an object"),
        (b"4.5", "a JSON float in place of an object"),
        (b"true", "a JSON bool in place of an object"),
        (b'{"data": [{"id": "1"}, {"id"', "a JSON body that is cut short or broken"),
        (b'{"data": []', "a JSON body that is cut short or broken"),
        (b'[{"id": 1}', "a JSON body that is cut short or broken"),
        (b'{"data": []}{"data": []}', "a JSON body that is cut short or broken"),
        (b'\xef\xbb\xbf{"data": [{"id"', "a JSON body that is cut short or broken"),
        (b"\xef\xbb\xbf<html></html>", "an HTML or XML page"),
        (b"[" * 100_000, "a JSON body that is cut short or broken"),
        (b"upstream connect error", "a body that is not JSON"),
        (b"\x1f\x8b\x08\x00", "a body that is not JSON"),
        (b"{}", "no list under 'data'"),
        (b'{"calls": []}', "no list under 'data'"),
        (b'{"data": null}', "no list under 'data'"),
        (b'{"data": {"id": "1"}}', "no list under 'data'"),
        (b'{"data": "none"}', "no list under 'data'"),
        (b'{"data": 0}', "no list under 'data'"),
        (b'{"data": ["1"]}', "an entry under 'data' that is no object"),
        (b'{"data": [{"id": "1"}, null, "2"]}', "an entry under 'data' that is no object"),
        (b'{"data": null, "total": 3}', "no list under 'data'"),
        (b'{"data": null, "total": null}', "no list under 'data'"),
        (b'{"data": null, "total": false}', "no list under 'data'"),
        (b'{"data": null, "pages": {"total_pages": 3}}', "no list under 'data'"),
        (b'{"total": 0}', "no list under 'data'"),
        (b'{"data": "", "total": 0}', "no list under 'data'"),
        (b'{"data": [[]]}', "an entry under 'data' that is no object"),
    ],
)
def test_a_bad_page_has_a_reason(answer: Answer, content: bytes, reason: str) -> None:
    with pytest.raises(BadShapeError) as caught:
        LIST.check(answer(content))
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("content", "records"),
    [
        ({"data": [{"id": "1"}, {"id": "2"}], "pages": {"total_pages": 1}}, ["1", "2"]),
        ({"data": [{"id": "1"}], "pages": None}, ["1"]),
        # an empty page is a page; whether the list ends there is no question of its shape
        ({"data": [], "pages": {"total_pages": 0}}, []),
        ({"data": [], "pages": {"total_pages": 3}}, []),
        ({"data": [], "pages": "3"}, []),
        ({"data": []}, []),
        # null in place of an empty list, as an announced 0 says
        ({"data": None, "total": 0}, []),
        ({"data": None, "total": "0"}, []),
        ({"data": None, "pages": {"total_pages": 0}}, []),
        ({"data": None, "pages": {"total_pages": 0}, "total": None}, []),
        # a null among the records
        ({"data": [None, {"id": "1"}, None, {"id": "2"}]}, ["1", "2"]),
        ({"data": [None], "pages": {"total_pages": 3}}, []),
    ],
)
def test_a_good_page(answer: Answer, content: Any, records: list[str]) -> None:
    response = answer(content)
    LIST.check(response)
    assert [record["id"] for record in LIST.records(response)] == records


def test_records_at_a_deeper_path(answer: Answer) -> None:
    shape = PageShape("result.calls")
    response = answer({"result": {"calls": [{"id": "1", "x": [1.5, None]}]}})
    shape.check(response)
    assert shape.records(response) == [{"id": "1", "x": [1.5, None]}]
    with pytest.raises(BadShapeError, match=r"no list under 'result\.calls'"):
        shape.check(answer({"result": []}))


def test_one_record(answer: Answer) -> None:
    response = answer({"id": "1", "state": "completed"})
    ONE.check(response)
    assert ONE.records(response) == [{"id": "1", "state": "completed"}]
    with pytest.raises(BadShapeError, match="a JSON object without an id"):
        ONE.check(answer({"type": "error.list", "errors": []}))
    with pytest.raises(BadShapeError, match="an empty body"):
        ONE.check(answer(b""))
    with pytest.raises(BadShapeError, match="a JSON list in place of an object"):
        ONE.check(answer([{"id": "1"}]))


def test_null_in_place_of_a_list_at_a_deeper_path(answer: Answer) -> None:
    shape = PageShape("result.calls", total_at="result.count")
    shape.check(answer({"result": {"calls": None, "count": 0}}))
    for content in (
        {"result": {"calls": None, "count": 1}},
        {"result": {"count": 0}},
        {"result": None, "count": 0},
        {"result": {"calls": None}, "count": 0},
    ):
        with pytest.raises(BadShapeError, match=r"no list under 'result\.calls'"):
            shape.check(answer(content))


def test_null_without_an_announced_number_is_no_page(answer: Answer) -> None:
    with pytest.raises(BadShapeError, match="no list under 'data'"):
        PageShape("data").check(answer({"data": None, "total": 0}))


def test_what_was_found_holds_for_a_shape_that_knows_less(answer: Answer) -> None:
    response = answer({"data": None, "total": 0})
    LIST.check(response)
    assert PageShape("data").records(response) == []


def test_notes_tell_what_was_repaired_and_left_out(answer: Answer) -> None:
    nulls = "{count} records of a list were null; they were left out."
    good = answer({"data": [{"id": "1"}], "total": 1})
    assert LIST.notes(good) == {}
    assert LIST.notes(answer({"data": [None, {"id": "1"}, None]})) == {nulls: 2}
    assert LIST.notes(answer({"data": None, "total": 0})) == {}
    broken = answer(rb'{"data": [{"id": "\ud83d"}, null, {"id": NaN}]}')
    assert LIST.notes(broken) == {
        "{count} broken characters (such as half an emoji) in the provider's texts were read as"
        " U+FFFD.": 1,
        "{count} numbers that are none (NaN, infinity) were read as null.": 1,
        nulls: 1,
    }
    assert ONE.notes(answer(b'\xef\xbb\xbf{"id": "1"}')) == {}


def test_the_declared_character_set_counts(answer: Answer) -> None:
    content = '{"data": [{"id": "café"}]}'.encode("latin-1")
    response = answer(content, headers={"content-type": "application/json; charset=ISO-8859-1"})
    assert LIST.records(response) == [{"id": "café"}]


@pytest.mark.parametrize("content", [b'{"data": []}', b"<html>", b"null"])
def test_a_body_is_parsed_once(
    answer: Answer, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    parsed: list[bytes] = []

    def read(text: bytes, content_type: str) -> Body:
        parsed.append(text)
        return read_json(text, content_type)

    monkeypatch.setattr(body, "read_json", read)
    one, other = answer(content), answer(content)
    assert body.parsed(one) is body.parsed(one)
    assert parsed == [content]
    body.parsed(other)
    assert parsed == [content, content]
