"""What was said in a call, in a form that no page documents.

What looks like a speaker and what looks like a text is taken; an entry without a text stands as its
JSON text.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_SPEAKER_NAMES: Final = ("speaker", "speaker_label", "speaker_name", "name", "role", "from", "user")
_LABEL_NAMES: Final = ("speaker_label", "speaker_name", "name", "role")
_SPOKEN_NAMES: Final = ("text", "content", "sentence", "utterance", "message", "transcript", "body")
_START_NAMES: Final = ("start_time", "start")
_END_NAMES: Final = ("end_time", "end")
_NOTHING: Final[tuple[Any, ...]] = (None, "", {}, [])

# A line such as `[00:12] Ada: Hello` or `1:02:03.5 Ada: Hello`.
_TIME: Final = r"(?:(\d{1,2}):)?(\d{1,2}):([0-5]\d(?:\.\d{1,6})?)"
_LINE: Final = re.compile(
    rf"(?:\[{_TIME}\]|{_TIME})\s+([^\s:\d][^:]{{0,59}}):\s+(\S.*)", re.ASCII | re.DOTALL
)


def line(entry: Any) -> str:
    """An entry as a line of text: `speaker: text`."""
    if isinstance(entry, str):
        return entry
    said = _said(entry)
    if said is None:
        return _as_json(entry)
    speaker = _text_in(entry, _SPEAKER_NAMES)
    return said if speaker is None else f"{entry[speaker]}: {said}"


def entries_in(value: Any) -> Iterator[dict[str, Any]]:
    """The entries of a list, of a text (a line is one), or of a single object.

    Each has `content`, and `speaker`, `speaker_label`, `start_time` and `end_time` where they are
    known.
    """
    if isinstance(value, str):
        yield from (_of_line(part) for part in value.splitlines() if part.strip())
        return
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str) and entry.strip():
            yield _of_line(entry)
        elif not isinstance(entry, str) and not any(entry is n or entry == n for n in _NOTHING):
            yield _of_object(entry)


def _of_line(text: str) -> dict[str, Any]:
    text = text.strip()
    found = _LINE.fullmatch(text)
    if found is None:
        return {"content": text}
    hours, minutes, seconds = (found[n] or found[n + 3] for n in (1, 2, 3))
    whole = int(hours or 0) * 3600 + int(minutes) * 60
    start = whole + (float(seconds) if "." in seconds else int(seconds))
    return {"speaker": found[7].rstrip(), "content": found[8], "start_time": start}


def _of_object(entry: Any) -> dict[str, Any]:
    said = _said(entry)
    if said is None:
        return {"content": _as_json(entry)}
    speaker = _text_in(entry, _SPEAKER_NAMES)
    label = _text_in(entry, [name for name in _LABEL_NAMES if name != speaker])
    found = {
        "speaker": None if speaker is None else entry[speaker],
        "speaker_label": None if label is None else entry[label],
        "content": said,
        "start_time": _number_in(entry, _START_NAMES),
        "end_time": _number_in(entry, _END_NAMES),
    }
    return {name: value for name, value in found.items() if value is not None}


def _said(entry: Any) -> str | None:
    name = _text_in(entry, _SPOKEN_NAMES) if isinstance(entry, dict) else None
    return None if name is None else str(entry[name])


def _text_in(entry: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first name under which a text stands."""
    return next((n for n in names if isinstance(entry.get(n), str) and entry[n]), None)


def _number_in(entry: Mapping[str, Any], names: Sequence[str]) -> int | float | None:
    values = (entry.get(name) for name in names)
    return next((v for v in values if isinstance(v, (int, float)) and v is not True), None)


def _as_json(entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False)
