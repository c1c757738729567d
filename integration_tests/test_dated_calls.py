"""Quo's dated API: all calls of the workspace, under every position of every switch.

What a destination holds after merging by id must equal the sandbox's truth, as
test_every_switch.py has it of API v1.
"""

from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import Connector, config_for
from integration_tests.sandbox import Sandbox, Switches, World

VERSION = "2026-03-30"
POSITIONS = [
    pytest.param(switches, id=name)
    for name, switches in Switches.positions("openphone_dated")
]


def dated(**settings: Any) -> dict[str, Any]:
    """A configuration that reads the dated API, all of it in each sync."""
    return config_for("openphone", **{"api_version": VERSION, "full_scan_hours": 0, **settings})


@pytest.mark.parametrize("switches", POSITIONS)
def test_two_syncs_equal_the_truth(switches: Switches, tmp_path: Path) -> None:
    with Sandbox(World(calls=400), switches) as sandbox:
        connector = Connector("openphone", sandbox, tmp_path, forked=switches != Switches())
        first = connector.read(dated())
        assert first.errors == []
        assert first.exit_status == 0
        held = first.by_id()
        assert held == sandbox.expected("openphone", VERSION)
        assert len(first.records()) == len(held)

        sandbox.world.advance(hours=24)
        second = connector.read(dated(), state=[first.last_state()])
        assert second.exit_status == 0
        held |= second.by_id()
        now = sandbox.expected("openphone", VERSION)
        assert {key: held[key] for key in now} == now
        assert len(second.records()) < len(first.records())
