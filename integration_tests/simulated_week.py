"""Hourly syncs of a world in which calls come, change, hide and go, held against the oracle.

The connector's clock is the world's. Each sync is built and run as in life, without sockets; only
what is the same in all of them is spared: the checks of the manifest, and other streams.
"""

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CallsSource
from calls_shared.protocol import source
from integration_tests.commands import CURSOR_FIELDS, catalog_for, config_for
from integration_tests.fault_cases import Sync, quick_switches, source_of
from integration_tests.in_process import messages_of
from integration_tests.list_reading import reading
from integration_tests.sandbox import Sandbox, SeenRequest, World, expected_call
from integration_tests.sandbox.amplemarket_calls import AmplemarketAuthor
from integration_tests.sandbox.arrivals import MOMENTS, Happening, Promise, Run, place_of
from integration_tests.sandbox.history import HISTORY_DAYS
from integration_tests.sandbox.intercom_calls import IntercomAuthor
from integration_tests.sandbox.skipcall_calls import SkipcallAuthor
from integration_tests.sandbox.switches import ListOrder
from integration_tests.sandbox.times import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    iso_seconds,
    parse_iso,
    to_milliseconds,
)

PAGE = {"intercom": 20, "skipcall": 20, "amplemarket": 20}
"""Records a page in these tests."""
STARTS = {"intercom": "initiated_at", "skipcall": "started", "amplemarket": "started"}
"""The field of a true call that says when it started, in seconds but for Skipcall."""
AUTHORS: Mapping[str, Callable[[int], Any]] = {
    "intercom": IntercomAuthor,
    "skipcall": SkipcallAuthor,
    "amplemarket": AmplemarketAuthor,
}
MOST_BESIDE = 4
"""Requests of a recent sync beside the pages of what it brings."""
Record = Mapping[str, Any]
_WHILE_IT_READS = 0.2
"""How likely something happens with a request, where anything happens beside a sync."""


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


def week_source(provider: str) -> CallsSource:
    """A connector with its stream of calls only, small pages, and no declared schema."""
    connector = source_of(provider)
    manifest: dict[str, Any] = vars(connector)["manifest"]
    stream = manifest["streams"][0]
    stream["schema_loader"] = {"type": "InlineSchemaLoader", "schema": {}}
    if provider == "amplemarket":
        parameters = stream["retriever"]["requester"]["request_parameters"]
        parameters["page[size]"] = parameters["page[size]"].replace("100", f"{PAGE[provider]}")
    elif provider == "intercom":
        stream["retriever"]["paginator"]["pagination_strategy"]["page_size"] = PAGE[provider]
    manifest["streams"] = [stream]
    return connector


@contextmanager
def quick_weeks(sandbox: Sandbox) -> Iterator[None]:
    """Syncs of one connector at the world's time; what each makes of the manifest is made once."""

    def once(function: Callable[..., Any]) -> Callable[..., Any]:
        made: list[Any] = []

        def same(*arguments: Any) -> Any:
            made.extend([] if made else [function(*arguments)])
            return made[0]

        return same

    with reading(sandbox) as patch:
        cdk = ConcurrentDeclarativeSource
        patch.setattr(cdk, "_validate_source", once(cdk._validate_source))
        patch.setattr(cdk, "_pre_process_manifest", once(cdk._pre_process_manifest))
        patch.setattr(source, "resolved", once(source.resolved))
        patch.setattr(CallsSource, "_check_streams", once(CallsSource._check_streams))
        yield


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
    calls = options.pop("calls", 150 if is_sorted else 60)
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
    add_old_calls(world, provider, old_calls)
    sandbox = Sandbox(world, switches)
    with quick_weeks(sandbox):
        rng = Random(f"{provider} {order} {seed}")
        yield Week(provider, promise, sandbox, rng, settings)


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
class Week:
    """A provider, a connector, and a destination that merges by id.

    Attributes:
        stories: by id as it is listed, what each call became.
        truth: the records of all calls that are listed.
        owed: by id, the versions that have not come although they can be seen.
        runs: the syncs so far.
    """

    provider: str
    promise: Promise
    sandbox: Sandbox
    rng: Random
    settings: Mapping[str, Any] = field(default_factory=dict)
    held: dict[str, Record] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    stories: dict[str, list[Version]] = field(default_factory=dict)
    truth: dict[str, Record] = field(default_factory=dict)
    owed: dict[str, list[int]] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    cursor: str = ""

    def __post_init__(self) -> None:
        for call_id in self.sandbox.world.history(self.provider).calls:
            self._happens("new", call_id)

    @property
    def is_exact(self) -> bool:
        """Whether every page shows the order, so that no sync reads the whole list before its time.

        A call that Skipcall has marked as deleted stands where its last update was.
        """
        by = self.promise.order.partition("_")[0]
        return by in ("created", "shuffled") or (by == "updated" and self.provider == "intercom")

    # The world

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

    # The syncs

    def live_and_sync(self, hours: int) -> None:
        """So many hourly syncs, and after a day a last one, after which nothing is missing."""
        is_sorted = self.promise.order.startswith(("created", "updated"))
        self.hourly_syncs(hours, AS_IN_LIFE if is_sorted else SLOWLY)
        self.wait_until(self.now + max(1, self.promise.full_scan_hours) * HOUR)
        self.sync()
        self.assert_nothing_is_lost()

    def hourly_syncs(self, hours: int, pace: Pace) -> None:
        """Syncs every hour: most go well, some are killed, or begin while things happen."""
        began = self.now
        for hour in range(1, hours + 1):
            dice, is_lost = self.rng.random(), self.rng.random() < 0.5
            if dice < 0.1:
                self.sync(killed_after=self.rng.randrange(1, 90), loses_records=is_lost)
            elif dice < 0.15:
                self.sync(loses_state=True, loses_records=is_lost)
            elif dice < 0.25:
                self.sync(pace)
            elif dice < 0.97:  # else the machine is down
                self.sync()
            self.live(began + hour * HOUR + self.rng.randrange(10 * MINUTE), pace)

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
        began, calls = self.now, len(self.truth)
        is_due, since = self.promise.is_complete_due(self.runs, began), self._since()
        done, happened = self._read(traffic, killed_after)
        assert done.failures == []
        is_kept = bool(done.states) and not loses_state
        if is_kept or not loses_records:
            self.held |= done.by_id()
        is_complete = self._has_read_all(min(calls, len(self.truth)))
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
            with self.sandbox.world.lock:
                if self.rng.random() < _WHILE_IT_READS:
                    happened.extend(self.rng.choices([*vars(traffic)], [*vars(traffic).values()]))
                    self.one(happened[-1])

        self.sandbox.clear_requests()
        self.sandbox.before_answer = None if traffic == NOTHING else happens
        messages = messages_of(
            week_source(self.provider),
            config_for(self.provider, **self.settings),
            catalog_for(self.provider),
            self.states,
        )
        done = Sync(*_until(messages, killed_after))
        self.sandbox.before_answer = None
        self.requests.append(len(self.sandbox.requests))
        return done, happened

    def _has_read_all(self, calls: int) -> bool:
        """Whether every page was asked for."""
        pages = math.ceil(calls / PAGE[self.provider])
        if self.provider == "amplemarket":
            return len(self.sandbox.requests) >= pages
        asked = {int(dict(request.query)["page"]) for request in self.sandbox.requests}
        return asked >= set(range(1, pages + 1))

    def _newest(self, began: int) -> str:
        """The newest moment that a sync saw which began at an instant."""
        cursor = CURSOR_FIELDS[self.provider]
        moments = [record[cursor][:19] for record in self.truth.values()]
        return min(max(moments, default=""), _text(began))

    def _since(self) -> str:
        """The beginning of the lookback."""
        if not self.cursor:
            return ""
        return _text((parse_iso(self.cursor) or 0) - self.promise.lookback_days * DAY)

    def _pages_since(self, moment: str) -> int:
        """Pages of the calls that were created, or changed, since a moment."""
        names = {"created_at", CURSOR_FIELDS[self.provider]}
        recent = [r for r in self.truth.values() if any(r[name][:19] >= moment for name in names)]
        return math.ceil(len(recent) / PAGE[self.provider])

    def _assert_arrived(self) -> None:
        """What had to come with the last sync has come: that version of a call, or a later one."""
        missing = {}
        for call_id, numbers in [*self.owed.items()]:
            story = self.stories[call_id]
            due = [number for number in numbers if self._is_due(story[number].happening)]
            if not due:
                continue
            if self.held.get(call_id) not in [version.record for version in story[due[-1] :]]:
                missing[call_id] = (story[due[-1]], self.held.get(call_id))
            self.arrived[call_id] = due[-1]
            self.owed[call_id] = [number for number in numbers if number > due[-1]]
            if not self.owed[call_id]:
                del self.owed[call_id]
        assert missing == {}

    def _is_due(self, happening: Happening) -> bool:
        return self.promise.arrives_with(happening, self.runs[-1:]) is not None

    def assert_nothing_is_lost(self) -> None:
        """After a quiet complete sync the destination is the truth, but for what is gone.

        A change that no record tells, of a call before the lookback, may be missing.
        """
        for call_id, numbers in self.owed.items():
            assert not self.promise.tells_changes
            story = self.stories[call_id]
            assert {story[number].happening.kind for number in numbers} == {"changed"}
            assert self.held[call_id] in [v.record for v in story[self.arrived[call_id] :]]
        told = self.truth.keys() - self.owed.keys()
        assert {key: self.held[key] for key in told} == {key: self.truth[key] for key in told}
        assert self.arrived.keys() <= self.held.keys()
        for call_id in self.held.keys() - self.truth.keys():
            story = self.stories[call_id][self.arrived.get(call_id, 0) :]
            assert self.held[call_id] in [version.record for version in story]


def _until(
    messages: Generator[AirbyteMessage, None, None], records: int | None
) -> tuple[list[AirbyteMessage], AirbyteTracedException | None]:
    """The messages of a sync, up to so many records, and its failure."""
    found = []
    try:
        for message in messages:
            found.append(message)
            if records is not None and message.record is not None:
                records -= 1
                if records == 0:
                    break
    except AirbyteTracedException as failure:
        return found, failure
    messages.close()
    return found, None


def _text(moment: int) -> str:
    return iso_seconds(moment // SECOND)[:19]
