from collections.abc import Callable
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from calls_shared import NextLink, PageNumbers, PageToken
from calls_shared.pagination import whole_number

Answer = Callable[..., requests.Response]
NUMBERS = PageNumbers(page_size=25, page_count_at="pages.total_pages", total_at="total_count")
LINK = NextLink(link_at="_links.next.href")
TOKEN = PageToken(token_at="nextPageToken", page_size=100)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (0, 0),
        (3.0, 3),
        (2**70, 2**70),
        (-1, None),
        (2.5, None),
        ("3", None),
        (True, None),
        (None, None),
        ([3], None),
    ],
)
def test_whole_number(value: Any, expected: int | None) -> None:
    number = whole_number({"a": {"b": value}}, "a.b")
    assert number == expected
    assert type(number) is type(expected)


def test_whole_number_without_a_place() -> None:
    assert whole_number({"": 3}, "") is None
    assert whole_number([3], "0") is None
    assert whole_number(None, "a") is None


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"pages": {"total_pages": 3}, "total_count": 999}, 3),
        ({"pages": {"total_pages": 0}, "total_count": 0}, 0),
        ({"pages": None, "total_count": 50}, 2),
        ({"pages": None, "total_count": 51}, 3),
        ({"pages": None, "total_count": 1}, 1),
        ({"pages": None, "total_count": 0}, 0),
        ({"pages": {"total_pages": "3"}, "total_count": 26}, 2),
        ({"pages": None}, None),
        ({"total_count": -1}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_page_count(answer: Answer, body: Any, count: int | None) -> None:
    assert NUMBERS.page_count(answer(body)) == count


@pytest.mark.parametrize(
    ("body", "page_read", "size_read", "token"),
    [
        # by the number of pages; a short page never ends the reading
        ({"pages": {"total_pages": 3}}, None, 25, 2),
        ({"pages": {"total_pages": 3}}, 1, 25, 2),
        ({"pages": {"total_pages": 3}}, 2, 10, 3),
        ({"pages": {"total_pages": 3}}, 2, 0, 3),
        ({"pages": {"total_pages": 3}}, 3, 25, None),
        ({"pages": {"total_pages": 3}}, 4, 25, None),
        ({"pages": {"total_pages": 0}}, 1, 0, None),
        # by the number of records
        ({"pages": None, "total_count": 26}, 1, 25, 2),
        ({"pages": None, "total_count": 25}, 1, 25, None),
        # by neither: until a page is empty
        ({"pages": None}, 1, 25, 2),
        ({"pages": None}, 1, 1, 2),
        ({"pages": None}, 2, 0, None),
    ],
)
def test_next_page_number(
    answer: Answer, body: Any, page_read: int | None, size_read: int, token: int | None
) -> None:
    assert NUMBERS.next_page_token(answer(body), size_read, None, page_read) == token


def test_first_pages() -> None:
    assert (NUMBERS.initial_token, NUMBERS.get_page_size()) == (1, 25)
    assert LINK.initial_token is None
    assert (TOKEN.initial_token, TOKEN.get_page_size()) == (None, 100)


@pytest.mark.parametrize(
    "link",
    [
        "https://api.acme.example/calls?page[size]=100&page[after]=5e3",
        "https://api.acme.example/calls?page%5Bafter%5D=%2B1415&b=%20+%2F",
        "/calls?page[after]=007",
        "{{ config['api_key'] }}",
        # the transport refuses what is not the provider's
        "https://evil.example/calls?page=2",
        "////evil.example/calls",
        "https://[evil/calls",
    ],
)
def test_a_link_travels_as_given(answer: Answer, link: str) -> None:
    body = {"calls": [], "_links": {"next": {"href": link}}}
    assert LINK.next_page_token(answer(body), 1, None) == link


@pytest.mark.parametrize("link", [None, ""])
def test_an_empty_link_ends_the_list(answer: Answer, link: str | None) -> None:
    assert LINK.next_page_token(answer({"_links": {"next": {"href": link}}}), 1, None) is None


@pytest.mark.parametrize("body", [{}, {"_links": None}, {"_links": {}}, {"_links": {"next": None}}])
def test_no_next_link(answer: Answer, body: Any) -> None:
    assert LINK.next_page_token(answer(body), 100, None) is None


@pytest.mark.parametrize("link", [2, True, ["/calls"], {"href": "/calls"}, 0, []])
def test_a_link_that_is_no_text_is_a_fault_of_the_answer(answer: Answer, link: Any) -> None:
    with pytest.raises(AirbyteTracedException, match="a link that is no text") as caught:
        LINK.next_page_token(answer({"_links": {"next": {"href": link}}}), 100, None)
    assert caught.value.failure_type is FailureType.transient_error


@pytest.mark.parametrize(
    "token", ["5e3", "12e5", "007", "+14155550100", "1_000", "0x10", "True", "{{ 1 }}", "a b", 7]
)
def test_a_token_travels_as_given(answer: Answer, token: Any) -> None:
    given = TOKEN.next_page_token(answer({"nextPageToken": token}), 100, None)
    assert given == token
    assert type(given) is type(token)


@pytest.mark.parametrize("body", [{}, {"nextPageToken": None}, {"nextPageToken": ""}])
def test_no_token(answer: Answer, body: Any) -> None:
    assert TOKEN.next_page_token(answer(body), 100, None) is None
