"""Dagster: an asset for each configuration in a folder, read into JSON lines every six hours."""

import os
import subprocess
from pathlib import Path

import dagster as dg

PYTHON = os.environ["CALLS_PYTHON"]  # of the environment that has the connectors
PROGRAM = os.environ["CALLS_PROGRAM"]  # the path of read_to_json_lines.py
CONFIGS = Path(os.environ["CALLS_CONFIGS"])  # skipcall.json; skipcall-paris.json: one more account
FOLDER = Path(os.environ["CALLS_FOLDER"])  # for calls and states, a folder for each account


def asset_of(config: Path) -> dg.AssetsDefinition:
    """The calls of one account."""
    command = f"source-{config.stem.partition('-')[0]}-calls"

    @dg.asset(name="calls", key_prefix=config.stem.replace("-", "_"))
    def calls() -> None:
        asked = [PYTHON, PROGRAM, command, str(config), str(FOLDER / config.stem)]
        read = subprocess.run(asked, stderr=subprocess.PIPE, text=True, check=False)
        if read.returncode:
            raise dg.Failure(read.stderr.strip() or f"{command} ended with {read.returncode}.")

    return calls


defs = dg.Definitions(
    assets=[asset_of(config) for config in sorted(CONFIGS.glob("*.json"))],
    schedules=[
        dg.ScheduleDefinition("calls", cron_schedule="0 */6 * * *", target=dg.AssetSelection.all())
    ],
)
