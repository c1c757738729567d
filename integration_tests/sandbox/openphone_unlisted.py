"""Calls of Quo that v1 cannot list: of groups, of nobody's line, from numbers that are none."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from .history import spread
from .openphone_calls import OpenPhoneAuthor, OpenPhoneCall
from .openphone_workspace import (
    AGENT,
    CLERK,
    FORMER,
    FRONT_DESK,
    GIVEN_UP,
    LOBBY,
    OWNER,
    SALES,
    SUPPORT,
    TRAINEE,
    Conversation,
    Line,
    User,
)
from .times import DAY

SYSTEM_ACTOR = "SYU40010002"
"""To whom some of the calls belong: an AI of the workspace."""
TABLE: tuple[tuple[Line, tuple[str, ...], tuple[User, ...], bool], ...] = (
    (SALES, ("+15551240001", "+15551240002"), (OWNER, AGENT), True),
    (SUPPORT, ("+15551240001", "+15551240003", "+15551240004"), (CLERK,), True),
    (SUPPORT, ("+15551240005", SALES.number), (AGENT,), True),
    (LOBBY, ("Anonymous",), (FRONT_DESK,), True),
    (SALES, ("Restricted",), (TRAINEE,), True),
    (SUPPORT, ("Blocked",), (CLERK,), True),
    (SALES, ("311",), (OWNER,), True),
    (LOBBY, ("12345678",), (FRONT_DESK,), True),
    (SALES, ("+15551240006",), (OWNER, FORMER), False),
    (SUPPORT, ("+15551240007", GIVEN_UP), (AGENT,), False),
    (SALES, ("+15551240008", "+15551240009"), (OWNER,), False),
    (SALES, ("Anonymous",), (OWNER,), False),
)
"""Line, other parties, people, and whether the calls have a `phoneNumberId`.

Between two outside parties and between one and a number of the workspace; the last four are calls
without a line, the second of them with a number that was a line's.
"""


class UnlistedAuthor:
    """Invents such calls; see `Author`."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(f"openphone unlisted:{seed}")
        self._author = OpenPhoneAuthor(seed, 0)
        self._author.rng = self.rng
        self.conversations = [
            Conversation(
                f"CNunlisted{number}",
                line,
                participants,
                people,
                unlisted=True,
                attached=attached,
            )
            for number, (line, participants, people, attached) in enumerate(TABLE)
        ]

    def first_calls(self, count: int, now: int) -> Iterator[OpenPhoneCall]:
        """See `Author`: the conversations by turns."""
        for number, at in enumerate(spread(self.rng, count, now)):
            yield self._call(self.conversations[number % len(TABLE)], at, at, now)

    def new_call(self, at: int, now: int) -> OpenPhoneCall:
        """See `Author`."""
        return self._call(self._any(), at, at, now)

    def late_call(self, at: int, now: int) -> OpenPhoneCall:
        """See `Author`."""
        return self._call(self._any(), at - int((1 + 20 * self.rng.random()) * DAY), at, now)

    def may_change(self, call: OpenPhoneCall, now: int) -> bool:
        """See `Author`."""
        return self._author.may_change(call, now)

    def changed_call(self, call: OpenPhoneCall, at: int) -> OpenPhoneCall:
        """See `Author`."""
        return self._author.changed_call(call, at)

    def touched(self, call: OpenPhoneCall, at: int) -> OpenPhoneCall:
        """See `Author`."""
        return self._author.touched(call, at)

    def with_fields(self, call: OpenPhoneCall, fields: Mapping[str, Any]) -> OpenPhoneCall:
        """See `Author`."""
        return self._author.with_fields(call, fields)

    def _any(self) -> Conversation:
        return self.conversations[int(self.rng.random() * len(TABLE))]

    def _call(self, conversation: Conversation, created: int, at: int, now: int) -> OpenPhoneCall:
        call = self._author.invented(conversation, created, at, now)
        return call._replace(user_id=SYSTEM_ACTOR) if self.rng.random() < 0.25 else call
