"""What `docs/certification.md` says of the checks that cannot pass: the one place that says it."""

import re
from dataclasses import dataclass

from integration_tests.certification.layout import RUNS
from integration_tests.connectors import ROOT

DOCUMENT = ROOT / "docs" / "certification.md"
BEGIN, END = "<!-- expected: begin -->", "<!-- expected: end -->"
TITLES = ("No.", "Check", "Run", "Outcome", "It says", "Why")

RED = "red"
VACUOUS = "vacuous"
OUTCOMES = (RED, VACUOUS)
BOTH = "both"


class ExpectationError(ValueError):
    """The table cannot be understood; the text is one sentence that names the place."""


@dataclass(frozen=True)
class Expectation:
    """A row of the table."""

    number: int
    check: str
    """The name of the check's class."""
    runs: tuple[str, ...]
    outcome: str
    says: str
    """A part of the check's message, so that another fault is not taken for this one."""
    reason: str


def expectations(document: str) -> tuple[Expectation, ...]:
    """The rows of the table in a document.

    Raises:
        ExpectationError: a mark is missing, or a row is not of the form.
    """
    _, begun, rest = document.partition(BEGIN)
    table, ended, _ = rest.partition(END)
    if not (begun and ended):
        raise ExpectationError(f"{DOCUMENT.name} lacks the marks {BEGIN} and {END}.")
    titles, _, *rows = [_cells(line) for line in table.strip().splitlines()]
    if titles != TITLES:
        raise ExpectationError(f"The table of {DOCUMENT.name} needs the columns {TITLES}.")
    return tuple(_expectation(number, row) for number, row in enumerate(rows, 1))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _expectation(number: int, row: tuple[str, ...]) -> Expectation:
    where = f"Row {number} of the table in {DOCUMENT.name}"
    if len(row) != len(TITLES) or row[0] != str(number):
        raise ExpectationError(
            f"{where} needs {len(TITLES)} cells, the first of which is {number}."
        )
    _, check, run, outcome, says, reason = row
    if run not in (*RUNS, BOTH) or outcome not in OUTCOMES:
        raise ExpectationError(
            f"{where} needs one of {', '.join((*RUNS, BOTH))} as its run and one of"
            f" {', '.join(OUTCOMES)} as its outcome."
        )
    if (outcome == RED and not says.strip("–")) or len(reason.split()) < 5:
        raise ExpectationError(f"{where} needs what the check says, and a reason in a sentence.")
    runs = RUNS if run == BOTH else (run,)
    name = re.sub("`", "", check)
    return Expectation(number, name, runs, outcome, says.strip("`"), reason)
