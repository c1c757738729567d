"""Recordings and transcripts of a call of Quo, as each version of its API has them."""

from collections.abc import Callable
from typing import Literal

from .openphone_calls import OpenPhoneCall
from .openphone_invented_parts import FILES, parts_of
from .openphone_parts import Segment
from .rendering import Record, with_unknown_fields
from .switches import Switches
from .times import SECOND, iso_seconds

Child = Literal["recordings", "transcripts", "summaries"]
AMAZON_LIFE, EXPIRES_LIFE = 3_600, 86_400
"""Seconds for which the URLs hold that are signed in either way."""
TimeText = Callable[[int | None, Switches], str | None]


def plan_refuses(child: Child, call: OpenPhoneCall, switches: Switches) -> int | None:
    """The status with which the workspace's plan refuses it, if it does."""
    what, _, status = switches.openphone_children.plan.partition("_")
    if what == "recordings":
        return int(status) if child == "recordings" else None
    if child == "recordings" or what in ("all", "absent"):
        return None
    return (None if by_ai(call) else 403) if what == "ai" else int(status)


def by_ai(call: OpenPhoneCall) -> bool:
    """Whether an AI had to do with the call."""
    return call.ai_handled is not None or (call.answered_by or "").startswith("SY")


def render_recordings(call: OpenPhoneCall, switches: Switches, text: TimeText) -> list[Record]:
    """The recordings of a call, earliest first, or what stands for none; both versions alike."""
    segments = parts_of(call).segments
    found = [
        {
            "id": segment.id,
            "status": segment.recording,
            "startTime": text(segment.started, switches),
            "duration": segment.seconds,
            "url": signed_url(segment),
            "type": "audio/mpeg",
        }
        for segment in segments
    ]
    if not found and switches.openphone_children.missing == "absent":
        names = ("id", "startTime", "duration", "url", "type")
        found = [{**dict.fromkeys(names), "status": "absent"}]
    return [with_unknown_fields(record, switches) for record in found]


def signed_url(segment: Segment) -> str | None:
    """The URL of a recording that is completed; signed as the segment says, for nobody."""
    if segment.recording != "completed":
        return None
    at = segment.started // SECOND + (segment.seconds or 0)
    stamp = iso_seconds(at).replace("-", "").replace(":", "")
    signatures = {
        "amazon": f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={stamp}"
        f"&X-Amz-Expires={AMAZON_LIFE}&X-Amz-Signature=made-up",
        "expires": f"?Expires={at + EXPIRES_LIFE}&Signature=made-up",
        "plain": "",
    }
    return f"https://{FILES}/recordings/{segment.id}.mp3{signatures[segment.link]}"


def render_transcripts(call: OpenPhoneCall, switches: Switches, text: TimeText) -> list[Record]:
    """The transcripts of a call in the dated API: one a segment, with the segment's own times."""
    if switches.openphone_children.plan == "absent":
        return [_transcript(None, None, "absent", None, None)]
    found = [
        _transcript(
            segment.id,
            text(segment.started, switches),
            segment.transcript,
            segment.seconds,
            said_in(segment, 0, "actorId"),
        )
        for segment in transcribed(call)
    ]
    if not found and switches.openphone_children.missing == "absent":
        found = [_transcript(None, None, "absent", None, None)]
    return [with_unknown_fields(record, switches) for record in found]


def render_transcript(call: OpenPhoneCall, switches: Switches, text: TimeText) -> Record:
    """The one transcript of a call in v1: all segments, with times from the call's creation."""
    options = switches.openphone_children
    segments = () if options.plan == "absent" else transcribed(call)
    if not segments and options.plan != "absent" and options.missing == "empty":
        return {}
    states = {segment.transcript for segment in segments}
    whole = states == {"completed"}
    status = "completed" if whole else "in-progress" if "in-progress" in states else "absent"
    if "failed" in states:
        status = "failed"
    said: list[Record] = []
    for segment in segments:
        said += said_in(segment, segment.started - call.created, "userId") or []
    record: Record = {
        "callId": call.id,
        "createdAt": text(call.created, switches) if segments else None,
        "duration": sum(segment.seconds or 0 for segment in segments) if segments else None,
        "status": status,
        "dialogue": said if whole else None,
    }
    return with_unknown_fields(record, switches)


def transcribed(call: OpenPhoneCall) -> tuple[Segment, ...]:
    """The segments that have a transcript, or will have."""
    segments = parts_of(call).segments
    return tuple(segment for segment in segments if segment.transcript != "absent")


def said_in(segment: Segment, shift: int, actor: str) -> list[Record] | None:
    """What was said, with times in seconds, moved by so many milliseconds."""
    if segment.said is None:
        return None
    return [
        {
            "content": one.content,
            "start": (one.start + shift) / SECOND,
            "end": (one.end + shift) / SECOND,
            "identifier": one.number,
            actor: one.actor,
        }
        for one in segment.said
    ]


def _transcript(
    recording: str | None,
    started: str | None,
    status: str,
    seconds: int | None,
    dialogue: list[Record] | None,
) -> Record:
    return {
        "recordingId": recording,
        "status": status,
        "startTime": started,
        "createdAt": started,
        "duration": seconds,
        "dialogue": dialogue,
    }
