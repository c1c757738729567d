"""Writes the tables of `docs/adding-a-provider.md`: the languages of the manifest, from the code.

`make docs` runs it (`python -m integration_tests.guide_tables`). The meanings are those of the
docstrings of `calls_shared`; the names, defaults and words are the code's own, and a name without
a meaning is an error here.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

import calls_shared
from calls_shared.error_mapping import errors
from calls_shared.error_mapping.envelope import EnvelopeForm
from calls_shared.error_mapping.error_table import SHARED_ROWS
from calls_shared.http.rate import RateLimit
from calls_shared.normalization import mapping, people, words
from calls_shared.normalization.columns import COLUMNS
from integration_tests import marked_tables
from integration_tests.connectors import ROOT

GUIDE = ROOT / "docs" / "adding-a-provider.md"
_NO_COMPONENTS = ("CallsSource", "run")
_HANDED_OVER = "config"
_BY_THE_CDK = re.compile("handed over by the CDK|the CDK hands it over")
"""What is not the manifest's."""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = f"|{'---|' * len(titles)}"
    return "\n".join([_row(*titles), rule, *(_row(*row) for row in rows)])


def _flowing(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())


def meanings(component: type[Any]) -> Mapping[str, str]:
    """What the docstring's `Attributes` say of each name."""
    _, _, rest = (inspect.getdoc(component) or "").partition("Attributes:\n")
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in rest.splitlines():
        if line and not line.startswith("    "):
            break
        if (begun := re.match(r"    (\w[\w, ]*): (.*)", line)) is not None:
            current = [begun[2]]
            found |= dict.fromkeys(begun[1].split(", "), current)
        elif line.strip():
            current.append(line)
    return {name: _flowing(lines) for name, lines in found.items()}


def summary(component: type[Any]) -> str:
    """What a component is for: the paragraphs of its docstring before the sections."""
    text = re.split(r"\n(?:Attributes|Raises|Args):\n", inspect.getdoc(component) or "")[0]
    return _flowing(text.splitlines())


def default_of(component: type[Any], name: str) -> str:
    """How a manifest would write the default, or that there is none."""
    for field in dataclasses.fields(component):
        if field.name == name:
            if field.default is not dataclasses.MISSING:
                return _written(field.default)
            if field.default_factory is not dataclasses.MISSING:
                return _written(field.default_factory())
            return "needed"
    raise ValueError(f"{component.__name__} explains {name!r}, which it does not have")


def _written(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, (tuple, list, Mapping)) and not value:
        return "–"
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def parameters(component: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of each parameter of a component, those of its bases first."""
    explained: dict[str, str] = {}
    for base in reversed(component.__mro__):
        if base.__module__.startswith("calls_shared."):
            explained |= meanings(base)
    for name, meaning in explained.items():
        if name != _HANDED_OVER and not re.search(
            "handed over by the CDK|the CDK hands it over", meaning
        ):
            yield f"`{name}`", default_of(component, name), meaning


def components() -> str:
    """Every component that a manifest may name, with its parameters."""
    parts = []
    for name in calls_shared.__all__:
        if name not in _NO_COMPONENTS:
            component = getattr(calls_shared, name)
            parts.append(f"### `calls_shared.{name}`\n\n{summary(component)}")
            if rows := list(parameters(component)):
                parts.append(_table(("Parameter", "Default", "Meaning"), rows))
    return "\n\n".join(parts)


def _fields_of(part: type[Any]) -> str:
    rows = list(parameters(part))
    names = {f"`{field.name}`" for field in dataclasses.fields(part)}
    if missing := names - {name for name, _, _ in rows}:
        raise ValueError(f"{part.__name__} does not explain {sorted(missing)}")
    return _table(("Key", "Default", "Meaning"), rows)


def _definitions(docstring: str) -> Iterator[tuple[str, str]]:
    """The indented rows of a docstring: what is written, two blanks or more, what it means."""
    row: list[str] = []
    for line in docstring.splitlines():
        if (begun := re.match(r" {4,6}(\S.*?) {2,}([^{\s].*)", line)) is not None:
            if row:
                yield row[0], _flowing(row[1:])
            row = [begun[1], begun[2]]
        elif row and line.startswith("       ") and line.strip():
            row.append(line)
        elif row:
            yield row[0], _flowing(row[1:])
            row = []
    if row:
        yield row[0], _flowing(row[1:])


def _split(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """A row that holds several forms of equal meaning, each on its own."""
    for form, meaning in rows:
        yield " or ".join(f"`{part}`" for part in re.split(r" {2,}", form)), meaning


def columns() -> str:
    """The sources of columns, each with what it means."""
    text = mapping.__doc__ or ""
    rows = list(_split(_definitions(text)))
    said = set(re.findall(r"[a-z_0-9]+", text))
    if missing := {*(mapping.SOURCE.known or ())} - said:
        raise ValueError(f"the sources do not explain {sorted(missing)}")
    _, _, additions = text.partition("with these additions: ")
    more = _flowing(additions.splitlines())
    return f"{_table(('Source', 'What it gives'), rows)}\n\nBeside them: {more}"


def column_names() -> str:
    """The columns that a manifest may map, by kind."""
    mapped = [column for column in COLUMNS if column.kind != "object"]
    kinds = dict.fromkeys(column.kind for column in mapped)
    return _table(
        ("Kind", "Columns"),
        [(kind, ", ".join(f"`{c.name}`" for c in mapped if c.kind == kind)) for kind in kinds],
    )


def known_words() -> str:
    """The words of a status and a direction that need no translation."""
    rows = []
    for column, vocabulary in words._VOCABULARIES.items():
        for our in sorted({*vocabulary.values()}):
            theirs = sorted(word for word, meaning in vocabulary.items() if meaning == our)
            given = f"`{our}`"
            if our == words.ANSWERED:
                given = "`in-progress`; `completed` once the call has ended"
            rows.append((f"`{column}`", given, ", ".join(f"`{word}`" for word in theirs)))
    return _table(("Column", "Ours", "The provider's"), rows)


def persons() -> str:
    """The keys of `people`."""
    rows = list(_definitions(people.__doc__ or ""))
    if missing := {*(people.PEOPLE.known or ())} - {form.partition(":")[0] for form, _ in rows}:
        raise ValueError(f"people does not explain {sorted(missing)}")
    return _table(("Key", "Meaning"), [(f"`{form}`", meaning) for form, meaning in rows])


def error_rows() -> str:
    """The keys of a row of the error table."""
    return _fields_of(errors.ErrorRow)


def error_words() -> str:
    """The words that a row may have for its action and its failure type, and in its sentence."""
    braces = re.findall(r"`(\{\w+\})`", meanings(errors.ErrorRow)["message"])
    return _table(
        ("What", "Words"),
        [
            ("`action`", ", ".join(f"`{word}`" for word in errors.ACTIONS)),
            ("`failure_type`", ", ".join(f"`{word}`" for word in errors.FAILURE_TYPES)),
            ("`ends`", ", ".join(f"`{word}`" for word in errors.ENDS)),
            ("in `message`", ", ".join(f"`{word}`" for word in braces)),
        ],
    )


def shared_errors() -> str:
    """The rows that hold for every provider, in their order."""
    rows = []
    for row in SHARED_ROWS:
        status = " to ".join(
            map(str, row.status if isinstance(row.status, tuple) else [row.status])
        )
        more = [f"code `{row.code}`"] if row.code else []
        more += ["not the provider's own form"] if row.own is False else []
        failure = "–" if row.action == "skip" else f"`{row.failure_type}`"
        rows.append((", ".join([status, *more]), f"`{row.action}`", failure, row.message))
    return _table(("Status", "Action", "Failure type", "Sentence"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "components": components,
    "rate": lambda: _fields_of(RateLimit),
    "column sources": columns,
    "column names": column_names,
    "words": known_words,
    "people": persons,
    "error rows": error_rows,
    "error words": error_words,
    "error envelopes": lambda: _fields_of(EnvelopeForm),
    "shared errors": shared_errors,
}


def with_tables(guide: str) -> str:
    """The guide with each table between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    return marked_tables.with_tables(guide, TABLES, "guide")


if __name__ == "__main__":
    GUIDE.write_text(with_tables(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
