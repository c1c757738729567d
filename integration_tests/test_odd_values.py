"""Values that stand for "never", that no strict parser reads, or that a careless reader believes.

Every call arrives; what cannot be read is null and counted; nothing is left out for a time of its.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from integration_tests.commands import PROVIDERS, catalog_for, config_for
from integration_tests.fault_cases import (
    Place,
    Stage,
    be_quick,
    quick_switches,
    source_of,
    sync,
)
from integration_tests.in_process import messages_of
from integration_tests.odd_pages import DIGITS, MARK, Oddity, tried
from integration_tests.sandbox import Fault, Sandbox, World
from integration_tests.sandbox.edits import with_page, with_records
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.switches import NO_TIMES, NoTime
from integration_tests.sandbox.times import ZERO_TIMES

Record = dict[str, Any]


@pytest.mark.parametrize(
    ("place", "oddity"), [pytest.param(*pair, id=f"{pair[0]}-{pair[1]}") for pair in tried()]
)
def test_an_odd_page_is_read(place: Place, oddity: Oddity, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [oddity.at(place)]
        done = stage.sync(place.stream)
        assert done.failures == []
        truth = stage.truth(place.stream)
        found = {key: plain(record) for key, record in done.by_id(place.stream).items()}
        odd = {key: oddity.reads(record) for key, record in truth.items()}
        spoilt = {key for key in truth if found.get(key) == odd[key] != truth[key]}
        assert found == {key: odd[key] if key in spoilt else truth[key] for key in truth}
        assert len(done.records(place.stream)) == len(truth)
        is_parent = place.name.startswith("parent")
        sample = next(iter(truth))
        assert bool(spoilt) == (not is_parent and odd[sample] != truth[sample])
        assert place.count(sandbox.requests) == place.healthy_of(sandbox.requests)


def plain(record: Record) -> Record:
    """The record with an integer of many digits as a text: it may arrive as either."""
    held = record.get("provider_record", record)
    if str(held.get(MARK)) != DIGITS:
        return record
    held = {**held, MARK: DIGITS}
    return {**record, "provider_record": held} if "provider_record" in record else held


@pytest.mark.parametrize("where", ["value", "id"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_id_of_thirty_digits_keeps_them(
    provider: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        call = sandbox.listable(provider)[0]
        quotes = b'"' if where == "value" else b""
        number = quotes + DIGITS.encode() + quotes

        def numbered(seen: Any, answer: Any) -> Any:
            body = answer.body.replace(b'"id":"%b"' % call.id.encode(), b'"id":' + number)
            return replace(answer, body=body)

        sandbox.faults = [Fault(provider, times=ENDLESS, kind="edit", edit=numbered)]
        done = sync(provider)
        assert done.failures == []
        assert done.by_id().keys() == stage.truth("calls").keys() - {call.id} | {DIGITS}
        assert str(done.by_id()[DIGITS]["provider_record"]["id"]) == DIGITS


@pytest.mark.parametrize("mode", ["incremental", "full_refresh"])
@pytest.mark.parametrize("no_time", NO_TIMES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_zero_time_is_no_time(
    provider: str, no_time: NoTime, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches = quick_switches().moved(provider, "no_time", no_time)
    with Sandbox(World(calls=400), switches) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        truth = sandbox.expected(provider)
        found = read(provider, mode)
        assert found == truth
        for record in found.values():
            for name, value in record.items():
                assert not name.endswith("_at") or value >= "1990", (name, value)
        if mode == "incremental":
            first = sync(provider)
            sandbox.world.advance(hours=24)
            second = sync(provider, first.states)
            assert second.failures == []
            held = first.by_id() | second.by_id()
            assert {key: held.get(key) for key in sandbox.expected(provider)} == (
                sandbox.expected(provider)
            )


def read(provider: str, mode: str) -> dict[str, Record]:
    """The records of one sync, by id."""
    catalog = catalog_for(provider, sync_mode=mode)
    messages = messages_of(source_of(provider), config_for(provider), catalog)
    records = [dict(message.record.data) for message in messages if message.record]
    return {record["id"]: record for record in records}


FIELDS: dict[str, tuple[tuple[str, int], ...]] = {
    "intercom": tuple(
        (name, 1)
        for name in ("initiated_at", "answered_at", "ended_at", "created_at", "updated_at")
    ),
    "openphone": tuple((name, 1000) for name in ("answered", "completed", "created", "updated")),
    "amplemarket": (("started", 1),),
    "skipcall": tuple(
        (name, 1000) for name in ("started", "ended", "created", "updated", "deleted")
    ),
}
"""The times of the sandbox's true calls, and how many of their units are a second."""


@pytest.mark.parametrize("start_date", [None, "2026-01-01T00:00:00Z"])
@pytest.mark.parametrize(
    "seconds", [0, -1, -62_135_596_800, 473_385_600, 631_151_999, 631_152_000, 915_148_800]
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_time_field_may_hold_a_zero_time_or_one_of_the_nineties(
    provider: str, seconds: int, start_date: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zeros of Unix and Go, one before 1990, the first of 1990, and one of 1999."""
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        # OpenPhone is asked for what was created since the start date, and would not list it
        asked_for = "created" if provider == "openphone" and start_date else ""
        fields = [field for field in FIELDS[provider] if field[0] != asked_for]
        for number, (name, unit) in enumerate(fields):
            for call in sandbox.listable(provider)[3 * number + 7 : 3 * number + 10]:
                sandbox.world.change_call(provider, call.id, **{name: seconds * unit})
        truth = stage.truth("calls")
        settings: dict[str, Any] = {} if start_date is None else {"start_date": start_date}
        wanted = {
            key: one for key, one in truth.items() if is_since(one.get("occurred_at"), start_date)
        }
        assert start_date is None or 0 < len(wanted) < len(truth)
        done = sync(provider, **settings)
        assert done.failures == []
        assert done.by_id() == wanted


def is_since(occurred_at: str | None, start_date: str | None) -> bool:
    return None in (occurred_at, start_date) or str(occurred_at) >= str(start_date)


@pytest.mark.parametrize("year", [1992, 1996, 1999])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_world_before_2000_is_read_whole(
    provider: str, year: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(calls=120, now=datetime(year, 6, 1, tzinfo=UTC))
    with Sandbox(world, quick_switches()) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        first = sync(provider)
        assert first.failures == []
        assert first.by_id() == sandbox.expected(provider)
        world.advance(hours=48)
        second = sync(provider, first.states)
        assert second.failures == []
        held = first.by_id() | second.by_id()
        expected = sandbox.expected(provider)
        assert {key: held.get(key) for key in expected} == expected


CHANGE = {"intercom": "updated_at", "openphone": "updatedAt", "skipcall": "updatedAt"}
GARBLED = ("yesterday at ten", "2026-13-45T99:00:00Z", {"at": 5}, True)


@pytest.mark.parametrize("garbled", GARBLED, ids=[str(one) for one in GARBLED])
@pytest.mark.parametrize("provider", CHANGE)
def test_a_change_time_that_cannot_be_read_comes_with_every_sync(
    provider: str, garbled: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        first = sync(provider)
        assert first.failures == []
        records = sorted(first.by_id().values(), key=lambda record: str(record["created_at"]))
        victims = {record["id"] for record in records[:2]}

        def spoil(record: Record) -> None:
            if record.get("id") in victims:
                record[CHANGE[provider]] = garbled

        sandbox.faults = [Fault(provider, times=ENDLESS, kind="edit", edit=with_records(spoil))]
        states = first.states
        for _ in (1, 2):
            caplog.clear()
            # OpenPhone's cursor is the conversations'; the calls are read with a long lookback
            days = 3650 if provider == "openphone" else 1
            done = sync(provider, states, lookback_days=days)
            assert done.failures == []
            found = done.by_id()
            assert victims <= found.keys()
            assert {found[key].get("updated_at") for key in victims} == {None}
            assert any("updated_at" in text for text in caplog.messages)
            states = done.states


WORDS: dict[str, tuple[str, str]] = {
    "intercom": ("state", "direction"),
    "openphone": ("status", "direction"),
    "skipcall": ("status", "type"),
}
SPELLINGS = ("COMPLETED", "In_Progress", "NO ANSWER", "cancelled", "Busy")


@pytest.mark.parametrize("provider", WORDS)
def test_words_in_other_spellings_are_known_and_unknown_ones_are_named(
    provider: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(provider)
    status, direction = WORDS[provider]
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        calls = sandbox.listable(provider)
        for word, call in zip(SPELLINGS, calls, strict=False):
            sandbox.world.change_call(provider, call.id, **{status: word})
        for call in calls[10:13]:
            sandbox.world.change_call(provider, call.id, **{status: "zigzag"})
        shouted = {"incoming": "INCOMING", "inbound": "INBOUND", "outbound": "Outbound"}
        for call in calls[20:24]:
            word = getattr(call, direction)
            change = {direction: shouted.get(word, word)}
            sandbox.world.change_call(provider, call.id, **change)
        truth = stage.truth("calls")
        assert [truth[call.id]["status"] for call in calls[10:13]] == ["unknown"] * 3
        done = sync(provider)
        assert done.failures == []
        assert done.by_id() == truth
        (warning,) = [text for text in caplog.messages if "zigzag" in text]
        assert "3" in warning


RETYPED: dict[str, tuple[str, Any, str]] = {
    "intercom": ("phone", {"number": "+1"}, "external_number"),
    "amplemarket": ("contact", "Ana", "contact_name"),
    "skipcall": ("contact", "Ana", "contact_name"),
}


@pytest.mark.parametrize("provider", RETYPED)
def test_a_field_whose_type_changed_is_told(
    provider: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name, value, column = RETYPED[provider]
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)

        def retype(record: Record) -> None:
            record[name] = value

        sandbox.faults = [Fault(provider, times=ENDLESS, kind="edit", edit=with_records(retype))]
        done = sync(provider)
        assert done.failures == []
        assert done.by_id().keys() == stage.truth("calls").keys()
        assert {str(one["provider_record"][name]) for one in done.records()} == {str(value)}
        assert any(column in text for text in caplog.messages)


def empty_lists() -> Iterator[Any]:
    for provider in ("intercom", "skipcall"):
        yield provider, {"data": None}
    yield "openphone", {"data": None}


@pytest.mark.parametrize(("provider", "change"), list(empty_lists()))
def test_null_beside_a_total_of_zero_is_an_empty_list(
    provider: str, change: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(World(calls=0), quick_switches()) as sandbox:
        be_quick(monkeypatch, sandbox.url)
        edit = with_page(lambda page: page.update(change))
        path = "/calls" if provider != "openphone" else "/v1/calls"
        sandbox.faults = [
            Fault(provider, path_contains=path, times=ENDLESS, kind="edit", edit=edit)
        ]
        done = sync(provider)
        assert done.failures == []
        assert done.records() == []


def test_every_zero_time_has_a_spelling() -> None:
    assert set(NO_TIMES) == ZERO_TIMES.keys() - {"null"}
