"""The sandbox that plays a connector's provider, found by name.

`integration_tests/sandbox.py` in the connector's folder plays that provider alone; else the package
`integration_tests.sandbox` plays it among its four. A file of the first kind has a function
`sandbox` that takes a number of calls and gives a `PlayedProvider`, which serves in its `with`.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any, Protocol

from integration_tests.connectors import ConnectorFolder
from integration_tests.sandbox import Sandbox, Switches, World
from integration_tests.sandbox.switches import PROVIDERS


class PlayedProvider(Protocol):
    """A server that plays a provider, and the truth about its calls."""

    @property
    def url(self) -> str:
        """Its address while it serves; `/<provider>` and the provider's own path follow it."""

    def expected(self, provider: str) -> Mapping[str, Mapping[str, Any]]:
        """The records that a connector must emit for the calls that are listed now, by id.

        They are written down from what the provider's page says, without any code of the product;
        a column that is null is left out.
        """


MakesSandbox = Callable[[int], AbstractContextManager[PlayedProvider]]
"""A sandbox of so many calls, which serves inside of its `with` block."""


def _of_the_four(calls: int) -> Sandbox:
    # The connectors keep the limits; but each process has a budget of its own.
    return Sandbox(World(calls=calls), Switches(enforce_limits=False))


def module_of(connector: ConnectorFolder) -> ModuleType:
    """The module of a connector's own sandbox."""
    name = f"{connector.package}_sandbox"
    if name not in sys.modules:
        specification = spec_from_file_location(name, connector.own_sandbox)
        assert specification is not None
        assert specification.loader is not None
        module = module_from_spec(specification)
        sys.modules[name] = module
        specification.loader.exec_module(module)
    return sys.modules[name]


def sandbox_of(connector: ConnectorFolder) -> MakesSandbox | None:
    """What makes the sandbox of a connector's provider; None if there is none."""
    if connector.own_sandbox.is_file():
        made: MakesSandbox = module_of(connector).sandbox
        return made
    return _of_the_four if connector.provider in PROVIDERS else None
