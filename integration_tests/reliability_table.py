"""Writes the table of `docs/reliability.md`: what the suite tries, counted from its tests.

Run it after a change of those tests: `python -m integration_tests.reliability_table`. Each case
compares what a destination holds in the end with the sandbox's truth, so a lost call fails it.
"""

import subprocess
import sys
from collections import Counter

from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.sandbox.switches import PROVIDERS

DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
FILES = {
    "faults of the network, the provider and the body": "test_faults.py",
    "answers that want to be waited for, followed or believed": "test_odd_answers.py",
    "values that are odd, or stand for never": "test_odd_values.py",
    "refusals that may be skipped, and those that may not": "test_earned_skips.py",
    "kills, signals, closed pipes, long waits": "test_kill_and_resume.py",
    "worlds that move while they are read": "test_moving_worlds.py",
    "lists: what they announce and how they end": "test_lists.py",
    "what is listed now, and what has gone": "test_listed_calls.py",
    "lists: what slips, hides or comes back; walls, other scopes": "test_convergence.py",
    "lists: random walks": "test_list_walk.py",
    "switches of what the providers leave open": "test_every_switch.py",
    "decisions that keep the promise": "test_promise.py",
}
OF_ONE_PROVIDER = {"test_earned_skips.py": "openphone"}


def collected() -> dict[str, list[str]]:
    """The ids of the tests, by file."""
    files = [f"integration_tests/{file}" for file in FILES.values()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tests = [line for line in done.stdout.splitlines() if "::" in line]
    return {file: [test for test in tests if f"{file}::" in test] for file in FILES.values()}


def table() -> str:
    """The table in Markdown."""
    names = [CONNECTORS[provider].title for provider in PROVIDERS]
    rows = [
        f"| What is tried | {' | '.join(names)} | Cases | Calls lost |",
        f"|---|{'---:|' * (len(names) + 2)}",
    ]
    found = collected()
    for what, file in FILES.items():
        tests = found[file]
        by_provider = Counter(name for test in tests for name in PROVIDERS if name in test)
        if file in OF_ONE_PROVIDER:
            by_provider = Counter({OF_ONE_PROVIDER[file]: len(tests)})
        counts = " | ".join(str(by_provider[name]) for name in PROVIDERS)
        rows.append(f"| {what} | {counts} | {len(tests)} | 0 |")
    return "\n".join(rows)


def with_table(document: str) -> str:
    """The document with the table between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
