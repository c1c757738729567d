"""What is done once a process of tests proves the same as what is done for each source."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from jsonschema.exceptions import ValidationError

from calls_shared.protocol.manifest_check import resolved
from integration_tests.commands import PROVIDERS, config_for
from integration_tests.connectors import CONNECTORS
from integration_tests.once_a_process import once_a_process


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """Nothing is known of what other tests have read."""
    with once_a_process():
        yield


def manifest_of(provider: str) -> dict[str, Any]:
    copied: dict[str, Any] = pickle.loads(
        pickle.dumps(dict(CONNECTORS[provider].source_class()().manifest))
    )
    return copied


def source_of(provider: str, manifest: dict[str, Any]) -> ConcurrentDeclarativeSource:
    return ConcurrentDeclarativeSource(config=config_for(provider), source_config=manifest)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_source_has_the_whole_manifest_and_its_own(provider: str) -> None:
    first, second = (source_of(provider, manifest_of(provider)) for _ in range(2))
    assert first.resolved_manifest == second.resolved_manifest == resolved(manifest_of(provider))
    whole = pickle.dumps(second.resolved_manifest)
    first.resolved_manifest["streams"].clear()
    assert pickle.dumps(second.resolved_manifest) == whole
    third = source_of(provider, manifest_of(provider))
    assert pickle.dumps(third.resolved_manifest) == whole


def test_a_bad_manifest_is_refused_each_time() -> None:
    source_of("skipcall", manifest_of("skipcall"))
    bad = manifest_of("skipcall")
    del bad["streams"][0]["retriever"]
    for _ in range(2):
        with pytest.raises(ValidationError):
            source_of("skipcall", bad)


def test_a_changed_manifest_is_read_anew() -> None:
    source_of("skipcall", manifest_of("skipcall"))
    changed = manifest_of("skipcall")
    changed["check"]["stream_names"] = ["others"]
    assert source_of("skipcall", changed).resolved_manifest["check"]["stream_names"] == ["others"]
