"""Nothing cites a document that a reader of the repository does not have."""

import re
import subprocess
from pathlib import Path

import pytest

from integration_tests.commands import ROOT

PAGES_OF_ELSEWHERE = re.compile(
    r"(?i)\bfacts?,? (section |\()?\d|\btraps? \d|\bsections? \d|\bdesign\.md|\.\./shared\b"
    r"|\bapi-docs\b|\bissues? \d|\b2nd-hand\b"
)
SUFFIXES = (".py", ".md", ".yaml", ".yml", ".toml", ".sql", ".json", "")
SELF = Path(__file__)


def test_nothing_cites_a_document_that_is_not_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    texts = {
        name: (ROOT / name).read_text(encoding="utf-8", errors="replace")
        for name in listed
        if Path(name).suffix in SUFFIXES and (ROOT / name).is_file() and ROOT / name != SELF
    }

    cited = [
        f"{name}: {line.strip()}"
        for name, text in texts.items()
        for line in text.splitlines()
        if PAGES_OF_ELSEWHERE.search(line)
    ]

    assert len(texts) > 250
    assert cited == []


@pytest.mark.parametrize(
    "citation",
    [
        "(facts 2.2)",
        "facts, section 7",
        "(facts, trap 11)",
        "sections 18 to 22",
        "see ../shared/cases",
        "design.md",
        "api-docs list-calls page",
        "issue 9",
    ],
)
def test_what_counts_as_such_a_citation(citation: str) -> None:
    assert PAGES_OF_ELSEWHERE.search(citation)
