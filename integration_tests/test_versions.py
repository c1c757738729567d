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
from integration_tests.versions import (
    CHANGELOG,
    current_version,
    files_to_type_from,
    places,
    set_version,
    typed_versions,
)

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
    """The files that name the version or may do so, in another folder."""
    for file in {*FILES, *(path.relative_to(ROOT).as_posix() for path in files_to_type_from())}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_all_places_name_the_same_version() -> None:
    versions = {(place.file, place.version()) for place in places()}

    assert versions == {(file, current_version()) for file in FILES}
    assert Counter(place.file for place in places()) == FILES
    assert CHANGELOG.version() == current_version()


def typed(root: Path) -> dict[str, set[str]]:
    """By file the versions that a reader types."""
    files = {file: {*typed_versions(file.read_text("utf-8"))} for file in files_to_type_from(root)}
    return {file.relative_to(root).as_posix(): found for file, found in files.items() if found}


def test_what_a_reader_types_names_this_version() -> None:
    found = typed(ROOT)

    assert {"Dockerfile", "docs/packages-and-images.md"} <= found.keys()
    assert {version for versions in found.values() for version in versions} == {current_version()}
    text = "x/source-a-calls:1.2.3, source-a-calls==4.5.6 TAG=7.8.9 `airbyte-cdk==1.1.1` 2.2.2"
    assert typed_versions(text) == ["1.2.3", "4.5.6", "7.8.9"]


def test_the_packages_are_installed_in_this_version() -> None:
    names = ["airbyte-calls-shared", *(connector.name for connector in ALL.values())]

    assert {name: installed_version(name) for name in names} == dict.fromkeys(
        names, current_version()
    )


def test_another_version_goes_to_all_places_and_changes_nothing_else(copy: Path) -> None:
    files = [path for path in copy.rglob("*") if path.is_file()]
    before = {file: file.read_text(encoding="utf-8") for file in files}
    old, names = current_version(copy), typed(copy).keys()

    set_version("7.8.9", copy)

    assert {place.version(copy) for place in places(copy)} == {"7.8.9"}
    for name in FOLDERS:
        folder = copy / name
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert project["version"] == "7.8.9"
        assert "airbyte-calls-shared>=7.8.9,<7.9" in project["dependencies"]
        metadata = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
        assert metadata["data"]["dockerImageTag"] == "7.8.9"
    assert typed(copy) == {name: {"7.8.9"} for name in names}
    set_version(old, copy)
    assert {file: file.read_text(encoding="utf-8") for file in files} == before


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
