"""Where packages come from is what pip on this machine is told; a build gets it as a secret."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from release import ReleaseError

_PLACES = ("index-url", "extra-index-url", "find-links")
_KEPT = (*_PLACES, "no-index", "trusted-host", "proxy", "timeout", "default-timeout", "retries")
_SECTIONS = ("global", "install", ":env:")
"""Of pip's settings those that an installation obeys, the stronger ones last."""
CERTIFICATE = "/run/ca.pem"
"""Where a build finds the certificate."""


@dataclass(frozen=True)
class PipSettings:
    """What a build has to know of pip's settings."""

    text: str
    """The content of a `pip.conf`; empty if pip is told nothing here."""
    certificate: Path | None
    folders: tuple[Path, ...]
    """Local folders that hold packages."""


def settings_of(listed: str) -> PipSettings:
    """Read them from what `pip config list` prints."""
    found: dict[str, str] = {}
    for section in _SECTIONS:
        for line in listed.splitlines():
            name, is_setting, value = line.partition("=")
            key = name.removeprefix(f"{section}.")
            if is_setting and key != name:
                found[key] = str(ast.literal_eval(value))
    kept = {key: found[key] for key in _KEPT if found.get(key)}
    certificate = Path(found["cert"]) if found.get("cert") else None
    if certificate is not None:
        kept["cert"] = CERTIFICATE
    return PipSettings(_text(kept), certificate, tuple(_folders(kept)))


def _text(settings: Mapping[str, str]) -> str:
    lines = [f"{key} = {' '.join(value.split())}" for key, value in settings.items()]
    return "\n".join(["[global]", *lines, ""]) if lines else ""


def _folders(settings: Mapping[str, str]) -> list[Path]:
    """The folders to be seen: an index with its neighbours, where the files lie that it links."""
    folders: set[Path] = set()
    for key in _PLACES:
        for place in settings.get(key, "").split():
            parts = urlsplit(place)
            if parts.scheme not in ("", "file"):
                continue
            path = Path(unquote(parts.path))
            folder = path if key == "find-links" and path.is_dir() else path.parent
            if folder.is_dir():
                folders.add(folder)
    return sorted(folders)


def settings_of_this_machine() -> PipSettings:
    """Ask pip, which reads its files and the environment.

    Raises:
        ReleaseError: pip does not answer, or names a certificate that is not there.
    """
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError("pip cannot read its settings; see what `pip config list` says.")
    found = settings_of(done.stdout)
    if found.certificate is not None and not found.certificate.is_file():
        raise ReleaseError(
            f"pip's setting `cert` names {found.certificate}, which is no file; mend or unset it."
        )
    return found
