"""`python -m integration_tests.new_provider aircall`: see the package."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from integration_tests.connectors import ROOT
from integration_tests.new_provider import MARK, NewProviderError, lay_out, marks


def main() -> int:
    """Make the folder and say what comes next; the exit status is 1 if none was made."""
    options = ArgumentParser(prog="python -m integration_tests.new_provider", description=__doc__)
    options.add_argument("name", help="the provider's name, such as aircall")
    options.add_argument("--title", default="", help="its name as the user reads it")
    options.add_argument("--into", type=Path, default=ROOT, help="the folder that will hold it")
    given = options.parse_args()
    try:
        made = lay_out(given.name, given.into, given.title)
    except NewProviderError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Made {made.folder}. Next: docs/adding-a-provider.md, `make install`, `make docs`, and")
    print(f"the places that are marked {MARK}:")
    for place in marks(made):
        print(f"  {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
