"""Runs a connector in a process of its own, measures it, and compares what it wrote."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

import orjson
import requests

from integration_tests.commands import catalog_for, config_for

Digests = dict[str, bytes]
"""A digest of each record's content, by id: a million records are too much to keep."""


@dataclass(frozen=True)
class Way:
    """How the connector is run."""

    budget: bool = False
    pauses: float = 1.0

    @property
    def arguments(self) -> list[str]:
        """For `integration_tests.soak.connector`."""
        budget = [] if self.budget else ["--no-budget"]
        return [*budget, "--pauses", str(self.pauses)]


@dataclass(frozen=True)
class Measured:
    """What one sync took, and what it wrote."""

    exit_status: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    output_megabytes: float
    records: int
    digests: Digests
    errors: list[str]
    states: int


def run_sync(
    provider: str, url: str, folder: Path, way: Way, settings: Mapping[str, Any] | None = None
) -> Measured:
    """One full `read` of `calls`, written to a file and compared afterwards."""
    files = {"config": config_for(provider, **(settings or {})), "catalog": catalog_for(provider)}
    command = [sys.executable, "-m", "integration_tests.soak.connector", provider, *way.arguments]
    peak = folder / "peak"
    command += ["--peak", str(peak), "read"]
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_bytes(orjson.dumps(content))
        command += [f"--{name}", str(path)]
    output = folder / "messages.jsonl"
    with output.open("wb") as stdout:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=stdout, env={**os.environ, "CALLS_SANDBOX_URL": url}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    with output.open("rb") as messages:
        count, digests, errors, states = read_messages(messages)
    megabytes = output.stat().st_size / 1e6
    output.unlink()
    return Measured(
        process.returncode,
        seconds,
        usage.ru_utime + usage.ru_stime,
        float(peak.read_text()) if peak.exists() else 0.0,
        megabytes,
        count,
        digests,
        errors,
        states,
    )


def read_messages(lines: IO[bytes]) -> tuple[int, Digests, list[str], int]:
    """The number of records, their digests by id, the error messages, the number of states."""
    count, states = 0, 0
    digests: Digests = {}
    errors = []
    for line in lines:
        message = orjson.loads(line)
        if message["type"] == "RECORD":
            count += 1
            data = message["record"]["data"]
            digests[data["id"]] = digest(data)
        elif message["type"] == "STATE":
            states += 1
        elif message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
            errors.append(message["trace"]["error"]["message"])
    return count, digests, errors, states


def digest(record: Mapping[str, Any]) -> bytes:
    """A digest of a record's content."""
    return blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()


@contextmanager
def sandbox_process(*arguments: str) -> Iterator[str]:
    """A sandbox in a process of its own; its url."""
    command = [sys.executable, "-m", "integration_tests.sandbox", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def expected_digests(url: str, provider: str) -> Digests:
    """The truth, from the sandbox's control API."""
    digests = {}
    with requests.get(f"{url}/_sandbox/expected/{provider}", stream=True, timeout=600) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines(1 << 20):
            record = orjson.loads(line)
            digests[record["id"]] = digest(record)
    return digests


def request_count(url: str) -> int:
    """How many requests the sandbox has seen."""
    total: int = requests.get(f"{url}/_sandbox/requests", timeout=600).json()["total"]
    return total


def verdict(measured: Measured, expected: Digests) -> str:
    """`complete`, or what is wrong."""
    if measured.exit_status != 0 or measured.errors:
        return f"exit status {measured.exit_status}: {' '.join(measured.errors)}"
    missing = expected.keys() - measured.digests.keys()
    surplus = measured.digests.keys() - expected.keys()
    differing = [key for key, value in expected.items() if measured.digests.get(key) != value]
    if missing or surplus or differing:
        return f"{len(missing)} missing, {len(surplus)} unknown, {len(differing)} differing"
    if measured.records != len(expected):
        return f"{measured.records - len(expected)} records came twice"
    return "complete" if measured.states else "no state"
