"""Commands of a connector in a container of its image, started as the platform starts them."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration_tests.commands import Outcome
from release import ReleaseError
from release.engines import Engine, run_quietly

WORK = "/source"
"""The folder with a connector's files, where the platform also starts it."""
FILES = ("config", "catalog", "state")
LONGEST = 300.0
"""Seconds in which any command here has ended, on any machine."""

START = """\
if [ -z "$AIRBYTE_ENTRYPOINT" ]; then exit 127; fi
began=$(date +%s%N)
(eval "$AIRBYTE_ENTRYPOINT {arguments}" 2> /source/stderr > /source/stdout) &
CHILD_PID=$!
wait $CHILD_PID
EXIT_CODE=$?
echo $(($(date +%s%N) - began)) > /source/nanoseconds
echo $EXIT_CODE > /source/exitCode.txt
"""
"""In a shell, the command in the background, its output into files."""

START_AND_END = """\
(eval "exec $AIRBYTE_ENTRYPOINT {arguments}" 2> /source/stderr > /source/stdout) &
CHILD_PID=$!
until [ -e /source/end ] || [ ! -e /proc/$CHILD_PID ]; do sleep 0.1; done
began=$(date +%s%N)
kill $CHILD_PID
wait $CHILD_PID
EXIT_CODE=$?
echo $(($(date +%s%N) - began)) > /source/nanoseconds
echo $EXIT_CODE > /source/exitCode.txt
"""
"""The same, but the connector itself gets SIGTERM once there is a file `end`."""


@dataclass(frozen=True)
class Container:
    """Where the commands of an image run: for buildah a container, else the image's name."""

    engine: Engine
    name: str

    def command(self, script: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
        """The command line that runs a script of a shell, with a folder as `/source`."""
        variables = [word for pair in environment.items() for word in ("--env", "=".join(pair))]
        shared = ["--network", "host", *variables, "--volume", f"{folder}:{WORK}"]
        if self.engine.program == "buildah":
            options = [*self.engine.isolation, *shared, "--workingdir", WORK]
            return ["buildah", "run", *options, self.name, "--", "sh", "-c", script]
        options = ["--rm", *shared, "--workdir", WORK, "--entrypoint", "sh"]
        return [self.engine.program, "run", *options, self.name, "-c", script]


@contextmanager
def container_of(engine: Engine, image: str) -> Iterator[Container]:
    """A container of an image, for as long as it is needed."""
    if engine.program != "buildah":
        yield Container(engine, image)
        return
    made = run_quietly(["buildah", "from", "--pull-never", image])
    if made.returncode:
        raise ReleaseError(f"There is no container of {image}: {made.stderr.strip()}")
    name = made.stdout.strip()
    try:
        yield Container(engine, name)
    finally:
        run_quietly(["buildah", "rm", name])


@dataclass(frozen=True)
class Ran:
    """What a command in a container wrote, and the seconds it took there."""

    outcome: Outcome
    seconds: float


@dataclass(frozen=True)
class Job:
    """A command of the protocol with its files, in a folder that the container shares."""

    folder: Path
    command: str
    contents: Mapping[str, Any]
    """Of the files, by the names of their options."""

    @property
    def arguments(self) -> str:
        """The words after the entrypoint, as the platform writes them."""
        options = (f"--{name} {WORK}/{name}.json" for name in FILES if name in self.contents)
        return " ".join([self.command, *options])

    def prepare(self) -> None:
        """Write the files; the folder is the container's to write into, whatever its user."""
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o777)
        for name, content in self.contents.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")

    def ran(self) -> Ran:
        """What it left in the folder."""
        texts = {
            name: (self.folder / name).read_text(encoding="utf-8")
            for name in ("exitCode.txt", "stdout", "stderr", "nanoseconds")
        }
        outcome = Outcome(int(texts["exitCode.txt"]), texts["stdout"], texts["stderr"])
        return Ran(outcome, int(texts["nanoseconds"]) / 1e9)


def run(
    container: Container,
    job: Job,
    environment: Mapping[str, str],
    *,
    before: str = "",
    after: str = "",
) -> Ran:
    """Run a command to its end, and scripts of the shell before and after it.

    Raises:
        ReleaseError: the container did not start, or not the command in it.
    """
    job.prepare()
    script = "".join([before, START.format(arguments=job.arguments), after])
    done = subprocess.run(
        container.command(script, job.folder, environment),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    if not (job.folder / "exitCode.txt").is_file():
        raise ReleaseError(f"`{job.command}` did not run: {done.stderr.strip()}")
    return job.ran()


def caught(container: Container, job: Job, environment: Mapping[str, str]) -> Ran:
    """Run a read, and tell it to end once the first record is there.

    The seconds are those from then on.
    """
    job.prepare()
    script = START_AND_END.format(arguments=job.arguments)
    started = subprocess.Popen(
        container.command(script, job.folder, environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while started.poll() is None and not _has_record(job.folder / "stdout"):
            time.sleep(0.05)
        (job.folder / "end").touch()
        started.wait(LONGEST)
    finally:
        started.kill()
        started.wait()
    return job.ran()


def _has_record(file: Path) -> bool:
    return file.is_file() and b'"type":"RECORD"' in file.read_bytes()
