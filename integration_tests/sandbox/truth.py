"""The test oracle: the record that a connector must emit for a true call.

Written from what the columns mean alone (the README's table), without the package that fills them;
of the sandbox's code it uses only the rendering, for `provider_record`.
Columns that are null are left out, as the CDK leaves them out of a RECORD.
"""

from typing import Any

from .amplemarket import render_call as amplemarket_record
from .amplemarket_calls import AmplemarketCall
from .intercom_calls import IntercomCall
from .intercom_records import render_call as intercom_record
from .meanings import (
    DIRECTIONS,
    Columns,
    answered_by_word,
    as_text,
    as_text_milliseconds,
    both,
    dialogue,
    duration_source,
    first_known,
    folded,
    full_name,
    milliseconds_between,
    present,
    seconds_between,
    stated,
    stated_milliseconds,
    status_of,
    waited,
    whether_answered,
)
from .openphone_truth import expected_dated, expected_v1
from .skipcall import render_call as skipcall_record
from .skipcall_calls import SkipcallCall
from .switches import Switches


def expected_call(
    provider: str, true_call: Any, switches: Switches, api_version: str = "v1"
) -> Columns:
    """The record of the stream `calls` for the true call, without its null columns.

    `api_version` is that of Quo's API that is read; the others have one.
    """
    columns = _columns(provider, true_call, switches, api_version)
    listed = columns.get("participants")
    known = both(columns["from_number"], columns["to_number"])
    return present({**columns, "participants": listed or known})


def _columns(provider: str, call: Any, switches: Switches, api_version: str) -> Columns:
    if provider == "intercom":
        return _intercom(call, switches)
    if provider == "openphone":
        dated = api_version != "v1"
        return expected_dated(call, switches) if dated else expected_v1(call, switches)
    if provider == "amplemarket":
        return _amplemarket(call, switches)
    if provider == "skipcall":
        return _skipcall(call, switches)
    raise KeyError(provider)


def _intercom(call: IntercomCall, switches: Switches) -> Columns:
    started, answered_at, ended, created, updated = map(
        stated,
        (call.initiated_at, call.answered_at, call.ended_at, call.created_at, call.updated_at),
    )
    created = first_known(created, started, answered_at, ended, updated)
    direction = DIRECTIONS.get(folded(call.direction))
    answered = whether_answered(call.state, answered_at, ended)
    measured = call.timings
    duration = measured.duration if measured else None
    talked = measured.talk_time if measured else None
    computed = seconds_between(started, ended) if duration is None else None
    return {
        "provider": "intercom",
        "id": call.id,
        "direction": direction,
        "status": status_of(call.state, ended, answered),
        "occurred_at": as_text(created if started is None else started),
        "started_at": as_text(started),
        "answered_at": as_text(answered_at),
        "ended_at": as_text(ended),
        "created_at": as_text(created),
        "updated_at": as_text(created if updated is None else updated),
        "answered": answered,
        "duration_seconds": computed if duration is None else duration,
        "duration_source": duration_source(duration, computed),
        "wait_seconds": waited(answered, started, answered_at, ended),
        "talk_seconds": seconds_between(answered_at, ended) if talked is None else talked,
        "from_number": call.phone if direction == "inbound" else None,
        "to_number": call.phone if direction == "outbound" else None,
        "external_number": call.phone,
        "user_id": call.admin_id,
        "contact_id": call.contact_id,
        "conversation_id": call.conversation_id,
        "recording_url": call.recording_url or call.fin_recording_url,
        "transcript_url": call.transcription_url or call.fin_transcription_url,
        "end_reason": call.ended_reason,
        "provider_status": call.state,
        "provider_direction": call.direction,
        "provider_call_type": call.call_type,
        "provider_record": intercom_record(call, switches),
    }


def _amplemarket(call: AmplemarketCall, switches: Switches) -> Columns:
    record = amplemarket_record(call, switches)
    started = as_text(stated(call.started))
    created = started
    if switches.amplemarket.ids == "uuid7":
        created = as_text_milliseconds(int(call.id.replace("-", "")[:12], 16))
    newer = call.newer if switches.amplemarket.newer_fields == "present" else None
    has_direction = switches.amplemarket.direction == "present" or newer is not None
    word = call.direction if has_direction else None
    direction = DIRECTIONS.get(folded(word or ""))
    said = dialogue(newer.transcript) if newer else None
    outer, inner = {
        "inbound": (call.from_number, call.to_number),
        "outbound": (call.to_number, call.from_number),
    }.get(direction or "", (None, None))
    ended = call.answered is True and call.duration is not None
    unanswered = "no-answer" if call.answered is False else None
    contact = call.contact_id is not None
    return {
        "provider": "amplemarket",
        "id": record["id"],
        "direction": direction,
        "status": "completed" if ended else unanswered,
        "occurred_at": created if started is None else started,
        "started_at": started,
        "created_at": created,
        "updated_at": created,
        "answered": call.answered,
        "answered_by_type": ("human" if call.human else "machine") if call.answered else None,
        "duration_seconds": call.duration,
        "duration_source": None if call.duration is None else "provider",
        "from_number": call.from_number,
        "to_number": call.to_number,
        "external_number": outer,
        "internal_number": inner,
        "user_id": call.user_id,
        "user_email": newer.user_email if newer else None,
        "contact_id": call.contact_id,
        "contact_name": call.contact_name if contact else None,
        "contact_email": call.contact_email if contact else None,
        "disposition_id": call.disposition_id,
        "disposition_name": newer.disposition_name if newer else None,
        "notes": call.notes,
        "recording_url": call.recording_url if call.has_recording_url or newer else None,
        "transcript": said or call.transcription,
        "provider_direction": word,
        "provider_record": record,
    }


def _skipcall(call: SkipcallCall, switches: Switches) -> Columns:
    direction = DIRECTIONS.get(folded(call.type))
    outer, inner = call.phone_number, call.caller_phone_number
    sides = {"inbound": (outer, inner), "outbound": (inner, outer)}.get(
        direction or "", (None, None)
    )
    times = (call.started, call.ended, call.created, call.updated, call.deleted)
    started, ended, created, updated, deleted = map(stated_milliseconds, times)
    created = first_known(created, started, ended, updated, deleted)
    changes = [at for at in (updated, deleted) if at is not None]
    duration = milliseconds_between(started, ended)
    contact = call.contact if call.contact and not call.contact.is_unknown else None
    answered = answered_by_word(call.status)
    wait = waited(answered, started, None, ended)
    return {
        "provider": "skipcall",
        "id": call.id,
        "direction": direction,
        "status": status_of(call.status, ended, answered),
        "occurred_at": as_text_milliseconds(created if started is None else started),
        "started_at": as_text_milliseconds(started),
        "ended_at": as_text_milliseconds(ended),
        "created_at": as_text_milliseconds(created),
        "updated_at": as_text_milliseconds(max(changes, default=created)),
        "answered": answered,
        "duration_seconds": duration,
        "duration_source": duration_source(None, duration),
        "wait_seconds": None if wait is None else wait // 1000,
        "from_number": sides[0],
        "to_number": sides[1],
        "external_number": outer,
        "internal_number": inner,
        "line_id": call.managed_number_id,
        "user_id": call.membership_id,
        "user_name": full_name(*call.caller) if call.caller else None,
        "contact_id": contact.id if contact else None,
        "contact_name": full_name(contact.first_name, contact.last_name) if contact else None,
        "transferred": None if "transferred" in call.absent else call.transferred,
        "notes": call.notes,
        "deleted_at": as_text_milliseconds(deleted),
        "provider_status": call.status,
        "provider_direction": call.type,
        "provider_call_type": call.call_type,
        "provider_record": skipcall_record(call, switches),
    }
