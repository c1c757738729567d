"""What the results of Airbyte's checks mean beside what is expected of them, as a table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from integration_tests.certification.expectations import RED, VACUOUS, Expectation

PASS, FAIL, SKIPPED = "pass", "fail", "skipped"
"""What a check may come to."""


@dataclass(frozen=True)
class Result:
    """What one check said of one connector in one run."""

    run: str
    check: str
    connector: str
    status: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """A result beside what was expected of it.

    Attributes:
        result: the result.
        cell: what the table shows.
        problem: a sentence if it is not as it should be, else "".
    """

    result: Result
    cell: str
    problem: str = ""


def verdict(result: Result, expected: Sequence[Expectation]) -> Verdict:
    """What a result means."""
    found = [one for one in expected if (one.check, result.run in one.runs) == (result.check, True)]
    where = f"{result.check}, {result.run},"
    for one in found:
        if one.outcome == VACUOUS and result.status != FAIL:
            return Verdict(result, f"{VACUOUS} {one.number}")
        if one.outcome == RED and result.status == FAIL and one.says in result.message:
            return Verdict(result, f"{RED} {one.number}")
    if result.status == FAIL:
        return Verdict(
            result, "FAILED", f"{where} fails and says: {' '.join(result.message.split())}"
        )
    if found:
        numbers = ", ".join(str(one.number) for one in found)
        does = {PASS: "passes", SKIPPED: "is skipped"}[result.status]
        return Verdict(
            result,
            "UNEXPECTED",
            f"{where} {does} where row {numbers} of the table expects it to be red.",
        )
    return Verdict(result, result.status)


def problems(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """The problems that were found, each with the connectors that have it."""
    found: dict[str, list[str]] = {}
    for one in verdicts:
        if one.problem:
            found.setdefault(one.problem, []).append(one.result.connector)
    for problem, connectors in found.items():
        yield f"{', '.join(connectors)}: {problem}"


def unknown_checks(results: Iterable[Result], expected: Iterable[Expectation]) -> Iterator[str]:
    """A sentence for each row of the table whose check did not run where the row says it does."""
    ran = {(result.check, result.run) for result in results}
    for one in expected:
        for run in one.runs:
            if (one.check, run) not in ran:
                yield f"Row {one.number} of the table expects {one.check}, {run}; it did not run."


def table(verdicts: Sequence[Verdict], run: str) -> str:
    """The table of one run: checks in rows, connectors in columns."""
    shown = [one for one in verdicts if one.result.run == run]
    connectors = list(dict.fromkeys(one.result.connector for one in shown))
    cells = {(one.result.check, one.result.connector): one.cell for one in shown}
    checks = list(dict.fromkeys(one.result.check for one in shown))
    rows = [
        (run, *(name.removeprefix("source-").removesuffix("-calls") for name in connectors)),
        *((check, *(cells[check, name] for name in connectors)) for check in checks),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    rule = "─" * (sum(widths) + 2 * len(connectors))
    return "\n".join([lines[0], rule, *lines[1:]])
