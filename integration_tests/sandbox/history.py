"""The true calls of one provider, and how they come, change and go."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Generic, Protocol

from .times import DAY, MINUTE, SECOND
from .views import Call, CallView, SortKey

HISTORY_DAYS = 400
"""How far the first calls lie before the world's start."""


class Author(Protocol[Call]):
    """Invents the calls of one provider. All instants are milliseconds since 1970."""

    rng: Random

    def first_calls(self, count: int, now: int) -> Iterator[Call]:
        """The history: `count` calls before `now`, oldest first."""

    def new_call(self, at: int, now: int) -> Call:
        """A call that happens and is recorded at `at`; nothing in it lies after `now`."""

    def late_call(self, at: int, now: int) -> Call:
        """A call that is recorded at `at` and happened days before."""

    def changed_call(self, call: Call, at: int) -> Call:
        """The call after a change at `at`: it ends, or a recording, notes or an outcome arrive."""

    def may_change(self, call: Call, now: int) -> bool:
        """Whether a change of this call can be noticed by a reader that looks back a week."""

    def touched(self, call: Call, at: int) -> Call:
        """The call with its change time moved to `at`, where the provider reports one."""

    def with_fields(self, call: Call, fields: Mapping[str, Any]) -> Call:
        """The call with fields set by a test."""


@dataclass(frozen=True)
class Step:
    """How much happens between two instants (milliseconds)."""

    before: int
    after: int
    new: int
    changed: int
    deleted: int
    late: int


class CallHistory(Generic[Call]):
    """All calls that the provider holds now, by id, and sorted views of them."""

    def __init__(self, author: Author[Call], count: int, now: int) -> None:
        self.author = author
        self.calls: dict[str, Call] = {}
        self._views: dict[Hashable, CallView[Call]] = {}
        for call in author.first_calls(count, now):
            self.calls[call.id] = call

    def view(
        self,
        name: Hashable,
        key: Callable[[Call], SortKey],
        keep: Callable[[Call], bool] = lambda call: True,
    ) -> CallView[Call]:
        """The sorted view called `name`, built at its first use and maintained from then on."""
        view = self._views.get(name)
        if view is None:
            view = self._views[name] = CallView(self.calls.values(), key, keep)
        return view

    def put(self, call: Call) -> None:
        """Add the call, or put it in the place of the one with its id."""
        old = self.calls.get(call.id)
        self.calls[call.id] = call
        for view in self._views.values():
            view.replace(old, call)

    def remove(self, identifier: str) -> Call:
        """Delete for good."""
        call = self.calls.pop(identifier)
        for view in self._views.values():
            view.replace(call, None)
        return call

    def find(self, identifier: str) -> Call:
        """The call with this id; KeyError when there is none."""
        return self.calls[identifier]

    def advance(self, step: Step) -> None:
        """Let the time of the step pass."""
        author, rng = self.author, self.author.rng
        known = list(self.calls)
        changeable = [i for i in known if author.may_change(self.calls[i], step.after)]
        for at in sorted(instant(rng, step) for _ in range(step.new)):
            self.put(author.new_call(at, step.after))
        for at in sorted(instant(rng, step) for _ in range(step.late)):
            self.put(author.late_call(at, step.after))
        for identifier in rng.sample(changeable, min(step.changed, len(changeable))):
            self.put(author.changed_call(self.calls[identifier], instant(rng, step)))
        for identifier in rng.sample(known, min(step.deleted, len(known))):
            self.remove(identifier)


def instant(rng: Random, step: Step) -> int:
    """Some millisecond after the step's begin and not after its end."""
    return step.before + 1 + int(rng.random() * (step.after - step.before))


def spread(rng: Random, count: int, now: int) -> Iterator[int]:
    """Ascending instants, denser towards `now`; some share a second, some a millisecond."""
    newest = now - MINUTE
    at = 0
    for number in range(count):
        kind = rng.random()
        if number and kind < 0.04:
            yield at
            continue
        age = (1.0 - (number + kind) / count) ** 1.6
        previous, at = at, max(at, newest - int(age * HISTORY_DAYS * DAY))
        if number and kind < 0.08:
            at = max(previous, min(at, previous - previous % SECOND + SECOND - 1))
        yield at
