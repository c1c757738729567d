"""Faults of the network and of servers, laid over the answer that would have been given."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import unquote_plus

from aiohttp import web

from .answers import Answer
from .seen import SeenRequest

FaultKind = Literal[
    "reset_before",
    "reset_in_body",
    "cut_body_right_length",
    "cut_body_wrong_length",
    "drip",
    "no_answer",
    "status",
    "body",
    "gzip_cut",
    "redirect",
    "edit",
]
Edit = Callable[[SeenRequest, Answer], Answer]
"""Makes another answer of the sound one."""
UNANSWERED: tuple[FaultKind, ...] = ("reset_before", "no_answer", "status", "body", "redirect")
"""Kinds that need no real answer underneath: the provider never sees the request."""
POLL_SECONDS = 0.02
ENDLESS = 10**9
"""For `times`: a fault that does not end."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, from the nth matching request on, counted since the fault is there.

    `path_contains` is looked for in the provider's own path, `query_contains` in the raw and in
    the decoded query; `where` chooses among the requests that match both. `status`, `headers` and
    `body` shape the kinds `status`, `body` and `redirect`; `seconds` is the pause between two bytes
    of `drip`; `edit` is what the kind `edit` does to the sound answer.
    """

    provider: str
    path_contains: str = ""
    nth: int = 1
    times: int = 1
    kind: FaultKind = "status"
    query_contains: str = ""
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str = b""
    seconds: float = 0.05
    where: Callable[[SeenRequest], bool] = lambda seen: True
    edit: Edit = lambda seen, answer: answer

    def matches(self, seen: SeenRequest) -> bool:
        """Whether the request is one that the fault counts."""
        wanted = self.query_contains
        return (
            self.provider == seen.provider
            and self.path_contains in seen.path
            and (wanted in seen.raw_query or wanted in unquote_plus(seen.raw_query))
            and self.where(seen)
        )


class FaultCounter:
    """Counts the matching requests of each fault, by the identity of the fault object."""

    def __init__(self) -> None:
        self._counts: dict[int, tuple[Fault, int]] = {}

    def due(self, faults: list[Fault], seen: SeenRequest) -> Fault | None:
        """The first fault that is due for this request; all matching ones count it."""
        due = None
        for fault in faults:
            if fault.matches(seen):
                _, before = self._counts.get(id(fault), (fault, 0))
                self._counts[id(fault)] = (fault, before + 1)
                if due is None and fault.nth <= before + 1 < fault.nth + fault.times:
                    due = fault
        return due


def fault_status(fault: Fault, answer: Answer) -> int:
    """The status that the client gets to see; 0 when it gets none."""
    fixed = {
        "reset_before": 0,
        "no_answer": 0,
        "status": fault.status,
        "body": 200,
        "redirect": 302,
    }
    return fixed.get(fault.kind, answer.status)


async def misbehave(request: web.BaseRequest, fault: Fault, answer: Answer) -> web.StreamResponse:
    """Answer as the fault demands; `answer` is the sound answer for the kinds that spoil one."""
    body, half = answer.body, answer.body[: len(answer.body) // 2]
    if fault.kind in ("status", "body", "redirect"):
        return fixed_response(fault)
    if fault.kind == "edit":
        return response_of(answer, body)
    if fault.kind == "cut_body_right_length":
        return response_of(answer, half)
    if fault.kind == "gzip_cut":
        packed = gzip.compress(body)
        gzipped = answer.with_headers({"Content-Encoding": "gzip"})
        return response_of(gzipped, packed[: len(packed) // 2])
    if fault.kind == "no_answer":
        while is_open(request):
            await asyncio.sleep(POLL_SECONDS)
        return web.Response()
    if fault.kind == "reset_before":
        reset(request)
        return web.Response()
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.headers["Content-Type"] = answer.content_type
    response.content_length = len(body)
    await response.prepare(request)
    if fault.kind == "drip":
        for position in range(len(body)):
            if not is_open(request):
                break
            await response.write(body[position : position + 1])
            await asyncio.sleep(fault.seconds)
        return response
    await response.write(half)
    await asyncio.sleep(POLL_SECONDS)
    if fault.kind == "reset_in_body":
        reset(request)
    elif request.transport is not None:
        request.transport.close()
    return response


def compressed(answer: Answer, accepted: str) -> Answer:
    """The answer in gzip if the request's `Accept-Encoding` allows it."""
    if "gzip" not in accepted or "Content-Encoding" in answer.headers:
        return answer
    packed = replace(answer, body=gzip.compress(answer.body, compresslevel=1))
    return packed.with_headers({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


def response_of(answer: Answer, body: bytes) -> web.Response:
    """An aiohttp response with the answer's head and the given body."""
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, headers=headers, body=body)


def fixed_response(fault: Fault) -> web.Response:
    """The response that the fault itself spells out."""
    statuses = {"status": fault.status, "body": 200, "redirect": 302}
    body = fault.body.encode() if isinstance(fault.body, str) else fault.body
    headers = {"Content-Type": "application/json", **fault.headers}
    return web.Response(status=statuses[fault.kind], headers=headers, body=body)


def is_open(request: web.BaseRequest) -> bool:
    """Whether the client is still there."""
    return request.transport is not None and not request.transport.is_closing()


def reset(request: web.BaseRequest) -> None:
    """Drop the connection with a TCP RST: no lingering, unsent bytes discarded."""
    transport = request.transport
    if isinstance(transport, asyncio.WriteTransport):
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
