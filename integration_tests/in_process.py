"""Runs a connector's source in this process, for tests that assert each request in full."""

import io
import logging
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    Type,
)
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from calls_shared import CallsSource
from integration_tests.commands import assert_record_counts
from integration_tests.sandbox import Sandbox, SeenRequest
from integration_tests.sandbox.times import RealClock

LOGGER = logging.getLogger("airbyte")
NOWHERE = "http://127.0.0.1:1"
"""Where no socket is opened: `played` answers."""


def messages_of(
    source: CallsSource,
    config: Mapping[str, Any],
    catalog: Mapping[str, Any],
    state: Iterable[Mapping[str, Any]] = (),
) -> Generator[AirbyteMessage, None, None]:
    """The messages of one `read`, one by one, counted as the CDK's entry point counts them."""
    parsed = ConfiguredAirbyteCatalogSerializer.load(dict(catalog))
    states = [AirbyteStateMessageSerializer.load(dict(entry)) for entry in state]
    counter: Any = defaultdict(float)
    emitted: list[AirbyteMessage] = []
    is_whole = False
    try:
        for message in source.read(LOGGER, config, parsed, states):
            counted = AirbyteEntrypoint.handle_record_counts(message, counter)
            if counted.type in (Type.RECORD, Type.STATE):
                emitted.append(counted)
            yield counted
        is_whole = True
    finally:
        assert_record_counts(map(_counted, emitted), is_whole=is_whole)


def _counted(message: AirbyteMessage) -> tuple[str, float | None]:
    if message.record is not None:
        return message.record.stream, None
    assert message.state is not None
    assert message.state.stream is not None
    assert message.state.sourceStats is not None
    count = message.state.sourceStats.recordCount
    assert count is not None
    return message.state.stream.stream_descriptor.name, count


def read(
    source: CallsSource,
    config: Mapping[str, Any],
    catalog: Mapping[str, Any],
    state: Iterable[Mapping[str, Any]] = (),
) -> list[AirbyteMessage]:
    """All messages of one `read`."""
    return list(messages_of(source, config, catalog, state))


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


def last_state(messages: Iterable[AirbyteMessage], stream: str = "calls") -> dict[str, Any]:
    """The content of the last state that left for one stream."""
    left = [m.state.stream for m in messages if m.state is not None and m.state.stream is not None]
    blobs = [s.stream_state for s in left if s.stream_descriptor.name == stream]
    return dict(vars(blobs[-1]))


@contextmanager
def played(sandbox: Sandbox, **regions: Sandbox) -> Iterator[None]:
    """All requests of this process go to a sandbox, without any socket.

    `CALLS_SANDBOX_URL` must be `NOWHERE`. `regions` are other sandboxes, by the part of a host's
    name that stands for the region (`eu` in api.eu.intercom.io).
    """

    def send(self: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        assert parts.netloc == urlsplit(NOWHERE).netloc
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        host = headers["x-sandbox-host"].split(".")
        asked = next((one for name, one in regions.items() if name in host), sandbox)
        provider, path = parts.path[1:].split("/", 1)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        seen = SeenRequest(
            provider,
            str(request.method),
            f"/{path}",
            query,
            parts.query,
            headers,
            0,
            RealClock.monotonic(),
            _body_of(request),
        )
        answer = asked.respond(seen)
        raw = HTTPResponse(
            io.BytesIO(answer.body),
            {"Content-Type": answer.content_type, **answer.headers},
            answer.status,
            preload_content=False,
        )
        return self.build_response(request, raw)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", send)
        yield


def _body_of(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else body
