"""What was measured of the images, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Later:
    """What the reads after the first one did."""

    changed: int
    """Calls that the read a day later brought."""
    caught: int
    """Calls that had come when a read was told to end."""
    end_seconds: float


@dataclass(frozen=True)
class Figures:
    """What was measured of an image."""

    connector: str
    image_megabytes: float
    connector_megabytes: float
    """Of these what stands on the base."""
    spec_seconds: float
    discover_seconds: float
    check_seconds: float
    read_seconds: float
    calls: int
    later: Later | None
    """None if the provider's sandbox stands still."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        later = ("–", "–")
        if self.later is not None:
            ended = f"{self.later.end_seconds:.1f} after {self.later.caught}"
            later = (f"{self.later.changed}", ended)
        return (
            self.connector,
            f"{self.image_megabytes:.0f}",
            f"{self.connector_megabytes:.0f}",
            f"{self.spec_seconds:.1f}",
            f"{self.discover_seconds:.1f}",
            f"{self.check_seconds:.1f}",
            f"{self.calls} in {self.read_seconds:.1f}",
            *later,
        )


HEAD = (
    "Image",
    "MB",
    "of it on the base",
    "spec, s",
    "discover, s",
    "check, s",
    "read, calls in s",
    "a day later",
    "SIGTERM, s after calls",
)


def table(figures: Sequence[Figures]) -> str:
    """The table, its columns aligned."""
    rows = [HEAD, *(one.cells for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = []
    for row in rows:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        lines.append("  ".join(cells))
    return "\n".join(lines)
