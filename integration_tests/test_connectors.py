"""A connector is a folder: what is read from it, and what it lacks while it is not finished."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from integration_tests.connectors import (
    ALL,
    CONNECTORS,
    EXAMPLES,
    ROOT,
    ConnectorFolder,
    connectors_in,
)
from integration_tests.new_provider import marks
from integration_tests.sandbox.switches import PROVIDERS
from integration_tests.sandboxes import sandbox_of
from integration_tests.snapshots import stored_versions

FILES = (
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "acceptance-test-config.yml",
    "icon.svg",
    "integration_tests/abnormal_state.json",
    "integration_tests/configured_catalog.json",
    "integration_tests/invalid_config.json",
    "integration_tests/sample_config.json",
    "integration_tests/sample_state.json",
    "metadata.yaml",
    "pyproject.toml",
    "{package}/__init__.py",
    "{package}/manifest.yaml",
    "{package}/py.typed",
    "{package}/source.py",
)


def missing(connector: ConnectorFolder, *, is_promised: bool) -> Iterator[str]:
    """A sentence for each thing that a connector lacks and that nothing else can tell."""
    name = connector.name
    for file in (file.format(package=connector.package) for file in FILES):
        if not (connector.folder / file).is_file():
            yield f"{name} has no file {file}."
    if sandbox_of(connector) is None:
        yield f"{name} has no sandbox: write integration_tests/sandbox.py in its folder."
    if not list(connector.folder.glob("unit_tests/test_*.py")):
        yield f"{name} has no tests of its requests in unit_tests/."
    if left := list(marks(connector)):
        yield f"{name} has places that are still to be filled in: {', '.join(left)}."
    if is_promised:
        snapshot = ROOT / "integration_tests" / "snapshots" / stored_versions()[-1] / name
        if not snapshot.is_dir():
            yield f"{name} has no snapshot of this version: run make snapshots."
        if not connector.page.is_file():
            yield f"{name} has no page for the user: write docs/sources/{connector.page.name}."


@pytest.mark.parametrize("provider", ALL)
def test_a_connector_has_all_that_cannot_be_derived(provider: str) -> None:
    assert list(missing(ALL[provider], is_promised=provider in CONNECTORS)) == []


def test_what_a_bare_folder_lacks_is_said(tmp_path: Path) -> None:
    (tmp_path / "source-acme-calls").mkdir()
    acme = connectors_in(tmp_path)["acme"]

    found = list(missing(acme, is_promised=True))

    assert found[:2] == [
        "source-acme-calls has no file CONTRIBUTING.md.",
        "source-acme-calls has no file LICENSE.",
    ]
    assert "source-acme-calls has no file source_acme_calls/manifest.yaml." in found
    assert found[-4:] == [
        "source-acme-calls has no sandbox: write integration_tests/sandbox.py in its folder.",
        "source-acme-calls has no tests of its requests in unit_tests/.",
        "source-acme-calls has no snapshot of this version: run make snapshots.",
        "source-acme-calls has no page for the user: write docs/sources/acme-calls.md.",
    ]


def test_only_folders_with_such_a_name_are_connectors(tmp_path: Path) -> None:
    for name in ("b-calls", "a1-calls", "A-calls", "-calls", "a", "1-calls"):
        (tmp_path / f"source-{name}").mkdir()

    assert list(connectors_in(tmp_path)) == ["a1", "b"]


def test_the_four_are_found_and_played() -> None:
    assert {*PROVIDERS} == {
        name for name, one in CONNECTORS.items() if not one.own_sandbox.exists()
    }
    assert ALL.keys() == CONNECTORS.keys() | EXAMPLES.keys()
    assert not CONNECTORS.keys() & EXAMPLES.keys()


def test_what_is_read_from_the_files() -> None:
    read = {
        provider: (
            connector.title,
            connector.cursor_field,
            connector.secret_keys,
            connector.source_class().__name__,
        )
        for provider, connector in CONNECTORS.items()
        if provider in PROVIDERS
    }

    assert read == {
        "amplemarket": (
            "Amplemarket",
            "created_at",
            ("api_key",),
            "SourceAmplemarketCalls",
        ),
        "intercom": ("Intercom", "updated_at", ("access_token",), "SourceIntercomCalls"),
        "openphone": ("Quo (OpenPhone)", "updated_at", ("api_key",), "SourceOpenphoneCalls"),
        "skipcall": ("Skipcall", "updated_at", ("api_key",), "SourceSkipcallCalls"),
    }


@contextmanager
def another_folder(parent: Path) -> Iterator[ConnectorFolder]:
    """A copy of a connector's folder under a name that there is not, in the checkout itself."""
    folder = parent / "source-temporary-calls"
    shutil.copytree(ROOT / "source-skipcall-calls", folder)
    (folder / "source_skipcall_calls").rename(folder / "source_temporary_calls")
    try:
        yield ConnectorFolder(folder)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("parent", ["", "examples"])
def test_a_new_folder_is_found_by_every_tool_at_once(parent: str, tmp_path: Path) -> None:
    """In a copy of the checkout: Make, mypy, pytest, the version's places, these tests."""
    ignored = shutil.ignore_patterns(".*", "build", "__pycache__", "benchmarks")
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=ignored)
    with another_folder(copy / parent) as connector:
        name = connector.folder.relative_to(copy).as_posix()

        def told(*command: str) -> str:
            done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
            return done.stdout + done.stderr

        assert f"-e ./{name}" in told("make", "--dry-run", "install")
        assert f"{name}/source_temporary_calls" in told("make", "--dry-run", "types")
        python = "from integration_tests.versions import places\n"
        python += "print(*(place.file for place in places()))"
        assert f"{name}/metadata.yaml" in told(sys.executable, "-c", python)
        settings = tomllib.loads((copy / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
        places = settings["pytest"]["ini_options"]["testpaths"]
        assert connector.folder / "unit_tests" in [one for p in places for one in copy.glob(p)]
        files = ("test_connectors.py", "test_manifests.py")
        paths = [f"integration_tests/{file}" for file in files]
        listed = told(sys.executable, "-m", "pytest", "--collect-only", "-q", *paths)
        assert "test_a_connector_has_all_that_cannot_be_derived[temporary]" in listed
        assert "test_no_problem_in_the_manifest[temporary]" in listed


def test_no_tool_lists_the_connectors() -> None:
    """Neither the settings of the tools nor the Makefile name one."""
    for file in ("Makefile", "pyproject.toml", ".importlinter", ".ci/run"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert [provider for provider in ALL if provider in text] == [], file


def test_a_manifest_that_is_found_says_its_provider() -> None:
    for provider, connector in ALL.items():
        text = connector.manifest.read_text(encoding="utf-8")
        assert f"provider: {provider}" in text
        assert yaml.safe_load(text)["type"] == "DeclarativeSource"
