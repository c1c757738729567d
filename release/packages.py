"""`make dist`: a wheel and a source distribution of each package, in `dist/`.

The locked hatchling builds them, without an environment of its own, so nothing is downloaded.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from integration_tests.connectors import ROOT, connectors_in
from integration_tests.versions import current_version
from release import ReleaseError
from release.dates import VARIABLE, source_date_epoch

SHARED = "airbyte-calls-shared"
DIST = ROOT / "dist"
"""It holds the packages of this version, and nothing else."""


def folders(root: Path = ROOT) -> list[Path]:
    """The folders that are built: what all share, and the connectors; examples are not."""
    return [root / "shared", *(one.folder for one in connectors_in(root).values())]


def file_names(root: Path = ROOT) -> Iterator[str]:
    """The files that a build makes."""
    version = current_version(root)
    for name in (SHARED, *(one.name for one in connectors_in(root).values())):
        stem = f"{name.replace('-', '_')}-{version}"
        yield from (f"{stem}-py3-none-any.whl", f"{stem}.tar.gz")


def build(into: Path, root: Path = ROOT) -> list[Path]:
    """Build all packages into a folder, which is emptied before.

    Raises:
        ReleaseError: one cannot be built, or something else was made than the version says.
    """
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    epoch = source_date_epoch(os.environ, root)
    for folder in folders(root):
        command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into)]
        done = subprocess.run(
            [*command, "--target", "sdist", "--target", "wheel"],
            cwd=folder,
            env={**os.environ, VARIABLE: str(epoch)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise ReleaseError(f"{folder.name} cannot be built: {' '.join(reason)}")
    made = sorted(into.iterdir())
    if {file.name for file in made} != {*file_names(root)}:
        raise ReleaseError(
            f"The packages do not all have the version {current_version(root)}; "
            "name it everywhere with `make version TO=…`."
        )
    return made


def main(arguments: Sequence[str]) -> int:
    """Build the packages and say what was made; the exit status."""
    try:
        made = build(Path(arguments[0]) if arguments else DIST)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    for file in made:
        print(f"{file.stat().st_size / 1000:7.1f} kB  {file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
