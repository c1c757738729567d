import copy
from collections.abc import Mapping
from typing import Any

import pytest
from calls_shared import manifest
from calls_shared.budget import CallBudget
from calls_shared.manifest import StreamCursor, budget_from, stream_cursors
from calls_shared.patience import CHECK_PATIENCE

Manifests = Mapping[str, dict[str, Any]]


@pytest.mark.parametrize(
    ("provider", "cursors"),
    [
        ("intercom", {"calls": StreamCursor("updated_at")}),
        ("openphone", {"calls": StreamCursor("updated_at", {"conversations": "active_at"})}),
        ("amplemarket", {"calls": StreamCursor("created_at")}),
        ("skipcall", {"calls": StreamCursor("updated_at")}),
    ],
)
def test_stream_cursors(
    raw_manifests: Manifests, provider: str, cursors: dict[str, StreamCursor]
) -> None:
    before = copy.deepcopy(raw_manifests[provider])
    assert stream_cursors(raw_manifests[provider]) == cursors
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
            cursors = stream_cursors({"streams": [child]})
            assert cursors == {"calls": StreamCursor("updated_at", parents)}


class RecordedBudget(CallBudget):
    """A budget that keeps what it was made from."""

    def __init__(self, limit: int, interval: float, **more: Any) -> None:
        super().__init__(limit, interval, **more)
        self.made_from = {"limit": limit, "interval": interval, **more}


LIMITS = {
    # requests, seconds, the limit before an answer names one, the header, requests at once
    "intercom": (1666, 10.0, None, "X-RateLimit-Limit", 10),
    "openphone": (10, 1.0, None, "", 8),
    "amplemarket": (500, 60.0, None, "", 1),
    "skipcall": (1000, 60.0, 100, "X-RateLimit-Limit", 4),
}


@pytest.mark.parametrize("provider", LIMITS)
@pytest.mark.parametrize(
    ("config", "changes"),
    [
        ({}, {}),
        ({"num_workers": 2}, {"in_flight": 2}),
        ({"requests_per_minute": 30}, {"requests_per_minute": 30}),
        ({"api_key": "x"}, {}),
    ],
)
def test_budget_from(
    raw_manifests: Manifests,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    config: dict[str, Any],
    changes: dict[str, Any],
) -> None:
    monkeypatch.setattr(manifest, "CallBudget", RecordedBudget)
    limit, interval, starts_at, header, in_flight = LIMITS[provider]
    budget = budget_from(raw_manifests[provider], config, CHECK_PATIENCE)
    assert isinstance(budget, RecordedBudget)
    assert budget.made_from == {
        "limit": limit,
        "interval": interval,
        "starts_at": starts_at,
        "limit_header": header,
        "requests_per_minute": None,
        "in_flight": in_flight,
        "patience": CHECK_PATIENCE,
        **changes,
    }
