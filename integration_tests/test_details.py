"""`call_transcripts` and `call_recordings` against the sandbox's truth, and what is asked for them.

The real connectors read the sandbox in this process; the tests of redirects do it over sockets.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.commands import catalog_for, config_for
from integration_tests.fault_cases import Sync, source_of
from integration_tests.in_process import messages_of
from integration_tests.list_reading import reading
from integration_tests.sandbox import (
    AmplemarketSwitches,
    IntercomSwitches,
    Sandbox,
    Switches,
    World,
)
from integration_tests.sandbox.side_switches import IntercomSideSwitches

STREAMS = [
    (provider, stream)
    for provider in ("intercom", "openphone", "amplemarket")
    for stream in ("call_transcripts", "call_recordings")
]
each_stream = pytest.mark.parametrize(("provider", "stream"), STREAMS)
Row = dict[str, Any]


def sandbox_of(switches: Switches | None = None, calls: int = 120) -> Sandbox:
    return Sandbox(World(calls=calls), replace(switches or Switches(), enforce_limits=False))


def synced(
    sandbox: Sandbox,
    provider: str,
    *streams: str,
    state: Iterable[Mapping[str, Any]] = (),
    **config: Any,
) -> Sync:
    """One sync of some streams."""
    messages = []
    failure = None
    with reading(sandbox):
        settings, catalog = config_for(provider, **config), catalog_for(provider, *streams)
        try:
            for message in messages_of(source_of(provider), settings, catalog, state):
                messages.append(message)
        except AirbyteTracedException as traced:
            failure = traced
    return Sync(messages, failure)


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["call_id"], str(row.get("segment_index", 0)), str(row)))


def rows_of(done: Sync, stream: str) -> list[Row]:
    """The rows without the cursor, which the truth of the rows does not have."""
    kept = ({k: v for k, v in row.items() if k != "updated_at"} for row in done.records(stream))
    return in_order(kept)


def truth(sandbox: Sandbox, provider: str, stream: str) -> list[Row]:
    return in_order(sandbox.expected_rows(provider, stream))


@each_stream
def test_the_rows_are_the_truth(provider: str, stream: str) -> None:
    sandbox = sandbox_of()
    done = synced(sandbox, provider, stream)
    assert done.failures == []
    assert rows_of(done, stream) == truth(sandbox, provider, stream)
