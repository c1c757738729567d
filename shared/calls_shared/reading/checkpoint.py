"""`Checkpoint`: a mark between the records of a slice up to which a state may tell."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Checkpoint:
    """Stands in a stream of records where all that came before it is whole.

    Attributes:
        passed: is called once all records before it, or what they were replaced by, have gone out.
    """

    passed: Callable[[], None]
