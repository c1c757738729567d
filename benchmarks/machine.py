"""What the figures were measured on."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.programs import PEERS_PYTHON

OURS = ("airbyte-cdk", "requests", "orjson")
PEERS = ("dlt", "singer-sdk", "requests", "orjson")


def description() -> dict[str, str]:
    """The machine, the versions, the day, and how busy the machine was before the run."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "Processor": f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory",
        "System": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "Ours": ", ".join(f"{name} {version(name)}" for name in OURS),
        "Peers": peers_versions(),
        "Measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Load before": load(),
    }


def load() -> str:
    """How busy the machine was in the last minute; above the number of cores, figures mislead."""
    return f"{os.getloadavg()[0]:.1f} processes on {os.cpu_count()} cores"


def processor(file: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peers_versions() -> str:
    """The versions in the peers' virtual environment."""
    ask = (
        "import sys; from importlib.metadata import version\n"
        "print(*(f'{name} {version(name)}' for name in sys.argv[1:]), sep=', ')"
    )
    done = subprocess.run(
        [str(PEERS_PYTHON), "-c", ask, *PEERS], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or f"unknown ({sys.executable})"
