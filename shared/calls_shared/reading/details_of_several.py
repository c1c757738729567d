"""`DetailsOfSeveral`: what there is to the calls of several keys, by one request for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from calls_shared.http.requester import CallRequester
from calls_shared.normalization.converters import text
from calls_shared.paths import field
from calls_shared.reading.details_in_record import Answer, Call, DetailsInRecord, require_skips
from calls_shared.reading.plan import REFUSALS


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
        require_skips(node["requester"], REFUSALS)
