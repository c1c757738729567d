"""Requests and answers as the providers' code sees them, without any socket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson

from .switches import Switches

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request below the provider's prefix; the query decoded, header names in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""

    def value(self, name: str) -> str | None:
        """The last value of a query parameter, None without it."""
        found = self.values(name)
        return found[-1] if found else None

    def values(self, name: str) -> list[str]:
        """All values of a query parameter, in order."""
        return [value for key, value in self.query if key == name]

    def bearer(self) -> str | None:
        """The key behind `Authorization: Bearer `, None without one."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" and key.strip() else None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: status, bytes, headers, and the true calls whose records it lists.

    `api_version` is that of the records, where a provider has several.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    listed: Sequence[Any] = ()
    api_version: str = "v1"

    def with_headers(self, more: Mapping[str, str]) -> "Answer":
        """The same answer with more headers."""
        return replace(self, headers={**self.headers, **more})


@dataclass(frozen=True)
class Credentials:
    """The valid keys of one provider, and those that it refuses in a way that has a name."""

    keys: frozenset[str]
    faults: Mapping[str, str]

    def knows(self, key: str | None) -> bool:
        """Whether the key exists at all."""
        return key is not None and (key in self.keys or key in self.faults)


class ProviderApi(Protocol):
    """The behaviour of one provider."""

    def answer(self, request: ApiRequest, switches: Switches, credentials: Credentials) -> Answer:
        """What the provider says to the request now."""


def json_answer(status: int, content: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is the JSON of `content`."""
    return Answer(status, orjson.dumps(content), headers or {})


def whole_number(text: str) -> int | None:
    """The integer that a query text spells in plain ASCII digits (with a sign), None otherwise."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
