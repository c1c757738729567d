"""`DetailsOfCall`: what there is to a call, by a request for it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar
from urllib.parse import quote

import requests
from airbyte_cdk.sources.declarative.requesters.paginators.paginator import Paginator
from airbyte_cdk.sources.types import Record, StreamSlice

from calls_shared.http.requester import CallRequester
from calls_shared.keys import Keys, exactly
from calls_shared.paths import field
from calls_shared.reading.details_in_record import Answer, Call, DetailsInRecord, require_skips
from calls_shared.reading.extractor import PageRecords
from calls_shared.reading.pages import PageReader, ReadingSoFar
from calls_shared.reading.plan import REFUSALS

_CALL_ID = "stream_partition.call_id"


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
        require_skips(node["requester"], (*REFUSALS, 404))
        leg = node.get("leg", {})
        if leg and (
            leg.keys() != {"own", "at", "pattern"} or not re.compile(leg["pattern"]).groups
        ):
            raise ValueError("leg needs own, at, and a pattern with a group for the id")
