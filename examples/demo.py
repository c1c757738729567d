"""`make demo`: the calls of four providers, through PyAirbyte, in one DuckDB file and one table."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from examples.demo_options import (
    SANDBOX_URL,
    Config,
    DemoError,
    Options,
    config_of,
    connector_of,
    options_of,
)
from examples.demo_report import (
    Changes,
    add_run,
    changes_of,
    remember,
    report,
    runs_so_far,
)
from examples.demo_tables import deleted_of, outcomes_of, table_of
from integration_tests.connectors import CONNECTORS
from integration_tests.sandbox import Sandbox, World

WORLD_START = datetime(2025, 10, 1, 12, tzinfo=UTC)
"""The sandbox's first day: long past, so that no clock makes its calls lie in the future."""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; the exit status."""
    try:
        run(options_of(arguments), Console(file=sys.stdout, highlight=False))
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(options: Options, console: Console) -> None:
    """Sync the chosen providers and print the table; DemoError if that is impossible."""
    config = None if options.config_file is None else config_of(options.config_file)
    if find_spec("airbyte") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise DemoError(
            "The demo loads with PyAirbyte, which is not installed here: it needs Python 3.11 or "
            f"3.12, this is {version}; run `make clean`, then `make demo PYTHON=python3.12`."
        )
    for provider in options.providers:
        connector_of(provider)
    set_environment(options.folder)
    if config is None:
        run_with_sandbox(options, console)
    else:
        run_with_configuration(options, config, console)


def run_with_configuration(options: Options, config: Config, console: Console) -> None:
    """Sync the calls of the user's account, or of a sandbox that the user runs."""
    [provider] = options.providers
    if options.sandbox_url is None:
        where = f"{provider} itself"
    else:
        where = f"the sandbox at {options.sandbox_url}, not {provider} itself"
    console.print(f"Reading {where}, with {options.config_file}", markup=False, soft_wrap=True)
    sync_all(options, {provider: config}, console)
    show(options, console)


def run_with_sandbox(options: Options, console: Console) -> None:
    """Sync the calls of the sandbox, which is a day older at each run."""
    days = runs_so_far(options.database)
    with Sandbox(sandbox_world(options.calls, days)) as sandbox:
        os.environ |= {SANDBOX_URL: sandbox.url, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        day = f"{sandbox.world.now.day} {sandbox.world.now:%B %Y}"
        console.print(f"Sandbox of made-up providers, run {days + 1}: it is {day} there")
        configs = {provider: sandbox_config(provider) for provider in options.providers}
        sync_all(options, configs, console)
    add_run(options.database)
    show(options, console)
    console.print("Run it again: it is a day later in the sandbox, and the sync is incremental.")


def sandbox_world(calls: int, days: int) -> World:
    """The sandbox's providers after some days; equal for equal arguments."""
    world = World(seed=7, calls=calls, now=WORLD_START)
    for _ in range(days):
        world.advance(hours=24)
    return world


def sandbox_config(provider: str) -> Config:
    """The configuration that the sandbox accepts.

    Each run is a day later there, though not here, so each reads whole lists.
    """
    connector = CONNECTORS[provider]
    daily = {"full_scan_hours": 0} if "full_scan_hours" in connector.settings else {}
    config: Config = {**connector.sample("sample_config.json"), **daily}
    return config


def set_environment(folder: Path) -> None:
    """Keep PyAirbyte off the network and inside the folder; before it is imported."""
    folder = folder.absolute()
    private = folder / "tmp"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ |= {
        "AIRBYTE_OFFLINE_MODE": "1",  # no registry, no telemetry
        "DO_NOT_TRACK": "1",
        "NO_LIVE_PROGRESS": "1",  # the demo shows its own
        "AIRBYTE_LOGGING_ROOT": str(folder / "logs"),
        "AIRBYTE_CACHE_ROOT": str(private),
        "AIRBYTE_TEMP_DIR": str(private),  # holds the key, readable to all: so the folder is not
    }


def sync_all(options: Options, configs: Mapping[str, Config], console: Console) -> None:
    """Sync the providers one after the other, with a line for each.

    While one is read the next connectors start, which takes most of the time. Those with the
    user's configuration are checked first.
    """
    with quiet(options.folder), ThreadPoolExecutor(max_workers=1) as pool:
        with busy(console, lambda: "loading PyAirbyte"):
            from examples import demo_sync  # noqa: PLC0415 - slow, and reads the environment
        connectors = {
            provider: pool.submit(demo_sync.prepare, provider, config, options.has_configuration)
            for provider, config in configs.items()
        }
        try:
            for provider, connector in connectors.items():
                with busy(console, lambda: "starting the connectors"):
                    ready = connector.result()
                remember(options.database, provider)
                started = monotonic()
                with (
                    demo_sync.cache_of(options.database, provider, options.folder / "tmp") as cache,
                    busy(console, cache.progress),
                ):
                    demo_sync.sync(ready, cache)
                seconds = monotonic() - started
                changes = changes_of(options.database, provider)
                line = line_of(provider, cache.records_read, seconds, changes)
                console.print(line, soft_wrap=True)
        finally:
            pool.shutdown(cancel_futures=True)


def line_of(provider: str, read: int, seconds: float, changes: Changes) -> str:
    """What a finished sync did: calls read, seconds, changes to the table."""
    return f"  {provider:<12}{read:>6,} calls in {seconds:4.1f} s: {changes}"


def show(options: Options, console: Console) -> None:
    """Print the table, where the file is and how to look into it."""
    found = report(options.database, options.providers)
    if not found.rows and not found.deleted:
        console.print("No calls yet.")
        return
    for table in (table_of(found.rows), outcomes_of(found.outcomes)):
        console.print()
        console.print(table)
    console.print()
    if found.deleted:
        console.print(deleted_of(found.deleted), soft_wrap=True)
    database, python = from_here(options.database), from_here(Path(sys.executable))
    query = f"FROM {options.providers[0]}.calls LIMIT 5"
    code = f"import duckdb; file = duckdb.connect('{database}'); file.sql('{query}').show()"
    console.print(f"All calls are in {database}. Look into it, for example:", soft_wrap=True)
    console.print(f'  {python} -c "{code}"', soft_wrap=True, markup=False)


def from_here(path: Path) -> Path:
    """The path from the current folder, if it lies below it."""
    path = path.absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@contextmanager
def quiet(folder: Path) -> Iterator[None]:
    """Send what PyAirbyte prints to a file; the demo's console keeps the terminal."""
    with (
        (folder / "pyairbyte.log").open("a", encoding="utf-8") as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        yield


@contextmanager
def busy(console: Console, text: Callable[[], str]) -> Iterator[None]:
    """Show the text, asked for several times a second, in a terminal; nothing elsewhere."""
    spinner = Spinner("dots")

    def shown() -> Spinner:
        spinner.update(text=text())
        return spinner

    # Live's own redirects would end those of `quiet`.
    with Live(
        console=console,
        get_renderable=shown,
        refresh_per_second=8,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield


if __name__ == "__main__":
    sys.exit(main())
