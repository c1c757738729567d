"""Reads the calls of all providers with PyAirbyte's `source_manifest=`, in one process.

    python -m integration_tests.pyairbyte_reads <folder>

The folder holds `<provider>.json` for each provider to read: `{url, manifest, config}`. It then
holds `<provider>-read.json`: `{records, kept, state, warnings}`. PyAirbyte takes nine seconds of
CPU to load, so one process reads all.
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import airbyte
from airbyte.caches import DuckDBCache


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


def read(provider: str, task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Read a provider's calls twice: into DuckDB, where the state is kept, and as records."""
    os.environ["CALLS_SANDBOX_URL"] = task["url"]
    source = airbyte.get_source(
        f"source-{provider}-calls",
        config=task["config"],
        source_manifest=task["manifest"],
        streams=["calls"],
    )
    warnings = _Warnings()
    logging.getLogger("airbyte.calls").addHandler(warnings)
    with DuckDBCache(db_path=str(folder / "calls.duckdb"), schema_name=provider) as cache:
        source.read(cache)
        states = json.loads(cache.get_state_provider(source.name).to_state_input_file_text())
        kept = sorted(row["id"] for row in cache["calls"])
    told = warnings.told[:]
    warnings.told.clear()
    dataset = source.get_records("calls")  # held: its end cancels the read
    records = [dict(record) for record in dataset]
    logging.getLogger("airbyte.calls").removeHandler(warnings)
    assert warnings.told == told
    return {
        "records": records,
        "kept": kept,
        "state": states[-1]["stream"]["stream_state"],
        "warnings": told,
    }


def main(folder: Path) -> None:
    """Read what the folder asks for."""
    for task in sorted(folder.glob("*.json")):
        found = read(task.stem, json.loads(task.read_text(encoding="utf-8")), folder)
        (folder / f"{task.stem}-read.json").write_text(json.dumps(found, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
