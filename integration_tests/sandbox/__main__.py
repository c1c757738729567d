"""`python -m integration_tests.sandbox --port 8900`: the sandbox as a process of its own."""

import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace
from datetime import datetime
from threading import Event

from .server import Sandbox
from .switches import Switches
from .times import to_datetime, to_milliseconds
from .world import START, World


def parser() -> ArgumentParser:
    """The command line."""
    found = ArgumentParser(prog="python -m integration_tests.sandbox", description=__doc__)
    found.add_argument("--port", type=int, default=8900, help="0 lets the system choose one")
    found.add_argument("--seed", type=int, default=7)
    found.add_argument("--calls", type=int, default=400, help="calls per provider")
    found.add_argument(
        "--now", type=instant, default=START, help="the world's clock, ISO 8601 (no zone = UTC)"
    )
    found.add_argument(
        "--conversations",
        type=int,
        help="spread OpenPhone's calls evenly over that many conversations",
    )
    found.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="GROUP.NAME=VALUE",
        help="may be repeated; for Quo also openphone_dated.NAME and openphone_children.NAME",
    )
    found.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    found.add_argument("--no-limits", action="store_true", help="refuse nothing for its rate")
    found.add_argument("--gzip", action="store_true", help="answer in gzip to those who ask for it")
    found.add_argument(
        "--unknown-fields", action="store_true", help="records carry undocumented fields"
    )
    return found


def instant(text: str) -> datetime:
    """An instant from the command line."""
    try:
        return to_datetime(to_milliseconds(datetime.fromisoformat(text)))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def switches_of(arguments: Namespace) -> Switches:
    """The switches that the command line sets; ValueError for one that does not exist."""
    switches = Switches()
    for assignment in arguments.switch:
        switches = switches.with_text(assignment)
    return replace(
        switches,
        latency_seconds=arguments.latency,
        enforce_limits=not arguments.no_limits,
        unknown_fields=arguments.unknown_fields,
        gzip=arguments.gzip,
    )


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; prints the url when listening."""
    commands = parser()
    options = commands.parse_args(arguments)
    try:
        switches = switches_of(options)
    except ValueError as error:
        commands.error(str(error))
    world = World(options.seed, options.calls, options.now, options.conversations)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(world, switches, port=options.port) as sandbox:
        print(sandbox.url, flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
