"""Secrets: masked in whatever leaves the process, also in the forms that encodings give them."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from airbyte_cdk.models import AirbyteTraceMessage
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, get_secrets, update_secrets

_AROUND = (("", ""), ("Bearer ", ""), ("", ":"))  # a header, and basic authentication
_UNEXPECTED = "An unexpected error occurred"


def mask_secrets(config: Mapping[str, Any], specification: Mapping[str, Any]) -> None:
    """Tell the CDK's message filter every form in which a secret could appear."""
    forms: set[str] = set()
    for secret in get_secrets(specification, config):
        if isinstance(secret, str) and secret:
            forms |= encoded_forms(secret)
    # the longest first: a form may be a part of another one
    update_secrets(sorted(forms, key=len, reverse=True))


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
