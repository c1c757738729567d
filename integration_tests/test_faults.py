"""The fault matrix: every fault at every place, over real sockets.

A fault that passes heals: the records equal the truth, and only the spoilt requests are sent again.
A fault that stays ends the sync with the sentence and the type of the error table, within a bounded
time; the state never moves past the hole, so the next healthy sync completes the truth.
"""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import cycle, product
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http.budget import CallBudget
from integration_tests.commands import PROVIDERS, Connector, catalog_for, in_full, test_key
from integration_tests.fault_cases import (
    ATTEMPTS,
    ENVELOPES,
    GATEWAY,
    GATEWAY_BODIES,
    LIMITED,
    NAMES,
    NETWORK,
    PLACES,
    REDIRECTS,
    REFUSED,
    RETRIED,
    SHAPES,
    SLOW,
    UNAUTHORIZED,
    UNFORMED,
    Case,
    Doorway,
    Place,
    Stage,
    be_quick,
    misshapen,
    sentence_of,
    source_of,
)
from integration_tests.in_process import messages_of
from integration_tests.sandbox import Fault, SeenRequest
from integration_tests.sandbox.faults import ENDLESS

EVERYWHERE = [*NETWORK, *SLOW, *RETRIED, *REFUSED, *LIMITED, *SHAPES, *ENVELOPES, *GATEWAY]


def passing() -> Iterator[Any]:
    cases = [case for case in EVERYWHERE if case not in REFUSED]
    for number, (place, case) in enumerate(product(PLACES, cases)):
        if concerns(place, case):
            times = 1 if case.needs_time_out else 12 if case in LIMITED else 1 + number % 3
            yield pytest.param(place, case, times, id=f"{place}-{case}-{times}x")


def concerns(place: Place, case: Case) -> bool:
    """Every answer of a gateway where an answer can be skipped; elsewhere two of each status.

    An envelope beside an empty list on one page of each list. Of the further versions of an API
    each case at one place of six: their requests are those of the same connector.
    """
    if place.api_version is not None:
        return (PLACES.index(place) + EVERYWHERE.index(case)) % 6 == 0
    if case in GATEWAY:
        number = PLACES.index(place)
        chosen = {0, 1 + number % 4}
        return place.may_be_skipped or GATEWAY.index(case) % len(GATEWAY_BODIES) in chosen
    return case not in ENVELOPES or place.name.endswith(("middle_page", "only_page"))


@pytest.mark.parametrize(("place", "case", "times"), list(passing()))
def test_a_fault_that_passes_heals(
    place: Place, case: Case, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url, **time_outs(case))
        sandbox.faults = [place.hit_by(case, times)]
        done = stage.sync(place.stream)
        assert done.failures == []
        assert done.by_id(place.stream) == stage.truth(place.stream)
        assert len(done.records(place.stream)) == len(stage.truth(place.stream))
        assert place.count(sandbox.requests) == place.healthy_of(sandbox.requests) + times


def time_outs(case: Case, seconds: float = 2.0) -> dict[str, float]:
    if case.kind == "no_answer":
        return {"read": seconds}
    return {"answer": seconds} if case.kind == "drip" else {}


OUTLIVED = [
    pytest.param(place, times, id=f"{place}-{times}x")
    for place, times in product(PLACES, (1, 2))
    if not place.may_come_first
]


@pytest.mark.parametrize(("place", "times"), OUTLIVED)
def test_a_key_that_has_worked_is_refused_for_a_moment(
    place: Place, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [place.hit_by(UNAUTHORIZED, times)]
        done = stage.sync(place.stream)
        assert done.failures == []
        assert done.by_id(place.stream) == stage.truth(place.stream)
        assert place.count(sandbox.requests) == place.healthy_of(sandbox.requests) + times


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_fault_after_a_limit_that_outlasts_the_patience_of_a_request(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for a limit is no attempt: the time of the attempts begins with the first fault."""
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url, seconds=0.5)
        limit = Fault(
            place.provider,
            path_contains=place.path,
            query_contains=place.query,
            nth=place.nth,
            status=429,
            headers={"Retry-After": "1"},
        )
        sandbox.faults = [limit, replace(place.hit_by(RETRIED[-2], 1), nth=place.nth + 1)]
        done = stage.sync(place.stream)
        assert done.failures == []
        assert done.by_id(place.stream) == stage.truth(place.stream)
        assert place.count(sandbox.requests) == place.healthy_of(sandbox.requests) + 2


def lasting() -> Iterator[Any]:
    for place, case in product(PLACES, [case for case in EVERYWHERE if case not in LIMITED]):
        # eight time-outs take long: one place of each request will do
        one_of = ("first_page", "last_page", "_id", "probe", "window", "late_page")
        slow = case.needs_time_out and place.name.endswith(one_of)
        if concerns(place, case) and not slow:
            yield pytest.param(place, case, id=f"{place}-{case}")
    for place in PLACES:
        for case in UNFORMED if place.may_be_skipped else ():
            yield pytest.param(place, case, id=f"{place}-{case}")
        if not place.may_come_first:
            yield pytest.param(place, UNAUTHORIZED, id=f"{place}-{UNAUTHORIZED}")


@pytest.mark.parametrize(("place", "case"), list(lasting()))
def test_a_fault_that_stays_fails_the_sync_and_loses_nothing(
    place: Place, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url, **time_outs(case, 1.0))
        sandbox.faults = [place.hit_by(case)]
        broken = stage.sync(place.stream)
        assert_failed(broken.failures, place, case)
        assert place.count(sandbox.requests) == place.nth - 1 + case.attempts
        truth = stage.truth(place.stream)
        found = broken.by_id(place.stream)
        assert found == {key: truth[key] for key in found}
        assert len(found) < len(truth)  # there is a hole

        sandbox.faults = []
        healthy = stage.sync(place.stream, broken.states)
        assert healthy.failures == []
        assert found | healthy.by_id(place.stream) == truth


def assert_failed(failures: list[tuple[str, str]], place: Place, case: Case) -> None:
    assert failures
    for failure_type, sentence in failures:
        assert failure_type == case.failure_type
        # a gateway's answer is not the provider's, but the sentence names the provider too
        start = "" if case in GATEWAY else NAMES[place.provider] + " "
        assert sentence.startswith(start)
        assert NAMES[place.provider] in sentence
        assert sentence_of(place, case) in sentence
        assert "Exhausted" not in sentence
        assert case not in GATEWAY or re.search(r"\bplans?\b", sentence) is None
        assert sentence.isprintable()


INCREMENTAL = [
    pytest.param(place, case, id=f"{place}-{case}")
    for place, case in product(PLACES, [NETWORK[1], RETRIED[-2], SHAPES[0], GATEWAY[0]])
    if place.stream == "calls" and (place.api_version is None or place.name == "middle_page")
]


@pytest.mark.parametrize(("place", "case"), INCREMENTAL)
def test_a_fault_in_a_later_sync_leaves_the_state_before_the_hole(
    place: Place, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three days of changes, a broken sync, and a healthy one that looks back a day only."""
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        first = stage.sync("calls")
        assert first.failures == []
        # Amplemarket does not tell when a call changes, so only a longer lookback would show it
        changed = 0 if place.provider == "amplemarket" else 30
        sandbox.world.advance(hours=72, new=30, changed=changed, deleted=0, late=10)
        sandbox.faults = [place.hit_by(case)]
        # a long lookback, so that every page is asked for
        broken = stage.sync("calls", first.states, lookback_days=3650)
        assert_failed(broken.failures, place, case)
        assert broken.cursor <= first.cursor

        sandbox.faults = []
        healthy = stage.sync("calls", broken.states or first.states, lookback_days=1)
        assert healthy.failures == []
        held = first.by_id() | broken.by_id() | healthy.by_id()
        assert held == stage.truth("calls")


EMPTY = misshapen("empty_page", '{"data": [], "WHAT": 0}', "an empty page 2 of 3")


@pytest.mark.parametrize("provider", ["intercom", "skipcall"])
@pytest.mark.parametrize("times", [1, ENDLESS])
def test_an_empty_page_below_the_announced_last_one(
    provider: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(provider, "calls", "middle_page", "/calls", "page=2&")
    counts = '"pages": {"total_pages": 3}' if provider == "intercom" else '"totalPages": 3'
    case = replace(EMPTY, body=EMPTY.body.replace('"WHAT": 0', counts))
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [place.hit_by(case, times)]
        done = stage.sync("calls")
        if times == 1:
            assert done.failures == []
            assert done.by_id() == stage.truth("calls")
            return
        sentence = (
            f"{NAMES[provider]} answered calls with an empty page 2 of 3 although pages behind it"
            " hold records, and trying again did not help. Run the sync again later; if the page"
            " stays empty, ask the provider why."
        )
        assert done.failures == [("transient_error", sentence)]
        assert place.count(sandbox.requests) == ATTEMPTS
        sandbox.faults = []
        assert done.by_id() | stage.sync("calls", done.states).by_id() == stage.truth("calls")


LIMIT_UNDER_200 = Case(
    "rate_limit_under_200",
    "body",
    body='{"type": "error.list", "errors": [{"code": "rate_limit_exceeded", "message": "Slow"}]}',
)
INTERCOM_PLACES = [
    pytest.param(place, id=str(place)) for place in PLACES if place.provider == "intercom"
]


@pytest.mark.parametrize("place", INTERCOM_PLACES)
def test_a_rate_limit_of_intercom_under_200_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage("intercom")
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [place.hit_by(LIMIT_UNDER_200, 20)]
        done = stage.sync(place.stream)
        assert done.failures == []
        assert done.by_id(place.stream) == stage.truth(place.stream)
        assert place.count(sandbox.requests) == 21


@pytest.mark.parametrize(
    ("provider", "body", "says"),
    [
        ("intercom", '{"errors": [{"code": "token_unauthorized"}]}', "Read conversations"),
        ("intercom", '{"errors": [{"code": "api_plan_restricted"}]}', "subscription"),
        ("skipcall", '{"error": {"code": "PLAN_NOT_ELIGIBLE"}}', "not part of this plan"),
    ],
)
def test_an_error_under_200_with_a_known_code_is_that_error(
    provider: str, body: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [Fault(provider, times=ENDLESS, kind="body", body=body)]
        ((failure_type, sentence),) = stage.sync("calls").failures
        assert failure_type == "config_error"
        assert says in sentence
        assert len(sandbox.requests) == 1


STREAMS = list(dict.fromkeys((place.provider, place.stream) for place in PLACES))


@pytest.mark.parametrize(("provider", "stream"), STREAMS)
def test_a_provider_where_nothing_listens(
    provider: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(provider)
    with stage.sandbox as sandbox, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        be_quick(monkeypatch, f"http://127.0.0.1:{deaf.getsockname()[1]}")
        broken = stage.sync(stream)
        assert [failure[0] for failure in broken.failures] == ["transient_error"]
        assert broken.failures[0][1].startswith(
            f"{NAMES[provider]} could not be reached (the connection was refused), and trying again"
        )
        assert broken.records(stream) == []
        assert sandbox.requests == []

        be_quick(monkeypatch, sandbox.url)
        healthy = stage.sync(stream, broken.states)
        assert healthy.failures == []
        assert healthy.by_id(stream) == stage.truth(stream)


OUTAGES = [
    pytest.param(
        place,
        passes,
        id=f"{place}-{'passes' if passes else 'stays'}",
    )
    for place in PLACES
    if place.name in ("middle_page", "last_id", "only_page")
    for passes in (True, False)
]


@pytest.mark.parametrize(("place", "passes"), OUTAGES)
def test_a_provider_that_goes_down_in_the_middle(
    place: Place, passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = place.stage
    with stage.sandbox as sandbox, Doorway(sandbox.url) as doorway:
        be_quick(monkeypatch, doorway.url, pause=0.05 if passes else 0.001)
        later = Timer(0.15, doorway.reopen)
        asked: list[SeenRequest] = []

        def go_down(request: SeenRequest) -> None:
            if place.count([request]):
                asked.append(request)
                if len(asked) == place.nth:
                    doorway.shut()
                    if passes:
                        later.start()

        sandbox.before_answer = go_down
        done = stage.sync(place.stream)
        truth = stage.truth(place.stream)
        if passes:
            later.join()
            assert done.failures == []
            assert done.by_id(place.stream) == truth
            return
        for failure_type, sentence in done.failures:
            assert failure_type == "transient_error"
            assert sentence.startswith(f"{NAMES[place.provider]} could not be reached (the connec")
        assert done.failures

        sandbox.before_answer = None
        doorway.reopen()
        healthy = stage.sync(place.stream, done.states)
        assert healthy.failures == []
        assert done.by_id(place.stream) | healthy.by_id(place.stream) == truth


ENDPOINTS = [
    pytest.param(provider, path, case, id=f"{provider}{path}-{case}")
    for provider, path in [
        ("intercom", "/calls"),
        ("openphone", "/v1/phone-numbers"),
        ("openphone", "/v1/conversations"),
        ("openphone", "/v1/calls"),
        ("amplemarket", "/calls"),
        ("skipcall", "/v1/calls"),
    ]
    for case in (
        RETRIED[-2],
        SHAPES[0],
        Case("status_401", "status", 401, failure_type="config_error", attempts=1),
        Case("status_402", "status", 402, failure_type="config_error", attempts=1),
    )
]


@pytest.mark.parametrize(("provider", "path", "case"), ENDPOINTS)
def test_an_endpoint_that_is_down_from_the_start(
    provider: str, path: str, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request fails, nothing is read; the next sync starts from the state that came out."""
    stage = Stage(provider)
    place = Place(provider, "calls", "every_request", path)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [place.hit_by(case)]
        broken = stage.sync("calls")
        assert_failed(broken.failures, place, case)
        assert broken.records() == []
        # one failure ends the sync, or three that were tried patiently by each worker; on a busy
        # machine others start before it is known
        assert place.count(sandbox.requests) <= case.attempts * 20

        sandbox.faults = []
        healthy = stage.sync("calls", broken.states)
        assert healthy.failures == []
        assert healthy.by_id() == stage.truth("calls")


DATE = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
"""The provider's clock is years away from ours; only the difference counts."""
WAITS: list[tuple[str, dict[str, str], float]] = [
    ("retry_after_seconds", {"Retry-After": "1"}, 1.0),
    ("retry_after_date", {"Retry-After": format_datetime(DATE + timedelta(seconds=1), True)}, 1.0),
    ("reset_seconds", {"X-RateLimit-Reset": f"{DATE.timestamp():.0f}"}, 1.0),
    ("reset_milliseconds", {"X-RateLimit-Reset": f"{DATE.timestamp() * 1000 + 300:.0f}"}, 1.3),
    ("both", {"Retry-After": "1", "X-RateLimit-Reset": f"{DATE.timestamp() + 3600:.0f}"}, 1.0),
]
NAMED_WAITS = [
    pytest.param(place, headers, seconds, id=f"{place.provider}-{name}")
    for place in PLACES
    if place.name == "middle_page"
    for name, headers, seconds in WAITS
]


@pytest.mark.parametrize(("place", "headers", "seconds"), NAMED_WAITS)
def test_a_rate_limit_is_waited_for_as_long_as_the_provider_says(
    place: Place, headers: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case("429", "status", 429, {**headers, "Date": format_datetime(DATE, True)})
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [place.hit_by(case, 1)]
        done = stage.sync(place.stream)
        assert done.failures == []
        assert done.by_id(place.stream) == stage.truth(place.stream)
        matching = [request for request in sandbox.requests if place.count([request])]
        refused = next(request for request in matching if request.status == 429)
        again = matching[matching.index(refused) + 1]
        assert seconds <= again.at - refused.at < seconds + 300.0
        # nobody else asks meanwhile, but for what was under way
        later = [r.at - refused.at for r in sandbox.requests if r.at > refused.at]
        assert [at for at in later if 0.5 < at < seconds] == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("named", ["3600", "86400"])
def test_a_rate_limit_of_an_hour_is_waited_for(
    provider: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    pause = CallBudget.pause

    def noted(budget: CallBudget, seconds: float) -> None:
        pauses.append(seconds)
        pause(budget, seconds)

    monkeypatch.setattr(CallBudget, "pause", noted)
    with Stage(provider).sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        headers = {"Retry-After": named}
        sandbox.faults = [Fault(provider, times=ENDLESS, status=429, headers=headers)]
        source = source_of(provider)
        messages: list[AirbyteMessage] = []

        def read() -> None:
            with pytest.raises(AirbyteTracedException):
                messages.extend(messages_of(source, in_full(provider), catalog_for(provider)))

        thread = Thread(target=read)
        thread.start()
        until = time.monotonic() + 300
        while not pauses and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        assert thread.is_alive()
        assert pauses == [3600.0]
        assert len(sandbox.requests) == 1
        assert source._inner is not None
        source._inner.budget.stopped.set()
        thread.join(timeout=300)
        assert not thread.is_alive()
        assert [message for message in messages if message.record] == []


@contextmanager
def stranger() -> Iterator[str]:
    """Another host, to which nobody may connect; its url."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(BlockingIOError):  # there is no connection to accept
            server.accept()


REDIRECTED = [
    pytest.param(place, case, id=f"{place}-{case}")
    for number, (place, case) in enumerate(product(PLACES, REDIRECTS))
    if number % 2 == 0 or place.name == "first_page"
    if place.api_version is None or place.name == "first_page"
]


@pytest.mark.parametrize(("place", "case"), REDIRECTED)
def test_a_redirect_is_not_followed(
    place: Place, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = place.stage
    with stage.sandbox as sandbox, stranger() as elsewhere:
        be_quick(monkeypatch, sandbox.url)
        headers = {"Location": f"{elsewhere}/{place.provider}{place.path}"}
        sandbox.faults = [replace(place.hit_by(case), headers=headers)]
        broken = stage.sync(place.stream)
        assert_failed(broken.failures, place, case)
        assert place.count(sandbox.requests) == place.nth

        sandbox.faults = []
        healthy = stage.sync(place.stream, broken.states)
        assert healthy.failures == []
        found = broken.by_id(place.stream) | healthy.by_id(place.stream)
        assert found == stage.truth(place.stream)


@pytest.mark.parametrize("form", ["{url}/calls", "//{host}/calls", "https://user@{host}/calls"])
def test_a_next_link_to_another_host_is_not_followed(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage("amplemarket")
    with stage.sandbox as sandbox, stranger() as elsewhere:
        be_quick(monkeypatch, sandbox.url)
        link = form.format(url=elsewhere, host=elsewhere.partition("//")[2])
        body = {"calls": [], "_links": {"next": {"href": link}}}
        sandbox.faults = [
            Fault("amplemarket", nth=2, times=ENDLESS, kind="body", body=json.dumps(body))
        ]
        broken = stage.sync("calls")
        ((failure_type, sentence),) = broken.failures
        assert failure_type == "transient_error"
        assert sentence.startswith("Amplemarket answered with a link to another host than")
        assert len(sandbox.requests) == 2
        sandbox.faults = []
        healthy = stage.sync("calls", broken.states)
        assert broken.by_id() | healthy.by_id() == stage.truth("calls")


COMMANDS = [
    pytest.param(place, case, id=f"{place}-{case}")
    for place, case in zip(
        [
            *(place for place in PLACES if place.name == "middle_page"),
            *(place for place in PLACES if place.name in ("last_id", "only_page")),
        ],
        cycle([NETWORK[1], SHAPES[0], RETRIED[-2]]),
        strict=False,
    )
]


@pytest.mark.parametrize(("place", "case"), COMMANDS)
def test_the_real_command(place: Place, case: Case, tmp_path: Path) -> None:
    stage = place.stage
    config = in_full(place.provider, **stage.settings(place.stream))
    catalog = catalog_for(place.provider, place.stream)
    with stage.sandbox as sandbox:
        # real page sizes here: OpenPhone's calls of one conversation are on one page
        sandbox.faults = [replace(place.hit_by(case), nth=1)]
        connector = Connector(place.provider, sandbox, tmp_path)
        broken = connector.read(config, catalog, environment={"CALLS_SANDBOX_WAIT_SCALE": "0.005"})
        assert broken.exit_status == 1
        (error,) = broken.errors
        assert_failed([(error["failure_type"], error["message"])], place, case)
        everything = broken.stdout + broken.stderr
        assert broken.stderr == ""
        assert "Traceback" not in everything
        assert test_key(place.provider) not in everything
        assert broken.statuses[-1] == "INCOMPLETE"
        assert place.count(sandbox.requests) == case.attempts

        sandbox.faults = []
        states = [{"type": "STREAM", "stream": state["stream"]} for state in broken.states[-1:]]
        healthy = connector.read(config, catalog, states)
        assert healthy.exit_status == 0
        held = broken.by_id(place.stream) | healthy.by_id(place.stream)
        truth = stage.truth(place.stream)
        assert held == {key: without_nulls(record) for key, record in truth.items()}


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """The record as the command emits it."""
    return {key: value for key, value in record.items() if value is not None}
