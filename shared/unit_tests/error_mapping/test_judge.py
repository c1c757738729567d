from collections.abc import Callable
from typing import Any

import pytest
import requests

from calls_shared.error_mapping import errors
from calls_shared.error_mapping.body import PageShape
from calls_shared.error_mapping.envelope import EnvelopeForm
from calls_shared.error_mapping.errors import ErrorRow, rows_from
from calls_shared.error_mapping.judge import Judge
from calls_shared.faults import ForeignUrlError

Answer = Callable[..., requests.Response]
FORMS = (
    EnvelopeForm(("code", "title")),
    EnvelopeForm(("key", "message"), at="error", codes=("key",)),
)
ROWS = rows_from(
    [
        {
            "status": 401,
            "code": "no_permission",
            "action": "fail",
            "failure_type": "config_error",
            "message": "Give {key} the permission.",
        },
        {"status": 404, "code": "gone", "action": "skip", "message": "{{count}} were skipped."},
        {
            "status": [200, 299],
            "code": "slow_down",
            "action": "wait",
            "failure_type": "transient_error",
            "message": "Too fast.",
        },
        {"status": 418, "action": "fail", "message": "{slice} is a teapot."},
    ]
)
SHAPE = PageShape("data", "pages")
JUDGE = Judge("Acme", "api_key", ROWS, FORMS, SHAPE)


def judged(response: requests.Response, judge: Judge = JUDGE, **more: Any) -> tuple[str, str, str]:
    resolution = judge.resolve(response, None, **more)
    return resolution.action, resolution.failure_type, resolution.message


# --- good pages ---


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "1"}]},
        {"data": []},
        {"data": [], "errors": []},
        {"data": [], "error": None, "_errors": []},
        {"data": [], "success": True},
        {"data": [], "error": ""},
    ],
)
@pytest.mark.parametrize("status", [200, 203, 299])
def test_a_page_is_good(answer: Answer, body: Any, status: int) -> None:
    assert JUDGE.resolve(answer(body, status), None) == errors.ACCEPT


@pytest.mark.parametrize(
    "error",
    [
        {"errors": [{"message": "one"}]},
        {"error": "x"},
        {"success": False},
        # not even an error that would fail alone: there are records
        {"errors": [{"code": "no_permission"}]},
    ],
)
def test_an_error_beside_records_is_accepted_and_counted(
    answer: Answer, error: dict[str, Any]
) -> None:
    action, _, message = judged(answer({"data": [{"id": "1"}], **error}))
    assert (action, message) == (
        "accept",
        "{count} pages came with an error beside their records; the records were read.",
    )


# --- an error under HTTP 200 ---

BESIDE: list[dict[str, Any]] = [{}, {"data": []}, {"data": None}]


@pytest.mark.parametrize("beside", BESIDE, ids=str)
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        # by its code, whatever its case
        (
            {"errors": [{"code": "NO_PERMISSION"}]},
            ("fail", "config_error", "Give api_key the permission."),
        ),
        ({"error": {"key": "slow_down", "message": "x"}}, ("wait", "transient_error", "Too fast.")),
        # by the status that it names
        (
            {"error": {"message": "No key", "status": 401}},
            ("fail", "config_error", "Acme refused the API key (HTTP 200). Check the value of"),
        ),
        (
            {"success": False, "statusCode": 403, "message": "No plan"},
            ("fail", "config_error", "Acme does not let this API key read calls"),
        ),
        ({"success": False, "status": 429}, ("wait", "transient_error", "Acme still refuses")),
        (
            {"success": False, "status": 503},
            ("retry", "transient_error", "Acme could not answer (HTTP 200)"),
        ),
        # by the shared rows' code
        (
            {"errors": [{"code": "unauthorized", "message": "Bad"}]},
            ("fail", "config_error", "Acme refused the API key"),
        ),
        # nothing tells what it is: a fault of the answer
        ({"success": False}, ("retry", "transient_error", "Acme answered HTTP 200 with something")),
        ({"errors": [{"message": "boom"}]}, ("retry", "transient_error", "Acme answered HTTP 200")),
        ({"error": "boom"}, ("retry", "transient_error", "Acme answered HTTP 200 with")),
        ({"error": True}, ("retry", "transient_error", "Acme answered HTTP 200 with")),
    ],
    ids=str,
)
def test_an_error_under_200_is_judged_by_its_content(
    answer: Answer, beside: dict[str, Any], error: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    action, failure_type, message = judged(answer({**beside, **error}))
    assert (action, failure_type, message[: len(expected[2])]) == expected


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"data": [], "errors": [{"message": "boom"}]}, "(an error: boom)"),
        ({"data": [], "success": False}, "(an error: without a message)"),
        ({"data": [], "error": {"message": "boom"}}, "(an error: boom)"),
        ({"data": None}, "(no list under 'data')"),
    ],
)
def test_what_was_wrong_stands_in_the_sentence(answer: Answer, body: Any, detail: str) -> None:
    assert detail in judged(answer(body))[2]


@pytest.mark.parametrize("beside", BESIDE, ids=str)
@pytest.mark.parametrize(
    "error",
    [
        {"error": {"key": "gone", "message": "x"}},
        {"errors": [{"code": "gone"}]},
        {"success": False, "code": "gone", "title": "Gone", "status": 404},
    ],
)
def test_an_error_under_200_is_never_skipped(
    answer: Answer, beside: dict[str, Any], error: dict[str, Any]
) -> None:
    assert judged(answer({**beside, **error}))[0] in ("retry", "fail")


# --- error statuses ---


@pytest.mark.parametrize(
    ("body", "action", "failure_type", "fragment"),
    [
        ({"code": "gone", "title": "Gone"}, "skip", "system_error", "{count} were skipped."),
        ({"error": {"key": "gone", "message": "x"}}, "skip", "system_error", "{count} were"),
        # the provider's own, with another code
        ({"code": "other", "title": "No"}, "fail", "system_error", "refused the request (HTTP 404"),
        # the code alone, in no form of the provider's
        ({"code": "gone"}, "retry", "transient_error", "came in a form that is not Acme's own"),
        ({"errors": [{"code": "gone"}]}, "retry", "transient_error", "not Acme's own"),
        (b"<html>gone</html>", "retry", "transient_error", "It says: nothing more."),
        (b"", "retry", "transient_error", "not Acme's own"),
        ({"message": "No route"}, "retry", "transient_error", "It says: No route"),
    ],
)
def test_a_skip_needs_the_providers_own_form(
    answer: Answer, body: Any, action: str, failure_type: str, fragment: str
) -> None:
    found = judged(answer(body, 404))
    assert found[:2] == (action, failure_type)
    assert fragment in found[2]


def test_where_no_form_is_named_any_object_is_the_providers_own(answer: Answer) -> None:
    bare = Judge("Acme", "api_key", (), (), SHAPE)
    assert judged(answer({"x": 1}, 403), bare)[:2] == ("fail", "config_error")
    assert judged(answer([1], 403), bare)[:2] == ("retry", "transient_error")
    assert judged(answer(b"<html>", 403), bare)[:2] == ("retry", "transient_error")


def test_a_row_that_skips_needs_a_form() -> None:
    with pytest.raises(ValueError, match="a row that skips needs error_envelopes"):
        Judge("Acme", "api_key", (ErrorRow(404, "skip"),), (), SHAPE)


def test_what_was_asked_about_is_named(answer: Answer) -> None:
    assert judged(answer({}, 418), about="CN1")[2] == "CN1 is a teapot."
    assert judged(answer({}, 418), about="C\x1bN1\n")[2] == "C N1 is a teapot."


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://login.example/path?key=1", "login.example"),
        ("//other.example/x", "other.example"),
        ("https://user:word@login.example:8443/", "login.example"),
        ("/elsewhere", "no named host"),
        ("", "no named host"),
        ("http://[nowhere", "no named host"),
        (None, "no named host"),
    ],
)
def test_a_redirect_names_its_target(answer: Answer, location: str | None, target: str) -> None:
    response = answer(b"", 302, {} if location is None else {"Location": location})
    _, failure_type, message = judged(response)
    assert failure_type == "system_error"
    assert message.startswith(f"Acme answered with a redirect to {target} (HTTP 302).")
    assert "key=1" not in message


# --- no answer ---


def test_a_fault_of_the_network() -> None:
    resolution = JUDGE.resolve(None, requests.ConnectTimeout("hush"))
    assert (resolution.action, resolution.failure_type) == ("retry", "transient_error")
    assert resolution.message.startswith(
        "Acme could not be reached (the connection timed out). Check the network"
    )


def test_a_link_to_another_host() -> None:
    resolution = JUDGE.resolve(None, ForeignUrlError("evil.example"))
    assert (resolution.action, resolution.failure_type) == ("fail", "transient_error")
    assert "a link to another host than its own, evil.example; it was not" in resolution.message


# --- what was tried, and what comes next ---

FAULTS: list[Any] = [(500, {}), (403, b"<html>"), (200, b""), (200, {"data": [], "success": False})]


@pytest.mark.parametrize("fault", [*FAULTS, None], ids=str)
def test_trying_again_is_spoken_of_only_if_it_was_done(answer: Answer, fault: Any) -> None:
    response = None if fault is None else answer(fault[1], fault[0])
    first, second = (
        JUDGE.resolve(response, requests.ReadTimeout() if fault is None else None, attempt=attempt)
        for attempt in (1, 2)
    )
    assert "trying again" not in first.message
    assert ", and trying again did not help" in second.message
    assert "Run the sync again later; it resumes where it stopped." in second.message


@pytest.mark.parametrize(
    ("status", "body"),
    [(status, body) for status in range(200, 600, 3) for body in (b"{}", b"[]", b"<html>")],
)
def test_a_check_does_not_speak_of_resuming(answer: Answer, status: int, body: bytes) -> None:
    checking = Judge("Acme", "api_key", ROWS, FORMS, SHAPE, resumes=False)
    for fault in (None, requests.ReadTimeout(), ForeignUrlError("evil.example")):
        response = answer(body, status) if fault is None else None
        message = checking.resolve(response, fault, attempt=3).message
        assert "resume" not in message
        assert "sync again" not in message
