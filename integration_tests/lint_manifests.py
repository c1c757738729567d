"""`make lint-manifests`: each problem of a manifest with its path; exit status 1 if there is one.

`python -m integration_tests.lint_manifests [FILE ...]`; without files, those of all folders.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from calls_shared.protocol.manifest_check import problems
from integration_tests.connectors import ALL, ROOT


def problems_of(file: Path) -> list[str]:
    """The problems of one file, also that it cannot be read."""
    try:
        manifest = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        return [f"it cannot be read: {' '.join(str(error).split())}"]
    if not isinstance(manifest, dict):
        return ["it is not a YAML object"]
    return list(problems(manifest))


def main(arguments: Sequence[str]) -> int:
    """Print what is found."""
    files = [Path(one) for one in arguments] or [connector.manifest for connector in ALL.values()]
    found = [(file, problem) for file in files for problem in problems_of(file)]
    for file, problem in found:
        shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
        print(f"{shown}: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
