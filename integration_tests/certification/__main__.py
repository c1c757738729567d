"""`python -m integration_tests.certification`: see the package. Exit status 1 on a surprise."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from integration_tests.certification import airbyte_checks
from integration_tests.certification.expectations import (
    DOCUMENT,
    Expectation,
    ExpectationError,
    expectations,
)
from integration_tests.certification.layout import RUNS, lay_out
from integration_tests.certification.verdicts import (
    Result,
    problems,
    table,
    unknown_checks,
    verdict,
)
from integration_tests.connectors import CONNECTORS, ROOT

PYTHON = ROOT / ".venv-certify" / "bin" / "python"
SILENT = {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}


class CertificationError(Exception):
    """The checks could not be run; the text is one sentence for the user."""


def results_of(run: str) -> list[Result]:
    """The results of all checks of all connectors in one run.

    Raises:
        CertificationError: Airbyte's package is not there, or it did not come to an end.
    """
    if not PYTHON.is_file():
        raise CertificationError("Airbyte's checks are not installed: run make certify.")
    with TemporaryDirectory() as folder:
        tree, report = Path(folder, "tree"), Path(folder, "results.json")
        lay_out(run, CONNECTORS.values(), tree)
        names = [connector.name for connector in CONNECTORS.values()]
        done = subprocess.run(
            [str(PYTHON), airbyte_checks.__file__, str(report), *names],
            cwd=tree,
            env={**os.environ, **SILENT},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:]
            raise CertificationError(f"Airbyte's checks broke off: {' '.join(last)}")
        return [Result(run, **one) for one in json.loads(report.read_text(encoding="utf-8"))]


def report(results: Sequence[Result], expected: Sequence[Expectation]) -> list[str]:
    """Print the tables and the reasons; the problems that were found."""
    verdicts = [verdict(result, expected) for result in results]
    for run in RUNS:
        print(f"{table(verdicts, run)}\n")
    for one in expected:
        print(f"{one.number:>2}. {one.reason}")
    return [
        *problems(verdicts),
        *unknown_checks(results, expected),
    ]


def main() -> int:
    """Run the checks and say what they mean; the exit status is 1 on any surprise."""
    try:
        expected = expectations(DOCUMENT.read_text(encoding="utf-8"))
        results = [result for run in RUNS for result in results_of(run)]
    except (ExpectationError, CertificationError) as error:
        print(error, file=sys.stderr)
        return 1
    surprises = report(results, expected)
    print()
    for surprise in surprises:
        print(surprise)
    print(f"Surprises: {len(surprises)}.")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
