from dataclasses import replace
from typing import Any

import pytest

from calls_shared.error_mapping import errors
from calls_shared.error_mapping.error_table import SHARED_ROWS
from calls_shared.error_mapping.errors import Answered, Resolution

WORDS = {
    "provider": "Acme",
    "key": "api_key",
    "detail": "a detail",
    "target": "evil.example",
    "slice": "",
    "tried": ", and trying again did not help",
    "again": "Run the sync again later; it resumes where it stopped.",
}


def resolve(status: Any, body: Any = None, own: bool = True, **words: str) -> Resolution:
    answer = Answered(status, body, own, http_status=206 if status == "shape" else None)
    return errors.resolve(SHARED_ROWS, answer, {**WORDS, **words})


@pytest.mark.parametrize(
    ("status", "action", "failure_type", "fragments"),
    [
        (401, "fail", "config_error", ["Acme refused the API key (HTTP 401)", "value of api_key"]),
        (
            402,
            "fail",
            "config_error",
            ["payment", "(HTTP 402)", "Renew the subscription", "api_key"],
        ),
        (403, "fail", "config_error", ["(HTTP 403)", "plan", "permissions of api_key", "slow"]),
        (429, "wait", "transient_error", ["rate limit (HTTP 429)", "Lower requests_per_minute"]),
        *(
            (
                status,
                "retry",
                "transient_error",
                [f"(HTTP {status}), and trying again did not help. Run the sync again", "slow"],
            )
            for status in (408, 409, 423, 425, 500, 502, 503, 504, 529, 599)
        ),
        *(
            (status, "fail", "system_error", [f"Acme refused the request (HTTP {status})", "slow"])
            for status in (
                400,
                404,
                405,
                406,
                410,
                413,
                415,
                418,
                422,
                424,
                426,
                428,
                431,
                451,
                499,
            )
        ),
        *(
            (
                status,
                "fail",
                "system_error",
                [f"redirect to evil.example (HTTP {status})", "not followed", "proxy"],
            )
            for status in (300, 301, 302, 303, 304, 307, 308)
        ),
        (
            "network",
            "retry",
            "transient_error",
            ["could not be reached (a detail), and trying again did not help", "network"],
        ),
        (
            "shape",
            "retry",
            "transient_error",
            ["HTTP 206", "(a detail), and trying again did not help", "No record was taken"],
        ),
        (
            "link",
            "fail",
            "transient_error",
            ["a link to another host than its own, evil.example;", "not followed", "sync again"],
        ),
        (100, "fail", "system_error", ["unexpected status HTTP 100", "slow"]),
        (299, "fail", "system_error", ["unexpected status HTTP 299"]),
        (600, "fail", "system_error", ["unexpected status HTTP 600"]),
        (999, "fail", "system_error", ["unexpected status HTTP 999"]),
    ],
)
def test_shared_rows(
    status: int | str, action: str, failure_type: str, fragments: list[str]
) -> None:
    resolution = resolve(status, {"message": "slow"})
    assert (resolution.action, resolution.failure_type) == (action, failure_type)
    assert [part for part in fragments if part not in resolution.message] == []
    assert "{" not in resolution.message


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("body", [None, {"message": "Forbidden"}, {"statusCode": 404}])
def test_a_gateways_refusal_is_tried_again_and_speaks_of_no_plan(status: int, body: Any) -> None:
    resolution = resolve(status, body, own=False)
    assert (resolution.action, resolution.failure_type) == ("retry", "transient_error")
    assert f"HTTP {status} came in a form that is not Acme's own" in resolution.message
    assert ", and trying again did not help. Run the sync again later" in resolution.message
    told = resolution.message.lower()
    assert [w for w in ("plan", "permission", "subscription", "key") if w in told] == []


def test_of_other_statuses_the_form_does_not_matter() -> None:
    for status in (400, 401, 402, 405, 410, 422, 429, 500, 503):
        foreign, own = (resolve(status, None, own=own) for own in (False, True))
        assert (foreign.own, own.own) == (False, True)
        assert replace(foreign, own=True) == own


def test_only_a_refusal_of_the_whole_key_ends_the_sync() -> None:
    statuses: list[Any] = [*range(100, 1000), "network", "shape", "link"]
    assert [status for status in statuses if resolve(status).ends_sync] == [401, 402, 403]
    assert [s for s in statuses if resolve(s, own=False).ends_sync] == [401, 402]


def test_no_shared_row_skips_and_no_config_error_is_tried_again() -> None:
    assert {row.action for row in SHARED_ROWS} == {"fail", "wait", "retry"}
    config_errors = [row for row in SHARED_ROWS if row.failure_type == "config_error"]
    assert {row.action for row in config_errors} == {"fail"}


@pytest.mark.parametrize("status", [*range(100, 1000, 7), "network", "shape", "link"])
def test_what_was_tried_once_is_not_said_to_have_been_tried_again(status: Any) -> None:
    for own in (True, False):
        message = resolve(status, own=own, tried="", again="Try again later.").message
        assert "trying again" not in message
        assert "resume" not in message


def test_a_body_without_words_still_makes_a_sentence() -> None:
    assert resolve(404).message == "Acme refused the request (HTTP 404) and says: nothing more."


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_the_sentence_quotes_the_provider_safely(status: int) -> None:
    words = "\x1b[2J{key} {provider.__class__} {0} {} {says}\n\u202e" + "y" * 1000
    message = resolve(status, {"message": words}).message
    assert "[2J{key} {provider.__class__} {0} {} {says} yyy" in message
    assert message.endswith("y…")
    assert message.count("y" * 200) == 1
    assert all(character.isprintable() for character in message)


def test_a_detail_with_braces_is_taken_literally() -> None:
    assert "({key} {x})" in resolve("network", detail="{key} {x}").message
