"""The version and all places that name it: `python -m integration_tests.versions 0.3.0` sets it.

Packages are built, and images are named, from files of their own; so each of them says it.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from integration_tests.connectors import ROOT, connectors_in

VERSION = r"\d+\.\d+\.\d+"
_PROJECT = rf'(?m)^version = "({VERSION})"$'
_SHARED = rf'"airbyte-calls-shared>=({VERSION}),<\d+\.\d+"'
_IMAGE = rf"(?m)^  dockerImageTag: ({VERSION})$"
_BUILT_IMAGE = rf"(?m)^ARG VERSION=({VERSION})$"
_TYPED = re.compile(rf"(?:\bTAG=|-calls(?::|==)){VERSION}\b")
_TYPED_IN = ("Dockerfile", "Makefile", "README.md", "docs/*.md")
_NEWEST_ENTRY = rf"(?m)\A(?s:.*?)^## \[({VERSION})\]"


@dataclass(frozen=True)
class Place:
    """Where a file names the version."""

    file: str
    pattern: str
    """Its first group is the version; it must be found once."""

    def version(self, root: Path = ROOT) -> str:
        """The version that stands there."""
        text = (root / self.file).read_text(encoding="utf-8")
        (found,) = re.findall(self.pattern, text)
        return str(found)

    def write(self, version: str, root: Path = ROOT) -> None:
        """Put a version there; with it the bound below which `calls_shared` must stay."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        (found,) = re.finditer(self.pattern, text)
        place = text[found.start() : found.end()].replace(found[1], version)
        major, minor, _ = version.split(".")
        place = re.sub(r",<\d+\.\d+", f",<{major}.{int(minor) + 1}", place)
        path.write_text(text[: found.start()] + place + text[found.end() :], encoding="utf-8")


CHANGELOG = Place("CHANGELOG.md", _NEWEST_ENTRY)
"""Its newest entry; people write it."""


def places(root: Path = ROOT) -> Iterator[Place]:
    """All places but the changelog, also those of a connector that is added."""
    yield Place("pyproject.toml", _PROJECT)
    yield Place("shared/pyproject.toml", _PROJECT)
    yield Place("Dockerfile", _BUILT_IMAGE)
    for connector in (*connectors_in(root).values(), *connectors_in(root / "examples").values()):
        folder = connector.folder.relative_to(root).as_posix()
        yield Place(f"{folder}/pyproject.toml", _PROJECT)
        yield Place(f"{folder}/pyproject.toml", _SHARED)
        yield Place(f"{folder}/metadata.yaml", _IMAGE)


def current_version(root: Path = ROOT) -> str:
    """The version of this checkout."""
    return next(places(root)).version(root)


def files_to_type_from(root: Path = ROOT) -> Iterator[Path]:
    """The files with command lines to type, some of which name an image or a package."""
    for pattern in _TYPED_IN:
        yield from sorted(root.glob(pattern))


def typed_versions(text: str) -> list[str]:
    """The versions that stand in a text as tag of an image or as version of a package."""
    return [re.split("[:=]+", found[0])[-1] for found in _TYPED.finditer(text)]


def set_version(version: str, root: Path = ROOT) -> None:
    """Name a version in all places.

    Raises:
        ValueError: it is no version of three numbers.
    """
    if re.fullmatch(VERSION, version) is None:
        raise ValueError(f"A version has three numbers, as in 0.3.0; {version!r} is none.")
    for place in places(root):
        place.write(version, root)
    for file in files_to_type_from(root):
        text = file.read_text(encoding="utf-8")
        typed = _TYPED.sub(lambda found: re.sub(f"{VERSION}$", version, found[0]), text)
        file.write_text(typed, encoding="utf-8")


if __name__ == "__main__":
    set_version(sys.argv[1])
