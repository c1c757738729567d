"""How far the children of each partition of a parent stream have been read.

The CDK lets go of parent states in the order of all slices, so that one slice that fails holds back
every partition behind it, and it copies the state of all partitions for each slice. Here each slice
has a ticket, and each partition an order of its own.
"""

import threading
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from airbyte_cdk.sources.streams.checkpoint.per_partition_key_serializer import (
    PerPartitionKeySerializer,
)

from calls_shared.http.budget import CallBudget
from calls_shared.normalization import times

_KEYS = PerPartitionKeySerializer()
CHANGED_SINCE = "changed_since"
"""The field of a parent, and the extra field of a slice: from when on its children's changes count
(a `sort_key`); null for all of them."""


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
    ended: bool = False

    def close(self) -> None:
        """The slice has been read to its end, and all of its records have gone out."""
        self._progress._close(self)

    def end(self) -> None:
        """The reading of the slice has ended, well or not."""
        self._progress._end(self)


@dataclass
class _Partition:
    name: str
    reached: str | None = None
    complete: str | None = None  # the cursor when all slices of a listing had been closed last
    waiting: deque[Ticket] = field(default_factory=deque)
    inventory: Mapping[str, Any] | None = None  # of what the cursor passes as it is read
    listed: Mapping[str, Any] | None = None  # of this sync
    is_given_out: bool = False


class ParentProgress:
    """The cursor and the inventory of each partition of a parent stream; safe for several threads.

    Args:
        cursor_field: the parent's cursor field.
        state: the parent's state as it was handed in, by partition.
    """

    def __init__(self, cursor_field: str, state: Mapping[str, Any]) -> None:
        self._cursor_field = cursor_field
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._partitions: dict[str, _Partition] = {}
        self._open = 0
        self._inventories = _by_name(state, "inventory")
        self._complete = _by_name(state, "complete")
        self._keeps_complete = False
        for entry in state.get("states", []):
            self._place(entry["partition"]).reached = entry["cursor"][cursor_field]

    def _place(self, partition: Mapping[str, Any]) -> _Partition:
        key = _KEYS.to_partition_key(partition)
        if key not in self._partitions:
            name = str(next((v for k, v in partition.items() if k != "parent_slice"), ""))
            kept = self._inventories.get(name)
            kept = kept if isinstance(kept, Mapping) else None
            complete = self._complete.get(name)
            complete = complete if isinstance(complete, str) else None
            self._partitions[key] = _Partition(name, complete=complete, inventory=kept)
        return self._partitions[key]

    def keep_complete(self) -> None:
        """Let the state tell the cursor of each partition's last complete reading too.

        A reading that was ended early has moved the cursor past parents of which nothing was read;
        so what has changed in a child since the last reading is told by this one only.
        """
        self._keeps_complete = True

    def complete(self, partition: Mapping[str, Any]) -> str | None:
        """The partition's cursor when it was last read completely, or null."""
        with self._lock:
            return self._place(partition).complete if self._keeps_complete else None

    def inventory(self, partition: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The partition's inventory as it was handed in, or null."""
        with self._lock:
            return self._place(partition).inventory

    def listed(
        self, partition: Mapping[str, Any], inventory: Mapping[str, Any], again: Collection[str]
    ) -> None:
        """A partition has been listed; its inventory holds once all of its slices are closed.

        It holds at once but for the years of which all is given out `again`: of the others, and of
        all where there is no cursor yet, the cursor tells how far their parents have been read. So
        a first reading that is killed goes on where it was.
        """
        with self._lock:
            place = self._place(partition)
            place.listed = inventory
            redone = () if place.reached is None else again
            years = {year: v for year, v in inventory["years"].items() if year not in redone}
            place.inventory = {**inventory, "years": years}

    def given_out(self, partition: Mapping[str, Any]) -> None:
        """All slices of a partition have been opened."""
        with self._lock:
            self._place(partition).is_given_out = True

    def all_given_out(self) -> None:
        """All slices of all partitions have been opened."""
        with self._lock:
            for place in self._partitions.values():
                place.is_given_out = place.listed is not None

    def open(self, partition: Mapping[str, Any], moment: str | None) -> Ticket:
        """The ticket of the partition's next slice."""
        with self._lock:
            place = self._place(partition)
            ticket = Ticket(self, place, moment)
            place.waiting.append(ticket)
            self._open += 1
            return ticket

    def _close(self, ticket: Ticket) -> None:
        with self._lock:
            ticket.closed = True
            place = ticket._partition
            while place.waiting and place.waiting[0].closed:
                moment = place.waiting.popleft().moment
                moments = (m for m in (place.reached, moment) if m is not None)
                place.reached = times.latest(moments)

    def _end(self, ticket: Ticket) -> None:
        with self._idle:
            self._open -= not ticket.ended
            ticket.ended = True
            self._idle.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether the reading of every slice has ended, within a time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, seconds)

    def is_proved(self) -> bool:
        """Whether every slice of every partition has been read to its end."""
        with self._lock:
            return not any(place.waiting for place in self._partitions.values())

    def state(self) -> dict[str, Any]:
        """The parent's state in the CDK's form, the inventories beside it."""
        with self._lock:
            for place in self._partitions.values():
                if place.listed is not None and place.is_given_out and not place.waiting:
                    place.inventory, place.listed = place.listed, None
                    place.complete = place.reached
            states = [
                {
                    "partition": _KEYS.to_partition(key),
                    "cursor": {self._cursor_field: place.reached},
                }
                for key, place in self._partitions.items()
                if place.reached is not None
            ]
            inventories = {
                place.name: dict(place.inventory)
                for place in self._partitions.values()
                if place.inventory is not None
            }
            found = {"use_global_cursor": False, "states": states, "inventory": inventories}
            if self._keeps_complete:
                places = self._partitions.values()
                found["complete"] = {p.name: p.complete for p in places if p.complete is not None}
        return found


def _by_name(state: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    kept = state.get(key)
    return kept if isinstance(kept, Mapping) else {}


def keep_progress(budget: CallBudget, parent: object, progress: ParentProgress) -> None:
    """Keep the progress of a parent stream's children where `progress_of` finds it.

    Args:
        budget: that of the source.
        parent: the cursor of the parent stream. Several streams may have a parent of one name, each
            of them one of its own.
        progress: the progress.
    """
    budget.kept[_name_of(parent)] = progress


def progress_of(budget: CallBudget, parent: object, otherwise: ParentProgress) -> ParentProgress:
    """The progress that is kept for a parent stream; `otherwise` is kept if there is none."""
    found: ParentProgress = budget.kept.setdefault(_name_of(parent), otherwise)
    return found


def _name_of(cursor: object) -> str:
    return f"progress of {id(cursor)}"
