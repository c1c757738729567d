"""What the CDK does anew for each source, done once in a process of tests.

For each source it reads its own schema of components, puts the references and the parameters of the
manifest in their places, and checks the result: two thirds of a sync of fifty calls.
"""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from airbyte_cdk.sources.declarative import concurrent_declarative_source
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)


@contextmanager
def once_a_process() -> Iterator[None]:
    """Each manifest is processed and checked once, by its content; a bad one each time."""
    schema = concurrent_declarative_source.get_declarative_component_schema()
    process = ConcurrentDeclarativeSource._pre_process_manifest
    validate = ConcurrentDeclarativeSource._validate_source
    good: dict[bytes, bytes] = {}

    def process_once(
        source: ConcurrentDeclarativeSource, manifest: dict[str, Any]
    ) -> dict[str, Any]:
        written = pickle.dumps(manifest)
        if written not in good:
            source._source_config = process(source, manifest)
            validate(source)
            good[written] = pickle.dumps(source._source_config)
        whole: dict[str, Any] = pickle.loads(good[written])
        return whole

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            concurrent_declarative_source, "get_declarative_component_schema", lambda: schema
        )
        patch.setattr(ConcurrentDeclarativeSource, "_pre_process_manifest", process_once)
        patch.setattr(ConcurrentDeclarativeSource, "_validate_source", lambda source: None)
        yield
