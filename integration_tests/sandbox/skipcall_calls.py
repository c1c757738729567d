"""Skipcall's true calls: the fields of its page "List calls" (`CallWithContactDTO`)."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from .history import spread
from .identifiers import uuid4
from .times import DAY
from .words import NOTES, PEOPLE

LONGEST_LATE_CALL = 600_000
"""Milliseconds after its creation at which a call that is told late has ended."""


class SkipcallContact(NamedTuple):
    """`CallContactSummaryDTO`."""

    id: str
    first_name: str
    last_name: str
    is_unknown: bool


class SkipcallCall(NamedTuple):
    """One call. Instants are milliseconds since 1970.

    `absent` names the optional keys that its record lacks.
    """

    id: str
    workspace_id: str
    call_type: str
    status: str
    type: str
    transferred: bool
    started: int | None
    ended: int | None
    created: int
    updated: int | None
    deleted: int | None
    notes: str | None
    membership_id: str | None
    caller: tuple[str, str] | None
    contact: SkipcallContact | None
    phone_number: str | None
    caller_phone_number: str | None
    managed_number_id: str | None
    absent: frozenset[str]


STATUSES: tuple[str, ...] = (
    *("completed",) * 12,
    "no-answer",
    "busy",
    "failed",
    "canceled",
    "queued",
    "ringing",
    "in-progress",
    "voicemail_left",
    "COMPLETED",
    "No Answer",
    "cancelled",
    "In_Progress",
)
ONGOING = ("queued", "ringing", "in-progress", "In_Progress")
OPTIONAL = {
    "updated": "updatedAt",
    "deleted": "deletedAt",
    "notes": "notes",
    "membership_id": "organizationMembershipId",
    "transferred": "transferred",
}
"""Fields of a true call whose key may be absent from its record."""
TYPES = ("outbound",) * 14 + ("inbound",) * 6 + ("internal", "INBOUND", "Outgoing")
ABSENT: tuple[frozenset[str], ...] = (
    *(frozenset[str](),) * 4,
    frozenset({"notes"}),
    frozenset({"deletedAt", "syncedWithCrmDate"}),
    frozenset({"updatedAt"}),
    frozenset({"organizationMembershipId", "adminProviderSid", "sequenceId", "sequenceRunId"}),
    frozenset({"transferred", "notes", "deletedAt", "updatedAt", "userProviderSid"}),
)


class SkipcallAuthor:
    """Invents Skipcall calls in the workspaces of the key's scope."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(f"skipcall:{seed}")
        self.workspaces = (uuid4(self.rng), uuid4(self.rng))
        self._members = [uuid4(self.rng) for _ in PEOPLE]

    def first_calls(self, count: int, now: int) -> Iterator[SkipcallCall]:
        """See `Author`."""
        for at in spread(self.rng, count, now):
            yield self.new_call(at, now)

    def new_call(self, at: int, now: int) -> SkipcallCall:
        """See `Author`."""
        return self._call(at, min(now, at + int(self.rng.random() * 300_000)), now)

    def late_call(self, at: int, now: int) -> SkipcallCall:
        """See `Author`."""
        return self._call(at, at - int((1 + 20 * self.rng.random()) * DAY), now)

    def may_change(self, call: SkipcallCall, now: int) -> bool:
        """See `Author`: `updatedAt` or `deletedAt` tells, whatever the call's age."""
        return True

    def changed_call(self, call: SkipcallCall, at: int) -> SkipcallCall:
        """See `Author`: every sixth change is a soft delete, which leaves `updatedAt` alone."""
        random = self.rng.random
        at = max(at, call.created)
        if call.deleted is None and random() < 1 / 6:
            return call._replace(deleted=at, absent=call.absent - {"deletedAt"})
        return call._replace(
            status="completed",
            started=call.created if call.started is None else call.started,
            ended=min(at, call.created + LONGEST_LATE_CALL) if call.ended is None else call.ended,
            notes=f"{NOTES[int(random() * len(NOTES))]} ({at})",
            updated=at,
            absent=call.absent - {"notes", "updatedAt"},
        )

    def touched(self, call: SkipcallCall, at: int) -> SkipcallCall:
        """See `Author`."""
        return call._replace(updated=max(at, call.created), absent=call.absent - {"updatedAt"})

    def with_fields(self, call: SkipcallCall, fields: Mapping[str, Any]) -> SkipcallCall:
        """See `Author`: a field that is set is no longer absent."""
        present = {OPTIONAL[name] for name in fields if name in OPTIONAL}
        return call._replace(absent=call.absent - present)._replace(**fields)

    def _call(self, created: int, started: int, now: int) -> SkipcallCall:
        random = self.rng.random
        status = STATUSES[int(random() * len(STATUSES))]
        member = int(random() * len(PEOPLE))
        person = PEOPLE[int(random() * len(PEOPLE))]
        absent = ABSENT[int(random() * len(ABSENT))]
        odd = random()
        talk = int(random() ** 2 * 2e6) if odd < 0.995 else -1_500  # two clocks: negative is null
        if status not in ONGOING and started + talk > now:
            status = "in-progress"
        ended = None if status in ONGOING else started + talk
        changed = min(now, max(created, ended or created) + int(random() * 30_000))
        contact = (
            SkipcallContact(uuid4(self.rng), *person, is_unknown=False) if odd < 0.75 else None
        )
        if contact and odd < 0.15:
            contact = contact._replace(first_name="", last_name="", is_unknown=True)
        elif contact and odd < 0.2:
            contact = contact._replace(last_name="")
        deleted = min(now, changed + int(random() * 20 * DAY)) if 0.3 < odd < 0.34 else None
        notes = NOTES[int(random() * len(NOTES))] if odd < 0.4 else "" if odd < 0.45 else None
        line = int(random() * 40)
        return SkipcallCall(
            uuid4(self.rng),
            self.workspaces[random() < 0.3],
            "CALL_SESSION" if odd < 0.6 else "DIRECT_CALL",
            status,
            TYPES[int(random() * len(TYPES))],
            odd > 0.9,
            None if status == "queued" or odd < 0.04 else started,
            ended,
            created,
            None if "updatedAt" in absent or odd < 0.05 else changed,
            None if "deletedAt" in absent else deleted,
            None if "notes" in absent else notes,
            None if "organizationMembershipId" in absent else self._members[member],
            PEOPLE[member] if odd < 0.92 else None,
            contact,
            f"+336{int(random() * 1e8):08d}" if odd < 0.96 else None,
            f"+3318400{line:04d}" if odd < 0.98 else None,
            f"{line:08x}-0000-4000-8000-000000000004" if odd < 0.97 else None,
            absent,
        )
