"""The log of requests, and what can be counted from it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it arrived.

    `path` is the provider's own, below its prefix; `at` is in seconds of a monotonic clock.
    `status` is 0 while no answer is known (in the hook `before_answer`) and when none was given.
    """

    provider: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    raw_query: str
    headers: Mapping[str, str]
    status: int
    at: float
    body: bytes = b""


def counts(requests: Iterable[SeenRequest]) -> dict[str, dict[str, dict[str, int]]]:
    """Number of requests by provider, path and status."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    tally = Counter((one.provider, one.path, str(one.status)) for one in requests)
    for (provider, path, status), number in sorted(tally.items()):
        found.setdefault(provider, {}).setdefault(path, {})[status] = number
    return found


def peak_per_second(requests: Iterable[SeenRequest]) -> int:
    """The most requests that arrived within any span of one second."""
    times = sorted(one.at for one in requests)
    peak = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        peak = max(peak, last - first + 1)
    return peak
