"""Which of docker, podman and buildah works here, and its command line for a build."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from release import ReleaseError

Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]
"""Runs a command without showing what it writes."""

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "podman": ("podman", "info", "--format", "json"),
    "buildah": ("buildah", "info"),
}
"""What only an engine that works can answer: a client of docker without one answers the rest."""


def run_quietly(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command; a program that is not there counts as one that failed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(list(command), 127, "", str(error))


@dataclass(frozen=True)
class Engine:
    """A program that builds images here."""

    program: str
    isolation: tuple[str, ...] = ()
    """Options without which buildah cannot run anything on this machine."""

    @property
    def mounts_folders(self) -> bool:
        """Whether a folder of the machine can be seen during a build."""
        return self.program != "docker"


def working_engine(run: Run = run_quietly, asked: str = "") -> Engine:
    """The engine that is asked for, or the first that works.

    Raises:
        ReleaseError: none works, or not the one that is asked for.
    """
    if asked and asked not in QUESTIONS:
        raise ReleaseError(f"ENGINE may be {', '.join(QUESTIONS)}; {asked!r} is none of them.")
    for program in [asked] if asked else QUESTIONS:
        done = run(QUESTIONS[program])
        if done.returncode == 0:
            return Engine(program, _isolation(done.stdout) if program == "buildah" else ())
    if asked:
        raise ReleaseError(f"{asked} does not work here; see what `{asked} info` says.")
    raise ReleaseError(
        "No image can be built here: neither docker (its engine must run, not only the client) nor "
        "podman nor buildah works; start or install one of them."
    )


def _isolation(information: str) -> tuple[str, ...]:
    """Without runc or crun, buildah can still run commands in a changed root."""
    has_runtime = json.loads(information).get("host", {}).get("OCIRuntime")
    return () if has_runtime else ("--isolation", "chroot")


@dataclass(frozen=True)
class Build:
    """What an image is built of."""

    connector: str
    version: str
    image: str
    """Its whole name with the tag."""
    epoch: int
    """The moment that the image and its files bear."""
    base: str = ""
    platform: str = ""
    secrets: tuple[tuple[str, Path], ...] = ()
    folders: tuple[Path, ...] = ()
    """Local folders that hold packages."""
    is_fresh: bool = False
    """Build without what is left of an earlier build."""


def build_command(engine: Engine, build: Build, context: Path) -> list[str]:
    """The command line of a build.

    Raises:
        ReleaseError: the engine cannot see the folders that packages come from.
    """
    if build.folders and not engine.mounts_folders:
        raise ReleaseError(
            f"pip takes packages from {build.folders[0]} here, which a build of docker cannot see; "
            "name an index with PIP_INDEX_URL and PIP_FIND_LINKS= instead, or build with podman "
            "or buildah (ENGINE=buildah)."
        )
    command = [engine.program, "build", *engine.isolation]
    command += ["--build-arg", f"SOURCE_DATE_EPOCH={build.epoch}"]
    if engine.program != "docker":
        command += ["--layers", "--timestamp", str(build.epoch)]
    command += ["--no-cache"] if build.is_fresh else []
    command += ["--platform", build.platform] if build.platform else []
    for name, file in build.secrets:
        command += ["--secret", f"id={name},src={file}"]
    for folder in build.folders:
        command += ["--volume", f"{folder}:{folder}:ro"]
    arguments = {"CONNECTOR": build.connector, "VERSION": build.version, "BASE": build.base}
    for name, value in arguments.items():
        command += ["--build-arg", f"{name}={value}"] if value else []
    return [*command, "--tag", build.image, str(context)]
