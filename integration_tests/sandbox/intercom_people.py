"""The admins of the Intercom workspace."""

from typing import NamedTuple

from .words import PEOPLE


class Admin(NamedTuple):
    """A person, or a team, as `type` says."""

    type: str
    id: str
    name: str
    email: str | None
    job_title: str | None
    away: bool


GONE = "7011"
"""Somebody who has left: calls name the id, no list does."""
ADMINS = (
    *(
        Admin(
            "admin",
            str(7_000 + place),
            f"{first} {last}",
            f"admin{place}@example.com",
            "Support – été" if place % 3 else None,
            place % 4 == 1,
        )
        for place, (first, last) in enumerate(PEOPLE)
        if str(7_000 + place) != GONE
    ),
    Admin("team", "814865", "Support", None, None, False),
    Admin("admin", "9007", "Never Called", "never@example.com", None, True),
)
