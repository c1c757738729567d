"""`Checkpoint`: a mark in a stream of calls, passed once all that comes before it has gone out."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Checkpoint:
    """Stands between two calls; what is asked about calls overtakes none.

    Nothing of what comes after it is read before it is passed, so that what a generator does after
    it has given one out rests on all rows of the earlier calls.

    Attributes:
        passed: is called when the rows of all earlier calls have gone out.
    """

    passed: Callable[[], None] = lambda: None
