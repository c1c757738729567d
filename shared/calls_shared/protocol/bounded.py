"""`within`: what must not take longer than a time, whatever it is busy with."""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, action: Callable[[], Result]) -> Result | None:
    """The result of an action, or None if it takes longer; then it is left to its own thread.

    Raises:
        Exception: whatever the action raises in its time.
    """
    results: list[Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as failure:
            failures.append(failure)

    thread = Thread(target=run, name="bounded", daemon=True)
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    return results[0] if results else None
