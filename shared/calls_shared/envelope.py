"""Error envelopes: a provider's own words, read where they are and never required.

Intercom: `errors[].code, message`; OpenPhone: `code, title, message` as documented, live
`error.key, message`; Amplemarket: `_errors[].code, title, detail`; Skipcall: `error.code, message`
or `code`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

LONGEST_QUOTE: Final = 300  # characters of a provider's own text in one of our messages

_CONTROL_CHARACTERS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]+"
)


def envelope_codes(body: Any) -> Iterator[str]:
    """The codes in a provider's error envelope, wherever it puts them.

    Intercom: `errors[].code`; OpenPhone: `code`, `error.key`; Amplemarket: `_errors[].code`;
    Skipcall: `error.code`, `code`.
    """
    for part in _envelope_parts(body):
        for name in ("code", "key"):
            value = part.get(name)
            if isinstance(value, str):
                yield value


def envelope_text(body: Any) -> str:
    """All texts of an error envelope in lower case, for the rows that look for one."""
    names = ("message", "detail", "title", "description", "path", "field", "code")
    texts = (part.get(name) for part in _envelope_parts(body) for name in names)
    return "\n".join(text[:1000] for text in texts if isinstance(text, str)).lower()


def provider_message(body: Any) -> str:
    """The provider's own words in an error body, safe to quote in a message."""
    for part in _envelope_parts(body):
        for name in ("message", "detail", "title", "code"):
            value = part.get(name)
            if isinstance(value, str) and value.strip():
                return quoted(value)
    return ""


def quoted(words: str) -> str:
    """Foreign text made safe for a message: no control characters, at most 300 characters."""
    # secrets are masked before any cut, or the first part of one could stay
    masked = filter_secrets(words)[: 4 * LONGEST_QUOTE]
    clean = _CONTROL_CHARACTERS.sub(" ", masked).strip()
    return clean if len(clean) <= LONGEST_QUOTE else clean[: LONGEST_QUOTE - 1] + "…"


def has_error_envelope(body: Any) -> bool:
    """Whether a JSON object looks like one of the providers' error envelopes."""
    if not isinstance(body, Mapping):
        return False
    return (
        isinstance(body.get("errors"), list)
        or isinstance(body.get("_errors"), list)
        or isinstance(body.get("error"), (Mapping, str))
        or body.get("type") == "error.list"
        or body.get("object") == "error"
    )


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
