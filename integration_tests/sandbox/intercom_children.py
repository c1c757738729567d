"""The rows of the streams beside `calls` for Intercom: the test oracle.

Written from what the columns mean, as `truth` is; what was said and recorded, and who works there,
comes from the sandbox's own tables. A column that is null is left out.
"""

import json
from typing import Any

from .intercom_calls import IntercomCall
from .intercom_people import ADMINS
from .intercom_sides import entry_of
from .intercom_spoken import (
    Leg,
    Spoken,
    fin_leg,
    is_without_end,
    own_leg,
    signed_at,
    signed_url,
    spoken_in,
)
from .meanings import as_text
from .switches import Switches

Columns = dict[str, Any]


def expected_transcript(call: IntercomCall, switches: Switches) -> list[Columns]:
    """The rows of `call_transcripts` for one call.

    Those of a conversation are searched for; other calls are asked for where a URL is given.
    """
    if switches.intercom.sides.plan != "whole":
        return []
    known = {"provider": "intercom", "call_id": call.id}
    if call.conversation_id is not None:
        rows = [_searched(one, switches) for one in spoken_in(own_leg(call))]
    else:
        leg = own_leg(call) if call.transcription_url else fin_leg(call)
        asked = leg.transcription_url is not None
        rows = [_line(one) for one in spoken_in(leg)] if asked else []
    return [{**known, "segment_index": place, **row} for place, row in enumerate(rows)]


def _searched(spoken: Spoken, switches: Switches) -> Columns:
    form = switches.intercom.sides.entries
    if form == "unrecognisable":
        return {"content": json.dumps(entry_of(spoken, form), ensure_ascii=False)}
    label = {"speaker_label": spoken.label} if form == "warehouse" else {}
    times = {"start_time": spoken.start, "end_time": spoken.end}
    return {"speaker": spoken.speaker, **label, "content": spoken.text, **times}


def _line(spoken: Spoken) -> Columns:
    """A line of text has whole seconds, and no end."""
    return {
        "speaker": spoken.speaker,
        "content": spoken.text,
        "start_time": int(spoken.start),
    }


def expected_recordings(call: IntercomCall, switches: Switches) -> list[Columns]:
    """The rows of `call_recordings` for one call: one, if the URL of its record leads anywhere."""
    if switches.intercom.sides.plan != "whole":
        return []
    leg = own_leg(call) if call.recording_url else fin_leg(call)
    url = signed_url(leg)
    if url is None:
        return []
    known = {"provider": "intercom", "call_id": call.id, "recording_id": call.id}
    if switches.intercom.sides.recording == "audio":
        return [{**known, "url": leg.recording_url}]
    return [{**known, "url": url, **_end(leg)}]


def _end(leg: Leg) -> Columns:
    return {} if is_without_end(leg) else {"expires_at": as_text(signed_at(leg) + 3_600)}


def expected_users(switches: Switches) -> list[Columns]:
    """The rows of `users`: a team is none of them; who is away may still be active."""
    rows = [
        {"provider": "intercom", "id": admin.id, "name": admin.name, "email": admin.email}
        for admin in ADMINS
        if admin.type == "admin"
    ]
    return [{name: value for name, value in row.items() if value} for row in rows]


def expected_dispositions(switches: Switches) -> list[Columns]:
    """The rows of `call_dispositions`: Intercom has no such thing."""
    return []
