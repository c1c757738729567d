"""Reading a JSON body: strictly, and once more with repairs where a strict reader refuses it.

What providers' programs write and strict JSON refuses: half an emoji (JavaScript's `JSON.stringify`
writes a lone surrogate where a text was cut inside one), a byte order mark, NaN and infinities,
control characters inside a text, another character set than UTF-8. A body that is cut short stays
unreadable, and so does one that is nested too deeply.
"""

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

_CUT_CHARACTERS: Final = (
    "{count} broken characters (such as half an emoji) in the provider's texts were read as U+FFFD."
)
_NO_NUMBERS: Final = "{count} numbers that are none (NaN, infinity) were read as null."

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.ASCII | re.IGNORECASE)

# A pair of surrogates, half of one, or any other escape (so that `\\ud83d` is none).
_ESCAPES: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")

# Looked for in two steps, because the first one takes a tenth of the time of the second.
_DIGITS: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_MANY_DIGITS: Final = b"0" * 19
_LONG_INTEGER: Final = re.compile(rb"[:,\[\s](?:-\d{19}|\d{20})")
_SMALLEST: Final = -(2**63)  # what a strict reader and a strict writer keep of an integer
_LARGEST: Final = 2**64 - 1


@dataclass(frozen=True)
class Body:
    """A body that was read.

    Attributes:
        value: the JSON value; None if the body is not JSON.
        repairs: sentences about what was repaired, with their counts (see `SyncReport.note`).
    """

    value: Any
    repairs: Mapping[str, int] = field(default_factory=dict)


def read_json(content: bytes, content_type: str = "") -> Body:
    """Read a body.

    Args:
        content: its bytes.
        content_type: the header `Content-Type`; a character set that it names counts where the
            bytes are not JSON in UTF-8.
    """
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return _repaired(content, content_type)
    # an integer beyond 64 bits has become a number with a fraction, which keeps 16 digits
    if _MANY_DIGITS in content.translate(_DIGITS) and _LONG_INTEGER.search(content):
        return _repaired(content, content_type)
    return Body(value)


def _repaired(content: bytes, content_type: str) -> Body:
    repairs: Counter[str] = Counter()

    def number(digits: str) -> float | None:
        if math.isfinite(value := float(digits)):
            return value
        repairs[_NO_NUMBERS] += 1
        return None

    def integer(digits: str) -> int | str:
        """An integer beyond 64 bits stays as its digits: no writer of records keeps the number."""
        if len(digits) < 19:
            return int(digits)
        value = int(digits) if len(digits) < 30 else None
        return value if value is not None and _SMALLEST <= value <= _LARGEST else digits

    text, broken = _whole_characters(_text(content, content_type))
    if broken:
        repairs[_CUT_CHARACTERS] = broken
    try:
        value = json.loads(
            text, strict=False, parse_constant=number, parse_float=number, parse_int=integer
        )
    except (ValueError, RecursionError):
        return Body(None)
    return Body(value, repairs)


def _text(content: bytes, content_type: str) -> str:
    """The text of a body; a byte that its character set does not know becomes half a character."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    declared = _CHARSET.search(content_type)
    for encoding, errors in (
        ("utf-8", "surrogatepass"),
        (declared[1] if declared else "utf-8", "surrogateescape"),
    ):
        try:
            return content.decode(encoding, errors)
        except (UnicodeError, LookupError):  # of another set, or of none that Python knows
            pass
    return content.decode("utf-8", "surrogateescape")


def _whole_characters(text: str) -> tuple[str, int]:
    """The text of a body with U+FFFD for each half of a character, and how many there were."""
    broken = 0

    def whole(match: re.Match[str]) -> str:
        nonlocal broken
        if match[1] is None:
            return match[0]
        broken += 1
        return "\\ufffd"

    if "\\u" in text:
        text = _ESCAPES.sub(whole, text)
    if _SURROGATES.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # pairs
        text, halves = _SURROGATES.subn("\ufffd", text)
        broken += halves
    return text, broken
