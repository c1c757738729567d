"""`users` and `call_dispositions` against the sandbox's truth: rows, pages, and who may not read.

The real connectors read the sandbox in this process.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.commands import catalog_for, config_for
from integration_tests.connectors import CONNECTORS
from integration_tests.fault_cases import Sync, source_of
from integration_tests.in_process import LOGGER, messages_of
from integration_tests.list_reading import reading
from integration_tests.sandbox import (
    AmplemarketSwitches,
    Fault,
    IntercomSwitches,
    Sandbox,
    Switches,
    World,
    children,
)
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.side_switches import AmplemarketSideSwitches, IntercomSideSwitches

STREAMS = {
    ("intercom", "users"): ["/admins"],
    ("openphone", "users"): ["/v1/users"] * 2,
    ("amplemarket", "users"): ["/users"] * 7,
    ("amplemarket", "call_dispositions"): ["/calls/dispositions"],
}
"""What is asked for each stream: pages of 50 users of Quo, of 20 of Amplemarket."""
LEFT = {"intercom": {"7011"}, "openphone": set[str](), "amplemarket": set[str]()}
"""People whom calls name, and who are no users any more."""
REFUSED: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "intercom": lambda _: {
        "type": "error.list",
        "errors": [{"code": "token_unauthorized", "message": "Not for you"}],
    },
    "openphone": lambda status: {
        "message": "Not for you",
        "code": f"0501{status}",
        "title": "Forbidden",
        "status": status,
    },
    "amplemarket": lambda _: {
        "object": "error",
        "_errors": [{"code": "forbidden", "title": "Not for you", "detail": "Not for you"}],
    },
}
each_stream = pytest.mark.parametrize(("provider", "stream"), STREAMS)


def sandbox_of(switches: Switches | None = None, calls: int = 60) -> Sandbox:
    return Sandbox(World(calls=calls), replace(switches or Switches(), enforce_limits=False))


def synced(sandbox: Sandbox, provider: str, *streams: str) -> Sync:
    """One sync of some streams."""
    messages = []
    failure = None
    with reading(sandbox):
        config, catalog = config_for(provider), catalog_for(provider, *streams)
        try:
            for message in messages_of(source_of(provider), config, catalog):
                messages.append(message)
        except AirbyteTracedException as traced:
            failure = traced
    return Sync(messages, failure)


def truth(provider: str, stream: str, switches: Switches) -> list[dict[str, Any]]:
    return children.expected_rows(stream, provider, (), switches)


@each_stream
def test_the_rows_are_the_truth_page_by_page(provider: str, stream: str) -> None:
    sandbox = sandbox_of()
    done = synced(sandbox, provider, stream)
    assert done.failures == []
    assert done.records(stream) == truth(provider, stream, sandbox.switches)
    assert [request.path for request in sandbox.requests] == STREAMS[provider, stream]
    assert {request.method for request in sandbox.requests} == {"GET"}


NO_TEAMS = IntercomSwitches(sides=IntercomSideSwitches(teams="absent"))
SMALL = AmplemarketSwitches(sides=AmplemarketSideSwitches(largest_page=20, dispositions="paged"))
SAID_OTHERWISE = [
    *((*one, Switches(unknown_fields=True)) for one in STREAMS),
    ("intercom", "users", Switches(intercom=NO_TEAMS)),
    ("amplemarket", "users", Switches(amplemarket=SMALL)),
    ("amplemarket", "call_dispositions", Switches(amplemarket=SMALL)),
]


@pytest.mark.parametrize(("provider", "stream", "switches"), SAID_OTHERWISE)
def test_the_rows_are_the_truth_however_it_is_told(
    provider: str, stream: str, switches: Switches
) -> None:
    done = synced(sandbox_of(switches), provider, stream)
    assert (done.failures, done.records(stream)) == ([], truth(provider, stream, switches))


@pytest.mark.parametrize("provider", LEFT)
def test_who_was_on_a_call_has_a_name(provider: str) -> None:
    """But for those who have left, whom no list has."""
    sandbox = sandbox_of(calls=300)
    done = synced(sandbox, provider, "calls", "users")
    assert done.failures == []
    callers = {call.get("user_id") for call in done.records()} - {None}
    assert len(callers) > 3
    assert callers - done.by_id("users").keys() == LEFT[provider]


@pytest.mark.parametrize("status", [401, 403])
@each_stream
def test_a_key_that_may_not_read_them_still_reads_calls(
    provider: str, stream: str, status: int
) -> None:
    sandbox = sandbox_of(calls=300)
    path = STREAMS[provider, stream][0]
    body = json.dumps(REFUSED[provider](status))
    headers = {"Content-Type": "application/json"}
    refusal = Fault(
        provider, path, times=ENDLESS, kind="status", status=status, headers=headers, body=body
    )
    sandbox.faults.append(refusal)
    done = synced(sandbox, provider, stream, "calls")
    assert done.by_id().keys() == sandbox.expected(provider).keys()
    assert done.records(stream) == []
    kind, sentence = done.failures[0]
    assert kind == "config_error"
    what = "users" if stream == "users" else "dispositions"
    connector = CONNECTORS[provider]
    named = f"{connector.title} does not let {connector.secret_keys[0]} read {what}"
    assert sentence.startswith(f"{named} (HTTP {status}).")
    assert f"the stream {stream}" in sentence
    assert sentence.endswith("says: Not for you")
    assert " calls" not in sentence.replace("call_dispositions", "")


@each_stream
def test_a_gateway_that_refuses_them_is_no_refusal(provider: str, stream: str) -> None:
    sandbox = sandbox_of()
    path = STREAMS[provider, stream][0]
    gateway = Fault(provider, path, times=2, kind="status", status=403, body="<html>No</html>")
    sandbox.faults.append(gateway)
    done = synced(sandbox, provider, stream)
    assert (done.failures, done.records(stream)) == (
        [],
        truth(provider, stream, sandbox.switches),
    )


@each_stream
def test_it_is_offered_for_a_full_refresh(provider: str, stream: str) -> None:
    catalog = source_of(provider).discover(LOGGER, config_for(provider))
    (found,) = [one for one in catalog.streams if one.name == stream]
    assert [mode.value for mode in found.supported_sync_modes] == ["full_refresh"]
    assert found.source_defined_primary_key == [["provider"], ["id"]]
