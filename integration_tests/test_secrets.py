"""No secret leaves a process but in the header `Authorization`; no provider's text does harm.

Most commands run in this process (`calls_shared.run`, from the command line to stdout and stderr),
so that many failures can be tried; the real commands follow at the end.
"""

import html
import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests
from airbyte_cdk.models import AirbyteMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

import calls_shared
from calls_shared.protocol import secrets
from integration_tests.commands import (
    PROVIDERS,
    Connector,
    Outcome,
    catalog_for,
    credential_key,
    run_command,
)
from integration_tests.connectors import CONNECTORS
from integration_tests.sandbox import Fault, Sandbox, SeenRequest, Switches, World

KEY = "sk+te/st=&\"q\\'%41<>-not-real"
"""Each of URL, JSON, repr, HTML and Base64 encoding changes it."""

FORMS = {
    "as it is": KEY,
    "in a path": quote(KEY),
    "in a query": quote(KEY, safe=""),
    "in a form": quote_plus(KEY),
    "in JSON": json.dumps(KEY)[1:-1],
    "in repr": repr(KEY)[1:-1],
    "in Base64": b64encode(KEY.encode()).decode(),
}
SOURCES = {provider: CONNECTORS[provider].source_class() for provider in PROVIDERS}
ENDLESS = 10**9
PART = 8
"""So many characters of the key in a row are a leak already."""


def leaks_in(text: str) -> list[str]:
    """The forms of the key of which a part stands in the text."""
    found = [name for name, form in FORMS.items() if form in text]
    parts = {KEY[first : first + PART] for first in range(len(KEY) - PART)}
    return found + sorted(part for part in parts if part in text)


def decoded(outcome: Outcome) -> str:
    """Everything that was written, as it stands and as a reader of the JSON sees it."""
    texts: list[str] = [outcome.stdout, outcome.stderr]

    def walk(value: Any) -> None:
        if isinstance(value, Mapping):
            for name, entry in value.items():
                texts.append(str(name))
                walk(entry)
        elif isinstance(value, list):
            for entry in value:
                walk(entry)
        else:
            texts.append(str(value))

    for message in outcome.messages:
        walk(message)
    return "\n".join(texts)


def assert_no_leak(outcome: Outcome) -> None:
    assert leaks_in(decoded(outcome)) == []


@dataclass(frozen=True)
class Command:
    """Commands of one connector, run in this process against a sandbox."""

    provider: str
    sandbox: Sandbox
    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, command: str, *options: str, key: Any = KEY, **settings: Any) -> Outcome:
        files: dict[str, Any] = {}
        if command != "spec":
            files["config"] = {credential_key(self.provider): key, **settings}
        if command == "read":
            files["catalog"] = catalog_for(self.provider)
        arguments = [command, *options]
        for name, content in files.items():
            file = self.folder / f"{self.provider}-{name}.json"
            file.write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", str(file)]
        self.capture.readouterr()
        status = 0
        try:
            calls_shared.run(SOURCES[self.provider](), arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        written = self.capture.readouterr()
        return Outcome(status, written.out, written.err)


Commands = Callable[[str, Sandbox], Command]


@pytest.fixture
def commands(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Commands]:
    root, logger = logging.getLogger(), logging.getLogger("airbyte")
    filters = {handler: handler.filters[:] for handler in root.handlers}
    level = logger.level

    monkeypatch.setattr(secrets, "_masked_forms", set())

    def make(provider: str, sandbox: Sandbox) -> Command:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        monkeypatch.setenv("CALLS_SANDBOX_WAIT_SCALE", "0.01")
        sandbox.keys[provider].add(KEY)
        return Command(provider, sandbox, tmp_path, capfd)

    yield make
    for handler, kept in filters.items():
        handler.filters = kept
    logger.setLevel(level)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(World(calls=30, conversations=4), Switches(enforce_limits=False)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    yield shared_sandbox
    shared_sandbox.faults = []
    shared_sandbox.before_answer = None
    shared_sandbox.clear_requests()


def envelope(provider: str, words: str) -> bytes:
    """An error body as the provider makes it."""
    bodies: dict[str, Any] = {
        "intercom": {"type": "error.list", "errors": [{"code": "odd", "message": words}]},
        "openphone": {"error": {"message": words, "key": "Odd", "trace": "1"}},
        "amplemarket": {"object": "error", "_errors": [{"code": "odd", "title": words}]},
        "skipcall": {"error": {"code": "ODD", "message": words, "status": 400}},
    }
    return json.dumps(bodies[provider]).encode()


ECHO = {f"X-Echo-{number}": form for number, form in enumerate(FORMS.values())}
ECHO |= {"Authorization": f"Bearer {KEY}", "Location": f"https://evil.example/?key={KEY}"}
EVERY_FORM = " ".join(FORMS.values())
PAGE = f"<!DOCTYPE html><html><body>{EVERY_FORM}</body></html>".encode()


def fault(provider: str, name: str) -> Fault:
    """A fault whose answer echoes the key in every form that it can."""
    answers: dict[str, dict[str, Any]] = {
        "401": {"status": 401, "body": envelope(provider, EVERY_FORM)},
        "403": {"status": 403, "body": envelope(provider, EVERY_FORM)},
        "418": {"status": 418, "body": envelope(provider, EVERY_FORM)},
        "500": {"status": 500, "body": envelope(provider, EVERY_FORM)},
        "302": {"kind": "redirect"},
        "308": {"status": 308},
        "an HTML page": {"kind": "body", "body": PAGE},
        "an HTML page with 502": {"status": 502, "body": PAGE},
        "an error under 200": {"kind": "body", "body": envelope(provider, EVERY_FORM)},
        "a network fault": {"kind": "reset_before"},
        "a text": {"kind": "body", "body": EVERY_FORM.encode()},
    }
    return Fault(provider, times=ENDLESS, headers=ECHO, **answers[name])


FAILURES = (
    *("401", "403", "418", "500", "302", "308", "an HTML page", "an HTML page with 502"),
    *("an error under 200", "a network fault", "a text"),
)
QUOTED = ("401", "418", "500", "an error under 200")
"""Failures whose sentence quotes the provider in all four connectors."""


@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_failed_read_tells_no_key(
    provider: str,
    failure: str,
    level: str,
    commands: Commands,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    command = commands(provider, sandbox)
    sandbox.faults = [fault(provider, failure)]
    outcome = command.run("read")
    assert outcome.exit_status == 1
    assert_no_leak(outcome)
    if failure in QUOTED:
        (error,) = outcome.errors
        assert error["message"].count("****") >= 3  # the words were quoted, without the key


@pytest.mark.parametrize("failure", [name for name in FAILURES if name != "403"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_failed_check_tells_no_key(
    provider: str, failure: str, commands: Commands, sandbox: Sandbox
) -> None:
    command = commands(provider, sandbox)
    sandbox.faults = [fault(provider, failure)]
    outcome = command.run("check")
    assert outcome.connection_status["status"] == "FAILED"
    assert_no_leak(outcome)
    if failure in QUOTED:
        assert "****" in outcome.connection_status["message"]


@pytest.mark.parametrize("options", [[], ["--debug"]], ids=["info", "debug"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_success_tells_no_key(
    provider: str, options: list[str], commands: Commands, sandbox: Sandbox
) -> None:
    command = commands(provider, sandbox)
    for name in ("spec", "check", "discover", "read"):
        outcome = command.run(name, *options)
        assert outcome.exit_status == 0
        assert outcome.stderr == ""
        assert_no_leak(outcome)
    assert outcome.by_id() == sandbox.expected(provider)
    assert len(sandbox.requests) > 1
    for request in sandbox.requests:
        sent = request.headers["authorization"]
        assert sent == (KEY if provider == "openphone" else f"Bearer {KEY}")
        others = {name: value for name, value in request.headers.items() if name != "authorization"}
        assert leaks_in(f"{request.method} {request.path} {request.raw_query} {others}") == []


def test_a_rate_limit_tells_no_key(commands: Commands, sandbox: Sandbox) -> None:
    command = commands("skipcall", sandbox)
    limit = {**ECHO, "Retry-After": "1"}
    body = envelope("skipcall", EVERY_FORM)
    sandbox.faults = [Fault("skipcall", status=429, headers=limit, body=body)]
    outcome = command.run("read", "--debug")
    assert outcome.exit_status == 0
    assert any("rate limit reached" in line for line in outcome.stdout.splitlines())
    assert_no_leak(outcome)


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError(f"cannot connect to host with {EVERY_FORM}"),
        requests.exceptions.InvalidHeader(f"bad header Authorization: Bearer {KEY}"),
        requests.exceptions.ProxyError(KEY),
        OSError(5, f"Input/output error {KEY}"),
        RuntimeError(f"a bug that names {EVERY_FORM}"),
        KeyError(KEY),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("provider", ["openphone", "skipcall"])
def test_an_exception_below_tells_no_key(
    provider: str,
    error: Exception,
    commands: Commands,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = commands(provider, sandbox)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(requests.Session, "send", fail)
    monkeypatch.setenv("LOG_LEVEL", "debug")
    outcome = command.run("read")
    assert outcome.exit_status == 1
    assert len(outcome.errors) == 1
    assert_no_leak(outcome)


@pytest.mark.parametrize("cut", [6, 12, 20])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_is_cut_tells_nothing(
    provider: str, cut: int, commands: Commands, sandbox: Sandbox
) -> None:
    words = "x" * (299 - cut) + KEY + " is not a key"
    command = commands(provider, sandbox)
    sandbox.faults = [Fault(provider, times=ENDLESS, status=418, body=envelope(provider, words))]
    (error,) = command.run("read").errors
    assert "xxx" in error["message"]
    assert re.search(re.escape(KEY[:4]), error["message"]) is None


def test_a_key_behind_a_thousand_control_characters_tells_nothing(
    commands: Commands, sandbox: Sandbox
) -> None:
    """Characters that shrink: what stands far behind in the text moves into its first 300."""
    for cut in (4, 12, 20):
        words = "x" + "\n" * (1199 - cut) + KEY
        command = commands("skipcall", sandbox)
        body = envelope("skipcall", words)
        sandbox.faults = [Fault("skipcall", times=ENDLESS, status=418, body=body)]
        (error,) = command.run("read").errors
        assert "says: x" in error["message"]
        assert KEY[:3] not in error["message"]


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(html.escape(KEY), id="HTML"),
        pytest.param(re.sub("%..", lambda code: code[0].lower(), quote(KEY, safe="")), id="lower"),
        pytest.param(b64encode(f"Bearer {KEY}".encode()).decode(), id="Base64 of the header"),
        pytest.param(b64encode(f"{KEY}:".encode()).decode(), id="Base64 of basic authentication"),
    ],
)
def test_rarer_forms_of_the_key(form: str, commands: Commands, sandbox: Sandbox) -> None:
    command = commands("intercom", sandbox)
    body = envelope("intercom", f"The token {form} is not valid.")
    sandbox.faults = [Fault("intercom", times=ENDLESS, status=401, body=body)]
    outcome = command.run("read")
    assert "is not valid." in outcome.errors[0]["message"]
    assert form not in decoded(outcome)


# What the user hands in


WRONG_CONFIGS: dict[str, Any] = {
    "a wrong lookback": {"NAME": KEY, "lookback_days": KEY},
    "a wrong date": {"NAME": KEY, "start_date": KEY},
    "a wrong number": {"NAME": KEY, "num_workers": {"value": KEY}},
    "a list as key": {"NAME": [KEY]},
    "an object as key": {"NAME": {"key": KEY}},
    "a blank before": {"NAME": f" {KEY}"},
    "a line break behind": {"NAME": f"{KEY}\r\n"},
    "a line break within": {"NAME": f"{KEY}\nX-Other: {KEY}"},
    "an accent": {"NAME": f"{KEY}ü"},
    "a NUL": {"NAME": f"{KEY}\x00"},
    "a name that is the key": {KEY: "NAME"},
    "a list": [KEY],
    "a text": KEY,
}


@pytest.mark.parametrize("config", WRONG_CONFIGS.values(), ids=WRONG_CONFIGS)
def test_a_wrong_configuration_tells_no_key(
    config: Any, commands: Commands, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    turn = list(WRONG_CONFIGS.values()).index(config)
    command = commands(PROVIDERS[turn % 4], sandbox)
    name = credential_key(command.provider)
    text = json.dumps(config).replace('"NAME"', json.dumps(name))
    file = command.folder / "wrong.json"
    for content in (text, text[:-1] + "!"):
        file.write_text(content, encoding="utf-8")
        for arguments in (["check"], ["discover"]):
            command.capture.readouterr()
            with pytest.raises(SystemExit) as end:
                calls_shared.run(SOURCES[command.provider](), [*arguments, "--config", str(file)])
            outcome = Outcome(int(end.value.code or 0), *command.capture.readouterr())
            assert outcome.of_type("CONNECTION_STATUS") or outcome.errors
            assert_no_leak(outcome)
    assert sandbox.requests == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_under_a_misspelt_name_tells_nothing(
    provider: str, commands: Commands, sandbox: Sandbox
) -> None:
    """A user who corrects the name and leaves the old one in; the provider quotes the key."""
    command = commands(provider, sandbox)
    sandbox.faults = [fault(provider, "418")]
    name = credential_key(provider).replace("_", "")
    for options in ([], ["--debug"]):
        outcome = command.run("read", *options, key="another-key-not-real", **{name: KEY})
        assert "****" in outcome.errors[0]["message"]
        assert_no_leak(outcome)
        assert any(f"key {name} is not known" in line for line in outcome.logs)


# Several sources in one process


def test_each_source_of_a_process_has_its_key_masked(
    commands: Commands, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Also that of the first one, in what it tells after the others have been built and told."""
    for provider in PROVIDERS:
        commands(provider, sandbox)
    sandbox.keys["skipcall"].add("second-key-not-real")
    sandbox.faults = [fault("amplemarket", "418")]
    logger = logging.getLogger("airbyte")
    catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_for("amplemarket"))
    first = SOURCES["amplemarket"]().read(logger, {"api_key": KEY}, catalog, [])
    started = next(iter(first))
    assert started.trace is not None
    second = SOURCES["skipcall"]()
    for _ in second.read(logger, {"api_key": "second-key-not-real"}, catalog, []):
        pass
    assert commands("skipcall", sandbox).run("check", key="third-key-not-real").exit_status == 0
    with pytest.raises(AirbyteTracedException) as caught:
        list(first)
    told = f"{caught.value.message} {caught.value.internal_message}"
    assert "****" in told
    assert leaks_in(told) == []
    assert filter_secrets(f"{KEY} second-key-not-real third-key-not-real") == "**** **** ****"


# What the provider says


LINES = '\n{"type":"RECORD","record":{"stream":"calls","emitted_at":1,"data":{"id":"forged"}}}\n'
HARMFUL: dict[str, str] = {
    "five megabytes": "x" * 5_000_000,
    "a forged record": f"oops{LINES}{LINES.replace(chr(10), chr(13))}",
    "escape sequences": "\x1b[2J\x1b]0;owned\x07 \x9b31m red",
    "controls": "a\x00b\x08c\x7fd\x85e\u2028f\u2029g",
    "right to left": "a\u202egpj.exe\u202c \u2066b\u2069 \u200e \u200f",
    "braces": "{says} {key} {0} {{ config }} %s %(x)s",
}
HARM = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200e\u200f]")


def assert_harmless(outcome: Outcome) -> None:
    """Each line is one valid message, none is a record, and none holds a control character."""
    for line in outcome.stdout.splitlines():
        message = AirbyteMessageSerializer.load(json.loads(line))
        assert message.type is not None
    assert outcome.stdout.count("\n") == len(outcome.messages)
    assert outcome.records() == []
    assert outcome.stderr == ""
    told = [line for line in outcome.logs if "Extra logs" not in line]
    told += [error["message"] for error in outcome.errors]
    told += [error.get("internal_message") or "" for error in outcome.errors]
    told += [m["connectionStatus"]["message"] for m in outcome.of_type("CONNECTION_STATUS")]
    for text in told:
        assert HARM.findall(text) == []
        assert len(text) < 300 + 500
        assert max(map(len, re.findall("x+", text)), default=0) <= 300


@pytest.mark.parametrize("words", HARMFUL.values(), ids=HARMFUL)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_harmful_words_of_a_provider(
    provider: str, words: str, commands: Commands, sandbox: Sandbox
) -> None:
    command = commands(provider, sandbox)
    body = envelope(provider, words)
    ways: list[dict[str, Any]] = [{"status": 401}, {"status": 418}, {"kind": "body"}]
    for how in ways:
        sandbox.faults = [Fault(provider, times=ENDLESS, body=body, **how)]
        outcome = command.run("read")
        assert outcome.exit_status == 1
        assert len(outcome.errors) == 1
        assert_harmless(outcome)
    outcome = command.run("check")
    assert outcome.connection_status["status"] == "FAILED"
    assert_harmless(outcome)


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("\u061c", id="Arabic letter mark"),
        pytest.param("\U000e0041", id="tag letter"),
    ],
)
def test_rarer_invisible_characters(sign: str, commands: Commands, sandbox: Sandbox) -> None:
    command = commands("skipcall", sandbox)
    body = envelope("skipcall", f"a{sign}b")
    sandbox.faults = [Fault("skipcall", times=ENDLESS, status=418, body=body)]
    (error,) = command.run("read").errors
    assert sign not in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": ["x", {"y": 1}], "code": {"z": 2}}}',
        b'{"errors": "oops", "_errors": 5, "error": true, "message": 7}',
        b'{"errors": [null, [], "x", {"message": null}]}',
        b'{"message": "\\ud800 lone"}',
        b'{"a":' * 5000,
        b"[" * 100_000,
        b"\xff\xfe{}",
        b"\x00" * 1000,
    ],
    ids=["no texts", "no lists", "odd entries", "surrogate", "deep", "deeper", "UTF-16", "NUL"],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_body_that_nobody_expects(
    provider: str, body: bytes, commands: Commands, sandbox: Sandbox
) -> None:
    command = commands(provider, sandbox)
    for status in (418, 200):
        sandbox.faults = [Fault(provider, times=ENDLESS, status=status, body=body)]
        outcome = command.run("read")
        assert outcome.exit_status == 1
        (error,) = outcome.errors
        assert not error["message"].startswith("An unexpected error")
        assert_harmless(outcome)


def test_the_name_of_a_refused_number_is_harmless(commands: Commands, sandbox: Sandbox) -> None:
    command = commands("openphone", sandbox)
    number = {"id": "PN1", "number": "+1415\x1b[31m" + "x" * 5000, "users": []}
    talk = {"id": "CN1", "phoneNumberId": "PN1", "participants": ["+14155550100"]}
    sandbox.faults = [
        Fault("openphone", path, 1, ENDLESS, "body", body=json.dumps({"data": [entry]}))
        for path, entry in (("/phone-numbers", number), ("/conversations", talk))
    ]
    refusal = json.dumps({"code": "0101403", "title": "Not Phone Number User", "message": "No."})
    sandbox.faults.append(Fault("openphone", "/calls", times=ENDLESS, status=403, body=refusal))
    outcome = command.run("read")
    assert "refused requests" in outcome.errors[0]["message"]
    assert_harmless(outcome)


def test_a_record_without_an_id_is_harmless(commands: Commands, sandbox: Sandbox) -> None:
    command = commands("skipcall", sandbox)
    page = {"data": [{"x" * 5000: 1}], "total": 1, "page": 1, "limit": 100, "totalPages": 1}
    sandbox.faults = [Fault("skipcall", times=ENDLESS, kind="body", body=json.dumps(page))]
    outcome = command.run("read")
    assert "has no id" in outcome.errors[0]["message"]
    assert_harmless(outcome)


# The real commands


def texts_in(folder: Path) -> str:
    """Names and contents of all files below a folder."""
    found = [str(path) for path in folder.rglob("*")]
    found += [
        path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file()
    ]
    return "\n".join(found)


def assert_valid_lines(outcome: Outcome, *, debug: bool = False) -> None:
    for message in outcome.messages:
        if not (debug and message["type"] == "DEBUG"):  # the CDK's own kind of line
            assert AirbyteMessageSerializer.load(message).type is not None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_real_command_leaves_no_key_in_a_file(provider: str, tmp_path: Path) -> None:
    """Neither during the run, as each request sees it, nor after it."""
    folders = {name: tmp_path / name for name in ("tmp", "home", "cache", "files")}
    for folder in folders.values():
        folder.mkdir()
    watched = [folders[name] for name in ("tmp", "home", "cache")]
    during: list[str] = []

    def look(request: SeenRequest) -> None:
        during.append("\n".join(texts_in(folder) for folder in watched))

    with Sandbox(World(calls=40, conversations=2)) as sandbox:
        sandbox.keys[provider].add(KEY)
        sandbox.before_answer = look
        connector = Connector(provider, sandbox, folders["files"])
        environment = {
            "TMPDIR": str(folders["tmp"]),
            "HOME": str(folders["home"]),
            "XDG_CACHE_HOME": str(folders["cache"]),
            "LOG_LEVEL": "debug",
        }
        outcome = connector.read({credential_key(provider): KEY}, environment=environment)
        assert outcome.exit_status == 0
        assert outcome.by_id() == sandbox.expected(provider)
        requests_seen = sandbox.requests
    assert_no_leak(outcome)
    assert_valid_lines(outcome)
    assert outcome.stderr == ""
    assert len(during) == len(requests_seen)
    assert any(text.strip() for text in during)  # the CDK's folder for caches: an empty one
    assert leaks_in("\n".join(during)) == []
    assert [list(folder.rglob("*")) for folder in watched] == [[], [], []]
    assert {path.name for path in folders["files"].iterdir()} == {
        f"{provider}-config.json",
        f"{provider}-catalog.json",
    }


@pytest.mark.parametrize("provider", ["intercom", "openphone"])
def test_the_real_command_with_a_wrong_key(provider: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=10)) as sandbox:
        sandbox.faults = [fault(provider, "401")]
        config = tmp_path / "config.json"
        config.write_text(json.dumps({credential_key(provider): KEY}), encoding="utf-8")
        catalog = tmp_path / "catalog.json"
        catalog.write_text(json.dumps(catalog_for(provider)), encoding="utf-8")
        options = ["--debug", "--config", str(config), "--catalog", str(catalog)]
        outcome = run_command(provider, ["read", *options], sandbox)
    assert outcome.exit_status == 1
    assert len(outcome.errors) == 1
    assert_no_leak(outcome)
    assert_valid_lines(outcome, debug=True)
