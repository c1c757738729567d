"""What a process of a connector's command finds loaded when it is forked, and what it then does.

The server that forks it imports this module once, with all connectors; so it must import little
else, and change nothing.
"""

import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from airbyte_cdk.sources.declarative import concurrent_declarative_source

_SCHEMA = concurrent_declarative_source.get_declarative_component_schema()


def run_in_child(
    provider: str,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    out: Path,
    err: Path,
) -> None:
    """Run a command as the console script does, in this process, with its output in two files.

    The schema of components, which the CDK reads in each process, has been read before.
    """
    gc.freeze()  # what was loaded before the fork is nobody's garbage
    for key in [key for key in os.environ if "CALLS_SANDBOX" in key]:
        del os.environ[key]
    os.environ.update(variables)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), number)
    sys.argv = [f"source-{provider}-calls", *arguments]
    vars(concurrent_declarative_source)["get_declarative_component_schema"] = lambda: _SCHEMA
    importlib.import_module(f"source_{provider}_calls").run()
