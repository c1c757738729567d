"""The programs that are measured, and how the ids are read from what each one writes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.sandbox import ROOT
from integration_tests.commands import catalog_for, config_for

PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
OURS = ROOT / ".venv-bench" / "ours" / "bin"
"""The connectors as a user installs them, without the tools of this workspace."""
PEERS = {
    "bare": ("bare_loop.py",),
    "singer": ("singer_tap.py",),
    "dlt": ("dlt_source.py",),
    "dlt parallelized": ("dlt_source.py", "--parallelized"),
}
NAMES = ("bare", "singer", "dlt", "dlt parallelized", "ours")


@dataclass(frozen=True)
class Command:
    """A command line and what it adds to the environment."""

    words: tuple[str, ...]
    environment: dict[str, str]


def peers_installed() -> bool:
    """Whether the virtual environments of the peers and of the connectors are there."""
    return PEERS_PYTHON.exists() and OURS.exists()


def command_of(program: str, provider: str, url: str, folder: Path) -> Command:
    """How to read all calls of a provider with a program."""
    if program in PEERS:
        file, *options = PEERS[program]
        script = Path(__file__).parent / "peers" / file
        words = (str(PEERS_PYTHON), str(script), provider, f"{url}/{provider}", *options)
        return Command(words, {"RUNTIME__DLTHUB_TELEMETRY": "false"})
    if program == "ours":
        return ours(provider, url, folder)
    raise KeyError(program)


def ours(
    provider: str, url: str, folder: Path, state: dict[str, Any] | None = None, **settings: Any
) -> Command:
    """The connector's own command, with its defaults but for some settings."""
    words = [str(OURS / f"source-{provider}-calls"), "read"]
    words += ["--config", write_json(folder / "config.json", config_for(provider, **settings))]
    words += ["--catalog", write_json(folder / "catalog.json", catalog_for(provider))]
    if state is not None:
        words += ["--state", write_json(folder / "state.json", [state])]
    return Command(tuple(words), {"CALLS_SANDBOX_URL": url})


def write_json(path: Path, content: Any) -> str:
    """Write a file; its path as text."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def calls_in(output: Path) -> Iterator[dict[str, Any]]:
    """The calls in the output of any of the programs: Airbyte's or Singer's messages, or lines."""
    with output.open("rb") as lines:
        for line in lines:
            message = orjson.loads(line)
            kind = message.get("type")
            if kind == "RECORD" and "stream" in message:
                if message["stream"] == "calls":
                    yield message["record"]
            elif kind == "RECORD":
                if message["record"]["stream"] == "calls":
                    yield message["record"]["data"]
            elif "id" in message:
                yield message


def last_state(output: Path) -> dict[str, Any]:
    """The last state of the stream `calls` in a connector's output, for a state file."""
    found: dict[str, Any] = {}
    with output.open("rb") as lines:
        for line in lines:
            if b'"STATE"' in line[:40]:
                found = {"type": "STREAM", "stream": orjson.loads(line)["state"]["stream"]}
    return found
