from typing import Any

import pytest

from calls_shared.reading.scope import scope_of

KEYS = ("region", "workspace_ids", "start_date", "lookback_days")


@pytest.mark.parametrize(
    ("config", "scope"),
    [
        ({}, {}),
        (
            {"region": "eu", "api_key": "hush"},
            {"region": "eu"},
        ),  # no other key, above all no secret
        # what is set to nothing is not set
        ({"region": None, "workspace_ids": [], "start_date": ""}, {}),
        # but these are values
        ({"lookback_days": 0, "region": False}, {"lookback_days": 0, "region": False}),
        # the order of a list does not matter, whatever it holds
        ({"workspace_ids": ["b", "a"]}, {"workspace_ids": ["a", "b"]}),
        ({"workspace_ids": [10, "9", 1]}, {"workspace_ids": ["1", "10", "9"]}),
    ],
)
def test_the_scope_of_a_configuration(config: dict[str, Any], scope: dict[str, Any]) -> None:
    assert scope_of(config, KEYS) == scope


def test_without_keys_there_is_no_scope() -> None:
    assert scope_of({"region": "eu"}, []) == {}
