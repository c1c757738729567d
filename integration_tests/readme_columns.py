"""Writes the README's table of columns from `calls_shared.columns.COLUMNS`.

Run it after a change of the columns: `python -m integration_tests.readme_columns`.
"""

from pathlib import Path

from calls_shared.columns import COLUMNS

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- columns: begin -->", "<!-- columns: end -->"


def table() -> str:
    """The table in Markdown."""
    rows = ["| Column | Type | Null | Meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{column.name}` | {column.kind} | {'never' if column.required else 'yes'} |"
        f" {column.description} |"
        for column in COLUMNS
    ]
    return "\n".join(rows)


def with_table(readme: str) -> str:
    """The README with the table between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
