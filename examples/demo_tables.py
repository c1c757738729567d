"""How the demo shows what it found in the DuckDB file."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from examples.demo_report import Outcome, Row


def table_of(rows: Sequence[Row]) -> Table:
    """The calls of each provider and direction, for the terminal."""
    table = new_table("Provider", "Direction")
    for title in ("Calls", "Answered", "By a human", "Duration", "Talk time"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.provider,
            row.direction,
            f"{row.calls:,}",
            f"{row.answered:,} of {row.answered_known:,} known" if row.answered_known else "–",
            f"{row.by_human:,} of {row.answerer_known:,}" if row.answerer_known else "–",
            "–" if row.duration_seconds is None else hours_of(row.duration_seconds),
            "–" if row.talk_seconds is None else hours_of(row.talk_seconds),
        )
    return table


def outcomes_of(outcomes: Sequence[Outcome]) -> Table:
    """The calls of each provider by what became of them, for the terminal."""
    providers = sorted({outcome.provider for outcome in outcomes})
    table = new_table("Status", "Answered")
    for provider in providers:
        table.add_column(provider, justify="right")
    answers = {True: "yes", False: "no", None: "not known"}
    counts: dict[tuple[str | None, bool | None], dict[str, int]] = {}
    for status, answered, provider, calls in outcomes:
        counts.setdefault((status, answered), {})[provider] = calls
    for (status, answered), by_provider in counts.items():
        cells = (by_provider.get(provider) for provider in providers)
        table.add_row(
            status or "not given",
            answers[answered],
            *("–" if calls is None else f"{calls:,}" for calls in cells),
        )
    return table


def deleted_of(deleted: Mapping[str, int]) -> str:
    """The calls that the tables leave out, in a sentence."""
    parts = ", ".join(f"{calls:,} of {provider}" for provider, calls in deleted.items())
    return f"Not counted: calls that the provider has marked as deleted ({parts})."


def new_table(*titles: str) -> Table:
    """A table that begins with these columns; it fits into 80 columns of a terminal."""
    table = Table(
        box=box.SIMPLE_HEAD,
        header_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for title in titles:
        table.add_column(title)
    return table


def hours_of(seconds: int) -> str:
    """A duration as h:mm:ss."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:,}:{minutes % 60:02d}:{rest:02d}"
