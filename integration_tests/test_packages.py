"""`make dist`: what the packages hold, that equal sources give equal files, and what they bring."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from integration_tests.commands import run_command
from integration_tests.connectors import ALL, CONNECTORS, ROOT
from integration_tests.versions import current_version
from release import ReleaseError
from release.dates import source_date_epoch
from release.packages import build, file_names, main

VERSION = current_version()
EVERY = {
    "calls_shared": ROOT / "shared",
    **{one.package: one.folder for one in CONNECTORS.values()},
}
"""The folder of each import package that is built."""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build(folder)
    return folder


def distribution(package: str) -> str:
    """What the files of a package are named after."""
    return "airbyte_calls_shared" if package == "calls_shared" else package


def wheel(dist: Path, package: str) -> Path:
    return dist / f"{distribution(package)}-{VERSION}-py3-none-any.whl"


def sdist(dist: Path, package: str) -> Path:
    return dist / f"{distribution(package)}-{VERSION}.tar.gz"


def sources(package: str) -> dict[str, bytes]:
    """The files of an import package, by their paths in a wheel."""
    folder = EVERY[package]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_there_is_a_wheel_and_a_source_distribution_of_each(dist: Path) -> None:
    made = {file.name for file in dist.iterdir()}

    assert made == {file.name for p in EVERY for file in (wheel(dist, p), sdist(dist, p))}
    assert made == {*file_names()}
    assert len(made) == 2 * (1 + len(CONNECTORS))


@pytest.mark.parametrize("package", EVERY)
def test_a_wheel_holds_the_package_and_nothing_else(dist: Path, package: str) -> None:
    with ZipFile(wheel(dist, package)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    information = f"{distribution(package)}-{VERSION}.dist-info/"
    described = {name: held.pop(name) for name in [*held] if name.startswith(information)}

    assert held == sources(package)
    assert f"{package}/py.typed" in held
    assert package == "calls_shared" or f"{package}/manifest.yaml" in held
    assert described[f"{information}licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def metadata_of(file: Path, package: str) -> Message:
    with ZipFile(file) as archive:
        text = archive.read(f"{distribution(package)}-{VERSION}.dist-info/METADATA")
    return Parser().parsestr(text.decode())


@pytest.mark.parametrize("package", EVERY)
def test_what_a_wheel_says_of_itself(dist: Path, package: str) -> None:
    found = metadata_of(wheel(dist, package), package)
    project = tomllib.loads((EVERY[package] / "pyproject.toml").read_text("utf-8"))["project"]

    assert canonicalize_name(found["Name"]) == distribution(package).replace("_", "-")
    assert found["Version"] == VERSION
    assert found["License-Expression"] == "MIT"
    assert found.get_all("License-File") == ["LICENSE"]
    assert found["Description-Content-Type"] == "text/markdown"
    assert str(found.get_payload()).strip() == (EVERY[package] / "README.md").read_text().strip()
    said = {Requirement(one) for one in found.get_all("Requires-Dist") or []}
    assert said == {Requirement(one) for one in project["dependencies"]}
    assert {one.name for one in said} - {"airbyte-calls-shared"} == {"airbyte-cdk", "pyyaml"}


@pytest.mark.parametrize("package", EVERY)
def test_a_source_distribution_holds_what_a_build_needs(
    dist: Path, package: str, tmp_path: Path
) -> None:
    with tarfile.open(sdist(dist, package)) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    held = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}

    assert held == {
        *sources(package),
        ".gitignore",  # of the checkout; hatchling adds it and has no setting against it
        "LICENSE",
        "README.md",
        "PKG-INFO",
        "pyproject.toml",
    }
    if package == "source_skipcall_calls":  # one is enough: it takes as long as all the rest
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path), "-t", "wheel"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(source_date_epoch({}))}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        assert wheel(tmp_path, package).read_bytes() == wheel(dist, package).read_bytes()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What a build reads, in another folder and without git; all files are new."""
    checkout = tmp_path / "elsewhere"
    ignored = shutil.ignore_patterns("build", "__pycache__", ".tmp")
    for folder in EVERY.values():
        shutil.copytree(
            folder, checkout / folder.name, ignore=ignored, copy_function=shutil.copyfile
        )
    for file in ("CHANGELOG.md", "pyproject.toml", ".gitignore"):
        shutil.copyfile(ROOT / file, checkout / file)
    return checkout


def test_equal_sources_give_equal_files_wherever_they_lie(dist: Path, copy: Path) -> None:
    made = build(copy / "dist", copy)

    assert {file.name: file.read_bytes() for file in made} == {
        file.name: file.read_bytes() for file in dist.iterdir()
    }


def test_what_lies_about_in_a_folder_is_not_packed(copy: Path) -> None:
    (copy / ".gitignore").unlink()
    folder = copy / "source-skipcall-calls"
    for name in ("secrets/config.json", ".env", "my.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text('{"api_key": "made-up-and-not-real"}', encoding="utf-8")

    build(copy / "dist", copy)

    with tarfile.open(sdist(copy / "dist", "source_skipcall_calls")) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert "source_skipcall_calls/manifest.yaml" in names
    assert not {"secrets/config.json", ".env", "my.json"} & {*names}


def test_packages_of_several_versions_are_refused(copy: Path) -> None:
    file = copy / "source-skipcall-calls" / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f'version = "{VERSION}"', 'version = "9.9.9"'), encoding="utf-8")

    with pytest.raises(ReleaseError, match=f"not all have the version {VERSION}; name it every"):
        build(copy / "dist", copy)


def test_what_cannot_be_built_is_said_in_a_sentence(copy: Path) -> None:
    (copy / "shared" / "README.md").unlink()

    with pytest.raises(ReleaseError, match=r"^shared cannot be built: .*README\.md"):
        build(copy / "dist", copy)


def test_the_date_of_the_files() -> None:
    dates = re.findall(r"(?m)^## \[.+\] - (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    midnight = subprocess.run(
        ["date", "--utc", f"--date={dates[0]}", "+%s"], capture_output=True, text=True, check=True
    ).stdout

    assert source_date_epoch({}) == int(midnight)
    assert source_date_epoch({"SOURCE_DATE_EPOCH": "86400"}) == 86400


def test_a_date_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")

    assert main([str(tmp_path / "dist")]) == 1

    said = "SOURCE_DATE_EPOCH must be a number of seconds since 1970, not 'yesterday'.\n"
    assert capsys.readouterr().err == said


def test_each_folder_has_the_licence() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    folders = [ROOT / "shared", *(one.folder for one in ALL.values())]
    template = ROOT / "integration_tests" / "new_provider" / "template" / "LICENSE.txt"

    copies = [*(folder / "LICENSE" for folder in folders), template]
    assert {file.read_text(encoding="utf-8") for file in copies} == {licence}


# What a connector brings


def locked(file: str) -> dict[tuple[str, str], tuple[str, frozenset[str]]]:
    """Version and hashes, by name and marker."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[tuple[str, str], tuple[str, frozenset[str]]] = {}
    for line in text.splitlines():
        words, *hashes = line.split("--hash=")
        requirement = Requirement(words)
        (version,) = requirement.specifier
        found[canonicalize_name(requirement.name), str(requirement.marker or "")] = (
            version.version,
            frozenset(one.strip() for one in hashes),
        )
    return found


def needed(names: Iterator[Requirement]) -> Iterator[str]:
    """The names of what is installed here because it is needed, at any remove."""
    waiting, seen = [*names], set()
    while waiting:
        one = waiting.pop()
        for extra in ("", *one.extras):
            if (name := canonicalize_name(one.name), extra) not in seen:
                seen.add((name, extra))
                others = map(Requirement, requires(name) or [])
                waiting += [
                    other
                    for other in others
                    if other.marker is None or other.marker.evaluate({"extra": extra})
                ]
    return iter({name for name, _ in seen})


def direct_dependencies() -> Iterator[Requirement]:
    """What the packages name in their `pyproject.toml`, but each other."""
    for folder in EVERY.values():
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        for dependency in map(Requirement, project["project"]["dependencies"]):
            if dependency.name != "airbyte-calls-shared":
                yield dependency


def here(lock: dict[tuple[str, str], object]) -> set[str]:
    """The names that a lock has for this Python and system."""
    empty = Requirement("x").marker
    assert empty is None
    return {
        name
        for name, marker in lock
        if not marker or Requirement(f"x; {marker}").marker.evaluate()  # type: ignore[union-attr]
    }


def test_the_runtime_lock_is_part_of_the_lock_that_the_tests_run_with() -> None:
    runtime, whole = locked("runtime.lock"), locked("requirements.lock")

    assert all(hashes for _, hashes in runtime.values())
    versions = {(name, version): hashes for (name, _), (version, hashes) in whole.items()}
    assert {
        name: version
        for (name, _), (version, hashes) in runtime.items()
        if versions.get((name, version)) != hashes
    } == {}


def test_the_runtime_lock_holds_what_a_connector_needs_and_nothing_else() -> None:
    assert here({**locked("runtime.lock")}) == {*needed(direct_dependencies())}


def test_the_document_counts_what_a_connector_brings() -> None:
    text = (ROOT / "docs" / "packages-and-images.md").read_text(encoding="utf-8")
    linux = {
        name
        for name, marker in locked("runtime.lock")
        if "win32" not in marker and ">= '3.12'" not in marker
    }

    (said,) = re.findall(r"brings (\d+) packages", text)
    assert int(said) == len(linux)


@pytest.mark.skipif(find_spec("airbyte") is None, reason="PyAirbyte is not for this Python")
@pytest.mark.lasts(30)
def test_pyairbyte_installs_from_the_packages(dist: Path, tmp_path: Path) -> None:
    """In a process of its own, which has the program `uv` on its path, as PyAirbyte wants it."""
    connector = CONNECTORS["skipcall"]
    code = """
import json, pathlib, sys
import airbyte
name, dist, folder = sys.argv[1:]
source = airbyte.get_source(
    name,
    pip_url=f"--find-links {dist} {name}",
    install_root=pathlib.Path(folder),
)
pathlib.Path(folder, "spec.json").write_text(json.dumps(source.config_spec), encoding="utf-8")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, connector.name, str(dist), str(tmp_path)],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "AIRBYTE_OFFLINE_MODE": "1",
            "DO_NOT_TRACK": "1",
            "AIRBYTE_LOGGING_ROOT": str(tmp_path / "logs"),
            "AIRBYTE_TEMP_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (spec,) = run_command("skipcall", ["spec"]).of_type("SPEC")
    told = json.loads((tmp_path / "spec.json").read_text(encoding="utf-8"))
    assert told == spec["spec"]["connectionSpecification"]
    assert (tmp_path / f".venv-{connector.name}" / "bin" / connector.name).is_file()
