"""How OpenPhone's calls go: their words, who answers them, where they are forwarded to."""

from typing import NamedTuple

from .openphone_workspace import User


class Course(NamedTuple):
    """How a call goes; 13 status words are CONFIRMED, what goes with them is INFERRED.

    The others stand for words that newer versions have, and for other spellings.
    """

    status: str
    answered: bool
    completed: bool


COURSES: tuple[Course, ...] = (
    *(Course("completed", True, True),) * 16,
    Course("completed", False, True),
    Course("completed", False, True),
    Course("completed", False, False),
    Course("COMPLETED", True, True),
    Course("unanswered", False, True),
    Course("No_Answer", False, False),
    Course("parked", False, True),
    Course("answered", True, True),
    Course("answered", True, False),
    Course("in-progress", True, False),
    Course("in-progress", False, False),
    Course("answered", False, True),
    Course("missed", False, True),
    Course("missed", False, False),
    Course("no-answer", False, True),
    Course("no-answer", False, False),
    Course("busy", False, False),
    Course("failed", False, False),
    Course("canceled", False, True),
    Course("abandoned", False, False),
    Course("forwarded", False, True),
    Course("forwarded", False, False),
    Course("forwarded", True, True),
    Course("queued", False, False),
    Course("initiated", False, False),
    Course("ringing", False, False),
)
ONGOING = Course("in-progress", True, False)
RINGING = Course("ringing", False, False)
DIRECTIONS = {
    (True, False): "incoming",
    (True, True): "Incoming",
    (False, False): "outgoing",
    (False, True): "OUTGOING",
}
"""By whether the call is incoming, and oddly spelled."""
AI_FROM = 0.82
"""From this chance on an AI has to do with a call that was answered."""


def ai_answer(odd: float, number: str, user: User) -> tuple[str | None, str | None]:
    """What a record names as `answeredBy` and `aiHandled` where an AI had to do with the call."""
    if odd < 0.86:  # a person took over
        return user.id, "ai-agent"
    if odd < 0.89:  # who answered is not said
        return None, "ai-agent"
    if odd < 0.93:  # the id alone tells
        return f"SY{number}", None
    return f"SYU{number}", "ai-agent"


def forwarding_target(odd: float, user: User) -> str:
    """A number, a line or a person."""
    return "+15550001111" if odd < 0.4 else "PN5e3" if odd < 0.6 else user.id
