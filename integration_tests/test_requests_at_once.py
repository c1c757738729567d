"""How many requests a provider sees at once: found by the connector, or what the user says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from calls_shared.http.places import FIRST, MOST
from integration_tests.commands import Connector, config_for
from integration_tests.sandbox import Fault, Sandbox, SeenRequest, Switches, World
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.variants import OTHER_VERSIONS, Variant, expected_by

UNLIMITED = Switches(enforce_limits=False)
SLOW = 0.25
"""Seconds; so slow that the time of all else counts little."""


def under_way(sandbox: Sandbox, latency: Callable[[int], float]) -> list[int]:
    """How many requests were under way as each came; `latency` is asked by how many came."""
    found: list[int] = []

    def seconds(seen: SeenRequest) -> float:
        found.append(sandbox.under_way)
        return latency(len(found))

    sandbox.latency = seconds
    return found


def read_all(provider: str, sandbox: Sandbox, folder: Path, **settings: Any) -> None:
    """Read all calls, which must be the true ones."""
    outcome = Connector(provider, sandbox, folder, forked=True).read(
        config_for(provider, **settings)
    )
    assert outcome.by_id() == expected_by(provider, sandbox, settings)


def test_slow_answers_are_met_with_more_requests(tmp_path: Path) -> None:
    with Sandbox(World(calls=70 * 25), UNLIMITED) as sandbox:
        found = under_way(sandbox, lambda number: SLOW)
        read_all("intercom", sandbox, tmp_path)
    assert found[0] == 1
    assert max(found[: 2 * FIRST]) == FIRST
    assert 2 * FIRST <= max(found) <= MOST


def test_answers_that_become_slow_are_met_with_more_requests(tmp_path: Path) -> None:
    """The first round, which says what 8 places bring, is not over when they do."""
    with Sandbox(World(calls=70 * 25), UNLIMITED) as sandbox:
        found = under_way(sandbox, lambda number: 0.02 if number <= FIRST else SLOW)
        read_all("intercom", sandbox, tmp_path)
    assert max(found[: 2 * FIRST]) <= FIRST
    assert 2 * FIRST <= max(found) <= MOST


@pytest.mark.parametrize("workers", [1, 3])
def test_a_number_of_the_user_is_never_passed(tmp_path: Path, workers: int) -> None:
    with Sandbox(World(calls=60 * 25), UNLIMITED) as sandbox:
        found = under_way(sandbox, lambda number: 0.03)
        read_all("intercom", sandbox, tmp_path, num_workers=workers)
    assert max(found) == workers


@pytest.mark.parametrize("variant", OTHER_VERSIONS, ids=str)
def test_so_many_windows_are_read_at_once(variant: Variant, tmp_path: Path) -> None:
    with Sandbox(World(calls=1_000), UNLIMITED) as sandbox:
        # an answer takes longer than the pauses that the limit asks for
        found = under_way(sandbox, lambda number: 0.4)
        read_all(variant.provider, sandbox, tmp_path, **variant.settings, num_workers=3)
    assert max(found) == 3


def test_links_are_followed_one_after_another(tmp_path: Path) -> None:
    with Sandbox(World(calls=1_000), UNLIMITED) as sandbox:
        found = under_way(sandbox, lambda number: 0.03)
        read_all("amplemarket", sandbox, tmp_path)
    assert found == [1] * len(found)


def test_a_provider_that_refuses_many_at_once_is_asked_for_fewer(tmp_path: Path) -> None:
    with Sandbox(World(calls=40 * 25), UNLIMITED) as sandbox:
        found: list[int] = []
        refused: list[SeenRequest] = []

        def seconds(seen: SeenRequest) -> float:
            found.append(sandbox.under_way)
            if sandbox.under_way > FIRST // 2:
                refused.append(seen)
            return 0.05

        def is_refused(seen: SeenRequest) -> bool:
            return any(seen is one for one in refused)

        sandbox.latency = seconds
        sandbox.faults = [Fault("intercom", times=ENDLESS, status=503, where=is_refused)]
        read_all("intercom", sandbox, tmp_path)
        statuses = [one.status for one in sandbox.requests]
    assert 0 < statuses.count(503) <= FIRST
    assert max(found) == FIRST
    assert max(found[-20:]) <= FIRST // 2
