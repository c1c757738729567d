from collections.abc import Callable
from typing import Any

import pytest
import requests

from calls_shared.error_mapping.body import BadShapeError, PageShape
from calls_shared.error_mapping.judge import Judge
from calls_shared.error_mapping.shapes import SHAPES, ObjectShape, PlaceShape, TextShape

Answer = Callable[..., requests.Response]
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
SIGNED = "https://files.acme.example/a.mp3?Expires=1"


def action_of(shape: PageShape, response: requests.Response) -> str:
    return Judge("Acme", "api_key", (), (), shape).resolve(response, None).action


@pytest.mark.parametrize(
    ("body", "records"),
    [
        ({"data": {"id": "1"}}, [{"id": "1"}]),
        ({"data": None}, []),
        ({"data": {}}, []),
        ({"data": []}, []),
        ({}, []),
    ],
)
def test_an_object_or_nothing(answer: Answer, body: Any, records: list[Any]) -> None:
    response = answer(body)
    shape = ObjectShape("data")
    assert shape.records(response) == records
    assert shape.nulls(response) == 0
    assert action_of(shape, answer(body)) == "accept"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"date": {}}, "nothing under 'data'"),
        ({"data": [{"id": "1"}]}, "no object under 'data'"),
        ({"data": "x"}, "no object under 'data'"),
        ([], "a JSON list in place of an object"),
        (b"", "an empty body"),
        (b"<html>", "an HTML or XML page"),
        (b'{"data": {"i', "a JSON body that is cut short or broken"),
    ],
)
def test_something_else_is_no_object(answer: Answer, body: Any, reason: str) -> None:
    with pytest.raises(BadShapeError, match=reason):
        ObjectShape("data").records(answer(body))
    assert action_of(ObjectShape("data"), answer(body)) == "retry"


def test_an_object_below_others(answer: Answer) -> None:
    shape = ObjectShape("a.data")
    assert shape.records(answer({"a": {"data": {"x": 1}}})) == [{"x": 1}]
    with pytest.raises(BadShapeError):
        shape.records(answer({"a": None}))


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"[00:01] Ada: Hi\n", TEXT, "[00:01] Ada: Hi\n"),
        ("Zoë".encode(), {}, "Zoë"),
        ("Zoë".encode("latin-1"), {"Content-Type": "text/plain; charset=latin-1"}, "Zoë"),
        (b"\xef\xbb\xbfHi", TEXT, "Hi"),
        (b"", TEXT, ""),
        ([{}], JSON, [{}]),
        ([{"text": "Hi"}], JSON, [{"text": "Hi"}]),
        ({}, JSON, {}),
    ],
)
def test_a_text_or_json(answer: Answer, body: Any, headers: dict[str, str], said: Any) -> None:
    response = answer(body, headers=headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)  # type: ignore[no-untyped-call]
    assert TextShape("").records(response) == [{"said": said}]
    assert action_of(TextShape(""), response) == "accept"


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"<!doctype html><p>Sign in", TEXT, "an HTML or XML page"),
        (b"Sign in", {"Content-Type": "text/html"}, "an HTML or XML page"),
        (b'[{"text": "H', JSON, "a JSON body that is cut short or broken"),
        (b"", {}, "an empty body"),
        (b"", JSON, "an empty body"),
    ],
)
def test_something_else_is_no_text(
    answer: Answer, body: bytes, headers: dict[str, str], reason: str
) -> None:
    with pytest.raises(BadShapeError, match=reason):
        TextShape("").records(answer(body, headers=headers))


def test_an_error_in_place_of_a_text_is_one(answer: Answer) -> None:
    error = {"type": "error.list", "errors": [{"code": "server_error", "message": "Oh"}]}
    assert action_of(TextShape(""), answer(error, headers=JSON)) == "retry"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_target_of_a_redirect_is_the_place(answer: Answer, status: int) -> None:
    response = answer(b"", status, {"Location": SIGNED, "Content-Type": "text/html"})
    shape = PlaceShape("")
    assert shape.records(response) == [{"url": SIGNED}]
    assert not shape.wants_body(response)
    assert action_of(shape, response) == "accept"


def test_a_target_may_be_relative(answer: Answer) -> None:
    response = answer(b"", 302, {"Location": "/files/a.mp3"})
    response.url = "https://api.acme.example/calls/1/recording"
    assert PlaceShape("").records(response) == [{"url": "https://api.acme.example/files/a.mp3"}]


@pytest.mark.parametrize(
    "location", [None, "", "ftp://files.acme.example/a", "https://", "http://["]
)
def test_a_redirect_to_nowhere_is_no_place(answer: Answer, location: str | None) -> None:
    headers = {} if location is None else {"Location": location}
    with pytest.raises(BadShapeError, match="a redirect "):
        PlaceShape("").records(answer(b"", 302, headers))
    assert action_of(PlaceShape(""), answer(b"", 302, headers)) == "retry"


@pytest.mark.parametrize("kind", ["audio/mpeg", "application/octet-stream", ""])
def test_the_thing_itself_is_not_read(answer: Answer, kind: str) -> None:
    response = answer(b"", 200, {"Content-Type": kind})
    assert not PlaceShape("").wants_body(response)
    assert PlaceShape("").records(response) == [{}]
    assert action_of(PlaceShape(""), response) == "accept"


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/plain", "application/xml"])
def test_a_message_in_place_of_the_thing_is_read_and_is_none(answer: Answer, kind: str) -> None:
    response = answer(b"<html>Sign in", 200, {"Content-Type": kind})
    assert PlaceShape("").wants_body(response)
    with pytest.raises(BadShapeError):
        PlaceShape("").records(response)


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_refusal_is_read(answer: Answer, status: int) -> None:
    response = answer({"code": "gone"}, status, JSON)
    assert PlaceShape("").wants_body(response)
    assert not PlaceShape("").is_an_answer(status)


def test_a_page_is_no_redirect_and_is_read(answer: Answer) -> None:
    response = answer(b"", 302, {"Location": SIGNED})
    assert action_of(PageShape("data"), response) == "fail"
    assert PageShape("data").wants_body(response)
    assert SHAPES["page"] is PageShape
