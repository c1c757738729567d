from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    StreamDescriptor,
)
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.types import StreamSlice

from calls_shared import ParentSlices
from calls_shared.http.budget import budget_of
from calls_shared.reading.progress import ParentProgress, Ticket, progress_of

ONE, TWO = {"phone": "PN1", "parent_slice": {}}, {"phone": "PN2", "parent_slice": {}}


class Substream:
    """The CDK's router, with slices made by hand."""

    def __init__(self, slices: list[StreamSlice], state: dict[str, Any], parents: int = 1) -> None:
        self.slices = slices
        descriptor = StreamDescriptor(name="parents")
        stated = AirbyteStreamState(descriptor, AirbyteStateBlob(**state))
        message = AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stated)
        manager = ConnectorStateManager(state=[message])
        cursor = SimpleNamespace(_connector_state_manager=manager)
        stream = SimpleNamespace(name="parents", cursor=cursor)
        self.parent_stream_configs = [SimpleNamespace(stream=stream)] * parents
        self.given = 0

    def stream_slices(self) -> Iterator[StreamSlice]:
        for piece in self.slices:
            self.given += 1
            yield piece


def piece(name: str, of: dict[str, Any], moment: str | None) -> StreamSlice:
    return StreamSlice(
        partition={"id": name, "parent_slice": of},
        cursor_slice={"start": name},
        extra_fields={"active_at": moment, "name": name},
    )


def router_of(*slices: StreamSlice, state: Any = None) -> tuple[ParentSlices, Substream]:
    substream = Substream(list(slices), {"states": []} if state is None else state)
    return ParentSlices(
        substream=substream, cursor_at="active_at", config={}, parameters={}
    ), substream  # type: ignore[arg-type]


def children_of(router: ParentSlices) -> list[StreamSlice]:
    """The slices but for the last one, which closes the reading."""
    *slices, closing = router.stream_slices()
    assert closing.partition == {"closing": True}
    return slices


def ticket_of(stream_slice: StreamSlice) -> Ticket:
    ticket = stream_slice.extra_fields["ticket"]
    assert isinstance(ticket, Ticket)
    return ticket


def test_each_slice_gets_a_ticket_and_stays_as_it_is() -> None:
    router, _ = router_of(piece("a", ONE, "2026-01-01T00:00:00Z"), piece("b", TWO, None))
    slices = children_of(router)
    assert [s.partition for s in slices] == [
        {"id": "a", "parent_slice": ONE},
        {"id": "b", "parent_slice": TWO},
    ]
    assert [s.cursor_slice for s in slices] == [{"start": "a"}, {"start": "b"}]
    assert [s.extra_fields["name"] for s in slices] == ["a", "b"]
    assert ticket_of(slices[0]) is not ticket_of(slices[1])


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600000Z"),
        ("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z"),
        (None, None),
    ],
)
def test_a_ticket_has_the_parents_moment_as_the_cdk_writes_it(
    moment: str | None, written: str | None
) -> None:
    router, _ = router_of(piece("a", ONE, moment))
    (only,) = children_of(router)
    assert ticket_of(only).moment == written


def test_the_state_is_what_the_tickets_prove() -> None:
    state = {"states": [{"partition": TWO, "cursor": {"active_at": "2026-01-01T00:00:00.000000Z"}}]}
    router, _ = router_of(
        piece("a", ONE, "2026-01-02T00:00:00Z"),
        piece("b", ONE, "2026-01-03T00:00:00Z"),
        piece("c", TWO, "2026-01-04T00:00:00Z"),
        state=state,
    )
    expected = {"use_global_cursor": False, "inventory": {}, **state}
    assert router.proved_state() == {"parents": expected}
    a, b, c = (ticket_of(s) for s in children_of(router))

    def proved() -> dict[str, str]:
        entries = router.proved_state()["parents"]["states"]
        return {e["partition"]["phone"]: e["cursor"]["active_at"][8:10] for e in entries}

    assert proved() == {"PN2": "01"}
    b.close()
    c.close()
    assert proved() == {"PN2": "04"}  # a holds back its own number alone
    a.close()
    assert proved() == {"PN1": "03", "PN2": "04"}


def test_slices_are_taken_one_by_one() -> None:
    router, substream = router_of(*(piece(name, ONE, None) for name in "abc"))
    slices = iter(router.stream_slices())
    next(slices)
    assert substream.given == 1


def test_the_cdk_is_always_told_the_same_state() -> None:
    """It keeps a copy of each that differs: 680 MB with 200 phone numbers."""
    router, _ = router_of(*(piece(name, ONE, "2026-01-02T00:00:00Z") for name in "ab"))
    told = [router.get_stream_state()]
    for found in children_of(router):
        ticket_of(found).close()
        told.append(router.get_stream_state())
    assert told == [{"parents": {}}] * 3


# --- the slice that closes the reading ---


@pytest.mark.parametrize("names", ["", "abc"])
def test_the_last_slice_closes_the_reading_and_asks_for_nothing(names: str) -> None:
    """Also where there is no parent: then too the reading has to be concluded."""
    router, _ = router_of(*(piece(name, ONE, None) for name in names))
    *slices, closing = router.stream_slices()
    assert len(slices) == len(names)
    assert (closing.partition, closing.cursor_slice) == ({"closing": True}, {})
    assert closing.extra_fields == {"closing": router.progress}
    # it has no ticket: whoever waits for all tickets does not wait for itself
    for found in slices:
        ticket_of(found).end()
    assert router.progress.wait_until_idle(0.0)


def test_before_the_last_slice_no_listing_counts_as_given_out() -> None:
    state = {"states": [{"partition": ONE, "cursor": {"active_at": "2026-01-01T00:00:00.000000Z"}}]}
    router, _ = router_of(piece("a", ONE, None), state=state)
    kept = {"until": "2026-01-08T00:00:00.000000Z", "years": {"2025": "2:b"}}
    slices = router.stream_slices()
    first = next(iter(slices))
    router.progress.listed(ONE, kept, {"2025"})
    ticket_of(first).close()
    assert router.proved_state()["parents"]["inventory"] == {"PN1": {**kept, "years": {}}}
    assert len(list(slices)) == 1
    assert router.proved_state()["parents"]["inventory"] == {"PN1": kept}


def test_the_parent_and_the_children_find_the_same_progress() -> None:
    config: dict[str, Any] = {"api_key": "x"}
    kept = {"until": "2026-01-08T00:00:00.000000Z", "years": {"2025": "2:b"}}
    substream = Substream([], {"states": [], "inventory": {"PN1": kept}})
    router = ParentSlices(substream=substream, cursor_at="active_at", config=config, parameters={})  # type: ignore[arg-type]
    other = ParentProgress("at", {})
    (parent,) = substream.parent_stream_configs
    cursor = parent.stream.cursor
    assert progress_of(budget_of(config), cursor, other) is router.progress
    assert router.progress.inventory(ONE) == kept
    assert progress_of(budget_of(config), object(), other) is other  # of another stream's parent


def test_it_is_about_one_parent() -> None:
    for parents in (0, 2):
        with pytest.raises(ValueError, match="values to unpack"):
            ParentSlices(
                substream=Substream([], {}, parents),
                cursor_at="active_at",
                config={},
                parameters={},
            )  # type: ignore[arg-type]


def test_it_adds_nothing_to_a_request() -> None:
    router, _ = router_of()
    found = [
        router.get_request_params(),
        router.get_request_headers(),
        router.get_request_body_data(),
        router.get_request_body_json(),
    ]
    assert found == [{}, {}, {}, {}]
