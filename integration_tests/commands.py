"""Runs a connector's real command in a process of its own, against a sandbox."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from integration_tests import connectors, forked
from integration_tests.connectors import ALL
from integration_tests.sandbox import Sandbox, switches
from integration_tests.sandboxes import PlayedProvider

ROOT = connectors.ROOT
PROVIDERS = switches.PROVIDERS
"""The providers that `integration_tests.sandbox` plays."""
INCREMENTAL = ("calls", "call_transcripts", "call_recordings")
"""The streams that are incremental, where a provider has them."""
CURSOR_FIELDS = {provider: ALL[provider].cursor_field for provider in PROVIDERS}


def credential_key(provider: str) -> str:
    """The configuration key that holds the provider's credential, the first if there are more."""
    return ALL[provider].secret_keys[0]


def test_key(provider: str) -> str:
    """A key that the sandbox accepts; made up, and it looks it."""
    return f"test-key-{provider}-not-real"


test_key.__test__ = False  # type: ignore[attr-defined]


def config_for(provider: str, **settings: Any) -> dict[str, Any]:
    """The connector's sample configuration, which its sandbox accepts, with some settings."""
    return {**ALL[provider].sample("sample_config.json"), **settings}


def in_full(provider: str, **settings: Any) -> dict[str, Any]:
    """The same, and each sync reads the list to its end: what changed long ago comes too.

    But where no change is told: there only what was created is chosen.
    """
    tells_changes = ALL[provider].cursor_field != "created_at"
    is_to_be_set = tells_changes and "full_scan_hours" in ALL[provider].settings
    in_each = {"full_scan_hours": 0} if is_to_be_set else {}
    return config_for(provider, **{**in_each, **settings})


def catalog_for(provider: str, *streams: str, sync_mode: str = "incremental") -> dict[str, Any]:
    """A configured catalog of some streams (`calls` if none is named)."""
    return {
        "streams": [
            {
                "stream": {
                    "name": name,
                    "json_schema": {},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                },
                "sync_mode": sync_mode if name in INCREMENTAL else "full_refresh",
                "destination_sync_mode": "append",
                "cursor_field": [ALL[provider].cursor_field],
            }
            for name in streams or ("calls",)
        ]
    }


def assert_record_counts(messages: Iterable[tuple[str, float | None]], *, is_whole: bool) -> None:
    """The counts in the states of a stream are exactly its records.

    The platform takes a sync for broken whose `sourceStats` do not add up.

    Args:
        messages: the records and states in order: the stream's name, and for a state the
            `recordCount` of its `sourceStats`.
        is_whole: whether the read came to a good end; then no record follows the last state.
    """
    since: dict[str, int] = {}
    missing: dict[str, float] = {}
    for stream, count in messages:
        if count is None:
            since[stream] = since.get(stream, 0) + 1
        else:
            missing[stream] = missing.get(stream, 0.0) + since.pop(stream, 0) - count
    assert missing == dict.fromkeys(missing, 0.0)
    assert since == {} or not is_whole


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit status and what it wrote."""

    exit_status: int
    stdout: str
    stderr: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The Airbyte messages; anything else on stdout fails here."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    def records(self, stream: str = "calls") -> list[dict[str, Any]]:
        """The records of one stream, in order."""
        found = (message["record"] for message in self.of_type("RECORD"))
        return [record["data"] for record in found if record["stream"] == stream]

    def by_id(self, stream: str = "calls") -> dict[str, dict[str, Any]]:
        """The last record of each id, as a destination that merges by primary key keeps it."""
        return {record["id"]: record for record in self.records(stream)}

    @property
    def states(self) -> list[dict[str, Any]]:
        """The states, in order."""
        return [message["state"] for message in self.of_type("STATE")]

    def last_state(self, stream: str = "calls") -> dict[str, Any]:
        """The last state of one stream, as it goes into a state file."""
        of_stream = [
            state for state in self.states if state["stream"]["stream_descriptor"]["name"] == stream
        ]
        return {"type": "STREAM", "stream": of_stream[-1]["stream"]}

    def counts(self) -> Iterator[tuple[str, float | None]]:
        """The records and states for `assert_record_counts`."""
        for message in self.messages:
            if message["type"] == "RECORD":
                yield message["record"]["stream"], None
            elif message["type"] == "STATE":
                state = message["state"]
                name = state["stream"]["stream_descriptor"]["name"]
                yield name, state["sourceStats"]["recordCount"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The error traces, in order."""
        traces = (message["trace"] for message in self.of_type("TRACE"))
        return [trace["error"] for trace in traces if trace["type"] == "ERROR"]

    @property
    def statuses(self) -> list[str]:
        """The stream statuses, in order."""
        traces = (message["trace"] for message in self.of_type("TRACE"))
        return [
            trace["stream_status"]["status"] for trace in traces if trace["type"] == "STREAM_STATUS"
        ]

    @property
    def logs(self) -> list[str]:
        """The log lines, each with its level."""
        lines = (message["log"] for message in self.of_type("LOG"))
        return [f"{line['level']}: {line['message']}" for line in lines]

    @property
    def connection_status(self) -> dict[str, Any]:
        """The one connection status of a `check`."""
        (message,) = self.of_type("CONNECTION_STATUS")
        status: dict[str, Any] = message["connectionStatus"]
        return status


def run_forked(
    provider: str,
    arguments: Sequence[str],
    sandbox: PlayedProvider | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 1800.0,
) -> Outcome:
    """The same as `run_command`, in a process forked from one that has loaded the package.

    It runs what the console script runs, but saves the 1.7 s of CPU that loading the CDK takes.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([forked.__name__, *(one.package for one in ALL.values())])
    variables = {"CALLS_SANDBOX_URL": sandbox.url} if sandbox is not None else {}
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = context.Process(
            target=forked.run_in_child,
            args=(provider, list(arguments), {**variables, **(environment or {})}, out, err),
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{provider} {arguments[:1]} did not end in {timeout} s")
        texts = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
        return Outcome(process.exitcode, *texts)


def run_command(
    provider: str,
    arguments: Sequence[str],
    sandbox: PlayedProvider | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 1800.0,
) -> Outcome:
    """Run `source-<provider>-calls` with arguments; a time-out fails the test."""
    command = Path(sys.executable).parent / f"source-{provider}-calls"
    variables = {key: value for key, value in os.environ.items() if "CALLS_SANDBOX" not in key}
    if sandbox is not None:
        variables["CALLS_SANDBOX_URL"] = sandbox.url
    done = subprocess.run(
        [str(command), *arguments],
        env={**variables, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Connector:
    """A connector's commands, with its files in a folder and its provider in a sandbox."""

    provider: str
    sandbox: Sandbox
    folder: Path
    forked: bool = False
    """Run in a process forked from a loaded one, not through the console script."""

    def _run(
        self, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Outcome:
        run = run_forked if self.forked else run_command
        outcome = run(self.provider, arguments, self.sandbox, environment)
        if arguments[0] == "read":
            assert_record_counts(outcome.counts(), is_whole=outcome.exit_status == 0)
        return outcome

    def _file(self, name: str, content: Any) -> str:
        path = self.folder / f"{self.provider}-{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def check(self, config: Any = None, **environment: str) -> Outcome:
        """Run `check`."""
        file = self._file("config", config_for(self.provider) if config is None else config)
        return self._run(["check", "--config", file], environment)

    def discover(self, config: Any = None) -> Outcome:
        """Run `discover`."""
        file = self._file("config", config_for(self.provider) if config is None else config)
        return self._run(["discover", "--config", file])

    def read(
        self,
        config: Any = None,
        catalog: Any = None,
        state: Any = None,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run `read`; `state` is the content of a state file."""
        config = in_full(self.provider) if config is None else config
        catalog = catalog_for(self.provider) if catalog is None else catalog
        arguments = ["read", "--config", self._file("config", config)]
        arguments += ["--catalog", self._file("catalog", catalog)]
        if state is not None:
            arguments += ["--state", self._file("state", state)]
        return self._run(arguments, environment)
