"""Runs `make register` in this process, against a fake of the platform."""

import json
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from deploy.__main__ import main
from integration_tests.airbyte_platform import (
    CLIENT_ID,
    CLIENT_SECRET,
    DESTINATION_ID,
    WORKSPACE_ID,
    FakePlatform,
)
from integration_tests.connectors import CONNECTORS, ConnectorFolder

REPOSITORY, TAG = "ghcr.io/you", "7.8.9"


@dataclass(frozen=True)
class Registered:
    """What a run did: its exit status and what it wrote."""

    exit_status: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """What it said."""
        return self.stdout.splitlines()


def register(
    platform: FakePlatform,
    connectors: Mapping[str, ConnectorFolder] = CONNECTORS,
    /,
    **variables: str,
) -> Registered:
    """Run it once with these environment variables, next to those that a run needs."""
    environment = {
        "AIRBYTE_URL": platform.url,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "WORKSPACE_ID": WORKSPACE_ID,
        "REPOSITORY": REPOSITORY,
        "TAG": TAG,
        **variables,
    }
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        exit_status = main(environment, connectors)
    return Registered(exit_status, out.getvalue(), err.getvalue())


def with_connections(configs: Path, **variables: str) -> dict[str, str]:
    """The variables that ask for connections too."""
    asked = {"CONNECTIONS": "1", "DESTINATION_ID": DESTINATION_ID, "CONFIGS": str(configs)}
    return {**asked, **variables}


def configure(folder: Path, connector: ConnectorFolder, label: str = "", **settings: Any) -> Path:
    """Put an account's file there: the connector's sample configuration, and some settings."""
    name = f"{connector.provider}-{label}" if label else connector.provider
    file = folder / f"{name}.json"
    content = {**connector.sample("sample_config.json"), **settings}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file
