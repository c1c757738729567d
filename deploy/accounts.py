"""The configurations in the user's folder: a file for each account of a provider."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.protocol.configuration import check_config, effective, unknown_keys
from deploy.answers import json_of
from deploy.failures import RegisterError
from integration_tests.connectors import ConnectorFolder

_LABEL = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Account:
    """An account of a provider: `intercom.json`, or `intercom-europe.json` for another one."""

    connector: ConnectorFolder
    label: str
    """What tells it from other accounts of the provider; "" for the only one."""
    configuration: Mapping[str, Any] = field(repr=False)

    @property
    def namespace(self) -> str:
        """Where its table stands: no two accounts write one table."""
        name = f"{self.connector.provider}-{self.label}" if self.label else self.connector.provider
        return name.replace("-", "_")

    @property
    def secrets(self) -> frozenset[str]:
        """The values that no message may hold."""
        values = (self.configuration.get(key) for key in self.connector.secret_keys)
        return frozenset(value for value in values if isinstance(value, str))

    def named(self, name: str) -> str:
        """The name of its source or connection."""
        return f"{name} ({self.label})" if self.label else name


def accounts_in(folder: Path, connectors: Mapping[str, ConnectorFolder]) -> tuple[Account, ...]:
    """The accounts, in the order of the files' names; RegisterError for a file that will not do."""
    if not folder.is_dir():
        raise RegisterError(f"The folder CONFIGS={folder} does not exist.")
    found = tuple(_account(file, connectors) for file in sorted(folder.glob("*.json")))
    if not found:
        names = ", ".join(f"{provider}.json" for provider in connectors)
        raise RegisterError(f"There is no configuration in CONFIGS={folder}: put {names} there.")
    namespaces = [account.namespace for account in found]
    if twice := next((one for one in namespaces if namespaces.count(one) > 1), None):
        raise RegisterError(f"Two files in {folder} would write into the namespace {twice}.")
    return found


def _account(file: Path, connectors: Mapping[str, ConnectorFolder]) -> Account:
    provider, _, label = file.stem.partition("-")
    if provider not in connectors or (file.stem != provider and not _LABEL.fullmatch(label)):
        raise RegisterError(
            f"{file} names no provider: a file is <provider>.json, or <provider>-<label>.json for a"
            f" further account, with one of {', '.join(connectors)}."
        )
    connector = connectors[provider]
    try:
        given = json_of(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RegisterError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RegisterError(f"{file} is not JSON in UTF-8, or is nested too deep.") from error
    specification = connector.source_class()().specification
    configuration = effective(given, specification)
    try:
        check_config(configuration, specification)
    except AirbyteTracedException as error:
        raise RegisterError(f"{file}: {error.message}") from error
    for key, nearest in unknown_keys(configuration, specification).items():
        hint = f"; did you mean {nearest}?" if nearest else "."
        raise RegisterError(f"{file}: the connector does not know the key {key!r}{hint}")
    return Account(connector, label, configuration)
