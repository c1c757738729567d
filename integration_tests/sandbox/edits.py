"""Edits of sound answers: what real providers send beside what their pages promise."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from .answers import Answer
from .faults import Edit
from .seen import SeenRequest

BLOCK = 1 << 24
LISTS = ("data", "calls")
"""Where the providers' pages have their records."""


def with_body(change: Callable[[bytes], bytes], content_type: str | None = None) -> Edit:
    """Changes the bytes of a body, and what the answer says about their encoding."""

    def edit(seen: SeenRequest, answer: Answer) -> Answer:
        kind = content_type or answer.content_type
        return replace(answer, body=change(answer.body), content_type=kind)

    return edit


def with_page(change: Callable[[dict[str, Any]], object]) -> Edit:
    """Changes the parsed page in place, or the record where an answer is one."""

    def edit(seen: SeenRequest, answer: Answer) -> Answer:
        page = orjson.loads(answer.body)
        change(page)
        return replace(answer, body=orjson.dumps(page))

    return edit


def with_records(change: Callable[[dict[str, Any]], object]) -> Edit:
    """Changes each listed record in place, or the record that an answer is."""

    def every(page: dict[str, Any]) -> None:
        for record in records_of(page):
            change(record)

    return with_page(every)


def records_of(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a page; the page itself where it is one."""
    lists = [page[name] for name in LISTS if isinstance(page.get(name), list)]
    return list(lists[0]) if lists else [page]


def as_latin_1(body: bytes) -> bytes:
    """JSON in Latin-1; what it cannot spell is escaped."""
    text = body.decode()
    escaped = (sign if sign < "\u0100" else ascii_json(sign) for sign in text)
    return "".join(escaped).encode("latin-1")


def ascii_json(sign: str) -> str:
    """A character as JSON escapes it, in two halves where it needs them."""
    units = sign.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def bomb(size: int) -> Edit:
    """A gzip body that unpacks to `size` bytes of blanks and then the sound body."""

    def edit(seen: SeenRequest, answer: Answer) -> Answer:
        packer = zlib.compressobj(1, wbits=31)
        blanks = b" " * BLOCK
        parts = [packer.compress(blanks) for _ in range(size // BLOCK)]
        packed = b"".join((*parts, packer.compress(answer.body), packer.flush()))
        return replace(answer, body=packed).with_headers({"Content-Encoding": "gzip"})

    return edit


@dataclass
class SameAgain:
    """The same records on every page, under links, tokens or numbers that never end.

    The first answer is kept; `onward` names the next page in a copy of it, by the number of the
    answer.
    """

    onward: Callable[[dict[str, Any], int], object]
    _first: bytes = b""
    _answers: int = 0

    def __call__(self, seen: SeenRequest, answer: Answer) -> Answer:
        """See `Edit`."""
        self._first = self._first or answer.body
        self._answers += 1
        page = orjson.loads(self._first)
        self.onward(page, self._answers)
        return Answer(200, orjson.dumps(page), listed=answer.listed)
