"""Every command of the README runs, and its shown output is real."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration_tests import reliability_table
from integration_tests.commands import ROOT
from integration_tests.readme_columns import with_tables
from integration_tests.readme_commands import COMMANDS, TEXT, assert_shows
from integration_tests.sandbox import Sandbox, World
from release.packages import build

RUN_ELSEWHERE = {
    # `test_packages` does it in another folder
    "make dist",
    # `pip install` needs an environment of its own; the spec after it is that environment's
    "pip install --find-links dist source-skipcall-calls",
    "source-skipcall-calls spec",
    # `test_demo` asks them of the demo's file
    ".venv/bin/python -m examples.questions",
    # `test_acceptance` runs these very tests in each connector's folder
    "cd source-skipcall-calls && ../.venv/bin/airbyte-cdk connector test --pytest-arg=-m"
    ' --pytest-arg="not image_tests"',
    # `test_demo` runs it and looks into its file
    ".venv/bin/python examples/pyairbyte_read.py skipcall examples/skipcall.json",
    # `test_examples` has a Postgres for it
    ".venv/bin/python examples/pyairbyte_postgres.py my-providers/",
    # building takes a container engine and minutes
    "make images",
    # `test_deploy_page` runs them against a fake of the platform
    "make register",
    "make register CONNECTIONS=1",
}


def run(
    command: str, url: str, path: str | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "CALLS_SANDBOX_URL": url}
    if path is not None:
        variables["PATH"] = f"{path}{os.pathsep}{variables['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )


IN_A_TEST_BELOW = ("make demo", "mkdir -p .demo")


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (command, shown)
        for command, shown in COMMANDS
        if command not in RUN_ELSEWHERE and not command.startswith(IN_A_TEST_BELOW)
    ],
)
def test_a_command(command: str, shown: list[str], tmp_path: Path) -> None:
    with Sandbox(World()) as sandbox:
        done = run(command.replace(".demo/", f"{tmp_path}/"), sandbox.url)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_shows(done.stdout, shown)


def test_a_line_that_keeps_the_state(tmp_path: Path) -> None:
    """Run again it reads what is new; a read that fails leaves the last good state."""
    [line] = [command for command, _ in COMMANDS if command.startswith("mkdir -p .demo")]
    line = line.replace(".demo", str(tmp_path))

    def messages(kind: str) -> list[dict[str, Any]]:
        lines = (tmp_path / "messages.jsonl").read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        return [message[kind.lower()] for message in found if message["type"] == kind]

    def state() -> Any:
        return json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))

    with Sandbox(World(calls=60)) as sandbox:
        assert run(line, sandbox.url).returncode == 0
        first = messages("RECORD")
        assert {record["data"]["id"] for record in first} == sandbox.expected("skipcall").keys()
        assert [*state()[0]["stream"]] == ["stream_descriptor", "stream_state"]
        sandbox.world.advance(24, deleted=0)
        assert run(line, sandbox.url).returncode == 0
        calls = {record["data"]["id"]: record["data"] for record in messages("RECORD")}
        assert calls == sandbox.expected("skipcall")
        assert len(messages("RECORD")) < 2 * len(first)
        last = messages("STATE")[-1]
        assert state() == [last]
        sandbox.keys["skipcall"].clear()
        run(line, sandbox.url)
        assert (
            state()[0]["stream"]["stream_state"]["updated_at"]
            == (last["stream"]["stream_state"]["updated_at"])
        )


def test_make_demo() -> None:
    """It stands for the command whose output `test_demo` compares with the README."""
    target = run("make --no-print-directory --dry-run demo", "").stdout.splitlines()[-1].strip()
    assert target == ".venv/bin/python -m examples.demo"


def test_make_dist() -> None:
    target = run("make --no-print-directory --dry-run dist", "").stdout.splitlines()[-1].strip()
    assert target == ".venv/bin/python -m release.packages"


@pytest.mark.lasts(45)
def test_one_connector_alone_in_an_environment_of_its_own(tmp_path: Path) -> None:
    build(tmp_path / "dist")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "alone")], check=True)
    path = str(tmp_path / "alone" / "bin")
    # `test_packages` lets a program fetch all that it needs; pip takes half a minute for that
    uv = Path(sys.executable).with_name("uv")
    needed = f"--require-hashes --requirement {ROOT / 'runtime.lock'}"
    fetched = run(f"{uv} pip install --quiet --python {path}/python {needed}", "")
    assert fetched.returncode == 0, fetched.stderr[-3000:]
    quickly = "env PIP_NO_COMPILE=1"
    command = "pip install --quiet --find-links dist source-skipcall-calls"
    installed = run(f"{quickly} {command}", "", path, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr[-3000:]
    # in another folder, with another manifest.yaml in it
    (tmp_path / "manifest.yaml").write_text("nonsense: true", encoding="utf-8")
    variables = "env --unset=PYTHONPATH"
    spec = run(f"{variables} source-skipcall-calls spec", "", path, cwd=tmp_path)
    assert spec.returncode == 0, spec.stderr[-3000:]
    assert '"title":"Skipcall calls"' in spec.stdout
    with Sandbox(World(calls=120)) as sandbox:
        command = (
            f"source-skipcall-calls read --config {ROOT}/examples/skipcall.json"
            f" --catalog {ROOT}/examples/catalog.json"
        )
        read = run(command, sandbox.url, path, cwd=tmp_path)
        assert read.returncode == 0
        assert all(f'"id":"{call_id}"' in read.stdout for call_id in sandbox.expected("skipcall"))


def test_the_sandbox_command() -> None:
    target = run("make --no-print-directory --dry-run sandbox", "").stdout.splitlines()[-1].strip()
    assert target == ".venv/bin/python -m integration_tests.sandbox --port 8900"
    with subprocess.Popen(
        [sys.executable, "-m", "integration_tests.sandbox", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        process.terminate()


def test_the_tables_are_current() -> None:
    assert with_tables(TEXT) == TEXT


def test_the_table_of_what_was_tried_is_current() -> None:
    document = reliability_table.DOCUMENT.read_text(encoding="utf-8")
    assert reliability_table.with_table(document) == document


def test_every_make_target_is_listed() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    listed = set(re.findall(r"make ([a-z-]+)", run("make --no-print-directory help", "").stdout))
    assert targets == listed
    for named in re.findall(r"`make ([a-z-]+)", TEXT):
        assert named in targets
