from collections.abc import Callable
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType

from calls_shared.faults import ForeignUrlError
from calls_shared.http.patience import Patience
from calls_shared.http.refusals import PageRefusedError
from calls_shared.http.sender import _AbandonedError

Answer = Callable[..., requests.Response]
Benches = Callable[..., Any]  # of `conftest.Bench`
ATTEMPTS = 4  # of the bench's patience
GOOD = {"data": [{"id": "1"}]}


# --- tried again ---


@pytest.mark.parametrize(
    "bad",
    [
        (b"<html>", 500),
        ({"message": "later"}, 503),
        (b"", 408),
        (b"<html>", 403),
        ({"message": "Forbidden"}, 403),
        (b"", 404),
        ({"statusCode": 404, "error": "Not Found", "message": "Cannot GET /v1/calls"}, 404),
        requests.ConnectTimeout(),
        requests.ConnectionError("Connection reset by peer"),
        (b"<html>", 200),
        (b"", 200),
        (b'{"data": [{"id"', 200),
        ({"data": None}, 200),
        ({"errors": [{"message": "oops"}]}, 200),
        ({"data": [], "success": False}, 200),
        (b"", 204),
    ],
    ids=str,
)
def test_a_passing_fault_is_tried_again(answer: Answer, bench: Benches, bad: Any) -> None:
    fault = bad if isinstance(bad, Exception) else answer(*bad)
    found = bench(fault, fault, fault, answer(GOOD))
    assert found.send().json() == GOOD
    assert found.tries == 4
    assert found.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("bad", "places"),
    [
        (({"message": "later"}, 503), 4),
        ((b"<html>", 503), 4),
        (({"message": "slowly"}, 429), 4),
        (requests.ConnectionError("Connection reset by peer"), 4),
        (requests.ReadTimeout(), 4),
        (({"message": "boom"}, 500), 8),
        ((b"<html>", 403), 8),
        ((b"<html>", 200), 8),
    ],
    ids=str,
)
def test_a_refusal_takes_half_the_places_away(
    answer: Answer, bench: Benches, bad: Any, places: int
) -> None:
    found = bench(bad if isinstance(bad, Exception) else answer(*bad), answer(GOOD))
    assert found.send().json() == GOOD
    assert found.tries == 2
    assert found.budget.places.number() == places


@pytest.mark.parametrize(
    ("bad", "fragment"),
    [
        (({"message": "boom"}, 500), "could not answer (HTTP 500), and trying again did not help."),
        (requests.ReadTimeout(), "(the answer did not come in time), and trying again did not"),
        ((b"<html>", 200), "(an HTML or XML page), and trying again did not help"),
        (({"error": {"message": "boom"}}, 200), "(an error: boom), and trying again did not help"),
        ((b"<html>", 403), "HTTP 403 came in a form that is not Acme's own"),
        ((b"<html>", 404), "HTTP 404 came in a form that is not Acme's own"),
    ],
    ids=str,
)
def test_a_lasting_fault_ends_in_one_sentence(
    answer: Answer, bench: Benches, bad: Any, fragment: str
) -> None:
    found = bench(bad if isinstance(bad, Exception) else answer(*bad))
    failure = found.fail()
    assert failure.failure_type is FailureType.transient_error
    assert fragment in (failure.message or "")
    assert "plan" not in (failure.message or "")
    assert "Run the sync again later; it resumes where it stopped." in (failure.message or "")
    assert found.tries == ATTEMPTS


@pytest.mark.parametrize(
    ("status", "body", "failure_type", "message"),
    [
        (401, {}, "config_error", "Acme refused the API key (HTTP 401)."),
        (402, {}, "config_error", "Acme asks for a payment"),
        (403, {"code": "x", "message": "Off"}, "config_error", "Acme does not let this API key"),
        (403, {"code": "one"}, "config_error", "One group is refused."),
        (404, {"code": "x", "message": "no"}, "system_error", "Acme refused the request (HTTP 404"),
        (400, {"message": "Expected array"}, "system_error", "Acme refused the request (HTTP 400"),
        (302, {}, "system_error", "Acme answered with a redirect to"),
    ],
)
def test_what_fails_at_once(
    answer: Answer,
    bench: Benches,
    status: int,
    body: dict[str, Any],
    failure_type: str,
    message: str,
) -> None:
    found = bench(answer(body, status))
    failure = found.fail()
    assert failure.failure_type == FailureType(failure_type)
    assert (failure.message or "").startswith(message)
    assert body.get("message", "") in (failure.message or "")
    assert "trying again" not in (failure.message or "")
    assert (found.tries, found.slept) == (1, [])


def test_a_link_to_another_host_fails_at_once(bench: Benches) -> None:
    found = bench(ForeignUrlError("evil.example"))
    failure = found.fail()
    assert failure.failure_type is FailureType.transient_error
    assert "a link to another host than its own, evil.example;" in (failure.message or "")
    assert found.tries == 1


@pytest.mark.parametrize(
    ("status", "body", "may_be_the_end"),
    [
        (400, {"code": "x"}, True),
        (404, {"code": "x"}, True),
        (422, {"code": "x"}, True),
        (409, {"code": "x"}, False),
        (405, {"code": "x"}, False),
        (401, {"code": "x"}, False),
        (403, {"code": "one"}, False),
        # what is not the provider's own envelope says nothing about its list
        (400, {"message": "no"}, False),
        (404, b"", False),
        (422, b"<html>", False),
    ],
)
def test_a_refusal_in_the_providers_own_words_may_be_the_end_of_a_list(
    answer: Answer, bench: Benches, status: int, body: Any, may_be_the_end: bool
) -> None:
    failure = bench(answer(body, status)).fail()
    assert isinstance(failure, PageRefusedError) is may_be_the_end


# --- how long ---


def test_the_time_of_all_attempts_is_bounded_too(answer: Answer, bench: Benches) -> None:
    patience = Patience(attempts=10**6, seconds=100.0, first_pause=10.0, longest_pause=10.0)
    found = bench(answer(b"", 500), patience=patience)
    found.fail()
    # the first comes at once, then one each ten seconds until a hundred seconds are over
    assert found.transport.times == [1000.0 + 10.0 * n for n in range(12)]


def test_the_clock_of_the_attempts_starts_with_the_first_failure(
    answer: Answer, bench: Benches
) -> None:
    patience = Patience(attempts=10**6, seconds=100.0, first_pause=1.0, longest_pause=1.0)
    found = bench(answer(b"", 500), patience=patience, lasts=99.0)
    found.fail()
    # an answer of 99 s: the first does not count, of the others two are more than enough
    assert found.tries == 3


@pytest.mark.parametrize("status", [500, 503, 408])
def test_a_wait_that_a_failing_server_names_is_waited_for_and_costs_nothing(
    answer: Answer, bench: Benches, status: int
) -> None:
    down = answer(b"", status, {"Retry-After": "1000"})
    found = bench(down, down, down, answer(GOOD))
    assert found.send().json() == GOOD
    # three waits of more than the ten minutes that the attempts may take
    assert found.transport.times == pytest.approx([1000.0, 2000.0, 3000.0, 4000.0])


@pytest.mark.parametrize("status", [200, 503])
def test_the_reset_of_a_limit_that_comes_with_every_answer_is_no_wait_for_a_fault(
    answer: Answer, bench: Benches, status: int
) -> None:
    found = bench(answer(b"", status, {"X-RateLimit-Reset": "1000"}), answer(GOOD))
    assert found.send().json() == GOOD
    first, second = found.transport.times
    assert second - first < 10.0


def test_a_wait_that_a_failing_server_names_holds_all_workers(
    answer: Answer, bench: Benches
) -> None:
    found = bench(answer(b"", 503, {"Retry-After": "100"}), answer(GOOD))
    paused: list[bool] = []
    sleep = found.budget.sleep

    def noted(seconds: float) -> None:
        paused.append(found.budget.is_paused())
        sleep(seconds)

    found.budget.sleep = noted
    found.send()
    assert paused == [True] * 4  # in pieces of at most half a minute


def test_the_attempts_of_a_server_that_names_waits_are_bounded(
    answer: Answer, bench: Benches
) -> None:
    found = bench(answer(b"", 503, {"Retry-After": "1000"}))
    found.fail()
    assert found.tries == ATTEMPTS


def test_a_wait_for_a_limit_never_counts(answer: Answer, bench: Benches) -> None:
    """A fault after a wait of a thousand seconds, again and again, is tried as often as ever."""
    limited, broken = answer(b"", 429, {"Retry-After": "1000"}), answer(b"", 500)
    found = bench(limited, limited, broken, limited, broken, limited, broken, limited, answer(GOOD))
    assert found.send().json() == GOOD
    assert found.tries == 9
    found = bench(limited, limited, broken)
    found.fail()
    assert found.tries == 2 + ATTEMPTS


def test_a_wait_for_our_own_budget_never_counts(answer: Answer, bench: Benches) -> None:
    patience = Patience(attempts=5, seconds=100.0, first_pause=1.0, longest_pause=1.0)
    found = bench(answer(b"", 500), patience=patience, limit=1)  # one request a minute
    found.fail()
    assert found.tries == 5
    assert found.clock.now - 1000.0 > 240.0


def test_a_rate_limit_that_lifts_never_fails(answer: Answer, bench: Benches) -> None:
    limited = answer(b"", 429, {"Retry-After": "30"})
    found = bench(*[limited] * 50, answer(GOOD))
    assert found.send().json() == GOOD
    assert found.clock.now == pytest.approx(1000.0 + 50 * 30.0)


def test_a_rate_limit_without_a_wait_is_waited_for_with_a_growing_pause(
    answer: Answer, bench: Benches
) -> None:
    found = bench(*[answer(b"", 429)] * 3, answer(GOOD))
    found.send()
    assert found.transport.times == pytest.approx([1000.0, 1001.0, 1003.0, 1007.0])


def test_a_rate_limit_under_200_is_waited_for(answer: Answer, bench: Benches) -> None:
    limited = answer({"data": [], "success": False, "status": 429}, headers={"Retry-After": "9"})
    found = bench(*[limited] * 12, answer(GOOD))
    assert found.send().json() == GOOD
    assert found.clock.now == pytest.approx(1000.0 + 12 * 9.0)


def test_a_rate_limit_pauses_all_workers(answer: Answer, bench: Benches) -> None:
    found = bench(answer(b"", 429, {"Retry-After": "20"}), answer(GOOD))
    sleep = found.budget.sleep
    paused: list[bool] = []

    def noted(seconds: float) -> None:
        paused.append(found.budget.is_paused())
        sleep(seconds)

    found.budget.sleep = noted
    found.send()
    assert paused == [True]
    assert found.clock.now == pytest.approx(1020.0)


# --- a key that has worked ---


def test_a_key_that_has_worked_is_tried_three_times(answer: Answer, bench: Benches) -> None:
    refused = answer({"code": "x"}, 401)
    found = bench(answer(GOOD), refused, refused, answer(GOOD), refused)
    found.send()
    assert found.send().json() == GOOD  # after two refusals
    failure = found.fail()
    assert failure.failure_type is FailureType.config_error
    assert (failure.message or "").startswith("Acme refused the API key (HTTP 401).")
    assert found.tries == 4 + 3
    assert found.slept == [1.0, 2.0] * 2
    assert found.budget.failure is failure


def test_a_skipped_answer_does_not_prove_the_key(answer: Answer, bench: Benches) -> None:
    found = bench(answer({"code": "gone"}, 404), answer(b"", 401))
    assert not found.send()
    found.fail()
    assert found.tries == 2


@pytest.mark.parametrize("status", [402, 403])
def test_other_refusals_of_a_key_that_has_worked_are_not_tried_again(
    answer: Answer, bench: Benches, status: int
) -> None:
    found = bench(answer(GOOD), answer({"code": "x"}, status))
    found.send()
    found.fail()
    assert found.tries == 2


# --- what a failure ends ---


@pytest.mark.parametrize(
    ("status", "body", "ends"),
    [
        (401, {}, True),
        (402, {}, True),
        (403, {"code": "x"}, True),
        (403, {"code": "one"}, False),
        (404, {"code": "x"}, False),
        (400, {}, False),
        (422, {}, False),
        (302, {}, False),
        (500, {}, False),
        (403, {"message": "Forbidden"}, False),
    ],
)
def test_what_ends_the_sync(
    answer: Answer, bench: Benches, status: int, body: dict[str, Any], ends: bool
) -> None:
    found = bench(answer(body, status))
    failure = found.fail()
    assert (found.budget.failure is failure) is ends
    tries = found.tries
    again = found.fail()
    if ends:  # every further request fails with it, unsent
        assert again is failure
        assert found.tries == tries


def test_three_faults_in_a_row_that_were_tried_patiently_end_the_sync(
    answer: Answer, bench: Benches
) -> None:
    found = bench(answer(b"", 500))
    failures = [found.fail() for _ in range(5)]
    assert failures[2] is failures[3] is failures[4]
    assert len({id(failure) for failure in failures}) == 3
    assert found.tries == 3 * ATTEMPTS


def test_a_good_answer_between_faults_lets_the_sync_go_on(answer: Answer, bench: Benches) -> None:
    two_faults = [answer(b"", 500)] * (2 * ATTEMPTS)
    found = bench(*[*two_faults, answer(GOOD)] * 4, *two_faults)
    for _ in range(4):
        found.fail()
        found.fail()
        assert found.send().json() == GOOD
    found.fail()
    found.fail()
    assert found.budget.failure is None


def test_sixty_refusals_in_a_row_end_the_sync(answer: Answer, bench: Benches) -> None:
    found = bench(answer({"message": "no"}, 400))
    failures = [found.fail() for _ in range(62)]
    assert found.tries == 60
    assert failures[59] is failures[60] is failures[61]


def test_a_group_that_is_refused_says_nothing_about_others(answer: Answer, bench: Benches) -> None:
    found = bench(answer({"code": "one"}, 403))
    for _ in range(100):
        found.fail()
    assert found.tries == 100
    assert found.budget.failure is None


def test_what_is_skipped_is_counted_and_no_failure(answer: Answer, bench: Benches) -> None:
    found = bench(answer({"code": "gone"}, 404))
    for _ in range(100):
        assert not found.send()
    assert found.budget.report.sentences() == ["100 were skipped."]
    assert found.budget.failure is None


def test_an_error_beside_records_is_counted_and_the_records_are_good(
    answer: Answer, bench: Benches
) -> None:
    found = bench(answer({**GOOD, "errors": [{"message": "x"}]}))
    assert found.send().json()["data"] == GOOD["data"]
    assert found.send()
    assert found.budget.report.sentences() == [
        "2 pages came with an error beside their records; the records were read."
    ]


# --- the limit, and the end ---


def test_the_limit_that_an_answer_names_is_adopted(answer: Answer, bench: Benches) -> None:
    found = bench(answer(GOOD, headers={"X-Limit": "2"}))
    for _ in range(3):
        found.send()
    assert found.transport.times[:2] == [1000.0, 1000.0]
    assert 1060.0 < found.transport.times[2] < 1061.0


def test_nothing_is_sent_once_the_sync_is_stopped(answer: Answer, bench: Benches) -> None:
    found = bench(answer(GOOD))
    found.budget.stopped.set()
    with pytest.raises(_AbandonedError):
        found.send()
    assert found.tries == 0


def test_a_wait_ends_when_the_sync_is_stopped(answer: Answer, bench: Benches) -> None:
    found = bench(answer(b"", 429, {"Retry-After": "3000"}))

    def sleep(seconds: float) -> None:
        found.budget.stopped.set()

    found.budget.sleep = sleep
    with pytest.raises(_AbandonedError):
        found.send()
    assert found.tries == 1


def test_a_failure_tells_where_it_was_and_no_key(answer: Answer, bench: Benches) -> None:
    failure = bench(answer(b"", 401)).fail()
    assert failure.internal_message == "stream calls: fail after HTTP 401"
    assert failure._stream_descriptor is not None
    assert failure._stream_descriptor.name == "calls"
    assert bench(requests.ReadTimeout("hush")).fail().internal_message == (
        "stream calls: retry after no answer"
    )


def test_a_sync_has_its_full_patience(answer: Answer, bench: Benches) -> None:
    found = bench(answer(GOOD))
    found.send()
    assert found.transport.patience == [found.sender.patience]
