"""Syncs of lists in this process and without sockets, and what a destination holds of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.reading import (
    first_reading,
    list_retriever,
    list_sync,
    moments,
    oldest_first,
    state_gate,
    windows_retriever,
)
from integration_tests.commands import catalog_for, in_full
from integration_tests.fault_cases import Sync, be_quick, quick_switches, source_of, sync
from integration_tests.in_process import NOWHERE, messages_of, played
from integration_tests.sandbox import Sandbox, World
from integration_tests.sandbox.edits import records_of, with_page
from integration_tests.sandbox.faults import ENDLESS, Fault
from integration_tests.sandbox.numbered_lists import ListSwitches
from integration_tests.sandbox.switches import ListOrder
from integration_tests.variants import expected_by

ORDERS: tuple[ListOrder, ...] = ("created_desc", "created_asc", "updated_desc", "shuffled")
NUMBERED = ("intercom", "skipcall")
PAGE = {"intercom": 25, "skipcall": 20}
"""Records a page in these tests."""
BEGINNING = "1990-01-01T00:00:00.000000Z"
OPENPHONE_PAGES = {"conversations": 3, "calls_v1": 5, "calls_dated": 2}
LISTS = {
    "intercom": "/calls",
    "openphone": "/v1/conversations",
    "amplemarket": "/calls",
    "skipcall": "/v1/calls",
}


def list_sandbox(
    provider: str,
    calls: int = 90,
    order: ListOrder = "created_desc",
    seed: int = 7,
    **lists: Any,
) -> Sandbox:
    """A sandbox whose server is not started, with a world of five or six pages."""
    switches = quick_switches()
    if provider in NUMBERED:
        group = replace(getattr(switches, provider), order=order, lists=ListSwitches(**lists))
        switches = replace(switches, **{provider: group})
    if provider == "openphone":  # most of its conversations have long been over
        world = World(seed, calls, conversations=max(4, calls // 5), one_after_another=True)
        return Sandbox(world, switches)
    return Sandbox(World(seed, calls), switches)


@contextmanager
def reading(sandbox: Sandbox, **regions: Sandbox) -> Iterator[pytest.MonkeyPatch]:
    """This process's connectors read the sandbox, at its world's time and without pauses."""
    with pytest.MonkeyPatch.context() as patch, played(sandbox, **regions):
        be_quick(patch, NOWHERE)
        at_the_worlds_time(patch, sandbox)
        yield patch


def at_the_worlds_time(patch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """What asks for our own time gets the world's."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return sandbox.world.now.astimezone(tz)

    asking = (list_retriever, list_sync, moments, oldest_first, state_gate)
    for module in (*asking, first_reading, windows_retriever):
        patch.setattr(module, "datetime", Clock)


@dataclass
class Destination:
    """Keeps the last record of each id, and the last states."""

    provider: str
    sandbox: Sandbox
    settings: Mapping[str, Any] = field(default_factory=dict)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)

    def sync(self, **settings: Any) -> Sync:
        """One sync; the requests seen before are forgotten."""
        self.sandbox.clear_requests()
        done = sync(
            self.provider,
            self.states,
            page_sizes=OPENPHONE_PAGES,
            **{**self.settings, **settings},
        )
        self._take(done)
        return done

    def killed_sync(self, records: int, **settings: Any) -> Sync:
        """A sync that is killed once so many records have come."""
        self.sandbox.clear_requests()
        found: list[AirbyteMessage] = []
        messages = messages_of(
            source_of(self.provider, OPENPHONE_PAGES),
            in_full(self.provider, **{**self.settings, **settings}),
            catalog_for(self.provider),
            self.states,
        )
        with suppress(AirbyteTracedException):  # it may fail before
            for message in messages:
                found.append(message)
                records -= message.record is not None
                if records <= 0:
                    break
        messages.close()
        done = Sync(found, None)
        self._take(done)
        return done

    def _take(self, done: Sync) -> None:
        self.held |= done.by_id()
        self.states = done.states or self.states

    @property
    def state(self) -> dict[str, Any]:
        """The content of the state of `calls`."""
        content: dict[str, Any] = self.states[-1]["stream"]["stream_state"]
        return content

    @property
    def is_under_way(self) -> bool:
        """Whether a first complete reading was interrupted, and goes on with the next sync."""
        return bool(self.states) and "under_way" in self.state

    def pages(self) -> list[str]:
        """The numbers of the pages that were asked for, in order."""
        return [dict(request.query)["page"] for request in self.sandbox.requests]

    def readings(self) -> int:
        """How many times the list was begun."""
        return sum(
            dict(request.query).get("page", "1") == "1"
            and "page[after]" not in request.raw_query
            and "page%5Bafter" not in request.raw_query
            for request in self.sandbox.requests
        )

    def assert_holds(self, expected: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """All that is listed is held, as it is listed."""
        now = expected_by(self.provider, self.sandbox, self.settings)
        wanted = now if expected is None else expected
        assert {call_id: self.held.get(call_id) for call_id in wanted} == wanted


def empty_page(provider: str, number: int, times: int = ENDLESS) -> Fault:
    """The page of a number holds no record, in so many answers."""
    return Fault(
        provider,
        query_contains=f"page={number}&",
        times=times,
        kind="edit",
        edit=with_page(without_records),
    )


def without_records(page: dict[str, Any]) -> None:
    """The page keeps what it announces, and lists nothing; a refusal stays one."""
    if records_of(page) != [page]:
        page["calls" if "calls" in page else "data"] = []
