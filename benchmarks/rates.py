"""Rates under enforced limits, with the defaults: what ours achieve, and how often it is refused.

The sandbox runs in this process here, because only there the requests' times can be seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from benchmarks import measure, programs
from benchmarks.sandbox import NOW
from calls_shared.http.places import MOST
from integration_tests.sandbox import (
    IntercomSwitches,
    Sandbox,
    SkipcallSwitches,
    Switches,
    World,
)

LATENCIES = (50, 100, 500)
"""Milliseconds."""
LINK_BY_LINK = frozenset({"amplemarket"})
PAGE = {"intercom": 25, "amplemarket": 100, "skipcall": 100}
REQUESTS_OF_A_CONVERSATION = 2.7
"""About so many does the sandbox's Quo need for one."""
ALLOWANCE = 30.0
"""Seconds that a read may take beyond what its requests need."""


@dataclass(frozen=True)
class Case:
    """A provider, how slowly it answers, and how many requests are read of it.

    Attributes:
        limit, window_seconds: its published limit; where plans differ, of the larger one.
    """

    provider: str
    latency_ms: int
    limit: int
    window_seconds: float
    requests: int

    @property
    def at_once(self) -> int:
        """How many requests a connector has under way at most."""
        return 1 if self.provider in LINK_BY_LINK else MOST

    @property
    def by_latency(self) -> float:
        """Requests a second that so many at once can do."""
        return self.at_once / self.latency_ms * 1000.0

    @property
    def is_bound_by_limit(self) -> bool:
        """Whether the limit is what bounds, and not the latency."""
        return self.limit / self.window_seconds <= self.by_latency

    @property
    def possible(self) -> float:
        """Requests a second."""
        return min(self.limit / self.window_seconds, self.by_latency)

    @property
    def world(self) -> World:
        """One of about so many requests."""
        if self.provider == "openphone":
            conversations = int(self.requests / REQUESTS_OF_A_CONVERSATION)
            return World(7, 10 * conversations, instant(), conversations)
        return World(7, self.requests * PAGE[self.provider], instant())


@dataclass(frozen=True)
class Rate:
    """The achieved rate beside the possible one, in requests a second."""

    provider: str
    latency_ms: int
    limit: int
    window_seconds: float
    at_once: int
    possible: float
    achieved: float
    requests: int
    refused: int
    seconds: float
    exit_status: int

    @property
    def share(self) -> float:
        """The part of the possible rate that was achieved."""
        return self.achieved / self.possible


def cases(latencies: Iterable[int] = LATENCIES) -> list[Case]:
    """Each provider at each latency, long enough that its window is what is measured.

    A request more than whole windows, so that the last one has an end; where the latency is what
    bounds, as many as take a minute.
    """
    found = []
    for latency in latencies:
        for provider, limit, seconds, windows in (
            ("intercom", 1666, 10.0, 2),
            ("openphone", 10, 1.0, 30),
            ("amplemarket", 500, 60.0, 1),
            ("skipcall", 1000, 60.0, 1),
        ):
            case = Case(provider, latency, limit, seconds, limit * windows + 1)
            if not case.is_bound_by_limit:
                case = replace(case, requests=int(60.0 * case.by_latency))
            found.append(case)
    return found


QUICK = (
    Case("intercom", 100, 167, 10.0, 168),
    Case("openphone", 100, 10, 1.0, 50),
)


def run_rates(table: Iterable[Case], folder: Path) -> list[Rate]:
    """Measure the cases, one after the other."""
    return [measured(case, folder) for case in table]


def instant() -> datetime:
    """The clock of the world."""
    return datetime.fromisoformat(f"{NOW}+00:00")


def measured(case: Case, folder: Path) -> Rate:
    """Read all calls of a provider that enforces its limit."""
    switches = Switches(
        latency_seconds=case.latency_ms / 1000.0,
        intercom=IntercomSwitches(limit=case.limit),
        skipcall=SkipcallSwitches(limit=case.limit),
    )
    with Sandbox(case.world, switches) as running:
        running.expected(case.provider)  # it makes its world
        command = programs.command_of("ours", case.provider, running.url, folder)
        longest = 2.0 * case.requests / case.possible + ALLOWANCE
        usage = measure.run(command.words, folder / "output", command.environment, longest)
        requests = running.requests
    times = [one.at for one in requests if one.status != 429]
    row = Rate(
        case.provider,
        case.latency_ms,
        case.limit,
        case.window_seconds,
        case.at_once,
        case.possible,
        achieved(times, case.limit if case.is_bound_by_limit else 1),
        len(requests),
        len(requests) - len(times),
        usage.seconds,
        usage.exit_status,
    )
    print(
        f"  rate  {row.provider:11} {row.latency_ms:>3} ms  {row.achieved:6.2f} of"
        f" {row.possible:.2f}/s = {row.share:.1%}, refused {row.refused} of {row.requests}",
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
