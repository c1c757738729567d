"""Settings of the tests that cross packages."""

from collections.abc import Iterator
from weakref import WeakValueDictionary

import pytest
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets

from calls_shared.http import budget
from calls_shared.protocol import secrets


@pytest.fixture(autouse=True)
def _no_known_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits because another one has used up the rate of the same key."""
    monkeypatch.setattr(budget, "_RATES", WeakValueDictionary())
    monkeypatch.setattr(budget, "_BUSY", [])


@pytest.fixture(autouse=True)
def _no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No sentence is masked because another test has read with a made-up key."""
    monkeypatch.setattr(secrets, "_masked_forms", set())
    update_secrets([])
    yield
    update_secrets([])
