"""`make demo`, run as a user does, against truth from the sandbox's world."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from examples import demo
from examples.demo_report import Changes, changes_of, remember, report, runs_so_far
from examples.demo_tables import hours_of
from examples.questions import answers
from integration_tests.question_truth import true_answers
from integration_tests.readme_commands import COMMANDS, assert_shows
from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.switches import PROVIDERS

ROOT = Path(__file__).parent.parent
CALLS = 400
"""As many as the demo makes by default."""
COLUMNS = ("direction", "status", "answered", "talk_seconds", "user_name")

Truth = dict[str, dict[str, dict[str, Any]]]
"""By provider and id: the columns of the call that are not null."""

needs_pyairbyte = pytest.mark.skipif(find_spec("airbyte") is None, reason="needs Python < 3.13")


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def run_demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run whose network is a proxy that does not exist: only loopback can be reached."""
    proxy = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return run_python("-m", "examples.demo", "--folder", str(folder), *arguments, **proxy)


def truth_after(days: int) -> Truth:
    sandbox = Sandbox(demo.sandbox_world(CALLS, days))
    return {provider: sandbox.expected(provider) for provider in PROVIDERS}


def table_in(output: str, title: str) -> list[list[str]]:
    """The cells of the printed table whose first column has this title, by line."""
    lines = [re.split(r" {2,}", line.strip()) for line in output.splitlines()]
    first = next(number for number, cells in enumerate(lines) if cells[0] == title)
    return lines[first + 2 : lines.index([""], first + 2)]


def kept_calls(truth: Truth) -> list[dict[str, Any]]:
    """The calls that are not marked as deleted."""
    return [call for calls in truth.values() for call in calls.values() if "deleted_at" not in call]


def table_of(truth: Truth) -> list[list[str]]:
    """The cells that the table of providers must have for these calls."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for call in kept_calls(truth):
        key = (call["provider"], call.get("direction", "unknown"))
        groups.setdefault(key, []).append(call)
    lines = []
    for (provider, direction), calls in sorted(groups.items()):
        answers = [call["answered"] for call in calls if "answered" in call]
        answerers = [call["answered_by_type"] for call in calls if "answered_by_type" in call]
        line = [
            provider,
            direction,
            f"{len(calls):,}",
            f"{sum(answers)} of {len(answers)} known" if answers else "–",
            f"{answerers.count('human')} of {len(answerers)}" if answerers else "–",
        ]
        for column in ("duration_seconds", "talk_seconds"):
            known = [call[column] for call in calls if column in call]
            hours, rest = divmod(sum(known), 3600)
            line.append(f"{hours:,}:{rest // 60:02d}:{rest % 60:02d}" if known else "–")
        lines.append(line)
    return lines


def outcomes_of(truth: Truth) -> set[tuple[str, ...]]:
    """The lines that the table of outcomes must have for these calls."""
    counts = Counter(
        (call.get("status", "not given"), call.get("answered"), call["provider"])
        for call in kept_calls(truth)
    )
    words = {True: "yes", False: "no", None: "not known"}
    return {
        (
            status,
            words[answered],
            *(str(counts[status, answered, provider] or "–") for provider in sorted(PROVIDERS)),
        )
        for status, answered, _ in counts
    }


def deleted_in(truth: Truth) -> str:
    """What the demo must say of the calls that are marked as deleted; Skipcall's alone are."""
    deleted = sum("deleted_at" in call for call in truth["skipcall"].values())
    assert deleted
    return f"marked as deleted ({deleted} of skipcall).\n"


def assert_shows_truth(output: str, truth: Truth) -> None:
    assert table_in(output, "Provider") == table_of(truth)
    outcomes = [tuple(cells) for cells in table_in(output, "Status")]
    assert len(outcomes) == len(set(outcomes))
    assert set(outcomes) == outcomes_of(truth)
    assert deleted_in(truth) in output


def assert_answers(database: Path, truth: Truth) -> None:
    """The five questions, asked of the file, are answered as the true calls say."""
    calls = [call for of_provider in truth.values() for call in of_provider.values()]
    for (question, answer), expected in zip(answers(database), true_answers(calls), strict=True):
        rows = [
            tuple(round(cell, 6) if isinstance(cell, float) else cell for cell in row)
            for row in answer.rows
        ]
        assert len(rows) == len(set(rows))
        assert set(rows) == expected, question.text
        # "no" stands for the providers, and only for those, that an answer leaves out
        silent = {name for name, text in question.providers.items() if text == "no"}
        assert {row[0] for row in rows} == question.providers.keys() - silent


def synced(output: str) -> dict[str, dict[str, int]]:
    """What the line of each provider says: the calls read, then what became of them."""
    found: dict[str, dict[str, int]] = {}
    for provider, read, text in re.findall(
        r"^  (\w+) +(\d+) calls in +[\d.]+ s: (.*)$", output, re.M
    ):
        parts = re.findall(r"(\d+) (new|changed|re-read unchanged)", text)
        found[provider] = {"read": int(read)} | {kind: int(number) for number, kind in parts}
    return found


def stored(database: Path) -> Truth:
    """The calls in the DuckDB file; fails if an id is there twice."""
    found: Truth = {}
    columns = ("id", "provider", *COLUMNS, "provider_record")
    with duckdb.connect(str(database), read_only=True) as connection:
        for provider in PROVIDERS:
            query = f"SELECT {', '.join(columns)} FROM {provider}.calls"
            rows = connection.execute(query).fetchall()
            calls = found[provider] = {}
            for row in rows:
                call = {n: v for n, v in zip(columns, row, strict=True) if v is not None}
                call["provider_record"] = json.loads(call["provider_record"])
                assert call["id"] not in calls
                calls[call["id"]] = call
    return found


def picked(truth: Truth) -> Truth:
    """The truth in the columns that `stored` reads."""
    columns = ("id", "provider", *COLUMNS, "provider_record")
    return {
        provider: {
            key: {name: call[name] for name in columns if name in call}
            for key, call in calls.items()
        }
        for provider, calls in truth.items()
    }


@needs_pyairbyte
@pytest.mark.lasts(150)
def test_two_runs_agree_with_the_sandbox(tmp_path: Path) -> None:
    before, after = truth_after(days=0), truth_after(days=1)
    folder = tmp_path / ".demo"
    database = folder / "calls.duckdb"

    first = run_demo(folder)
    assert (first.returncode, first.stderr) == (0, "")
    (readme,) = [shown for command, shown in COMMANDS if command == "make demo"]
    assert_shows(first.stdout.replace(f"{tmp_path}/", ""), readme)
    assert_shows_truth(first.stdout, before)
    assert_answers(database, before)
    asked = run_python("-m", "examples.questions", str(database))
    assert (asked.returncode, asked.stderr) == (0, "")
    (readme,) = [shown for command, shown in COMMANDS if "examples.questions" in command]
    assert_shows(asked.stdout, readme)
    assert synced(first.stdout) == {
        provider: {"read": len(calls), "new": len(calls)} for provider, calls in before.items()
    }
    assert stored(database) == picked(before)
    assert f"All calls are in {database}." in first.stdout
    assert "\x1b" not in first.stdout
    [command] = re.findall(r"^  (.*python.* -c .*)$", first.stdout, re.MULTILINE)
    shown = subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = set(re.findall(r"│ intercom +│ (\d+) +│", shown.stdout))
    assert len(listed) == 5
    assert listed <= before["intercom"].keys()

    second = run_demo(folder)
    assert (second.returncode, second.stderr) == (0, "")
    # What vanished at the provider stays: no list says that it is gone.
    kept = {provider: before[provider] | after[provider] for provider in PROVIDERS}
    assert_shows_truth(second.stdout, kept)
    assert_answers(database, kept)
    assert stored(database) == picked(kept)
    for provider, said in synced(second.stdout).items():
        old, new = before[provider], after[provider]
        assert said["new"] == len(new.keys() - old.keys())
        assert said["changed"] == sum(
            old[key]["provider_record"] != new[key]["provider_record"]
            for key in old.keys() & new.keys()
        )
        assert said["read"] == said["new"] + said["changed"] + said.get("re-read unchanged", 0)
    assert [*synced(second.stdout)] == [*PROVIDERS]
    assert runs_so_far(database) == 2


@needs_pyairbyte
@pytest.mark.lasts(30)
def test_a_read_that_fails_shows_the_connectors_own_sentence(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from examples import demo
from integration_tests.sandbox import Sandbox
folder = Path(sys.argv[1])
demo.set_environment(folder)
with Sandbox(demo.sandbox_world(10, 0)) as sandbox, demo.quiet(folder):
    os.environ["CALLS_SANDBOX_URL"] = sandbox.url
    from examples import demo_sync
    connector = demo_sync.prepare("skipcall", demo.sandbox_config("skipcall"), is_checked=False)
    sandbox.keys["skipcall"].clear()
    with demo_sync.cache_of(folder / "calls.duckdb", "skipcall", folder / "tmp") as cache:
        try:
            demo_sync.sync(connector, cache)
        except demo.DemoError as error:
            message = error
print(message)
"""
    result = run_python("-c", script, str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "skipcall: Skipcall refused the API key (HTTP 401). Check the value of api_key: it may be "
        "mistyped, revoked or expired. Skipcall says: Invalid or revoked API key\n"
    )


@needs_pyairbyte
@pytest.mark.lasts(30)
def test_a_config_that_the_connector_refuses(tmp_path: Path) -> None:
    config = tmp_path / "my.json"
    config.write_text('{"api_key": 987654321}')
    result = run_demo(tmp_path, "--provider", "skipcall", "--config", str(config))
    assert result.returncode == 1
    assert result.stderr == (
        "skipcall: The configuration key api_key is not valid: it must be a text.\n"
    )
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file != config]
    assert [file for file in files if b"987654321" in file.read_bytes()] == []


def test_make_hands_the_path_of_a_configuration_on_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / """my "first" config'; touch ended.json"""

    done = subprocess.run(
        ["make", "--no-print-directory", "demo", "PROVIDER=skipcall", f"CONFIG={path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    said = f"The configuration {path} cannot be read: No such file or directory."
    assert said in done.stderr.splitlines()
    assert not (ROOT / "ended.json").exists()


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (
            ["--provider", "aircall"],
            None,
            "There is no provider 'aircall'; choose one of intercom, openphone, amplemarket, "
            "skipcall.",
        ),
        (
            ["--config", "my.json"],
            "{}",
            "A configuration belongs to one provider: name it too, with PROVIDER= (without make: "
            "--provider).",
        ),
        (
            ["--provider", "skipcall", "--config", "my.json"],
            None,
            "The configuration my.json cannot be read: No such file or directory.",
        ),
        (
            ["--provider", "skipcall", "--config", "my.json"],
            '{"api_key": "secret"',
            "The configuration my.json is not JSON.",
        ),
        (
            ["--provider", "skipcall", "--config", "my.json"],
            '["secret"]',
            "The configuration my.json is not a JSON object.",
        ),
    ],
)
def test_a_mistake_is_named_in_one_sentence(
    arguments: list[str],
    text: str | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("my.json").write_text(text)
    assert demo.main(arguments) == 1
    assert capsys.readouterr() == ("", f"{message}\n")
    assert [path.name for path in tmp_path.iterdir()] == ([] if text is None else ["my.json"])


def test_without_pyairbyte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "airbyte", None)
    assert demo.main(["--folder", str(tmp_path)]) == 1
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("The demo loads with PyAirbyte, which is not installed here: it needs")
    assert error.count("\n") == 1


@needs_pyairbyte
@pytest.mark.parametrize(
    ("sandbox_url", "database", "said"),
    [
        (None, "real_calls.duckdb", "Reading skipcall itself, with "),
        (
            "http://127.0.0.1:9",
            "rehearsal_calls.duckdb",
            "Reading the sandbox at http://127.0.0.1:9, not skipcall itself, with ",
        ),
    ],
)
def test_real_calls_and_a_rehearsal_never_share_a_file(
    sandbox_url: str | None,
    database: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = []

    def sync_all(options: Any, configs: Any, console: Any) -> None:
        seen.append((options.database, dict(configs), os.environ.get("CALLS_SANDBOX_URL")))

    monkeypatch.setattr(demo, "sync_all", sync_all)
    monkeypatch.delenv("CALLS_SANDBOX_URL", raising=False)
    if sandbox_url is not None:
        monkeypatch.setenv("CALLS_SANDBOX_URL", sandbox_url)
    config = tmp_path / "my.json"
    config.write_text('{"api_key": "mine"}')
    with patch.dict(os.environ):
        arguments = ["--folder", str(tmp_path), "--provider", "skipcall", "--config", str(config)]
        assert demo.main(arguments) == 0
    assert seen == [(tmp_path / database, {"skipcall": {"api_key": "mine"}}, sandbox_url)]
    output = capsys.readouterr().out
    assert output.startswith(f"{said}{config}\n")
    assert output.endswith("No calls yet.\n")


@needs_pyairbyte
def test_a_file_in_use_is_named(tmp_path: Path) -> None:
    database = tmp_path / "calls.duckdb"
    with duckdb.connect(str(database)):
        result = run_demo(tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"{database} cannot be opened; close it in other programs.\n"


def test_changes_are_counted_by_id_and_record(tmp_path: Path) -> None:
    database = tmp_path / "calls.duckdb"

    def write(*statements: str) -> None:
        with duckdb.connect(str(database)) as connection:
            for statement in statements:
                connection.execute(statement)

    remember(database, "skipcall")
    write(
        "CREATE SCHEMA skipcall",
        "CREATE TABLE skipcall.calls (id TEXT, provider_record JSON, _airbyte_raw_id TEXT, "
        "_airbyte_extracted_at TIMESTAMP, provider TEXT, direction TEXT, answered BOOLEAN, "
        "talk_seconds BIGINT, status TEXT, answered_by_type TEXT, duration_seconds BIGINT, "
        "deleted_at TIMESTAMP)",
        "INSERT INTO skipcall.calls VALUES "
        "('a', '{\"n\":1}', '1', '2025-10-01', "
        "'skipcall', NULL, true, 3599, 'completed', 'human', 3605, NULL), "
        "('b', '{\"n\":1}', '2', '2025-10-01', "
        "'skipcall', NULL, NULL, NULL, NULL, NULL, NULL, NULL), "
        "('c', '{\"n\":1}', '3', '2025-10-01', "
        "'skipcall', NULL, false, 3601, 'no-answer', NULL, 5, NULL)",
    )
    assert changes_of(database, "skipcall") == Changes(new=3, changed=0, unchanged=0)

    remember(database, "skipcall")
    write(
        "UPDATE skipcall.calls SET _airbyte_raw_id = '4' WHERE id = 'a'",
        "UPDATE skipcall.calls SET _airbyte_raw_id = '5', provider_record = '{\"n\":2}' "
        "WHERE id = 'b'",
        # One sync read the new call d three times, and PyAirbyte inserted each.
        "INSERT INTO skipcall.calls VALUES "
        "('d', '{\"n\":1}', '7', '2025-10-02', "
        "'skipcall', 'inbound', true, 1, NULL, NULL, 1, NULL), "
        "('d', '{\"n\":3}', '6', '2025-10-03', "
        "'skipcall', 'outbound', NULL, NULL, 'completed', NULL, NULL, NULL), "
        "('d', '{\"n\":2}', '8', '2025-10-02', "
        "'skipcall', 'inbound', true, 1, NULL, NULL, 1, NULL)",
    )
    changes = changes_of(database, "skipcall")
    assert changes == Changes(new=1, changed=1, unchanged=1)
    assert str(changes) == "1 new, 1 changed, 1 re-read unchanged"
    write("UPDATE skipcall.calls SET deleted_at = '2025-10-04' WHERE id = 'b'")
    assert report(database, ["skipcall"]) == (
        [
            ("skipcall", "outbound", 1, 0, 0, 0, 0, None, None),
            ("skipcall", "unknown", 2, 1, 2, 1, 1, 3610, 7200),
        ],
        [
            ("completed", True, "skipcall", 1),
            ("completed", None, "skipcall", 1),
            ("no-answer", False, "skipcall", 1),
        ],
        {"skipcall": 1},
    )
    assert report(database, ["intercom"]) == ([], [], {})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (3599, "0:59:59"), (3661, "1:01:01"), (3.6e6, "1,000:00:00")],
)
def test_talk_time_reads_as_hours(seconds: float, text: str) -> None:
    assert hours_of(int(seconds)) == text


@needs_pyairbyte
@pytest.mark.lasts(30)
def test_the_short_example_reads_a_connector(tmp_path: Path) -> None:
    (tmp_path / "my.json").write_text(json.dumps(demo.sandbox_config("skipcall")))
    with Sandbox(demo.sandbox_world(20, 0)) as sandbox:
        result = subprocess.run(
            [sys.executable, str(ROOT / "examples" / "pyairbyte_read.py"), "skipcall", "my.json"],
            cwd=tmp_path,
            env={
                **os.environ,
                "CALLS_SANDBOX_URL": sandbox.url,
                "AIRBYTE_OFFLINE_MODE": "1",
                "AIRBYTE_LOGGING_ROOT": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        expected = sandbox.expected("skipcall")
    assert result.returncode == 0, result.stderr
    assert set(re.findall(r"[0-9a-f-]{36}", result.stdout)) == expected.keys()
    with duckdb.connect(str(tmp_path / "calls.duckdb"), read_only=True) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM skipcall.calls").fetchall()]
    assert sorted(ids) == sorted(expected)
