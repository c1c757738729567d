"""Secrets: masked in whatever leaves the process, also in the forms that encodings give them."""

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from html import escape
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


def clean_trace(trace: AirbyteTraceMessage) -> None:
    """Mask secrets in an error trace; drop the stack trace of a failure that was foreseen."""
    error = trace.error
    if error is None:
        return
    error.message = filter_secrets(error.message)
    error.internal_message = filter_secrets(error.internal_message or "") or None
    expected = not error.message.startswith(_UNEXPECTED)
    error.stack_trace = None if expected else filter_secrets(error.stack_trace or "") or None
