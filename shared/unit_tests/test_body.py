from collections.abc import Callable
from typing import Any

import orjson
import pytest
import requests
from calls_shared import body
from calls_shared.body import BadShapeError, PageShape

Answer = Callable[..., requests.Response]
LIST = PageShape("data", "pages.total_pages")
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
        (b'{"data": [NaN]}', "a JSON body that is cut short or broken"),
        (b'{"data": ["\xff\xfe"]}', "a JSON body that is cut short or broken"),
        (b"upstream connect error", "a body that is not JSON"),
        (b"\x1f\x8b\x08\x00", "a body that is not JSON"),
        (b"{}", "no list under 'data'"),
        (b'{"calls": []}', "no list under 'data'"),
        (b'{"data": null}', "no list under 'data'"),
        (b'{"data": {"id": "1"}}', "no list under 'data'"),
        (b'{"data": "none"}', "no list under 'data'"),
        (b'{"data": 0}', "no list under 'data'"),
        (b'{"data": ["1"]}', "an entry under 'data' that is no object"),
        (b'{"data": [{"id": "1"}, null]}', "an entry under 'data' that is no object"),
        (b'{"data": [[]]}', "an entry under 'data' that is no object"),
        (b'{"data": [], "pages": {"total_pages": 3}}', "an empty page 2 of 3"),
    ],
)
def test_a_bad_page_has_a_reason(answer: Answer, content: bytes, reason: str) -> None:
    with pytest.raises(BadShapeError) as caught:
        LIST.check(answer(content), page=2)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("content", "page", "records"),
    [
        ({"data": [{"id": "1"}, {"id": "2"}], "pages": {"total_pages": 1}}, 1, ["1", "2"]),
        ({"data": [{"id": "1"}], "pages": None}, 1, ["1"]),
        ({"data": [{"id": "1"}], "pages": {"total_pages": 9}}, 2, ["1"]),
        ({"data": [], "pages": {"total_pages": 0}}, 1, []),
        ({"data": [], "pages": {"total_pages": 1}}, 1, []),
        ({"data": [], "pages": {"total_pages": 3}}, 3, []),
        ({"data": [], "pages": {"total_pages": 3}}, 4, []),
        ({"data": [], "pages": {"total_pages": None}}, 2, []),
        ({"data": [], "pages": {"total_pages": "3"}}, 2, []),
        ({"data": [], "pages": {"total_pages": True}}, 0, []),
        ({"data": [], "pages": "3"}, 2, []),
        ({"data": []}, 7, []),
    ],
)
def test_a_good_page(answer: Answer, content: Any, page: int, records: list[str]) -> None:
    response = answer(content)
    LIST.check(response, page)
    assert [record["id"] for record in LIST.records(response)] == records


def test_an_empty_first_page_of_several_is_bad_whatever_the_token(answer: Answer) -> None:
    content = {"data": [], "pages": {"total_pages": 2}}
    for page in (1, None, "token"):
        with pytest.raises(BadShapeError, match="an empty page 1 of 2"):
            LIST.check(answer(content), page)


def test_a_list_without_page_numbers_may_be_empty(answer: Answer) -> None:
    response = answer({"data": [], "pages": {"total_pages": 3}})
    PageShape("data").check(response, 1)
    assert PageShape("data").records(response) == []


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


@pytest.mark.parametrize("content", [b'{"data": []}', b"<html>", b"null"])
def test_a_body_is_parsed_once(
    answer: Answer, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    parsed: list[bytes] = []

    def loads(text: bytes) -> Any:
        parsed.append(text)
        return orjson.loads(text)

    class Counting:
        JSONDecodeError = orjson.JSONDecodeError

    monkeypatch.setattr(Counting, "loads", staticmethod(loads), raising=False)
    monkeypatch.setattr(body, "orjson", Counting)
    one, other = answer(content), answer(content)
    assert body.parsed(one) is body.parsed(one)
    assert parsed == [content]
    body.parsed(other)
    assert parsed == [content, content]
