from collections.abc import Iterator
from typing import Any

import pytest
import requests
import requests_mock
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from calls_shared import ApiKey, CallRequester
from calls_shared.budget import CallBudget, Patience

URL = "https://api.acme.example/calls"
QUICK = Patience(attempts=4, first_pause=0.0, longest_pause=0.0)
GOOD = {"data": [{"id": "1"}], "pages": 1}
ROWS = [
    {
        "status": 401,
        "code": "no_permission",
        "action": "fail",
        "failure_type": "config_error",
        "message": "Give {key} the permission.",
    },
    {"status": 404, "action": "skip", "message": "{{count}} were skipped."},
    {
        "status": [200, 299],
        "code": "slow_down",
        "action": "wait",
        "failure_type": "transient_error",
        "message": "Too fast.",
    },
]


@pytest.fixture
def server() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def requester_of(patience: Patience = QUICK, **more: Any) -> CallRequester:
    config = {"api_key": "12e5", "name": "Zoë & co"}
    return CallRequester(
        **{
            "name": "calls",
            "config": config,
            "parameters": {},
            "url": URL,
            "authenticator": ApiKey(config, "api_key"),
            "api_budget": CallBudget(1_000_000, 1_000_000.0, patience=patience),
            "provider": "acme",
            "provider_name": "Acme",
            "key": "api_key",
            "records_at": "data",
            "page_count_at": "pages",
            "error_rows": ROWS,
            **more,
        }
    )


def failure_of(requester: CallRequester) -> AirbyteTracedException:
    with pytest.raises(AirbyteTracedException) as caught:
        requester.send_request()
    return caught.value


def test_a_request_in_full(server: requests_mock.Mocker) -> None:
    server.get(URL, json=GOOD)
    requester = requester_of(
        request_headers={"Accept": "application/json", "Acme-Version": "2.14"},
        request_parameters={
            "who": "{{ config['name'] }}",
            "none": "{{ config.get('none') or '' }}",
        },
    )
    response = requester.send_request(
        next_page_token={"next_page_token": 1}, request_params={"page": "007", "after": "5e3"}
    )
    assert response is not None
    assert response.json() == GOOD
    (request,) = server.request_history
    assert request.method == "GET"
    assert request.url == f"{URL}?who=Zo%C3%AB+%26+co&page=007&after=5e3"
    assert request.headers["Authorization"] == "Bearer 12e5"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Acme-Version"] == "2.14"


def test_what_was_repaired_is_told_once_a_page(server: requests_mock.Mocker) -> None:
    body = rb'{"data": [{"id": "1", "notes": "\ud83d"}, null, {"id": NaN}], "total": 3}'
    cut = body[:-4]
    server.get(URL, [{"content": cut}, {"content": body}, {"json": GOOD}, {"content": body}])
    requester = requester_of()
    for _ in range(3):
        requester.send_request()
    assert requester.budget.report.sentences() == [
        "2 broken characters (such as half an emoji) in the provider's texts were read as U+FFFD.",
        "2 numbers that are none (NaN, infinity) were read as null.",
        "2 records of a list were null; they were left out.",
    ]


def test_null_in_place_of_a_list_beside_a_total_of_0_is_an_empty_page(
    server: requests_mock.Mocker,
) -> None:
    server.get(URL, [{"json": {"data": None, "total": 1}}, {"json": {"data": None, "total": 0}}])
    assert requester_of(total_at="total").send_request() is not None
    assert server.call_count == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"status_code": 500, "text": "<html>"},
        {"status_code": 503, "json": {"message": "later"}},
        {"status_code": 408},
        {"exc": requests.ConnectTimeout},
        {"exc": requests.ConnectionError("Connection reset by peer")},
        {"status_code": 200, "text": "<html>"},
        {"status_code": 200, "text": ""},
        {"status_code": 200, "text": '{"data": [{"id"'},
        {"status_code": 200, "json": {"data": None}},
        {"status_code": 200, "json": {"data": [], "pages": 3}},
        {"status_code": 200, "json": {"errors": [{"message": "oops"}]}},
        {"status_code": 204},
    ],
)
def test_a_passing_fault_is_tried_again(server: requests_mock.Mocker, bad: dict[str, Any]) -> None:
    server.get(URL, [bad, bad, bad, {"json": GOOD}])
    response = requester_of().send_request()
    assert response is not None
    assert response.json() == GOOD
    assert server.call_count == 4


@pytest.mark.parametrize(
    ("bad", "fragment"),
    [
        ({"status_code": 500, "json": {"message": "boom"}}, "(HTTP 500)"),
        ({"exc": requests.ReadTimeout}, "(the answer did not come in time)"),
        ({"status_code": 200, "text": "<html>"}, "(an HTML or XML page)"),
        ({"status_code": 200, "json": {"error": {"message": "boom"}}}, "(an error: boom)"),
        ({"status_code": 200, "json": {"errors": []}}, "(an error: without a message)"),
    ],
)
def test_a_lasting_fault_ends_in_one_sentence(
    server: requests_mock.Mocker, bad: dict[str, Any], fragment: str
) -> None:
    server.get(URL, [bad])
    failure = failure_of(requester_of())
    assert failure.failure_type is FailureType.transient_error
    assert (failure.message or "").startswith("Acme ")
    assert fragment in (failure.message or "")
    assert server.call_count == QUICK.attempts


def test_the_time_of_all_attempts_is_bounded_too(server: requests_mock.Mocker) -> None:
    server.get(URL, status_code=500)
    failure = failure_of(requester_of(Patience(attempts=10**6, seconds=0.2, first_pause=0.01)))
    assert failure.failure_type is FailureType.transient_error
    assert 2 <= server.call_count <= 30


@pytest.mark.parametrize(
    ("status", "body", "failure_type", "message"),
    [
        (401, {"code": "no_permission"}, "config_error", "Give api_key the permission."),
        (401, {}, "config_error", "Acme refused the API key (HTTP 401)."),
        (402, {}, "config_error", "Acme asks for a payment"),
        (
            400,
            {"message": "no"},
            "system_error",
            "Acme refused the request (HTTP 400) and says: no",
        ),
        (302, {}, "system_error", "Acme answered with a redirect (HTTP 302)."),
    ],
)
def test_what_fails_at_once(
    server: requests_mock.Mocker,
    status: int,
    body: dict[str, Any],
    failure_type: str,
    message: str,
) -> None:
    server.get(URL, status_code=status, json=body)
    failure = failure_of(requester_of())
    assert failure.failure_type == FailureType(failure_type)
    assert (failure.message or "").startswith(message)
    assert "12e5" not in f"{failure.message} {failure.internal_message}"
    assert server.call_count == 1


def test_what_is_skipped_is_counted(server: requests_mock.Mocker) -> None:
    server.get(URL, status_code=404)
    requester = requester_of()
    for _ in range(2):
        response = requester.send_request()
        assert response is not None
        assert not response
    assert requester.budget.report.sentences() == ["2 were skipped."]


def test_a_rate_limit_that_lifts_never_fails(server: requests_mock.Mocker) -> None:
    limited = {"status_code": 429, "headers": {"Retry-After": "0.002"}}
    server.get(URL, [*[limited] * 12, {"json": GOOD}])
    response = requester_of().send_request()
    assert response is not None
    assert response.json() == GOOD


def test_a_rate_limit_does_not_count_as_an_attempt(server: requests_mock.Mocker) -> None:
    limited = {"status_code": 429, "headers": {"Retry-After": "0.002"}}
    broken: dict[str, Any] = {"status_code": 500}
    answers: list[dict[str, Any]] = [*[limited, limited, broken] * 3, limited, {"json": GOOD}]
    server.get(URL, answers)
    response = requester_of().send_request()  # of four attempts
    assert response is not None
    assert response.json() == GOOD


def test_a_rate_limit_pauses_all_workers(server: requests_mock.Mocker) -> None:
    headers = {"Retry-After": "0.2"}
    server.get(URL, [{"status_code": 429, "headers": headers}, {"json": GOOD}])
    requester = requester_of()
    slept: list[float] = []
    sleep = requester.budget.sleep

    def noted_sleep(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    requester.budget.sleep = noted_sleep  # type: ignore[method-assign]
    requester.send_request()
    assert 0.1 < sum(slept) <= 0.25


def test_a_check_does_not_wait_for_long(server: requests_mock.Mocker) -> None:
    server.get(URL, status_code=429, headers={"Retry-After": "61"})
    failure = failure_of(requester_of(Patience(longest_wait=60.0)))
    assert failure.failure_type is FailureType.transient_error
    assert "rate limit (HTTP 429)" in (failure.message or "")
    assert server.call_count == 1


def test_an_error_envelope_under_200_is_judged_by_its_content(server: requests_mock.Mocker) -> None:
    server.get(URL, json={"errors": [{"code": "no_permission", "message": "x"}]})
    failure = failure_of(requester_of())
    assert failure.failure_type is FailureType.config_error
    assert failure.message == "Give api_key the permission."
    assert server.call_count == 1


def test_a_rate_limit_under_200_is_waited_for(server: requests_mock.Mocker) -> None:
    limited = {"json": {"errors": [{"code": "slow_down"}]}, "headers": {"Retry-After": "0.002"}}
    server.get(URL, [*[limited] * 12, {"json": GOOD}])
    response = requester_of().send_request()
    assert response is not None
    assert response.json() == GOOD


def test_what_is_skipped_under_200_is_not_read_as_a_page(server: requests_mock.Mocker) -> None:
    server.get(URL, json={"error": {"code": "gone"}})
    rows = [{"status": 410, "code": "gone", "action": "skip", "message": "{{count}} are gone."}]
    with pytest.raises(AirbyteTracedException, match="something else than a page") as caught:
        requester_of(error_rows=rows).send_request()
    assert caught.value.failure_type is FailureType.transient_error


def test_the_limit_that_an_answer_names_is_adopted(server: requests_mock.Mocker) -> None:
    server.get(URL, json=GOOD, headers={"X-Limit": "7"})
    budget = CallBudget(1000, 1000.0, limit_header="X-Limit", patience=QUICK)
    requester_of(api_budget=budget).send_request()
    assert budget._window.limit == 7


def test_nothing_is_sent_once_the_sync_is_stopped(server: requests_mock.Mocker) -> None:
    server.get(URL, json=GOOD)
    requester = requester_of()
    requester.budget.stopped.set()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its kind is the module's own
        requester.send_request()
    assert type(caught.value).__module__ == "calls_shared.requester"
    assert server.call_count == 0


def test_a_wait_for_a_rate_limit_ends_when_the_sync_is_stopped(
    server: requests_mock.Mocker,
) -> None:
    requester = requester_of()

    def answer(request: object, context: Any) -> str:
        requester.budget.stopped.set()
        context.status_code = 429
        context.headers["Retry-After"] = "3000"
        return ""

    server.get(URL, text=answer)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its kind is the module's own
        requester.send_request()
    assert type(caught.value).__module__ == "calls_shared.requester"
    assert server.call_count == 1


def test_the_sandbox_shortens_our_own_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLS_SANDBOX_URL", "http://127.0.0.1:8900")
    monkeypatch.setenv("CALLS_SANDBOX_WAIT_SCALE", "0.5")
    with requests_mock.Mocker() as mocker:
        mocker.get("http://127.0.0.1:8900/acme/calls", json=GOOD)
        requester = requester_of(Patience())
        assert requester._patience == Patience().scaled(0.5)
        requester.send_request()
        (request,) = mocker.request_history
    assert request.headers["X-Sandbox-Host"] == "api.acme.example"


def test_the_sandbox_must_be_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLS_SANDBOX_URL", "http://example.com")
    with pytest.raises(AirbyteTracedException, match="may only name a loopback address"):
        requester_of()
