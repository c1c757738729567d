"""A connector's command without waiting: `python -m integration_tests.soak.connector PROVIDER ...`.

Everything is the connector's own but for its budget of requests a minute (with `--no-budget`) and
its pauses, which are multiplied (with `--pauses`), so that a soak measures the connector and not
the provider's published limits.
"""

import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import calls_shared
from benchmarks.unthrottled import source_of, without_budget
from calls_shared.http.patience import Patience
from integration_tests.sandbox.switches import PROVIDERS


def shorten_the_pauses(factor: float) -> None:
    """Multiply the pauses of this process, and leave its time-outs alone."""

    def scaled(self: Patience, _: float) -> Patience:
        first, longest = self.first_pause * factor, self.longest_pause * factor
        return replace(self, first_pause=first, longest_pause=longest)

    setattr(Patience, "scaled", scaled)  # noqa: B010 - an assignment would not type-check


def main() -> None:
    """Run the command in this process."""
    options = ArgumentParser(prog="python -m integration_tests.soak.connector", description=__doc__)
    options.add_argument("provider", choices=PROVIDERS)
    options.add_argument("--no-budget", action="store_true", help="as fast as it goes")
    options.add_argument("--pauses", type=float, default=1.0, help="factor of the own pauses")
    options.add_argument("--peak", type=Path, help="file for the peak of memory, in megabytes")
    known, command = options.parse_known_args()
    if known.no_budget:
        without_budget()
    if known.pauses != 1.0:
        shorten_the_pauses(known.pauses)
    try:
        calls_shared.run(source_of(known.provider), command)
    finally:
        if known.peak:
            known.peak.write_text(str(peak_megabytes()), encoding="ascii")


def peak_megabytes() -> float:
    """The peak of this process's memory.

    `getrusage` would count that of the process that started it too, as it was before `exec`.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    kilobytes = getrusage(RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return kilobytes / 1024


if __name__ == "__main__":
    main()
