"""`DeferredFailure`: a failure of a parent stream, carried to the slices that follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FIELD: Final = "deferred_failure"
"""The field of a parent record, and the extra field of a slice, that holds one."""


@dataclass(frozen=True)
class DeferredFailure:
    """The listing of a partition's parents has failed after some of them.

    The slices of the others are read all the same; the one that carries the failure raises it, so
    that no state passes what was not listed.

    Attributes:
        cause: the failure itself.
    """

    cause: Exception

    def as_parent(self, partition: Mapping[str, Any]) -> dict[str, Any]:
        """A parent record that stands for what was not listed."""
        return {"id": f"failure of {dict(partition)}", FIELD: self}


def raise_deferred(extra_fields: Mapping[str, Any]) -> None:
    """Raise the failure that a slice carries, if it carries one."""
    found = extra_fields.get(FIELD)
    if isinstance(found, DeferredFailure):
        raise found.cause
