"""The rows of the streams beside `calls` for Quo: the test oracle.

Written from what the columns mean, as `truth` is; what was said and recorded, and who works there,
comes from the sandbox's own tables. A column that is null is left out.
"""

from collections.abc import Iterator

from .meanings import Columns, as_text, as_text_milliseconds, full_name, present
from .openphone_calls import OpenPhoneCall
from .openphone_invented_parts import FILES, parts_of
from .openphone_parts import Segment
from .openphone_truth import expected_dated, expected_v1
from .openphone_workspace import MEMBERS
from .switches import Switches


def expected_transcript(
    call: OpenPhoneCall, switches: Switches, api_version: str = "v1"
) -> list[Columns]:
    """The rows of `call_transcripts` for one call.

    v1 has one transcript of a call, which is there once all of its segments are; its times count
    from the call's creation, those of the dated API from the start of each recording.
    """
    plan = switches.openphone_children.plan
    by_ai = call.ai_handled is not None or (call.answered_by or "")[:2] == "SY"
    refused = plan.startswith("refused") or plan == "absent" or (plan == "ai_only" and not by_ai)
    if refused or not _was_answered(call, switches, api_version):
        return []
    # a segment without a transcript is not told from one that never was
    segments = [one for one in parts_of(call).segments if one.transcript != "absent"]
    if api_version == "v1" and any(one.transcript != "completed" for one in segments):
        return []
    rows = [row for one in segments for row in _said(one, call, api_version)]
    known = {"provider": "openphone", "call_id": call.id}
    return [present({**known, "segment_index": place, **row}) for place, row in enumerate(rows)]


def _said(segment: Segment, call: OpenPhoneCall, api_version: str) -> Iterator[Columns]:
    is_v1 = api_version == "v1"
    before = segment.started - call.created if is_v1 else 0
    for one in segment.said or ():
        yield {
            "recording_id": None if is_v1 else segment.id,
            "speaker": one.number,
            "speaker_label": one.actor,
            "content": one.content,
            "start_time": (before + one.start) / 1000,
            "end_time": (before + one.end) / 1000,
        }


def expected_recordings(
    call: OpenPhoneCall, switches: Switches, api_version: str = "v1"
) -> list[Columns]:
    """The rows of `call_recordings` for one call, one for each of its segments."""
    refused = switches.openphone_children.plan.startswith("recordings")
    if refused or not _was_answered(call, switches, api_version):
        return []
    return [
        present(
            {
                "provider": "openphone",
                "call_id": call.id,
                "recording_id": segment.id,
                "url": _url(segment),
                "duration_seconds": segment.seconds,
                "started_at": _shown(segment.started, switches, api_version),
                "status": segment.recording,
                "expires_at": as_text(_expires_at(segment)),
            }
        )
        for segment in parts_of(call).segments
    ]


def _expires_at(segment: Segment) -> int | None:
    """When the URL ends, which is signed at the recording's end: for an hour or for a day."""
    if segment.recording != "completed":
        return None
    seconds = {"amazon": 3600, "expires": 24 * 3600}.get(segment.link)
    return seconds and segment.started // 1000 + (segment.seconds or 0) + seconds


def _url(segment: Segment) -> str | None:
    if segment.recording != "completed":
        return None
    end, signed = _expires_at(segment), ""
    if segment.link == "expires":
        signed = f"?Expires={end}&Signature=made-up"
    elif end is not None:
        at = (as_text(end - 3600) or "").replace("-", "").replace(":", "")
        signed = f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={at}&X-Amz-Expires=3600"
        signed += "&X-Amz-Signature=made-up"
    return f"https://{FILES}/recordings/{segment.id}.mp3{signed}"


def _shown(milliseconds: int, switches: Switches, api_version: str) -> str | None:
    how = switches.openphone_dated.timestamps
    if api_version == "v1":
        how = "seconds" if switches.openphone.timestamps == "seconds" else "mixed"
    if how == "seconds" or (how == "mixed" and milliseconds % 1000 == 0):
        return as_text(milliseconds // 1000)
    return as_text_milliseconds(milliseconds)


def _was_answered(call: OpenPhoneCall, switches: Switches, api_version: str) -> bool:
    """Whether the record says so: other calls are not asked for."""
    expected = expected_v1 if api_version == "v1" else expected_dated
    return expected(call, switches)["answered"] is True


def expected_users(switches: Switches) -> list[Columns]:
    """The rows of `users`; who is active is not said."""
    return [
        present(
            {
                "provider": "openphone",
                "id": member.id,
                "name": full_name(member.first_name or "", member.last_name or ""),
                "email": member.email,
                "role": member.role,
            }
        )
        for member in MEMBERS
    ]
