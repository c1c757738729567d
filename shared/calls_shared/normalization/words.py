"""The words of a call's status and direction: what the providers' words mean.

Words are compared folded: case does not count, blanks and underscores are hyphens, and `cancelled`
is `canceled`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from calls_shared.normalization import converters

UnknownWord = Callable[[str], None]
"""What to do with a word of the provider that is in no vocabulary."""

ANSWERED: Final = "answered"
"""Stands for `in-progress` or, once the call has ended, `completed`; only the whole call tells."""

STATUSES: Final = frozenset(
    "queued ringing in-progress completed no-answer busy canceled failed forwarded".split()
)
DIRECTIONS: Final = frozenset({"inbound", "outbound"})

# Words that telephony vendors share; a manifest adds its provider's own.
_VOCABULARIES: Final[Mapping[str, Mapping[str, str]]] = {
    "status": {
        **{word: word for word in STATUSES},
        "initiated": "queued",
        "ended": "completed",
        **dict.fromkeys(("answered", "connected", "on-hold"), ANSWERED),
        **dict.fromkeys(("missed", "unanswered", "abandoned", "declined"), "no-answer"),
    },
    "direction": {
        **{word: word for word in DIRECTIONS},
        "incoming": "inbound",
        "outgoing": "outbound",
        "outbound-api": "outbound",
    },
}
_OTHERWISE: Final = {"status": "unknown", "direction": None}
COLUMNS_OF_WORDS: Final = frozenset(_VOCABULARIES)

_SEPARATORS: Final = re.compile(r"[\s_-]+")


def folded(word: str) -> str:
    """A word in the form in which words are compared."""
    return _SEPARATORS.sub("-", word.strip().casefold()).replace("cancelled", "canceled")


def is_ours(column: str, word: Any) -> bool:
    """Whether a word is one that a column of words can have; any is, of another column.

    `answered` stands for a status that only the whole call tells.
    """
    ours = {"status": STATUSES | {ANSWERED}, "direction": DIRECTIONS}
    return column not in ours or word in ours[column]


def ignore(word: str) -> None:
    """Tell nobody of an unknown word."""


def translator(
    column: str, own: Mapping[str, str], unknown_word: UnknownWord
) -> Callable[[Any], Any]:
    """A converter from a provider's word to ours.

    Args:
        column: `status` or `direction`.
        own: the provider's own words, beside the shared ones and before them.
        unknown_word: is told each word that is in neither; it becomes `unknown`, or null for a
            direction.
    """
    otherwise = _OTHERWISE[column]
    ours = {**_VOCABULARIES[column], **{folded(word): our for word, our in own.items()}}

    def translated(value: Any) -> Any:
        word = value if value.__class__ is str else converters.text(value)
        if not isinstance(word, str) or not word:
            return word or None  # unreadable, or nothing
        known = ours.get(word) or ours.get(folded(word))
        if known is None:
            unknown_word(word)
            return otherwise
        return known

    return translated
