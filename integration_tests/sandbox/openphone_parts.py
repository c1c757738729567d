"""What surrounds a call of Quo: its summary, its voicemail, and the pieces that were recorded."""

from typing import Literal, NamedTuple

Status = Literal["absent", "in-progress", "completed", "failed"]
"""Of a summary or transcript."""
Author = Literal["human", "agent"] | None
"""Who wrote a summary; None where it is not said."""
Link = Literal["amazon", "expires", "plain"]
"""How a recording's URL is signed: with a date and a span, with an end, or so that it has none."""


class Summary(NamedTuple):
    """What was talked about; lines and steps are None until it is completed."""

    status: Status
    author: Author = None
    title: str | None = None
    lines: tuple[str, ...] | None = None
    next_steps: tuple[str, ...] | None = None


class Voicemail(NamedTuple):
    """What a caller left; all but the id may be None while it is processed."""

    id: str
    status: Literal["completed", "in-progress"]
    seconds: int | None
    url: str | None
    transcript: str | None


class Utterance(NamedTuple):
    """Something that was said. Times are milliseconds from the segment's start."""

    content: str
    start: int
    end: int
    number: str | None
    actor: str | None


class Segment(NamedTuple):
    """A piece of a call that was recorded without a pause, and what was said in it.

    `started` is milliseconds since 1970. The URL is None until the recording is completed; what was
    said is None unless the transcript is completed.
    """

    id: str
    started: int
    seconds: int | None
    recording: str
    link: Link
    transcript: Status
    said: tuple[Utterance, ...] | None


class Parts(NamedTuple):
    """All that surrounds a call."""

    summary: Summary | None = None
    voicemail: Voicemail | None = None
    segments: tuple[Segment, ...] = ()
