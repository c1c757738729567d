"""Runs a command and tells its wall time, its CPU time and its peak memory.

The command is started by a small process of its own (this file as a program): what `wait4` tells
of a child's peak memory begins with that of the process it was forked from, and the benchmark
itself grows large while it compares ids.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What a command used; `exit_status` is negative for the signal that ended it."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    exit_status: int


def run(
    command: Sequence[str | Path],
    output: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float = 600.0,
) -> Usage:
    """Run a command with its stdout in a file, its stderr beside it; it is ended after `timeout`.

    The environment is this process's with `environment` added, without proxies.
    """
    variables = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "usage.json"
        subprocess.run(
            [
                *(sys.executable, "-I", __file__, report, output, f"{timeout:g}"),
                *map(str, command),
            ],
            env={**variables, "NO_PROXY": "127.0.0.1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            check=True,
        )
        return Usage(**json.loads(report.read_text()))


def errors_of(output: Path) -> Path:
    """Where `run` puts the stderr of a command with that output."""
    return output.with_name(f"{output.name}.err")


def usage_of(command: Sequence[str], output: Path, timeout: float) -> Usage:
    """Run a command as a child of this very process."""
    with output.open("wb") as out, errors_of(output).open("wb") as errors:
        begin = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=errors)
        signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.setitimer(signal.ITIMER_REAL, timeout)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit, child.returncode)


def main() -> None:
    """Measure the command on the command line: REPORT OUTPUT TIMEOUT COMMAND..."""
    report, output, timeout, *command = sys.argv[1:]
    usage = usage_of(command, Path(output), float(timeout))
    Path(report).write_text(json.dumps(asdict(usage)))


if __name__ == "__main__":
    main()
