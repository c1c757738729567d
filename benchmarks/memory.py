"""Peak memory by the number of calls.

Our command runs with its rate budget switched off (`benchmarks.unthrottled`): Skipcall's published
limit of 1,000 requests a minute would stretch a million calls to ten minutes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure, programs
from benchmarks.cases import UNTHROTTLED
from benchmarks.sandbox import RunningSandbox, sandbox
from benchmarks.timing import ids_in

PROVIDER = "skipcall"
PROGRAMS = ("bare", "singer", "dlt", "ours")
LARGEST_OF_PEERS = 100_000
LONGEST = 600.0


@dataclass(frozen=True)
class Memory:
    """The peak memory of a program that reads so many calls."""

    program: str
    calls: int
    peak_bytes: int
    seconds: float
    is_valid: bool


def run_sizes(sizes: Iterable[int], folder: Path) -> list[Memory]:
    """Measure the programs at some sizes; the peers up to `LARGEST_OF_PEERS`."""
    found = []
    for calls in sizes:
        with sandbox(calls, switches=UNTHROTTLED) as running:
            running.get(PROVIDER, "/v1/calls?page=1&limit=100")  # it makes its world
            for program in PROGRAMS:
                if program == "ours" or calls <= LARGEST_OF_PEERS:
                    found.append(measured(program, calls, running, folder))
    return found


def measured(program: str, calls: int, running: RunningSandbox, folder: Path) -> Memory:
    """Measure one program at one size; valid if it wrote as many different ids as there are."""
    output = folder / "output"
    command = programs.command_of(program, PROVIDER, running.url, folder)
    words = command.words
    if program == "ours":
        python = str(programs.OURS / "python")
        words = (python, "-m", "benchmarks.unthrottled", PROVIDER, *command.words[1:])
    usage = measure.run(words, output, command.environment, LONGEST)
    is_valid = usage.exit_status == 0 and len(ids_in(output)) == calls
    output.unlink()
    row = Memory(program, calls, usage.peak_bytes, usage.seconds, is_valid)
    fault = "" if is_valid else f"  INVALID: exit {usage.exit_status}"
    print(
        f"  memory {calls:>9,} calls  {program:8} {usage.peak_bytes / 1e6:5.0f} MB"
        f"  {usage.seconds:6.1f} s{fault}",
        flush=True,
    )
    return row
