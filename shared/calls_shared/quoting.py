"""Foreign text made safe for our messages."""

import re
from typing import Final

from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

LONGEST_QUOTE: Final = 300  # characters of a provider's own text in one of our messages

_CONTROL_CHARACTERS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]+"
)


def quoted(words: str) -> str:
    """Foreign text made safe for a message: no control characters, at most 300 characters."""
    # secrets are masked before any cut, or the first part of one could stay
    masked = filter_secrets(words)[: 4 * LONGEST_QUOTE]
    clean = _CONTROL_CHARACTERS.sub(" ", masked).strip()
    return clean if len(clean) <= LONGEST_QUOTE else clean[: LONGEST_QUOTE - 1] + "…"
