"""`configured-catalog`: writes the file that a `read` by hand needs with `--catalog`.

A command beside those of the Airbyte protocol, whose `discover` prints a catalog that nothing can
read from: which streams are wanted, and how, is the configured catalog's to say.
"""

import logging
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

import orjson
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.protocol.configuration import refusal
from calls_shared.protocol.source import CallsSource

COMMAND = "configured-catalog"


def configured(catalog: AirbyteCatalog, names: Sequence[str]) -> ConfiguredAirbyteCatalog:
    """Streams of a catalog, each as it is best read.

    Args:
        catalog: what `discover` found.
        names: the streams that are wanted; none means all.

    Raises:
        AirbyteTracedException: (config_error) naming a stream that the catalog does not have.
    """
    offered = {stream.name: stream for stream in catalog.streams}
    for name in names:
        if name not in offered:
            raise refusal(
                f"There is no stream {name} with this configuration: name one of"
                f" {', '.join(offered)} after --streams."
            )
    return ConfiguredAirbyteCatalog(
        streams=[_configured_stream(offered[name]) for name in dict.fromkeys(names or offered)]
    )


def _configured_stream(stream: AirbyteStream) -> ConfiguredAirbyteStream:
    """Incremental and deduplicated where the stream can be, else whole and overwritten."""
    is_incremental = SyncMode.incremental in (stream.supported_sync_modes or [])
    return ConfiguredAirbyteStream(
        stream=stream,
        sync_mode=SyncMode.incremental if is_incremental else SyncMode.full_refresh,
        destination_sync_mode=(
            DestinationSyncMode.append_dedup if is_incremental else DestinationSyncMode.overwrite
        ),
        cursor_field=stream.default_cursor_field if is_incremental else None,
        primary_key=stream.source_defined_primary_key,
    )


def _options(arguments: Sequence[str], program: str) -> Namespace:
    parser = ArgumentParser(prog=f"{program} {COMMAND}", description=__doc__.split("\n")[0])
    parser.add_argument("--config", required=True, help="path to the json configuration file")
    parser.add_argument(
        "--streams", nargs="+", default=[], metavar="NAME", help="streams to read (default: all)"
    )
    return parser.parse_args(arguments)


def print_configured_catalog(source: CallsSource, arguments: Sequence[str], program: str) -> int:
    """Print the configured catalog of a configuration to stdout, and nothing else.

    Returns:
        The exit status: 1 after a refusal, whose sentence is on stderr, since stdout is a file.
    """
    options = _options(arguments, program)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)
    try:
        config = source.read_config(options.config)
        found = source.discover(logging.getLogger("airbyte"), config)
        catalog = configured(found, options.streams)
    except AirbyteTracedException as failure:
        print(failure.message, file=sys.stderr)
        return 1
    content = ConfiguredAirbyteCatalogSerializer.dump(catalog)
    try:
        print(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode(), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"The configured catalog could not be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0
