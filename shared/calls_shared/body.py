"""The shape rule: an HTTP 200 counts only if its body is the page that the provider promises.

The CDK turns an HTML page, a cut body or a missing list under HTTP 200 into "0 records, success",
which loses calls for ever; here each of them is a fault of the answer, with a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import requests

from calls_shared.mapping import field

_MEMO = "calls_shared_body"
_MISSING = object()


class BadShapeError(ValueError):
    """A body that is not a page of records; the message says what it is instead."""


def parsed(response: requests.Response) -> Any:
    """The JSON body of a response, parsed once; None if it is not JSON."""
    body = response.__dict__.get(_MEMO, _MISSING)
    if body is _MISSING:
        try:
            body = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            body = None
        response.__dict__[_MEMO] = body
    return body


@dataclass(frozen=True)
class PageShape:
    """Where a provider's page keeps its records.

    Attributes:
        records_at: path of the list of records; empty if the body itself is the one record.
        page_count_at: path of the number of pages; "" if the provider does not number pages.
    """

    records_at: str
    page_count_at: str = ""

    def records(self, response: requests.Response) -> Sequence[dict[str, Any]]:
        """The records of a page that has passed `check`."""
        body = parsed(response)
        if not self.records_at:
            return [body]
        records: Sequence[dict[str, Any]] = field(self.records_at)(body)
        return records

    def check(self, response: requests.Response, page: Any = None) -> None:
        """Check the shape of a 2xx answer.

        Args:
            response: the answer, its body read.
            page: the page number that was asked for, if pages are numbered.

        Raises:
            BadShapeError: with the reason, if the body is not the promised page.
        """
        body = parsed(response)
        if not isinstance(body, Mapping):
            raise BadShapeError(_what_it_is(response, body))
        if not self.records_at:
            if "id" not in body:
                raise BadShapeError("a JSON object without an id")
            return
        records = field(self.records_at)(body)
        if not isinstance(records, list):
            raise BadShapeError(f"no list under {self.records_at!r}")
        if not all(isinstance(record, dict) for record in records):
            raise BadShapeError(f"an entry under {self.records_at!r} that is no object")
        if not records and self.page_count_at:
            pages = field(self.page_count_at)(body)
            asked = page if isinstance(page, int) else 1
            if isinstance(pages, int) and not isinstance(pages, bool) and asked < pages:
                raise BadShapeError(f"an empty page {asked} of {pages}")


def _what_it_is(response: requests.Response, body: Any) -> str:
    if body is not None:
        return f"a JSON {type(body).__name__} in place of an object"
    start = response.content[:200].lstrip()
    if not start:
        return "an empty body"
    if start == b"null":
        return "the JSON value null"
    if start.startswith(b"<"):
        return "an HTML or XML page"
    if start.startswith((b"{", b"[")):
        return "a JSON body that is cut short or broken"
    return "a body that is not JSON"
