"""The order of the tests: those that wait for a long time begin first, beside those that work."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

Test = TypeVar("Test")


def waiting_first(
    tests: Sequence[Test], seconds_of: Callable[[Test], float], workers: int
) -> list[Test]:
    """The tests in the order in which `--dist worksteal` should be given them.

    It gives each worker an equal share of the tests as they are ordered, which the worker runs from
    the front, while the others steal from the back. Here the tests that wait begin the shares of
    half of the workers, the longest first; the other half has the machine to itself meanwhile.

    Args:
        tests: all tests, in the order in which they were collected.
        seconds_of: how long a test waits; 0 for one that does not.
        workers: how many there are.
    """
    hosts: list[list[Test]] = [[] for _ in range(max(1, workers // 2))]
    waiting = sorted(filter(seconds_of, tests), key=seconds_of, reverse=True)
    for test in waiting:
        min(hosts, key=lambda host: sum(map(seconds_of, host))).append(test)
    working = (test for test in tests if not seconds_of(test))
    ordered: list[Test] = []
    for place in range(workers):
        size = (len(tests) - len(ordered)) // (workers - place)
        first = hosts[place] if place < len(hosts) else []
        ordered += [*first, *islice(working, max(0, size - len(first)))]
    return ordered
