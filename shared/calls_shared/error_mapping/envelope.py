"""Error envelopes: a provider's own words, read where they are and never required.

Where a provider puts them, its manifest says (`EnvelopeForm`). What no form speaks of is read where
many a program puts it: under `errors`, under `error`, or in the body itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from calls_shared.paths import field
from calls_shared.quoting import quoted

_BODY: Final = ""
_COMMON_PLACES: Final = ("errors", "_errors", "error", _BODY)
_MOST_PARTS: Final = 20  # of a list of errors


@dataclass(frozen=True)
class EnvelopeForm:
    """A form of one provider's own error body, by which it is told from a gateway's.

    Attributes:
        needs: names of the fields that must be texts with something in them.
        at: path of the field that holds them, an object or a list of objects; "" for the body.
        codes: names of the fields that hold a code, for the rows of the error table with `code`.
        titles: names of those that hold an exact title, for the rows with `title`.
        texts: names of those with the provider's own words, the one to be quoted first.
    """

    needs: tuple[str, ...]
    at: str = _BODY
    codes: tuple[str, ...] = ("code",)
    titles: tuple[str, ...] = ("title",)
    texts: tuple[str, ...] = ("message", "detail", "title", "code")

    def matches(self, body: Any) -> bool:
        """Whether a parsed body has this form."""
        if not isinstance(body, Mapping):
            return False
        held = field(self.at)(body) if self.at else body
        parts = held if isinstance(held, list) else [held]
        return any(
            isinstance(part, Mapping)
            and all(isinstance(text := part.get(name), str) and text.strip() for name in self.needs)
            for part in parts
        )


_NO_FORM: Final = EnvelopeForm(())


def forms_from(table: Sequence[Mapping[str, Any]]) -> tuple[EnvelopeForm, ...]:
    """The forms that a manifest lists.

    Raises:
        TypeError: on an unknown or a missing key of a form, and on one name in place of a list.
        ValueError: on a form that needs no field, which every body would have.
    """
    forms = tuple(_form(entry) for entry in table)
    if not all(form.needs for form in forms):
        raise ValueError("an error envelope needs at least one field")
    return forms


def _form(entry: Mapping[str, Any]) -> EnvelopeForm:
    names = {key: _names(key, value) for key, value in entry.items() if key != "at"}
    return EnvelopeForm(names.pop("needs"), entry.get("at", _BODY), **names)


def _names(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{key} of an error envelope must be a list of names")
    return tuple(value)


def is_own(body: Any, forms: Iterable[EnvelopeForm]) -> bool:
    """Whether a parsed body is the provider's own error envelope."""
    return any(form.matches(body) for form in forms)


class _Part(NamedTuple):
    """An object of an envelope, and the form that says what its fields are."""

    fields: Mapping[str, Any]
    form: EnvelopeForm


def envelope_codes(body: Any, forms: Sequence[EnvelopeForm] = ()) -> Iterator[str]:
    """The codes in a provider's error envelope, wherever it puts them."""
    for part in _parts(body, forms):
        yield from _texts(part.fields, part.form.codes)


def envelope_titles(body: Any, forms: Sequence[EnvelopeForm] = ()) -> Iterator[str]:
    """The texts that can be an error's exact title.

    A `message` is one only where a form says so: many a router says "Not Found" there.
    """
    for part in _parts(body, forms):
        yield from _texts(part.fields, part.form.titles)


def envelope_text(body: Any, forms: Sequence[EnvelopeForm] = ()) -> str:
    """All texts of an error envelope in lower case, for the rows that look for one."""
    common = ("message", "detail", "title", "description", "path", "field", "code")
    found: list[str] = []
    for part in _parts(body, forms):
        names = dict.fromkeys((*common, *part.form.texts, *part.form.codes))
        found += (text[:1000] for text in _texts(part.fields, names))
    return "\n".join(found).lower()


def named_status(body: Any, forms: Sequence[EnvelopeForm] = ()) -> int | None:
    """The HTTP status that an error envelope names for itself, or None."""
    for part in _parts(body, forms):
        for name in ("status", "statusCode"):
            value = part.fields.get(name)
            if isinstance(value, int) and 400 <= value <= 599:
                return value
    return None


def provider_message(body: Any, forms: Sequence[EnvelopeForm] = ()) -> str:
    """The provider's own words in an error body, safe to quote in a message."""
    for part in _parts(body, forms):
        for text in _texts(part.fields, part.form.texts):
            if text.strip():
                return quoted(text)
    return ""


def says_error(body: Any, forms: Sequence[EnvelopeForm] = ()) -> bool:
    """Whether a JSON object says that something went wrong, in one of the envelopes.

    An empty one (`errors: []`, `error: null`, `success: true`) says that nothing did.
    """
    if not isinstance(body, Mapping):
        return False
    return (
        any(body.get(name) for name in ("errors", "_errors"))
        or (isinstance(error := body.get("error"), (Mapping, str, bool)) and bool(error))
        or any(form.at not in _COMMON_PLACES and field(form.at)(body) for form in forms)
        or body.get("type") == "error.list"
        or body.get("object") == "error"
        or body.get("success") is False
        or body.get("success") == "false"
    )


def _texts(part: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        value = part.get(name)
        if isinstance(value, str):
            yield value


def _parts(body: Any, forms: Sequence[EnvelopeForm]) -> Iterator[_Part]:
    """The parts of an envelope, those inside of the body before the body itself."""
    if not isinstance(body, Mapping):
        return
    places = dict.fromkeys((*(form.at for form in forms), *_COMMON_PLACES))
    del places[_BODY]
    for place in (*places, _BODY):
        form = _joined([form for form in forms if form.at == place])
        held = field(place)(body) if place else body
        if isinstance(held, list) and place != "error":
            entries = (entry for entry in held[:_MOST_PARTS] if isinstance(entry, Mapping))
            yield from (_Part(entry, form) for entry in entries)
        elif isinstance(held, Mapping) and place not in ("errors", "_errors"):
            yield _Part(held, form)
        elif place == "error" and isinstance(held, str) and not _is_a_text(place, forms):
            yield _Part({"message": held}, _NO_FORM)


def _is_a_text(name: str, forms: Iterable[EnvelopeForm]) -> bool:
    """Whether a form says that a field of the body is one of its texts."""
    return any(name in form.texts for form in forms if form.at == _BODY)


def _joined(forms: Sequence[EnvelopeForm]) -> EnvelopeForm:
    """What several forms of one place say of its fields together."""
    if not forms:
        return _NO_FORM

    def names(of: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for some in of for name in some))

    return EnvelopeForm(
        (),
        forms[0].at,
        names(form.codes for form in forms),
        names(form.titles for form in forms),
        names(form.texts for form in forms),
    )
