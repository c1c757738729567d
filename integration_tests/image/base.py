"""The base of the images that are proved: the Dockerfile's, or a Debian that debootstrap makes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from integration_tests.connectors import ROOT
from release import ReleaseError
from release.engines import Engine, Run, run_quietly

FOLDER = ROOT / ".image"
MADE = "localhost/airbyte-calls-base:debootstrap"
PACKAGES = "python3,python3-venv,ca-certificates"
_BASE = re.compile(r"(?m)^ARG BASE=(\S+)$")


def usual_base(dockerfile: str) -> str:
    """The base that a Dockerfile names."""
    (found,) = _BASE.findall(dockerfile)
    return str(found)


def base_for(engine: Engine, asked: str = "", run: Run = run_quietly) -> str:
    """The base that is asked for, else the usual one if it can be had, else one made here.

    Raises:
        ReleaseError: there is none.
    """
    if asked:
        return asked
    usual = usual_base((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    if run([engine.program, "pull", usual]).returncode == 0:
        return usual
    if run(list_of(engine)).returncode == 0:
        return MADE
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise ReleaseError(
            f"The base {usual} cannot be pulled here, and debootstrap, which could make one, is "
            "not installed, or this is not root; name a base with BASE=…."
        )
    make_base(engine)
    return MADE


def list_of(engine: Engine) -> list[str]:
    """Succeeds if the base was made before."""
    return [engine.program, "inspect", "--type", "image", MADE]


def make_base(engine: Engine) -> None:
    """Make a Debian of the release of this machine, from where its apt gets packages."""
    release, mirror = release_and_mirror()
    tree = FOLDER / "base"
    shutil.rmtree(tree, ignore_errors=True)
    tree.parent.mkdir(exist_ok=True)
    print(f"{MADE}, with debootstrap: Debian {release}", file=sys.stderr)
    words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(tree)]
    _run([*words, *([mirror] if mirror else [])])
    for waste in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc"):
        shutil.rmtree(tree / waste, ignore_errors=True)
    for command in import_commands(engine, tree):
        _run(command)
    shutil.rmtree(tree)


def import_commands(engine: Engine, tree: Path) -> list[list[str]]:
    """The command lines that make an image of a tree."""
    if engine.program == "buildah":
        name = "airbyte-calls-base"
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [
            ["buildah", "from", "--name", name, "scratch"],
            ["buildah", "copy", "--quiet", name, str(tree), "/"],
            ["buildah", "config", "--env", path, name],
            ["buildah", "commit", "--quiet", "--rm", name, MADE],
        ]
    archive = f"{tree}.tar"
    return [
        ["tar", "--create", "--file", archive, "--directory", str(tree), "."],
        [engine.program, "import", archive, MADE],
    ]


def release_and_mirror() -> tuple[str, str]:
    """The name of this machine's release of Debian, and where apt gets it from."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    release = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    name = release.get("VERSION_CODENAME", "").strip('"')
    form = "$(CODENAME) $(COMPONENT) $(REPO_URI)"
    listed = run_quietly(["apt-get", "indextargets", "--format", form, "Created-By: Packages"])
    return name, mirror_of(name, listed.stdout)


def mirror_of(release: str, listed: str) -> str:
    """Of apt's sources the one that has the release itself."""
    for line in listed.splitlines():
        codename, component, address = [*line.split(maxsplit=2), "", "", ""][:3]
        if (codename, component) == (release, "main"):
            return address
    return ""


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ReleaseError(f"`{command[0]}` failed: {' '.join(reason)}")
