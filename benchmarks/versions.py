"""Quo's two APIs: requests and seconds of a full sync and of an hourly one, under the limit.

The workspace is one that both can see as a whole: each call is of a conversation with one
participant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import measure, programs
from benchmarks.sandbox import sandbox

VERSIONS: Final = ("v1", "2026-03-30")
CALLS, CONVERSATIONS = 10_000, 2_000
NEW: Final = 100
"""Calls in the hour."""
LONGEST: Final = 1_800.0


@dataclass(frozen=True)
class Version:
    """What the two syncs took.

    Attributes:
        version: the version of the API.
        calls, conversations: what the workspace holds.
        latency_ms: of each answer.
        sync: `full` or `hourly`.
        requests, refused: how many were sent, and how many of them were refused for their rate.
        seconds: with the start of the program.
        is_valid: whether every call came, or every new one.
    """

    version: str
    calls: int
    conversations: int
    latency_ms: int
    sync: str
    requests: int
    refused: int
    seconds: float
    is_valid: bool


def run_versions(
    folder: Path, sizes: tuple[int, int] = (CALLS, CONVERSATIONS), latency_ms: int = 100
) -> list[Version]:
    """Measure both versions."""
    return [row for one in VERSIONS for row in measured(one, sizes, latency_ms, folder)]


def measured(
    version: str, sizes: tuple[int, int], latency_ms: int, folder: Path
) -> Iterable[Version]:
    """Read everything, let an hour pass, and sync once more."""
    calls, conversations = sizes
    output = folder / "output"
    with sandbox(calls, latency_ms=latency_ms, conversations=conversations, limits=True) as running:
        state = None
        known: set[str] = set()
        for sync in ("full", "hourly"):
            running.forget_requests()
            command = programs.ours("openphone", running.url, folder, state, api_version=version)
            usage = measure.run(command.words, output, command.environment, LONGEST)
            came = {str(call["id"]) for call in programs.calls_in(output)}
            wanted = {call["id"] for call in running.expected("openphone", version)}
            is_valid = usage.exit_status == 0 and wanted - known <= came
            counts = running.counts()
            found = (sync, counts.total, counts.refused, usage.seconds, is_valid)
            print(f"  version  {version:10} {found}", flush=True)
            yield Version(version, calls, conversations, latency_ms, *found)
            state, known = programs.last_state(output), known | came
            running.advance(hours=1, new=NEW, changed=0, deleted=0, late=0)
