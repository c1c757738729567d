"""The shape rule: an HTTP 200 counts only if its body is the page that the provider promises.

The CDK turns an HTML page, a cut body or a missing list under HTTP 200 into "0 records, success",
which loses calls for ever; here each of them is a fault of the answer, with a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests

from calls_shared.error_mapping.json_body import Body, read_json
from calls_shared.paths import field

_MEMO: Final = "calls_shared_body"
_RECORDS: Final = "calls_shared_records"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_NULL_RECORDS: Final = "{count} records of a list were null; they were left out."


class BadShapeError(ValueError):
    """A body that is not a page of records; the message says what it is instead."""


def body_of(response: requests.Response) -> Body:
    """The JSON body of a response, parsed once."""
    body: Body | None = response.__dict__.get(_MEMO)
    if body is None:
        body = read_json(response.content, response.headers.get("Content-Type") or "")
        response.__dict__[_MEMO] = body
    return body


def parsed(response: requests.Response) -> Any:
    """The value of the JSON body of a response, parsed once; None if it is not JSON."""
    return body_of(response).value


@dataclass(frozen=True)
class PageShape:
    """Where a provider's page keeps its records.

    Attributes:
        records_at: path of the list of records; empty if the body itself is the one record.
        page_count_at: path of the number of pages; "" if the provider does not number pages.
        total_at: path of the announced number of records; "" if the provider announces none.
    """

    records_at: str
    page_count_at: str = ""
    total_at: str = ""

    def is_an_answer(self, status: int) -> bool:
        """Whether an answer of this status can be the promised one."""
        return 200 <= status <= 299

    def wants_body(self, response: requests.Response) -> bool:
        """Whether the body of an answer, of which only the headers are there yet, is to be read."""
        return True

    def records(self, response: requests.Response) -> Sequence[dict[str, Any]]:
        """The records of a page, looked for once; a null among them is left out.

        What one `PageShape` has found holds for another one of the same path, which may know less
        of the page.

        Raises:
            BadShapeError: with the reason, if there is no list of records.
        """
        found: dict[str, Sequence[dict[str, Any]]] = response.__dict__.setdefault(_RECORDS, {})
        if self.records_at not in found:
            found[self.records_at] = self._found(response)
        return found[self.records_at]

    def check(self, response: requests.Response) -> None:
        """Check the shape of a 2xx answer.

        Raises:
            BadShapeError: with the reason, if the body is not the promised page.
        """
        self.records(response)

    def notes(self, response: requests.Response) -> Mapping[str, int]:
        """What the sync has to tell of a page that has passed `check`: sentences and counts."""
        repairs, nulls = body_of(response).repairs, self.nulls(response)
        return {**repairs, _NULL_RECORDS: nulls} if nulls else repairs

    def nulls(self, response: requests.Response) -> int:
        """How many entries of the list were null."""
        listed = field(self.records_at)(parsed(response)) if self.records_at else None
        return len(listed) - len(self.records(response)) if listed else 0

    def _found(self, response: requests.Response) -> Sequence[dict[str, Any]]:
        body = parsed(response)
        if not isinstance(body, dict):
            raise BadShapeError(what_it_is(response, body))
        if not self.records_at:
            if "id" not in body:
                raise BadShapeError("a JSON object without an id")
            return [body]
        records = field(self.records_at)(body)
        if records is None and self._is_announced_empty(body):
            return []
        if not isinstance(records, list):
            raise BadShapeError(f"no list under {self.records_at!r}")
        if all(record.__class__ is dict for record in records):
            return records
        given = [record for record in records if record is not None]
        if not all(isinstance(record, dict) for record in given):
            raise BadShapeError(f"an entry under {self.records_at!r} that is no object")
        return given

    def _is_announced_empty(self, body: Mapping[str, Any]) -> bool:
        """Whether null stands in place of the list, beside an announced number of 0.

        Programs whose empty list is null (Go's) write it so; a list that is not there at all is
        another answer than the promised one.
        """
        *parents, name = self.records_at.split(".")
        holder = field(".".join(parents))(body) if parents else body
        if not isinstance(holder, dict) or name not in holder:
            return False
        paths = (self.total_at, self.page_count_at)
        announced = [field(path)(body) for path in paths if path]
        return any(number in (0, "0") and number is not False for number in announced)


def what_it_is(response: requests.Response, body: Any) -> str:
    """What a body is in place of the promised one."""
    if body is not None:
        return f"a JSON {type(body).__name__} in place of an object"
    start = response.content[:200].removeprefix(_BYTE_ORDER_MARK).lstrip()
    if not start:
        return "an empty body"
    if start == b"null":
        return "the JSON value null"
    if start.startswith(b"<"):
        return "an HTML or XML page"
    if start.startswith((b"{", b"[")):
        return "a JSON body that is cut short or broken"
    return "a body that is not JSON"
