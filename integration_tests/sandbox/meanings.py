"""What providers' words and times mean: the rules of the test oracle, `truth`.

Written without the package that the connectors read calls with, so that each can prove the other.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Columns = dict[str, Any]
TEN_WORDS = (
    *("queued", "ringing", "in-progress", "completed", "no-answer", "busy", "canceled", "failed"),
    *("forwarded", "unknown"),
)
SPELLINGS = {"cancelled": "canceled"}
YEAR_1990 = 631_152_000
"""Seconds since 1970."""
SYNONYMS = {
    "initiated": "queued",
    "ended": "completed",
    **dict.fromkeys(("missed", "unanswered", "abandoned", "declined"), "no-answer"),
}
ANSWERED_WORDS = ("answered", "connected", "on-hold")
UNANSWERED = ("no-answer", "busy", "failed", "canceled")
"""Statuses that say of themselves that nobody answered."""
DIRECTIONS = {
    "inbound": "inbound",
    "incoming": "inbound",
    "outbound": "outbound",
    "outgoing": "outbound",
    "outbound-api": "outbound",
}
SPEAKERS = ("speaker", "role")
SPOKEN = ("text", "content")


def stated(seconds: int | None) -> int | None:
    """The instant, None if it lies before 1990: such a time stands for one that never was."""
    return None if seconds is None or seconds < YEAR_1990 else seconds


def stated_milliseconds(milliseconds: int | None) -> int | None:
    """The same in milliseconds."""
    return None if milliseconds is None or milliseconds < YEAR_1990 * 1000 else milliseconds


def first_known(created: int | None, *others: int | None) -> int | None:
    """The creation, or in its place the earliest of the other times; None if there is none."""
    known = [at for at in others if at is not None]
    return min(known, default=None) if created is None else created


def folded(text: str) -> str:
    """A provider's word as it is compared: whatever its case, `_`, blank and `-` the same."""
    return SPELLINGS.get(word := text.lower().replace("_", "-").replace(" ", "-"), word)


def status_of(text: str, ended: int | None, answered: bool | None) -> str:
    """Our word for a provider's status, of a call that was answered or not, as far as known."""
    word = folded(text)
    if word in ANSWERED_WORDS:
        return "in-progress" if ended is None else "completed"
    ours = _translated(word)
    return "no-answer" if ours == "completed" and answered is False else ours


def _translated(word: str) -> str:
    return SYNONYMS.get(word, word if word in TEN_WORDS else "unknown")


def whether_answered(text: str, answered_at: int | None, ended: int | None) -> bool | None:
    """Whether a call was answered, of a provider that states when calls were."""
    if answered_at is not None:
        return True
    said = answered_by_word(text)
    ours = _translated(folded(text))
    if said is not None or ours == "forwarded":  # what became of it there, nobody tells
        return said
    return False if ours == "completed" or ended is not None else None


def answered_by_word(text: str) -> bool | None:
    """The same, as far as the status alone says it."""
    word = folded(text)
    if word in ANSWERED_WORDS or _translated(word) == "in-progress":
        return True
    return False if _translated(word) in UNANSWERED else None


def waited(
    answered: bool | None, start: int | None, answered_at: int | None, ended: int | None
) -> int | None:
    """From the start to the answer, or to the end of a call that nobody answered."""
    if answered is None:
        return None
    return seconds_between(start, answered_at if answered else ended)


def duration_source(stated: int | None, computed: int | None) -> str | None:
    """Where a duration comes from."""
    if stated is not None:
        return "provider"
    return None if computed is None else "computed"


def dialogue(entries: tuple[Any, ...]) -> str | None:
    """What was said, a line for each entry; an entry of another shape as its JSON text."""
    lines = []
    for entry in entries:
        fields = entry if isinstance(entry, dict) else {}
        speaker = next((fields[name] for name in SPEAKERS if name in fields), None)
        said = next((fields[name] for name in SPOKEN if name in fields), None)
        if said is not None:
            lines.append(said if speaker is None else f"{speaker}: {said}")
        else:
            lines.append(entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False))
    return "\n".join(lines) or None


def full_name(first: str, last: str) -> str:
    """Both names, or the one that is given."""
    return " ".join(part for part in (first, last) if part)


def seconds_between(start: int | None, end: int | None) -> int | None:
    """The distance; none between times of two clocks that run backwards."""
    return None if start is None or end is None or end < start else end - start


def milliseconds_between(start: int | None, end: int | None) -> int | None:
    """Whole seconds between two instants in milliseconds, cut."""
    between = seconds_between(start, end)
    return None if between is None else between // 1000


def as_text(seconds: int | None) -> str | None:
    """RFC 3339 in UTC, from seconds since 1970."""
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def as_text_milliseconds(milliseconds: int | None) -> str | None:
    """The same from milliseconds, with three fraction digits."""
    if milliseconds is None:
        return None
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def both(*numbers: str | None) -> list[str] | None:
    """The numbers that are known, each once, in their order; None if there is none."""
    return list(dict.fromkeys(number for number in numbers if number)) or None


def present(columns: Mapping[str, Any]) -> Columns:
    """Without nulls; an empty text says nothing either."""
    return {name: value for name, value in columns.items() if value is not None and value != ""}
