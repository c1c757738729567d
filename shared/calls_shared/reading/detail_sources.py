"""Where what there is to a call is found: in its record, by a request for it, or for several.

DetailsInRecord      the record of the call holds it
DetailsOfCall        a request for each call
DetailsOfSeveral     a request, by POST, for the calls of several keys
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

import requests
from airbyte_cdk.sources.declarative.requesters.paginators.paginator import Paginator
from airbyte_cdk.sources.types import Record, StreamSlice

from calls_shared.error_mapping import errors
from calls_shared.http.requester import CallRequester
from calls_shared.keys import FREE, Keys, exactly
from calls_shared.normalization.columns import COLUMNS
from calls_shared.normalization.converters import text
from calls_shared.normalization.mapping import SOURCE
from calls_shared.paths import field
from calls_shared.reading.extractor import PageRecords
from calls_shared.reading.pages import PageReader, ReadingSoFar
from calls_shared.reading.plan import REFUSALS

Call = Mapping[str, Any]
_CALL_ID = "stream_partition.call_id"


class Answer(NamedTuple):
    """What is known of some calls.

    Attributes:
        records: by the call's id, the records about it.
        refused: the answer that refused them, if one did.
        is_good: whether a request was answered well.
    """

    records: Mapping[str, Sequence[dict[str, Any]]]
    refused: requests.Response | None = None
    is_good: bool = False


@dataclass(kw_only=True)
class DetailsInRecord:
    """Source of what the record of the call holds; nothing is asked.

    Attributes:
        asked_if: columns of the call, of which one at least must say something (true, or a text).
        entries_at: paths in a record of the lists whose items become rows, of which the first that
            holds something counts; without one each record becomes a row.
        columns: the mapping of an item, one source a column, where `from_slice` reads the record
            around it. Without one what looks like a speaker and a text is taken.
        none_if: `{path: value, ...}`, what a record says where there is nothing.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"columns": Keys(each=SOURCE), "none_if": FREE}

    config: Mapping[str, Any]
    asked_if: Sequence[str] = dataclass_field(default_factory=list)
    entries_at: Sequence[str] = dataclass_field(default_factory=list)
    columns: Mapping[str, Mapping[str, Any]] = dataclass_field(default_factory=dict)
    none_if: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def key_of(self, call: Call) -> str | None:
        """What is asked by; null if the call is not for this source."""
        return str(call["id"]) if any(call.get(name) for name in self.asked_if) else None

    @property
    def most(self) -> int:
        """How many keys a request asks for; 0 if none is sent."""
        return 0

    def answer(self, calls: Sequence[Call], keys: Sequence[str]) -> Answer:
        """What is known of some calls."""
        return Answer({str(call["id"]): [call["provider_record"]] for call in calls})

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse columns that no call has.

        Raises:
            ValueError: saying what is wrong.
        """
        names = {column.name for column in COLUMNS}
        if not node.get("asked_if"):
            raise ValueError("asked_if is needed: which calls can have it")
        for name in (
            *node["asked_if"],
            *filter(None, (node.get("asked_by"), node.get("else_url"))),
        ):
            if name not in names:
                raise ValueError(f"{name} is no column of a call")


@dataclass(kw_only=True)
class DetailsOfCall(DetailsInRecord):
    """Source that asks for each call.

    Attributes:
        requester: sends the request; its path has `{{ stream_partition.call_id }}`.
        paginator: finds the next page, where there are pages.
        else_url: the column with the URL of what came in place of a redirect to it.
        leg: where the record is about a leg of the call with an id of its own: `{own: path, at:
            path, pattern: regular expression}`. If there is nothing at `own`, the id is what the
            pattern, which must match all of the URL at `at`, has in its first group. Nothing is
            asked if it does not match.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {
        **DetailsInRecord.KEYS,
        "leg": exactly(("own", "at", "pattern")),
    }

    requester: CallRequester
    paginator: Paginator | None = None
    else_url: str = ""
    leg: Mapping[str, str] = dataclass_field(default_factory=dict)

    @property
    def most(self) -> int:
        """How many keys a request asks for."""
        return 1

    def answer(self, calls: Sequence[Call], keys: Sequence[str]) -> Answer:
        """What is known of a call."""
        (call,) = calls
        asked = self._asked_id(call)
        if asked is None or asked in ("", ".", ".."):
            return Answer({str(call["id"]): self._with_url(call, [{}])})
        piece = StreamSlice(partition={"call_id": quote(asked, safe="")}, cursor_slice={})
        records, last = self._records(piece)
        is_refused = last.status_code in REFUSALS
        return Answer(
            {str(call["id"]): self._with_url(call, records)},
            refused=last if is_refused else None,
            is_good=self.requester.is_an_answer(last),
        )

    def _asked_id(self, call: Call) -> str | None:
        record = call["provider_record"]
        if not self.leg or field(self.leg["own"])(record):
            return str(call["id"])
        url = field(self.leg["at"])(record)
        found = re.fullmatch(self.leg["pattern"], url) if isinstance(url, str) else None
        return None if found is None else found[1]

    def _with_url(self, call: Call, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self.else_url:
            return [*records]
        return [{"url": call.get(self.else_url), **record} for record in records]

    def _records(self, piece: StreamSlice) -> tuple[list[dict[str, Any]], requests.Response]:
        """All records about a call, and the last answer."""
        if self.paginator is None:
            response = self._sent(piece, None)
            return self._taken(response), response
        last: list[requests.Response] = []
        found: list[dict[str, Any]] = []
        for page in self._reader(self.paginator, piece).pages(ReadingSoFar()):
            last = [page.response]
            found += self._taken(page.response)
        return found, last[0]

    def _taken(self, response: requests.Response) -> list[dict[str, Any]]:
        """The records of an answer; none of one that is skipped."""
        is_good = self.requester.is_an_answer(response)
        return [*self.requester.records_of(response)] if is_good else []

    def _sent(self, piece: StreamSlice, token: Mapping[str, Any] | None) -> requests.Response:
        more: dict[str, Any] = {}
        if self.paginator is not None:
            more["path"] = self.paginator.path(token, None, piece)
            more["request_params"] = self.paginator.get_request_params(
                stream_slice=piece, next_page_token=token
            )
        response = self.requester.send_request(stream_slice=piece, next_page_token=token, **more)
        assert response is not None  # CallRequester answers or raises
        return response

    def _reader(self, paginator: Paginator, piece: StreamSlice) -> PageReader:
        name = self.requester.name
        return PageReader(
            stream=name,
            provider=self.requester.provider_name,
            strategy=getattr(paginator, "pagination_strategy", None),
            extractor=PageRecords(self.requester.records_at),
            fetch=lambda token: self._sent(piece, token),
            records=lambda response, _: [Record(r, name) for r in self._taken(response)],
            next_token=paginator.next_page_token,
            pauses=(),
            sleep=self.requester.budget.sleep,
            workers=lambda: 1,
        )

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse a request that is not for the call, and refusals of a plan that are not skipped.

        Raises:
            ValueError: saying what is wrong.
        """
        super().check_manifest(node)
        if _CALL_ID not in str(node["requester"].get("path")):
            raise ValueError(f"the path of its requester needs {{{{ {_CALL_ID} }}}}")
        _require_skips(node["requester"], (*REFUSALS, 404))
        leg = node.get("leg", {})
        if leg and (
            leg.keys() != {"own", "at", "pattern"} or not re.compile(leg["pattern"]).groups
        ):
            raise ValueError("leg needs own, at, and a pattern with a group for the id")


@dataclass(kw_only=True)
class DetailsOfSeveral(DetailsInRecord):
    """Source that asks, by one POST, for the calls of several keys (of conversations).

    Attributes:
        requester: sends the request; its answer is a list of calls.
        asked_by: the column that the calls are asked by; calls without it are for the next source.
        keys_at: the field of the JSON body that holds the list of keys.
        most_keys: how many different keys a request may have.
        call_id_at: path of the call's id in a record of the answer.
    """

    requester: CallRequester
    asked_by: str
    keys_at: str
    most_keys: int
    call_id_at: str = "id"

    @cached_property
    def _call_id(self) -> Any:
        return field(self.call_id_at)

    def key_of(self, call: Call) -> str | None:
        """What is asked by; null if the call is not for this source."""
        key = call.get(self.asked_by)
        return None if super().key_of(call) is None or not key else str(key)

    @property
    def most(self) -> int:
        """How many keys a request asks for."""
        return self.most_keys

    def answer(self, calls: Sequence[Call], keys: Sequence[str]) -> Answer:
        """What is known of some calls."""
        response = self.requester.send_request(request_body_json={self.keys_at: [*keys]})
        assert response is not None  # CallRequester answers or raises
        if not response:
            return Answer({}, refused=response if response.status_code in REFUSALS else None)
        records: dict[str, list[dict[str, Any]]] = {}
        for record in self.requester.records_of(response):
            records.setdefault(str(text(self._call_id(record))), []).append(record)
        return Answer(records, is_good=True)

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse another method than POST, no keys, and refusals of a plan that are not skipped.

        Raises:
            ValueError: saying what is wrong.
        """
        super().check_manifest(node)
        if node["requester"].get("http_method") != "POST":
            raise ValueError("its requester needs http_method POST: the keys go in the body")
        if node["most_keys"] < 1:
            raise ValueError("most_keys is at least 1")
        _require_skips(node["requester"], REFUSALS)


DetailSource = DetailsInRecord | DetailsOfCall | DetailsOfSeveral


def _require_skips(requester: Mapping[str, Any], statuses: Sequence[int]) -> None:
    """Refuse a requester that fails where there is only nothing to be had.

    Raises:
        ValueError: naming the first status.
    """
    rows = errors.rows_from(requester.get("error_rows", []))
    for status in statuses:
        found = next((row for row in rows if row.status == status and row.code is None), None)
        if found is None or found.action != "skip" or found.message:
            raise ValueError(
                f"error_rows need one of status {status} that skips, without a message"
            )
