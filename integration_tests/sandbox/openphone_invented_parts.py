"""Invents what surrounds a call of Quo: always the same for the same call."""

from binascii import crc32
from typing import TYPE_CHECKING

from .openphone_parts import Author, Link, Parts, Segment, Status, Summary, Utterance, Voicemail
from .times import SECOND
from .words import NOTES

if TYPE_CHECKING:
    from .openphone_calls import OpenPhoneCall

LINKS: tuple[Link, ...] = ("amazon", "expires", "plain")
AUTHORS: tuple[Author, ...] = ("human", "agent", None)
FILES = "files.quo.example"


def parts_of(call: "OpenPhoneCall") -> Parts:
    """What surrounds the call: what a test says of it, else what its id decides."""
    if call.parts is not None:
        return call.parts
    return Parts(_summary(call), _voicemail(call), _segments(call))


def is_unfinished(call: "OpenPhoneCall") -> bool:
    """Whether something is still to come of a call that has ended."""
    has_parts = _was_talked(call) or call.voicemail_seconds is not None
    return (
        has_parts and call.completed is not None and call.landed is None and _lot(call, 1) % 5 == 0
    )


def _lot(call: "OpenPhoneCall", purpose: int) -> int:
    """A number that the call's id decides, another for each purpose."""
    return crc32(f"{purpose}{call.id}".encode()) >> 8


def _was_talked(call: "OpenPhoneCall") -> bool:
    ended = call.completed
    return call.answered is not None and (ended is None or ended >= call.answered)


def _summary(call: "OpenPhoneCall") -> Summary | None:
    lot = _lot(call, 2)
    if not _was_talked(call):
        return Summary("absent") if lot % 2 else None
    if call.completed is None or is_unfinished(call):
        return Summary("in-progress")
    if lot % 7 < 2:
        return Summary("absent" if lot % 7 else "failed")
    lines = tuple(NOTES[(lot + place) % len(NOTES)] for place in range(lot % 4))
    author = AUTHORS[lot % 3]
    return Summary("completed", author, NOTES[lot % len(NOTES)], lines, lines[1:])


def _voicemail(call: "OpenPhoneCall") -> Voicemail | None:
    if call.voicemail_seconds is None:
        return None
    identifier = f"VM{call.id[2:]}"
    if is_unfinished(call):
        return Voicemail(identifier, "in-progress", None, None, None)
    lot = _lot(call, 3)
    said = NOTES[lot % len(NOTES)] if lot % 4 else None
    url = f"https://{FILES}/{call.id}.mp3"
    return Voicemail(identifier, "completed", call.voicemail_seconds, url, said)


def _segments(call: "OpenPhoneCall") -> tuple[Segment, ...]:
    """The recorded pieces of a call that was answered: of most one, of some more, of some none."""
    lot = _lot(call, 4)
    if call.answered is None or not _was_talked(call) or lot % 6 == 0:
        return ()
    count = 3 if lot % 7 == 0 else 2 if lot % 3 == 0 else 1
    talked = (call.completed or call.answered + 600 * SECOND) - call.answered
    return tuple(
        _segment(call, number, call.answered + talked * number // count, talked // count)
        for number in range(count)
        if number + 1 < count or not (call.completed is None and count > 1 and lot % 2)
    )


def _segment(call: "OpenPhoneCall", number: int, started: int, length: int) -> Segment:
    lot = _lot(call, 5 + number)
    identifier = f"CR{lot:06x}{number}{call.id[2:]}"
    link = LINKS[lot % len(LINKS)]
    if call.completed is None:
        recording = "in-progress" if lot % 4 else "paused"
        return Segment(identifier, started, None, recording, link, "in-progress", None)
    seconds = length // SECOND
    if is_unfinished(call):
        return Segment(identifier, started, seconds, "processing", link, "in-progress", None)
    recording = ("deleted", "failed")[lot % 2] if lot % 13 == 0 else "completed"
    transcript: Status = "failed" if _lot(call, 4) % 11 == 1 else "completed"
    if _lot(call, 4) % 11 == 2:
        transcript = "absent"
    said = _said(call, lot, length) if transcript == "completed" else None
    return Segment(identifier, started, seconds, recording, link, transcript, said)


def _said(call: "OpenPhoneCall", lot: int, length: int) -> tuple[Utterance, ...]:
    """Who says what, by turns; of some segments nothing, of some speakers no number."""
    count = lot % 5
    outer = call.conversation.participants[0] if lot % 17 else None
    own = call.answered_by or call.initiated_by or call.user_id
    speakers = ((outer, None), (call.conversation.line.number, own))
    return tuple(
        Utterance(
            NOTES[(lot + turn) % len(NOTES)],
            length * turn // count,
            length * (turn + 1) // count,
            *speakers[turn % 2],
        )
        for turn in range(count)
    )
