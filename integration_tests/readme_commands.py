"""The commands that the README shows, with the output that it shows for them."""

import re
from collections.abc import Iterator

from integration_tests.readme_columns import README

TEXT = README.read_text(encoding="utf-8")


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a document with the output that it shows for it."""
    for block in re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL):
        shown: list[str] = []
        command = ""
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line.removeprefix("$ "), []
            else:
                shown.append(line)
        yield command, shown


COMMANDS = list(commands(TEXT))


def without_seconds(text: str) -> str:
    """A line whose times are not compared."""
    return re.sub(r" *\d+\.\d s\b", " N s", text).rstrip()


def assert_shows(output: str, shown: list[str]) -> None:
    """The shown lines come in this order; `…` stands for any lines, in a line for any text."""
    lines = [without_seconds(line) for line in output.splitlines()]
    position, gap = 0, False
    for line in shown:
        wanted = without_seconds(line)
        if wanted == "…":
            gap = True
            continue
        pattern = re.compile(".+".join(map(re.escape, wanted.split("…"))))
        found = next((n for n in range(position, len(lines)) if pattern.fullmatch(lines[n])), -1)
        assert found >= 0, f"not in the output: {wanted}\n{output[-3000:]}"
        assert gap or found == position, f"lines before: {wanted}"
        position, gap = found + 1, False
