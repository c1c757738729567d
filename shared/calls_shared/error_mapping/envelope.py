"""Error envelopes: a provider's own words, read where they are and never required.

Intercom: `errors[].code, message`; OpenPhone: `code, title, message` as documented, live
`error.key, message`; Amplemarket: `_errors[].code, title, detail`; Skipcall: `error.code, message`
or `code`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calls_shared.quoting import quoted


@dataclass(frozen=True)
class EnvelopeForm:
    """A form of one provider's own error body, by which it is told from a gateway's.

    Attributes:
        needs: names of the fields that must be texts with something in them.
        at: name of the field that holds them, an object or a list of objects; "" for the body.
    """

    needs: tuple[str, ...]
    at: str = ""

    def matches(self, body: Any) -> bool:
        """Whether a parsed body has this form."""
        if not isinstance(body, Mapping):
            return False
        held = body.get(self.at) if self.at else body
        parts = held if isinstance(held, list) else [held]
        return any(
            isinstance(part, Mapping)
            and all(isinstance(text := part.get(name), str) and text.strip() for name in self.needs)
            for part in parts
        )


def forms_from(table: Sequence[Mapping[str, Any]]) -> tuple[EnvelopeForm, ...]:
    """The forms that a manifest lists.

    Raises:
        TypeError: on an unknown or a missing key of a form.
        ValueError: on a form that needs no field, which every body would have.
    """
    forms = tuple(EnvelopeForm(**{**entry, "needs": tuple(entry["needs"])}) for entry in table)
    if not all(form.needs for form in forms):
        raise ValueError("an error envelope needs at least one field")
    return forms


def is_own(body: Any, forms: Iterable[EnvelopeForm]) -> bool:
    """Whether a parsed body is the provider's own error envelope."""
    return any(form.matches(body) for form in forms)


def envelope_codes(body: Any) -> Iterator[str]:
    """The codes in a provider's error envelope, wherever it puts them.

    Intercom: `errors[].code`; OpenPhone: `code`, `error.key`; Amplemarket: `_errors[].code`;
    Skipcall: `error.code`, `code`.
    """
    yield from _texts_of(body, ("code", "key"))


def envelope_titles(body: Any) -> Iterator[str]:
    """The texts that can be an error's exact title; the live OpenPhone has no field of that name.

    OpenPhone: `title`, live `error.key` or `error.message`; Amplemarket: `_errors[].title`. Never a
    `message` elsewhere: many a router says "Not Found" there.
    """
    yield from _texts_of(body, ("title",))
    if isinstance(body, Mapping) and isinstance(error := body.get("error"), Mapping):
        yield from (text for name in ("key", "message") if isinstance(text := error.get(name), str))


def envelope_text(body: Any) -> str:
    """All texts of an error envelope in lower case, for the rows that look for one."""
    names = ("message", "detail", "title", "description", "path", "field", "code")
    return "\n".join(text[:1000] for text in _texts_of(body, names)).lower()


def named_status(body: Any) -> int | None:
    """The HTTP status that an error envelope names for itself, or None."""
    for part in _envelope_parts(body):
        for name in ("status", "statusCode"):
            value = part.get(name)
            if isinstance(value, int) and 400 <= value <= 599:
                return value
    return None


def provider_message(body: Any) -> str:
    """The provider's own words in an error body, safe to quote in a message."""
    for part in _envelope_parts(body):
        for name in ("message", "detail", "title", "code"):
            value = part.get(name)
            if isinstance(value, str) and value.strip():
                return quoted(value)
    return ""


def says_error(body: Any) -> bool:
    """Whether a JSON object says that something went wrong, in one of the providers' envelopes.

    An empty one (`errors: []`, `error: null`, `success: true`) says that nothing did.
    """
    if not isinstance(body, Mapping):
        return False
    return (
        any(body.get(name) for name in ("errors", "_errors"))
        or (isinstance(error := body.get("error"), (Mapping, str, bool)) and bool(error))
        or body.get("type") == "error.list"
        or body.get("object") == "error"
        or body.get("success") is False
        or body.get("success") == "false"
    )


def _texts_of(body: Any, names: Sequence[str]) -> Iterator[str]:
    for part in _envelope_parts(body):
        for name in names:
            value = part.get(name)
            if isinstance(value, str):
                yield value


def _envelope_parts(body: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(body, Mapping):
        return
    for name in ("errors", "_errors"):
        entries = body.get(name)
        if isinstance(entries, list):
            yield from (entry for entry in entries[:20] if isinstance(entry, Mapping))
    error = body.get("error")
    if isinstance(error, Mapping):
        yield error
    elif isinstance(error, str):
        yield {"message": error}
    yield body
