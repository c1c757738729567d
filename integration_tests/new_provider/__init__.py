"""`make new-provider NAME=aircall`: a connector's folder, laid out from a template.

It works at once, against a made-up provider that its own sandbox plays. What is to be filled in is
marked, and a test counts the marks that are left (`test_connectors.py`).
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from integration_tests.acceptance_conftest import configured_catalog
from integration_tests.connectors import ALL, NAME, ConnectorFolder
from integration_tests.versions import current_version

TEMPLATE = Path(__file__).with_name("template")
PAGE = Path(__file__).with_name("page.md.txt")
"""The template of the page for the user, which stands outside of the folder."""
MARK = "FILL IN"
_SUFFIX = ".txt"
"""So that no tool takes the template's files for code."""


class NewProviderError(Exception):
    """No folder was made; the text is one sentence for the user."""


def lay_out(provider: str, into: Path, title: str = "") -> ConnectorFolder:
    """Make the folder of a new connector.

    Args:
        provider: its name, as the column `provider` will have it.
        into: the folder that will hold it.
        title: its name as the user reads it.

    Raises:
        NewProviderError: on a bad name, or one that is taken.
    """
    found = ConnectorFolder(into / f"source-{provider}-calls")
    if NAME.fullmatch(found.name) is None:
        raise NewProviderError(
            f"{provider!r} cannot be the provider's name: it has small letters and digits only and"
            " begins with a letter, as in NAME=aircall."
        )
    if provider in ALL or found.folder.exists():
        raise NewProviderError(f"There is a folder {found.name} already; nothing was changed.")
    title = title or provider.capitalize()
    if re.fullmatch(r"[\w .()-]+", title) is None:
        raise NewProviderError(f"The title {title!r} has other characters than words have.")
    _write(found, _words(found, title))
    catalog = json.dumps(configured_catalog(_streams(found)), indent=2)
    file = found.folder / "integration_tests" / "configured_catalog.json"
    file.write_text(f"{catalog}\n", encoding="utf-8")
    return found


def marks(connector: ConnectorFolder) -> Iterator[str]:
    """The places of a connector that are still to be filled in, as file and line."""
    for path in sorted(connector.folder.rglob("*")):
        names = path.relative_to(connector.folder).parts
        if path.is_file() and not {"build", "__pycache__", ".tmp"} & {*names}:
            yield from _marks_in(path, "/".join(names))
    if connector.page.is_file():
        yield from _marks_in(connector.page, f"docs/sources/{connector.page.name}")


def _marks_in(path: Path, name: str) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if MARK in line:
            yield f"{name}:{number}"


def _words(connector: ConnectorFolder, title: str) -> dict[str, str]:
    version = current_version()
    major, minor, _ = version.split(".")
    return {
        "name": connector.provider,
        "Title": title,
        "Class": connector.class_name,
        "Initial": title[0].upper(),
        "hue": str(sum(map(ord, connector.provider)) * 47 % 360),
        "uuid": str(uuid4()),
        "version": version,
        "below": f"{major}.{int(minor) + 1}",
    }


def _write(connector: ConnectorFolder, words: dict[str, str]) -> None:
    for source in sorted(TEMPLATE.rglob(f"*{_SUFFIX}")):
        first, *rest = source.relative_to(TEMPLATE).with_suffix("").parts
        place = connector.folder / (connector.package if first == "package" else first)
        _fill(source, place.joinpath(*rest), words)
    if connector.page.parent.is_dir():  # there is none for a connector that only shows something
        _fill(PAGE, connector.page, words)


def _fill(source: Path, place: Path, words: dict[str, str]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text(encoding="utf-8")
    place.write_text(re.sub(r"@(\w+)@", lambda m: words[m[1]], text), encoding="utf-8")


def _streams(connector: ConnectorFolder) -> list[dict[str, object]]:
    """What the new connector's `discover` says; it is not installed yet."""
    config = connector.folder / "integration_tests" / "sample_config.json"
    code = f"import {connector.package}; {connector.package}.run()"
    path = os.pathsep.join([str(connector.folder), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code, "discover", "--config", str(config)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    (catalog,) = [message["catalog"] for message in messages if message["type"] == "CATALOG"]
    streams: list[dict[str, object]] = catalog["streams"]
    return streams
