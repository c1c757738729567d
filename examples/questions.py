"""Asks the five questions of `questions.sql`: `python -m examples.questions [FILE]`."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from rich.console import Console
from rich.table import Table

from examples.demo_tables import new_table

SQL_FILE = Path(__file__).with_name("questions.sql")
DATABASE = Path(".demo/calls.duckdb")


class Question(NamedTuple):
    """One of the questions."""

    text: str
    providers: Mapping[str, str]
    """By provider: whether, or for which calls, it can be answered."""
    query: str


class Answer(NamedTuple):
    """What the calls say."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


def view_and_questions() -> tuple[str, list[Question]]:
    """The view that the questions read, and the questions."""
    view, *others = SQL_FILE.read_text(encoding="utf-8").strip().removesuffix(";").split(";\n")
    return view, [question_of(statement) for statement in others]


def question_of(statement: str) -> Question:
    """A statement with the comment above it."""
    head = re.search(r"^-- (\d\. .*)$", statement, re.MULTILINE)
    assert head is not None
    providers = dict(re.findall(r"^--    (\w+): (.*)$", statement, re.MULTILINE))
    return Question(head[1], providers, statement[statement.index("SELECT") :])


def answers(database: Path) -> Iterator[tuple[Question, Answer]]:
    """Each question with its answer."""
    view, questions = view_and_questions()
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(view)
        for question in questions:
            found = connection.execute(question.query)
            columns = [name for name, *_ in found.description or ()]
            yield question, Answer(columns, found.fetchall())


def table_of(answer: Answer) -> Table:
    """The answer for the terminal."""
    table = new_table()
    for number, column in enumerate(answer.columns):
        is_number = any(isinstance(row[number], (int, float)) for row in answer.rows)
        if is_number:
            table.add_column(column, justify="right", no_wrap=True)
        else:
            table.add_column(column, no_wrap=True, max_width=14)
    for row in answer.rows:
        table.add_row(*map(cell_of, row))
    return table


def cell_of(value: Any) -> str:
    """A value as a text; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str]) -> int:
    """Ask all questions; the exit status."""
    database = Path(arguments[0]) if arguments else DATABASE
    console = Console(file=sys.stdout, highlight=False)
    try:
        for question, answer in answers(database):
            console.print(question.text, style="bold")
            console.print(table_of(answer))
            console.print()
    except (duckdb.IOException, duckdb.CatalogException):
        print(f"{database} does not hold the four tables; run `make demo` first.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
