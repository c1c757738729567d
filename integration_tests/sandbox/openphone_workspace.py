"""The OpenPhone workspace: users, numbers ("lines") and conversations."""

import re
from random import Random
from typing import NamedTuple

E164 = re.compile(r"\+[1-9]\d{1,14}")
"""The participant pattern of the page "List calls" (match it whole)."""


class User(NamedTuple):
    """A person of the workspace."""

    id: str
    first_name: str
    last_name: str
    role: str

    @property
    def email(self) -> str:
        """The address that the workspace lists."""
        return f"{self.id.lower()}@example.com"


class Line(NamedTuple):
    """A phone number of the workspace; `users` are those whom /v1/phone-numbers lists for it."""

    id: str
    number: str
    name: str
    users: tuple[User, ...]
    owner: User


class Member(NamedTuple):
    """A person as the workspace lists its users; who has not accepted yet has no name."""

    id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    role: str


class Conversation(NamedTuple):
    """A thread between a line and others.

    `people` may take part in its calls, repeated by likelihood. It is attended if each of its calls
    names one of them, whom it counts for or not. Of one that is `unlisted`, v1 knows neither the
    conversation nor its calls; if it is not `attached`, its calls belong to no line at all.
    """

    id: str
    line: Line
    participants: tuple[str, ...]
    people: tuple[User, ...]
    weight: int = 1
    dates_null: bool = False
    deleted: bool = False
    attended: bool = False
    unlisted: bool = False
    attached: bool = True

    @property
    def askable(self) -> bool:
        """Whether /v1/calls can be asked for it: one participant, an E.164 number."""
        return (
            not self.unlisted
            and len(self.participants) == 1
            and E164.fullmatch(self.participants[0]) is not None
        )


OWNER = User("USowner1", "Amélie", "Dubois", "owner")
AGENT = User("USagent2", "Björn", "Åkesson", "admin")
TRAINEE = User("US007", "Hiro", "田中", "member")
CLERK = User("USclerk4", "Grace", "Kim-Park", "member")
FRONT_DESK = User("USdesk5", "Front", "Desk", "member")
FORMER = User("USformer6", "Dmitri", "Волков", "member")

SALES = Line("PNsales1", "+14155550000", "Sales – été", (OWNER, AGENT, TRAINEE), OWNER)
SUPPORT = Line("PN5e3", "+442071838750", "Support", (AGENT, CLERK), AGENT)
LOBBY = Line("PNlobby3", "+33170000000", "Accueil", (), FRONT_DESK)
LINES = (SALES, SUPPORT, LOBBY)
GIVEN_UP = "+14155550999"
"""A number that was a line's once."""
HOLDERS = {**{line.number: line.owner.id for line in LINES}, GIVEN_UP: FORMER.id}
"""Whose the numbers of the workspace are."""
MEMBERS: tuple[Member, ...] = (
    *(
        Member(user.id, user.email, user.first_name, user.last_name, user.role)
        for user in (OWNER, AGENT, TRAINEE, CLERK, FRONT_DESK)
    ),
    Member("USinvited6", "invited@example.com", None, None, "member"),
    Member("USkiosk7", None, "Kiosk", "", "member"),
    *(
        Member(f"USseat{number}", f"seat{number}@example.com", "Siège", f"{number}", "member")
        for number in range(8, 63)
    ),
)
"""All users, more than a page of them; who has left is none."""


class Workspace:
    """Lines and conversations; new conversations can be opened."""

    lines = LINES
    owner = OWNER

    def __init__(self, rng: Random, conversations: int | None) -> None:
        self._rng = rng
        self._opened = 0
        if conversations is None:
            self.conversations = [self._conversation(*row) for row in TABLE]
        else:
            self.conversations = [self.open_conversation() for _ in range(conversations)]
        self.askable = [one for one in self.conversations if one.askable and one.weight]

    def open_conversation(self) -> Conversation:
        """A new conversation, on the lines by turns, with calls of listed people."""
        line = LINES[self._opened % len(LINES)]
        participant = f"+1646{5_550_000 + self._opened:07d}"
        return self._conversation(line, (participant,), line.users or (line.owner,))

    def _conversation(
        self,
        line: Line,
        participants: tuple[str, ...],
        people: tuple[User, ...],
        weight: int = 1,
        dates_null: bool = False,
        deleted: bool = False,
        attended: bool = False,
    ) -> Conversation:
        self._opened += 1
        identifier = f"CN{self._rng.getrandbits(64):016x}{self._opened}"
        flags = (dates_null, deleted, attended)
        return Conversation(identifier, line, participants, people, weight, *flags)


Row = tuple[Line, tuple[str, ...], tuple[User, ...], int, *tuple[bool, ...]]

TABLE: tuple[Row, ...] = (
    (SALES, ("+15551230001",), (OWNER,) * 8 + (AGENT, TRAINEE), 152, False, False),
    (SALES, ("+15551230002",), (OWNER, AGENT, FORMER), 12, False, False),
    (SALES, ("+390612345678",), (AGENT, TRAINEE), 14, True, False),
    (SALES, ("+8190123456",), (TRAINEE,), 6, False, True),
    (SALES, ("+15551230005",), (OWNER,), 1, False, False),
    (SALES, ("+15551230006",), (OWNER,), 0, False, False),
    (SALES, ("+15551230001", "+15551230002"), (OWNER,), 2, False, False),
    (SALES, ("Anonymous",), (OWNER,), 3, False, False),
    (SALES, ("72345",), (OWNER,), 2, True, False),
    (SUPPORT, ("+15551230001",), (AGENT, CLERK), 112, False, False),
    (SUPPORT, ("+4930123456",), (CLERK,), 30, True, False),
    (SUPPORT, ("+15551239002",), (AGENT, OWNER), 10, False, False),
    (SUPPORT, ("+15551239003",), (AGENT,), 8, False, False),
    (SUPPORT, ("+12",), (CLERK,), 3, False, False),
    (SUPPORT, ("Blocked",), (AGENT,), 2, False, False),
    (SUPPORT, ("+4930123456", "+4930123457", "+4930123458"), (CLERK,), 2, False, False),
    (LOBBY, ("+15551238001",), (FRONT_DESK,) * 3 + (OWNER,), 30, False, False),
    (LOBBY, ("+15551238002",), (FRONT_DESK,), 9, True, False),
    (LOBBY, ("+15551230001",), (FRONT_DESK,), 5, False, False),
    (SALES, ("+15551230007",), (OWNER, OWNER, AGENT), 12, False, False, True),
    (SALES, (SUPPORT.number,), (OWNER, AGENT), 4, False, False),
)
"""The default conversations: line, participants, people, weight, null dates, deleted, attended.

The weight is about the number of calls of 400. SALES x +15551230001 has more than 100 calls of
one user (two pages); SUPPORT x OWNER and LOBBY x OWNER are calls of somebody who is not (or no
longer) on the line; +15551230006 has messages only, and no call. The last one is between two lines
of the workspace; the one before it is answered by several people, of whom one owns most calls.
"""
