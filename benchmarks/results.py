"""All results of one run, and their JSON file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.hourly import Hourly
from benchmarks.incremental import Requests
from benchmarks.memory import Memory
from benchmarks.profile import Profile
from benchmarks.rates import Rate
from benchmarks.startup import Startup
from benchmarks.timing import Row
from benchmarks.versions import Version


@dataclass
class Results:
    """What one run found; an empty list is a part that was not run."""

    machine: dict[str, str] = field(default_factory=dict)
    timing: list[Row] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)
    requests: list[Requests] = field(default_factory=list)
    hourly: list[Hourly] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    startup: list[Startup] = field(default_factory=list)
    profile: list[Profile] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    """By part: why it has no results."""
    is_quick: bool = False

    def write(self, file: Path) -> None:
        """Write the file."""
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def read(file: Path) -> "Results":
        """Read the file."""
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        kinds: dict[str, Any] = {
            "timing": Row,
            "rates": Rate,
            "requests": Requests,
            "hourly": Hourly,
            "versions": Version,
            "memory": Memory,
            "startup": Startup,
            "profile": Profile,
        }
        for name, kind in kinds.items():
            content[name] = [kind(**entry) for entry in content.get(name, [])]
        return Results(**content)
