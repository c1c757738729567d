"""What the four manifests make of bodies that are not the provider's own: never a skip."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from calls_shared.error_mapping.judge import Judge

Answer = Callable[..., requests.Response]
Judges = Mapping[tuple[str, str], Judge]
PROPERTY = settings(
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

FOREIGN: list[bytes] = [
    b"",
    b"<html><head><title>404 Not Found</title></head></html>",
    b"Not Phone Number User",
    b'"Not Found"',
    b"null",
    b"[]",
    b"[0101403]",
    b'{"message": "Forbidden"}',
    b'{"message": "Not Phone Number User"}',
    b'{"title": "Not Phone Number User"}',
    b'{"code": 403, "message": "Not Phone Number User"}',
    b'{"code": 404, "title": "Not Found"}',
    b'{"statusCode": 404, "error": "Not Found", "message": "Cannot GET /v1/calls"}',
    b'{"error": "Not Found"}',
    b'{"error": {"code": 403, "message": "Forbidden", "status": "PERMISSION_DENIED"}}',
    b'{"error": {"key": "Not Found"}}',
    b'{"errors": [{"message": "Not Found", "status": 404}]}',
    b'{"errors": ["not_found"]}',
    b'{"success": false, "errors": [{"code": 1020, "message": "Access denied"}]}',
]


@pytest.mark.parametrize("body", FOREIGN)
@pytest.mark.parametrize("status", [403, 404])
def test_a_gateways_403_or_404_is_tried_again_and_says_nothing_of_plans(
    answer: Answer, judges: Judges, status: int, body: bytes
) -> None:
    for judge in judges.values():
        resolution = judge.resolve(answer(body, status), None)
        assert (resolution.action, resolution.failure_type) == ("retry", "transient_error")
        assert resolution.ends_sync is False
        assert f"HTTP {status} came in a form that is not {judge.provider_name}'s own" in (
            resolution.message
        )
        told = resolution.message.lower()
        assert [word for word in ("plan", "permission", "subscription") if word in told] == []


@pytest.mark.parametrize("body", FOREIGN)
@pytest.mark.parametrize("status", [400, 422])
def test_a_foreign_400_is_no_skip(answer: Answer, judges: Judges, status: int, body: bytes) -> None:
    for judge in judges.values():
        resolution = judge.resolve(answer(body, status), None)
        assert (resolution.action, resolution.failure_type) == ("fail", "system_error")
        assert f"refused the request (HTTP {status})" in resolution.message


# a router that says "Not Found" beside a code of its own
@pytest.mark.parametrize("code", ["404", "E_NOT_FOUND", "rest_no_route"])
def test_the_words_not_found_in_a_message_are_no_title(
    answer: Answer, judges: Judges, code: str
) -> None:
    body = {"code": code, "message": "Not Found"}
    assert judges["openphone", "calls"].resolve(answer(body, 404), None).action != "skip"


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 600)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "0101403",
            "0100404",
            "0101400",
            "1001403",
            "Not Phone Number User",
            "Not Found",
            "Too Many Participants",
            "not_found",
            "participant",
            "date",
            "{key}",
            "{0.__class__}",
            "\x1b[31m",
        ]
    )
)
FIELDS = st.sampled_from(
    "errors _errors error code key message detail title description path field type object status"
    " statusCode success data".split()
)
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=8,
)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def may_be_skipped(provider: str, stream: str, status: int, body: Any) -> bool:
    """The rule, written down a second time: the forms, codes and titles of each provider."""
    if not isinstance(body, dict):
        return False
    if (provider, stream) == ("intercom", "calls_by_id"):
        errors = body.get("errors")
        parts = errors if isinstance(errors, list) else [errors]
        of_form = any(isinstance(part, dict) and is_text(part.get("code")) for part in parts)
        return status in (400, 404, 422) and of_form
    if (provider, stream) != ("openphone", "calls"):
        return False
    named = {
        403: ("0101403", "Not Phone Number User"),
        404: ("0100404", "Not Found"),
        400: ("0101400", "Too Many Participants"),
    }.get(status)
    if named is None:
        return False
    inner = body.get("error")
    listed = [entry for name in ("errors", "_errors") for entry in as_list(body.get(name))]
    told: list[dict[str, Any]] = [p for p in (*listed, inner, body) if isinstance(p, dict)]
    forms = [
        is_text(body.get("code")) and (is_text(body.get("title")) or is_text(body.get("message"))),
        any(
            isinstance(part, dict) and is_text(part.get("key")) and is_text(part.get("message"))
            for part in (inner if isinstance(inner, list) else [inner])
        ),
    ]
    codes = [part.get(name) for part in told for name in ("code", "key")]
    titles = [part.get("title") for part in told]
    titles += [inner.get(name) for name in ("key", "message")] if isinstance(inner, dict) else []
    code, title = named
    return any(forms) and (code in stripped(codes) or title in stripped(titles))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def stripped(values: list[Any]) -> list[str]:
    return [value.strip() for value in values if isinstance(value, str)]


@PROPERTY
@given(status=st.sampled_from([400, 403, 404, 422]) | st.integers(300, 599), body=BODIES)
@example(404, {"code": "404", "message": "Not Found"})
@example(403, {"code": "x", "title": "y", "message": "Not Phone Number User"})
def test_no_body_outside_of_the_declared_forms_is_skipped(
    answer: Answer, judges: Judges, status: int, body: Any
) -> None:
    for (provider, stream), judge in judges.items():
        resolution = judge.resolve(answer(body, status), None)
        if resolution.action == "skip":
            assert may_be_skipped(provider, stream, status, body)


@PROPERTY
@given(raw=st.binary(max_size=60), status=st.integers(200, 599))
def test_no_body_that_is_no_object_is_skipped(
    answer: Answer, judges: Judges, raw: bytes, status: int
) -> None:
    for judge in judges.values():
        assert judge.resolve(answer(raw, status), None).action != "skip"


@PROPERTY
@given(status=st.integers(100, 999), body=BODIES, attempt=st.integers(1, 3))
def test_the_mapping_is_total(
    answer: Answer, judges: Judges, status: int, body: Any, attempt: int
) -> None:
    for judge in judges.values():
        resolution = judge.resolve(answer(body, status), None, attempt=attempt)
        assert resolution.action in {"accept", "skip", "wait", "retry", "fail"}
        assert resolution.failure_type in {"config_error", "transient_error", "system_error"}
        if not 200 <= status <= 299:
            assert resolution.action != "accept"
        if resolution.failure_type == "config_error":
            assert resolution.action == "fail"
        if resolution.action == "retry":
            assert "sync again" in resolution.message
            assert ("trying again did not help" in resolution.message) is (attempt > 1)
        assert resolution.message.strip() or resolution.action == "accept"
