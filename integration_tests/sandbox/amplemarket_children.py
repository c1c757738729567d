"""The rows of the streams beside `calls` for Amplemarket: the test oracle.

Written from what the columns mean, as `truth` is. A column that is null is left out.
"""

import json
from typing import Any

from .amplemarket_calls import AmplemarketCall
from .amplemarket_people import DISPOSITIONS, USERS
from .identifiers import as_uuid4
from .switches import Switches

Columns = dict[str, Any]
SPEAKERS = ("speaker", "role")
SPOKEN = ("text", "content")


def expected_transcript(call: AmplemarketCall, switches: Switches) -> list[Columns]:
    """The rows of `call_transcripts` for one call: the entries, else the lines of its text."""
    newer = call.newer if switches.amplemarket.newer_fields == "present" else None
    rows = [_entry(entry) for entry in newer.transcript] if newer else []
    if not rows and call.transcription:
        rows = [{"content": line} for line in call.transcription.splitlines() if line]
    known = {"provider": "amplemarket", "call_id": _shown(call, switches)}
    return [{**known, "segment_index": place, **row} for place, row in enumerate(rows)]


def _entry(entry: Any) -> Columns:
    """What an entry tells; one of another shape stands for itself."""
    fields = entry if isinstance(entry, dict) else {}
    said = next((fields[name] for name in SPOKEN if name in fields), None)
    if said is None:
        text = entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)
        return {"content": text}
    speaker = next((fields[name] for name in SPEAKERS if name in fields), None)
    return {"content": said} if speaker is None else {"speaker": speaker, "content": said}


def expected_recordings(call: AmplemarketCall, switches: Switches) -> list[Columns]:
    """The rows of `call_recordings` for one call: one, if the record has the URL."""
    newer = call.newer if switches.amplemarket.newer_fields == "present" else None
    if not call.recording_url or not (call.has_recording_url or newer):
        return []
    identifier = _shown(call, switches)
    known = {"provider": "amplemarket", "call_id": identifier, "recording_id": identifier}
    return [{**known, "url": call.recording_url}]


def _shown(call: AmplemarketCall, switches: Switches) -> str:
    return call.id if switches.amplemarket.ids == "uuid7" else as_uuid4(call.id)


def expected_users(switches: Switches) -> list[Columns]:
    """The rows of `users`; active is who is called so, and another word says that one is not."""
    rows = [
        {
            "provider": "amplemarket",
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "role": user.role,
            "is_active": user.status == "active" if user.status else None,
        }
        for user in USERS
    ]
    return [_present(row) for row in rows]


def expected_dispositions(switches: Switches) -> list[Columns]:
    """The rows of `call_dispositions`."""
    return [_present({"provider": "amplemarket", **one._asdict()}) for one in DISPOSITIONS]


def _present(row: Columns) -> Columns:
    """Without nulls; an empty text says nothing either."""
    return {name: value for name, value in row.items() if value is not None and value != ""}
