"""A random walk: whatever a list does and says, a healthy reading ends at what it holds."""

import contextlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import requests

from calls_shared.http.refusals import PageRefusedError
from calls_shared.normalization.times import format_timestamp
from calls_shared.reading.convergence import Convergence
from calls_shared.reading.list_state import ListState
from calls_shared.reading.numbered import EmptyPageError, NumberedList
from calls_shared.reading.pagination import PageNumbers

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
LOOKBACK = timedelta(days=7)
STRATEGY = PageNumbers(page_size=10, page_count_at="pages", total_at="total")


@dataclass
class Call:
    """A call of the world: its id, creation, last change and version."""

    number: int
    created: datetime
    changed: datetime
    version: int = 0
    hidden: bool = False


@dataclass
class World:
    """A provider's list that moves with each request and lies about its numbers."""

    seed: int
    healthy: bool = False
    now: datetime = EPOCH + timedelta(days=300)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.order = self.random.choice(["newest", "oldest", "changed", "shuffled"])
        self.size = self.random.choice([3, 7, 10])
        self.past_end = self.random.choice(["empty", "repeat", "refuse"])
        self.made = 0
        for _ in range(self.random.randrange(60)):
            self.add(self.random.uniform(0, 300))

    def add(self, days_ago: float) -> None:
        self.made += 1
        moment = self.now - timedelta(days=days_ago)
        self.calls.append(Call(self.made, moment, moment))

    def move(self) -> None:
        """What happens between two requests."""
        self.now += timedelta(seconds=self.random.choice([1, 30, 3600]))
        for _ in range(self.random.choice([0, 0, 1, 3])):
            what = self.random.random()
            if what < 0.35:
                self.add(0)
            elif what < 0.45:
                self.add(self.random.uniform(0, 200))  # becomes visible late
            elif self.calls:
                call = self.random.choice(self.calls)
                if what < 0.6:
                    self.calls.remove(call)
                elif what < 0.8:
                    call.hidden = not call.hidden
                else:
                    call.version, call.changed = call.version + 1, self.now

    def listed(self) -> list[Call]:
        calls = [call for call in self.calls if not call.hidden]
        if self.order == "shuffled":
            random.Random(self.seed).shuffle(calls)
            return calls
        key = (lambda c: c.changed) if self.order == "changed" else (lambda c: c.created)
        return sorted(calls, key=key, reverse=self.order != "oldest")

    def fetch(self, number: int) -> requests.Response:
        if not self.healthy:
            self.move()
        calls = self.listed()
        page = calls[(number - 1) * self.size : number * self.size]
        end = max(1, -(-len(calls) // self.size))
        if not page and number > end and self.past_end == "refuse":
            raise PageRefusedError(message="no such page", internal_message="404")
        if not page and number > end and self.past_end == "repeat":
            page = calls[(end - 1) * self.size :]
        total: object = len(calls)
        pages: object = end
        if not self.healthy:
            lie = self.random.random()
            if lie < 0.3:
                total = self.random.choice([0, None, len(page), len(calls) + 2, f"{len(calls)}"])
            if lie < 0.2:
                pages = self.random.choice([None, 1, end + 1, end + 5, -(-len(calls) // 10)])
            if lie > 0.97:
                page = []
        return answer(page, total, pages)


def answer(page: Sequence[Call], total: object, pages: object) -> requests.Response:
    response = requests.Response()
    response.status_code = 200
    rows = [
        {
            "id": str(call.number),
            "created": format_timestamp(call.created),
            "changed": format_timestamp(call.changed),
            "version": call.version,
        }
        for call in page
    ]
    body = {"data": rows, "total": total, "pages": pages}
    response._content = json.dumps(body).encode()
    return response


class Destination:
    """Where the syncs write; it keeps the latest row of each id."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.state = ListState()

    def sync(self, world: World, killed_after: int | None = None) -> int:
        """One sync; the state moves unless it is killed or fails. How many rows came."""
        convergence = Convergence(self.state, {}, LOOKBACK, "")
        at, rows, requested = format_timestamp(world.now), 0, 0

        def fetch(number: int) -> requests.Response:
            nonlocal requested
            requested += 1
            if killed_after is not None and requested > killed_after:
                raise KeyboardInterrupt
            return world.fetch(number)

        while True:
            workers = world.random.choice([1, 4])
            listing = NumberedList(
                fetch,
                STRATEGY,
                lambda response: [row["id"] for row in response.json()["data"]],
                lambda: convergence.listed,
                pauses=[0.0, 0.0],
                sleep=lambda _: None,
                workers=lambda count=workers: count,
                unlisted=self.state.unlisted,
            )
            is_first = True
            for page in listing.pages():
                if is_first:
                    convergence.begin(format_timestamp(world.now + timedelta(seconds=1)))
                    is_first = False
                convergence.page(STRATEGY.total(page.response))
                for row in page.response.json()["data"]:
                    if convergence.call(row["id"], row["created"], row["changed"], in_scope=True):
                        rows += 1
                        self.rows[row["id"]] = row["version"]
            if is_first:
                convergence.begin(format_timestamp(world.now))
            if not convergence.needs_another(listing.end):
                break
        self.state = ListState.of(convergence.state(listing.end, at).as_state())
        return rows


@pytest.mark.parametrize("seed", range(300))
def test_a_healthy_reading_ends_at_what_the_list_holds(seed: int) -> None:
    world, destination = World(seed), Destination()
    for _ in range(world.random.randrange(1, 7)):
        killed_after = world.random.choice([None, None, 1, 3])
        with contextlib.suppress(KeyboardInterrupt, EmptyPageError, PageRefusedError):
            destination.sync(world, killed_after)
        world.now += timedelta(days=world.random.choice([0, 1, 10, 40]))
        for _ in range(world.random.randrange(5)):
            world.move()
    world.healthy = True
    destination.sync(world)
    expected = {str(call.number): call.version for call in world.listed()}
    assert {i: destination.rows.get(i) for i in expected} == expected
    # and once all is known, a sync repeats no more than the lookback
    rows = destination.sync(world)
    newest = max((call.changed for call in world.listed()), default=world.now)
    young = [c for c in world.listed() if c.changed >= min(newest, world.now) - LOOKBACK]
    young += [c for c in world.listed() if c.created >= world.now - LOOKBACK and c not in young]
    assert rows <= len(young)
