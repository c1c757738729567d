"""The error mapping: every answer and every network fault has an action, a type and a sentence.

`resolve` is total and pure. It walks an ordered table of rows, the provider's own (from its
manifest) before the shared ones (`calls_shared.error_mapping.error_table`), and the first row that
matches decides. What a row can ask for:

    accept   the answer is good
    skip     the answer holds nothing for us: count it, warn, go on
    wait     a rate limit: wait as long as the provider says; this never counts as an attempt
    retry    try again, with a growing pause; after the last attempt, fail as the row says
    fail     stop and tell the user the row's sentence

A skip must be earned: such a row matches only the provider's own envelope, never a gateway's page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calls_shared.error_mapping.envelope import (
    EnvelopeForm,
    envelope_codes,
    envelope_text,
    envelope_titles,
    provider_message,
)

ACTIONS: Final = ("accept", "skip", "wait", "retry", "fail")
FAILURE_TYPES: Final = ("config_error", "transient_error", "system_error")
ENDS: Final = ("sync", "slice")
FILLED: Final = ("provider", "key", "status", "says", "detail", "target", "slice", "tried", "again")
"""What a row's sentence may have in braces."""

NETWORK: Final = "network"
SHAPE: Final = "shape"
LINK: Final = "link"

_OF_THE_KEY = (401, 402, 403)


@dataclass(frozen=True)
class Answered:
    """What the table looks at.

    Attributes:
        status: the HTTP status, `network`, `shape` for a 2xx answer of the wrong shape, or `link`
            for a link to a host that is not the provider's.
        body: the parsed JSON body, or None.
        own: whether the body is the provider's own error envelope.
        http_status: the HTTP status of an answer of the wrong shape.
        forms: the forms of the provider's error envelope.
    """

    status: int | str
    body: Any = None
    own: bool = True
    http_status: int | None = None
    forms: tuple[EnvelopeForm, ...] = ()


@dataclass(frozen=True)
class ErrorRow:
    """One row of the table.

    Attributes:
        status: a status code, an inclusive range (first, last), `network`, `shape` or `link`.
        action: one of `ACTIONS`.
        message: the sentence for the user; what is in braces is filled in: `{provider}`, `{key}`,
            `{status}`, `{says}` (the provider's own words), `{detail}` (what was wrong with the
            shape), `{target}` (the host of a redirect or a
            link), `{slice}` (what was asked about),
            `{tried}` (that trying again did not help, if it was tried), `{again}` (when to run
            again).
        failure_type: one of `FAILURE_TYPES`.
        code: matches only if this text is one of the codes in the provider's envelope, whatever its
            case.
        title: matches only if this text is an error's exact title; beside `code`, either suffices.
        says: matches only if the envelope's texts (messages, titles, paths) hold this one,
            whatever its case.
        own: matches only a body that is (true) or is not (false) the provider's own envelope; null
            is either. A row that skips matches only the provider's own.
        ends: what a failure ends: the `sync`, because the key will be refused everywhere (the
            default for 401, 402 and 403), or the `slice` only (the default for all others).
    """

    status: int | tuple[int, int] | str
    action: str
    message: str = ""
    failure_type: str = "system_error"
    code: str | None = None
    title: str | None = None
    says: str | None = None
    own: bool | None = None
    ends: str | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown action {self.action!r} in an error row")
        if self.failure_type not in FAILURE_TYPES:
            raise ValueError(f"unknown failure type {self.failure_type!r} in an error row")
        if self.ends not in (None, *ENDS):
            raise ValueError(f"an error row cannot end {self.ends!r}")
        try:
            self.message.format(**dict.fromkeys(FILLED, ""))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise ValueError(f"what is in braces in {self.message[:40]!r} is not known") from error
        if self.action == "skip" and self.own is False:
            raise ValueError("an error row may skip the provider's own envelope only")

    @property
    def ends_sync(self) -> bool:
        """Whether a failure of this row makes all further requests of the sync pointless."""
        ends = self.ends or ("sync" if self.status in _OF_THE_KEY else "slice")
        return self.action == "fail" and ends == "sync"

    def matches(self, answer: Answered) -> bool:
        """Whether the row is about an answer."""
        if isinstance(self.status, tuple):
            first, last = self.status
            if not (isinstance(answer.status, int) and first <= answer.status <= last):
                return False
        elif self.status != answer.status:
            return False
        if (self.own is not None or self.action == "skip") and answer.own is (self.own is False):
            return False
        if (self.code or self.title) and not self._is_named(answer):
            return False
        return self.says is None or self.says.lower() in envelope_text(answer.body, answer.forms)

    def _is_named(self, answer: Answered) -> bool:
        titles = envelope_titles(answer.body, answer.forms)
        return self.has_code(answer.body, answer.forms) or (
            self.title is not None and self.title in (t.strip() for t in titles)
        )

    def has_code(self, body: Any, forms: tuple[EnvelopeForm, ...] = ()) -> bool:
        """Whether the row's code is one of those in a body."""
        if self.code is None:
            return False
        return self.code.lower() in (code.strip().lower() for code in envelope_codes(body, forms))


@dataclass(frozen=True)
class Resolution:
    """What to do about one answer: the matching row with its sentence filled in.

    `own` tells whether the answer was the provider's own error envelope.
    """

    action: str
    failure_type: str = "system_error"
    message: str = ""
    ends_sync: bool = False
    own: bool = False


ACCEPT: Final = Resolution("accept")


def rows_from(table: Sequence[Any]) -> tuple[ErrorRow, ...]:
    """A provider's rows from its manifest.

    Raises:
        ValueError: on an unknown action, failure type or end.
        TypeError: on an unknown key of a row.
    """
    rows: list[ErrorRow] = []
    for entry in _flat(table):
        status = entry.get("status")
        rows.append(
            ErrorRow(**{**entry, "status": tuple(status) if isinstance(status, list) else status})
        )
    return tuple(rows)


def _flat(table: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """The rows of a table; one that stands in another (by reference) is a part of it."""
    for entry in table:
        if isinstance(entry, Mapping):
            yield entry
        else:
            yield from _flat(entry)


def resolve(rows: Sequence[ErrorRow], answer: Answered, words: Mapping[str, str]) -> Resolution:
    """The resolution of one answer that is not good, or of one network fault.

    Args:
        rows: the table, most specific row first.
        answer: what came.
        words: what fills the braces of the sentences, beside `{status}` and `{says}`.
    """
    filled = {
        "status": answer.http_status or answer.status,
        "says": provider_message(answer.body, answer.forms) or "nothing more.",
        **words,
    }
    for row in rows:
        if row.matches(answer):
            message = row.message.format(**filled)
            return Resolution(row.action, row.failure_type, message, row.ends_sync, answer.own)
    provider = words["provider"]
    return Resolution("fail", "system_error", f"{provider} answered with status {answer.status}.")
