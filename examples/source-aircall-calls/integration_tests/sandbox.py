"""A server that plays Aircall's list of calls, a world of true calls, and what a sync must bring.

What the provider's page leaves open is a switch of `Rules`.
"""

import random
import time
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from integration_tests.small_sandbox import Answer, Asked, SmallSandbox

PATH = "/v1/calls"
LINKS = "https://api.aircall.io/v1/calls"
CREDENTIALS = {"api_id": "test-id-aircall-not-real", "api_token": "test-key-aircall-not-real"}
DAY = 86_400
DEFAULT_PAGE = 20
PARAMETERS = frozenset({"from", "to", "order", "page", "per_page"})
REASONS = ("no_available_agent", "short_abandoned", "out_of_opening_hours", None)
USERS = ((11, "Ada Byron", "ada@example.com"), (12, "Émile Borel", None))
LINES = ((71, "Support", "+33184000001"), (72, "Sales 📞", "+33184000002"))
CONTACTS = ((901, "Grace", "Hopper"), (902, "", "Noether"), (903, None, None))
COMMENTS = ((), ("Call back",), ("First", "Second line\nof two"), ("", "After an empty one"))


@dataclass(frozen=True)
class TrueCall:
    """A call as it was; times in seconds since 1970."""

    id: int
    direction: str
    status: str
    started_at: int | None
    answered_at: int | None
    ended_at: int | None
    duration: int | None
    missed_call_reason: str | None
    raw_digits: str | None
    user: tuple[int, str, str | None] | None
    contact: tuple[int, str | None, str | None] | None
    line: tuple[int, str, str] | None
    comments: tuple[str, ...]
    recording: str | None

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the list, oldest first."""
        return self.started_at or 0, self.id


def a_call(number: int, started: int | None, chance: random.Random) -> TrueCall:
    """The call of a number, which rang for some seconds and was answered, or not."""
    rings, talks = chance.randrange(2, 40), chance.randrange(1, 3_000)
    answered = started + rings if started is not None and chance.random() < 0.7 else None
    ended = None if started is None else (answered or started + rings) + talks * bool(answered)
    return TrueCall(
        id=number,
        direction=chance.choice(("inbound", "outbound")),
        status="done" if ended is not None else "initial",
        started_at=started,
        answered_at=answered,
        ended_at=ended,
        duration=None if started is None or ended is None else ended - started,
        missed_call_reason=None if answered else chance.choice(REASONS),
        raw_digits=chance.choice((f"+4930{number:08d}", "anonymous", None)),
        user=chance.choice((*USERS, None)),
        contact=chance.choice((*CONTACTS, None)),
        line=chance.choice((*LINES, None)),
        comments=chance.choice(COMMENTS),
        recording=f"https://media.aircall.example/{number}.mp3" if answered else None,
    )


class World:
    """The calls of a company, spread over some days until now; some of them are odd.

    One has no start, one rings and one goes on.
    """

    def __init__(self, calls: int, days: int = 400, seed: int = 7, now: int | None = None) -> None:
        self.now = int(time.time()) if now is None else now
        self._chance = random.Random(seed)
        self.calls: dict[int, TrueCall] = {}
        for start in sorted(self.now - self._chance.randrange(days * DAY) for _ in range(calls)):
            self.add(start)
        rung = self.now - 30
        odd = (("initial", None, None), ("initial", rung, None), ("answered", rung, rung + 10))
        for number, (status, started, answered) in zip(list(self.calls)[-3:], odd, strict=False):
            self.change(
                number,
                status=status,
                started_at=started,
                answered_at=answered,
                ended_at=None,
                duration=None,
                missed_call_reason=None,
                recording=None,
            )

    def add(self, started: int | None = None) -> int:
        """A new call; its id."""
        number = 1_000_000_007 + 13 * len(self.calls)
        self.calls[number] = a_call(number, started or self.now, self._chance)
        return number

    def change(self, number: int, **fields: Any) -> None:
        """Change what is known of a call."""
        self.calls[number] = replace(self.calls[number], **fields)

    def truth(self) -> dict[str, dict[str, Any]]:
        """What a destination must hold, by id."""
        return {str(call.id): expected_call(call) for call in self.calls.values()}


def record(call: TrueCall) -> dict[str, Any]:
    """A call as Aircall lists it."""
    return {
        "id": call.id,
        "direct_link": f"https://api.aircall.io/v1/calls/{call.id}",
        "direction": call.direction,
        "status": call.status,
        "missed_call_reason": call.missed_call_reason,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "duration": call.duration,
        "voicemail": None,
        "recording": call.recording,
        "asset": None,
        "raw_digits": call.raw_digits,
        "user": named(call.user, "id", "name", "email"),
        "contact": named(call.contact, "id", "first_name", "last_name"),
        "number": named(call.line, "id", "name", "digits"),
        "tags": [{"name": "VIP"}] if call.id % 3 == 0 else [],
        "comments": [{"content": text} for text in call.comments],
        "teams": [],
    }


def named(values: tuple[Any, ...] | None, *names: str) -> dict[str, Any] | None:
    """An object of some fields, or null."""
    return None if values is None else dict(zip(names, values, strict=True))


def expected_call(call: TrueCall) -> dict[str, Any]:
    """The record of the stream `calls`, without its null columns: what the columns mean."""
    first_known = min(
        (t for t in (call.started_at, call.answered_at, call.ended_at) if t), default=None
    )
    created = call.started_at or first_known
    is_answered: bool | None = True if call.answered_at else False if call.ended_at else None
    status = {"initial": "ringing", "answered": "in-progress", "done": "completed"}[call.status]
    if status == "completed" and is_answered is False:
        status = "no-answer"
    waited_until = call.answered_at if is_answered else call.ended_at
    line = call.line or (None, None, None)
    user = call.user or (None, None, None)
    contact = call.contact or (None, None, None)
    incoming = call.direction == "inbound"
    numbers = (call.raw_digits, line[2]) if incoming else (line[2], call.raw_digits)
    columns = {
        "provider": "aircall",
        "id": str(call.id),
        "direction": call.direction,
        "status": status,
        "occurred_at": as_text(created),
        "started_at": as_text(call.started_at),
        "answered_at": as_text(call.answered_at),
        "ended_at": as_text(call.ended_at),
        "created_at": as_text(created),
        "updated_at": as_text(created),
        "answered": is_answered,
        "duration_seconds": call.duration,
        "duration_source": None if call.duration is None else "provider",
        "wait_seconds": None if is_answered is None else between(call.started_at, waited_until),
        "talk_seconds": between(call.answered_at, call.ended_at),
        "from_number": numbers[0],
        "to_number": numbers[1],
        "participants": [*dict.fromkeys(number for number in numbers if number)] or None,
        "external_number": call.raw_digits,
        "internal_number": line[2],
        "line_id": None if line[0] is None else str(line[0]),
        "line_name": line[1],
        "user_id": None if user[0] is None else str(user[0]),
        "user_name": user[1],
        "user_email": user[2],
        "contact_id": None if contact[0] is None else str(contact[0]),
        "contact_name": " ".join(name for name in contact[1:] if name) or None,
        "notes": " ".join(text for text in call.comments if text) or None,
        "recording_url": call.recording,
        "end_reason": call.missed_call_reason,
        "provider_status": call.status,
        "provider_direction": call.direction,
        "provider_record": record(call),
    }
    return {name: value for name, value in columns.items() if value is not None}


def as_text(moment: int | None) -> str | None:
    """A moment as the columns have it."""
    return (
        None
        if moment is None
        else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def between(start: int | None, end: int | None) -> int | None:
    """Whole seconds, where both are known and in order."""
    return None if start is None or end is None or end < start else end - start


@dataclass
class Rules:
    """How the server behaves.

    Attributes:
        longest_page: calls a page at most, whatever is asked for.
        wall: so many calls can be reached by paging.
        total_is_cut: whether `meta.total` ends at the wall too, or is the real number.
        limit: requests a minute.
        refused: by the number of a request (from 1), the seconds that a 429 in its place names.
    """

    longest_page: int = 50
    wall: int = 10_000
    total_is_cut: bool = False
    limit: int = 60
    refused: dict[int, int] = field(default_factory=dict)


class Sandbox(SmallSandbox):
    """The server; `CALLS_SANDBOX_URL` is its `url`."""

    def __init__(self, world: World, rules: Rules | None = None) -> None:
        super().__init__("aircall")
        self.world = world
        self.rules = rules or Rules()
        self._starts: list[float] = []

    def answer(self, asked: Asked) -> Answer:
        """What Aircall says to a request, under its limit."""
        now = time.time()
        headers = self._limited(now)
        seconds = self.rules.refused.get(len(self.requests) + 1)
        if headers is None or seconds is not None:
            headers = limit_headers(self.rules.limit, 0, int(now) + (seconds or 60))
            return Answer(refusal("Too Many Requests", "Wait for the reset."), 429, headers)
        return replace(self._listing(asked), headers=headers)

    def _listing(self, asked: Asked) -> Answer:
        if credential_of(asked.headers.get("authorization", "")) != ":".join(CREDENTIALS.values()):
            return Answer(refusal("Forbidden", "Check your API ID and your API token."), 403)
        query = asked.query
        if asked.path != PATH or query.keys() - PARAMETERS:
            return Answer(refusal("Not Found", "There is nothing here."), 404)
        page, size = int(query.get("page", "1")), int(query.get("per_page", DEFAULT_PAGE))
        size = min(size, self.rules.longest_page)
        if page * size > self.rules.wall:
            return Answer(refusal("Bad Request", "No more calls can be reached by paging."), 400)
        calls = self._listed(query)
        found = calls[(page - 1) * size : page * size]
        total = min(len(calls), self.rules.wall) if self.rules.total_is_cut else len(calls)
        has_next = page * size < len(calls) and (page + 1) * size <= self.rules.wall
        meta = {
            "count": len(found),
            "total": total,
            "current_page": page,
            "per_page": size,
            "next_page_link": link(query, page + 1) if has_next else None,
            "previous_page_link": link(query, page - 1) if page > 1 else None,
        }
        return Answer({"meta": meta, "calls": [record(call) for call in found]})

    def expected(self, provider: str) -> Mapping[str, Mapping[str, Any]]:
        """What a destination must hold; this sandbox plays one provider."""
        return self.world.truth()

    def _listed(self, query: Mapping[str, str]) -> list[TrueCall]:
        """The calls of a window, both bounds included; one without a start has no lower bound."""
        first, last = (int(query[name]) if name in query else None for name in ("from", "to"))
        calls: Iterable[TrueCall] = self.world.calls.values()
        if first is not None:
            calls = [
                call for call in calls if call.started_at is not None and call.started_at >= first
            ]
        if last is not None:
            calls = [call for call in calls if (call.started_at or 0) <= last]
        return sorted(calls, key=lambda call: call.place, reverse=query.get("order") == "desc")

    def _limited(self, now: float) -> dict[str, str] | None:
        """The headers of a limit that is kept, or null if one more request breaks it."""
        self._starts = [at for at in self._starts if at > now - 60.0]
        left = self.rules.limit - len(self._starts)
        if left > 0:
            self._starts.append(now)
        reset = int(self._starts[0] + 60.0) + 1 if self._starts else int(now)
        return None if left <= 0 else limit_headers(self.rules.limit, left - 1, reset)


def refusal(error: str, troubleshoot: str) -> dict[str, Any]:
    """Aircall's envelope of an error."""
    return {"error": error, "troubleshoot": troubleshoot}


def limit_headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    """The headers that tell of the limit."""
    return {
        "X-AircallApi-Limit": str(limit),
        "X-AircallApi-Remaining": str(remaining),
        "X-AircallApi-Reset": str(reset),
    }


def credential_of(header: str) -> str:
    """The user's name and password of Basic authentication, "" without them."""
    scheme, _, pair = header.partition(" ")
    return b64decode(pair).decode() if scheme == "Basic" else ""


def link(query: Mapping[str, str], page: int) -> str:
    """The absolute address of a page."""
    return f"{LINKS}?{urlencode({**query, 'page': str(page)})}"


def sandbox(calls: int) -> Sandbox:
    """The server with so many calls of two months, for the tests of all connectors."""
    october = datetime(2026, 10, 1, tzinfo=UTC)
    return Sandbox(World(calls, days=60, now=int(october.timestamp())), Rules(limit=1_000_000))
