import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from calls_shared.http.waiting import growing_pause, named_wait

PROPERTY = settings(database=None, deadline=None, max_examples=200)
RESET = "X-RateLimit-Reset"
NOW = 1769817600.0  # Sat, 31 Jan 2026 00:00:00 GMT
DATE = "Sat, 31 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        # Retry-After in seconds
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": " 30 "}, 30.0),
        ({"retry-after": "1"}, 1.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "3601"}, 3600.0),
        ({"Retry-After": "86400"}, 3600.0),
        ({"Retry-After": "99999999999999999999"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        # more than a day: milliseconds
        ({"Retry-After": "86401"}, 86.401),
        ({"Retry-After": "90000"}, 90.0),
        ({"Retry-After": "600000"}, 600.0),
        ({"Retry-After": "86400000"}, 3600.0),
        # or a Unix time in seconds or milliseconds, with a second more, as `Date` has whole ones
        ({"Retry-After": "1769817630"}, 31.0),
        ({"Retry-After": "1769817630.5"}, 31.5),
        ({"Retry-After": "1769817630000"}, 31.0),
        ({"Retry-After": "1769817630500"}, 31.5),
        ({"Retry-After": "1769903999"}, 3600.0),  # a day ahead
        # or none of them, which counts as not given
        ({"Retry-After": "1769904001"}, None),
        ({"Retry-After": "1769817000"}, None),
        ({"Retry-After": "86400001"}, None),
        ({"Retry-After": "1999999999"}, None),
        # Retry-After as a date
        ({"Retry-After": "Sat, 31 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"Retry-After": "Sat, 31 Jan 2026 01:00:30 +0100"}, 30.0),
        ({"Retry-After": "Saturday, 31-Jan-26 00:00:30 GMT"}, 30.0),
        ({"Retry-After": "Sat, 31 Jan 2026 00:00:00 GMT"}, None),
        ({"Retry-After": "Fri, 30 Jan 2026 23:59:00 GMT"}, None),
        ({"Retry-After": "Sat, 31 Jan 2099 00:00:00 GMT"}, 3600.0),
        ({"Retry-After": "Sat, 31 Feb 2026 00:00:00 GMT"}, None),
        # neither
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
        # the reset as a Unix time
        ({"X-RateLimit-Reset": "1769817630"}, 31.0),
        ({"x-ratelimit-reset": "1769817630"}, 31.0),
        ({"X-RateLimit-Reset": "1769817630000"}, 31.0),
        ({"X-RateLimit-Reset": "1769817630500"}, 31.5),
        ({"X-RateLimit-Reset": "1769817600"}, 1.0),
        ({"X-RateLimit-Reset": "1769817599"}, None),
        ({"X-RateLimit-Reset": "1769817000"}, None),
        ({"X-RateLimit-Reset": "1769890000"}, 3600.0),
        ({"X-RateLimit-Reset": "1999999999"}, None),
        # the reset as seconds or milliseconds to wait
        ({"X-RateLimit-Reset": "10"}, 10.0),
        ({"X-RateLimit-Reset": "0"}, None),
        ({"X-RateLimit-Reset": "90000"}, 90.0),
        ({"X-RateLimit-Reset": "999999999"}, None),
        ({"X-RateLimit-Reset": "garbled"}, None),
        # both: Retry-After is meant for us, if it means anything
        ({"Retry-After": "5", "X-RateLimit-Reset": "1769817630"}, 5.0),
        ({"Retry-After": "90000", "X-RateLimit-Reset": "1769817630"}, 90.0),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "1769817630"}, 31.0),
        ({"Retry-After": "1999999999", "X-RateLimit-Reset": "1769817630"}, 31.0),
        ({"Retry-After": "", "X-RateLimit-Reset": "20"}, 20.0),
    ],
)
def test_named_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert named_wait(CaseInsensitiveDict(headers), RESET, NOW) == seconds


@pytest.mark.parametrize("own_clock", [0.0, NOW - 86400, NOW + 86400, 4e9])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "Sat, 31 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"X-RateLimit-Reset": "1769817630"}, 31.0),
        ({"X-RateLimit-Reset": "1769817630000"}, 31.0),
        ({"X-RateLimit-Reset": "10"}, 10.0),
        ({"X-RateLimit-Reset": "1769817000"}, None),
        ({"Retry-After": "1769817630"}, 31.0),
        ({"Retry-After": "1769817630500"}, 31.5),
        ({"Retry-After": "90000"}, 90.0),
    ],
)
def test_a_wrong_clock_here_does_no_harm(
    headers: dict[str, str], seconds: float | None, own_clock: float
) -> None:
    assert named_wait(CaseInsensitiveDict({**headers, "Date": DATE}), RESET, own_clock) == seconds


def test_a_garbled_date_of_the_answer_falls_back_to_our_clock() -> None:
    headers = {"Date": "once upon a time", "X-RateLimit-Reset": "1769817630"}
    assert named_wait(CaseInsensitiveDict(headers), RESET, NOW) == 31.0


@PROPERTY
@given(
    st.dictionaries(
        st.sampled_from(["Date", "Retry-After", "X-RateLimit-Reset"]),
        st.text(max_size=30)
        | st.integers(-(10**20), 10**20).map(str)
        | st.floats().map(str)
        | st.sampled_from([DATE, "Mon, 01 Jan 0001 00:00:00 GMT", "1 Jan 99999 0:0 +9999999"]),
    )
)
def test_named_wait_is_total(headers: dict[str, str]) -> None:
    seconds = named_wait(CaseInsensitiveDict(headers), RESET, NOW)
    assert seconds is None or 0.0 < seconds <= 3600.0


@pytest.mark.parametrize(
    ("attempt", "middle"),
    [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (100, 60.0), (10**9, 60.0)],
)
def test_growing_pause_doubles_up_to_the_longest(attempt: int, middle: float) -> None:
    random.seed(5)
    pauses = [growing_pause(attempt, 1.0, 60.0) for _ in range(500)]
    assert min(pauses) >= middle * 0.5
    assert max(pauses) <= min(middle * 1.5, 60.0)
    # the jitter spreads over the whole width
    assert min(pauses) < middle * 0.6
    assert max(pauses) > min(middle * 1.4, 59.9)


def test_growing_pause_of_nothing() -> None:
    assert growing_pause(5, 0.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("X-AcmeApi-Reset", 31.0), ("x-acmeapi-reset", 31.0), ("X-RateLimit-Reset", None), ("", None)],
)
def test_the_header_with_the_reset_is_the_one_that_is_named(
    name: str, seconds: float | None
) -> None:
    headers = CaseInsensitiveDict({"X-AcmeApi-Reset": "1769817630", "": "5"})
    assert named_wait(headers, name, NOW) == seconds
