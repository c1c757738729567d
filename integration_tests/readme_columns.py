"""Writes the README's tables of columns and of questions.

Run it after a change of `calls_shared.normalization.columns.COLUMNS`, of `row_columns.ROW_COLUMNS`
beside it, or of the comments in `examples/questions.sql`:
`python -m integration_tests.readme_columns`.
"""

from calls_shared.normalization.columns import COLUMNS
from calls_shared.normalization.row_columns import ROW_COLUMNS
from examples.questions import view_and_questions
from integration_tests import marked_tables
from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.sandbox.switches import PROVIDERS

README = ROOT / "README.md"
NAMES = {name: CONNECTORS[name].title.partition(" (")[0] for name in PROVIDERS}
"""The providers as the tables name them, without former names."""


def columns() -> str:
    """The table of columns in Markdown."""
    rows = ["| Column | Type | Null | Meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{column.name}` | {column.kind} | {'never' if column.required else 'yes'} |"
        f" {column.description} |"
        for column in COLUMNS
    ]
    return "\n".join(rows)


def row_columns() -> str:
    """The table of the columns of the streams beside `calls`."""
    rows = ["| Stream | Column | Type | Null | Meaning |", "|---|---|---|---|---|"]
    rows += [
        f"| `{stream}` | `{column.name}` | {column.kind} |"
        f" {'never' if column.required else 'yes'} | {column.description} |"
        for stream, columns_of_it in ROW_COLUMNS.items()
        for column in columns_of_it
    ]
    return "\n".join(rows)


def questions() -> str:
    """The table of questions in Markdown: which provider's calls can answer them."""
    _, found = view_and_questions()
    rows = [f"| Question | {' | '.join(NAMES.values())} |", f"|{'---|' * (len(NAMES) + 1)}"]
    for question in found:
        cells = " | ".join(question.providers[provider] for provider in NAMES)
        rows.append(f"| {question.text} | {cells} |")
    return "\n".join(rows)


def with_tables(readme: str) -> str:
    """The README with each table between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    tables = {"columns": columns, "row columns": row_columns, "questions": questions}
    return marked_tables.with_tables(readme, tables, "README")


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
