"""What is said in Intercom's calls, and what has been recorded of them.

Both follow from a call alone, so that they are the same in every world that holds it.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode
from zlib import crc32

from .intercom_calls import IntercomCall

FIN = "-fin"
"""How the id of the AI agent's leg of a call ends, which the call's `fin_...` URLs name."""
SIGNED_HOST = "https://recordings.intercom-files.example"
SIGNED_PATH = "/signed/"
SENTENCES = (
    "Hello, how can I help you?",
    "Bonjour, c’est Élodie : je n’ai rien reçu.",
    "12e5",
    "もしもし、田中です。",
    'He said: "call back" {{ later }}',
    "-",
)


class Spoken(NamedTuple):
    """One entry of a transcript; seconds from the call's start."""

    speaker: str
    label: str
    text: str
    start: float
    end: float


class Leg(NamedTuple):
    """A part of a call that has URLs of its own: the call itself, or the AI agent's leg."""

    call: IntercomCall
    id: str
    recording_url: str | None
    transcription_url: str | None


def own_leg(call: IntercomCall) -> Leg:
    """The call itself."""
    return Leg(call, call.id, call.recording_url, call.transcription_url)


def fin_leg(call: IntercomCall) -> Leg:
    """The AI agent's leg."""
    return Leg(call, call.id + FIN, call.fin_recording_url, call.fin_transcription_url)


def spoken_in(leg: Leg) -> tuple[Spoken, ...]:
    """What was said; nothing where nobody answered and no URL is given, and in some other calls."""
    answered = leg.call.answered_at is not None and leg.id == leg.call.id
    number = crc32(leg.id.encode())
    if not (answered or leg.recording_url or leg.transcription_url) or number % 4 == 0:
        return ()
    people = ("Fin", "Visitor") if leg.id.endswith(FIN) else ("Agent", "Contact")
    return tuple(
        Spoken(
            people[place % 2],
            f"{people[place % 2].lower()}-{number % 7}",
            SENTENCES[(number + place) % len(SENTENCES)],
            place * 5 + 1,
            place * 5 + 3.5,
        )
        for place in range(1 + number % 5)
    )


def signed_url(leg: Leg) -> str | None:
    """Where the recording lies, with the time for which that holds; None without a recording.

    Its URL in the record is no proof of one.
    """
    number = crc32(f"recording of {leg.id}".encode())
    if leg.recording_url is None or number % 5 == 0:
        return None
    signed = signed_at(leg)
    date = f"{datetime.fromtimestamp(signed, UTC):%Y%m%dT%H%M%SZ}"
    forms = (
        {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": date, "X-Amz-Expires": "3600"},
        {"token": "made-up"},
        {"Expires": str(signed + 3_600), "Signature": "made+up/="},
        {"X-Goog-Date": date, "X-Goog-Expires": "3600", "X-Goog-Signature": "00"},
    )
    return f"{SIGNED_HOST}{SIGNED_PATH}{leg.id}.mp3?{urlencode(forms[number % 4])}"


def signed_at(leg: Leg) -> int:
    """When the URL was signed; a real server signs it anew for each request."""
    return leg.call.ended_at or leg.call.created


def is_without_end(leg: Leg) -> bool:
    """Whether the signed URL says nothing about its end."""
    return crc32(f"recording of {leg.id}".encode()) % 4 == 1
