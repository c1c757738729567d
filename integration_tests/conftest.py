"""Settings of the tests that cross packages."""

from weakref import WeakValueDictionary

import pytest

from calls_shared.http import budget


@pytest.fixture(autouse=True)
def _no_known_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits because another one has used up the rate of the same key."""
    monkeypatch.setattr(budget, "_RATES", WeakValueDictionary())
    monkeypatch.setattr(budget, "_BUSY", [])
