"""Secrets: masked in whatever leaves the process, also in the forms that encodings give them."""

import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import permutations
from typing import Any
from urllib.parse import quote, quote_plus

from airbyte_cdk.models import AirbyteTraceMessage
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, get_secrets, update_secrets

from calls_shared.protocol.configuration import unknown_keys

_AROUND = (("", ""), ("Bearer ", ""), ("", ":"))  # a header, and basic authentication
_UNEXPECTED = "An unexpected error occurred"
_SOUNDS_SECRET = re.compile("key|token|secret|passw|credential|auth", re.IGNORECASE)
_SHORTEST_STRAY = 8  # characters; a shorter value of an unknown key is hardly a secret

# The CDK's filter is one for the whole process and forgets the earlier source's secrets when it is
# told those of another, so they are remembered here, as long as the process lives.
_masked_forms: set[str] = set()
_lock = threading.Lock()


def mask_secrets(config: Mapping[str, Any], specification: Mapping[str, Any]) -> None:
    """Tell the CDK's message filter every form in which a secret could appear.

    The secrets of all configurations that this process has seen stay masked.
    """
    secrets = [*get_secrets(specification, config), *_stray_secrets(config, specification)]
    with _lock:
        for secret in secrets:
            if isinstance(secret, str) and secret:
                _masked_forms.update(encoded_forms(secret))
        _masked_forms.update(_forms_of_pairs(secrets, config))
        # the longest first: a form may be a part of another one
        update_secrets(sorted(_masked_forms, key=len, reverse=True))


def _stray_secrets(value: Any, specification: Mapping[str, Any]) -> Iterator[str]:
    """Texts under a misspelt, foreign or nested key that stands for a secret, at any depth."""
    known = specification.get("properties", {})
    if isinstance(value, list):
        for item in value:
            yield from _stray_secrets(item, specification)
    elif isinstance(value, Mapping):
        nearest = dict.fromkeys(known) | unknown_keys(value, specification)
        for key, entry in value.items():
            if not isinstance(entry, str):
                if key in nearest:
                    yield from _stray_secrets(entry, specification)
            elif len(entry) >= _SHORTEST_STRAY and (
                known.get(nearest.get(key) or key, {}).get("airbyte_secret")
                or (key not in known and _SOUNDS_SECRET.search(key))
            ):
                yield entry


def encoded_forms(secret: str) -> set[str]:
    """A secret as it stands, and as URL, JSON, repr and Base64 encoding change it."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        escape(secret),
        re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
        *(b64encode(f"{before}{secret}{after}".encode()).decode() for before, after in _AROUND),
    }


def _forms_of_pairs(secrets: Iterable[Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Each secret together with another text of the configuration, as Basic authentication has it.

    The user's name in front of it may be no secret, but changes all of the Base64 behind it.
    """
    hidden = {secret for secret in secrets if isinstance(secret, str) and secret}
    texts = {*hidden, *(value for value in config.values() if isinstance(value, str) and value)}
    for user, password in permutations(sorted(texts), 2):
        if hidden & {user, password}:
            yield from pair_forms(user, password)


def pair_forms(user: str, password: str) -> set[str]:
    """Two parts of a credential as Basic authentication sends them, also within an URL."""
    pair = f"{user}:{password}".encode(errors="surrogatepass")
    forms = {b64encode(pair).decode(), urlsafe_b64encode(pair).decode()}
    forms |= {form.rstrip("=") for form in forms}
    quoted = {quote(form, safe="") for form in forms}
    return forms | quoted | {re.sub("%..", lambda code: code[0].lower(), form) for form in quoted}


def clean_trace(trace: AirbyteTraceMessage) -> None:
    """Mask secrets in an error trace; drop the stack trace of a failure that was foreseen."""
    error = trace.error
    if error is None:
        return
    error.message = filter_secrets(error.message)
    error.internal_message = filter_secrets(error.internal_message or "") or None
    expected = not error.message.startswith(_UNEXPECTED)
    error.stack_trace = None if expected else filter_secrets(error.stack_trace or "") or None
