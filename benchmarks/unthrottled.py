"""`python -m benchmarks.unthrottled PROVIDER COMMAND...`: a connector without its rate budget.

For what is no question of rate: memory, the profile, `make soak`. All else is the connector's own.
"""

import sys
from collections.abc import Sequence

import calls_shared
from calls_shared import CallsSource
from calls_shared.http.rate import MovingWindow
from integration_tests.connectors import CONNECTORS


def source_of(provider: str) -> CallsSource:
    """The source of a provider."""
    return CONNECTORS[provider].source_class()()


def without_budget() -> None:
    """Let every request of this process start at once."""
    MovingWindow.wait = lambda self, now: 0.0  # type: ignore[method-assign]


def run(provider: str, arguments: Sequence[str]) -> None:
    """Run a connector's command in this process."""
    without_budget()
    calls_shared.run(source_of(provider), list(arguments))


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
