"""What the four manifests make of answers; the rows are theirs, the judge is the shared one."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests

from calls_shared.error_mapping.errors import ErrorRow
from calls_shared.error_mapping.judge import Judge

Answer = Callable[..., requests.Response]
Judges = Mapping[tuple[str, str], Judge]
NAMES = {
    "intercom": ("Intercom", "access_token"),
    "openphone": ("Quo (OpenPhone)", "api_key"),
    "amplemarket": ("Amplemarket", "api_key"),
    "skipcall": ("Skipcall", "api_key"),
}


def intercom(code: str, message: str = "No.") -> dict[str, Any]:
    return {
        "type": "error.list",
        "request_id": None,
        "errors": [{"code": code, "message": message}],
    }


def documented(code: str, title: str, message: str = "No.") -> dict[str, Any]:
    """As Quo's pages have it."""
    return {"message": message, "code": code, "status": int(code[-3:]), "title": title}


def live(key: str, message: str) -> dict[str, Any]:
    """As Quo's API v1 was seen to answer."""
    return {"error": {"message": message, "key": key, "trace": "12"}}


# provider, stream, row (status, code or what it says), body, action, failure type, parts of the
# sentence; the first body of each row proves that it is there, the others its other forms
ROWS: list[tuple[str, str, tuple[Any, str | None], Any, str, str, list[str]]] = [
    (
        "intercom",
        "users",
        ((401, 403), "own: True"),
        intercom("token_unauthorized", "Not authorized."),
        "fail",
        "config_error",
        ['permission "Read admins"', "leave out the stream users", "Not authorized."],
    ),
    (
        "openphone",
        "users",
        ((401, 403), "own: True"),
        documented("0000403", "Forbidden", "Ask an admin."),
        "fail",
        "config_error",
        ["does not let api_key read users", "leave out the stream users", "Ask an admin."],
    ),
    (
        "amplemarket",
        "users",
        ((401, 403), "own: True"),
        {"_errors": [{"code": "forbidden", "title": "Forbidden", "detail": "Not yours."}]},
        "fail",
        "config_error",
        ["does not let api_key read users", "Settings > API", "leave out the stream users"],
    ),
    (
        "amplemarket",
        "call_dispositions",
        ((401, 403), "own: True"),
        {"_errors": [{"code": "forbidden", "title": "Forbidden", "detail": "Not yours."}]},
        "fail",
        "config_error",
        ["read dispositions", "Settings > API", "leave out the stream call_dispositions"],
    ),
    (
        "intercom",
        "calls",
        (401, "token_unauthorized"),
        intercom("token_unauthorized"),
        "fail",
        "config_error",
        ["access_token", "token_unauthorized", 'permission "Read conversations"'],
    ),
    (
        "intercom",
        "calls",
        (403, "api_plan_restricted"),
        intercom("api_plan_restricted", "Active subscription needed."),
        "fail",
        "config_error",
        ["plan of this workspace", "upgrade the subscription", "Active subscription needed."],
    ),
    (
        "intercom",
        "calls",
        (400, "intercom_version_invalid"),
        intercom("intercom_version_invalid"),
        "fail",
        "config_error",
        ["intercom_version_invalid", "Update this connector", "access_token"],
    ),
    (
        "intercom",
        "calls",
        ((200, 299), "rate_limit_exceeded"),
        intercom("rate_limit_exceeded", "Slow down"),
        "wait",
        "transient_error",
        ["rate limit", "requests_per_minute"],
    ),
    *(
        (
            "intercom",
            "calls_by_id",
            (status, None),
            intercom(code),
            "skip",
            "system_error",
            ["{count} of the call_ids", f"HTTP {status}", "skipped"],
        )
        for status, code in ((404, "not_found"), (400, "bad_request"), (422, "parameter_invalid"))
    ),
    (
        "intercom",
        "calls_by_id",
        (403, "own: True"),
        intercom("forbidden", "Not yours"),
        "fail",
        "config_error",
        ["the call 077 of call_ids (HTTP 403)", "Remove it", "Intercom says: Not yours"],
    ),
    *(
        (
            "openphone",
            stream,
            (402, None),
            documented("0201402", "Payment", "Expired"),
            "fail",
            "config_error",
            ["HTTP 402", "Renew the subscription", "api_key", "Quo says: Expired"],
        )
        for stream in ("phone_numbers", "conversations", "calls")
    ),
    *(
        (
            "openphone",
            "conversations",
            (403, "1001403"),
            body,
            "fail",
            "config_error",
            ["conversations of the phone number 077 (HTTP 403)", "Add the owner", "Quo says: "],
        )
        for body in (
            documented("1001403", "Not Phone Number User"),
            documented("1001403", "Anything"),
            live("1001403", "No."),
            live("Not Phone Number User", "No."),
            live("Forbidden", "Not Phone Number User"),
        )
    ),
    *(
        (
            "openphone",
            "calls",
            (status, code),
            body,
            "skip",
            "system_error",
            ["{count} requests for calls", f"(HTTP {status}", "skipped"],
        )
        for status, code, title in (
            (403, "0101403", "Not Phone Number User"),
            (404, "0100404", "Not Found"),
            (400, "0101400", "Too Many Participants"),
        )
        for body in (
            documented(code, title),
            documented(code, "Anything"),
            {"code": code, "message": "No title"},
            live(code, "No."),
            live(title, "No."),
            live("AnyKey", title),
        )
    ),
    (
        "openphone",
        "calls",
        (400, "createdafter"),
        live("BadRequest", "createdAfter must be a Date"),
        "fail",
        "config_error",
        ["Correct start_date", "Quo says: createdAfter must be a Date"],
    ),
    (
        "amplemarket",
        "calls",
        (400, "date format"),
        {
            "object": "error",
            "_errors": [
                {"code": "unsupported_value", "title": "Bad", "detail": "Invalid date format"}
            ],
        },
        "fail",
        "config_error",
        ["Correct start_date", "Amplemarket says: Invalid date format"],
    ),
    (
        "skipcall",
        "calls",
        (403, "SUBSCRIPTION_REQUIRED"),
        {"error": {"code": "SUBSCRIPTION_REQUIRED", "message": "No.", "status": 403}},
        "fail",
        "config_error",
        ["active subscription", "Renew", "api_key"],
    ),
    (
        "skipcall",
        "calls",
        (403, "PLAN_NOT_ELIGIBLE"),
        {"code": "PLAN_NOT_ELIGIBLE", "details": None},
        "fail",
        "config_error",
        ["PLAN_NOT_ELIGIBLE", "STARTER, INTERMÉDIAIRE or EXPERT"],
    ),
    (
        "skipcall",
        "calls",
        (403, "own: False"),
        {"message": "Forbidden"},
        "retry",
        "transient_error",
        ["not Skipcall's own", "If workspace_ids is set, remove", "It says: Forbidden"],
    ),
    (
        "skipcall",
        "calls",
        (403, None),
        {"error": {"code": "FORBIDDEN", "message": "Workspace out of scope", "status": 403}},
        "fail",
        "config_error",
        ["workspace_ids", "api_key", "Skipcall says: Workspace out of scope"],
    ),
]


@pytest.mark.parametrize(
    ("provider", "stream", "row", "body", "action", "failure_type", "fragments"),
    ROWS,
    ids=[f"{case[0]}-{case[1]}-{case[2][0]}-{case[2][1]}-{n}" for n, case in enumerate(ROWS)],
)
def test_rows_of_the_manifests(
    answer: Answer,
    judges: Judges,
    provider: str,
    stream: str,
    row: tuple[Any, str | None],
    body: Any,
    action: str,
    failure_type: str,
    fragments: list[str],
) -> None:
    judge = judges[provider, stream]
    assert (judge.provider_name, judge.key) == NAMES[provider]
    status = row[0][0] if isinstance(row[0], tuple) else row[0]
    resolution = judge.resolve(answer(body, status), None, about="077")
    assert (resolution.action, resolution.failure_type) == (action, failure_type)
    assert [part for part in fragments if part not in resolution.message] == []


AS_CALLS = ("listed_calls", "call_transcripts", "call_recordings")
"""Streams that read the list of calls by its own rows; what is asked beside it: test_details.py."""


def of_the_first_table(provider: str, stream: str, row: ErrorRow) -> bool:
    """Whether a row comes from that of the list, by reference."""
    is_of_one_call = (provider, stream) == ("intercom", "calls_by_id") and row.code is not None
    return is_of_one_call or stream in AS_CALLS


def test_no_row_of_a_manifest_is_without_a_test(judges: Judges) -> None:
    declared = {
        (
            provider,
            stream,
            row.status,
            row.code or row.says or (None if row.own is None else f"own: {row.own}"),
        )
        for (provider, stream), judge in judges.items()
        for row in judge.rows
        if provider in NAMES  # other connectors test their rows themselves
        if not of_the_first_table(provider, stream, row)
        if not (stream == "users" and row in judges[provider, "calls"].rows)
    }
    assert declared == {(case[0], case[1], *case[2]) for case in ROWS}
    referred = [row for row in judges["intercom", "calls_by_id"].rows if row.code is not None]
    assert referred == list(judges["intercom", "calls"].rows)
    for provider, stream in judges:
        if stream in AS_CALLS:
            assert judges[provider, stream].rows == judges[provider, "calls"].rows


def test_the_rows_that_skip(judges: Judges) -> None:
    skipping = {
        (provider, stream, row.status, row.code, row.title)
        for (provider, stream), judge in judges.items()
        for row in judge.rows
        if row.action == "skip" and stream not in AS_CALLS
    }
    assert skipping == {
        ("openphone", "calls", 403, "0101403", "Not Phone Number User"),
        ("openphone", "calls", 404, "0100404", "Not Found"),
        ("openphone", "calls", 400, "0101400", "Too Many Participants"),
        ("intercom", "calls_by_id", 404, None, None),
        ("intercom", "calls_by_id", 400, None, None),
        ("intercom", "calls_by_id", 422, None, None),
    }


def test_a_config_error_is_never_tried_again(judges: Judges) -> None:
    assert len([place for place in judges if place[0] in NAMES]) == 20
    rows = [row for judge in judges.values() for row in judge.rows]
    assert {row.action for row in rows if row.failure_type == "config_error"} == {"fail"}


# --- what no row is about ---


@pytest.mark.parametrize(
    ("place", "status", "body", "action", "failure_type", "fragment"),
    [
        # the provider's row is about one code only: any other answer falls to the shared row
        (
            ("intercom", "calls"),
            401,
            intercom("unauthorized"),
            "fail",
            "config_error",
            "value of access_token",
        ),
        (
            ("intercom", "calls"),
            403,
            intercom("forbidden", "Because"),
            "fail",
            "config_error",
            "permissions of access_token. Intercom says: Because",
        ),
        (
            ("intercom", "calls"),
            400,
            intercom("parameter_invalid", "per_page is too big"),
            "fail",
            "system_error",
            "refused the request (HTTP 400) and says: per_page is too big",
        ),
        (("intercom", "calls"), 404, intercom("not_found"), "fail", "system_error", "(HTTP 404)"),
        (
            ("intercom", "calls"),
            429,
            intercom("rate_limit_exceeded"),
            "wait",
            "transient_error",
            "rate limit",
        ),
        (
            ("openphone", "phone_numbers"),
            401,
            live("Unauthorized", "No"),
            "fail",
            "config_error",
            "value of api_key",
        ),
        (
            ("openphone", "phone_numbers"),
            403,
            documented("0001403", "Not Phone Number User"),
            "fail",
            "config_error",
            "permissions of api_key",
        ),
        (
            ("openphone", "conversations"),
            403,
            documented("1000403", "Forbidden", "No API on this plan"),
            "fail",
            "config_error",
            "says: No API on this plan",
        ),
        (
            ("openphone", "conversations"),
            400,
            documented("0101400", "Too Many Participants"),
            "fail",
            "system_error",
            "HTTP 400",
        ),
        # a refusal with another code is that of the key, or of the form of a parameter
        (
            ("openphone", "calls"),
            403,
            documented("0100403", "Forbidden", "API access is off"),
            "fail",
            "config_error",
            "Quo (OpenPhone) says: API access is off",
        ),
        (
            ("openphone", "calls"),
            403,
            live("Forbidden", "API access is off"),
            "fail",
            "config_error",
            "Quo (OpenPhone) says: API access is off",
        ),
        (
            ("openphone", "calls"),
            404,
            documented("0000404", "Route Not Found", "No such route"),
            "fail",
            "system_error",
            "(HTTP 404) and says: No such route",
        ),
        (
            ("openphone", "calls"),
            400,
            {
                **documented("0100400", "Bad Request", "Invalid"),
                "errors": [{"path": "/query/participants", "message": "Expected array"}],
            },
            "fail",
            "system_error",
            "(HTTP 400) and says: Expected array",
        ),
        (
            ("openphone", "calls"),
            400,
            {"message": "participants must be a string array"},
            "fail",
            "system_error",
            "says: participants must be a string array",
        ),
        (("openphone", "calls"), 401, None, "fail", "config_error", "value of api_key"),
        (
            ("openphone", "calls"),
            500,
            documented("0101500", "Unknown"),
            "retry",
            "transient_error",
            "HTTP 500",
        ),
        (
            ("amplemarket", "calls"),
            400,
            {"_errors": [{"code": "x", "title": "Bad", "detail": "page too large"}]},
            "fail",
            "system_error",
            "says: page too large",
        ),
        (("amplemarket", "calls"), 401, None, "fail", "config_error", "value of api_key"),
        (
            ("amplemarket", "calls"),
            403,
            {"_errors": [{"code": "forbidden", "title": "Not enabled"}]},
            "fail",
            "config_error",
            "Amplemarket says: Not enabled",
        ),
        (
            ("skipcall", "calls"),
            401,
            {"error": {"code": "UNAUTHORIZED", "message": "Invalid or revoked API key"}},
            "fail",
            "config_error",
            "Invalid or revoked API key",
        ),
        (
            ("skipcall", "calls"),
            401,
            {"code": "API_KEY_INVALID", "details": None},
            "fail",
            "config_error",
            "says: API_KEY_INVALID",
        ),
        (("skipcall", "calls"), 404, {"code": "NOT_FOUND"}, "fail", "system_error", "HTTP 404"),
    ],
)
def test_what_no_row_of_the_manifest_names_falls_to_the_shared_rows(
    answer: Answer,
    judges: Judges,
    place: tuple[str, str],
    status: int,
    body: Any,
    action: str,
    failure_type: str,
    fragment: str,
) -> None:
    resolution = judges[place].resolve(answer(body, status), None)
    assert (resolution.action, resolution.failure_type) == (action, failure_type)
    assert fragment in resolution.message


@pytest.mark.parametrize("provider", ["openphone", "amplemarket"])
@pytest.mark.parametrize("words", ["Could not validate maxResults", "Please update the client"])
def test_a_400_about_something_else_does_not_blame_the_start_date(
    answer: Answer, judges: Judges, provider: str, words: str
) -> None:
    resolution = judges[provider, "calls"].resolve(answer({"message": words}, 400), None)
    assert "start_date" not in resolution.message
