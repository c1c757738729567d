"""One version in all places, and an entry of the changelog for it."""

import re
import shutil
import tomllib
from collections import Counter
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest
import yaml

from integration_tests.connectors import ALL, ROOT
from integration_tests.snapshots import stored_versions
from integration_tests.versions import CHANGELOG, current_version, places, set_version

FOLDERS = [connector.folder.relative_to(ROOT).as_posix() for connector in ALL.values()]
FILES = {
    "pyproject.toml": 1,
    "shared/pyproject.toml": 1,
    "Dockerfile": 1,
    **{f"{folder}/pyproject.toml": 2 for folder in FOLDERS},
    **{f"{folder}/metadata.yaml": 1 for folder in FOLDERS},
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that name the version, in another folder."""
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_all_places_name_the_same_version() -> None:
    versions = {(place.file, place.version()) for place in places()}

    assert versions == {(file, current_version()) for file in FILES}
    assert Counter(place.file for place in places()) == FILES
    assert CHANGELOG.version() == current_version()


def test_the_packages_are_installed_in_this_version() -> None:
    names = ["airbyte-calls-shared", *(connector.name for connector in ALL.values())]

    assert {name: installed_version(name) for name in names} == dict.fromkeys(
        names, current_version()
    )


def test_another_version_goes_to_all_places_and_changes_nothing_else(copy: Path) -> None:
    before = {file: (copy / file).read_text(encoding="utf-8") for file in FILES}
    old = current_version(copy)

    set_version("7.8.9", copy)

    assert {place.version(copy) for place in places(copy)} == {"7.8.9"}
    for name in FOLDERS:
        folder = copy / name
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert project["version"] == "7.8.9"
        assert "airbyte-calls-shared>=7.8.9,<7.9" in project["dependencies"]
        metadata = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
        assert metadata["data"]["dockerImageTag"] == "7.8.9"
    set_version(old, copy)
    assert {file: (copy / file).read_text(encoding="utf-8") for file in FILES} == before


@pytest.mark.parametrize("version", ["0.3", "v0.3.0", "0.3.0rc1", ""])
def test_what_is_no_version_is_refused(version: str, copy: Path) -> None:
    with pytest.raises(ValueError, match=f"{version!r} is none"):
        set_version(version, copy)

    assert {place.version(copy) for place in places(copy)} == {current_version()}


def test_each_version_with_a_snapshot_has_an_entry() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    entries = re.findall(r"(?m)^## \[(.+)\] - \d{4}-\d\d-\d\d$", text)

    assert entries == stored_versions()[::-1]
    assert [len(part.split()) > 50 for part in text.split("\n## ")[1:]] == [True] * len(entries)
