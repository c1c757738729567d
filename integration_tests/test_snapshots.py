"""Each version's spec, catalog and state hold with the newest code: see `snapshots`.

Whoever changes a spec, a catalog or a state raises the minor version, writes an entry in
`CHANGELOG.md` and stores a snapshot.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from airbyte_cdk.models import Level

from integration_tests.commands import PROVIDERS
from integration_tests.fault_cases import Sync
from integration_tests.list_reading import Destination, list_sandbox, reading
from integration_tests.snapshots import Snapshot, form_of, made, stored, stored_versions
from integration_tests.snapshots.allowances import ALLOWED
from integration_tests.snapshots.breaking import breaks_in_catalog, breaks_in_spec
from integration_tests.versions import current_version

CALLS = 60
each_provider = pytest.mark.parametrize("provider", PROVIDERS)
each_version = pytest.mark.parametrize("version", stored_versions())


@cache
def of_this_code(provider: str) -> Snapshot:
    return made(provider, forked=True)


def test_the_newest_snapshot_is_that_of_this_version() -> None:
    assert stored_versions()[0] == "0.1.0"
    assert stored_versions()[-1] == current_version()


@each_provider
def test_what_this_version_promises_is_stored(provider: str) -> None:
    """If this fails on purpose: raise the minor version, and `make snapshots`."""
    promised, found = stored(current_version(), provider), of_this_code(provider)

    assert found.spec == promised.spec
    assert found.catalog == promised.catalog
    assert form_of(found.state) == form_of(promised.state)


def found_breaks(version: str, provider: str) -> list[str]:
    old, new = stored(version, provider), stored(current_version(), provider)
    return [*breaks_in_spec(old.spec, new.spec), *breaks_in_catalog(old.catalog, new.catalog)]


@each_provider
@each_version
def test_nothing_breaks_that_is_not_allowed(version: str, provider: str) -> None:
    found = found_breaks(version, provider)

    allowed = [sentence for v, p, sentence in ALLOWED if (v, p) == (version, provider)]
    assert sorted(found) == sorted(allowed)


def test_each_allowance_has_a_reason() -> None:
    assert [key for key, reason in ALLOWED.items() if len(reason.split()) < 3] == []
    assert {(version, provider) for version, provider, _ in ALLOWED} <= {
        (version, provider) for version in stored_versions() for provider in PROVIDERS
    }


@contextmanager
def synced(provider: str, state: Any) -> Iterator[tuple[Destination, Sync]]:
    """A destination that goes on from a stored state, and its next sync, an hour later."""
    sandbox = list_sandbox(provider, CALLS)
    with reading(sandbox):
        destination = Destination(provider, sandbox)
        destination.states = state
        before = set(sandbox.expected(provider))
        sandbox.world.advance(hours=1, new=5, changed=0, deleted=0, late=0)
        done = destination.sync()
        assert done.failures == []
        created = sandbox.expected(provider).keys() - before
        assert created
        assert created <= done.by_id().keys()
        yield destination, done


def warnings_of(done: Sync) -> list[str]:
    logs = [message.log for message in done.messages if message.log is not None]
    return [log.message for log in logs if log.level is Level.WARN]


@each_provider
@each_version
def test_a_state_of_each_version_is_read(version: str, provider: str) -> None:
    """It fails no sync, nothing new is missed, and the state that follows is in today's form."""
    (promised,) = stored(current_version(), provider).state
    with synced(provider, stored(version, provider).state) as (destination, done):
        assert [line for line in warnings_of(done) if "state" in line] == []
        (state,) = destination.states
        assert form_of(state["stream"]) == form_of(promised["stream"])


@each_provider
def test_a_state_of_the_first_version_brings_everything_once(provider: str) -> None:
    """And with it what that version may have lost; the sync after it reads the lookback only."""
    with synced(provider, stored("0.1.0", provider).state) as (destination, done):
        expected = destination.sandbox.expected(provider)
        assert Counter(record["id"] for record in done.records()) == dict.fromkeys(expected, 1)
        assert done.by_id() == expected
        assert len(destination.sync().records()) < len(expected)
