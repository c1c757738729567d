import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from calls_shared import envelope, errors
from calls_shared.errors import ErrorRow
from hypothesis import example, given, settings
from hypothesis import strategies as st

PROPERTY = settings(database=None, deadline=None, max_examples=100)
NAMES = {
    "intercom": ("Intercom", "access_token"),
    "openphone": ("Quo (OpenPhone)", "api_key"),
    "amplemarket": ("Amplemarket", "api_key"),
    "skipcall": ("Skipcall", "api_key"),
}
SHARED = errors.rows_from([])


def requesters(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """All requesters of a resolved manifest, by the name of their stream."""
    found: dict[str, Mapping[str, Any]] = {}

    def walk(node: Any) -> None:
        if isinstance(node, Mapping):
            if node.get("class_name") == "calls_shared.CallRequester":
                found[node["name"]] = node
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(manifest["streams"])
    return found


def resolve(
    status: Any, body: Any = None, rows: Sequence[ErrorRow] = SHARED, **more: Any
) -> errors.Resolution:
    return errors.resolve(rows, status, body, **{"provider": "Acme", "key": "api_key", **more})


# --- the shared rows ---


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
        (403, "fail", "config_error", ["(HTTP 403)", "plan", "permissions of api_key"]),
        (429, "wait", "transient_error", ["rate limit (HTTP 429)", "Lower requests_per_minute"]),
        *(
            (status, "retry", "transient_error", [f"(HTTP {status})", "Run the sync again later"])
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
            (status, "fail", "system_error", [f"redirect (HTTP {status})", "not followed", "proxy"])
            for status in (300, 301, 302, 303, 304, 307, 308)
        ),
        ("network", "retry", "transient_error", ["could not be reached (a detail)", "network"]),
        ("shape", "retry", "transient_error", ["HTTP 206", "(a detail)", "No record was taken"]),
        (100, "fail", "system_error", ["unexpected status HTTP 100", "slow"]),
        (299, "fail", "system_error", ["unexpected status HTTP 299"]),
        (600, "fail", "system_error", ["unexpected status HTTP 600"]),
        (999, "fail", "system_error", ["unexpected status HTTP 999"]),
    ],
)
def test_shared_rows(
    status: int | str, action: str, failure_type: str, fragments: list[str]
) -> None:
    body = {"message": "slow"}
    resolution = resolve(
        status, body, detail="a detail", http_status=206 if status == "shape" else None
    )
    assert (resolution.action, resolution.failure_type) == (action, failure_type)
    assert [part for part in fragments if part not in resolution.message] == []
    assert "{" not in resolution.message


def test_a_body_without_words_still_makes_a_sentence() -> None:
    assert resolve(404).message == "Acme refused the request (HTTP 404) and says: nothing more."


# --- the manifests' rows ---

INTERCOM_LIST = {"type": "error.list", "request_id": None}
MANIFEST_ROWS = [
    # provider, stream, row (status, code, says), body, action, failure type, parts of the sentence
    (
        "intercom",
        "calls",
        (401, "token_unauthorized", None),
        {**INTERCOM_LIST, "errors": [{"code": "token_unauthorized", "message": "Not authorized"}]},
        "fail",
        "config_error",
        ["access_token", "token_unauthorized", 'permission "Read conversations"'],
    ),
    (
        "intercom",
        "calls",
        (403, "api_plan_restricted", None),
        {
            **INTERCOM_LIST,
            "errors": [{"code": "api_plan_restricted", "message": "Active subscription needed."}],
        },
        "fail",
        "config_error",
        ["plan of this workspace", "upgrade the subscription", "Active subscription needed."],
    ),
    (
        "intercom",
        "calls",
        (400, "intercom_version_invalid", None),
        {**INTERCOM_LIST, "errors": [{"code": "intercom_version_invalid", "message": "No."}]},
        "fail",
        "config_error",
        ["intercom_version_invalid", "Update this connector", "access_token"],
    ),
    (
        "intercom",
        "calls",
        ((200, 299), "rate_limit_exceeded", None),
        {**INTERCOM_LIST, "errors": [{"code": "rate_limit_exceeded", "message": "Slow down"}]},
        "wait",
        "transient_error",
        ["rate limit", "requests_per_minute"],
    ),
    (
        "intercom",
        "calls_by_id",
        (404, None, None),
        {**INTERCOM_LIST, "errors": [{"code": "not_found", "message": "Not Found"}]},
        "skip",
        "system_error",
        ["{count} of the call_ids", "HTTP 404", "skipped"],
    ),
    (
        "intercom",
        "calls_by_id",
        (401, "token_unauthorized", None),
        {**INTERCOM_LIST, "errors": [{"code": "token_unauthorized", "message": "Not authorized"}]},
        "fail",
        "config_error",
        ["access_token", 'permission "Read conversations"'],
    ),
    *(
        (
            "openphone",
            stream,
            (402, None, None),
            {"message": "Expired", "code": "0201402", "status": 402, "title": "Payment"},
            "fail",
            "config_error",
            ["HTTP 402", "Renew the subscription", "api_key", "Quo says: Expired"],
        )
        for stream in ("phone_numbers", "conversations", "calls")
    ),
    (
        "openphone",
        "calls",
        (403, None, None),
        {"message": "No.", "code": "0101403", "status": 403, "title": "Not Phone Number User"},
        "skip",
        "system_error",
        ["{count} requests", "HTTP 403", "Not Phone Number User", "skipped"],
    ),
    (
        "openphone",
        "calls",
        (404, None, None),
        {"error": {"message": "Not found", "key": "NotFound"}},
        "skip",
        "system_error",
        ["{count} requests", "HTTP 404", "skipped"],
    ),
    (
        "openphone",
        "calls",
        (400, "0101400", None),
        {"message": "No.", "code": "0101400", "status": 400, "title": "Too Many"},
        "skip",
        "system_error",
        ["{count} requests", "participant (HTTP 400)", "skipped"],
    ),
    (
        "openphone",
        "calls",
        (400, None, "participant"),
        {"message": "Invalid", "errors": [{"path": "/query/Participants/0", "message": "pattern"}]},
        "skip",
        "system_error",
        ["{count} requests", "participant (HTTP 400)", "skipped"],
    ),
    (
        "openphone",
        "calls",
        (400, None, "createdafter"),
        {"error": {"message": "createdAfter must be a Date", "key": "BadRequest"}},
        "fail",
        "config_error",
        ["Correct start_date", "Quo says: createdAfter must be a Date"],
    ),
    (
        "amplemarket",
        "calls",
        (400, None, "date format"),
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
        (403, "SUBSCRIPTION_REQUIRED", None),
        {"error": {"code": "SUBSCRIPTION_REQUIRED", "message": "No.", "status": 403}},
        "fail",
        "config_error",
        ["active subscription", "Renew", "api_key"],
    ),
    (
        "skipcall",
        "calls",
        (403, "PLAN_NOT_ELIGIBLE", None),
        {"code": "PLAN_NOT_ELIGIBLE", "details": None},
        "fail",
        "config_error",
        ["PLAN_NOT_ELIGIBLE", "STARTER, INTERMEDIAIRE or EXPERT"],
    ),
    (
        "skipcall",
        "calls",
        (403, None, None),
        {"error": {"code": "FORBIDDEN", "message": "Workspace out of scope", "status": 403}},
        "fail",
        "config_error",
        ["workspace_ids", "api_key", "Skipcall says: Workspace out of scope"],
    ),
]


@pytest.mark.parametrize(
    ("provider", "stream", "row", "body", "action", "failure_type", "fragments"),
    MANIFEST_ROWS,
    ids=[f"{case[0]}-{case[1]}-{case[2][0]}-{case[2][1] or case[2][2]}" for case in MANIFEST_ROWS],
)
def test_rows_of_the_manifests(
    manifests: Mapping[str, Any],
    provider: str,
    stream: str,
    row: tuple[Any, str | None, str | None],
    body: Any,
    action: str,
    failure_type: str,
    fragments: list[str],
) -> None:
    name, key = NAMES[provider]
    requester = requesters(manifests[provider])[stream]
    assert (requester["provider_name"], requester["key"]) == (name, key)
    status = row[0][0] if isinstance(row[0], tuple) else row[0]
    rows = errors.rows_from(requester["error_rows"])
    resolution = resolve(status, body, rows, provider=name, key=key)
    assert (resolution.action, resolution.failure_type) == (action, failure_type)
    assert [part for part in fragments if part not in resolution.message] == []


def test_no_row_of_a_manifest_is_without_a_test(manifests: Mapping[str, Any]) -> None:
    declared = {
        (
            provider,
            stream,
            tuple(row["status"]) if isinstance(row["status"], list) else row["status"],
            row.get("code"),
            row.get("says"),
        )
        for provider, manifest in manifests.items()
        for stream, requester in requesters(manifest).items()
        for entry in requester["error_rows"]
        # a table in the table is that of another stream, by reference
        for row in ([entry] if isinstance(entry, dict) else entry)
        if isinstance(entry, dict) or row.get("code") == "token_unauthorized"
    }
    assert declared == {(case[0], case[1], *case[2]) for case in MANIFEST_ROWS}


@pytest.mark.parametrize(
    ("provider", "stream", "status", "body", "action", "failure_type", "fragment"),
    [
        # the provider's row is about one code only: any other answer falls to the shared row
        (
            "intercom",
            "calls",
            401,
            {"errors": [{"code": "unauthorized"}]},
            "fail",
            "config_error",
            "value of access_token",
        ),
        (
            "intercom",
            "calls",
            403,
            {"errors": [{"code": "forbidden"}]},
            "fail",
            "config_error",
            "permissions of access_token",
        ),
        (
            "intercom",
            "calls",
            400,
            {"errors": [{"code": "parameter_invalid"}]},
            "fail",
            "system_error",
            "refused the request",
        ),
        ("intercom", "calls", 404, {}, "fail", "system_error", "refused the request (HTTP 404)"),
        (
            "intercom",
            "calls",
            429,
            {"errors": [{"code": "rate_limit_exceeded"}]},
            "wait",
            "transient_error",
            "rate limit",
        ),
        (
            "openphone",
            "phone_numbers",
            401,
            {"error": {"key": "Unauthorized"}},
            "fail",
            "config_error",
            "value of api_key",
        ),
        (
            "openphone",
            "phone_numbers",
            403,
            {"title": "Not Phone Number User"},
            "fail",
            "config_error",
            "HTTP 403",
        ),
        ("openphone", "phone_numbers", 404, None, "fail", "system_error", "HTTP 404"),
        (
            "openphone",
            "conversations",
            400,
            {"code": "0101400"},
            "fail",
            "system_error",
            "HTTP 400",
        ),
        (
            "openphone",
            "calls",
            400,
            {"message": "maxResults"},
            "fail",
            "system_error",
            "says: maxResults",
        ),
        ("openphone", "calls", 401, None, "fail", "config_error", "value of api_key"),
        ("openphone", "calls", 500, {"code": "0101500"}, "retry", "transient_error", "HTTP 500"),
        (
            "amplemarket",
            "calls",
            400,
            {"_errors": [{"detail": "page too large"}]},
            "fail",
            "system_error",
            "says: page too large",
        ),
        ("amplemarket", "calls", 401, None, "fail", "config_error", "value of api_key"),
        (
            "skipcall",
            "calls",
            401,
            {"error": {"code": "UNAUTHORIZED", "message": "Invalid or revoked API key"}},
            "fail",
            "config_error",
            "Invalid or revoked API key",
        ),
        (
            "skipcall",
            "calls",
            401,
            {"code": "API_KEY_INVALID", "details": None},
            "fail",
            "config_error",
            "says: API_KEY_INVALID",
        ),
        ("skipcall", "calls", 403, None, "fail", "config_error", "workspace_ids"),
        ("skipcall", "calls", 404, None, "fail", "system_error", "HTTP 404"),
    ],
)
def test_what_no_row_of_the_manifest_names_falls_to_the_shared_rows(
    manifests: Mapping[str, Any],
    provider: str,
    stream: str,
    status: int,
    body: Any,
    action: str,
    failure_type: str,
    fragment: str,
) -> None:
    name, key = NAMES[provider]
    rows = errors.rows_from(requesters(manifests[provider])[stream]["error_rows"])
    resolution = resolve(status, body, rows, provider=name, key=key)
    assert (resolution.action, resolution.failure_type) == (action, failure_type)
    assert fragment in resolution.message


@pytest.mark.parametrize("provider", ["openphone", "amplemarket"])
@pytest.mark.parametrize("words", ["Could not validate maxResults", "Please update the client"])
def test_a_400_about_something_else_does_not_blame_the_start_date(
    manifests: Mapping[str, Any], provider: str, words: str
) -> None:
    rows = errors.rows_from(requesters(manifests[provider])["calls"]["error_rows"])
    resolution = resolve(400, {"message": words}, rows)
    assert "start_date" not in resolution.message


# --- the table ---


def test_the_most_specific_row_stands_first_and_decides() -> None:
    rows = errors.rows_from(
        [
            {"status": 403, "code": "A", "action": "retry", "message": "code"},
            {"status": 403, "says": "Plan", "action": "skip", "message": "words"},
            {"status": [400, 499], "action": "wait", "message": "range"},
        ]
    )
    both = {"code": "A", "message": "your plan"}
    assert resolve(403, both, rows).message == "code"
    assert resolve(403, {"code": "B", "message": "YOUR PLAN"}, rows).message == "words"
    assert resolve(403, {"code": "a"}, rows).message == "range"
    assert resolve(401, both, rows).message == "range"
    assert resolve(500, both, rows).action == "retry"
    assert "HTTP 500" in resolve(500, both, rows).message


def test_a_range_is_inclusive() -> None:
    rows = errors.rows_from([{"status": [410, 412], "action": "skip"}])
    actions = [resolve(status, None, rows).action for status in (409, 410, 411, 412, 413)]
    assert actions == ["retry", "skip", "skip", "skip", "fail"]


def test_a_range_of_numbers_does_not_match_a_network_fault() -> None:
    rows = errors.rows_from([{"status": [0, 999], "action": "accept"}])
    assert resolve("network", None, rows).action == "retry"
    assert resolve("shape", None, rows).action == "retry"


def test_without_any_row_there_is_still_an_answer() -> None:
    resolution = resolve(418, None, ())
    assert resolution == errors.Resolution("fail", "system_error", "Acme answered with status 418.")


@pytest.mark.parametrize(
    ("row", "error", "fragment"),
    [
        ({"status": 400, "action": "explode"}, ValueError, "unknown action 'explode'"),
        ({"status": 400, "action": "FAIL"}, ValueError, "unknown action 'FAIL'"),
        (
            {"status": 400, "action": "fail", "failure_type": "my_error"},
            ValueError,
            "unknown failure type 'my_error'",
        ),
        ({"status": 400, "action": "fail", "mesage": "x"}, TypeError, "mesage"),
        ({"status": 400}, TypeError, "action"),
    ],
)
def test_rows_from_refuses(row: dict[str, Any], error: type[Exception], fragment: str) -> None:
    with pytest.raises(error, match=fragment):
        errors.rows_from([row])


def test_rows_from_puts_the_shared_rows_last() -> None:
    rows = errors.rows_from([{"status": [200, 299], "action": "wait", "code": "x"}])
    assert rows[0] == ErrorRow((200, 299), "wait", code="x")
    assert rows[1:] == errors.SHARED_ROWS


def test_a_config_error_is_never_tried_again(manifests: Mapping[str, Any]) -> None:
    tables = [
        errors.rows_from(requester["error_rows"])
        for manifest in manifests.values()
        for requester in requesters(manifest).values()
    ]
    assert len(tables) == 7
    wrong = [
        row
        for table in tables
        for row in table
        if row.failure_type == "config_error" and row.action != "fail"
    ]
    assert wrong == []


WORDS = st.sampled_from(
    [
        "",
        "date",
        "participant",
        "token_unauthorized",
        "0101400",
        "{key}",
        "{0.__class__}",
        "\x1b[31m",
    ]
) | st.text(max_size=20)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
NAMES_OF_FIELDS = st.sampled_from(
    "errors _errors error code key message detail title description path field type object".split()
)
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES_OF_FIELDS, inner, max_size=5),
    max_leaves=8,
)


@PROPERTY
@given(st.data())
def test_the_mapping_is_total(manifests: Mapping[str, Any], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(sorted(manifests)))
    stream = data.draw(st.sampled_from(sorted(requesters(manifests[provider]))))
    status = data.draw(st.integers(100, 999) | st.sampled_from(["network", "shape"]))
    body = data.draw(BODIES)
    name, key = NAMES[provider]
    rows = errors.rows_from(requesters(manifests[provider])[stream]["error_rows"])
    resolution = resolve(status, body, rows, provider=name, key=key, detail=data.draw(WORDS))
    assert resolution.action in {"accept", "skip", "wait", "retry", "fail"}
    assert resolution.failure_type in {"config_error", "transient_error", "system_error"}
    assert resolution.action != "accept"
    if resolution.failure_type == "config_error":
        assert resolution.action == "fail"
    assert resolution.message.strip()
    if resolution.action == "retry":
        assert "sync again" in resolution.message
    # whether an answer is an error envelope can be asked of any body too
    assert envelope.has_error_envelope(body) in (True, False)


# --- envelopes ---


@pytest.mark.parametrize(
    ("body", "codes", "message"),
    [
        (
            {
                "type": "error.list",
                "request_id": "b3c",
                "errors": [
                    {"code": "unauthorized", "message": "Access Token Invalid", "field": None},
                    {"code": "second", "message": "More"},
                ],
            },
            ["unauthorized", "second"],
            "Access Token Invalid",
        ),
        (
            {
                "message": "Too many",
                "code": "0101400",
                "status": 400,
                "docs": "https://quo.com/docs",
                "title": "Too Many Participants",
                "trace": "1",
                "errors": [{"path": "/query", "message": "Expected 1", "value": 2, "schema": {}}],
            },
            ["0101400"],
            "Expected 1",
        ),
        (
            {"error": {"message": "Unauthorized", "key": "Unauthorized"}},
            ["Unauthorized"],
            "Unauthorized",
        ),
        (
            {
                "object": "error",
                "_errors": [
                    {"code": "unsupported_value", "title": "Bad", "detail": "Invalid date format"}
                ],
                "_links": {},
            },
            ["unsupported_value"],
            "Invalid date format",
        ),
        ({"object": "error", "_errors": [{"title": "Only a title"}]}, [], "Only a title"),
        (
            {"error": {"code": "UNAUTHORIZED", "message": "Invalid key", "status": 401}},
            ["UNAUTHORIZED"],
            "Invalid key",
        ),
        ({"code": "API_KEY_INVALID", "details": None}, ["API_KEY_INVALID"], "API_KEY_INVALID"),
        ({"error": "invalid_grant"}, [], "invalid_grant"),
        ({"message": "Plain"}, [], "Plain"),
        ({"message": "  ", "title": "Titled"}, [], "Titled"),
        ({"message": 5, "code": 401}, [], ""),
        ({"errors": "broken", "_errors": {"a": 1}, "error": 5}, [], ""),
        ({"errors": [None, "x", 5, []]}, [], ""),
        ({}, [], ""),
        ([{"code": "x"}], [], ""),
        ("<html>", [], ""),
        (None, [], ""),
    ],
)
def test_envelopes(body: Any, codes: list[str], message: str) -> None:
    assert list(envelope.envelope_codes(body)) == codes
    assert envelope.provider_message(body) == message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "error.list"}, True),
        ({"errors": []}, True),
        ({"object": "error"}, True),
        ({"_errors": []}, True),
        ({"error": {}}, True),
        ({"error": "no"}, True),
        ({"data": []}, False),
        ({"error": None, "data": []}, False),
        ({"type": "list", "data": []}, False),
        ({"message": "hello"}, False),
        ([{"errors": []}], False),
        (None, False),
    ],
)
def test_has_error_envelope(body: Any, expected: bool) -> None:
    assert envelope.has_error_envelope(body) is expected


def test_a_very_long_list_of_errors_is_not_read_whole() -> None:
    body = {"errors": [{"code": str(number)} for number in range(1000)]}
    codes = list(envelope.envelope_codes(body))
    assert codes[:3] == ["0", "1", "2"]
    assert len(codes) <= 20


# --- the provider's own words ---


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("plain", "plain"),
        ("  padded \n", "padded"),
        ("two\r\nlines", "two lines"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\x00b\x7fc\x9bd", "a b c d"),
        ("left\u202etfel", "left tfel"),
        ("a\u2028b\u2029c", "a b c"),
        ("a\u2066b\u2069c\u200ed\u200fe", "a b c d e"),
        ("Zoë 📞 日本", "Zoë 📞 日本"),
        ("", ""),
        ("\n\n", ""),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        ("x" * 5_000_000, "x" * 299 + "…"),
    ],
)
def test_quoted(words: str, expected: str) -> None:
    assert envelope.quoted(words) == expected


@PROPERTY
@given(st.text(max_size=400))
@example("\x1b]0;title\x07" * 100)
def test_quoted_is_one_short_line_without_control_characters(words: str) -> None:
    quoted = envelope.quoted(words)
    assert len(quoted) <= 300
    assert len(quoted.splitlines()) <= 1
    assert [c for c in quoted if unicodedata.category(c) == "Cc"] == []
    # what turns the reading direction (Unicode, Bidi_Control), but for the Arabic letter mark
    assert set(quoted).isdisjoint(
        "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_the_sentence_quotes_the_provider_safely(status: int) -> None:
    words = "\x1b[2J{key} {provider.__class__} {0} {} {says}\n\u202e" + "y" * 1000
    message = resolve(status, {"message": words}).message
    assert "[2J{key} {provider.__class__} {0} {} {says} yyy" in message
    assert message.endswith("y…")
    assert message.count("y" * 200) == 1
    assert all(character.isprintable() for character in message)


def test_a_detail_with_braces_is_taken_literally() -> None:
    assert "({key} {x})" in resolve("network", None, detail="{key} {x}").message
