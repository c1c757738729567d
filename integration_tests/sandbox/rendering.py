"""Records as bytes, rendered once per call and again only when the call or the switches change."""

from collections.abc import Callable, Iterable
from typing import Any, Generic

import orjson

from .switches import Switches
from .views import Call

Record = dict[str, Any]
LARGEST_CACHE = 200_000
"""Rendered records kept per provider; beyond that the cache starts anew."""
UNKNOWN_FIELDS: Record = {
    "sandbox_added_later": {"nested": [1, {"deep": None}, "é"], "flag": True, "ratio": 0.5},
    "sandbox_added_text": "007",
}
"""What the switch `unknown_fields` adds to every listed object."""


def with_unknown_fields(record: Record, switches: Switches) -> Record:
    """The record, with fields that no page names when the switch says so."""
    return {**record, **UNKNOWN_FIELDS} if switches.unknown_fields else record


class RenderedCalls(Generic[Call]):
    """The JSON bytes of calls."""

    def __init__(self, render: Callable[[Call, Switches], Record]) -> None:
        self._render = render
        self._switches: Switches | None = None
        self._rendered: dict[str, tuple[Call, bytes]] = {}

    def array(self, calls: Iterable[Call], switches: Switches) -> bytes:
        """A JSON array of the calls' records."""
        return b"[" + b",".join([self.record(call, switches) for call in calls]) + b"]"

    def record(self, call: Call, switches: Switches) -> bytes:
        """The JSON object of one call."""
        if switches is not self._switches or len(self._rendered) >= LARGEST_CACHE:
            self._rendered.clear()
            self._switches = switches
        known = self._rendered.get(call.id)
        if known is not None and known[0] is call:
            return known[1]
        # orjson shrinks a large buffer in place; a copy keeps the heap from filling with holes
        body = bytes(memoryview(orjson.dumps(self._render(call, switches))))
        self._rendered[call.id] = (call, body)
        return body
