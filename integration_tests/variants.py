"""The variants of the connectors: each as it is, and by each other version of its provider's API.

A connector whose setting `api_version` names versions has one for each; so a suite that is
parametrised by variants plays a further one without a change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integration_tests.commands import PROVIDERS
from integration_tests.connectors import ALL
from integration_tests.sandbox import Sandbox


@dataclass(frozen=True)
class Variant:
    """A connector, and by which version of its provider's API it reads.

    Attributes:
        provider: its provider.
        api_version: null for the one that is read if none is set.
    """

    provider: str
    api_version: str | None = None

    def __str__(self) -> str:
        return self.provider if self.api_version is None else f"{self.provider}-{self.api_version}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that ask for it."""
        return {} if self.api_version is None else {"api_version": self.api_version}

    def expected(self, sandbox: Sandbox) -> dict[str, dict[str, Any]]:
        """The records that it must emit for all calls listable now, by id."""
        return expected_by(self.provider, sandbox, self.settings)


def expected_by(
    provider: str, sandbox: Sandbox, settings: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """The records that a connector must emit with some settings, by id."""
    version = settings.get("api_version")
    return sandbox.expected(provider, *([] if version is None else [version]))


def variants_of(provider: str) -> Iterator[Variant]:
    """A provider's variants, the one without a setting first."""
    yield Variant(provider)
    declared = ALL[provider].settings.get("api_version", {})
    for version in declared.get("enum", ()):
        if version != declared.get("default"):
            yield Variant(provider, version)


VARIANTS = [variant for provider in PROVIDERS for variant in variants_of(provider)]
OTHER_VERSIONS = [variant for variant in VARIANTS if variant.api_version is not None]
