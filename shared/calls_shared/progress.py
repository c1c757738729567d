"""How far the children of each partition of a parent stream have been read.

The CDK lets go of parent states in the order of all slices, so that one slice that fails holds back
every partition behind it, and it copies the state of all partitions for each slice. Here each slice
has a ticket, and each partition an order of its own.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airbyte_cdk.sources.streams.checkpoint.per_partition_key_serializer import (
    PerPartitionKeySerializer,
)

from calls_shared import converters

_KEYS = PerPartitionKeySerializer()


@dataclass(eq=False)
class Ticket:
    """A slice's place in the order of its partition, until it is closed.

    Attributes:
        moment: what the partition's cursor may be once this and all earlier tickets are closed;
            null if it may stay where it is.
    """

    _progress: "ParentProgress"
    _partition: "_Partition"
    moment: str | None
    closed: bool = False

    def close(self) -> None:
        """The slice has been read to its end, and all of its records have gone out."""
        self._progress._close(self)


@dataclass
class _Partition:
    reached: str | None = None
    waiting: deque[Ticket] = field(default_factory=deque)


class ParentProgress:
    """The cursor of each partition of a parent stream; safe for several threads.

    Args:
        cursor_field: the parent's cursor field.
        state: the parent's state as it was handed in, by partition.
    """

    def __init__(self, cursor_field: str, state: Mapping[str, Any]) -> None:
        self._cursor_field = cursor_field
        self._lock = threading.Lock()
        self._partitions = {
            _KEYS.to_partition_key(entry["partition"]): _Partition(entry["cursor"][cursor_field])
            for entry in state.get("states", [])
        }

    def open(self, partition: Mapping[str, Any], moment: str | None) -> Ticket:
        """The ticket of the partition's next slice."""
        with self._lock:
            place = self._partitions.setdefault(_KEYS.to_partition_key(partition), _Partition())
            ticket = Ticket(self, place, moment)
            place.waiting.append(ticket)
            return ticket

    def _close(self, ticket: Ticket) -> None:
        with self._lock:
            ticket.closed = True
            place = ticket._partition
            while place.waiting and place.waiting[0].closed:
                moment = place.waiting.popleft().moment
                moments = (m for m in (place.reached, moment) if m is not None)
                place.reached = converters.latest(moments)

    def state(self) -> dict[str, Any]:
        """The parent's state in the CDK's form."""
        with self._lock:
            return {"use_global_cursor": False, "states": list(self._states())}

    def _states(self) -> Iterator[dict[str, Any]]:
        for key, place in self._partitions.items():
            if place.reached is not None:
                cursor = {self._cursor_field: place.reached}
                yield {"partition": _KEYS.to_partition(key), "cursor": cursor}
