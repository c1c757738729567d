"""`Judge`: what an answer means, by its status, its shape and the table of errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from calls_shared import errors
from calls_shared.body import BadShapeError, PageShape, parsed
from calls_shared.envelope import envelope_codes, has_error_envelope, provider_message
from calls_shared.transport import fault_name


@dataclass(frozen=True)
class Judge:
    """Judges the answers of one endpoint.

    Attributes:
        provider_name: the provider's name for the user.
        key: the configuration key that holds its credential.
        rows: the table of errors, most specific row first.
        shape: what a page of the endpoint looks like.
    """

    provider_name: str
    key: str
    rows: Sequence[errors.ErrorRow]
    shape: PageShape

    def resolve(
        self, response: requests.Response | None, fault: Exception | None, page: Any
    ) -> errors.Resolution:
        """What to do about an answer, or about a fault of the network if there is none.

        Args:
            response: the answer.
            fault: why there is none.
            page: the page number that was asked for, where pages are numbered.
        """
        if response is None:
            return self._row(self.rows, errors.NETWORK, None, fault_name(fault))
        status = response.status_code
        body = parsed(response)
        if not 200 <= status <= 299:
            return self._row(self.rows, status, body)
        try:
            self.shape.check(response, page)
        except BadShapeError as reason:
            return self._resolve_bad_shape(response, body, str(reason))
        return errors.ACCEPT

    def _resolve_bad_shape(
        self, response: requests.Response, body: Any, reason: str
    ) -> errors.Resolution:
        """An error envelope under HTTP 200 is judged by its content, else as a bad shape."""
        status = response.status_code
        if has_error_envelope(body):
            codes = tuple(envelope_codes(body))
            for row in self.rows:
                if row.code is None or row.code not in codes or row.action == "skip":
                    continue  # a skipped answer is one without a page: HTTP 400 or more
                same = status if isinstance(row.status, tuple) else row.status
                return self._row([row], same, body)
            reason = f"an error: {provider_message(body) or 'without a message'}"
        return self._row(self.rows, errors.SHAPE, None, reason, status)

    def _row(
        self,
        rows: Sequence[errors.ErrorRow],
        status: int | str,
        body: Any,
        detail: str = "",
        http_status: int | None = None,
    ) -> errors.Resolution:
        return errors.resolve(
            rows,
            status,
            body,
            provider=self.provider_name,
            key=self.key,
            detail=detail,
            http_status=http_status,
        )
