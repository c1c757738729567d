"""How long the short commands take: spec, check, discover."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure, programs
from benchmarks.sandbox import sandbox
from integration_tests.sandbox.switches import PROVIDERS

COMMANDS = ("spec", "check", "discover")


@dataclass(frozen=True)
class Startup:
    """The median time of a command over the four connectors."""

    command: str
    seconds: float
    peak_bytes: int


def run_commands(folder: Path) -> list[Startup]:
    """Run the commands, and the import that is the floor of all three."""
    found = []
    with sandbox(100) as running:
        for provider in PROVIDERS:
            running.expected_ids(provider)
        for name in COMMANDS:
            usages = []
            for provider in PROVIDERS:
                read = programs.ours(provider, running.url, folder)
                words = [read.words[0], name]
                words += [] if name == "spec" else ["--config", str(folder / "config.json")]
                usages.append(measure.run(words, folder / "output", read.environment))
            found.append(summary(name, usages))
    floor = [str(programs.OURS / "python"), "-c", "import airbyte_cdk.entrypoint"]
    usages = [measure.run(floor, folder / "output") for _ in range(3)]
    return [*found, summary("import airbyte_cdk", usages)]


def summary(name: str, usages: list[measure.Usage]) -> Startup:
    """The medians of some runs."""
    if failed := [usage.exit_status for usage in usages if usage.exit_status]:
        raise RuntimeError(f"{name} ended with exit status {failed[0]}")
    seconds = statistics.median(usage.seconds for usage in usages)
    peak = int(statistics.median(usage.peak_bytes for usage in usages))
    print(f"  start-up  {name:18} {seconds:5.2f} s  {peak / 1e6:4.0f} MB", flush=True)
    return Startup(name, seconds, peak)
