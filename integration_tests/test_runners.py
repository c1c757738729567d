"""The manifests as others run them: what keeps the promise travels with them (docs/runners.md).

Each is read by our command, by the CDK's `source-declarative-manifest`, by PyAirbyte's
`source_manifest=` and by the Connector Builder's test read, from a world whose clock runs three
days ahead of ours, under enforced rate limits.
"""

import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from weakref import ref

import pytest
from airbyte_cdk.connector_builder.connector_builder_handler import create_source, read_stream
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
    TestLimits,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http import budget as budgets
from calls_shared.http.budget import CallBudget, budget_of
from calls_shared.http.rate import RateLimit
from calls_shared.reading.moments import moment_of
from integration_tests.commands import (
    PROVIDERS,
    Connector,
    Outcome,
    catalog_for,
    config_for,
    in_full,
)
from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.sandbox import Sandbox, World

AHEAD = timedelta(days=3)
CALLS = 40


def manifest_of(provider: str) -> dict[str, Any]:
    return CONNECTORS[provider].manifest_as_written()


# Other processes


class Reading(NamedTuple):
    """What one run read, whoever ran it."""

    records: list[dict[str, Any]]
    """By id; without null columns."""
    state: dict[str, Any]
    """With a word in place of each moment of our clock; none is later than the first request."""
    warnings: list[str]


def reading(outcome: Outcome, sandbox: Sandbox, began: datetime) -> Reading:
    """What a command read; it must have succeeded, and no request may have been refused."""
    assert (outcome.exit_status, outcome.errors) == (0, [])
    counts = sum(state["sourceStats"]["recordCount"] for state in outcome.states)
    assert counts == len(outcome.records())
    state = outcome.last_state()["stream"]["stream_state"]
    logs = [line for line in outcome.logs if line.startswith("WARN: ")]
    warnings = [line.removeprefix("WARN: ") for line in logs if "CALLS_SANDBOX_URL" not in line]
    return Reading(by_id(outcome.records()), comparable(state, sandbox, began), warnings)


def by_id(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    stripped = [
        {name: value for name, value in call.items() if value is not None} for call in records
    ]
    return sorted(stripped, key=lambda call: str(call["id"]))


def assert_kept_the_limit(sandbox: Sandbox) -> None:
    """All requests were answered well, but for one or two that a busy machine delays.

    Quo's limit is ten in a second, and a request that is held up on its way arrives with later
    ones. Without a rate a third of all would be refused.
    """
    statuses = [request.status for request in sandbox.requests]
    assert set(statuses) <= {200, 429}
    assert statuses.count(429) <= max(2, len(statuses) // 50)


def comparable(state: Mapping[str, Any], sandbox: Sandbox, began: datetime) -> dict[str, Any]:
    """A state without the moments that differ from run to run; the limit was kept."""
    assert_kept_the_limit(sandbox)
    seconds = time.monotonic() - sandbox.requests[0].at
    first_request = datetime.now(UTC) - timedelta(seconds=seconds)

    def named(value: Any) -> Any:
        if isinstance(value, Mapping):
            # how long the read took, which the CDK reads again at the next
            took = {"lookback_window": "seconds"} if "lookback_window" in value else {}
            return {key: named(item) for key, item in value.items()} | took
        if isinstance(value, list):
            return [named(item) for item in value]
        moment = moment_of(value)
        if moment is None:
            return value
        assert moment <= first_request or moment < sandbox.world.now - timedelta(days=1)
        # what was settled is told by the second after the first answer of each list
        for name, days, until in (
            ("before the first request", 0, first_request),
            ("a lookback before that", 7, datetime.now(UTC) + timedelta(seconds=1)),
        ):
            if began <= moment + timedelta(days=days) <= until:
                return name
        return value

    compared: dict[str, Any] = named(state)
    return compared


def declarative(connector: Connector, state: Any = None) -> Outcome:
    """Read with `source-declarative-manifest`."""
    provider = connector.provider
    options = {"config": in_full(provider), "catalog": catalog_for(provider), "state": state}
    arguments = ["read", "--manifest-path", str(CONNECTORS[provider].manifest)]
    for name, content in options.items():
        if content is not None:
            file = connector.folder / f"declarative-{name}.json"
            file.write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", str(file)]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("source-declarative-manifest")), *arguments],
        env={
            **os.environ,
            "AIRBYTE_ENABLE_UNSAFE_CODE": "true",
            "CALLS_SANDBOX_URL": connector.sandbox.url,
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def world() -> World:
    return World(calls=CALLS, now=datetime.now(UTC).replace(microsecond=0) + AHEAD)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_source_declarative_manifest(provider: str, tmp_path: Path) -> None:
    """Same records, same states, same warnings, and no request refused; also with a state."""
    start = world().now
    with (
        Sandbox(World(calls=CALLS, now=start)) as for_ours,
        Sandbox(World(calls=CALLS, now=start)) as for_theirs,
        ThreadPoolExecutor(2) as pool,
    ):
        our = Connector(provider, for_ours, tmp_path, forked=True)
        their = Connector(provider, for_theirs, tmp_path)
        state: list[dict[str, Any]] | None = None
        known: set[str] = set()
        for _ in range(2):
            began = datetime.now(UTC)
            ours, theirs = (
                pool.submit(our.read, state=state),
                pool.submit(declarative, their, state),
            )
            listed = for_ours.expected(provider)
            read = reading(ours.result(), for_ours, began)
            assert read == reading(theirs.result(), for_theirs, began)
            assert "before the first request" in json.dumps(read.state)
            if state is None:
                assert read.records == by_id(list(listed.values()))
                assert bool(read.warnings) == (provider != "amplemarket")
            else:
                ids = {call["id"] for call in read.records}
                assert set(listed) - known <= ids <= set(listed)
                # Quo reads a conversation that was active in the lookback as a whole
                assert ids != set(listed) or provider == "openphone"
            known = set(listed)
            state = [ours.result().last_state()]
            for sandbox in (for_ours, for_theirs):
                sandbox.world.advance(hours=30)
                sandbox.clear_requests()


REFUSED = {"updated": "2026-01-31T00:00:00.000000Z"}
FAR = {"updated_at": "2999-01-31T00:00:00.000000Z"}


def state_file(content: dict[str, Any]) -> list[dict[str, Any]]:
    stream = {"stream_descriptor": {"name": "calls"}, "stream_state": content}
    return [{"type": "STREAM", "stream": stream}]


def test_a_state_is_checked_whoever_runs_the_manifest(tmp_path: Path) -> None:
    with Sandbox(world()) as sandbox:
        connector = Connector("skipcall", sandbox, tmp_path, forked=True)
        ours = connector.read(state=state_file(REFUSED))
        theirs = declarative(connector, state_file(REFUSED))
        assert not sandbox.requests
        assert {ours.exit_status, theirs.exit_status} == {1}
        for outcome in (ours, theirs):
            assert [(error["message"], error["failure_type"]) for error in outcome.errors] == [
                (
                    "The state of the stream calls has no cursor updated_at. Use the state that the"
                    " last sync emitted, or none to read everything again.",
                    "config_error",
                )
            ]
        far = declarative(connector, state_file(FAR))
    (warning,) = [line for line in far.logs if "2999" in line]
    assert warning.startswith(
        "WARN: The state of the stream calls holds 2999-01-31T00:00:00.000000Z"
    )


@pytest.mark.skipif(find_spec("airbyte") is None, reason="PyAirbyte is not for this Python")
@pytest.mark.lasts(75)
def test_pyairbyte(tmp_path: Path) -> None:
    """It hands no state in, so that each read is a first one; two of them do not pass the rate."""
    start = world().now
    sandboxes = {provider: Sandbox(World(calls=CALLS, now=start)) for provider in PROVIDERS}
    folder = tmp_path / "pyairbyte"
    folder.mkdir()
    began = datetime.now(UTC)
    ours: dict[str, Reading] = {}
    for provider in PROVIDERS:
        with Sandbox(World(calls=CALLS, now=start)) as sandbox:
            outcome = Connector(provider, sandbox, tmp_path, forked=True).read()
            ours[provider] = reading(outcome, sandbox, began)
    for provider, sandbox in sandboxes.items():
        sandbox.__enter__()
        task = {
            "url": sandbox.url,
            "manifest": manifest_of(provider),
            "config": config_for(provider),
        }
        (folder / f"{provider}.json").write_text(json.dumps(task), encoding="utf-8")
    names = ("AIRBYTE_TEMP_DIR", "AIRBYTE_LOGGING_ROOT", "AIRBYTE_PROJECT_DIR")
    quiet = {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "integration_tests.pyairbyte_reads", str(folder)],
            env={**os.environ, **quiet, **dict.fromkeys(names, str(folder))},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        for provider, sandbox in sandboxes.items():
            found = json.loads((folder / f"{provider}-read.json").read_text(encoding="utf-8"))
            calls = [
                {name: value for name, value in call.items() if not name.startswith("_airbyte")}
                for call in found["records"]
            ]
            state = comparable(found["state"], sandbox, began)
            assert Reading(by_id(calls), state, found["warnings"]) == ours[provider]
            assert found["kept"] == [call["id"] for call in ours[provider].records]
    finally:
        for sandbox in sandboxes.values():
            sandbox.__exit__(None, None, None)


# In this process


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox to which this process sends its requests."""
    with Sandbox(world()) as running:
        monkeypatch.setenv("CALLS_SANDBOX_URL", running.url)
        monkeypatch.setenv("AIRBYTE_ENABLE_UNSAFE_CODE", "true")
        yield running


def source_of(provider: str, config: Mapping[str, Any]) -> ConcurrentDeclarativeSource:
    """The source as PyAirbyte and the manifest server build it."""
    return ConcurrentDeclarativeSource(config=dict(config), source_config=manifest_of(provider))


def read_in_process(source: ConcurrentDeclarativeSource, provider: str) -> int:
    """How many records a source reads."""
    catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_for(provider))
    messages = source.read(logging.getLogger("airbyte"), source._config, catalog)
    return sum(message.record is not None for message in messages)


def as_ours(provider: str, config: Mapping[str, Any]) -> ConcurrentDeclarativeSource:
    module = import_module(f"source_{provider}_calls")
    source = getattr(module, next(name for name in module.__all__ if name.startswith("Source")))()
    built: ConcurrentDeclarativeSource = source._build(source.configure(config))
    return built


def as_in_the_builder(provider: str, config: Mapping[str, Any]) -> ConcurrentDeclarativeSource:
    injected = {**config, "__injected_declarative_manifest": manifest_of(provider)}
    catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_for(provider))
    source: ConcurrentDeclarativeSource = create_source(injected, TestLimits(), catalog, [])
    return source


def reachable(roots: list[Any]) -> Iterator[Any]:
    """All objects that are held by some, but for modules, classes and their globals."""
    seen, waiting = set(), list(roots)
    while waiting:
        found = waiting.pop()
        is_global = isinstance(found, dict) and "__builtins__" in found
        if id(found) in seen or is_global or isinstance(found, ModuleType | type):
            continue
        seen.add(id(found))
        yield found
        waiting += gc.get_referents(found)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("build", [source_of, as_ours, as_in_the_builder])
def test_all_components_of_a_source_share_one_budget(
    build: Any, provider: str, sandbox: Sandbox
) -> None:
    """Of children and parents, requesters, retrievers, routers, normalizations and filters."""
    settings = {"call_ids": ["215000"]} if provider == "intercom" else {}
    source = build(provider, config_for(provider, **settings))
    gc.collect()  # so that a budget that nobody holds is not there by chance
    streams = source.streams(source._config)
    gc.collect()
    expected = budget_of(source._config)
    holders = [
        (type(found).__name__, found.__dict__.get("budget", found.__dict__.get("_budget")))
        for found in reachable(list(streams))
        if type(found).__module__.startswith("calls_shared") and hasattr(found, "__dict__")
    ]
    holding = {name for name, budget in holders if isinstance(budget, CallBudget)}
    assert all(budget is expected for _, budget in holders if isinstance(budget, CallBudget))
    others = {"FanOutRetriever", "OldestFirstRetriever", "CallRetriever", "ParentSlices"}
    lists = {"ListRetriever", "ListedCallsRetriever"}
    retrievers = others | {"OneItemMatches"} if provider == "openphone" else lists
    assert holding >= {"CallRequester", *retrievers}
    reports = {id(o) for o in reachable(list(streams)) if type(o).__name__ == "SyncReport"}
    assert reports == {id(expected.report)}
    telling = {type(o).__name__ for o in reachable(list(streams)) if "_report" in dir(o)}
    assert telling >= {"CallNormalization"}


def test_each_source_has_a_budget_of_its_own(sandbox: Sandbox) -> None:
    """Two with equal configurations tell their own warnings, but keep one rate."""
    one, other = (source_of("skipcall", config_for("skipcall")) for _ in range(2))
    streams = one.streams(one._config), other.streams(other._config)
    assert streams
    budget, second = budget_of(one._config), budget_of(other._config)
    assert budget is not second
    assert budget._rate is second._rate
    third = source_of("skipcall", config_for("skipcall", api_key="another-not-real"))
    assert third.streams(third._config)
    assert budget_of(third._config)._rate is not budget._rate


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_is_left_of_a_source_that_is_gone(provider: str, sandbox: Sandbox) -> None:
    source = source_of(provider, config_for(provider))
    assert read_in_process(source, provider) > 0
    identity, gone = id(source._config), ref(budget_of(source._config))
    assert identity in budgets._BUDGETS
    del source
    gc.collect()
    assert gone() is None
    assert identity not in budgets._BUDGETS


def test_an_identity_that_comes_again_has_a_new_budget() -> None:
    """As long as there is a budget, no other object can have the identity of its configuration."""
    seen: dict[int, ref[CallBudget]] = {}
    again = 0
    for number in range(200):
        config = {"api_key": f"key-{number}-not-real"}
        budget = budget_of(config)
        assert budget is budget_of(config)
        assert budget._config is config
        again += id(config) in seen
        assert all(former() is None for former in seen.values())
        seen[id(config)] = ref(budget)
        del budget, config
    assert again > 0
    kept = budget_of({"api_key": "kept-not-real"})
    for _ in range(200):
        assert budget_of({"api_key": "kept-not-real"}) is not kept


def test_two_sources_at_once_keep_one_rate(sandbox: Sandbox) -> None:
    """Quo refuses more than ten requests in a second; each source alone sends nearly as many."""
    sources = [source_of("openphone", config_for("openphone")) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        read = [pool.submit(read_in_process, source, "openphone") for source in sources]
        counts = [future.result() for future in read]
    assert counts == [len(sandbox.expected("openphone"))] * 2
    # two rates have more than a third refused; a busy machine may send one request too late
    refused = [request for request in sandbox.requests if request.status != 200]
    assert len(refused) <= len(sandbox.requests) // 50


LIMIT = RateLimit(requests=3, seconds=600.0)


def budget_with(**settings: Any) -> CallBudget:
    budget = budget_of({"api_key": "test-key-of-a-rate-not-real", **settings})
    budget.adopt(LIMIT, "acme", "api_key")
    return budget


def test_the_rate_goes_on_where_one_source_follows_another() -> None:
    """The provider still counts the requests of a source that is gone."""
    budgets._BUSY.clear()
    first = budget_with()
    assert [first._try_start() for _ in range(3)] == [0.0] * 3
    del first
    gc.collect()
    assert budget_with()._try_start() > 0.0
    # a limit of the user's own does not divide the provider's
    gc.collect()
    assert budget_with(requests_per_minute=1000)._try_start() > 0.0
    budgets._BUSY.clear()


def test_a_rate_that_counts_no_more_is_forgotten() -> None:
    budgets._BUSY.clear()
    first = budget_with()
    rate = ref(first._rate)
    del first
    gc.collect()
    assert rate() is not None
    other = budget_of({"api_key": "another-key-not-real"})
    other.adopt(LIMIT, "acme", "api_key")
    assert rate() is None
    budgets._BUSY.clear()


@pytest.mark.parametrize("provider", ["skipcall", "amplemarket"])
def test_requests_per_minute(provider: str, sandbox: Sandbox) -> None:
    sandbox.world = World(calls=1200, now=world().now)
    source = source_of(provider, config_for(provider, requests_per_minute=3))

    def read() -> None:
        with suppress(AirbyteTracedException):  # that it has been stopped
            read_in_process(source, provider)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        until = time.monotonic() + 120
        while len(sandbox.requests) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(1.0)
        assert len(sandbox.requests) == 3
    finally:
        budget_of(source._config).stopped.set()
        thread.join()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_builders_test_read(provider: str, sandbox: Sandbox) -> None:
    """It reads five pages and five slices at most; what it shows is what a sync emits."""
    catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_for(provider))
    source = as_in_the_builder(provider, config_for(provider))
    began = datetime.now(UTC)
    message = read_stream(source, source._config, catalog, [], TestLimits())
    assert message.record is not None, message.trace
    pages = [page for piece in message.record.data["slices"] for page in piece["pages"]]
    records = [record for page in pages for record in page["records"]]
    expected = sandbox.expected(provider)
    if provider == "openphone":  # of each phone number, five windows of time
        expected = {call["id"]: expected[call["id"]] for call in records}
    assert by_id(records) == by_id(list(expected.values()))
    assert_kept_the_limit(sandbox)
    for piece in message.record.data["slices"]:
        for state in piece["state"]:
            assert "before the first request" in json.dumps(
                comparable(state["stream"]["stream_state"], sandbox, began)
            )
