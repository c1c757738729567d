"""Intercom's true calls: the fields of its page "List all calls" plus `transcription_url`.

Some have the times that Intercom measures itself, which its preview version lists.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from .history import spread
from .times import DAY, SECOND
from .words import recording

HOST = "api.intercom.io"
ODD_IDS = {3: "007", 5: "12", 11: "1200e5"}
"""Ids that a careless reader turns into numbers, by the call's place in the history."""

LONGEST_LATE_CALL = 600
"""Seconds."""


class Timings(NamedTuple):
    """What Intercom measures itself, in seconds: of an outgoing call from its answer on."""

    duration: int | None
    talk_time: int | None
    queue_time: int | None
    hold_time: int | None


class IntercomCall(NamedTuple):
    """One call. Times are seconds since 1970 as Intercom lists them.

    `created` is when the record came into being; `timings` are None where the record lacks them.
    """

    id: str
    created: int
    conversation_id: str | None
    admin_id: str | None
    contact_id: str | None
    state: str
    initiated_at: int | None
    answered_at: int | None
    ended_at: int | None
    created_at: int | None
    updated_at: int | None
    recording_url: str | None
    transcription_url: str | None
    call_type: str
    direction: str
    ended_reason: str | None
    phone: str | None
    fin_recording_url: str | None
    fin_transcription_url: str | None
    timings: Timings | None


class Course(NamedTuple):
    """How a call goes: the words are UNKNOWN beyond `completed` and `answered`."""

    state: str
    answered: bool
    ended: bool
    ended_reason: str | None


ONGOING = Course("in-progress", True, False, None)
RINGING = Course("ringing", False, False, None)
COURSES: tuple[Course, ...] = (
    *(Course("completed", True, True, "completed"),) * 12,
    *(Course("completed", True, True, "answered"),) * 3,
    Course("completed", True, True, None),
    Course("COMPLETED", True, True, "completed"),
    Course("ended", True, True, "completed"),
    Course("ended", False, True, "abandoned"),
    Course("answered", True, True, "answered"),
    Course("answered", True, False, None),
    Course("in_progress", True, False, None),
    Course("missed", False, True, "missed"),
    Course("declined", False, True, None),
    Course("No Answer", False, False, None),
    Course("cancelled", False, True, None),
    Course("completed", False, False, None),
    Course("completed", False, True, "abandoned"),
    Course("completed", False, True, ""),
    Course("no-answer", False, True, "no_answer"),
    Course("busy", False, True, "busy"),
    Course("failed", False, True, None),
    Course("canceled", False, True, "hang_up"),
    Course("voicemail", False, True, "voicemail"),
    Course("forwarded", False, True, "forwarded"),
    ONGOING,
    RINGING,
    Course("queued", False, False, None),
    Course("on_hold", True, False, None),
    Course("on_hold", False, False, None),
)
DIRECTIONS = (
    *("outbound",) * 10,
    *("inbound",) * 9,
    *("transfer", "incoming", "Outgoing", "outbound-api"),
)


class IntercomAuthor:
    """Invents Intercom calls."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(f"intercom:{seed}")
        self._count = 0
        self._conversation: str | None = None

    def first_calls(self, count: int, now: int) -> Iterator[IntercomCall]:
        """See `Author`."""
        for at in spread(self.rng, count, now):
            yield self.new_call(at, now)

    def new_call(self, at: int, now: int) -> IntercomCall:
        """See `Author`."""
        return self._call(at // SECOND, at // SECOND, now // SECOND)

    def late_call(self, at: int, now: int) -> IntercomCall:
        """See `Author`."""
        days = 1 + int(20 * self.rng.random())
        return self._call(at // SECOND, (at - days * DAY) // SECOND, now // SECOND)

    def may_change(self, call: IntercomCall, now: int) -> bool:
        """See `Author`: `updated_at` tells, whatever the call's age."""
        return True

    def changed_call(self, call: IntercomCall, at: int) -> IntercomCall:
        """See `Author`."""
        now = max(at // SECOND, call.created)
        if call.ended_at is None:
            # an old call that never ended did end soon, and is only told late
            began = call.answered_at or call.initiated_at or call.created
            ended = max(min(now, began + LONGEST_LATE_CALL), began)
            answered = call.answered_at or (ended if self.rng.random() < 0.7 else None)
            return call._replace(
                state="completed",
                answered_at=answered,
                ended_at=ended,
                ended_reason="completed",
                updated_at=now,
            )
        return call._replace(
            recording_url=recording(HOST, call.id),
            transcription_url=f"https://{HOST}/calls/{call.id}/transcript",
            contact_id=call.contact_id or f"{self.rng.getrandbits(96):024x}",
            updated_at=now,
        )

    def touched(self, call: IntercomCall, at: int) -> IntercomCall:
        """See `Author`."""
        return call._replace(updated_at=max(at // SECOND, call.created))

    def with_fields(self, call: IntercomCall, fields: Mapping[str, Any]) -> IntercomCall:
        """See `Author`."""
        return call._replace(**fields)

    def _call(self, created: int, initiated: int, now: int) -> IntercomCall:
        random = self.rng.random
        number = self._count
        self._count += 1
        identifier = ODD_IDS.get(number) or str(215_000 + number * 3)
        course = COURSES[int(random() * len(COURSES))]
        ring = 2 + int(random() * 40)
        talk = int(random() * random() * 3_600)
        if course.ended and initiated + ring + talk > now:
            course = ONGOING if initiated + ring <= now else RINGING
        answered = initiated + ring if course.answered else None
        ended = initiated + ring + (talk if course.answered else 0) if course.ended else None
        odd = random()
        if ended is not None and odd > 0.995:
            ended = initiated - 2  # two clocks: a negative duration is null
        changed = min(now, max(created, ended or created) + int(random() * 30))
        recorded = course.answered and course.ended and odd > 0.3
        direction = DIRECTIONS[int(random() * len(DIRECTIONS))]
        timings = None
        if 0.1 < odd < 0.25:
            held = int(odd * talk / 2) if ended is not None else None
            timings = _timings(initiated, answered, ended, direction, held)
            timings = timings._replace(duration=None) if odd < 0.13 else timings
        url = recording(HOST, identifier) if recorded else None
        conversation = f"{int(random() * 1e6):07d}" if odd < 0.9 else None
        if number % 7 == 3 and conversation is not None:
            conversation = self._conversation or conversation  # one more call of the last one
        self._conversation = conversation
        return IntercomCall(
            identifier,
            created,
            conversation,
            str(7_000 + int(random() * 12)) if course.answered or odd < 0.5 else None,
            f"{self.rng.getrandbits(96):024x}" if odd < 0.8 else None,
            course.state,
            initiated if not 0.05 < odd < 0.07 else None,
            answered,
            ended,
            created if not 0.02 < odd < 0.025 else None,
            changed if not 0.03 < odd < 0.04 else None,
            url,
            f"https://{HOST}/calls/{identifier}/transcript" if recorded and odd > 0.6 else None,
            "phone" if odd < 0.95 else "messenger",
            direction,
            course.ended_reason,
            f"+1415555{int(random() * 1e4):04d}" if odd < 0.97 else None,
            recording(HOST, f"{identifier}-fin") if odd > 0.93 else None,
            f"https://{HOST}/calls/{identifier}-fin/transcript" if odd > 0.96 else None,
            timings,
        )


def _timings(
    initiated: int, answered: int | None, ended: int | None, direction: str, held: int | None
) -> Timings:
    """What Intercom measures; nothing before the call has ended."""
    if ended is None:
        return Timings(None, None, None, None)
    if answered is None:
        return Timings(ended - initiated, 0, ended - initiated, 0)
    began = initiated if direction in ("inbound", "incoming") else answered
    return Timings(ended - began, ended - answered - (held or 0), answered - initiated, held)
