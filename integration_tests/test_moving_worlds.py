"""May repeat, never skips: lists that change, lie and run in circles while they are read.

The truth is what the provider lists: whatever happens during a sync, the next quiet one completes
it. Every call that is alive at the end is held as it is, and every call that was ever listed is
held; a call that was deleted stays as it was listed last.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from integration_tests.commands import test_key
from integration_tests.fault_cases import (
    BEFORE_THE_WORLD,
    Sync,
    be_quick,
    quick_switches,
    sync,
)
from integration_tests.sandbox import Fault, Sandbox, SeenRequest, SkipcallSwitches, World
from integration_tests.sandbox.answers import Answer
from integration_tests.sandbox.edits import with_page
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.identifiers import uuid7
from integration_tests.sandbox.switches import ListOrder
from integration_tests.sandbox.times import to_milliseconds
from integration_tests.sandbox.world import START
from integration_tests.variants import OTHER_VERSIONS, VARIANTS, Variant, expected_by

ORDERS: tuple[ListOrder, ...] = ("created_desc", "created_asc", "updated_desc", "shuffled")
PAGE_NUMBERED = ("intercom", "skipcall")
BEGINNING = "1990-01-01T00:00:00.000000Z"
SIZES = {"intercom": 140, "skipcall": 110, "amplemarket": 350, "openphone": 90}
OPENPHONE_PAGES = {"conversations": 3, "calls_v1": 5, "calls_dated": 3}


def sandbox_of(
    provider: str, order: ListOrder = "created_desc", now: datetime | None = None, seed: int = 7
) -> Sandbox:
    """A world of five or six pages."""
    switches = quick_switches()
    switches = replace(
        switches,
        intercom=replace(switches.intercom, order=order),
        skipcall=replace(switches.skipcall, order=order),
        openphone=replace(switches.openphone, user_default="number_owner"),
        # so that a call that goes while a window is read takes another one out of it
        openphone_dated=replace(switches.openphone_dated, cursor="offset"),
    )
    return Sandbox(World(seed, SIZES[provider], now or START), switches)


class Traffic:
    """Adds, changes and deletes calls while pages are read; at most `most` of them."""

    def __init__(
        self, provider: str, sandbox: Sandbox, rng: Random, most: int, rate: float
    ) -> None:
        self._provider, self._sandbox, self._rng = provider, sandbox, rng
        self._left, self._rate = most, rate
        self.touched: set[str] = set()

    def __call__(self, request: SeenRequest) -> None:
        while self._left > 0 and self._rng.random() < self._rate:
            self._left -= 1
            self.one()

    def one(self) -> None:
        """One change of the world."""
        world, provider = self._sandbox.world, self._provider
        history = world.history(provider)
        known = list(history.calls)
        what = self._rng.random()
        if what < 0.4 or not known:
            self.touched.add(world.add_call(provider))
            return
        victim = self._rng.choice(known)
        if what < 0.7:
            world.delete_call(provider, victim)
        elif history.author.may_change(history.find(victim), to_milliseconds(world.now)):
            world.change_call(provider, victim)
        else:  # Amplemarket would not tell that so old a call has changed
            return
        self.touched.add(victim)


class Holder:
    """A destination that merges by id, and the state between syncs."""

    def __init__(self, provider: str, sandbox: Sandbox, **settings: Any) -> None:
        self._provider, self._sandbox, self._settings = provider, sandbox, settings
        self.held: dict[str, dict[str, Any]] = {}
        self.touched: set[str] = set()
        self.states: list[dict[str, Any]] = []

    def sync(self, traffic: Traffic | None = None) -> Sync:
        """One sync, with traffic on every request or without."""
        self._sandbox.before_answer = traffic
        done = sync(
            self._provider,
            self.states,
            page_sizes=OPENPHONE_PAGES,
            first_window=BEFORE_THE_WORLD,
            **self._settings,
        )
        self._sandbox.before_answer = None
        self.held |= done.by_id()
        self.states = done.states or self.states
        if traffic is not None:
            self.touched |= traffic.touched
        return done

    def assert_complete(self) -> None:
        """After a quiet sync."""
        expected = expected_by(self._provider, self._sandbox, self._settings)
        listed = self._sandbox.ever_listed(self._provider)
        assert {key: self.held.get(key) for key in expected} == expected
        missed = listed.keys() - self.held.keys()
        # (a version that is read in windows looks at some pages only to see how many there are)
        assert missed == set() or "api_version" in self._settings
        assert self.held.keys() <= listed.keys()
        gone = self.held.keys() - expected.keys() - self.touched
        assert {key: self.held[key] for key in gone} == {key: listed[key] for key in gone}


MOVING = [
    pytest.param(variant, order, workers, id=f"{variant}-{order}-{workers}")
    for variant in VARIANTS
    for order in (ORDERS if variant.provider in PAGE_NUMBERED else ORDERS[:1])
    for workers in ((1, 2) if variant.provider == "amplemarket" else (1, 8))
]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("variant", "order", "workers"), MOVING)
def test_calls_that_come_change_and_go_while_pages_are_read(
    variant: Variant, order: ListOrder, workers: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, provider = Random(seed), variant.provider
    with sandbox_of(provider, order, seed=seed) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        holder = Holder(provider, sandbox, **variant.settings, num_workers=workers)
        for most, rate in ((3, 0.3), (12, 0.5), (1, 0.2)):
            done = holder.sync(Traffic(provider, sandbox, rng, most, rate))
            assert done.failures == []
            sandbox.world.advance(hours=rng.choice([1, 24, 100]), new=4, changed=6, deleted=3)
        assert holder.sync().failures == []
        holder.assert_complete()


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("provider", PAGE_NUMBERED)
def test_a_list_that_never_rests_is_read_again_when_it_does(
    provider: str, order: ListOrder, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deletions on every page: what slips comes with the next sync, and the state moves."""
    with sandbox_of(provider, order) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        holder = Holder(provider, sandbox, num_workers=workers)
        rng = Random(5)

        def delete(request: SeenRequest) -> None:
            victim = rng.choice(list(sandbox.world.history(provider).calls))
            sandbox.world.delete_call(provider, victim)

        traffic = Traffic(provider, sandbox, rng, 0, 0)
        monkeypatch.setattr(Traffic, "__call__", lambda self, request: delete(request))
        first = holder.sync(traffic)
        assert first.failures == []
        assert first.cursor > BEGINNING
        assert readings_of(sandbox) == 2
        monkeypatch.undo()
        be_quick(monkeypatch, sandbox.url)
        assert holder.sync().failures == []
        holder.assert_complete()


def readings_of(sandbox: Sandbox) -> int:
    """How many times a numbered list was begun."""
    return sum(("page", "1") in request.query for request in sandbox.requests)


def real_page(sandbox: Sandbox, provider: str, path_and_query: str) -> dict[str, Any]:
    """A sound answer of the sandbox, which does not count as listed."""
    faults, sandbox.faults = sandbox.faults, []
    key = test_key(provider)
    headers = {
        "Authorization": key if provider == "openphone" else f"Bearer {key}",
        "Accept": "application/json",
        "Intercom-Version": "2.14",
    }
    answer = requests.get(f"{sandbox.url}/{provider}{path_and_query}", headers=headers, timeout=600)
    sandbox.faults = faults
    sandbox.clear_requests()
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


CUTS = [
    pytest.param(before, after, order, workers, id=f"{before}-{after}-{order}-{workers}")
    for before, after in ((None, 20), (20, None), (50, 20), (20, 50))
    for order in ORDERS[::2]
    for workers in (1, 8)
]


@pytest.mark.parametrize(("before", "after", "order", "workers"), CUTS)
def test_a_limit_that_is_cut_otherwise_in_the_middle_of_a_sync(
    before: Any, after: Any, order: ListOrder, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(limit: Any) -> None:
        skipcall = SkipcallSwitches(limit_cut=limit, limit=1_000_000, order=order)
        sandbox.switches = replace(quick_switches(), skipcall=skipcall)

    with Sandbox(World(calls=330)) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        cut(before)
        sandbox.before_answer = lambda request: (
            cut(after) if ("page", "3") in request.query else None
        )
        first = sync("skipcall", num_workers=workers)
        assert first.failures == []
        assert first.by_id() == sandbox.expected("skipcall")
        sandbox.before_answer = None
        sandbox.world.advance(hours=24, deleted=0)
        second = sync("skipcall", first.states, num_workers=workers)
        assert first.by_id() | second.by_id() == sandbox.expected("skipcall")


def twin(provider: str, sandbox: Sandbox, at: int) -> str:
    """One more call, created in the millisecond `at` (Intercom: in its second)."""
    fields: dict[str, Any] = {"created": at, "updated": at}
    if provider == "intercom":
        second = at // 1000
        fields = {"created": second, "created_at": second, "updated_at": second}
    elif provider == "amplemarket":
        fields = {"id": uuid7(sandbox.world.amplemarket.author.rng, at)}
    return sandbox.world.add_call(provider, **fields)


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_calls_of_one_millisecond_across_a_page_border(
    variant: Variant, order: ListOrder, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = variant.provider
    if provider not in PAGE_NUMBERED and order != "created_desc":
        order = "created_desc"
    workers = min(workers, 2) if provider == "amplemarket" else workers
    with sandbox_of(provider, order) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        at = to_milliseconds(sandbox.world.now)
        twins = {twin(provider, sandbox, at) for _ in range(130)}
        holder = Holder(provider, sandbox, **variant.settings, num_workers=workers)
        assert holder.sync().failures == []
        holder.assert_complete()
        assert twins & variant.expected(sandbox).keys() <= holder.held.keys()
        # and some more of the very same millisecond, which the state has reached
        for _ in range(40):
            twin(provider, sandbox, at)
        assert holder.sync().failures == []
        holder.assert_complete()


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_clock_that_is_wrong_by_hours(
    variant: Variant, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox shows its world's clock in `Date` and in its records, not ours."""
    now = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
    rng, provider = Random(hours), variant.provider
    with sandbox_of(provider, now=now) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        holder = Holder(provider, sandbox, **variant.settings)
        first = holder.sync()
        assert first.failures == []
        assert first.by_id() == variant.expected(sandbox)
        # the state passes neither the newest call nor the start of the sync by our clock
        newest = max(call["updated_at"][:-1] for call in holder.held.values())
        ours = datetime.now(UTC).isoformat()
        assert BEGINNING < first.cursor <= min(f"{newest}000Z", ours)
        for _ in range(2):
            sandbox.world.advance(hours=3, new=5, changed=5, deleted=2, late=2)
            assert holder.sync(Traffic(provider, sandbox, rng, 3, 0.3)).failures == []
        assert holder.sync().failures == []
        holder.assert_complete()


def chain(sandbox: Sandbox) -> list[dict[str, Any]]:
    """All pages of Amplemarket's list."""
    pages = [real_page(sandbox, "amplemarket", "/calls?page[size]=100")]
    while "next" in pages[-1]["_links"]:
        parts = urlsplit(pages[-1]["_links"]["next"]["href"])
        pages.append(real_page(sandbox, "amplemarket", f"{parts.path}?{parts.query}"))
    return pages


def amplemarket_answers(pages: Sequence[Mapping[str, Any]], links: Sequence[int]) -> list[Fault]:
    """Faults that answer with these pages; page n links to page `links[n]` (0: no further one)."""
    faults = []
    for number, (page, link) in enumerate(zip(pages, links, strict=True)):
        href = {"next": {"href": f"/calls?page[size]=100&page[after]=p{link}"}} if link else {}
        faults.append(
            Fault(
                "amplemarket",
                query_contains=f"page[after]=p{number}" if number else "",
                times=ENDLESS,
                kind="body",
                body=json.dumps({**page, "_links": href}),
            )
        )
    return [*faults[1:], faults[0]]  # the first one matches every query


CIRCLES = [
    pytest.param([1, 1, 0, 0], 2, id="a_page_that_names_itself"),
    pytest.param([1, 2, 1, 0], 3, id="two_pages_that_name_each_other"),
    pytest.param([1, 2, 3, 1], 4, id="the_last_page_names_the_second"),
]


@pytest.mark.parametrize(("links", "requests_made"), CIRCLES)
def test_amplemarket_links_that_lead_in_a_circle(
    links: list[int], requests_made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sandbox_of("amplemarket") as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = amplemarket_answers(chain(sandbox), links)
        done = sync("amplemarket")
        assert_circle(done)
        assert len(sandbox.requests) == requests_made
        assert done.cursor in ("", BEGINNING)
        sandbox.faults = []
        healthy = sync("amplemarket", done.states)
        assert done.by_id() | healthy.by_id() == sandbox.expected("amplemarket")


def assert_circle(done: Sync) -> None:
    for failure_type, sentence in done.failures:
        assert failure_type == "transient_error"
        assert "lead in a circle" in sentence
        assert "Run the sync again later." in sentence
    assert done.failures


@pytest.mark.parametrize("path", ["/v1/conversations", "/v1/calls"])
def test_openphone_tokens_that_lead_in_a_circle(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox_of("openphone") as sandbox:
        be_quick(monkeypatch, sandbox.url)
        query = "phoneNumbers=PNlobby3"
        if path == "/v1/calls":
            query = "phoneNumberId=PNlobby3&participants=%2B15551238001"
        page = real_page(sandbox, "openphone", f"{path}?{query}&maxResults=2")
        assert page["nextPageToken"]
        sandbox.faults = [
            Fault(
                "openphone",
                path_contains=path,
                query_contains=query,
                times=ENDLESS,
                kind="body",
                body=json.dumps({**page, "nextPageToken": "0x1e5"}),
            )
        ]
        done = sync("openphone", page_sizes=OPENPHONE_PAGES)
        assert_circle(done)
        asked = [request for request in sandbox.requests if sandbox.faults[0].matches(request)]
        assert [dict(request.query).get("pageToken") for request in asked] == [None, "0x1e5"]
        sandbox.faults = []
        healthy = sync("openphone", done.states, page_sizes=OPENPHONE_PAGES)
        assert healthy.failures == []
        assert done.by_id() | healthy.by_id() == sandbox.expected("openphone")


CURSORS = {"the same": lambda _: "0x1e5", "others without end": str}


@pytest.mark.parametrize("named", CURSORS.values(), ids=CURSORS)
@pytest.mark.parametrize("variant", OTHER_VERSIONS, ids=str)
def test_cursors_that_lead_in_a_circle(
    variant: Variant, named: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page of each window names another one, which is the same."""
    with sandbox_of(variant.provider) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        first_pages: dict[Any, Answer] = {}
        numbers = count()

        def around(seen: SeenRequest, answer: Answer) -> Answer:
            window = tuple(pair for pair in seen.query if pair[0] != "after")
            page = first_pages.setdefault(window, answer)
            name = named(next(numbers))
            return with_page(lambda page: page.update(nextCursor=name))(seen, page)

        sandbox.faults = [
            Fault(variant.provider, "/calls", times=ENDLESS, kind="edit", edit=around)
        ]
        settings = {**variant.settings, "page_sizes": OPENPHONE_PAGES}
        done = sync(variant.provider, **settings)
        assert_circle(done)
        sandbox.faults = []
        healthy = sync(variant.provider, done.states, **settings)
        assert healthy.failures == []
        assert done.by_id() | healthy.by_id() == variant.expected(sandbox)


@pytest.mark.parametrize("variant", OTHER_VERSIONS, ids=str)
@pytest.mark.parametrize("nth", [1, 4, 11])
def test_a_cursor_that_is_refused_in_the_middle_of_a_window(
    variant: Variant, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it had expired: the sync ends, and what was read before the window stays."""
    with sandbox_of(variant.provider) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        said = {"title": "Bad Request", "message": "The cursor is unknown", "docs": "https://"}
        body = json.dumps(said)
        settings = {**variant.settings, "page_sizes": OPENPHONE_PAGES, "num_workers": 1}
        sandbox.faults = [
            Fault(
                variant.provider,
                "/calls",
                nth=nth,
                times=ENDLESS,
                query_contains="after=",
                status=400,
                body=body,
            )
        ]
        done = sync(variant.provider, **settings)
        ((kind, sentence),) = done.failures
        assert kind == "system_error"
        assert "refused the request (HTTP 400) and says: The cursor is unknown" in sentence
        sandbox.faults = []
        healthy = sync(variant.provider, done.states, **settings)
        assert healthy.failures == []
        assert done.by_id() | healthy.by_id() == variant.expected(sandbox)
        assert bool(done.states) == (len(healthy.by_id()) < len(variant.expected(sandbox)))
        assert done.states or nth < 11


@pytest.mark.parametrize("other", [1, 2, 4, 5, 6])
def test_amplemarket_pages_out_of_order_are_read_to_their_end(
    other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is newer than the one before it proves that the list is not newest first."""
    with sandbox_of("amplemarket") as sandbox:
        be_quick(monkeypatch, sandbox.url)
        first = sync("amplemarket")
        assert first.by_id() == sandbox.expected("amplemarket")
        sandbox.world.advance(hours=30, new=250, changed=20, deleted=0, late=20)
        pages = chain(sandbox)
        pages[0], pages[other] = pages[other], pages[0]
        links = [*range(1, len(pages)), 0]
        sandbox.faults = amplemarket_answers(pages, links)
        second = sync("amplemarket", first.states)
        assert second.failures == []
        assert first.by_id() | second.by_id() == sandbox.expected("amplemarket")


def test_amplemarket_stops_early_where_late_calls_stand_at_the_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Calls that were logged late have a new id and an old start: they are no disorder."""
    with sandbox_of("amplemarket") as sandbox:
        be_quick(monkeypatch, sandbox.url)
        holder = Holder("amplemarket", sandbox, lookback_days=6)
        holder.sync()
        for _ in range(3):
            sandbox.world.advance(hours=20, new=10, changed=5, deleted=2, late=30)
            sandbox.clear_requests()
            late = holder.sync()
            assert late.failures == []
            holder.assert_complete()
            starts = [(call.get("started_at"), call["created_at"]) for call in late.records()]
            assert any(start and start[:10] < created[:10] for start, created in starts)
            assert len(sandbox.requests) < len(chain(sandbox))


@pytest.mark.parametrize("provider", ["amplemarket", "intercom", "skipcall", "openphone"])
def test_start_dates_of_the_past_in_a_list_in_another_order(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `start_date`, late calls before it stay out and those after it come."""
    with sandbox_of(provider, "shuffled") as sandbox:
        be_quick(monkeypatch, sandbox.url)
        start = sandbox.world.now - timedelta(days=9)
        date = f"{start:%Y-%m-%dT%H:%M:%SZ}"
        first = sync(provider, page_sizes=OPENPHONE_PAGES, start_date=date)
        held = first.by_id()
        sandbox.world.advance(hours=24, new=20, changed=20, deleted=0, late=40)
        second = sync(provider, first.states, page_sizes=OPENPHONE_PAGES, start_date=date)
        held |= second.by_id()
        since = f"{start:%Y-%m-%dT%H:%M:%S}"
        expected = {
            key: call
            for key, call in sandbox.expected(provider).items()
            if call["occurred_at"][:-1] >= since
        }
        assert {key: held.get(key) for key in expected} == expected
        # a call that has moved before the start by a change of its start may stay
        assert held.keys() - expected.keys() <= first.by_id().keys()


def steps(rng: Random, count: int) -> Iterator[str]:
    """The steps of a walk, ending with quiet syncs."""
    kinds = ["add", "change", "delete", "advance", "sync", "moving sync", "broken sync"]
    yield from rng.choices(kinds, weights=[3, 3, 3, 2, 3, 3, 2], k=count)
    yield "sync"


WALKS = [(provider, seed) for provider in ("skipcall", "amplemarket") for seed in range(1, 6)]


@pytest.mark.parametrize(("provider", "seed"), WALKS)
def test_a_random_walk(provider: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty random steps, seeds fixed; the promise holds after every sync."""
    rng = Random(f"{provider} {seed}")
    order = rng.choice(ORDERS)
    with sandbox_of(provider, order, seed=seed) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        holder = Holder(provider, sandbox, num_workers=rng.choice([1, 2]))
        world = sandbox.world
        for step in steps(rng, 50):
            traffic = Traffic(provider, sandbox, rng, rng.randrange(1, 9), 0.4)
            if step == "add":
                world.add_call(provider)
            elif step in ("change", "delete"):
                traffic.one()
                holder.touched |= traffic.touched
            elif step == "advance":
                hours = rng.choice([0.01, 1, 24, 60, 300])
                world.advance(hours, new=rng.randrange(9), changed=rng.randrange(9), deleted=2)
            elif step == "sync":
                assert holder.sync().failures == []
                holder.assert_complete()
            elif step == "moving sync":
                assert holder.sync(traffic).failures == []
            else:
                nth = rng.randrange(1, 5)
                sandbox.faults = [Fault(provider, nth=nth, times=ENDLESS, status=503)]
                broken = holder.sync(traffic)
                sandbox.faults = []
                assert [failure[0] for failure in broken.failures] in ([], ["transient_error"])


def test_the_query_of_a_next_link_is_sent_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor in the link, exactly; nothing of the first request's query beside it."""
    with sandbox_of("amplemarket") as sandbox:
        be_quick(monkeypatch, sandbox.url)
        links = [
            parse_qsl(urlsplit(page["_links"]["next"]["href"]).query)
            for page in chain(sandbox)[:-1]
        ]
        assert sync("amplemarket").failures == []
        assert [list(request.query) for request in sandbox.requests[1:]] == links
