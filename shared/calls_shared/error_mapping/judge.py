"""`Judge`: what an answer means, by its status, its shape and the table of errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from calls_shared.error_mapping import errors
from calls_shared.error_mapping.body import BadShapeError, PageShape, parsed
from calls_shared.error_mapping.envelope import (
    EnvelopeForm,
    is_own,
    named_status,
    provider_message,
    says_error,
)
from calls_shared.error_mapping.error_table import SHARED_ROWS
from calls_shared.faults import ForeignUrlError, fault_name
from calls_shared.quoting import quoted

_RESUMES = "Run the sync again later; it resumes where it stopped."
_CHECKS = "Try again later."
_PARTIAL = "{count} pages came with an error beside their records; the records were read."


@dataclass(frozen=True)
class Judge:
    """Judges the answers of one endpoint.

    Attributes:
        provider_name: the provider's name for the user.
        key: the configuration key that holds its credential, or the keys, as a sentence names them.
        rows: the provider's own rows of the table of errors, most specific row first.
        forms: the forms of the provider's own error envelope; where none is named, any JSON object
            under an error status counts as the provider's own, and no row may skip.
        shape: what an answer of the endpoint looks like.
        resumes: whether the command is a sync, which resumes where it stopped.

    Raises:
        ValueError: on a row that skips where no form of the envelope is named.
    """

    provider_name: str
    key: str
    rows: Sequence[errors.ErrorRow]
    forms: tuple[EnvelopeForm, ...]
    shape: PageShape
    resumes: bool = True

    def __post_init__(self) -> None:
        if not self.forms and any(row.action == "skip" for row in self.rows):
            raise ValueError("a row that skips needs error_envelopes, the provider's own forms")

    def resolve(
        self,
        response: requests.Response | None,
        fault: Exception | None,
        *,
        attempt: int = 1,
        about: str = "",
    ) -> errors.Resolution:
        """What to do about an answer, or about a fault of the network if there is none.

        Args:
            response: the answer.
            fault: why there is none.
            attempt: which attempt it is, from 1.
            about: what was asked about, for `{slice}` in a sentence.
        """
        words = {
            "provider": self.provider_name,
            "key": self.key,
            "detail": "",
            "target": "no named host",
            "slice": quoted(about),
            "tried": ", and trying again did not help" if attempt > 1 else "",
            "again": _RESUMES if self.resumes else _CHECKS,
        }
        table = (*self.rows, *SHARED_ROWS)
        if isinstance(fault, ForeignUrlError):
            words["target"] = str(fault)
            return errors.resolve(table, errors.Answered(errors.LINK), words)
        if response is None:
            words["detail"] = fault_name(fault)
            return errors.resolve(table, errors.Answered(errors.NETWORK), words)
        status, body = response.status_code, parsed(response)
        if not self.shape.is_an_answer(status):
            words["target"] = _target(response) or words["target"]
            own = is_own(body, self.forms) if self.forms else isinstance(body, dict)
            return errors.resolve(
                table, errors.Answered(status, body, own, forms=self.forms), words
            )
        try:
            self.shape.check(response)
            if not says_error(body, self.forms):
                return errors.ACCEPT
            if self.shape.records(response):
                return errors.Resolution("accept", message=_PARTIAL)
            reason = "an error beside an empty list"
        except BadShapeError as error:
            reason = str(error)
        if says_error(body, self.forms):
            resolution = self._by_content(table, status, body, words)
            if resolution is not None:
                return resolution
            reason = f"an error: {provider_message(body, self.forms) or 'without a message'}"
        words["detail"] = reason
        answer = errors.Answered(errors.SHAPE, http_status=status)
        return errors.resolve(table, answer, words)

    def _by_content(
        self, table: Sequence[errors.ErrorRow], status: int, body: Any, words: dict[str, str]
    ) -> errors.Resolution | None:
        """An error envelope under HTTP 200, judged by the code or the status that it names.

        Never a skip: a skipped answer is one without a page, of status 400 or more.
        """
        for row in table:
            if row.action != "skip" and row.has_code(body, self.forms):
                same = status if isinstance(row.status, tuple) else row.status
                answer = errors.Answered(same, body, http_status=status, forms=self.forms)
                if row.matches(answer):
                    return errors.resolve([row], answer, words)
        if (named := named_status(body, self.forms)) is not None:
            rows = [row for row in table if row.action != "skip"]
            answer = errors.Answered(named, body, http_status=status, forms=self.forms)
            return errors.resolve(rows, answer, words)
        return None


def _target(response: requests.Response) -> str:
    """The host that a redirect names."""
    try:
        return quoted(urlsplit(response.headers.get("Location", "")).hostname or "")
    except ValueError:
        return ""
