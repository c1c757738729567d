"""What surrounds a call in OpenPhone v1, and its users: each with a path of its own.

As the neighbours of https://www.quo.com/docs/mdx/api-reference/calls/list-calls describe them.
"""

import re

from .answers import Answer, ApiRequest, json_answer, whole_number
from .openphone_calls import OpenPhoneCall
from .openphone_child_records import Child, plan_refuses, render_recordings, render_transcript
from .openphone_dated_records import render_member, render_summary, render_voicemail
from .openphone_errors import Refusal, invalid
from .openphone_history import OpenPhoneHistory
from .openphone_invented_parts import parts_of
from .openphone_parts import Summary
from .openphone_records import listed_time
from .openphone_tokens import PageTokens
from .openphone_workspace import MEMBERS
from .rendering import Record
from .switches import Switches

PATH = re.compile(r"/v1/call-(recordings|transcripts|summaries|voicemails)/([^/]+)", re.ASCII)
CALL_ID = re.compile(r"AC\w+", re.ASCII)
RESOURCES = {"recordings": "09", "transcripts": "06", "summaries": "05", "voicemails": "12"}
"""The first two digits of the errors' codes."""
KINDS: dict[str, Child] = {
    "recordings": "recordings",
    "transcripts": "transcripts",
    "summaries": "summaries",
}
TITLES = {400: "Bad Request", 402: "Payment Required", 403: "Forbidden", 404: "Not Found"}
LARGEST_PAGE = 50


def is_side(path: str) -> bool:
    """Whether the path is one of these."""
    return path == "/v1/users" or PATH.fullmatch(path) is not None


class V1Sides:
    """What v1 says on these paths to a valid key."""

    def __init__(self, history: OpenPhoneHistory) -> None:
        self._history = history
        self._tokens = PageTokens()

    def answer(self, request: ApiRequest, switches: Switches) -> Answer | Refusal:
        """The answer to a GET request."""
        parts = PATH.fullmatch(request.path)
        if parts is None:
            return self._users(request, switches)
        name, identifier = parts.groups()
        if not CALL_ID.fullmatch(identifier):
            return _refusal(name, 400, "Expected a call's id (AC...)")
        try:
            call = self._history.find(identifier)
        except KeyError:
            return _refusal(name, 404, "Call not found")
        status = plan_refuses(KINDS[name], call, switches) if name in KINDS else None
        if status is not None:
            return _refusal(name, status, "The plan of this workspace does not include this")
        content = _content(name, call, switches)
        if content is None:
            return _refusal(name, 404, f"No {name} found")
        return json_answer(200, {"data": content})

    def _users(self, request: ApiRequest, switches: Switches) -> Answer | Refusal:
        size = whole_number(request.value("maxResults") or "10")
        if size is None or not 1 <= size <= LARGEST_PAGE:
            return invalid("/maxResults", f"maxResults must be an integer from 1 to {LARGEST_PAGE}")
        token, start = request.value("pageToken"), 0
        if token is not None:
            last = self._tokens.last(token, ())
            if last is None:
                return invalid("/pageToken", "pageToken is unknown")
            start = last[0]
        end = start + size
        following = self._tokens.token((), (end, "")) if end < len(MEMBERS) else None
        rows = [render_member(member, switches) for member in MEMBERS[start:end]]
        return json_answer(
            200, {"data": rows, "totalItems": len(rows) // 2, "nextPageToken": following}
        )


def _content(name: str, call: OpenPhoneCall, switches: Switches) -> list[Record] | Record | None:
    """What is answered of a call; None stands for 404."""
    missing = switches.openphone_children.missing
    parts = parts_of(call)
    if name == "voicemails":
        return None if parts.voicemail is None else render_voicemail(parts.voicemail)
    if name == "recordings":
        rows = render_recordings(call, switches, listed_time)
        return None if not rows and missing == "404" else rows
    lacking = switches.openphone_children.plan == "absent"
    if name == "transcripts":
        there_is_one = lacking or any(one.transcript != "absent" for one in parts.segments)
        if not there_is_one and missing == "404":
            return None
        return render_transcript(call, switches, listed_time)
    summary = Summary("absent") if lacking else parts.summary
    if summary is None or (summary.status == "absent" and not lacking):
        if missing != "absent":
            return None if missing == "404" else {}
        summary = Summary("absent")
    shown = render_summary(summary)
    return {"callId": call.id, **{name: shown[name] for name in ("status", "summary", "nextSteps")}}


def _refusal(name: str, status: int, message: str) -> Refusal:
    return Refusal(status, f"{RESOURCES[name]}00{status}", TITLES[status], message)
