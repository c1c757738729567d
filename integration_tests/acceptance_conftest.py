"""The connectors' own files, and the configured catalogs that their `discover` asks for.

`python -m integration_tests.acceptance_conftest` writes every `configured_catalog.json` anew.
"""

import json
from pathlib import Path
from typing import Any

from integration_tests.commands import run_command
from integration_tests.connectors import ALL


def folder_of(provider: str) -> Path:
    """The folder of a provider's connector."""
    return ALL[provider].folder


def sample(provider: str, name: str) -> Any:
    """The content of one of the JSON files in a connector's `integration_tests`."""
    return ALL[provider].sample(name)


def sample_path(provider: str, name: str) -> Path:
    """One of the files in a connector's `integration_tests`."""
    return folder_of(provider) / "integration_tests" / name


def discovered_streams(provider: str) -> list[dict[str, Any]]:
    """What `discover` says with the sample configuration; it sends no request."""
    config = sample_path(provider, "sample_config.json")
    outcome = run_command(provider, ["discover", "--config", str(config)])
    assert outcome.exit_status == 0, outcome.stdout
    (message,) = outcome.of_type("CATALOG")
    streams: list[dict[str, Any]] = message["catalog"]["streams"]
    return streams


def configured_catalog(streams: list[dict[str, Any]]) -> dict[str, Any]:
    """The catalog that a user gets by taking every stream as its connector recommends."""
    configured = []
    for stream in streams:
        entry = {"stream": stream, "primary_key": stream["source_defined_primary_key"]}
        if "incremental" in stream["supported_sync_modes"]:
            entry |= {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
            entry["cursor_field"] = stream["default_cursor_field"]
        else:
            entry |= {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        configured.append(entry)
    return {"streams": configured}


if __name__ == "__main__":
    for name in ALL:
        catalog = json.dumps(configured_catalog(discovered_streams(name)), indent=2)
        sample_path(name, "configured_catalog.json").write_text(f"{catalog}\n", encoding="utf-8")
