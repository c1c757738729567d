"""A random walk: whatever a list does, says and is asked for, a healthy reading ends at its truth.

The real connectors read a sandbox that moves between requests, lies, fails, kills and is asked for
other scopes; then one healthy complete reading must bring all that is listed. One seed gives one
walk: `WALK_SEEDS=17 pytest integration_tests/test_list_walk.py` walks that one alone, and
`WALK_SEEDS=60-999` others than those of the continuous integration.
"""

import os
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from integration_tests.list_reading import (
    NUMBERED,
    ORDERS,
    Destination,
    empty_page,
    list_sandbox,
    reading,
)
from integration_tests.sandbox import Fault, SeenRequest
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.numbered_lists import (
    PAGE_COUNTS,
    PAST_ENDS,
    TOTALS,
    ListSwitches,
)
from integration_tests.sandbox.times import to_milliseconds
from integration_tests.variants import VARIANTS, Variant, expected_by

FIRST, _, LAST = os.environ.get("WALK_SEEDS", "0-31").partition("-")
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)
SIZES = {"intercom": 70, "skipcall": 55, "amplemarket": 260, "openphone": 60}
STARTS = (None, None, "2026-03-01T00:00:00Z", "2026-08-15T00:00:00Z")
FAILURES = {"transient_error", "config_error", "system_error"}


class Walk:
    """One walk of a connector."""

    def __init__(self, variant: Variant, seed: int) -> None:
        self.variant = variant
        self.provider = provider = variant.provider
        self.random = Random(f"{variant} {seed}")
        order = self.random.choice(ORDERS)
        calls = self.random.randrange(SIZES[provider])
        self.sandbox = list_sandbox(provider, calls, order, seed=seed)
        self.healthy = self.sandbox.switches
        self.destination = Destination(provider, self.sandbox)
        self.destination.settings = self.scope()

    @property
    def is_dated(self) -> bool:
        """Whether the list is that of all calls, filtered by its server."""
        return self.variant.api_version is not None

    @property
    def world(self) -> Any:
        """The world behind the sandbox."""
        return self.sandbox.world

    def scope(self) -> dict[str, Any]:
        """What is asked for."""
        workers = self.random.choice([1, 2, 8])
        settings: dict[str, Any] = {"num_workers": workers}
        if self.is_dated:  # of which the newest end alone can be read too
            settings |= {**self.variant.settings, "full_scan_hours": self.random.choice([0, 24])}
        if self.provider == "amplemarket":
            settings["num_workers"] = 1
        if (start := self.random.choice(STARTS)) is not None:
            settings["start_date"] = start
        if self.provider == "skipcall" and self.random.random() < 0.3:
            settings["workspace_ids"] = [self.random.choice(self.world.skipcall_workspaces)]
        return settings

    def move(self) -> None:
        """Something happens in the world."""
        history, provider = self.world.history(self.provider), self.provider
        known, what = sorted(history.calls), self.random.random()
        if what < 0.3 or not known:
            self.world.add_call(provider)
        elif what < 0.45:
            self.world.delete_call(provider, self.random.choice(known))
        elif what < 0.75:
            self.hide_or_show(known)
        else:
            call_id = self.random.choice(known)
            if history.author.may_change(history.find(call_id), to_milliseconds(self.world.now)):
                self.world.change_call(provider, call_id)

    def hide_or_show(self, known: list[str]) -> None:
        """A call (Quo v1: a conversation) is not listed any more, or is again."""
        if self.provider == "openphone" and not self.is_dated:
            threads = sorted(self.world.openphone.threads)
            self.world.openphone.hidden ^= {self.random.choice(threads)}
            return
        hidden = sorted(self.world.hidden_calls(self.provider))
        if hidden and self.random.random() < 0.5:
            self.world.show_call(self.provider, self.random.choice(hidden))
        else:
            self.world.hide_call(self.provider, self.random.choice(known))

    def before_answer(self, request: SeenRequest) -> None:
        """The world moves between two requests."""
        with self.world.lock:  # requests come from several threads
            while self.random.random() < self.liveliness:
                self.move()

    def fall_ill(self) -> None:
        """The list lies, its pages fail, and the world moves."""
        rng = self.random
        self.liveliness = rng.choice([0.0, 0.2, 0.5])
        self.sandbox.before_answer = self.before_answer
        if self.provider in NUMBERED:
            lists = ListSwitches(
                total=rng.choice(TOTALS),
                page_count=rng.choice(PAGE_COUNTS),
                past_end=rng.choice(PAST_ENDS),
                taken_out=rng.choice(("none", "none", "none", "third", "second_page")),
                duplicate=rng.random() < 0.1,
                wall=rng.choice([None, None, None, 20, 30, 40, 50]),
                wall_form=rng.choice(("refused", "empty", "capped")),
            )
            group = replace(getattr(self.healthy, self.provider), lists=lists)
            if self.provider == "skipcall":
                cut, key = rng.choice([20, 20, 50, None]), rng.choice(["all", "all", "one"])
                group = replace(group, limit_cut=cut, key_scope=key)
            self.sandbox.switches = replace(self.healthy, **{self.provider: group})
            if rng.random() < 0.2:
                times = rng.choice([1, ENDLESS])
                self.sandbox.faults.append(empty_page(self.provider, rng.randrange(1, 5), times))
        if self.is_dated:
            dated = replace(
                self.healthy.openphone_dated,
                cursor=rng.choice(("keyset", "offset")),
                bounds=rng.choice(("exact", "cut_to_seconds")),
                list_end=rng.choice(("null", "absent", "empty_page")),
            )
            self.sandbox.switches = replace(self.healthy, openphone_dated=dated)
        if rng.random() < 0.2:
            status = rng.choice([503, 500, 404, 400])
            times = rng.choice([1, ENDLESS])
            nth = rng.randrange(1, 40 if self.is_dated else 6)
            self.sandbox.faults.append(Fault(self.provider, nth=nth, times=times, status=status))

    def recover(self) -> None:
        """The list is healthy again, and stands still."""
        self.sandbox.switches, self.sandbox.faults = self.healthy, []
        self.sandbox.before_answer = None

    def step(self) -> None:
        """Time passes, calls come and go, a sync is made, well or not."""
        hours, new, changed = (
            self.random.choice([0.01, 1, 30, 300]),
            *self.random.choices(range(6), k=2),
        )
        self.world.advance(hours, new=new, changed=changed, deleted=1, late=1)
        for _ in range(self.random.randrange(4)):
            self.move()
        if self.random.random() < 0.4:
            self.destination.settings = self.scope()
        if self.random.random() < 0.7:
            self.fall_ill()
        if self.random.random() < 0.2:
            self.destination.killed_sync(self.random.randrange(1, 60))
        else:
            done = self.destination.sync()
            assert {kind for kind, _ in done.failures} <= FAILURES
            assert "unexpected" not in str(done.failures)
        self.recover()

    def expected(self) -> dict[str, dict[str, Any]]:
        """What is listed now, as far as it is asked for."""
        settings = self.destination.settings
        found = expected_by(self.provider, self.sandbox, settings)
        if (start := settings.get("start_date")) is not None:
            found = {i: c for i, c in found.items() if c["occurred_at"][:-1] >= start[:-1]}
        if (wanted := settings.get("workspace_ids")) is not None:
            calls = self.world.skipcall.calls
            found = {i: c for i, c in found.items() if calls[i].workspace_id in wanted}
        return found


WALKS = [
    pytest.param(variant, seed, id=f"{variant}-{seed}")
    for variant in VARIANTS
    for seed in SEEDS
    if variant.api_version is None or seed % 2 == 0  # whose walks are the longest
]


@pytest.mark.parametrize(("variant", "seed"), WALKS)
def test_a_healthy_complete_reading_ends_at_the_providers_list(variant: Variant, seed: int) -> None:
    walk, provider = Walk(variant, seed), variant.provider
    with reading(walk.sandbox):
        for _ in range(walk.random.randrange(1, 6)):
            walk.step()
        if provider == "amplemarket":  # whose list is read to its end once a day
            walk.world.advance(25, new=0, changed=0, deleted=0, late=0)
        if walk.is_dated:
            walk.destination.settings = {**walk.destination.settings, "full_scan_hours": 0}
        if walk.destination.is_under_way:  # what goes on is a reading as of when it began
            assert walk.destination.sync().failures == []
        done = walk.destination.sync()
        assert done.failures == []
        walk.destination.assert_holds(walk.expected())
        # and what is known comes again only as far as the lookback goes
        walk.world.advance(24 * 30, new=0, changed=0, deleted=0, late=0)
        walk.destination.sync()
        quiet = walk.destination.sync()
        assert quiet.failures == []
        assert len(quiet.by_id()) <= len(walk.expected())
        if provider != "openphone":
            assert walk.destination.readings() == 1
