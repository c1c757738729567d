import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CallsSource
from calls_shared.protocol import entrypoint

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture(autouse=True)
def _nothing_stays_behind() -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    filters = [handler.filters[:] for handler in handlers]
    yield
    for handler, kept in zip(handlers, filters, strict=True):
        handler.filters = kept


@pytest.fixture
def run(raw_manifests: Mapping[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; gives the exit status and the messages that are no logs."""

    def run_command(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        source = CallsSource()
        source.__dict__["manifest"] = raw_manifests["skipcall"]
        status = 0
        try:
            entrypoint.run(source, arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return status, [message for message in messages if message["type"] != "LOG"]

    return run_command


def written(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def error_of(messages: list[dict[str, Any]]) -> dict[str, Any]:
    (message,) = messages
    assert message["type"] == "TRACE"
    assert message["trace"]["type"] == "ERROR"
    error: dict[str, Any] = message["trace"]["error"]
    return error


def test_spec(run: Run, specifications: Mapping[str, Any]) -> None:
    status, (message,) = run("spec")
    assert status == 0
    assert message["spec"]["connectionSpecification"] == specifications["skipcall"]


def test_without_a_command(run: Run) -> None:
    status, messages = run()
    assert status == 1
    error = error_of(messages)
    assert error["message"] == "Name a command: spec, check, discover or read."
    assert error["failure_type"] == "config_error"


def test_a_failed_check_is_a_status_and_no_failure_of_the_process(run: Run, tmp_path: Path) -> None:
    status, messages = run("check", "--config", written(tmp_path, "config.json", {}))
    assert status == 0
    assert [message["connectionStatus"] for message in messages] == [
        {
            "status": "FAILED",
            "message": "The configuration lacks the key api_key (API key). Add it.",
        }
    ]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"config": "{"}, "config.json given with --config is not valid JSON"),
        ({"config": {"api_key": " hush"}}, "The configuration key api_key begins or ends with"),
        ({"catalog": {"streams": 5}}, "catalog.json given with --catalog is not a configured"),
        ({"state": {"calls": {}}}, "state.json given with --state is not a list"),
    ],
)
def test_a_file_that_is_refused(
    run: Run, tmp_path: Path, files: dict[str, Any], sentence: str
) -> None:
    given = {"config": {"api_key": "sk_hush"}, "catalog": {"streams": []}, "state": [], **files}
    arguments = [
        part
        for name, content in given.items()
        for part in (f"--{name}", written(tmp_path, f"{name}.json", content))
    ]
    status, messages = run("read", *arguments)
    assert status == 1
    error = error_of(messages)
    assert error["failure_type"] == "config_error"
    assert sentence in error["message"]
    assert error.get("stack_trace") is None
    assert "hush" not in json.dumps(messages)


def test_an_unexpected_error_keeps_its_stack_and_no_secret(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("sk_hush")

    monkeypatch.setattr(CallsSource, "discover", fail)
    config = written(tmp_path, "config.json", {"api_key": "sk_hush"})
    status, messages = run("discover", "--config", config)
    assert status == 1
    error = error_of(messages)
    assert error["message"] == "An unexpected error occurred: KeyError."
    assert error["failure_type"] == "system_error"
    assert "in fail" in error["stack_trace"]
    assert "hush" not in json.dumps(messages)


def test_a_foreseen_failure_is_logged_without_its_traceback() -> None:
    def record_of(error: Exception) -> logging.LogRecord:
        try:
            raise error
        except Exception:
            return logging.LogRecord(
                "airbyte", logging.ERROR, "x.py", 1, "Stream %s", ("calls",), sys.exc_info()
            )

    chosen = entrypoint._WithoutTraceback()
    foreseen = record_of(AirbyteTracedException(message="Renew the subscription."))
    assert chosen.filter(foreseen)
    assert foreseen.getMessage() == "Stream calls: Renew the subscription."
    assert foreseen.exc_info is None
    unforeseen = record_of(KeyError("x"))
    assert chosen.filter(unforeseen)
    assert unforeseen.getMessage() == "Stream calls"
    assert unforeseen.exc_info is not None
