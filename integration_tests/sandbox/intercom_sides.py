"""What Intercom keeps beside its list of calls: transcripts, recordings, admins.

As https://developers.intercom.com/docs/references/rest-api/api.intercom.io/calls describes them;
the pages do not say what an entry of a transcript holds, nor how a line of its text looks.
"""

import re
from collections.abc import Iterator

import orjson

from .answers import Answer, ApiRequest, json_answer
from .history import CallHistory
from .intercom_calls import IntercomCall
from .intercom_errors import REFUSALS, refusal
from .intercom_people import ADMINS
from .intercom_records import render_call
from .intercom_spoken import FIN, Leg, Spoken, fin_leg, own_leg, signed_url, spoken_in
from .rendering import Record, with_unknown_fields
from .side_switches import Entries
from .switches import Switches

MOST_CONVERSATIONS = 20
AUDIO = "audio/mpeg"
SOUND = Answer(200, b"ID3 this is no real sound", content_type=AUDIO)
NOT_FOUND = refusal(404, "not_found", "Not Found")
SIDE = re.compile(r"/calls/([^/]+)/(transcript|recording)")


class IntercomSides:
    """What is answered beside the list of calls and a single one."""

    def __init__(self, history: CallHistory[IntercomCall]) -> None:
        self._history = history

    def answer(self, request: ApiRequest, switches: Switches) -> Answer | None:
        """The answer; None for a path that is none of these."""
        asked = (request.method, request.path)
        if asked == ("GET", "/admins"):
            return self._admins(switches)
        is_search = asked == ("POST", "/calls/search")
        found = SIDE.fullmatch(request.path) if request.method == "GET" else None
        if not is_search and found is None:
            return None
        plan = switches.intercom.sides.plan
        if plan != "whole":
            return refusal(*REFUSALS[plan])
        if found is None:
            return self._search(request, switches)
        leg = self._leg(found[1])
        if leg is None:
            return NOT_FOUND
        kind = found[2]
        return transcript_of(leg, switches) if kind == "transcript" else recording_of(leg, switches)

    def _leg(self, identifier: str) -> Leg | None:
        call = self._history.calls.get(identifier.removesuffix(FIN))
        if call is None:
            return None
        leg = own_leg(call) if identifier == call.id else fin_leg(call)
        is_known = leg.id == call.id or leg.recording_url or leg.transcription_url
        return leg if is_known else None

    def _search(self, request: ApiRequest, switches: Switches) -> Answer:
        asked = conversation_ids(request)
        if asked is None:
            message = "conversation_ids must be a list of strings"
            return refusal(400, "parameter_invalid", message, "conversation_ids")
        if not 1 <= len(asked) <= MOST_CONVERSATIONS:
            message = f"conversation_ids must hold 1 to {MOST_CONVERSATIONS} ids"
            return refusal(400, "conversation_id_limit_exceeded", message)
        entries = switches.intercom.sides.entries
        data = [
            {
                **render_call(call, switches),
                "transcript": [entry_of(one, entries) for one in spoken_in(own_leg(call))],
                "transcript_status": "completed" if spoken_in(own_leg(call)) else None,
            }
            for identifier in dict.fromkeys(asked)
            for call in self._calls_of(identifier)
        ]
        return json_answer(200, {"type": "list", "data": data})

    def _calls_of(self, conversation: str) -> Iterator[IntercomCall]:
        view = self._history.view(
            "conversation",
            lambda call: (call.conversation_id or "", call.id),
            lambda call: call.conversation_id is not None,
        )
        for place in range(view.position((conversation,)), len(view)):
            call = self._history.calls[view.at(place)]
            if call.conversation_id != conversation:
                break
            yield call

    @staticmethod
    def _admins(switches: Switches) -> Answer:
        listed: list[Record] = [
            {
                "type": admin.type,
                "id": admin.id,
                "name": admin.name,
                "email": admin.email,
                "job_title": admin.job_title,
                "away_mode_enabled": admin.away,
                "away_mode_reassign": False,
                "has_inbox_seat": admin.type == "admin",
                "team_ids": [814865],
            }
            for admin in ADMINS
            if admin.type == "admin" or switches.intercom.sides.teams == "listed"
        ]
        rows = [with_unknown_fields(admin, switches) for admin in listed]
        return json_answer(200, {"type": "admin.list", "admins": rows})


def conversation_ids(request: ApiRequest) -> list[str] | None:
    """The ids that a search asks for; None for another body than the page's."""
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return None
    if "json" not in request.headers.get("content-type", "") or not isinstance(body, dict):
        return None
    asked = body.get("conversation_ids")
    if not isinstance(asked, list) or not all(isinstance(one, str) for one in asked):
        return None
    return asked


def entry_of(spoken: Spoken, form: Entries) -> Record:
    """An entry of a call's `transcript`, whose form is UNKNOWN."""
    if form == "spoken":
        times = {"start": spoken.start, "end": spoken.end}
        return {"speaker": spoken.speaker, "text": spoken.text, **times}
    if form == "warehouse":
        times = {"start_time": spoken.start, "end_time": spoken.end}
        who = {"speaker": spoken.speaker, "speaker_label": spoken.label}
        return {**who, "content": spoken.text, **times}
    return {"p": [spoken.start, spoken.end], "w": spoken.text.split(" ")}


def transcript_of(leg: Leg, switches: Switches) -> Answer:
    """A line for each entry: time, speaker, text. What stands for none is a switch."""
    lines = [line_of(spoken) for spoken in spoken_in(leg)]
    kind = "text/plain; charset=utf-8"
    missing = switches.intercom.sides.no_transcript
    if lines or missing == "empty_text":
        file = {"Content-Disposition": f'attachment; filename="transcript_{leg.id}.txt"'}
        return Answer(200, "\n".join(lines).encode(), file, kind)
    return NOT_FOUND if missing == "404" else json_answer(200, [{}])


def line_of(spoken: Spoken) -> str:
    """A line of the text."""
    minutes, seconds = divmod(int(spoken.start), 60)
    return f"[{minutes:02d}:{seconds:02d}] {spoken.speaker}: {spoken.text}"


def recording_of(leg: Leg, switches: Switches) -> Answer:
    """The way to the recording, or the sound itself."""
    url = signed_url(leg)
    if url is None:
        return refusal(404, "not_found", "Recording Not Found")
    if switches.intercom.sides.recording == "audio":
        return SOUND
    return Answer(302, b"", {"Location": url}, "text/html; charset=utf-8")
