"""An hourly sync of a list that cannot be asked for what is new: requests and seconds.

A workspace holds many calls and gets a few new ones. Every program goes back a week behind what it
knows, as ours does by default, so that changes of a week arrive.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks import incremental, measure, programs
from benchmarks.cases import UNTHROTTLED
from benchmarks.programs import Command
from benchmarks.sandbox import NOW, RunningSandbox, sandbox

NEW: Final = 100
"""Calls in the hour."""

LOOKBACK: Final = timedelta(days=7)
MOST_BESIDE: Final = 4
"""Requests beside the pages of the calls of the lookback and the new ones."""

PROGRAMS = ("ours", "dlt", "dlt, told the order", "singer")
LONGEST = 900.0


@dataclass(frozen=True)
class NumberedList:
    """How a provider's list is asked for.

    Attributes:
        page: path and query of a page, less its number.
        size: of a page.
        created: the record's field of the creation.
    """

    page: str
    size: int
    created: str

    def moment(self, at: datetime) -> str:
        """A moment as the provider writes it."""
        if self.created == "created_at":
            return str(int(at.timestamp()))
        return f"{at:%Y-%m-%dT%H:%M:%S.000Z}"


LISTS = {
    "intercom": NumberedList("/calls?per_page=25&page=", 25, "created_at"),
    "skipcall": NumberedList("/v1/calls?limit=100&page=", 100, "createdAt"),
}


@dataclass(frozen=True)
class Hourly:
    """What the sync of an hour with `NEW` calls took."""

    provider: str
    calls: int
    program: str
    requests: int
    allowed: int
    """What this product promises."""
    seconds: float
    is_valid: bool
    """Whether every new call came."""


def run_hours(sizes: Iterable[int], folder: Path) -> list[Hourly]:
    """Measure each program at some sizes of the workspace."""
    return [
        row for provider in LISTS for calls in sizes for row in measured(provider, calls, folder)
    ]


def measured(provider: str, calls: int, folder: Path) -> list[Hourly]:
    """Read everything once, let an hour pass, and sync with each program."""
    with sandbox(calls, switches=UNTHROTTLED) as running:
        state = state_of_first_sync(provider, running, folder)
        running.advance(hours=1, new=NEW, changed=0, deleted=0, late=0)
        new, recent = since_last_week(provider, running)
        allowed = MOST_BESIDE + incremental.pages(recent, LISTS[provider].size)
        found = []
        for program in PROGRAMS:
            output = folder / "output"
            command = command_of(program, provider, running.url, folder, state)
            running.forget_requests()
            usage = measure.run(command.words, output, command.environment, LONGEST)
            came = {str(call["id"]) for call in programs.calls_in(output)}
            is_valid = usage.exit_status == 0 and new <= came
            requests = running.counts().total
            row = Hourly(provider, calls, program, requests, allowed, usage.seconds, is_valid)
            found.append(row)
            print(
                f"  hourly {provider:9} {calls:>9,} calls  {program:20} {requests:>6} requests"
                f"  {usage.seconds:6.1f} s{'' if is_valid else '  INVALID'}",
                flush=True,
            )
        return found


def state_of_first_sync(provider: str, running: RunningSandbox, folder: Path) -> dict[str, Any]:
    """What a first sync leaves; its rate is not what is measured here."""
    output = folder / "output"
    command = programs.ours(provider, running.url, folder)
    python = str(programs.OURS / "python")
    words = (python, "-m", "benchmarks.unthrottled", provider, *command.words[1:])
    usage = measure.run(words, output, command.environment, LONGEST)
    if usage.exit_status != 0:
        raise RuntimeError(f"a first sync of {provider} failed: {measure.errors_of(output)}")
    return programs.last_state(output)


def since_last_week(provider: str, running: RunningSandbox) -> tuple[frozenset[str], int]:
    """The ids of the calls of the hour, and how many there are with those of the week before.

    The list comes newest first.
    """
    listing = LISTS[provider]
    now = datetime.fromisoformat(NOW).replace(tzinfo=UTC)
    hour, week = listing.moment(now), listing.moment(now - LOOKBACK)
    new: set[str] = set()
    count = 0
    for number in itertools.count(1):
        rows = running.get(provider, f"{listing.page}{number}")["data"]
        created = [str(row[listing.created] or hour) for row in rows]
        new |= {str(row["id"]) for row, at in zip(rows, created, strict=True) if at > hour}
        count += sum(at >= week for at in created)
        if not rows or min(created) < week:
            break
    return frozenset(new), count


def command_of(
    program: str, provider: str, url: str, folder: Path, state: dict[str, Any]
) -> Command:
    """How to read what is new with a program."""
    if program == "ours":
        return programs.ours(provider, url, folder, state)
    listing = LISTS[provider]
    back = datetime.fromisoformat(NOW).replace(tzinfo=UTC) - LOOKBACK
    since = f"{listing.created}={listing.moment(back)}"
    peer = programs.command_of(program.split(",", maxsplit=1)[0], provider, url, folder)
    options = {"dlt": ("--since", since), "singer": (since,)}
    options["dlt, told the order"] = ("--since", since, "--newest-first")
    return Command((*peer.words, *options[program]), peer.environment)
