"""What the user asks of the demo, checked."""

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration_tests.sandbox.switches import PROVIDERS

SANDBOX_URL = "CALLS_SANDBOX_URL"
"""The environment variable that sends the connectors' requests to a sandbox."""

Config = Mapping[str, Any]
"""A connector's configuration."""


class DemoError(Exception):
    """The demo cannot go on; the text is one sentence for the user, without secrets."""


@dataclass(frozen=True)
class Options:
    """The command line."""

    folder: Path
    """Where the demo keeps its files."""
    calls: int
    """Calls per provider that the sandbox starts with."""
    providers: tuple[str, ...]
    config_file: Path | None
    """The user's configuration: read the real provider. None: read the demo's sandbox."""
    sandbox_url: str | None
    """A sandbox that the user runs, to rehearse with the configuration."""

    @property
    def has_configuration(self) -> bool:
        """Whether the user gave one, which may be wrong."""
        return self.config_file is not None

    @property
    def database(self) -> Path:
        """The DuckDB file. Real calls and sandbox calls never share one, nor its sync state."""
        if not self.has_configuration:
            return self.folder / "calls.duckdb"
        is_rehearsal = self.sandbox_url is not None
        return self.folder / ("rehearsal_calls.duckdb" if is_rehearsal else "real_calls.duckdb")


def options_of(arguments: list[str] | None) -> Options:
    """The checked command line; DemoError if it names what does not exist."""
    found = parser().parse_args(arguments)
    provider, config_file = found.provider, found.config
    if provider is not None and provider not in PROVIDERS:
        raise DemoError(f"There is no provider {provider!r}; choose one of {', '.join(PROVIDERS)}.")
    if config_file is not None and provider is None:
        raise DemoError(
            "A configuration belongs to one provider: name it too, with PROVIDER= "
            "(without make: --provider)."
        )
    providers = PROVIDERS if provider is None else (provider,)
    sandbox_url = os.environ.get(SANDBOX_URL) or None
    return Options(found.folder, found.calls, providers, config_file, sandbox_url)


def parser() -> ArgumentParser:
    """The arguments."""
    found = ArgumentParser(
        prog="python -m examples.demo",
        description="Syncs the calls of four providers into one DuckDB file and sums them up. "
        "The providers are played by the sandbox, unless --config is given.",
    )
    found.add_argument("--provider", metavar="NAME", help=f"one of {', '.join(PROVIDERS)}")
    found.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a JSON file with the configuration of the provider's connector: reads the real "
        "provider into real_calls.duckdb (delete that file before you change the account), or with "
        f"{SANDBOX_URL} that sandbox into rehearsal_calls.duckdb",
    )
    found.add_argument(
        "--folder", type=Path, default=Path(".demo"), help="where files go (default: %(default)s)"
    )
    found.add_argument(
        "--calls",
        type=count,
        default=400,
        help="calls per provider in the sandbox (default: %(default)s)",
    )
    return found


def count(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def config_of(file: Path) -> Config:
    """The configuration in the user's file; DemoError if there is none."""
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DemoError(f"The configuration {file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise DemoError(f"The configuration {file} is not JSON.") from error
    if not isinstance(config, dict):
        raise DemoError(f"The configuration {file} is not a JSON object.")
    return config


def connector_of(provider: str) -> Path:
    """The provider's console script, beside the running Python; DemoError if there is none."""
    script = Path(sys.executable).with_name(f"source-{provider}-calls")
    if not script.is_file():
        raise DemoError(f"The connector {script.name} is not installed; run `make install` first.")
    return script
