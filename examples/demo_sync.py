"""One provider's calls through PyAirbyte into the DuckDB file.

PyAirbyte reads its environment variables when it is imported: import this module after
`demo.set_environment`.
"""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import airbyte
from airbyte.caches import DuckDBCache
from airbyte.exceptions import AirbyteConnectorCheckFailedError, PyAirbyteError
from airbyte.progress import ProgressTracker
from pydantic import PrivateAttr

from examples.demo_options import Config, DemoError, connector_of


class WatchedCache(DuckDBCache):
    """A cache of one provider that tells, at any time, how many records have arrived."""

    _progress: ProgressTracker | None = PrivateAttr(default=None)

    @property
    def records_read(self) -> int:
        """The records read so far by the sync that runs, or ran last."""
        return 0 if self._progress is None else self._progress.total_records_read

    def progress(self) -> str:
        """What the sync does now, in words."""
        return f"{self.schema_name}: reading, {self.records_read:,} calls so far"

    def _write_airbyte_message_stream(self, *arguments: Any, **named: Any) -> None:
        self._progress = named["progress_tracker"]
        super()._write_airbyte_message_stream(*arguments, **named)


class ErrorMessages(logging.Handler):
    """Keeps the connector's error messages, which PyAirbyte only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        self.messages.append(record.getMessage())


class Connector(NamedTuple):
    """A connector that is ready to read."""

    provider: str
    source: airbyte.Source
    errors: ErrorMessages


def prepare(provider: str, config: Config, is_checked: bool) -> Connector:
    """The provider's connector with its stream `calls`; DemoError if its check fails.

    It runs the console script itself: nothing is installed, nothing looked up.
    """
    source = airbyte.get_source(
        f"source-{provider}-calls",
        config=dict(config),
        local_executable=connector_of(provider),
        install_if_missing=False,
    )
    errors = ErrorMessages()
    logging.getLogger(f"airbyte.{source.name}").addHandler(errors)
    connector = Connector(provider, source, errors)
    try:
        if is_checked:
            source.check()
        source.select_streams(["calls"])
    except PyAirbyteError as error:
        raise explained(connector, error) from error
    return connector


def cache_of(database: Path, provider: str, folder: Path) -> WatchedCache:
    """The provider's schema in the DuckDB file; batches wait in `folder` until they are merged."""
    return WatchedCache(db_path=str(database), schema_name=provider, cache_dir=folder)


def sync(connector: Connector, cache: WatchedCache) -> None:
    """Read what is new since the state in the cache and merge it by the primary key."""
    try:
        connector.source.read(cache, write_strategy="merge", skip_validation=True)
    except PyAirbyteError as error:
        raise explained(connector, error) from error


def explained(connector: Connector, error: PyAirbyteError) -> DemoError:
    """The connector's own message, else PyAirbyte's."""
    message = connector.errors.messages[-1] if connector.errors.messages else error.get_message()
    if isinstance(error, AirbyteConnectorCheckFailedError):
        message = (error.context or {}).get("failure_reason", message)
    return DemoError(f"{connector.provider}: {message}")
