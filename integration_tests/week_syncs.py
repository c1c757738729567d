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
    manifest: dict[str, Any] = with_small_pages(vars(connector)["manifest"])
    stream = manifest["streams"][0]
    stream["schema_loader"] = {"type": "InlineSchemaLoader", "schema": {}}
<<<<<<< HEAD
=======
    for node in _objects(manifest):
        if "page_size" in node:
            node["page_size"] = PAGE
        if "page[size]" in node:
            node["page[size]"] = node["page[size]"].replace("100", f"{PAGE}")
>>>>>>> fourteen
    manifest["streams"] = [stream]
    vars(connector)["manifest"] = manifest
    return connector


<<<<<<< HEAD
def with_small_pages(part: Any) -> Any:
    """A part of a manifest that asks for small pages."""
    if isinstance(part, list):
        return [with_small_pages(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {name: with_small_pages(value) for name, value in part.items()}
    if "page[size]" in found:
        found["page[size]"] = found["page[size]"].replace("100", f"{PAGE}")
    elif found.get("class_name") == "calls_shared.PageNumbers":
        found["page_size"] = PAGE
    return found


@contextmanager
def quick_weeks(sandbox: Sandbox) -> Iterator[None]:
    """Syncs of one connector at the world's time; what each makes of the manifest is made once."""

    def once(function: Callable[..., Any]) -> Callable[..., Any]:
        made: list[Any] = []

        def same(*arguments: Any) -> Any:
            made.extend([] if made else [function(*arguments)])
            return made[0]

        return same

    with reading(sandbox) as patch:
        cdk = concurrent_declarative_source.ConcurrentDeclarativeSource
        schema = concurrent_declarative_source.get_declarative_component_schema
        patch.setattr(
            concurrent_declarative_source, "get_declarative_component_schema", once(schema)
        )
        patch.setattr(cdk, "_validate_source", once(cdk._validate_source))
        patch.setattr(cdk, "_pre_process_manifest", once(cdk._pre_process_manifest))
        patch.setattr(CallsSource, "_check_streams", once(CallsSource._check_streams))
        yield
=======
def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """The objects of a manifest."""
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(part)
>>>>>>> fourteen


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
