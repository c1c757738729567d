"""`run`: the console script of a connector. It writes nothing but Airbyte messages to stdout."""

import logging
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, FailureType, Type
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.protocol.configuration import refusal
from calls_shared.protocol.configured_catalog import COMMAND, print_configured_catalog
from calls_shared.protocol.ending import end_unread, ended_by_signals
from calls_shared.protocol.failures import failed_status
from calls_shared.protocol.manifest import ManifestError
from calls_shared.protocol.memory import keep_memory_steady
from calls_shared.protocol.secrets import clean_trace
from calls_shared.protocol.source import CallsSource


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
    """Run one command of the Airbyte protocol, or `configured-catalog`, and end the process.

    Exit status 0, or 1 after an error trace or once stdout is closed; a failed `check` answers with
    a FAILED connection status and exit status 0, as the protocol has it. SIGINT and SIGTERM end it.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    is_catalog = arguments[:1] == [COMMAND]
    options = Namespace() if is_catalog else AirbyteEntrypoint.parse_args(arguments)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_WithoutTraceback())
    logging.raiseExceptions = False  # a log line that cannot be written is no news
    keep_memory_steady()
    try:
        with ended_by_signals():
            if is_catalog:
                status = print_configured_catalog(source, arguments[1:], Path(sys.argv[0]).name)
            else:
                status = _run(source, arguments, options)
    except BrokenPipeError:
        end_unread()
    sys.exit(status)


def _run(source: CallsSource, arguments: Sequence[str], options: Namespace) -> int:
    try:
        if options.command is None:
            raise refusal("Name a command: spec, check, discover or read.")
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


def _tell(failure: AirbyteTracedException, command: str | None) -> int:
    """Print a failure as the protocol wants it; the exit status."""
    is_answered = failure.failure_type is FailureType.config_error
    if command == "check" and (is_answered or isinstance(failure, ManifestError)):
        status = failed_status(failure)
        _print(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status))
        return 0
    message = failure.as_airbyte_message()
    if message.trace is not None:
        clean_trace(message.trace)
    _print(message)
    return 1


def _print(message: AirbyteMessage) -> None:
    print(orjson.dumps(AirbyteMessageSerializer.dump(message)).decode(), flush=True)
