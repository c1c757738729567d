"""Writes the tables of the connectors' documents: their `CONTRIBUTING.md` and `docs/sources/`.

`make docs` runs it (`python -m integration_tests.connector_documents`).
"""

from collections.abc import Callable, Iterator, Mapping
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


def page_of(connector: ConnectorFolder) -> Tables:
    """The tables of a connector's page."""
    versions = page_tables.CHANGELOG.read_text(encoding="utf-8")
    return {
        "settings": partial(page_tables.settings, connector),
        "streams": partial(page_tables.streams, connector),
        "empty columns": partial(page_tables.empty_columns, connector),
        "data types": page_tables.data_types,
        "special": partial(page_tables.special, connector),
        "messages": partial(page_tables.messages, connector),
        "changelog": partial(page_tables.changelog, versions),
    }


def current(path: Path, tables: Callable[[str], Tables]) -> tuple[Path, str, str]:
    """A document, its text, and the text that it should have."""
    text = path.read_text(encoding="utf-8")
    return path, text, with_tables(text, tables(text), path.name)


def documents() -> Iterator[tuple[Path, str, str]]:
    """Every document that has such tables, its text, and the text that it should have."""
    yield current(SHARED, lambda text: {"errors": partial(shared_errors, text)})
    for connector in ALL.values():
        contributing = connector.folder / "CONTRIBUTING.md"
        yield current(contributing, partial(contributing_of, connector))
    for connector in CONNECTORS.values():
        tables = page_of(connector)
        yield current(connector.page, partial(lambda found, _: found, tables))


if __name__ == "__main__":
    for path, text, wanted in documents():
        if text != wanted:
            path.write_text(wanted, encoding="utf-8")
