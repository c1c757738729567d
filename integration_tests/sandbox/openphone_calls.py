"""OpenPhone's true calls: the fields of its page "List calls", and what live records show.

Live, `userId` is the owner of a shared line, whoever answers or places the call; an AI is named in
`answeredBy` (`SY...`, `SYU...`); a missed call with a voicemail is `completed`, without an answer
and with a duration of 0; `participants` may be empty.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from .history import spread
from .openphone_courses import (
    AI_FROM,
    COURSES,
    DIRECTIONS,
    ONGOING,
    RINGING,
    ai_answer,
    forwarding_target,
)
from .openphone_parts import Parts
from .openphone_workspace import Conversation, User, Workspace
from .times import DAY

LONGEST_LATE_CALL = 600_000
"""Milliseconds."""


class OpenPhoneCall(NamedTuple):
    """One call. Instants are milliseconds since 1970.

    `names_participants` is false where the record has an empty list of them. `landed` is when a
    summary, voicemail, recording or transcript that was long in coming had come; `parts` are what a
    test says of them (`openphone_parts` invents them else).
    """

    id: str
    conversation: Conversation
    user_id: str
    direction: str
    status: str
    answered: int | None
    completed: int | None
    created: int
    updated: int | None
    duration: int
    answered_by: str | None
    initiated_by: str | None
    call_route: str | None
    forwarded_from: str | None
    forwarded_to: str | None
    ai_handled: str | None
    names_participants: bool
    voicemail_seconds: int | None
    landed: int | None = None
    parts: Parts | None = None


class OpenPhoneAuthor:
    """Invents OpenPhone calls."""

    def __init__(
        self, seed: int, conversations: int | None, one_after_another: bool = False
    ) -> None:
        self.rng = Random(f"openphone:{seed}")
        self.even = conversations is not None
        self.one_after_another = one_after_another
        self.workspace = Workspace(self.rng, conversations)

    def first_calls(self, count: int, now: int) -> Iterator[OpenPhoneCall]:
        """See `Author`: evenly if the number of conversations was asked for, else by weight.

        Evenly is by turns, or one after another: then most conversations have long been over.
        """
        known = self.workspace.conversations
        weighted = [one for one in known for _ in range(one.weight)]
        for number, at in enumerate(spread(self.rng, count, now)):
            if self.one_after_another:
                yield self.invented(known[number * len(known) // count], at, at, now)
            elif self.even:
                yield self.invented(known[number % len(known)], at, at, now)
            else:
                yield self.invented(weighted[int(self.rng.random() * len(weighted))], at, at, now)

    def new_call(self, at: int, now: int) -> OpenPhoneCall:
        """See `Author`: every fifth opens a conversation."""
        opens = self.rng.random() < 0.2
        conversation = self.workspace.open_conversation() if opens else self._askable()
        return self._regular(self.invented(conversation, at, at, now))

    def late_call(self, at: int, now: int) -> OpenPhoneCall:
        """See `Author`: createdAt lies days back, `at` moves the conversation only."""
        created = at - int((1 + 20 * self.rng.random()) * DAY)
        return self._regular(self.invented(self._askable(), created, at, now))

    def may_change(self, call: OpenPhoneCall, now: int) -> bool:
        """See `Author`: the conversation moves, whatever the call's age."""
        return True

    def changed_call(self, call: OpenPhoneCall, at: int) -> OpenPhoneCall:
        """See `Author`."""
        at = max(at, call.created)
        if call.completed is None:
            # an old call that never ended did end soon, and is only told late
            began = call.answered or call.created
            ended = max(min(at, began + LONGEST_LATE_CALL), began)
            answered = call.answered or max(began, ended - int(self.rng.random() * 120_000))
            return call._replace(
                status="completed",
                answered=answered,
                completed=ended,
                duration=(ended - call.created) // 1_000,
                updated=at,
            )
        return call._replace(duration=call.duration + 1, updated=at)

    def touched(self, call: OpenPhoneCall, at: int) -> OpenPhoneCall:
        """See `Author`."""
        return call._replace(updated=max(at, call.created))

    def with_fields(self, call: OpenPhoneCall, fields: Mapping[str, Any]) -> OpenPhoneCall:
        """See `Author`: another conversation brings another person, unless the test names one."""
        if "conversation" in fields and "user_id" not in fields:
            fields = {**fields, "user_id": fields["conversation"].people[0].id}
        return call._replace(**fields)

    @staticmethod
    def _regular(call: OpenPhoneCall) -> OpenPhoneCall:
        """The call, taken over by somebody who is on the line: newer calls can be listed."""
        line = call.conversation.line
        if call.user_id in (line.owner.id, *(user.id for user in line.users)):
            return call
        by_person = call.answered_by is not None and call.answered_by.startswith("US")
        return call._replace(
            user_id=line.owner.id,
            answered_by=line.owner.id if by_person else call.answered_by,
            initiated_by=call.initiated_by and line.owner.id,
        )

    def _askable(self) -> Conversation:
        known = self.workspace.askable
        return known[int(self.rng.random() * len(known))]

    def invented(
        self, conversation: Conversation, created: int, at: int, now: int
    ) -> OpenPhoneCall:
        """A call of the conversation, created then and known from `at` on."""
        random = self.rng.random
        told_late = at != created
        course = COURSES[int(random() * len(COURSES))]
        ring, talk, odd = 1_000 + int(random() * 25_000), int(random() ** 2 * 2e6), random()
        if odd < 0.15:  # whole seconds, which are listed without a fraction
            created, ring, talk = (
                created - created % 1_000,
                ring - ring % 1_000,
                talk - talk % 1_000,
            )
        if course.completed and created + ring + talk > now:
            course = ONGOING if created + ring <= now else RINGING
        answered = created + ring if course.answered else None
        completed = created + ring + (talk if course.answered else 0) if course.completed else None
        chance = random()
        user = caller_of(conversation, chance)
        # a colleague may answer or place a call that counts as another's
        attended = conversation.attended
        helped = odd < 0.5 if attended else 0.2 < odd < 0.45
        helper = colleague_of(conversation, user, 1) if helped else user
        third = colleague_of(conversation, user, 2) if 0.2 < odd < 0.35 else None
        incoming = random() < 0.5 and (course.answered or not attended)
        answerer: str | None = helper.id
        ai_handled = None
        if odd > AI_FROM and not attended:
            answerer, ai_handled = ai_answer(odd, f"{int(chance * 1e8):08d}", user)
        elif odd < 0.04 and not attended:
            answerer = None
        placed = helper.id if not incoming else third and third.id
        # what an outgoing call's record says of its answer is about nobody of us
        named = incoming or 0.4 < odd < 0.45
        missed = course.status == "completed" and not course.answered and completed is not None
        voicemail = missed and incoming and odd > 0.3
        changed = min(now, max(at, completed or at) + int(random() * 30_000))
        return OpenPhoneCall(
            f"AC{self.rng.getrandbits(96):024x}",
            conversation,
            user.id,
            DIRECTIONS[incoming, 0.6 < odd < 0.62],
            course.status,
            answered,
            completed,
            created,
            changed if odd > 0.1 or told_late else None,
            (completed - created) // 1_000 if completed and not voicemail else 0,
            answerer if named and course.answered else None,
            placed,
            ("phone-menu" if odd > 0.7 else "phone-number") if incoming else None,
            "+15557654321" if odd > 0.97 else None,
            forwarding_target(odd, user) if course.status == "forwarded" else None,
            ai_handled,
            not 0.15 < odd < 0.19,
            1 + int(chance * 60) if voicemail else None,
        )


def colleague_of(conversation: Conversation, user: User, distance: int) -> User:
    """Another of the people of the conversation, the same one if there is no other."""
    people = list(dict.fromkeys(conversation.people))
    return people[(people.index(user) + distance) % len(people)]


def caller_of(conversation: Conversation, chance: float) -> User:
    """Who takes part in a call of the conversation; chance lies in [0, 1)."""
    people = conversation.people
    return people[int(chance * len(people))]
