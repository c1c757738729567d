"""Reading the files that the user names on the command line: a refusal names the file."""

import json
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
)

from calls_shared.protocol.configuration import refusal


def read_json(path: str, option: str) -> Any:
    """The JSON in a file that the user named with a command line option.

    Whatever editors write is read: UTF-8, UTF-16 or UTF-32, with a byte order mark or without one.

    Raises:
        AirbyteTracedException: (config_error) if there is no such file or it is not JSON.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise refusal(f"The file {path} given with {option} does not exist.") from None
    except json.JSONDecodeError as error:
        raise refusal(
            f"The file {path} given with {option} is not valid JSON: see line {error.lineno},"
            f" column {error.colno}."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        reason = type(error).__name__
        raise refusal(
            f"The file {path} given with {option} could not be read ({reason})."
        ) from None


def catalog_in(path: str) -> ConfiguredAirbyteCatalog:
    """The configured catalog in a file.

    Raises:
        AirbyteTracedException: (config_error) if the file holds something else.
    """
    content = read_json(path, "--catalog")
    try:
        catalog: ConfiguredAirbyteCatalog = ConfiguredAirbyteCatalogSerializer.load(content)
    except Exception as error:
        raise refusal(
            f"The file {path} given with --catalog is not a configured catalog: it needs a list"
            ' "streams" of objects with "stream", "sync_mode" and "destination_sync_mode".',
            f"{type(error).__name__}",
        ) from None
    return catalog


def states_in(path: str) -> list[AirbyteStateMessage]:
    """The states of streams in a file; an empty list or object is no state.

    Raises:
        AirbyteTracedException: (config_error) if the file holds something else.
    """
    content = read_json(path, "--state")
    if content in ([], {}, None):
        return []
    try:
        states = [AirbyteStateMessageSerializer.load(entry) for entry in list(content)]
        if isinstance(content, dict) or any(state.stream is None for state in states):
            raise ValueError("not a list of states of streams")
    except Exception as error:
        raise refusal(
            f"The file {path} given with --state is not a list of Airbyte state messages of the"
            ' type STREAM, such as [{"type": "STREAM", "stream": {...}}].',
            f"{type(error).__name__}",
        ) from None
    return states
