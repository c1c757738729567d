"""Every refusal is one clear sentence that names the key or the file and the fix.

`check` answers with a FAILED connection status and exit status 0, as the protocol has it; every
other command with one error trace and exit status 1; never a traceback, never a secret.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import (
    CURSOR_FIELDS,
    PROVIDERS,
    Connector,
    Outcome,
    catalog_for,
    config_for,
    credential_key,
    run_command,
    run_forked,
)
from integration_tests.connectors import CONNECTORS
from integration_tests.sandbox import Sandbox, World

WRONG_KEY = "wrong-key-0123456789-not-real"


def assert_refused(outcome: Outcome, *words: str, failure_type: str = "config_error") -> str:
    """One error trace, exit status 1, no traceback, no secret; the sentence."""
    (error,) = outcome.errors
    assert outcome.exit_status == 1
    assert error["failure_type"] == failure_type
    assert_clean(outcome)
    for word in words:
        assert word in error["message"]
    sentence: str = error["message"]
    return sentence


def assert_clean(outcome: Outcome) -> None:
    everything = outcome.stdout + outcome.stderr
    assert outcome.stderr == ""
    assert "Traceback" not in everything
    assert WRONG_KEY not in everything
    assert "not-real" not in everything


def assert_check_fails(outcome: Outcome, *words: str) -> None:
    assert outcome.exit_status == 0
    assert outcome.connection_status["status"] == "FAILED"
    assert outcome.errors == []
    assert_clean(outcome)
    for word in words:
        assert word in outcome.connection_status["message"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_key(provider: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=50)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path)
        config = {credential_key(provider): WRONG_KEY}
        name = credential_key(provider)

        assert_check_fails(connector.check(config), "refused the API key (HTTP 401)", name)
        assert len(sandbox.requests) == 1

        sandbox.clear_requests()
        sentence = assert_refused(connector.read(config), "refused the API key (HTTP 401)", name)
        assert "Exhausted" not in sentence
        assert len(sandbox.requests) == 1


BAD_CONFIGS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("blank key", {"KEY": " abc-not-real"}, ["KEY", "begins or ends with a blank"]),
    ("line break in the key", {"KEY": "abc-not-real\n"}, ["KEY", "line break"]),
    ("empty key", {"KEY": ""}, ["KEY", "is empty"]),
    ("number as key", {"KEY": 12}, ["KEY", "must be a text"]),
    ("malformed date", {"start_date": "last week"}, ["start_date", "2026-01-31T00:00:00Z"]),
    ("date that is none", {"start_date": "2026-02-30T00:00:00Z"}, ["start_date", "exists"]),
    ("no lookback", {"lookback_days": 0}, ["lookback_days", "at least 1"]),
    ("no workers", {"num_workers": 0}, ["num_workers", "at least 1"]),
    ("text as number", {"requests_per_minute": "many"}, ["requests_per_minute", "whole number"]),
]


@pytest.mark.parametrize(
    ("settings", "words"), [pytest.param(*row[1:], id=row[0]) for row in BAD_CONFIGS]
)
def test_a_bad_configuration(settings: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    # the check is one function with each manifest's specification; its unit tests have all four
    provider = PROVIDERS[sum(map(ord, words[0] + words[-1])) % 4]
    name = credential_key(provider)
    config = config_for(provider)
    config |= {name if key == "KEY" else key: value for key, value in settings.items()}
    words = [name if word == "KEY" else word for word in words]
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        assert_check_fails(connector.check(config), *words)
        assert_refused(connector.read(config), *words)
        assert_refused(connector.discover(config), *words)
        assert sandbox.requests == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_missing_key(provider: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        words = (f"lacks the key {credential_key(provider)}", "Add it.")
        assert_check_fails(connector.check({}), *words)
        assert_refused(connector.read({}), *words)


def test_an_unknown_region(tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector("intercom", sandbox, tmp_path, forked=True)
        config = config_for("intercom", region="mars")
        assert_check_fails(connector.check(config), "region", "us, eu, au")
        assert_refused(connector.read(config), "region", "us, eu, au")


@pytest.mark.parametrize("call_id", ["a/b", "../calls", "1?x=2", " "])
def test_a_call_id_that_would_change_the_path(call_id: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector("intercom", sandbox, tmp_path, forked=True)
        assert_check_fails(connector.check(config_for("intercom", call_ids=[call_id])), "call_ids")
        assert sandbox.requests == []


# What is accepted, though it looks odd


def warned(outcome: Outcome) -> list[str]:
    """The warnings of what was handed in: not that a sandbox is in force, nor of what was read."""
    told = [line.removeprefix("WARN: ") for line in outcome.logs if line.startswith("WARN: ")]
    others = (
        "CALLS_SANDBOX_URL",
        "conversations could not be asked",
        "of the provider that are not known",
    )
    return [line for line in told if not any(words in line for words in others)]


def specification_of(provider: str) -> dict[str, Any]:
    manifest = CONNECTORS[provider].manifest_as_written()
    found: dict[str, Any] = manifest["spec"]["connection_specification"]
    return found


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("unset", [None, ""])
def test_optional_keys_that_are_unset(provider: str, unset: Any, tmp_path: Path) -> None:
    optional = set(specification_of(provider)["properties"]) - {credential_key(provider)}
    config = config_for(provider, **dict.fromkeys(optional, unset))
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        assert connector.check(config).connection_status["status"] == "SUCCEEDED"
        with_keys, without = connector.discover(config), connector.discover()
        assert with_keys.of_type("CATALOG") == without.of_type("CATALOG") != []
        outcome = connector.read(config)
        assert outcome.by_id() == sandbox.expected(provider)
        assert warned(outcome) == []


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("skipcall", {"workspace_ids": [None, ""]}),
        ("intercom", {"call_ids": ["", None]}),
        *((provider, {"num_workers": 2.0, "lookback_days": 7.0}) for provider in PROVIDERS),
        *((provider, {"requests_per_minute": 60_000.0}) for provider in PROVIDERS),
        *((provider, {"start_date": "0001-01-01T00:00:00Z"}) for provider in PROVIDERS),
    ],
)
def test_odd_settings_that_say_nothing_odd(
    provider: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    config = config_for(provider, **settings)
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        assert connector.check(config).connection_status["status"] == "SUCCEEDED"
        outcome = connector.read(config)
        assert outcome.by_id() == sandbox.expected(provider)
        assert warned(outcome) == []
        assert all("workspaceIds" not in dict(request.query) for request in sandbox.requests)


def test_holes_in_the_list_of_call_ids(tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        wanted = sorted(sandbox.expected("intercom"))[:2]
        config = config_for("intercom", call_ids=[None, wanted[0], "", wanted[1]])
        connector = Connector("intercom", sandbox, tmp_path, forked=True)
        outcome = connector.read(config, catalog_for("intercom", "calls_by_id"))
        assert sorted(call["id"] for call in outcome.records("calls_by_id")) == wanted


@pytest.mark.parametrize("provider", PROVIDERS)
def test_settings_that_are_warned_of(provider: str, tmp_path: Path) -> None:
    key = credential_key(provider)
    config = config_for(provider, lookbak_days=3, start_date="2130-01-01T00:00:00Z")
    config |= {key.replace("_", ""): WRONG_KEY, "__injected_by_a_platform": {"a": 1}}
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        check, read = connector.check(config), connector.read(config)
        assert check.connection_status["status"] == "SUCCEEDED"
        assert read.exit_status == 0
        for outcome in (check, read):
            assert_clean(outcome)
            assert sorted(warned(outcome)) == [
                f"The configuration key {key.replace('_', '')} is not known and has no effect; did"
                f" you mean {key}?",
                "The configuration key lookbak_days is not known and has no effect; did you mean"
                " lookback_days?",
                "start_date (2130-01-01T00:00:00Z) lies in the future: no call is read until then.",
            ]
            in_force = [line for line in outcome.logs if "CALLS_SANDBOX_URL" in line]
            assert [line[:6] for line in in_force] == ["WARN: "]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_files_in_other_encodings(encoding: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        contents = {"config": config_for("skipcall"), "catalog": catalog_for("skipcall")}
        arguments = ["read"]
        for name, content in {**contents, "state": []}.items():
            (tmp_path / name).write_bytes(json.dumps(content).encode(encoding))
            arguments += [f"--{name}", str(tmp_path / name)]
        outcome = run_forked("skipcall", arguments, sandbox)
        assert outcome.by_id() == sandbox.expected("skipcall")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_catalog_with_an_unknown_stream(provider: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        outcome = connector.read(catalog=catalog_for(provider, "calls", "messages"))
        assert_refused(outcome, "messages", "It offers", "calls")
        assert outcome.records() == []
        assert sandbox.requests == []


STATES: list[tuple[str, Any, list[str]]] = [
    ("no cursor", {"other": "2026-01-01T00:00:00Z"}, ["state of the stream calls", "no cursor"]),
    ("no date", {"CURSOR": "yesterday"}, ["state of the stream calls", "CURSOR", "not a date"]),
    ("a number", {"CURSOR": 12}, ["state of the stream calls", "CURSOR", "not a date"]),
    ("null", {"CURSOR": None}, ["state of the stream calls", "CURSOR", "not a date"]),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("content", "words"), [pytest.param(*row[1:], id=row[0]) for row in STATES]
)
def test_a_state_without_a_readable_cursor(
    provider: str, content: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    cursor = CURSOR_FIELDS[provider]
    state = {cursor if key == "CURSOR" else key: value for key, value in content.items()}
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        stream = {"stream_descriptor": {"name": "calls"}, "stream_state": state}
        outcome = connector.read(state=[{"type": "STREAM", "stream": stream}])
        assert_refused(outcome, *[cursor if word == "CURSOR" else word for word in words])
        assert sandbox.requests == []


def moved(state: Any, change: Any) -> Any:
    """A state with each of its moments changed, whatever it stands in."""
    if isinstance(state, dict):
        return {key: moved(value, change) for key, value in state.items()}
    if isinstance(state, list):
        return [moved(item, change) for item in state]
    try:
        return change(datetime.fromisoformat(state)) if isinstance(state, str) else state
    except ValueError:
        return state


def cursors_of(state: Any) -> Any:
    """A state without what was listed: it bounds by its cursors alone."""
    content = dict(state["stream"]["stream_state"])
    parents = content.get("parent_state", {})
    for parent in parents.values():
        names = [entry["partition"]["phone_number_id"] for entry in parent["states"]]
        parent["inventory"] = dict.fromkeys(names, NOTHING_SETTLED)
    if not parents:
        content["complete"] = {"cursor": content[next(iter(content))]}
    content.pop("inventory", None)
    return {**state, "stream": {**state["stream"], "stream_state": content}}


NOTHING_SETTLED = {"until": "1990-01-01T00:00:00Z", "years": {}}
FORMS = {
    "an offset": lambda moment: f"{moment + timedelta(hours=2):%Y-%m-%dT%H:%M:%S.%f}+02:00",
    "a blank": lambda moment: f"{moment:%Y-%m-%d %H:%M:%S.%f}Z",
    "small letters": lambda moment: f"{moment:%Y-%m-%dt%H:%M:%S.%f}000z",
    "the offset of zero": lambda moment: moment.isoformat(timespec="microseconds"),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_state_in_any_form_is_read_as_the_same(provider: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=40, conversations=20, one_after_another=True)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        state = cursors_of(connector.read(config_for(provider, lookback_days=1)).last_state())
        config = config_for(provider, lookback_days=60)
        outcome = connector.read(config, state=[state])
        expected = outcome.by_id()
        assert set() < set(expected) < set(sandbox.expected(provider))
        for form in FORMS.values():
            again = connector.read(config, state=[moved(state, form)])
            assert again.by_id() == expected
            found, wanted = (cursors_of(done.last_state()) for done in (again, outcome))
            assert cursors_in(found) == cursors_in(wanted)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_state_before_all_calls_and_one_behind_them(provider: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=20, conversations=4)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        state = cursors_of(connector.read().last_state())
        for moment in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1970-01-01 00:00:00Z"):
            outcome = connector.read(state=[moved(state, lambda _, moment=moment: moment)])
            assert outcome.by_id() == sandbox.expected(provider)
            assert warned(outcome) == []
        for moment in ("9999-12-31T23:59:59.999999Z", "2126-01-01T00:00:00Z"):
            outcome = connector.read(state=[moved(state, lambda _, moment=moment: moment)])
            assert (outcome.exit_status, outcome.records()) == (0, [])
            (warning,) = warned(outcome)
            assert f"The state of the stream calls holds {moment[:4]}-" in warning


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_full_refresh_with_a_state(provider: str, tmp_path: Path) -> None:
    """Whatever the state: a good one, one of the future, one that no incremental sync takes."""
    with Sandbox(World(calls=20, conversations=4)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        first = connector.read()
        good = first.last_state()
        catalog = catalog_for(provider, sync_mode="full_refresh")
        future = moved(good, lambda _: "2126-01-01T00:00:00.000000Z")
        bad = {**good, "stream": {**good["stream"], "stream_state": {"odd": 1}}}
        for state in (good, future, bad):
            outcome = connector.read(catalog=catalog, state=[state])
            assert outcome.by_id() == sandbox.expected(provider)
            assert warned(outcome) == []
        now = datetime.now(UTC).isoformat()
        assert all(moment < now for moment in cursors_in(outcome.last_state()))


def cursors_in(state: Any) -> list[str]:
    found: list[str] = []
    moved(state, lambda moment: found.append(moment.isoformat()))
    return found


def test_a_parent_state_with_an_unreadable_cursor(tmp_path: Path) -> None:
    states = [{"partition": {"phone_number_id": "PN1"}, "cursor": {"active_at": "soon"}}]
    content = {"use_global_cursor": True, "parent_state": {"conversations": {"states": states}}}
    stream = {"stream_descriptor": {"name": "calls"}, "stream_state": content}
    with Sandbox(World(calls=10)) as sandbox:
        outcome = Connector("openphone", sandbox, tmp_path).read(
            state=[{"type": "STREAM", "stream": stream}]
        )
        assert_refused(outcome, "state of the stream calls", "not a date-time")


@pytest.mark.parametrize("empty", [[], {}, None])
def test_an_empty_state_reads_everything(empty: Any, tmp_path: Path) -> None:
    with Sandbox(World(calls=30)) as sandbox:
        outcome = Connector("skipcall", sandbox, tmp_path, forked=True).read(state=empty or [])
        assert outcome.by_id() == sandbox.expected("skipcall")


FILES: list[tuple[str, str, list[str]]] = [
    ("config", "{", ["--config", "not valid JSON", "line 1"]),
    ("config", "[]", ["must be a JSON object"]),
    ("catalog", "{}", ["--catalog", "is not a configured catalog"]),
    ("catalog", "nonsense", ["--catalog", "not valid JSON"]),
    ("catalog", '{"streams": [{"stream": {}}]}', ["--catalog", "is not a configured catalog"]),
    ("state", '{"calls": {}}', ["--state", "is not a list of Airbyte state messages"]),
    ("state", '[{"type": "STREAM"}]', ["--state", "is not a list of Airbyte state messages"]),
    ("state", "oops", ["--state", "not valid JSON"]),
]


@pytest.mark.parametrize(("which", "content", "words"), FILES)
def test_an_unreadable_file(which: str, content: str, words: list[str], tmp_path: Path) -> None:
    files = {"config": config_for("skipcall"), "catalog": catalog_for("skipcall"), "state": []}
    for name, good in files.items():
        text = content if name == which else json.dumps(good)
        (tmp_path / name).write_text(text, encoding="utf-8")
    arguments = ["read", *(part for name in files for part in (f"--{name}", str(tmp_path / name)))]
    assert_refused(run_forked("skipcall", arguments), *words)


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.json")
    assert_refused(run_command("skipcall", ["discover", "--config", missing]), missing, "--config")
    assert_check_fails(run_command("skipcall", ["check", "--config", missing]), missing)


def test_no_command() -> None:
    assert_refused(run_command("skipcall", []), "spec, check, discover or read")


@pytest.mark.parametrize("url", ["http://192.0.2.7:80", "https://127.0.0.1:1", "http://evil.test"])
def test_a_sandbox_that_is_not_loopback(url: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        connector = Connector("skipcall", sandbox, tmp_path, forked=True)
        outcome = connector.read(environment={"CALLS_SANDBOX_URL": url})
        assert_refused(outcome, "CALLS_SANDBOX_URL", "loopback")
        assert sandbox.requests == []


KEY_FAULTS = [
    ("intercom", "token_unauthorized", ["Read conversations", "token_unauthorized"]),
    ("intercom", "token_revoked", ["access_token", "revoked"]),
    ("intercom", "api_plan_restricted", ["plan", "api_plan_restricted"]),
    ("intercom", "payment_required", ["402", "subscription"]),
    ("openphone", "subscription_expired", ["402", "subscription"]),
    ("amplemarket", "unauthorized", ["api_key", "401"]),
    ("amplemarket", "forbidden", ["api_key", "403"]),
    ("skipcall", "SUBSCRIPTION_REQUIRED", ["SUBSCRIPTION_REQUIRED", "Renew"]),
    ("skipcall", "PLAN_NOT_ELIGIBLE", ["PLAN_NOT_ELIGIBLE", "plan"]),
]


@pytest.mark.parametrize(("provider", "fault", "words"), KEY_FAULTS)
def test_a_key_without_permission(
    provider: str, fault: str, words: list[str], tmp_path: Path
) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        sandbox.keys[provider].add(WRONG_KEY)
        sandbox.key_faults[WRONG_KEY] = fault
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        config = {credential_key(provider): WRONG_KEY}
        assert_check_fails(connector.check(config), *words)
        assert_refused(connector.read(config), *words)


def test_workspaces_outside_the_key(tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        config = config_for("skipcall", workspace_ids=["00000000-0000-4000-8000-000000000000"])
        outcome = Connector("skipcall", sandbox, tmp_path, forked=True).read(config)
        assert_refused(outcome, "workspace_ids", "403")


def test_a_number_that_refuses_every_request(tmp_path: Path) -> None:
    with Sandbox(World(calls=40, conversations=4)) as sandbox:
        sandbox.keys["openphone"].add(WRONG_KEY)
        sandbox.key_faults[WRONG_KEY] = "not_phone_number_user"
        outcome = Connector("openphone", sandbox, tmp_path).read({"api_key": WRONG_KEY})
        assert outcome.exit_status == 1
        assert_clean(outcome)
        asked = {
            dict(request.query)["phoneNumberId"]
            for request in sandbox.requests
            if request.path.endswith("/calls")
        }
        sentences = {error["message"] for error in outcome.errors}
        assert len(sentences) == len(outcome.errors) == len(asked)
        for error in outcome.errors:
            assert error["failure_type"] == "config_error"
            assert "refused requests for calls of the phone number +" in error["message"]
        # nothing was read, so there is no state that could have passed anything
        assert outcome.states == []
