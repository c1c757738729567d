"""The short programs to start from do what they say, with the real commands."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from calls_shared.normalization.columns import COLUMNS
from integration_tests.commands import ROOT, config_for
from integration_tests.connectors import CONNECTORS
from integration_tests.postgres import PASSWORD, USER, postgres, programs
from integration_tests.sandbox import Sandbox, World

Calls = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World(calls=60)) as found:
        yield found


def run(
    sandbox: Sandbox, folder: Path, program: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / program), *arguments],
        cwd=folder,
        env={**os.environ, "CALLS_SANDBOX_URL": sandbox.url},
        capture_output=True,
        text=True,
        check=False,
    )


def to_json_lines(sandbox: Sandbox, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "my.json").write_text(json.dumps(config_for("skipcall")))
    return run(
        sandbox, folder, "read_to_json_lines.py", "source-skipcall-calls", "my.json", "calls"
    )


def lines_in(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "calls" / "calls.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def as_a_reader_takes_them(lines: list[dict[str, Any]]) -> Calls:
    return {line["id"]: line for line in lines}


def test_json_lines_and_a_state_that_is_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    first = to_json_lines(sandbox, tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    lines = lines_in(tmp_path)
    assert as_a_reader_takes_them(lines) == sandbox.expected("skipcall")
    assert len(lines) == 60
    [state] = json.loads((tmp_path / "calls" / "state.json").read_text())
    assert state["stream"]["stream_descriptor"] == {"name": "calls"}
    sandbox.world.advance(24 * 30, deleted=0, late=0)
    again = to_json_lines(sandbox, tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    added = lines_in(tmp_path)[len(lines) :]
    assert as_a_reader_takes_them(lines + added) == sandbox.expected("skipcall")
    kept = as_a_reader_takes_them(lines)
    unchanged = {key for key, call in sandbox.expected("skipcall").items() if call == kept.get(key)}
    long_known = {key for key in unchanged if kept[key]["updated_at"] < "2026-09-01"}
    assert len(long_known) > 10
    assert [line["id"] for line in added if line["id"] in long_known] == []


def test_a_line_that_a_killed_run_cut_comes_again(sandbox: Sandbox, tmp_path: Path) -> None:
    to_json_lines(sandbox, tmp_path)
    file = tmp_path / "calls" / "calls.jsonl"
    (tmp_path / "calls" / "state.json").unlink()
    file.write_bytes(file.read_bytes()[:-40])
    assert to_json_lines(sandbox, tmp_path).returncode == 0
    lines = lines_in(tmp_path)  # each of them is whole
    assert len(lines) == 59 + 60
    assert as_a_reader_takes_them(lines) == sandbox.expected("skipcall")


def test_a_second_run_leaves_the_files_of_the_first(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    under_way = os.open(tmp_path / "calls", os.O_RDONLY)
    fcntl.flock(under_way, fcntl.LOCK_EX)
    done = to_json_lines(sandbox, tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "Another run reads into calls. Let it end first.\n",
    )
    assert list((tmp_path / "calls").iterdir()) == []
    os.close(under_way)
    assert to_json_lines(sandbox, tmp_path).returncode == 0


def test_a_refused_key_is_one_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.keys["skipcall"].clear()
    done = to_json_lines(sandbox, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Skipcall refused the API key (HTTP 401). Check the value of")
    assert done.stderr.count("\n") == 1
    assert lines_in(tmp_path) == []
    sandbox.keys["skipcall"].add(config_for("skipcall")["api_key"])
    assert to_json_lines(sandbox, tmp_path).returncode == 0
    assert as_a_reader_takes_them(lines_in(tmp_path)) == sandbox.expected("skipcall")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("source-skipcal-calls", "my.json", "calls"), "There is no command "),
        (("../bin", "my.json", "calls"), "There is no command "),
        (("source-skipcall-calls", "my.json", "my.json"), "my.json cannot be written to: "),
        (("source-skipcall-calls", "none.json", "calls"), "The file none.json given with --config"),
    ],
)
def test_json_lines_refuse_in_a_sentence(
    arguments: Sequence[str], sentence: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "my.json").write_text("{}")
    done = run(sandbox, tmp_path, "read_to_json_lines.py", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (
            "read_to_json_lines.py",
            "Name a connector's command, its configuration file and a folder for the calls.\n",
        ),
        (
            "pyairbyte_read.py",
            "Name a provider, such as skipcall, and the JSON file with its configuration.\n",
        ),
        (
            "pyairbyte_postgres.py",
            "Name a folder with a configuration for each provider, such as skipcall.json.\n",
        ),
    ],
)
def test_a_missing_argument_is_one_sentence(
    program: str, sentence: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    done = run(sandbox, tmp_path, program)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


REFUSED = (
    ("list.json", "[1]", "The configuration list.json cannot be read: it is no JSON object."),
    ("no-such-file.json", None, "The configuration no-such-file.json cannot be read: [Errno 2]"),
    ("cut.json", "{", "The configuration cut.json cannot be read: Expecting property name"),
    ("key.json", '{"api_key": "wrong-not-real"}', "Skipcall refused the API key (HTTP 401)."),
    ("empty.json", "{}", "The configuration lacks the key api_key (API key). Add it."),
)


def test_pyairbyte_into_duckdb_refuses_in_a_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    """In one process, since PyAirbyte takes long to load."""
    for name, content, _ in REFUSED:
        if content is not None:
            (tmp_path / name).write_text(content)
    script = f"""
import runpy, sys
for name in {[name for name, *_ in REFUSED]!r}:
    sys.argv = ["pyairbyte_read.py", "skipcall", name]
    try:
        runpy.run_path({str(ROOT / "examples" / "pyairbyte_read.py")!r}, run_name="__main__")
    except SystemExit as end:
        print("refused:", end.code, flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={
            **os.environ,
            "CALLS_SANDBOX_URL": sandbox.url,
            "AIRBYTE_LOGGING_ROOT": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("refused:")]
    for sentence, (_, _, wanted) in zip(said, REFUSED, strict=True):
        assert sentence.startswith(f"refused: {wanted}")


TWICE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from examples.pyairbyte_postgres import main
for line in sys.stdin:
    print("exit status", main(Path(line.strip())), flush=True)
"""


def kept_in(connection: psycopg.Connection[Any]) -> Mapping[str, Calls]:
    """All that the view shows, by provider and id; fails if an id is there twice."""
    found: dict[str, dict[str, Any]] = {provider: {} for provider in CONNECTORS}
    with connection.cursor() as cursor:
        names = [column.name for column in COLUMNS]
        for row in cursor.execute(f"SELECT {', '.join(names)} FROM all_calls").fetchall():
            call = {n: v for n, v in zip(names, row, strict=True) if v is not None}
            assert call["id"] not in found[call["provider"]]
            found[call["provider"]][call["id"]] = call
    return found


def as_postgres_has_it(calls: Calls) -> Calls:
    """Calls with their times as PyAirbyte's type has them: in UTC, and without saying so."""
    times = [column.name for column in COLUMNS if column.json_schema().get("format")]
    return {
        key: {
            name: datetime.fromisoformat(value).replace(tzinfo=None) if name in times else value
            for name, value in call.items()
            if value is not None
        }
        for key, call in calls.items()
    }


@pytest.mark.skipif(programs() is None, reason="PostgreSQL's server is not installed")
@pytest.mark.lasts(75)
def test_four_providers_in_one_postgres(sandbox: Sandbox, tmp_path: Path) -> None:
    """Read, a day passes, and one is read again beside one whose key is refused meanwhile.

    In one process, since PyAirbyte takes long to load.
    """
    again = ("skipcall",)
    for folder, providers in (("first", [*CONNECTORS]), ("again", [*again, "intercom"])):
        (tmp_path / folder).mkdir()
        for provider in providers:
            config = json.dumps(config_for(provider))
            (tmp_path / folder / f"{provider}.json").write_text(config)
    with postgres() as port, (tmp_path / "errors.txt").open("w") as errors:
        variables = {
            **os.environ,
            "CALLS_SANDBOX_URL": sandbox.url,
            "AIRBYTE_LOGGING_ROOT": str(tmp_path),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PGUSER": USER,
            "PGDATABASE": "postgres",
            "PGPASSWORD": PASSWORD,
        }
        command = [sys.executable, "-c", TWICE, str(ROOT)]
        with (
            psycopg.connect(
                host="127.0.0.1",
                port=port,
                user=USER,
                password=PASSWORD,
                dbname="postgres",
                autocommit=True,
            ) as database,
            subprocess.Popen(
                command,
                cwd=tmp_path,
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as reading,
        ):
            assert reading.stdin is not None
            assert reading.stdout is not None
            asked, told = reading.stdin, reading.stdout

            def read(folder: str) -> str:
                asked.write(f"{folder}\n")
                asked.flush()
                said = next((line for line in iter(told.readline, "") if line[:4] == "exit"), None)
                assert said is not None, (tmp_path / "errors.txt").read_text()
                return said

            assert read("first") == "exit status 0\n"
            first = {provider: sandbox.expected(provider) for provider in CONNECTORS}
            assert kept_in(database) == {
                provider: as_postgres_has_it(calls) for provider, calls in first.items()
            }
            # somebody builds on the view
            database.execute("CREATE VIEW answered AS SELECT id FROM all_calls WHERE answered")
            sandbox.world.advance(24, new=3, changed=3, deleted=1, late=1)
            sandbox.keys["intercom"].clear()
            assert read("again") == "exit status 1\n"
            # what was read before stays, also a call that is gone
            then = {
                provider: {**first[provider], **sandbox.expected(provider)} for provider in again
            }
            assert kept_in(database) == {
                provider: as_postgres_has_it(calls) for provider, calls in {**first, **then}.items()
            }
            asked.close()
    told_of = (tmp_path / "errors.txt").read_text().splitlines()
    [refusal] = [line for line in told_of if line.startswith("intercom: ")]
    assert refusal.startswith("intercom: Intercom refused the API key (HTTP 401). Check the value")
