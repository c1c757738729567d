from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import ApiKey, CallRequester
from calls_shared.http.budget import budget_of
from calls_shared.http.patience import CHECK_PATIENCE, Patience
from calls_shared.http.refusals import HintsRefusedError

URL = "https://api.acme.example/calls"
QUICK = Patience(attempts=1)
TWICE = Patience(attempts=2, first_pause=0.01)
GOOD = {"data": [{"id": "1"}], "pages": 1}
ROWS = [
    {"status": 404, "code": "gone", "action": "skip", "message": "{{count}} were skipped."},
    {"status": 418, "action": "fail", "message": "{slice} is a teapot, says {provider} to {key}."},
]


@pytest.fixture
def server() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def requester_of(
    patience: Patience = QUICK, config: dict[str, Any] | None = None, **more: Any
) -> CallRequester:
    config = {"api_key": "12e5", "name": "Zoë & co", **(config or {})}
    budget = budget_of(config, patience)  # held until the requester holds it
    requester = CallRequester(
        **{
            "name": "calls",
            "config": config,
            "parameters": {},
            "url": URL,
            "authenticator": ApiKey(config, "api_key"),
            "provider": "acme",
            "provider_name": "Acme",
            "key": "api_key",
            "records_at": "data",
            "page_count_at": "pages",
            "error_rows": ROWS,
            "error_envelopes": [{"needs": ["code"]}],
            **more,
        }
    )
    assert requester.budget is budget
    return requester


def failure_of(requester: CallRequester, **more: Any) -> AirbyteTracedException:
    with pytest.raises(AirbyteTracedException) as caught:
        requester.send_request(**more)
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
    requester = requester_of(TWICE)
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
    assert requester_of(TWICE, total_at="total").send_request() is not None
    assert server.call_count == 2


@pytest.mark.parametrize(
    ("path", "url"),
    [
        (None, URL),
        ("", URL),
        ("/calls?after=5e3", f"{URL}?after=5e3"),
        ("http://API.acme.example:80/calls?after=5e3", f"{URL}?after=5e3"),
        ("?after=5e3", f"{URL}?after=5e3"),
    ],
)
def test_the_page_that_a_link_names(
    server: requests_mock.Mocker, path: str | None, url: str
) -> None:
    server.get(requests_mock.ANY, json=GOOD)
    requester_of().send_request(path=path)
    (request,) = server.request_history
    assert request.url == url
    assert request.headers["Authorization"] == "Bearer 12e5"


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("https://evil.example/calls", "evil.example"),
        ("//evil.example/calls", "evil.example"),
        ("https://[evil/calls", "one that cannot be read"),
    ],
)
def test_a_link_to_another_host_is_not_followed(
    server: requests_mock.Mocker, link: str, named: str
) -> None:
    server.get(requests_mock.ANY, json=GOOD)
    failure = failure_of(requester_of(), path=link)
    assert failure.failure_type is FailureType.transient_error
    assert failure.message == (
        f"Acme answered with a link to another host than its own, {named}; it was not followed, so"
        " that the API key stays with Acme. Run the sync again later; it resumes where it stopped."
    )
    assert server.call_count == 0


@pytest.mark.parametrize(
    ("pieces", "name"),
    [
        ({"extra_fields": {"phone": {"number": "+1"}}, "partition": {"id": "PN1"}}, "+1"),
        ({"extra_fields": {"phone": {"number": None}}, "partition": {"id": "PN1"}}, "PN1"),
        ({"extra_fields": {}, "partition": {"id": "PN1"}}, "PN1"),
        ({"extra_fields": {}, "partition": {"id": 7}}, ""),
        (None, ""),
    ],
)
def test_what_is_asked_about_is_named_in_the_sentence(
    server: requests_mock.Mocker, pieces: Any, name: str
) -> None:
    server.get(URL, status_code=418)
    requester = requester_of(slice_named_by=["phone.number", "id"])
    piece = None if pieces is None else StreamSlice(cursor_slice={}, **pieces)
    failure = failure_of(requester, stream_slice=piece)
    assert failure.message == f"{name} is a teapot, says Acme to api_key."


def test_what_is_skipped_is_counted(server: requests_mock.Mocker) -> None:
    server.get(URL, status_code=404, json={"code": "gone"})
    requester = requester_of()
    for _ in range(2):
        response = requester.send_request()
        assert response is not None
        assert not response
    assert requester.budget.report.sentences() == ["2 were skipped."]


def test_a_row_that_skips_needs_the_providers_forms() -> None:
    with pytest.raises(ValueError, match="a row that skips needs error_envelopes"):
        requester_of(error_envelopes=[])


def test_an_answer_is_judged_by_its_shape(server: requests_mock.Mocker) -> None:
    server.get(URL, json={"calls": []})
    assert "(no list under 'data')" in (failure_of(requester_of()).message or "")


@pytest.mark.parametrize("body", [{"data": [], "pages": 3}, {"data": [], "pages": "x"}])
def test_an_empty_page_is_an_answer_whatever_it_announces(
    server: requests_mock.Mocker, body: dict[str, Any]
) -> None:
    server.get(URL, json=body)
    response = requester_of().send_request(next_page_token={"next_page_token": 2})
    assert response is not None
    assert response.json() == body
    assert server.call_count == 1


@pytest.mark.parametrize(("patience", "resumes"), [(QUICK, True), (CHECK_PATIENCE, False)])
def test_only_a_sync_resumes(
    server: requests_mock.Mocker, patience: Patience, resumes: bool
) -> None:
    requester = requester_of(patience)
    requester.budget.sleep = lambda seconds: None  # type: ignore[method-assign]
    server.get(URL, status_code=500)
    assert ("resumes where it stopped" in (failure_of(requester).message or "")) is resumes


def test_without_a_rate_there_is_no_limit(server: requests_mock.Mocker) -> None:
    server.get(URL, json=GOOD)
    requester = requester_of()
    for _ in range(5):
        requester.send_request()
    assert server.call_count == 5


def test_the_rate_of_the_manifest_is_kept_by_all_requesters_of_a_key(
    server: requests_mock.Mocker,
) -> None:
    server.get(URL, json=GOOD, headers={"X-Limit": "3"})
    rate = {"requests": 100, "seconds": 3600, "limit_header": "X-Limit", "starts_at": 1}
    one = requester_of(rate=rate)
    other = requester_of(rate=rate, name="others")  # a source of its own, of the same key
    another = requester_of(rate=rate, config={"api_key": "another"})
    one.send_request()
    other.send_request()
    other.send_request()
    for waits in (one, other):

        def stop(seconds: float, of: CallRequester = waits) -> None:
            of.budget.stopped.set()

        waits.budget.sleep = stop  # type: ignore[method-assign]
        with pytest.raises(Exception):  # noqa: B017, PT011 - the sync was stopped while it waited
            waits.send_request()
    assert server.call_count == 3
    another.send_request()
    assert server.call_count == 4


def test_the_requesters_of_one_source_have_one_budget() -> None:
    config = {"api_key": "x"}
    one, other = (
        CallRequester(name=name, config=config, parameters={}, url=URL, key="api_key")
        for name in ("calls", "others")
    )
    assert one.budget is other.budget is budget_of(config)


def test_the_sandbox_shortens_our_own_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLS_SANDBOX_URL", "http://127.0.0.1:8900")
    monkeypatch.setenv("CALLS_SANDBOX_WAIT_SCALE", "0.5")
    with requests_mock.Mocker() as mocker:
        mocker.get("http://127.0.0.1:8900/acme/calls", json=GOOD)
        requester = requester_of(Patience())
        assert requester._sender.patience == Patience().scaled(0.5)
        requester.send_request()
        (request,) = mocker.request_history
    assert request.headers["X-Sandbox-Host"] == "api.acme.example"


def test_the_sandbox_must_be_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLS_SANDBOX_URL", "http://example.com")
    with pytest.raises(AirbyteTracedException, match="may only name a loopback address"):
        requester_of()


@pytest.mark.parametrize("value", ["", None])
def test_a_parameter_that_names_the_slice_does_not_come_out_empty(
    value: str | None, server: requests_mock.Mocker
) -> None:
    server.get(URL, json=GOOD)
    parameters = {
        "line": "{{ stream_slice.extra_fields['line'] }}",
        "member": "{{ stream_slice.extra_fields['member'] }}",
    }
    requester = requester_of(request_parameters=parameters, optional_parameters=["member"])

    def slice_of(line: str | None) -> StreamSlice:
        fields = {"line": line, "member": ""}
        return StreamSlice(partition={}, cursor_slice={}, extra_fields=fields)

    failure = failure_of(requester, stream_slice=slice_of(value))
    assert failure.failure_type is FailureType.system_error
    assert failure.message == (
        "A request for calls would go out without its parameter line, so that it would be for"
        " something else; the slice that it stands for does not hold it. Run the sync again; if it"
        " fails again, report it."
    )
    assert server.request_history == []
    requester.send_request(stream_slice=slice_of("L1"))
    assert [request.qs for request in server.request_history] == [{"line": ["l1"]}]


HINTS = {"orderBy": "createdAt", "order": "desc"}
REFUSED = (
    {"error": {"code": "bad", "message": "No."}},  # in the provider's words
    {"message": "orderBy should not exist"},  # in others'
)


def asked_with(server: requests_mock.Mocker) -> list[str]:
    return [" ".join(sorted(request.qs)) for request in server.request_history]


def test_hints_are_sent_as_long_as_they_are_taken(server: requests_mock.Mocker) -> None:
    server.get(URL, json=GOOD)
    requester = requester_of(request_parameters={"limit": "100"}, hints=HINTS)
    for _ in range(2):
        requester.send_request()
    assert asked_with(server) == ["limit order orderby"] * 2


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("body", REFUSED)
def test_hints_that_are_refused_are_taken_back_for_good(
    body: Mapping[str, Any],
    status: int,
    server: requests_mock.Mocker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.get(URL, json=GOOD)
    server.get(f"{URL}?orderBy=createdAt", json=body, status_code=status)
    requester = requester_of(request_parameters={"limit": "100"}, hints=HINTS)
    with caplog.at_level("INFO", "airbyte.calls"):
        for _ in range(3):
            response = requester.send_request()
            assert response is not None
            assert response.json() == GOOD
    assert asked_with(server) == ["limit order orderby", "limit", "limit", "limit"]
    assert [r.getMessage() for r in caplog.records] == ["calls: Acme refuses orderBy, order."]


def test_a_refusal_of_something_else_is_told_as_it_is(server: requests_mock.Mocker) -> None:
    """It is asked once whether it was the hints; others than HTTP 400 and 422 are never theirs."""
    requester = requester_of(hints=HINTS)
    server.get(URL, json=REFUSED[0], status_code=403)
    assert "HTTP 403" in failure_of(requester).message
    assert len(server.request_history) == 1
    server.get(URL, json=GOOD)
    requester.send_request()
    server.get(URL, json=REFUSED[0], status_code=400)
    for _ in range(2):
        assert "HTTP 400" in failure_of(requester).message
    assert asked_with(server) == [*["order orderby"] * 3, "", "order orderby"]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("body", REFUSED)
def test_hints_that_were_taken_and_are_refused_later_are_told(
    body: Mapping[str, Any], status: int, server: requests_mock.Mocker
) -> None:
    """What was read before came in another order, so that the list has to begin again."""
    server.get(URL, json=GOOD)
    requester = requester_of(hints=HINTS)
    requester.send_request()
    server.get(f"{URL}?orderBy=createdAt", json=body, status_code=status)
    failure = failure_of(requester)
    assert isinstance(failure, HintsRefusedError)
    assert failure.failure_type is FailureType.transient_error
    assert failure.message == (
        "Acme takes orderBy, order for some pages of calls only. Run the sync again."
    )
    requester.send_request()
    assert asked_with(server) == ["order orderby", "order orderby", "", ""]


def test_the_address_is_that_of_the_host_and_the_path(server: requests_mock.Mocker) -> None:
    server.get("https://api.acme.example/v1/calls/5e3", json=GOOD)
    requester = requester_of(
        url=None,
        url_base="https://api.acme.example",
        path="/v1/calls/{{ stream_partition.call }}",
    )
    piece = StreamSlice(partition={"call": "5e3"}, cursor_slice={})
    assert requester.send_request(stream_slice=piece) is not None
    assert [request.url for request in server.request_history] == [
        "https://api.acme.example/v1/calls/5e3"
    ]


def test_a_body_goes_by_post_again_after_a_fault(server: requests_mock.Mocker) -> None:
    server.post(URL, [{"status_code": 500}, {"json": GOOD}])
    requester = requester_of(TWICE, http_method="POST")
    response = requester.send_request(request_body_json={"ids": ["5e3"]})
    assert response is not None
    assert requester.records_of(response) == GOOD["data"]
    assert [request.json() for request in server.request_history] == [{"ids": ["5e3"]}] * 2
    assert {request.method for request in server.request_history} == {"POST"}
    assert {request.headers["Authorization"] for request in server.request_history} == {
        "Bearer 12e5"
    }


def test_a_place_is_told_and_not_followed(server: requests_mock.Mocker) -> None:
    target = "https://files.acme.example/a.mp3?Expires=1"
    server.get(URL, status_code=302, headers={"Location": target})
    server.get(target, content=b"ID3")
    requester = requester_of(answers="place")
    response = requester.send_request()
    assert response is not None
    assert requester.is_an_answer(response)
    assert requester.records_of(response) == [{"url": target}]
    assert [request.url for request in server.request_history] == [URL]


def test_what_is_skipped_is_no_answer(server: requests_mock.Mocker) -> None:
    server.get(URL, status_code=404, json={"code": "gone"})
    requester = requester_of(answers="object")
    response = requester.send_request()
    assert response is not None
    assert not requester.is_an_answer(response)


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ({"answers": "pages"}, "answers 'pages' is not one of page, object, text, place"),
        ({"http_method": "DELETE"}, "http_method is GET or POST: this source only reads"),
    ],
)
def test_what_cannot_be_asked_is_refused(node: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        CallRequester.check_manifest(node)
