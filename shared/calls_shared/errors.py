"""The error mapping: every answer and every network fault has an action, a type and a sentence.

`resolve` is total and pure. It walks an ordered table of rows, the provider's own (from its
manifest) before the shared ones, and the first row that matches decides. What a row can ask for:

    accept   the answer is good
    skip     the answer holds nothing for us: count it, warn, go on
    wait     a rate limit: wait as long as the provider says; this never counts as an attempt
    retry    try again, with a growing pause; after the last attempt, fail as the row says
    fail     stop at once and tell the user the row's sentence
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calls_shared.envelope import envelope_codes, envelope_text, provider_message

ACTIONS: Final = ("accept", "skip", "wait", "retry", "fail")
FAILURE_TYPES: Final = ("config_error", "transient_error", "system_error")

NETWORK: Final = "network"
SHAPE: Final = "shape"


@dataclass(frozen=True)
class ErrorRow:
    """One row of the table.

    Attributes:
        status: a status code, an inclusive range (first, last), `network` or `shape`.
        action: one of `ACTIONS`.
        message: the sentence for the user; `{provider}`, `{key}`, `{status}`, `{says}` (the
            provider's own words) and `{detail}` (what was wrong with the shape) are filled in.
        failure_type: one of `FAILURE_TYPES`.
        code: matches only if this text is one of the codes in the provider's envelope.
        says: matches only if the envelope's texts (messages, titles, paths) hold this one,
            whatever its case.
    """

    status: int | tuple[int, int] | str
    action: str
    message: str = ""
    failure_type: str = "system_error"
    code: str | None = None
    says: str | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown action {self.action!r} in an error row")
        if self.failure_type not in FAILURE_TYPES:
            raise ValueError(f"unknown failure type {self.failure_type!r} in an error row")

    def matches(self, status: int | str, codes: Sequence[str], texts: str) -> bool:
        """Whether the row is about an answer with this status, these codes and these texts."""
        if isinstance(self.status, tuple):
            first, last = self.status
            if not (isinstance(status, int) and first <= status <= last):
                return False
        elif self.status != status:
            return False
        if self.code is not None and self.code not in codes:
            return False
        return self.says is None or self.says.lower() in texts


@dataclass(frozen=True)
class Resolution:
    """What to do about one answer: the matching row with its sentence filled in."""

    action: str
    failure_type: str = "system_error"
    message: str = ""


ACCEPT: Final = Resolution("accept")

SHARED_ROWS: Final[tuple[ErrorRow, ...]] = (
    ErrorRow(
        401,
        "fail",
        "{provider} refused the API key (HTTP 401). Check the value of {key}: it may be mistyped,"
        " revoked or expired. {provider} says: {says}",
        "config_error",
    ),
    ErrorRow(
        402,
        "fail",
        "{provider} asks for a payment before it answers (HTTP 402). Renew the subscription of the"
        " workspace that {key} belongs to. {provider} says: {says}",
        "config_error",
    ),
    ErrorRow(
        403,
        "fail",
        "{provider} does not let this API key read calls (HTTP 403). Check the plan of the"
        " workspace and the permissions of {key}. {provider} says: {says}",
        "config_error",
    ),
    ErrorRow(
        429,
        "wait",
        "{provider} still refuses because of its rate limit (HTTP 429). Lower requests_per_minute,"
        " or wait until other programs that use the same key have ended.",
        "transient_error",
    ),
    *(
        ErrorRow(
            status,
            "retry",
            "{provider} could not answer (HTTP {status}), and trying again did not help. Run the"
            " sync again later; it resumes where it stopped. {provider} says: {says}",
            "transient_error",
        )
        for status in (408, 409, 423, 425, (500, 599))
    ),
    ErrorRow(
        (400, 499),
        "fail",
        "{provider} refused the request (HTTP {status}) and says: {says}",
    ),
    ErrorRow(
        (300, 399),
        "fail",
        "{provider} answered with a redirect (HTTP {status}). Redirects are not followed, so that"
        " the API key stays with {provider}. Check whether a proxy stands in between.",
    ),
    ErrorRow(
        NETWORK,
        "retry",
        "{provider} could not be reached ({detail}), and trying again did not help. Check the"
        " network and any proxy, then run the sync again; it resumes where it stopped.",
        "transient_error",
    ),
    ErrorRow(
        SHAPE,
        "retry",
        "{provider} answered HTTP {status} with something else than a page of records ({detail}),"
        " and trying again did not help. No record was taken from it. Run the sync again later, and"
        " check whether a proxy stands in between.",
        "transient_error",
    ),
    ErrorRow(
        (100, 999),
        "fail",
        "{provider} answered with the unexpected status HTTP {status} and says: {says}",
    ),
)


def rows_from(table: Sequence[Mapping[str, Any]]) -> tuple[ErrorRow, ...]:
    """A provider's rows from its manifest, followed by the shared ones.

    Raises:
        ValueError: on an unknown action or failure type.
        TypeError: on an unknown key of a row.
    """
    own: list[ErrorRow] = []
    for entry in _flat(table):
        status = entry.get("status")
        own.append(
            ErrorRow(**{**entry, "status": tuple(status) if isinstance(status, list) else status})
        )
    return (*own, *SHARED_ROWS)


def _flat(table: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """The rows of a table; one that stands in another (by reference) is a part of it."""
    for entry in table:
        if isinstance(entry, Mapping):
            yield entry
        else:
            yield from _flat(entry)


def resolve(
    rows: Sequence[ErrorRow],
    status: int | str,
    body: Any,
    *,
    provider: str,
    key: str,
    detail: str = "",
    http_status: int | None = None,
) -> Resolution:
    """The resolution of one answer that is not good, or of one network fault.

    Args:
        rows: the table, most specific row first.
        status: the HTTP status, `network`, or `shape` for a 2xx answer of the wrong shape.
        body: the parsed JSON body, or None.
        provider: the provider's name for the user.
        key: the configuration key that holds the credential.
        detail: what was wrong, for `network` and `shape`.
        http_status: the HTTP status of an answer of the wrong shape.
    """
    codes = tuple(envelope_codes(body))
    texts = envelope_text(body)
    says = provider_message(body)
    for row in rows:
        if row.matches(status, codes, texts):
            message = row.message.format(
                provider=provider,
                key=key,
                status=http_status or status,
                says=says or "nothing more.",
                detail=detail,
            )
            return Resolution(row.action, row.failure_type, message)
    return Resolution("fail", "system_error", f"{provider} answered with status {status}.")
