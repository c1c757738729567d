"""A call as Intercom lists it."""

from .intercom_calls import IntercomCall
from .rendering import Record, with_unknown_fields
from .switches import Switches
from .times import ZERO_TIMES, iso_seconds


def render_call(call: IntercomCall, switches: Switches) -> Record:
    """The call as Intercom lists it."""
    as_iso = switches.intercom.timestamps == "iso"
    never = ZERO_TIMES[switches.intercom.no_time][as_iso]

    def when(seconds: int | None) -> int | str | None:
        return never if seconds is None else iso_seconds(seconds) if as_iso else seconds

    record: Record = {
        "type": "call",
        "id": call.id,
        "conversation_id": call.conversation_id,
        "admin_id": call.admin_id,
        "contact_id": call.contact_id,
        "state": call.state,
        "initiated_at": when(call.initiated_at),
        "answered_at": when(call.answered_at),
        "ended_at": when(call.ended_at),
        "created_at": when(call.created_at),
        "updated_at": when(call.updated_at),
        "recording_url": call.recording_url,
        "transcription_url": call.transcription_url,
        "call_type": call.call_type,
        "direction": call.direction,
        "ended_reason": call.ended_reason,
        "phone": call.phone,
        "fin_recording_url": call.fin_recording_url,
        "fin_transcription_url": call.fin_transcription_url,
    }
    if call.timings is not None:
        record |= call.timings._asdict()
    return with_unknown_fields(record, switches)
