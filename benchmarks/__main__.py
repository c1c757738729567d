"""`python -m benchmarks`: run everything, print the table, write it, the figures and the plot."""

import json
import subprocess
import sys
import tempfile
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    cases,
    hourly,
    incremental,
    machine,
    memory,
    programs,
    rates,
    report,
    startup,
    timing,
    versions,
)
from benchmarks.profile import Profile
from benchmarks.results import Results
from benchmarks.sandbox import ROOT

HERE = Path(__file__).parent
PARTS = ("timing", "rates", "requests", "hourly", "versions", "memory", "startup", "profile")
SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (2_000, 20_000)


def options_of(arguments: list[str] | None) -> Namespace:
    """The command line."""
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, about two minutes")
    parser.add_argument("--only", choices=PARTS, action="append", help="may be repeated")
    parser.add_argument(
        "--sizes", type=sizes, help="numbers of calls for the memory and the hours, as 1000,5000"
    )
    parser.add_argument(
        "--folder", type=Path, help="where results go (benchmarks/, or .bench/ if quick or partial)"
    )
    options = parser.parse_args(arguments)
    is_whole = not options.quick and not options.only and not options.sizes
    options.folder = options.folder or (HERE if is_whole else ROOT / ".bench")
    options.sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
    options.only = options.only or list(PARTS)
    return options


def sizes(text: str) -> tuple[int, ...]:
    """Some numbers, by commas."""
    return tuple(int(part) for part in text.split(","))


def profiles(options: Namespace) -> list[Profile]:
    """The profiles, each in a process of its own."""
    found = []
    calls = ["--calls", "20000", "--hooked-calls", "3000"] if options.quick else []
    for provider in ("intercom",) if options.quick else ("intercom", "skipcall"):
        command = [sys.executable, "-m", "benchmarks.profile", "--json", "--provider", provider]
        done = subprocess.run(
            [*command, *calls], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the profile failed: {done.stderr[-500:]}")
        one = Profile(**json.loads(done.stdout))
        print(f"  profile  {provider}: mapping {one.command_share:.1%} of the CPU time", flush=True)
        found.append(one)
    return found


def run(options: Namespace, folder: Path) -> Results:
    """Measure the chosen parts; a part that fails is told, and the others go on."""
    results = Results(machine=machine.description(), is_quick=options.quick)
    table = cases.QUICK if options.quick else cases.FULL
    calls, conversations = (600, 12) if options.quick else (1_200, 42)
    workspace = (600, 120) if options.quick else (versions.CALLS, versions.CONVERSATIONS)
    under_limits = rates.QUICK if options.quick else rates.cases()
    parts: dict[str, Callable[[], list[Any]]] = {
        "timing": lambda: timing.run_cases(table, folder),
        "rates": lambda: rates.run_rates(under_limits, folder),
        "requests": lambda: incremental.run_providers(calls, conversations, folder),
        "hourly": lambda: hourly.run_hours(options.sizes, folder),
        "versions": lambda: versions.run_versions(folder, workspace),
        "memory": lambda: memory.run_sizes(options.sizes, folder),
        "startup": lambda: startup.run_commands(folder),
        "profile": lambda: profiles(options),
    }
    for name in PARTS:
        if name not in options.only:
            continue
        print(f"{name}:", flush=True)
        try:
            setattr(results, name, parts[name]())
        except Exception as error:
            traceback.print_exc()
            results.failures[name] = f"{type(error).__name__}: {error}"
    results.machine["Load after"] = machine.load()
    return results


def write(results: Results, folder: Path) -> None:
    """Write the figures, the table and the plot; print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder != HERE:
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    figures = folder / "results.json"
    results.write(figures)
    text = report.markdown(results)
    (folder / "RESULTS.md").write_text(text, encoding="utf-8")
    plot = [str(programs.PEERS_PYTHON), "-m", "benchmarks.plot", str(figures)]
    drawn = subprocess.run([*plot, str(folder / "results.png")], cwd=ROOT, check=False)
    print(f"\n{text}")
    pictured = "RESULTS.md, results.json and results.png" if not drawn.returncode else "no plot"
    print(f"In {folder}: {pictured}")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 1 if a part failed or ours did not give every call."""
    options = options_of(arguments)
    if not programs.peers_installed():
        print("The peers are not installed; run `make bench`, which does it.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        results = run(options, Path(name))
    write(results, options.folder)
    ours = [row for row in results.timing if row.program.startswith("ours")]
    return 1 if results.failures or not all(row.is_valid for row in ours) else 0


if __name__ == "__main__":
    sys.exit(main())
