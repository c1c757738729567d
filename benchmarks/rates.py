"""Rates under enforced limits: what our connectors achieve, and how often they are refused.

The sandbox runs in this process here, because only there the requests' times can be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from benchmarks import measure, programs
from benchmarks.sandbox import NOW
from integration_tests.sandbox import IntercomSwitches, OpenPhoneSwitches, Sandbox, Switches, World


@dataclass(frozen=True)
class Rate:
    """The achieved rate beside the allowed one, in requests a second."""

    provider: str
    limit: str
    allowed: float
    achieved: float
    requests: int
    refused: int
    seconds: float
    exit_status: int

    @property
    def share(self) -> float:
        """The part of the allowed rate that was achieved."""
        return self.achieved / self.allowed

    @property
    def refused_share(self) -> float:
        """The part of the requests that was refused."""
        return self.refused / self.requests if self.requests else 0.0


def run_rates(windows: int, folder: Path) -> list[Rate]:
    """Read Intercom for some windows of 167 per 10 s, OpenPhone for as long."""
    intercom = replace(Switches(), intercom=IntercomSwitches(limit=167))
    # a page more, so that the last window has an end
    pages = windows * 167 + 1
    return [
        measured("intercom", World(7, pages * 25, instant()), intercom, folder),
        measured("openphone", World(7, 800, instant(), 12 * windows), Switches(), folder),
    ]


def instant() -> datetime:
    """The clock of the world."""
    return datetime.fromisoformat(f"{NOW}+00:00")


def measured(provider: str, world: World, switches: Switches, folder: Path) -> Rate:
    """Read all calls of a provider that enforces its limit."""
    known: dict[str, IntercomSwitches | OpenPhoneSwitches] = {
        "intercom": switches.intercom,
        "openphone": switches.openphone,
    }
    options = known[provider]
    with Sandbox(world, switches) as running:
        running.expected(provider)  # it makes its world
        command = programs.command_of("ours", provider, running.url, folder)
        usage = measure.run(command.words, folder / "output", command.environment, 240.0)
        requests = running.requests
    times = [one.at for one in requests if one.status != 429]
    row = Rate(
        provider,
        f"{options.limit} in {options.window_seconds:g} s",
        options.limit / options.window_seconds,
        achieved(times, options.limit),
        len(requests),
        len(requests) - len(times),
        usage.seconds,
        usage.exit_status,
    )
    print(
        f"  rate  {provider:11} {row.limit:12} {row.achieved:5.2f} of {row.allowed:.2f}/s"
        f" = {row.share:.1%}, refused {row.refused} of {row.requests}",
        flush=True,
    )
    return row


def achieved(times: Sequence[float], limit: int) -> float:
    """Requests a second over whole windows: from the first request to the last multiple of `limit`.

    So the burst that begins a window counts with the wait that ends it.
    """
    times = sorted(times)
    windows = (len(times) - 1) // limit
    if windows < 1:
        return 0.0
    return windows * limit / (times[windows * limit] - times[0])
