"""`check`: the sum of its waits is bounded, and it does not speak of resuming."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType

from calls_shared.http.patience import CHECK_PATIENCE

Answer = Callable[..., requests.Response]
Benches = Callable[..., Any]  # of `conftest.Bench`
GOOD = {"data": [{"id": "1"}]}


@pytest.mark.parametrize(
    ("bad", "fragment"),
    [
        ((b"", 429), "rate limit (HTTP 429)"),
        ((b"", 429, {"Retry-After": "7"}), "rate limit (HTTP 429)"),
        ((b"", 429, {"Retry-After": "3600"}), "rate limit (HTTP 429)"),
        ((b"", 503), "could not answer (HTTP 503)"),
        ((b"", 503, {"Retry-After": "20"}), "could not answer (HTTP 503)"),
        ((b"", 503, {"Retry-After": "3600"}), "could not answer (HTTP 503)"),
        ((b"<html>", 403), "not Acme's own"),
        ((b"<html>", 200), "something else than a page"),
        (requests.ReadTimeout(), "could not be reached"),
    ],
    ids=str,
)
@pytest.mark.parametrize("lasts", [0.0, 5.0, 1000.0])
def test_a_check_answers_within_a_minute(
    answer: Answer, bench: Benches, bad: Any, fragment: str, lasts: float
) -> None:
    fault = bad if isinstance(bad, Exception) else answer(*bad)
    found = bench(fault, patience=CHECK_PATIENCE, lasts=lasts)
    failure = found.fail()
    message = failure.message or ""
    assert found.clock.now - 1000.0 <= 55.0
    assert failure.failure_type is FailureType.transient_error
    assert fragment in message
    assert "resume" not in message
    assert "sync" not in message
    assert ("trying again did not help" in message) is (found.tries > 1 and "429" not in message)


def test_a_long_wait_is_not_tried_and_not_said_to_have_been(answer: Answer, bench: Benches) -> None:
    found = bench(answer(b"", 503, {"Retry-After": "3600"}), patience=CHECK_PATIENCE)
    assert found.fail().message == (
        "Acme could not answer (HTTP 503). Try again later. Acme says: nothing more."
    )
    assert (found.tries, found.slept) == (1, [])


def test_a_check_whose_own_budget_is_used_up_says_so(answer: Answer, bench: Benches) -> None:
    found = bench(answer(GOOD), patience=CHECK_PATIENCE, limit=1)
    found.send()
    failure = found.fail()
    assert failure.failure_type is FailureType.transient_error
    assert failure.message == (
        "Acme did not answer in the time that a check has. Try again later; if requests_per_minute"
        " is set, raise it."
    )
    assert (found.tries, found.slept) == (1, [])


def test_no_time_out_of_a_check_reaches_beyond_its_end(answer: Answer, bench: Benches) -> None:
    limited = answer(b"", 429, {"Retry-After": "15"})
    found = bench(limited, patience=CHECK_PATIENCE)
    found.fail()
    assert [patience.answer for patience in found.transport.patience] == pytest.approx(
        [30.0, 30.0, 20.0, 5.0]
    )
    assert found.transport.patience[-1].connect == pytest.approx(5.0)
