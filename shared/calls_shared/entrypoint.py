"""`run`: the console script of a connector. It writes nothing but Airbyte messages to stdout."""

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    FailureType,
    Status,
    Type,
)
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.configuration import (
    check_catalog_file,
    check_config,
    check_state_file,
    read_json,
    refusal,
)
from calls_shared.memory import keep_memory_steady
from calls_shared.secrets import clean_trace, mask_secrets
from calls_shared.source import CallsSource


class _WithoutTraceback(logging.Filter):
    """Drops the traceback of a failure that was foreseen: its sentence says all, and once."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is told; that of a foreseen failure is told once, and shortened."""
        failure = record.exc_info[1] if record.exc_info else None
        if isinstance(failure, AirbyteTracedException):
            record.msg, record.args = f"{record.getMessage()}: {failure.message}", ()
            record.exc_info = record.exc_text = None
            known = record.msg in self._told
            self._told.add(record.msg)
            return not known
        # the CDK's summary of all failed partitions, which the streams' own failures tell better
        return not record.getMessage().startswith("During the sync, the following streams did not")


def run(source: CallsSource, arguments: Sequence[str] | None = None) -> None:
    """Run one command of the Airbyte protocol and end the process.

    Exit status 0, or 1 after an error trace; a failed `check` answers with a FAILED connection
    status and exit status 0, as the protocol has it.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    options = AirbyteEntrypoint.parse_args(arguments)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_WithoutTraceback())
    logging.raiseExceptions = False  # a log line that cannot be written is no news
    keep_memory_steady()
    try:
        sys.exit(_run(source, arguments, options))
    except BrokenPipeError:
        # The reader is gone, so there is nobody to tell; keep the interpreter from trying again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)


def _run(source: CallsSource, arguments: Sequence[str], options: Namespace) -> int:
    try:
        _check_files(source, options)
        launch(source, list(arguments))
    except AirbyteTracedException as failure:
        return _tell(failure, options.command)
    except BrokenPipeError:
        raise
    except Exception as error:
        unforeseen = AirbyteTracedException.from_exception(
            error, message=f"An unexpected error occurred: {type(error).__name__}."
        )
        return _tell(unforeseen, options.command)
    return 0


def _check_files(source: CallsSource, options: Namespace) -> None:
    """Refuse unreadable files before anything is done, each with one sentence."""
    if options.command is None:
        raise refusal("Name a command: spec, check, discover or read.")
    if options.command == "spec":
        return
    config = read_json(options.config, "--config")
    if isinstance(config, dict):
        mask_secrets(config, source.specification)
    check_config(config, source.specification)
    if options.command == "read":
        check_catalog_file(options.catalog)
        if options.state:
            check_state_file(options.state)


def _tell(failure: AirbyteTracedException, command: str | None) -> int:
    """Print a failure as the protocol wants it; the exit status."""
    if command == "check" and failure.failure_type is FailureType.config_error:
        status = AirbyteConnectionStatus(
            status=Status.FAILED, message=filter_secrets(failure.message or "")
        )
        _print(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status))
        return 0
    message = failure.as_airbyte_message()
    if message.trace is not None:
        clean_trace(message.trace)
    _print(message)
    return 1


def _print(message: AirbyteMessage) -> None:
    print(orjson.dumps(AirbyteMessageSerializer.dump(message)).decode(), flush=True)
