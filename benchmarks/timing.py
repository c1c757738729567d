"""The table of times: every case read by every program, each output checked against the truth."""

import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure, programs
from benchmarks.cases import Case
from benchmarks.sandbox import RunningSandbox, sandbox

LONGEST = 240.0
"""Seconds after which a program is ended."""


@dataclass(frozen=True)
class Row:
    """What one program did in one case; the median of its repeats."""

    kind: str
    provider: str
    calls: int
    latency_ms: int
    program: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    requests: int
    refused: int
    exit_status: int
    missing: int
    """Calls of the truth that it did not write."""
    unknown: int
    """Ids that it wrote and the truth does not hold."""

    @property
    def is_valid(self) -> bool:
        """Whether it did the whole work."""
        return self.exit_status == 0 and self.missing == self.unknown == 0


def run_cases(cases: Iterable[Case], folder: Path) -> list[Row]:
    """Run the cases, one after the other."""
    return [row for case in cases for row in run_case(case, folder)]


def run_case(case: Case, folder: Path) -> list[Row]:
    """Run one case."""
    with sandbox(
        case.calls,
        latency_ms=case.latency_ms,
        conversations=case.conversations,
        limits=case.limits,
        switches=case.switches,
    ) as running:
        warm_up(case, running, folder)
        rounds = [
            [measured(case, name, running, folder) for name in case.programs]
            for _ in range(case.repeats)
        ]
    rows = [median(list(of_program)) for of_program in zip(*rounds, strict=True)]
    for row in rows:
        say(row)
    return rows


def warm_up(case: Case, running: RunningSandbox, folder: Path) -> None:
    """Let the sandbox make its world and, where that counts, the text of its records."""
    running.expected_ids(case.provider)
    if case.latency_ms == 0 and not case.limits:
        command = programs.command_of("bare", case.provider, running.url, folder)
        measure.run(command.words, folder / "warm-up", command.environment)


def measured(case: Case, program: str, running: RunningSandbox, folder: Path) -> Row:
    """Run one program once."""
    output = folder / "output"
    command = programs.command_of(program, case.provider, running.url, folder)
    running.forget_requests()
    usage = measure.run(command.words, output, command.environment, LONGEST)
    counts = running.counts()
    truth = running.expected_ids(case.provider)
    written = ids_in(output)
    return Row(
        case.kind,
        case.provider,
        case.calls,
        case.latency_ms,
        program,
        usage.seconds,
        usage.cpu_seconds,
        usage.peak_bytes,
        counts.total,
        counts.refused,
        usage.exit_status,
        len(truth - written),
        len(written - truth),
    )


def ids_in(output: Path) -> frozenset[str]:
    """The ids in an output; of one that ends in a half line, those before it."""
    found: set[str] = set()
    try:
        found.update(call["id"] for call in programs.calls_in(output))
    except ValueError:
        print(f"    an output ends in a broken line: {output}", file=sys.stderr)
    return frozenset(found)


def median(rows: list[Row]) -> Row:
    """The row of the middle time; an invalid one if there is any."""
    for row in rows:
        if not row.is_valid:
            return row
    middle = statistics.median_low(row.seconds for row in rows)
    return next(row for row in rows if row.seconds == middle)


def say(row: Row) -> None:
    """Tell the progress."""
    result = f"{row.requests:>5} requests, {row.refused} refused"
    if not row.is_valid:
        result += f"  INVALID: exit {row.exit_status}, {row.missing} missing"
    print(
        f"  {row.kind:12} {row.provider:11} {row.calls:>7,} calls {row.latency_ms:>3} ms"
        f"  {row.program:16} {row.seconds:7.2f} s  cpu {row.cpu_seconds:6.2f} s"
        f"  {row.peak_bytes / 1e6:5.0f} MB  {result}",
        flush=True,
    )
