"""What happens to the calls of a simulated world, and what a destination is owed of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from integration_tests.sandbox import Sandbox, World, expected_call
from integration_tests.sandbox.amplemarket_calls import AmplemarketAuthor
from integration_tests.sandbox.arrivals import Happening, Promise, place_of
from integration_tests.sandbox.history import HISTORY_DAYS
from integration_tests.sandbox.intercom_calls import IntercomAuthor
from integration_tests.sandbox.skipcall_calls import SkipcallAuthor
from integration_tests.sandbox.times import DAY, HOUR, SECOND, to_milliseconds

STARTS = {"intercom": "initiated_at", "skipcall": "started", "amplemarket": "started"}
"""The field of a true call that says when it started, in seconds but for Skipcall."""
AUTHORS: Mapping[str, Callable[[int], Any]] = {
    "intercom": IntercomAuthor,
    "skipcall": SkipcallAuthor,
    "amplemarket": AmplemarketAuthor,
}
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Pace:
    """How often something happens, in an hour; `young` are calls within the lookback."""

    new: float = 1.0
    late: float = 0.1
    young_changed: float = 0.8
    any_changed: float = 0.5
    deleted: float = 0.25
    hidden: float = 0.15
    shown: float = 0.12


AS_IN_LIFE = Pace()
SLOWLY = Pace(0.3, 0.1, 0.3, 0.3, 0.1, 0.08, 0.07)
NOTHING = Pace(0, 0, 0, 0, 0, 0, 0)


def add_old_calls(world: World, provider: str, count: int) -> None:
    """So many calls more, an hour apart, from before all others."""
    history = world.history(provider)
    author = AUTHORS[provider](world.seed + 1)
    newest = to_milliseconds(world.now) - 2 * HISTORY_DAYS * DAY
    for number in range(count):
        at = newest - number * HOUR
        call = author.new_call(at, at + HOUR)
        own = {
            "intercom": {"id": f"old-{number}"},
            "skipcall": {"workspace_id": world.skipcall_workspaces[0]},
        }.get(provider, {})
        history.put(author.with_fields(call, own))


@dataclass(frozen=True)
class Version:
    """What a call became, and the record that a connector must emit for it."""

    happening: Happening
    record: Record


@dataclass
class Life:
    """The calls of a provider: they come, change, hide and go.

    Attributes:
        provider, promise, sandbox: whose, what is promised of them, and where they are listed.
        rng: decides.
        stories: by id, what each call became.
        truth: the records of all calls that are listed.
        owed: by id, the versions that have not come although they can be seen.
    """

    provider: str
    promise: Promise
    sandbox: Sandbox
    rng: Random
    stories: dict[str, list[Version]] = field(default_factory=dict)
    truth: dict[str, Record] = field(default_factory=dict)
    owed: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for call_id in self.sandbox.world.history(self.provider).calls:
            self._happens("new", call_id)

    @property
    def now(self) -> int:
        """The world's time in milliseconds."""
        return to_milliseconds(self.sandbox.world.now)

    def wait_until(self, moment: int) -> None:
        """Let time pass in which nothing happens."""
        hours = max(0, moment - self.now) / HOUR
        self.sandbox.world.advance(hours, new=0, changed=0, deleted=0, late=0)

    def live(self, until: int, pace: Pace) -> None:
        """Let things happen at random moments before an instant."""
        began = self.now
        hours = (until - began) / HOUR
        moments = [
            (began + int(self.rng.random() * (until - began)), what)
            for what, rate in vars(pace).items()
            for _ in range(int(rate * hours + self.rng.random()))
        ]
        for moment, what in sorted(moments):
            self.wait_until(moment)
            self.one(what)
        self.wait_until(until)

    def one(self, what: str) -> None:
        """One of the things of a `Pace` happens."""
        world, provider = self.sandbox.world, self.provider
        calls = world.history(provider).calls
        if what == "new":
            self._happens("new", world.add_call(provider))
        elif what == "late":
            days = self.rng.uniform(1, 21)
            unit = 1 if provider == "skipcall" else SECOND
            fields = {STARTS[provider]: (self.now - int(days * DAY)) // unit}
            if provider == "intercom":  # else such a call would seem to be made when it started
                fields["created_at"] = self.now // SECOND + 1
            self._happens("new", world.add_call(provider, **fields))
        elif what == "shown":
            if hidden := world.hidden_calls(provider):
                call_id = self.rng.choice(hidden)
                world.show_call(provider, call_id)
                self._happens("appeared", call_id)
        elif what == "young_changed":
            if young := [call_id for call_id, call in calls.items() if self._is_young(call)]:
                self._change(self.rng.choice(young))
        elif what == "any_changed":
            self._change(self.rng.choice([*calls]))
        else:
            call_id = self.rng.choice([*calls])
            leave = world.delete_call if what == "deleted" else world.hide_call
            leave(provider, call_id)
            del self.truth[call_id]
            self.owed.pop(call_id, None)

    def _is_young(self, call: Any) -> bool:
        created = place_of(self.provider, "created_desc", call)
        return created >= self.now - self.promise.lookback_days * DAY

    def _change(self, call_id: str) -> None:
        self.sandbox.world.change_call(self.provider, call_id)
        self._happens("changed", call_id)

    def _happens(self, kind: Any, call_id: str) -> None:
        call = self.sandbox.world.history(self.provider).calls[call_id]
        place = place_of(self.provider, self.promise.order, call)
        record = expected_call(self.provider, call, self.sandbox.switches)
        story = self.stories.setdefault(call_id, [])
        story.append(Version(Happening(kind, self.now, place), record))
        self.truth[call_id] = record
        self.owed.setdefault(call_id, []).append(len(story) - 1)
