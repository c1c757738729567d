"""Why it cannot go on: one sentence for the user, without secrets."""

from collections.abc import Iterable
from typing import Any

from calls_shared.protocol.secrets import encoded_forms
from calls_shared.quoting import quoted


class RegisterError(Exception):
    """It cannot go on; the text is one sentence for the user, without secrets."""


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text without the secrets, in whatever form they stand there."""
    forms = {form for secret in secrets if secret for form in encoded_forms(secret)}
    for form in sorted(forms, key=len, reverse=True):  # one may be a part of another
        text = text.replace(form, "****")
    return text


def said_in(body: Any, secrets: Iterable[str]) -> str:
    """What an error of the platform says, to be put behind a sentence; "" if it says nothing.

    A problem of the public API has its text in `data.message` or `detail`, an error of the Config
    API in `message`.
    """
    if not isinstance(body, dict):
        return ""
    data = body.get("data")
    texts = (
        data.get("message") if isinstance(data, dict) else None,
        body.get("detail"),
        body.get("message"),
        body.get("title"),
    )
    text = next((one for one in texts if isinstance(one, str) and one.strip()), "")
    # the first line tells it; a schema or a stack may follow
    lines = masked(text, secrets).strip().splitlines()
    return f' It said: "{quoted(lines[0])}"' if lines else ""
