"""Hourly syncs of a world in which calls come, change, hide and go, held against the oracle.

The connector's clock is the world's, and no sockets are opened.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from integration_tests.commands import CURSOR_FIELDS, catalog_for, config_for
from integration_tests.fault_cases import Sync, quick_switches
from integration_tests.in_process import messages_of
from integration_tests.list_reading import reading
from integration_tests.sandbox import Sandbox, SeenRequest, World
from integration_tests.sandbox.arrivals import MOMENTS, Happening, Promise, Run
from integration_tests.sandbox.switches import ListOrder
from integration_tests.sandbox.times import DAY, HOUR, MINUTE, SECOND, iso_seconds, parse_iso
from integration_tests.simulated_life import (
    AS_IN_LIFE,
    NOTHING,
    SLOWLY,
    Life,
    Pace,
    Record,
    add_old_calls,
)
from integration_tests.week_syncs import PAGE, messages_until, week_source

MOST_BESIDE = 4
"""Requests of a recent sync beside the pages of what it brings."""

_WHILE_IT_READS = 0.2
"""How likely something happens with a request, where anything happens beside a sync."""


@contextmanager
def simulated(provider: str, order: ListOrder, seed: int = 1, **options: Any) -> Iterator["Week"]:
    """A week of a provider whose list has an order.

    Args:
        provider: its name.
        order: of its list.
        seed: of all that happens.
        options: `calls` before the week, `lists_by` (another order, where the connector has to ask
            for this one), `sort` (the encoding in which that is understood), `old_calls` (so many
            more from long before), and settings of the connector.
    """
    switches = quick_switches()
    is_sorted = order.startswith(("created", "updated"))
    calls = options.pop("calls", 150 if is_sorted else 110)
    lists_by = {"order": options.pop("lists_by", order)} if provider in MOMENTS else {}
    if "sort" in options:
        lists_by["sort"] = options.pop("sort")
    switches = replace(switches, **{provider: replace(getattr(switches, provider), **lists_by)})
    days = 7 if order.startswith("nearly") else 2  # where some calls stand five days further down
    old_calls = options.pop("old_calls", 0)
    settings = {"lookback_days": days, **options}
    promise = Promise(
        order,
        settings["lookback_days"],
        settings.get("full_scan_hours", 24),
        tells_changes=provider != "amplemarket",
    )
    world = World(seed, calls)
    for call_id in [*world.history(provider).calls][::12]:  # some are listed late
        world.hide_call(provider, call_id)
    add_old_calls(world, provider, old_calls)
    sandbox = Sandbox(world, switches)
    with reading(sandbox):
        rng = Random(f"{provider} {order} {seed}")
        yield Week(Life(provider, promise, sandbox, rng), settings)


@dataclass
class Week:
    """A connector, and a destination that merges by id.

    Attributes:
        life: what happens.
        settings: of the connector.
        held: what the destination holds.
        states: the last ones that were kept.
        arrived: by id, the last version that had to come by now.
        runs: the syncs so far.
        requests: how many each of them has sent.
        cursor: the newest moment that the last kept one saw.
    """

    life: Life
    settings: Mapping[str, Any] = field(default_factory=dict)
    held: dict[str, Record] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    arrived: dict[str, int] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    cursor: str = ""

    @property
    def promise(self) -> Promise:
        """What is promised."""
        return self.life.promise

    @property
    def is_exact(self) -> bool:
        """Whether every page shows the order, so that no sync reads the whole list before its time.

        A call that Skipcall has marked as deleted stands where its last update was.
        """
        by, provider = self.promise.order.partition("_")[0], self.life.provider
        return by in ("created", "shuffled") or (by == "updated" and provider == "intercom")

    def live_and_sync(self, hours: int) -> None:
        """So many hourly syncs, and after a day a last one, after which nothing is missing."""
        is_sorted = self.promise.order.startswith(("created", "updated"))
        self.hourly_syncs(hours, AS_IN_LIFE if is_sorted else SLOWLY)
        self.life.wait_until(self.life.now + max(1, self.promise.full_scan_hours) * HOUR)
        self.sync()
        self.assert_nothing_is_lost()

    def hourly_syncs(self, hours: int, pace: Pace) -> None:
        """Syncs every hour: most go well, some are killed, or begin while things happen."""
        began = self.life.now
        for hour in range(1, hours + 1):
            dice, is_lost = self.life.rng.random(), self.life.rng.random() < 0.5
            if dice < 0.1:
                self.sync(killed_after=self.life.rng.randrange(1, 90), loses_records=is_lost)
            elif dice < 0.15:
                self.sync(loses_state=True, loses_records=is_lost)
            elif dice < 0.25:
                self.sync(pace)
            elif dice < 0.97:  # else the machine is down
                self.sync()
            self.life.live(began + hour * HOUR + self.life.rng.randrange(10 * MINUTE), pace)

    def sync(
        self,
        traffic: Pace = NOTHING,
        killed_after: int | None = None,
        *,
        loses_state: bool = False,
        loses_records: bool = False,
    ) -> None:
        """One sync, and whether it kept the promise.

        Args:
            traffic: what happens while it reads, and how often beside the rest.
            killed_after: so many records have come; null lets it live.
            loses_state: the platform does not keep the last state.
            loses_records: nor the records.
        """
        began, calls = self.life.now, len(self.life.truth)
        is_due, since = self.promise.is_complete_due(self.runs, began), self._since()
        done, happened = self._read(traffic, killed_after)
        assert done.failures == []
        is_kept = bool(done.states) and not loses_state
        if is_kept or not loses_records:
            self.held |= done.by_id()
        is_complete = self._has_read_all(min(calls, len(self.life.truth)))
        if done.states:
            assert is_complete or not is_due
            assert is_complete == is_due or not self.is_exact
            assert is_complete or self.requests[-1] <= MOST_BESIDE + self._pages_since(since)
        if is_kept:
            self.states, self.cursor = done.states, self._newest(began)
        self.runs.append(Run(began, is_kept, not happened, is_complete))
        self._assert_arrived()

    def _read(self, traffic: Pace, killed_after: int | None) -> tuple[Sync, list[str]]:
        """What a sync emitted, and what happened beside it."""
        happened: list[str] = []

        def happens(_: SeenRequest) -> None:
            with self.life.sandbox.world.lock:
                if self.life.rng.random() < _WHILE_IT_READS:
                    happened.extend(
                        self.life.rng.choices([*vars(traffic)], [*vars(traffic).values()])
                    )
                    self.life.one(happened[-1])

        settings = self.settings
        if traffic != NOTHING:  # one page after the other, so that a seed tells what happens
            settings = {**settings, "num_workers": 1}
        self.life.sandbox.clear_requests()
        self.life.sandbox.before_answer = None if traffic == NOTHING else happens
        messages = messages_of(
            week_source(self.life.provider),
            config_for(self.life.provider, **settings),
            catalog_for(self.life.provider),
            self.states,
        )
        done = Sync(*messages_until(messages, killed_after))
        self.life.sandbox.before_answer = None
        self.requests.append(len(self.life.sandbox.requests))
        return done, happened

    def _has_read_all(self, calls: int) -> bool:
        """Whether every page was asked for."""
        pages = math.ceil(calls / PAGE)
        if self.life.provider == "amplemarket":
            return len(self.life.sandbox.requests) >= pages
        asked = {int(dict(request.query)["page"]) for request in self.life.sandbox.requests}
        return asked >= set(range(1, pages + 1))

    def _newest(self, began: int) -> str:
        """The newest moment that a sync saw which began at an instant."""
        cursor = CURSOR_FIELDS[self.life.provider]
        moments = [record[cursor][:19] for record in self.life.truth.values()]
        return min(max(moments, default=""), _text(began))

    def _since(self) -> str:
        """The beginning of the lookback."""
        if not self.cursor:
            return ""
        return _text((parse_iso(self.cursor) or 0) - self.promise.lookback_days * DAY)

    def _pages_since(self, moment: str) -> int:
        """Pages of the calls that were created, or changed, since a moment."""
        names = {"created_at", CURSOR_FIELDS[self.life.provider]}
        recent = [
            r for r in self.life.truth.values() if any(r[name][:19] >= moment for name in names)
        ]
        return math.ceil(len(recent) / PAGE)

    def _assert_arrived(self) -> None:
        """What had to come with the last sync has come: that version of a call, or a later one."""
        missing = {}
        for call_id, numbers in [*self.life.owed.items()]:
            story = self.life.stories[call_id]
            due = [number for number in numbers if self._is_due(story[number].happening)]
            if not due:
                continue
            if self.held.get(call_id) not in [version.record for version in story[due[-1] :]]:
                missing[call_id] = (story[due[-1]], self.held.get(call_id))
            self.arrived[call_id] = due[-1]
            self.life.owed[call_id] = [number for number in numbers if number > due[-1]]
            if not self.life.owed[call_id]:
                del self.life.owed[call_id]
        assert missing == {}

    def _is_due(self, happening: Happening) -> bool:
        return self.promise.arrives_with(happening, self.runs[-1:]) is not None

    def assert_nothing_is_lost(self) -> None:
        """After a quiet complete sync the destination is the truth, but for what is gone.

        A change that no record tells, of a call before the lookback, may be missing.
        """
        for call_id, numbers in self.life.owed.items():
            assert not self.promise.tells_changes
            story = self.life.stories[call_id]
            assert {story[number].happening.kind for number in numbers} == {"changed"}
            assert self.held[call_id] in [v.record for v in story[self.arrived[call_id] :]]
        told = self.life.truth.keys() - self.life.owed.keys()
        assert {key: self.held[key] for key in told} == {key: self.life.truth[key] for key in told}
        assert self.arrived.keys() <= self.held.keys()
        for call_id in self.held.keys() - self.life.truth.keys():
            story = self.life.stories[call_id][self.arrived.get(call_id, 0) :]
            assert self.held[call_id] in [version.record for version in story]


def _text(moment: int) -> str:
    return iso_seconds(moment // SECOND)[:19]
