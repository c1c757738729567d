from collections.abc import Callable
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import NextLink, PageNumbers, PageToken
from calls_shared.reading.pagination import whole_number

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
        ("3", 3),
        (" 012 ", 12),
        ("0", 0),
        (-1, None),
        (2.5, None),
        (float("inf"), None),
        (float("nan"), None),
        ("-3", None),
        ("3.0", None),
        ("1,000", None),
        ("٣", None),
        ("²", None),
        ("", None),
        ("many", None),
        (True, None),
        (None, None),
        ([3], None),
        ({"value": 3}, None),
    ],
)
def test_whole_number(value: Any, expected: int | None) -> None:
    number = whole_number({"a": {"b": value}}, "a.b")
    assert number == expected
    assert type(number) is type(expected)


def test_a_text_of_many_digits_is_cut_and_takes_no_time() -> None:
    assert whole_number({"a": "9" * 1_000_000}, "a") == int("9" * 18)


def test_whole_number_without_a_place() -> None:
    assert whole_number({"": 3}, "") is None
    assert whole_number([3], "0") is None
    assert whole_number(None, "a") is None


@pytest.mark.parametrize(
    ("body", "total"),
    [
        ({"total_count": 26}, 26),
        ({"total_count": "26"}, 26),
        ({"total_count": 0}, 0),
        ({"total_count": None}, None),
        ({"total_count": -1}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_announced_total(answer: Answer, body: Any, total: int | None) -> None:
    assert NUMBERS.total(answer(body)) == total
    assert PageNumbers(page_size=25).total(answer(body)) is None


@pytest.mark.parametrize(
    ("body", "in_force", "last"),
    [
        # the larger of the two hints
        ({"pages": {"total_pages": 3}, "total_count": 26}, 25, 3),
        ({"pages": {"total_pages": 1}, "total_count": 51}, 25, 3),
        ({"pages": {"total_pages": 0}, "total_count": 0}, 25, 0),
        ({"pages": {"total_pages": "4"}, "total_count": 26}, 25, 4),
        # a total is counted by the size that pages really have
        ({"pages": {"total_pages": 3}, "total_count": 51}, 10, 6),
        ({"pages": None, "total_count": 50}, 25, 2),
        ({"pages": None, "total_count": 51}, 25, 3),
        ({"pages": None, "total_count": 51}, 10, 6),
        ({"pages": None, "total_count": 51}, 0, 3),  # none seen yet: by what was asked for
        ({"pages": None, "total_count": 1}, 25, 1),
        ({"pages": None, "total_count": "0"}, 25, 0),
        ({"pages": {"total_pages": 3}}, 10, 3),
        ({"pages": {"total_pages": True}}, 10, None),
        ({"pages": None}, 25, None),
        ({"total_count": -1}, 25, None),
        ({}, 25, None),
        ([], 25, None),
        (None, 25, None),
    ],
)
def test_the_last_page_that_an_answer_announces(
    answer: Answer, body: Any, in_force: int, last: int | None
) -> None:
    assert NUMBERS.last_page(answer(body), in_force) == last


@pytest.mark.parametrize("announced", [0, 1, 9, None])
@pytest.mark.parametrize(
    ("page_read", "size_read", "token"),
    [(None, 25, 2), (1, 25, 2), (2, 1, 3), (9, 25, 10), (1, 0, None), (9, 0, None)],
)
def test_only_an_empty_page_ends_a_numbered_list(
    answer: Answer, announced: int | None, page_read: int | None, size_read: int, token: int | None
) -> None:
    response = answer({"pages": {"total_pages": announced}, "total_count": announced})
    assert NUMBERS.next_page_token(response, size_read, None, page_read) == token


def test_first_pages() -> None:
    assert (NUMBERS.initial_token, NUMBERS.get_page_size()) == (None, 25)
    assert (LINK.initial_token, LINK.get_page_size()) == (None, None)
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
