"""Writes the tables of the connectors' documents: their `CONTRIBUTING.md` and `docs/sources/`.

`make docs` runs it (`python -m integration_tests.connector_documents`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from integration_tests import page_tables
from integration_tests.connectors import ALL, CONNECTORS, ConnectorFolder
from integration_tests.error_documents import SHARED, errors_of, shared_errors
from integration_tests.marked_tables import with_tables

Tables = Mapping[str, Callable[[], str]]


def contributing_of(connector: ConnectorFolder, text: str) -> Tables:
    """The tables of a connector's `CONTRIBUTING.md`, whose text holds what is written by hand."""
    return {"errors": partial(errors_of, connector, text)}


def page_of(connector: ConnectorFolder, _: str = "") -> Tables:
    """The tables of a connector's page."""
    return {
        "settings": partial(page_tables.settings, connector),
        "streams": partial(page_tables.streams, connector),
        "empty columns": partial(page_tables.empty_columns, connector),
        "data types": page_tables.data_types,
        "special": partial(page_tables.special, connector),
        "messages": partial(page_tables.messages, connector),
        "changelog": lambda: page_tables.changelog(
            page_tables.CHANGELOG.read_text(encoding="utf-8")
        ),
    }


def documents() -> Mapping[Path, Callable[[str], Tables]]:
    """Every document that has such tables, and how they come from its text."""
    found: dict[Path, Callable[[str], Tables]] = {
        SHARED: lambda text: {"errors": partial(shared_errors, text)}
    }
    for connector in ALL.values():
        found[connector.folder / "CONTRIBUTING.md"] = partial(contributing_of, connector)
    for connector in CONNECTORS.values():
        found[connector.page] = partial(page_of, connector)
    return found


def with_current_tables(path: Path, text: str) -> str:
    """The text of a document with its tables as they should be."""
    return with_tables(text, documents()[path](text), path.name)


if __name__ == "__main__":
    for document in documents():
        written = document.read_text(encoding="utf-8")
        document.write_text(with_current_tables(document, written), encoding="utf-8")
