"""Several chains of pages at once, each page as it comes.

A list whose pages each name the next one cannot be fetched ahead; but its windows of time can be
read next to each other.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Full, Queue
from threading import Event
from typing import Final, Generic, NamedTuple, TypeVar

from calls_shared.http.places import MOST

_MOST_WAITING: Final = 64
"""Items that wait for their taker; more are not fetched."""
_LOOK_AGAIN: Final = 0.2
"""Seconds after which a chain that waits for room looks whether it is still wanted."""

Item = TypeVar("Item")


class Step(NamedTuple, Generic[Item]):
    """What became of a chain.

    Attributes:
        chain: its place in the order of all.
        item: its next item; null where it has ended.
        failure: why it ended before its end.
    """

    chain: int
    item: Item | None = None
    failure: Exception | None = None


def side_by_side(
    chains: Sequence[Callable[[], Generator[Item, None, None]]], at_once: Callable[[], int]
) -> Generator[Step[Item], None, None]:
    """The items of all chains as they come, and a step without an item at the end of each.

    Chains are begun in their order. After a failure none is begun any more, those before it are
    read to their end, and it is raised.

    Args:
        chains: each gives its items; called, and read, in a thread of its own.
        at_once: how many may be read at once; asked for each time, since it may change.
    """
    waiting = deque(range(len(chains)))
    running: set[int] = set()
    failures: dict[int, Exception] = {}
    reading = _Reading(chains)
    pool = ThreadPoolExecutor(max_workers=MOST, thread_name_prefix="side-by-side")
    try:
        while waiting or running:
            while waiting and not failures and len(running) < max(1, at_once()):
                running.add(waiting[0])
                pool.submit(reading.read, waiting.popleft())
            first_failed = min(failures, default=len(chains))
            if failures and not any(chain < first_failed for chain in running):
                break
            step = reading.steps.get()
            if step.failure is not None:
                failures[step.chain] = step.failure
            if step.item is None:
                running.remove(step.chain)
            if step.failure is None and step.chain < first_failed:
                yield step
        if failures:
            raise failures[min(failures)]
    finally:
        reading.is_over.set()
        pool.shutdown(wait=False, cancel_futures=True)


class _Reading(Generic[Item]):
    def __init__(self, chains: Sequence[Callable[[], Generator[Item, None, None]]]) -> None:
        self._chains = chains
        self.steps: Queue[Step[Item]] = Queue(_MOST_WAITING)
        self.is_over = Event()

    def read(self, chain: int) -> None:
        """Read one chain to its end, or as far as it is wanted."""
        try:
            with closing(self._chains[chain]()) as items:
                for item in items:
                    if not self._tell(Step(chain, item)):
                        return
        except Exception as failure:
            self._tell(Step(chain, failure=failure))
        else:
            self._tell(Step(chain))

    def _tell(self, step: Step[Item]) -> bool:
        while not self.is_over.is_set():
            try:
                self.steps.put(step, timeout=_LOOK_AGAIN)
            except Full:
                continue
            return True
        return False
