"""`python -m integration_tests.soak`: long runs, with one table at the end.

Each connector reads very many calls from a sandbox in a process of its own; all records are
compared with the truth. The connectors' budgets of requests are lifted, because at the published
limits a million calls take 4 minutes (Intercom), 10 (Skipcall), 20 (Amplemarket) and, at one page
of 100 calls for each conversation, 17 (OpenPhone); `--published-limits` keeps them.
"""

import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from integration_tests.sandbox import Fault, Sandbox, SkipcallSwitches, Switches, World
from integration_tests.soak.measure import (
    Measured,
    Way,
    digest,
    expected_digests,
    request_count,
    run_sync,
    sandbox_process,
    verdict,
)
from integration_tests.soak.weeks import simulated_weeks


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    part: str
    records: int
    requests: int
    measured: Measured
    verdict: str

    @property
    def cells(self) -> list[str]:
        """What the table shows."""
        seconds = self.measured.seconds
        return [
            self.part,
            f"{self.records:,}",
            f"{self.requests:,}",
            f"{seconds:,.1f}",
            f"{self.records / seconds:,.0f}",
            f"{self.measured.cpu_seconds:,.1f}",
            f"{self.measured.peak_megabytes:,.0f}",
            f"{self.measured.output_megabytes:,.1f}",
            self.verdict,
        ]


HEAD = ["part", "records", "requests", "s", "records/s", "CPU s", "peak MB", "output MB", "result"]


def many_calls(provider: str, calls: int, folder: Path, options: Namespace, *more: str) -> Row:
    """All calls of a provider."""
    limit = ["--switch", "skipcall.limit=1000"]  # the larger plan
    with sandbox_process("--calls", str(calls), "--no-limits", *limit, *more) as url:
        expected = expected_digests(url, provider)  # builds the world, so that the clock is fair
        measured = run_sync(provider, url, folder, Way(budget=options.published_limits))
        name = " ".join([provider, *more]).replace("--", "")
        return Row(
            name, measured.records, request_count(url), measured, verdict(measured, expected)
        )


def openphone_calls(folder: Path, options: Namespace) -> Row:
    """OpenPhone's calls in conversations of a hundred."""
    conversations = str(max(1, options.openphone_calls // 100))
    more = ("--conversations", conversations)
    return many_calls("openphone", options.openphone_calls, folder, options, *more)


def openphone_conversations(folder: Path, options: Namespace) -> Row:
    """OpenPhone's conversations with one call each: the parents are the work."""
    more = ("--conversations", str(options.conversations))
    return many_calls("openphone", options.conversations, folder, options, *more)


def transcript(folder: Path, options: Namespace) -> Row:
    """One record with a very long transcript, among others."""
    words = 'Grüße, 田中さん: "so long" \\ '
    text = words * (options.transcript_megabytes * 1_000_000 // len(words.encode()))
    with Sandbox(World(calls=250), Switches(enforce_limits=False)) as sandbox:
        sandbox.world.add_call("amplemarket", transcription=text)
        measured = run_sync("amplemarket", sandbox.url, folder, Way())
        truth = sandbox.expected("amplemarket")
        expected = {key: digest(record) for key, record in truth.items()}
        name = f"amplemarket, a transcript of {options.transcript_megabytes} MB"
        result = verdict(measured, expected)
        return Row(name, measured.records, len(sandbox.requests), measured, result)


def rate_limits(folder: Path, options: Namespace) -> Row:
    """Very many refusals one after another, which end: a limit that lifts fails no sync."""
    switches = Switches(skipcall=SkipcallSwitches(limit=1000), enforce_limits=False)
    with Sandbox(World(calls=1_000), switches) as sandbox:
        refusals = options.refusals
        sandbox.faults = [
            Fault("skipcall", query_contains="page=3&", times=refusals - refusals // 2, status=429),
            Fault(
                "skipcall",
                query_contains="page=5&",
                times=refusals // 2,
                status=429,
                headers={"Retry-After": "0"},
            ),
        ]
        measured = run_sync("skipcall", sandbox.url, folder, Way(pauses=0.0005))
        truth = sandbox.expected("skipcall")
        expected = {key: digest(record) for key, record in truth.items()}
        result = verdict(measured, expected)
        pages = 11  # ten full ones, and the empty one that ends the list
        if len(sandbox.requests) != refusals + pages:
            result = f"{len(sandbox.requests)} requests, not {refusals + pages}"
        name = f"skipcall, {refusals:,} times 429"
        return Row(name, measured.records, len(sandbox.requests), measured, result)


def weeks(_: Path, options: Namespace) -> Row:
    """Hourly syncs of a week, in every order."""
    requests, measured, result = simulated_weeks(options.weeks)
    return Row("simulated weeks", measured.records, requests, measured, result)


Part = Callable[[Path, Namespace], Row]
PARTS: dict[str, Part] = {
    "intercom": lambda folder, options: many_calls("intercom", options.calls, folder, options),
    "amplemarket": lambda folder, options: many_calls(
        "amplemarket", options.calls, folder, options
    ),
    "skipcall": lambda folder, options: many_calls("skipcall", options.calls, folder, options),
    "openphone": openphone_calls,
    "conversations": openphone_conversations,
    "transcript": transcript,
    "rate-limits": rate_limits,
    "weeks": weeks,
}


def parser() -> ArgumentParser:
    """The command line."""
    found = ArgumentParser(prog="python -m integration_tests.soak", description=__doc__)
    found.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; or all")
    found.add_argument("--calls", type=int, default=1_000_000, help="of Intercom and others")
    found.add_argument("--openphone-calls", type=int, default=1_000_000)
    found.add_argument("--conversations", type=int, default=100_000, help="with one call each")
    found.add_argument("--transcript-megabytes", type=int, default=30)
    found.add_argument("--refusals", type=int, default=1_000, help="of the part rate-limits")
    found.add_argument("--weeks", type=int, default=5, help="seeds of the part weeks")
    found.add_argument(
        "--published-limits", action="store_true", help="keep the connectors' budgets of requests"
    )
    return found


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [HEAD, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    texts = []
    for line in lines:
        cells = [
            cell.ljust(width) if column in (0, len(HEAD) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)


def main(arguments: list[str] | None = None) -> int:
    """Run the parts; exit status 1 if one of them lost a call."""
    commands = parser()
    options = commands.parse_args(arguments)
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        commands.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    rows = []
    for name in options.parts or PARTS:
        print(f"{time.strftime('%H:%M:%S')} {name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            rows.append(PARTS[name](Path(folder), options))
    print(table(rows))
    return 0 if all(row.verdict == "complete" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
