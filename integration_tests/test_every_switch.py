"""Each connector reads every call, every column, under every position of every switch.

Two syncs a position, the second after a day in which calls were added, changed, deleted and logged
late; what a destination holds after merging by id must equal the sandbox's truth: every call that
was ever listed, in its last listed state. (The spellings of zero times: test_odd_values.py.)
"""

from pathlib import Path

import pytest

from integration_tests.commands import CURSOR_FIELDS, PROVIDERS, Connector
from integration_tests.sandbox import Sandbox, Switches, World

POSITIONS = [
    pytest.param(provider, switches, id=f"{provider}-{name}")
    for provider in PROVIDERS
    for name, switches in Switches.positions(provider)
    if not name.startswith("no_time")
]


@pytest.mark.parametrize(("provider", "switches"), POSITIONS)
def test_two_syncs_equal_the_truth(provider: str, switches: Switches, tmp_path: Path) -> None:
    with Sandbox(World(calls=400), switches) as sandbox:
        # the console script once for each provider
        connector = Connector(provider, sandbox, tmp_path, forked=switches != Switches())

        first = connector.read()
        assert first.errors == []
        assert first.exit_status == 0
        held = first.by_id()
        assert held == sandbox.expected(provider)
        assert first.stderr == ""
        assert first.statuses[0] == "STARTED"
        assert first.statuses[-1] == "COMPLETE"

        sandbox.world.advance(hours=24)
        second = connector.read(state=[first.last_state()])
        assert second.exit_status == 0
        held |= second.by_id()
        # a call that the provider has deleted for good stays, as the promise says
        assert {key: held[key] for key in sandbox.expected(provider)} == sandbox.expected(provider)
        assert held == sandbox.ever_listed(provider)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_sync_with_nothing_new_keeps_the_cursor_and_says_so(
    provider: str, tmp_path: Path
) -> None:
    with Sandbox(World(calls=200)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        first = connector.read()
        second = connector.read(state=[first.last_state()])
        again = len(second.records())
        assert f"INFO: calls: 0 calls newer than the state, {again} re-read in the lookback." in (
            second.logs
        )
        assert again > 0
        assert _cursors(second.last_state()) == _cursors(first.last_state())
        assert second.by_id() == {key: first.by_id()[key] for key in second.by_id()}
        if provider != "openphone":  # there the lookback chooses conversations, not calls
            assert again < len(first.records())

        without_state = connector.read()
        assert without_state.by_id() == sandbox.expected(provider)


def _cursors(state: object) -> list[tuple[str, str]]:
    """All cursor values of a state; not the CDK's note of how long the sync took."""
    if isinstance(state, dict):
        found = []
        for key, value in sorted(state.items()):
            if isinstance(value, str) and key in {*CURSOR_FIELDS.values(), "active_at"}:
                found.append((key, value))
            found += _cursors(value)
        return found
    if isinstance(state, list):
        return sorted(pair for item in state for pair in _cursors(item))
    return []
