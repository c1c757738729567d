"""`make new-provider`: what it lays out works at once, and what it refuses."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.commands import Outcome
from integration_tests.connector_documents import contributing_of, page_of
from integration_tests.connectors import ROOT, ConnectorFolder
from integration_tests.lint_manifests import problems_of
from integration_tests.marked_tables import with_tables
from integration_tests.new_provider import MARK, NewProviderError, lay_out, marks
from integration_tests.sandboxes import PlayedProvider, sandbox_of
from integration_tests.test_connectors import missing

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ConnectorFolder:
    """The folder of a new connector, laid out by the command in a copy of the checkout."""
    copy = tmp_path_factory.mktemp("made") / "checkout"
    ignored = shutil.ignore_patterns(".*", "build", "__pycache__", "benchmarks", "docs")
    shutil.copytree(ROOT, copy, ignore=ignored)
    said = python(copy, "integration_tests.new_provider", "acme", "--into", "examples")
    assert said.startswith("Made examples/source-acme-calls.")
    return ConnectorFolder(copy / "examples" / "source-acme-calls")


def python(checkout: Path, *arguments: str) -> str:
    """Run a module as in that checkout; its output."""
    path = os.pathsep.join(map(str, [checkout / "examples" / "source-acme-calls", checkout]))
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def program(made: ConnectorFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its console script, built and installed as `make install` does, but elsewhere."""
    place = tmp_path_factory.mktemp("installed")
    command = [str(BIN / "uv"), "pip", "install", "--quiet", "--offline", "--no-deps"]
    command += ["--no-build-isolation", "--python", sys.executable, "--target", str(place)]
    done = subprocess.run([*command, str(made.folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place / "bin" / "source-acme-calls"


@pytest.fixture
def sandbox(made: ConnectorFolder) -> Iterator[PlayedProvider]:
    make = sandbox_of(made)
    assert make is not None
    with make(250) as sandbox:
        yield sandbox


def run(program: Path, *arguments: str, sandbox: PlayedProvider | None = None) -> Outcome:
    variables = {**os.environ, "PYTHONPATH": str(program.parents[1])}
    if sandbox is not None:
        variables["CALLS_SANDBOX_URL"] = sandbox.url
    done = subprocess.run(
        [str(program), *arguments], env=variables, capture_output=True, text=True, check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_style_and_types_are_good(made: ConnectorFolder) -> None:
    checkout, folder = made.folder.parents[1], "examples/source-acme-calls"
    python(checkout, "ruff", "check", "--no-cache", folder)
    python(checkout, "ruff", "format", "--no-cache", "--check", folder)
    python(checkout, "mypy", f"{folder}/{made.package}")
    python(checkout, "mypy", f"{folder}/integration_tests")


def test_the_manifest_can_be_understood(made: ConnectorFolder) -> None:
    assert problems_of(made.manifest) == []


def test_nothing_lacks_but_what_is_marked(made: ConnectorFolder) -> None:
    (sentence,) = missing(made, is_promised=False)
    left = list(marks(made))
    assert sentence == (
        f"source-acme-calls has places that are still to be filled in: {', '.join(left)}."
    )
    marked = {place.partition(":")[0] for place in left}
    assert marked == {
        "CONTRIBUTING.md",
        "README.md",
        "integration_tests/sandbox.py",
        "metadata.yaml",
        "source_acme_calls/manifest.yaml",
        "unit_tests/test_requests.py",
    }
    files = (path for path in made.folder.rglob("*.*") if "__pycache__" not in path.parts)
    texts = [path.read_text(encoding="utf-8") for path in files if path.is_file()]
    assert [text for text in texts if re.search(r"@\w+@", text)] == []
    assert MARK == "FILL IN"


def test_the_commands_work_at_once(
    made: ConnectorFolder, program: Path, sandbox: PlayedProvider, tmp_path: Path
) -> None:
    files = made.folder / "integration_tests"
    config = ("--config", str(files / "sample_config.json"))
    catalog = ("--catalog", str(files / "configured_catalog.json"))

    (spec,) = run(program, "spec").of_type("SPEC")
    (discovered,) = run(program, "discover", *config).of_type("CATALOG")
    check = run(program, "check", *config, sandbox=sandbox)
    wrong = ("--config", str(files / "invalid_config.json"))
    refused = run(program, "check", *wrong, sandbox=sandbox)
    read = run(program, "read", *config, *catalog, sandbox=sandbox)

    assert spec["spec"]["connectionSpecification"]["title"] == "Acme calls"
    names = [stream["name"] for stream in discovered["catalog"]["streams"]]
    assert sorted(names) == ["calls", "listed_calls"]
    assert check.connection_status["status"] == "SUCCEEDED"
    assert refused.connection_status["status"] == "FAILED"
    assert "api_key" in refused.connection_status["message"]
    assert read.exit_status == 0, read.errors
    assert read.by_id() == sandbox.expected("acme")
    assert len(read.records()) == 250
    known = [{"provider": "acme", "id": name} for name in sandbox.expected("acme")]
    assert sorted(read.records("listed_calls"), key=str) == sorted(known, key=str)


def test_its_own_tests_pass(made: ConnectorFolder) -> None:
    said = python(made.folder.parents[1], "pytest", "-q", "examples/source-acme-calls")
    assert "4 passed" in said


def test_a_page_is_laid_out_where_there_are_pages(tmp_path: Path) -> None:
    (tmp_path / "docs" / "sources").mkdir(parents=True)

    made = lay_out("acme", tmp_path, "Acme Inc.")

    page = (tmp_path / "docs" / "sources" / "acme-calls.md").read_text(encoding="utf-8")
    assert page.startswith("# Acme Inc. calls\n")
    assert [place for place in marks(made) if place.startswith("docs/sources/acme-calls.md:")]
    assert re.search(r"@\w+@", page) is None
    whole = with_tables(page, {**page_of(made), "streams": lambda: "| those of discover |"}, "page")
    assert "<summary>Expand to review</summary>" in whole


def test_the_tables_of_what_is_laid_out_can_be_written(made: ConnectorFolder) -> None:
    text = (made.folder / "CONTRIBUTING.md").read_text(encoding="utf-8")
    written = with_tables(text, contributing_of(made, text), "CONTRIBUTING.md")
    assert "| HTTP 403, code `plan_required` | `fail` | `config_error` | FILL IN |" in written
    assert "| HTTP 429 | `wait` | `transient_error` |" in written


@pytest.mark.parametrize(
    "name", ["", "Aircall", "air-call", "air_call", "1call", "../x", "source-x", "naïve", "a b"]
)
def test_a_bad_name_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(NewProviderError, match=r"^'.*' cannot be the provider's name: .*\.$"):
        lay_out(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "source-acme-calls").mkdir()
    with pytest.raises(NewProviderError, match=r"^There is a folder source-acme-calls already; "):
        lay_out("acme", tmp_path)
    assert list((tmp_path / "source-acme-calls").iterdir()) == []
    with pytest.raises(NewProviderError, match=r"^There is a folder source-skipcall-calls already"):
        lay_out("skipcall", tmp_path)


def test_the_command_refuses_with_exit_status_1(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "integration_tests.new_provider", "Acme"]
    done = subprocess.run(
        [*command, "--into", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("'Acme' cannot be the provider's name")
    assert done.stderr.count("\n") == 1


def test_make_hands_the_name_on() -> None:
    command = [
        "make",
        "--no-print-directory",
        "--dry-run",
        "new-provider",
        "NAME=acme",
        "IN=examples",
    ]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = " ".join(said.replace("\\\n", " ").split())
    assert "-m integration_tests.new_provider 'acme' --into 'examples'" in words


def test_a_title_of_other_characters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NewProviderError, match="other characters"):
        lay_out("acme", tmp_path, "Acme: {x}")
    assert lay_out("acme", tmp_path, "Acme Inc. (Foo)").title == "Acme Inc. (Foo)"
