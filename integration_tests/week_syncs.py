"""The connector of a simulated week, and its syncs as far as they come."""

from collections.abc import Generator, Iterator
from typing import Any

from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CallsSource
from integration_tests.fault_cases import source_of

PAGE = 20
"""Records a page in these tests; that of Skipcall is the sandbox's."""


def week_source(provider: str) -> CallsSource:
    """A connector with its stream of calls only, small pages, and no declared schema."""
    connector = source_of(provider)
    manifest: dict[str, Any] = vars(connector)["manifest"]
    stream = manifest["streams"][0]
    stream["schema_loader"] = {"type": "InlineSchemaLoader", "schema": {}}
    for node in _objects(manifest):
        if "page_size" in node:
            node["page_size"] = PAGE
        if "page[size]" in node:
            node["page[size]"] = node["page[size]"].replace("100", f"{PAGE}")
    manifest["streams"] = [stream]
    return connector


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """The objects of a manifest."""
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(part)


def messages_until(
    messages: Generator[AirbyteMessage, None, None], records: int | None
) -> tuple[list[AirbyteMessage], AirbyteTracedException | None]:
    """The messages of a sync, up to so many records, and its failure."""
    found = []
    try:
        for message in messages:
            found.append(message)
            if records is not None and message.record is not None:
                records -= 1
                if records == 0:
                    break
    except AirbyteTracedException as failure:
        return found, failure
    messages.close()
    return found, None
