"""Runs Airbyte's checks in a tree laid out like Airbyte's repository, the working directory.

It is run by the Python of `.venv-certify`, which has Airbyte's package and nothing of ours:

    python airbyte_checks.py RESULTS.json source-skipcall-calls ...

No socket is opened. What the checks would ask the network is answered as it would be for a
connector that Airbyte has never published: it is in no registry and in no branch of their
repository, and Docker Hub is not asked.
"""

import json
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

STATUSES = {"PASSED": "pass", "FAILED": "fail", "SKIPPED": "skipped"}


def refuse(*_: Any, **__: Any) -> NoReturn:
    """Takes the place of whatever opens a connection."""
    raise OSError("no network in this run")


def without_network() -> tuple[Any, Any]:
    """Airbyte's list of checks and its class of a connector, neither of which asks the network."""
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    from airbyte_ops_mcp.connector_ops.utils import Connector  # noqa: PLC0415
    from airbyte_ops_mcp.connector_qa.checks import (  # noqa: PLC0415
        ENABLED_CHECKS,
        metadata,
        version,
    )

    Connector.is_released = property(lambda _: False)
    version.CheckVersionIncrement._get_master_metadata = lambda *_: None
    metadata.ValidatorOptions = partial(metadata.ValidatorOptions, disable_dockerhub_checks=True)
    return ENABLED_CHECKS, Connector


def results(names: list[str]) -> list[dict[str, str]]:
    """The result of each check of each connector."""
    checks, connector_class = without_network()
    found = []
    for check in checks:
        for name in names:
            done = check.run(connector_class(name))
            found.append(
                {
                    "check": type(check).__name__,
                    "connector": name,
                    "status": STATUSES[done.status.name],
                    "message": str(done.message),
                }
            )
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(results(sys.argv[2:])), encoding="utf-8")
