"""The source class and the console script; all else is in `manifest.yaml` and `calls_shared`."""

import calls_shared


class SourceAircallCalls(calls_shared.CallsSource):
    """Reads phone calls from Aircall."""


def run() -> None:
    """Run one command of the Airbyte protocol, as the command line asks."""
    calls_shared.run(SourceAircallCalls())
