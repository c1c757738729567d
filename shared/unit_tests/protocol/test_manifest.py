import copy
from collections.abc import Mapping
from typing import Any

import pytest

from calls_shared.http.rate import RateLimit
from calls_shared.protocol.manifest_check import resolved
from calls_shared.reading.cursors import StreamCursor, stream_cursors, streams_of

Manifests = Mapping[str, dict[str, Any]]
WITH_ROWS = ("calls", "call_transcripts", "call_recordings")
"""The calls, and the streams of what there is to a call, which keep the same kind of state."""


@pytest.mark.parametrize(
    ("provider", "config", "cursors"),
    [
        ("intercom", {}, dict.fromkeys(WITH_ROWS, StreamCursor("updated_at"))),
        (
            "openphone",
            {},
            dict.fromkeys(WITH_ROWS, StreamCursor("updated_at", {"conversations": "active_at"})),
        ),
        (
            "openphone",
            {"api_version": "2026-03-30"},
            dict.fromkeys(WITH_ROWS, StreamCursor("updated_at")),
        ),
        (
            "amplemarket",
            {},
            {
                **dict.fromkeys(WITH_ROWS, StreamCursor("updated_at")),
                "calls": StreamCursor("created_at"),
            },
        ),
        ("skipcall", {}, {"calls": StreamCursor("updated_at")}),
    ],
)
def test_stream_cursors(
    raw_manifests: Manifests,
    provider: str,
    config: dict[str, str],
    cursors: dict[str, StreamCursor],
) -> None:
    before = copy.deepcopy(raw_manifests[provider])
    assert stream_cursors(resolved(raw_manifests[provider]), config) == cursors
    assert raw_manifests[provider] == before


def test_fields_of_a_cursor() -> None:
    assert StreamCursor("updated_at").fields == {"updated_at"}
    cursor = StreamCursor("updated_at", {"conversations": "active_at", "numbers": "updated_at"})
    assert cursor.fields == {"updated_at", "active_at"}


def test_a_parent_without_an_incremental_dependency_keeps_no_state() -> None:
    parent = {"name": "numbers", "incremental_sync": {"cursor_field": "changed"}, "retriever": {}}
    for dependency in (False, True):
        config = {"stream": parent, "incremental_dependency": dependency}
        router = {"parent_stream_configs": [config]}
        parents = {"numbers": "changed"} if dependency else {}
        # the CDK's router, alone and inside of one that gives tickets
        for found in (router, {"class_name": "calls_shared.ParentSlices", "substream": router}):
            child = {
                "name": "calls",
                "incremental_sync": {"cursor_field": "updated_at"},
                "retriever": {"partition_router": found},
            }
            cursors = stream_cursors({"streams": [child]}, {})
            assert cursors == {"calls": StreamCursor("updated_at", parents)}


RESET = "X-RateLimit-Reset"
LIMITS = {
    # the published limit of all requesters of a provider
    "intercom": RateLimit(1666, 10.0, None, "X-RateLimit-Limit", RESET),
    "openphone": RateLimit(10, 1.0, reset_header=RESET),
    "amplemarket": RateLimit(500, 60.0, reset_header=RESET),
    "skipcall": RateLimit(1000, 60.0, 100, "X-RateLimit-Limit", RESET),
}


def test_every_requester_names_the_limit_of_its_provider(
    requesters: Mapping[tuple[str, str], Mapping[str, Any]],
) -> None:
    found = {place: RateLimit(**requester["rate"]) for place, requester in requesters.items()}
    found = {place: limit for place, limit in found.items() if place[0] in LIMITS}
    assert found == {place: LIMITS[place[0]] for place in found}
    assert {provider for provider, _ in found} == set(LIMITS)


def test_no_budget_of_the_cdk_stands_beside_it(raw_manifests: Manifests) -> None:
    """Its types know none of our keys, and another runner would refuse the manifest."""
    assert [name for name, found in raw_manifests.items() if "api_budget" in found] == []


@pytest.mark.parametrize("provider", LIMITS)
def test_every_stream_with_a_cursor_names_the_check_of_its_state(
    manifests: Mapping[str, Mapping[str, Any]], provider: str
) -> None:
    """Whoever runs it, a state that is not this stream's own is refused."""
    for config in ({}, {"api_version": "2026-03-30"}, {"call_ids": ["1"]}):
        checked = {
            migration["name"]: StreamCursor(migration["cursor_field"], migration.get("parents", {}))
            for stream in streams_of(manifests[provider], config)
            for migration in stream.get("state_migrations", [])
            if migration["class_name"] == "calls_shared.CheckedState"
            and migration["name"] == stream["name"]
        }
        assert checked == stream_cursors(dict(manifests[provider]), config)
        assert checked
