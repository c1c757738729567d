"""Airflow: read each account's calls into JSON lines every six hours, a task for each."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, task

PYTHON = os.environ["CALLS_PYTHON"]  # of the environment that has the connectors
PROGRAM = os.environ["CALLS_PROGRAM"]  # the path of read_to_json_lines.py
CONFIGS = Path(os.environ["CALLS_CONFIGS"])  # skipcall.json; skipcall-paris.json: one more account
FOLDER = Path(os.environ["CALLS_FOLDER"])  # for calls and states, a folder for each account


@task
def read(account: str) -> None:
    """Read what is new; a failure is the connector's own sentence."""
    command = f"source-{account.partition('-')[0]}-calls"
    asked = [PYTHON, PROGRAM, command, str(CONFIGS / f"{account}.json"), str(FOLDER / account)]
    done = subprocess.run(asked, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"{command} ended with {done.returncode}.")


with DAG(
    "calls_standalone",
    schedule="0 */6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # two runs would write the same files
):
    for config in sorted(CONFIGS.glob("*.json")):
        read.override(task_id=config.stem)(config.stem)
