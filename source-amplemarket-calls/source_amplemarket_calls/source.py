"""The source class and the console script; all else is in `manifest.yaml` and `calls_shared`."""

import calls_shared


class SourceAmplemarketCalls(calls_shared.CallsSource):
    """Reads phone calls from Amplemarket."""


def run() -> None:
    """Run one command of the Airbyte protocol, as the command line asks."""
    calls_shared.run(SourceAmplemarketCalls())
