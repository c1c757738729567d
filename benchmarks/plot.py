"""`python -m benchmarks.plot RESULTS PNG`: the plot, drawn in the peers' environment.

It reads the file of results and nothing of this package, so that it needs nothing but matplotlib.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found]

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = {
    "ours": "#1b7837",
    "dlt": "#762a83",
    "dlt parallelized": "#af8dc3",
    "singer": "#e08214",
    "bare": "#777777",
}
LABELS = {"singer": "Singer tap", "bare": "bare loop"}
Entry = dict[str, Any]


def draw(results: Entry, file: Path) -> None:
    """Draw the ratios of each case, and memory by the number of calls."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(13, 6.5), width_ratios=(3, 2), layout="constrained"
    )
    draw_ratios(left, results["timing"])
    draw_memory(right, results["memory"])
    figure.suptitle(
        f"Reading every call, on the sandbox. {results['machine'].get('Processor', '')}"
    )
    figure.savefig(file, dpi=110)


def draw_ratios(axes: Any, rows: list[Entry]) -> None:
    """Bars: each program's time as a multiple of ours."""
    cases: dict[str, dict[str, Entry]] = {}
    for row in rows:
        name = f"{row['provider']}, {row['kind']}\n{row['calls']:,} calls, {row['latency_ms']} ms"
        cases.setdefault(name, {})[row["program"]] = row
    place, ticks, told = 0.0, {}, set()
    for name, programs in cases.items():
        ours = programs.get("ours")
        begin = place
        for program in [one for one in COLOURS if one in programs]:
            row = programs[program]
            is_valid = row["exit_status"] == 0 and row["missing"] == row["unknown"] == 0
            width = row["seconds"] / ours["seconds"] if ours and is_valid else 0.0
            label = "" if program in told else LABELS.get(program, program)
            told.add(program)
            axes.barh(place, width, color=COLOURS[program], label=label or None)
            note = f"{width:.1f}" if is_valid else "refused or wrong"
            behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.3}
            axes.text(width + 0.05, place, note, va="center", fontsize=7, bbox=behind)
            place += 1
        ticks[name] = (begin + place - 1) / 2
        place += 0.8
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(list(ticks.values()), list(ticks), fontsize=7)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.01)
    axes.set_xlabel("time as a multiple of ours")
    axes.set_title("Time")
    if rows:
        axes.legend(fontsize=8, loc="lower right")


def draw_memory(axes: Any, rows: list[Entry]) -> None:
    """Lines: peak memory by the number of calls."""
    for program, colour in COLOURS.items():
        points = sorted(
            (row["calls"], row["peak_bytes"]) for row in rows if row["program"] == program
        )
        if points:
            sizes, peaks = zip(*points, strict=True)
            label = LABELS.get(program, program)
            axes.plot(sizes, [peak / 2**20 for peak in peaks], "o-", color=colour, label=label)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("calls")
    axes.set_ylabel("peak memory, MiB")
    axes.set_title("Memory")
    if rows:
        axes.legend(fontsize=8)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
