"""Amplemarket's true calls: the fields of its page "List calls", and what newer pages show beside.

The page is https://docs.amplemarket.com/api-reference/calls/get-calls.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from .amplemarket_people import CALLERS, DISPOSITIONS
from .history import spread
from .identifiers import milliseconds_of, uuid4, uuid7
from .times import DAY, SECOND
from .words import NOTES, PEOPLE, TRANSCRIPTS, recording

HOST = "api.amplemarket.com"
CHANGE_DAYS = 5
"""Amplemarket reports no change time.

Only young calls change, so that a lookback of a week can see it.
"""


class NewerFields(NamedTuple):
    """What newer docs have; an entry of the transcript is a text or an object of some shape."""

    transcript: tuple[Any, ...]
    disposition_name: str | None
    user_email: str | None


class AmplemarketCall(NamedTuple):
    """One call. `id` is the UUIDv7 (its time is the creation).

    `started` is start_date in seconds since 1970; some calls that were logged by hand have none.
    `newer` is None where the record lacks the newer fields.
    """

    id: str
    from_number: str
    to_number: str
    duration: int | None
    transcription: str | None
    recording_url: str | None
    has_recording_url: bool
    answered: bool | None
    human: bool
    external: bool
    started: int | None
    notes: str | None
    disposition_id: str | None
    task_id: str | None
    user_id: str
    contact_id: str | None
    contact_name: str | None
    contact_email: str | None
    direction: str
    newer: NewerFields | None


ANSWERS: tuple[tuple[bool | None, bool, bool], ...] = (
    *((True, True, True),) * 9,
    *((True, False, True),) * 2,
    (True, True, False),
    *((False, False, True),) * 3,
    (False, False, False),
    *((None, False, False),) * 3,
)
"""(answered, human, has a duration): `human` false is a default, not evidence."""
DIRECTIONS = ("outgoing",) * 12 + ("incoming",) * 6 + ("internal", "Outgoing", "INBOUND")
INCOMING = ("incoming", "INBOUND")
DIALOGUES: tuple[tuple[Any, ...], ...] = (
    ({"speaker": "Rep", "text": "Olá?"}, {"speaker": "Contact", "text": "Sim, sou o João."}),
    (),
    ({"role": "agent", "content": "Hello there"}, {"role": "contact", "content": "どうも"}),
    ("Hello?", {"text": "A text whose speaker is not known"}),
    ({"at": 0.5, "words": ["¿qué?", "nada"]}, {"speaker": "Rep", "text": "Bye"}),
)
"""Entries as they may look."""
DISPOSITION_NAMES = ("Connected", "Left a voicemail", "Não interessado", None)


class AmplemarketAuthor:
    """Invents Amplemarket calls."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(f"amplemarket:{seed}")
        self.rng.getrandbits(11 * 128)  # as many as were drawn for people once: the worlds stay

    def first_calls(self, count: int, now: int) -> Iterator[AmplemarketCall]:
        """See `Author`: every 50th was logged late."""
        for number, at in enumerate(spread(self.rng, count, now)):
            yield self.late_call(at, now) if number % 50 == 17 else self.new_call(at, now)

    def new_call(self, at: int, now: int) -> AmplemarketCall:
        """See `Author`: the record is created some seconds after the start."""
        return self._call(at, at // SECOND - int(self.rng.random() * 90), logged=False)

    def late_call(self, at: int, now: int) -> AmplemarketCall:
        """See `Author`: logged through `POST /calls`, at the head with an old start_date."""
        return self._call(at, (at - int((1 + 20 * self.rng.random()) * DAY)) // SECOND, logged=True)

    def may_change(self, call: AmplemarketCall, now: int) -> bool:
        """See `Author`."""
        return milliseconds_of(call.id) >= now - CHANGE_DAYS * DAY

    def changed_call(self, call: AmplemarketCall, at: int) -> AmplemarketCall:
        """See `Author`."""
        random = self.rng.random
        return call._replace(
            answered=True if call.answered is None else call.answered,
            duration=int(random() * 600) if call.duration is None else call.duration,
            notes=f"{NOTES[int(random() * len(NOTES))]} ({at})",
            disposition_id=DISPOSITIONS[int(random() * len(DISPOSITIONS))].id,
            recording_url=recording(HOST, call.id),
            has_recording_url=True,
        )

    def touched(self, call: AmplemarketCall, at: int) -> AmplemarketCall:
        """See `Author`: there is no change time to move."""
        return call

    def with_fields(self, call: AmplemarketCall, fields: Mapping[str, Any]) -> AmplemarketCall:
        """See `Author`."""
        return call._replace(**fields)

    def _call(self, created: int, started: int, *, logged: bool) -> AmplemarketCall:
        random = self.rng.random
        identifier = uuid7(self.rng, created)
        answered, human, has_duration = ANSWERS[int(random() * len(ANSWERS))]
        odd = random()
        person = PEOPLE[int(random() * len(PEOPLE))]
        contact = f"{self.rng.getrandbits(96):024x}" if odd < 0.7 else None
        own, other = "+351210000001", f"+35191{int(random() * 1e7):07d}"
        direction = DIRECTIONS[int(random() * len(DIRECTIONS))]
        if odd > 0.95:
            other = f"+1 {int(random() * 1e9):09d}"
        recorded = answered is True and not logged and odd < 0.5
        newer = None
        if 0.1 < odd < 0.75:
            which = int(odd * 1000)
            newer = NewerFields(
                DIALOGUES[which % len(DIALOGUES)] if answered else (),
                DISPOSITION_NAMES[which % len(DISPOSITION_NAMES)] if odd < 0.6 else None,
                f"rep{which % 6}@example.com" if odd < 0.7 else None,
            )
        return AmplemarketCall(
            identifier,
            other if direction in INCOMING else own,
            own if direction in INCOMING else other,
            int(random() * random() * 1_800) if has_duration else None,
            TRANSCRIPTS[int(random() * len(TRANSCRIPTS))] if recorded and odd < 0.2 else None,
            recording(HOST, identifier) if recorded else None,
            recorded or odd > 0.8,
            answered,
            human,
            logged,
            None if logged and odd > 0.7 else started,
            NOTES[int(random() * len(NOTES))] if odd < 0.3 else "" if odd < 0.33 else None,
            DISPOSITIONS[int(random() * 5)].id if answered is not None and odd < 0.6 else None,
            uuid4(self.rng) if odd < 0.4 else None,
            CALLERS[int(random() * len(CALLERS))].id,
            contact,
            f"{person[0]} {person[1]}" if odd < 0.6 else "" if odd < 0.62 else None,
            f"person{int(random() * 1e5)}@example.com" if odd < 0.5 else None,
            direction,
            newer,
        )
