"""`make certify`: what its parts do, and that its list agrees with the files; Airbyte's checks
themselves need an environment of their own, so no test here runs them.
"""

import json
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration_tests.certification import __main__ as certification
from integration_tests.certification import airbyte_checks
from integration_tests.certification.expectations import (
    BEGIN,
    DOCUMENT,
    END,
    RED,
    VACUOUS,
    Expectation,
    ExpectationError,
    expectations,
)
from integration_tests.certification.layout import (
    AS_CERTIFIED,
    AS_IT_STANDS,
    RUNS,
    lay_out,
    metadata_for,
)
from integration_tests.certification.verdicts import (
    FAIL,
    PASS,
    SKIPPED,
    Result,
    problems,
    table,
    unknown_checks,
    verdict,
)
from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.test_acceptance import RAN

HEAD = "| No. | Check | Run | Outcome | It says | Why |\n|---|---|---|---|---|---|"
ROW = "| 1 | `CheckPoetry` | both | red | lock is missing | There is another lock for all. |"
EXPECTED = Expectation(
    1, "CheckPoetry", RUNS, RED, "lock is missing", "There is another lock for all."
)
FAILED = Result(AS_IT_STANDS, "CheckPoetry", "source-acme-calls", FAIL, "poetry.lock is missing")


def document(*rows: str) -> str:
    return "\n".join(["# C", BEGIN, HEAD, *rows, END, ""])


def test_a_row_is_read() -> None:
    second = "| 2 | `CheckLinks` | as certified | vacuous | – | It asks for each of the links. |"
    assert expectations(document(ROW, second)) == (
        EXPECTED,
        Expectation(
            2, "CheckLinks", (AS_CERTIFIED,), VACUOUS, "–", "It asks for each of the links."
        ),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# C", "certification.md lacks the marks <!-- expected: begin --> and <!-- expected: e"),
        (document().replace("It says", "Says"), "The table of certification.md needs the columns"),
        (document(ROW.replace("1", "2", 1)), "Row 1 of the table in certification.md needs 6 cell"),
        (document(ROW.replace(" | both", "")), "Row 1 of the table in certification.md needs 6 ce"),
        (
            document(ROW.replace("both", "never")),
            "Row 1 .* needs one of as it stands, as certified,",
        ),
        (document(ROW.replace("red", "green")), "Row 1 .* and one of red, vacuous as its outcome"),
        (
            document(ROW.replace("lock is missing", "–")),
            "Row 1 .* needs what the check says, and a",
        ),
        (
            document(ROW.replace("is another lock for all", "is")),
            "Row 1 .* and a reason in a sente",
        ),
    ],
)
def test_a_row_of_another_form_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ExpectationError, match=sentence):
        expectations(text)


@pytest.mark.parametrize(
    ("result", "cell", "problem"),
    [
        (FAILED, "red 1", ""),
        (replace(FAILED, run=AS_CERTIFIED), "red 1", ""),
        (
            replace(FAILED, message="pyproject.toml\n is gone"),
            "FAILED",
            "CheckPoetry, as it stands, fails and says: pyproject.toml is gone",
        ),
        (
            replace(FAILED, check="CheckIcon", message="lock is missing"),
            "FAILED",
            "CheckIcon, as it stands, fails and says: lock is missing",
        ),
        (
            replace(FAILED, status=PASS),
            "UNEXPECTED",
            "CheckPoetry, as it stands, passes where row 1 of the table expects it to be red.",
        ),
        (
            replace(FAILED, status=SKIPPED),
            "UNEXPECTED",
            "CheckPoetry, as it stands, is skipped where row 1 of the table expects it to be red.",
        ),
        (replace(FAILED, check="CheckIcon", status=PASS), "pass", ""),
        (replace(FAILED, check="CheckIcon", status=SKIPPED), "skipped", ""),
    ],
)
def test_what_a_result_means(result: Result, cell: str, problem: str) -> None:
    found = verdict(result, [EXPECTED])
    assert (found.cell, found.problem) == (cell, problem)


def test_a_row_of_one_run_says_nothing_of_the_other() -> None:
    row = replace(EXPECTED, runs=(AS_CERTIFIED,))
    assert verdict(FAILED, [row]).cell == "FAILED"
    assert verdict(replace(FAILED, status=PASS), [row]).cell == "pass"
    assert verdict(replace(FAILED, run=AS_CERTIFIED), [row]).cell == "red 1"


def test_a_vacuous_pass_is_none_and_a_failure_of_such_a_check_is_one() -> None:
    row = replace(EXPECTED, outcome=VACUOUS, says="–")
    assert verdict(replace(FAILED, status=PASS), [row]).cell == "vacuous 1"
    assert verdict(FAILED, [row]).cell == "FAILED"


def test_a_problem_of_several_connectors_is_said_once() -> None:
    other = replace(FAILED, connector="source-other-calls")
    assert list(problems([verdict(FAILED, []), verdict(other, [])])) == [
        "source-acme-calls, source-other-calls:"
        " CheckPoetry, as it stands, fails and says: poetry.lock is missing"
    ]


def test_a_row_whose_check_is_gone_is_a_problem() -> None:
    assert list(unknown_checks([FAILED], [EXPECTED])) == [
        "Row 1 of the table expects CheckPoetry, as certified; it did not run."
    ]
    assert list(unknown_checks([FAILED, replace(FAILED, run=AS_CERTIFIED)], [EXPECTED])) == []


def test_the_table() -> None:
    icon = Result(AS_IT_STANDS, "CheckIcon", "source-acme-calls", PASS, "")
    results = [FAILED, replace(FAILED, connector="source-b-calls", status=PASS)]
    results += [icon, replace(icon, connector="source-b-calls", status=SKIPPED)]

    shown = table([verdict(result, [EXPECTED]) for result in results], AS_IT_STANDS)

    assert shown.splitlines() == [
        "as it stands  acme   b",
        "─" * len("CheckPoetry   red 1  UNEXPECTED"),
        "CheckPoetry   red 1  UNEXPECTED",
        "CheckIcon     pass   skipped",
    ]


def test_the_tree_is_that_of_airbytes_repository(tmp_path: Path) -> None:
    for run in RUNS:
        lay_out(run, CONNECTORS.values(), tmp_path / run)

    for connector in CONNECTORS.values():
        folders = [
            tmp_path / run / "airbyte-integrations/connectors" / connector.name for run in RUNS
        ]
        stands, certified = (
            yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))["data"]
            for folder in folders
        )
        own = connector.folder / "metadata.yaml"
        assert (folders[0] / "metadata.yaml").read_bytes() == own.read_bytes()
        assert (folders[1] / connector.package / "manifest.yaml").is_file()
        differing = {key for key in {*stands, *certified} if stands.get(key) != certified.get(key)}
        assert differing == {"documentationUrl", "supportLevel", "ab_internal"}
        # where Airbyte's checks look for the page of that address
        url = certified["documentationUrl"].removeprefix("https://docs.airbyte.com/")
        for run in RUNS:
            page = tmp_path / run / "docs" / f"{url}.md"
            assert page.read_bytes() == connector.page.read_bytes()


def test_the_metadata_is_not_changed_in_place() -> None:
    given: dict[str, Any] = {"data": {"supportLevel": "community"}}
    assert metadata_for(AS_IT_STANDS, given, "x") == {"data": {"supportLevel": "community"}}
    assert metadata_for(AS_CERTIFIED, given, "x")["data"]["supportLevel"] == "certified"
    assert given == {"data": {"supportLevel": "community"}}


def test_the_list_has_a_reason_for_each_check_that_cannot_pass() -> None:
    found = expectations(DOCUMENT.read_text(encoding="utf-8"))
    assert found
    assert len({(one.check, run) for one in found for run in one.runs}) == sum(
        len(one.runs) for one in found
    )
    assert [
        one.check for one in found if not re.fullmatch(r"(Check|Validate)[A-Za-z]+", one.check)
    ] == []


@pytest.mark.parametrize("provider", CONNECTORS)
def test_what_the_reasons_rest_on_is_so(provider: str) -> None:
    """A reason that is no longer true does not wait for `make certify` to be noticed."""
    connector = CONNECTORS[provider]
    data = yaml.safe_load((connector.folder / "metadata.yaml").read_text(encoding="utf-8"))["data"]
    project = (connector.folder / "pyproject.toml").read_text(encoding="utf-8")
    assert "docs.airbyte.com" not in data["documentationUrl"]
    assert "connectorBuildOptions" not in data
    assert data["registryOverrides"]["cloud"]["enabled"] is False
    assert "[tool.poetry" not in project
    assert not (connector.folder / "poetry.lock").exists()
    assert "For Airbyte Cloud" not in connector.page.read_text(encoding="utf-8")


def fake_python(place: Path, script: str) -> Path:
    """A program in place of the Python that has Airbyte's package."""
    program = place / "python"
    program.write_text(f"#!{sys.executable}\nimport json, sys\n{script}", encoding="utf-8")
    program.chmod(0o755)
    return program


PASSING = """
from pathlib import Path
results = [
    {"check": "CheckIcon", "connector": name, "status": "pass", "message": "good"}
    for name in sys.argv[3:]
    if Path("airbyte-integrations/connectors", name, "metadata.yaml").is_file()
]
Path(sys.argv[2]).write_text(json.dumps(results))
"""


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of its own, which expects nothing."""
    path = tmp_path / "certification.md"
    path.write_text(document(), encoding="utf-8")
    monkeypatch.setattr(certification, "DOCUMENT", path)
    return path


def test_the_command_ends_well_if_there_is_no_surprise(
    listed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(certification, "PYTHON", fake_python(tmp_path, PASSING))

    assert certification.main() == 0

    said = capsys.readouterr().out
    assert said.count("CheckIcon") == len(RUNS)
    assert said.splitlines()[0].split() == ["as", "it", "stands", *CONNECTORS]
    assert said.splitlines()[2].split() == ["CheckIcon", *("pass" for _ in CONNECTORS)]
    assert said.splitlines()[-1] == "Surprises: 0."


def test_the_command_ends_ill_on_a_failure_and_on_a_pass_that_is_not_expected(
    listed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing = PASSING.replace('"pass", "message": "good"', '"fail", "message": "bad"')
    monkeypatch.setattr(certification, "PYTHON", fake_python(tmp_path, failing))
    assert certification.main() == 1
    assert "CheckIcon, as certified, fails and says: bad" in capsys.readouterr().out

    row = "| 1 | `CheckIcon` | both | red | bad | No icon can be had for it. |"
    listed.write_text(document(row), encoding="utf-8")
    assert certification.main() == 0
    capsys.readouterr()
    monkeypatch.setattr(certification, "PYTHON", fake_python(tmp_path, PASSING))
    assert certification.main() == 1
    assert "CheckIcon, as it stands, passes where row 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (None, "Airbyte's checks are not installed: run make certify.\n"),
        ("raise KeyError('x')", "Airbyte's checks broke off: KeyError: 'x'\n"),
    ],
)
def test_the_command_says_in_a_sentence_why_it_could_not_run(
    script: str | None,
    sentence: str,
    listed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = tmp_path / "none" if script is None else fake_python(tmp_path, script)
    monkeypatch.setattr(certification, "PYTHON", program)
    assert certification.main() == 1
    assert capsys.readouterr().err == sentence


STANDIN = {
    "airbyte_ops_mcp/__init__.py": "",
    "airbyte_ops_mcp/connector_ops/__init__.py": "",
    "airbyte_ops_mcp/connector_ops/utils.py": """
class Connector:
    def __init__(self, name): self.name = name
    @property
    def is_released(self): raise AssertionError("asks the registry")
""",
    "airbyte_ops_mcp/connector_qa/__init__.py": "",
    "airbyte_ops_mcp/connector_qa/checks/__init__.py": """
from enum import Enum
from types import SimpleNamespace
import os
import socket
from . import metadata, version
class Status(Enum):
    PASSED, FAILED, SKIPPED = 1, 2, 3
class CheckNetwork:
    def run(self, connector):
        try:
            socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))).close()
        except OSError as error:
            return SimpleNamespace(status=Status.FAILED, message=error)
        return SimpleNamespace(status=Status.PASSED, message="somebody answers")
class CheckReleased:
    def run(self, connector):
        status = Status.SKIPPED if connector.is_released else Status.PASSED
        return SimpleNamespace(status=status, message=metadata.ValidatorOptions(docs_path="x"))
class CheckVersion(version.CheckVersionIncrement):
    def run(self, connector):
        found = self._get_master_metadata(connector)
        return SimpleNamespace(status=Status.SKIPPED, message=found)
ENABLED_CHECKS = (CheckNetwork(), CheckReleased(), CheckVersion())
""",
    "airbyte_ops_mcp/connector_qa/checks/metadata.py": """
def ValidatorOptions(docs_path, disable_dockerhub_checks=False):
    return disable_dockerhub_checks
""",
    "airbyte_ops_mcp/connector_qa/checks/version.py": """
class CheckVersionIncrement:
    def _get_master_metadata(self, connector): raise AssertionError("asks the repository")
""",
}


def test_the_checks_run_without_the_network(tmp_path: Path) -> None:
    """With a stand-in for Airbyte's package, whose checks ask what Airbyte's ask."""
    for name, text in STANDIN.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    report = tmp_path / "results.json"
    command = [sys.executable, airbyte_checks.__file__, str(report), "source-acme-calls"]

    with socket.create_server(("127.0.0.1", 0)) as server:
        variables = {"PYTHONPATH": str(tmp_path), "PORT": str(server.getsockname()[1])}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    refused = {"status": "fail", "message": "no network in this run"}
    named = {"connector": "source-acme-calls"}
    assert json.loads(report.read_text(encoding="utf-8")) == [
        {**named, "check": "CheckNetwork", **refused},
        {**named, "check": "CheckReleased", "status": "pass", "message": "True"},
        {**named, "check": "CheckVersion", "status": "skipped", "message": "None"},
    ]


def test_the_tool_has_a_lock_of_its_own() -> None:
    folder = Path(certification.__file__).parent
    lock = (folder / "requirements.lock").read_text(encoding="utf-8")
    version = re.findall(r"^airbyte-internal-ops==([\d.]+) \\$", lock, flags=re.MULTILINE)
    assert len(version) == 1
    assert lock.count("==") < lock.count("--hash=sha256:")
    assert "://" not in lock
    workspace = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "airbyte-internal-ops" not in workspace


def test_make_certify_installs_its_tool_and_runs_it() -> None:
    asked = ["make", "--dry-run", "--always-make", "certify"]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert ".venv-certify/bin/python --require-hashes -r" in said
    assert "-m integration_tests.certification" in said
    assert "certify" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_tests_that_the_document_names_are_there() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    found = set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", text))
    assert len(found) > 15
    for file, function in found:
        module = (ROOT / "integration_tests" / file).read_text(encoding="utf-8")
        assert f"\ndef {function}(" in module, (file, function)
    standard = {name.partition("[")[0] for name in RAN}
    assert [name for name in standard if f"`{name}`" not in text] == []
