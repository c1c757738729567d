"""The users of the Amplemarket workspace, and the outcomes that they can choose for a call."""

from random import Random
from typing import NamedTuple

from .identifiers import uuid4
from .words import PEOPLE

_RNG = Random("people of amplemarket")


class AmplemarketUser(NamedTuple):
    """A user; some fields may be null."""

    id: str
    name: str | None
    email: str | None
    status: str | None
    role: str | None


class Disposition(NamedTuple):
    """An outcome of a call."""

    id: str
    name: str
    slug: str | None
    action: str | None


STATUSES = ("active", "active", "deactivated", "active", "invited", None)
ROLES = ("sales_rep", "admin", None, "sales_rep")


def _user(place: int) -> AmplemarketUser:
    first, last = PEOPLE[place % len(PEOPLE)]
    return AmplemarketUser(
        uuid4(_RNG),
        None if place == 9 else f"{first} {last}",
        "" if place == 8 else f"rep{place}@example.com",
        STATUSES[place % len(STATUSES)],
        ROLES[place % len(ROLES)],
    )


USERS = tuple(map(_user, range(123)))
CALLERS = USERS[:6]
"""Those whom calls name; the others fill pages."""
DISPOSITIONS = (
    Disposition(uuid4(_RNG), "Connected", "connected", "complete"),
    Disposition(uuid4(_RNG), "Left a voicemail", "left-voicemail", "next_stage"),
    Disposition(uuid4(_RNG), "Não interessado", "nao-interessado", "complete"),
    Disposition(uuid4(_RNG), "12e5", "12e5", None),
    Disposition(uuid4(_RNG), "Wrong number", None, "a later action"),
)
