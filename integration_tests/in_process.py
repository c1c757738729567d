"""Runs a connector's source in this process, for tests that assert each request in full."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    Type,
)
from calls_shared import CallsSource

LOGGER = logging.getLogger("airbyte")


def read(
    source: CallsSource,
    config: Mapping[str, Any],
    catalog: Mapping[str, Any],
    state: Iterable[Mapping[str, Any]] = (),
) -> list[AirbyteMessage]:
    """All messages of one `read`."""
    parsed = ConfiguredAirbyteCatalogSerializer.load(dict(catalog))
    states = [AirbyteStateMessageSerializer.load(dict(entry)) for entry in state]
    return list(source.read(LOGGER, config, parsed, states))


def records(messages: Iterable[AirbyteMessage], stream: str = "calls") -> list[dict[str, Any]]:
    """The records of one stream, in order."""
    return [
        dict(message.record.data)
        for message in messages
        if message.type is Type.RECORD
        and message.record is not None
        and message.record.stream == stream
    ]


def state_of(stream: str, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A state file's content for one stream."""
    descriptor = {"stream_descriptor": {"name": stream}, "stream_state": dict(content)}
    return [{"type": "STREAM", "stream": descriptor}]
