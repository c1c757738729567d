"""Tables that are made from code, between two marks of a document."""

from collections.abc import Callable, Mapping


def with_tables(text: str, tables: Mapping[str, Callable[[], str]], document: str) -> str:
    """The text with each table between its two marks.

    Raises:
        ValueError: a mark is missing; the message names the document and the table.
    """
    for name, table in tables.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"the {document} lacks the marks of the table {name}")
        text = f"{before}{begin}\n{table()}\n{end}{after}"
    return text
