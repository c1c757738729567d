"""The order of the tests: long ones begin first, beside others that keep the cores busy."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

Test = TypeVar("Test")


def longest_first(
    tests: Sequence[Test], seconds_of: Callable[[Test], float], workers: int
) -> list[Test]:
    """The tests in the order in which `--dist worksteal` should be given them.

    It gives each worker an equal share of the tests as they are ordered, which the worker runs from
    the front, while the others steal from the back. Here the long tests, most of which wait more
    than they work, begin the shares of half of the workers; the other half works meanwhile.

    Args:
        tests: all tests, in the order in which they were collected.
        seconds_of: how long a long test lasts; 0 for any other.
        workers: how many there are.
    """
    hosts: list[list[Test]] = [[] for _ in range(max(1, workers // 2))]
    for test in sorted(filter(seconds_of, tests), key=seconds_of, reverse=True):
        min(hosts, key=lambda host: sum(map(seconds_of, host))).append(test)
    others = (test for test in tests if not seconds_of(test))
    ordered: list[Test] = []
    for place in range(workers):
        size = (len(tests) - len(ordered)) // (workers - place)
        first = hosts[place] if place < len(hosts) else []
        ordered += [*first, *islice(others, max(0, size - len(first)))]
    return ordered
