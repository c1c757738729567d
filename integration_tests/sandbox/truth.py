"""The test oracle: the record that a connector must emit for a true call.

Written from what each column means, not from the connectors' code; of the sandbox's code it uses
only the rendering, for `provider_record`.
Columns that are null are left out, as the CDK leaves them out of a RECORD.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .amplemarket import render_call as amplemarket_record
from .amplemarket_calls import AmplemarketCall
from .intercom import render_call as intercom_record
from .intercom_calls import IntercomCall
from .openphone_calls import OpenPhoneCall
from .openphone_records import render_call as openphone_record
from .skipcall import render_call as skipcall_record
from .skipcall_calls import SkipcallCall
from .switches import Switches

Columns = dict[str, Any]

TEN_WORDS = (
    *("queued", "ringing", "in-progress", "completed", "no-answer", "busy", "canceled", "failed"),
    *("forwarded", "unknown"),
)
SPELLINGS = {"cancelled": "canceled"}
YEAR_1990 = 631_152_000
"""Seconds since 1970."""
SYNONYMS = {
    "initiated": "queued",
    "ended": "completed",
    **dict.fromkeys(("missed", "unanswered", "abandoned", "declined"), "no-answer"),
}
ANSWERED_WORDS = ("answered", "connected", "on-hold")
OPENPHONE_UNANSWERED = ("missed", "no-answer", "busy", "failed", "canceled", "abandoned")
DIRECTIONS = {"incoming": "inbound", "outgoing": "outbound"}


def expected_call(provider: str, true_call: Any, switches: Switches) -> Columns:
    """The record of the stream `calls` for the true call, without its null columns."""
    if provider == "intercom":
        return _present(_intercom(true_call, switches))
    if provider == "openphone":
        return _present(_openphone(true_call, switches))
    if provider == "amplemarket":
        return _present(_amplemarket(true_call, switches))
    if provider == "skipcall":
        return _present(_skipcall(true_call, switches))
    raise KeyError(provider)


def _intercom(call: IntercomCall, switches: Switches) -> Columns:
    started, answered, ended, created, updated = map(
        _stated,
        (call.initiated_at, call.answered_at, call.ended_at, call.created_at, call.updated_at),
    )
    created = _first(created, started, answered, ended, updated)
    direction = _word(call.direction)
    inbound = direction == "inbound"
    outbound = direction == "outbound"
    duration = _seconds_between(started, ended)
    return {
        "provider": "intercom",
        "id": call.id,
        "direction": direction if inbound or outbound else None,
        "status": _status(call.state, ended),
        "occurred_at": _text(created if started is None else started),
        "started_at": _text(started),
        "answered_at": _text(answered),
        "ended_at": _text(ended),
        "created_at": _text(created),
        "updated_at": _text(created if updated is None else updated),
        "answered": _answered(answered, ended),
        "duration_seconds": duration,
        "duration_source": None if duration is None else "computed",
        "talk_seconds": _seconds_between(answered, ended),
        "from_number": call.phone if inbound else None,
        "to_number": call.phone if outbound else None,
        "external_number": call.phone,
        "user_id": call.admin_id,
        "contact_id": call.contact_id,
        "conversation_id": call.conversation_id,
        "recording_url": call.recording_url,
        "transcript_url": call.transcription_url,
        "end_reason": call.ended_reason,
        "provider_status": call.state,
        "provider_direction": call.direction,
        "provider_record": intercom_record(call, switches),
    }


def _openphone(call: OpenPhoneCall, switches: Switches) -> Columns:
    whole = switches.openphone.timestamps == "seconds"

    def shown(at: int | None) -> int | None:
        return None if at is None else at - at % 1000 if whole else at

    def text(at: int | None) -> str | None:
        at = shown(at)
        return (
            None if at is None else _text(at // 1000) if at % 1000 == 0 else _text_milliseconds(at)
        )

    line = call.conversation.line
    number = None if switches.openphone.numbers == "null" else line.number
    external = call.conversation.participants[0]
    times = (call.answered, call.completed, call.created, call.updated)
    answered_at, completed, created, updated = map(_stated_milliseconds, times)
    created = _first(created, answered_at, completed, updated)
    incoming = _word(call.direction) == "incoming"
    word = _word(call.status)
    answered = _answered(answered_at, completed)
    if answered is None and word in OPENPHONE_UNANSWERED:
        answered = False
    names = {user.id: f"{user.first_name} {user.last_name}" for user in line.users}
    answered_by_type = "human" if call.answered_by else None
    talked = _milliseconds_between(shown(answered_at), shown(completed))
    return {
        "provider": "openphone",
        "id": call.id,
        "direction": "inbound" if incoming else "outbound",
        "status": _status(call.status, completed),
        "occurred_at": text(created),
        "answered_at": text(answered_at),
        "ended_at": text(completed),
        "created_at": text(created),
        "updated_at": text(created if updated is None else updated),
        "answered": answered,
        "answered_by_type": "ai" if call.ai_handled == "ai-agent" else answered_by_type,
        "duration_seconds": call.duration,
        "duration_source": "provider",
        "talk_seconds": talked,
        "from_number": external if incoming else number,
        "to_number": number if incoming else external,
        "external_number": external,
        "internal_number": number,
        "user_id": call.user_id,
        "user_name": names.get(call.user_id),
        "conversation_id": call.conversation.id,
        "provider_status": call.status,
        "provider_direction": call.direction,
        "provider_record": openphone_record(call, switches),
    }


def _amplemarket(call: AmplemarketCall, switches: Switches) -> Columns:
    record = amplemarket_record(call, switches)
    started = _text(_stated(call.started))
    created = started
    if switches.amplemarket.ids == "uuid7":
        created = _text_milliseconds(int(call.id.replace("-", "")[:12], 16))
    word = call.direction if switches.amplemarket.direction == "present" else None
    direction = DIRECTIONS.get(_word(word or ""))
    outer, inner = {
        "inbound": (call.from_number, call.to_number),
        "outbound": (call.to_number, call.from_number),
    }.get(direction or "", (None, None))
    ended = call.answered is True and call.duration is not None
    return {
        "provider": "amplemarket",
        "id": record["id"],
        "direction": direction,
        "status": "completed" if ended else None,
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
        "contact_id": call.contact_id,
        "contact_name": None if call.contact_id is None else call.contact_name,
        "disposition_id": call.disposition_id,
        "notes": call.notes,
        "recording_url": call.recording_url if call.has_recording_url else None,
        "transcript": call.transcription,
        "provider_direction": word,
        "provider_record": record,
    }


def _skipcall(call: SkipcallCall, switches: Switches) -> Columns:
    word = _word(call.type)
    direction = word if word in ("inbound", "outbound") else None
    outer, inner = call.phone_number, call.caller_phone_number
    sides = {"inbound": (outer, inner), "outbound": (inner, outer)}.get(
        direction or "", (None, None)
    )
    times = (call.started, call.ended, call.created, call.updated, call.deleted)
    started, ended, created, updated, deleted = map(_stated_milliseconds, times)
    created = _first(created, started, ended, updated, deleted)
    changes = [at for at in (updated, deleted) if at is not None]
    duration = _milliseconds_between(started, ended)
    contact = call.contact if call.contact and not call.contact.is_unknown else None
    return {
        "provider": "skipcall",
        "id": call.id,
        "direction": direction,
        "status": _status(call.status, ended),
        "occurred_at": _text_milliseconds(created if started is None else started),
        "started_at": _text_milliseconds(started),
        "ended_at": _text_milliseconds(ended),
        "created_at": _text_milliseconds(created),
        "updated_at": _text_milliseconds(max(changes, default=created)),
        "duration_seconds": duration,
        "duration_source": None if duration is None else "computed",
        "from_number": sides[0],
        "to_number": sides[1],
        "external_number": outer,
        "internal_number": inner,
        "user_id": call.membership_id,
        "user_name": _name(*call.caller) if call.caller else None,
        "contact_id": contact.id if contact else None,
        "contact_name": _name(contact.first_name, contact.last_name) if contact else None,
        "notes": call.notes,
        "deleted_at": _text_milliseconds(deleted),
        "provider_status": call.status,
        "provider_direction": call.type,
        "provider_record": skipcall_record(call, switches),
    }


def _present(columns: Mapping[str, Any]) -> Columns:
    """Without nulls; an empty text says nothing either."""
    return {name: value for name, value in columns.items() if value is not None and value != ""}


def _stated(seconds: int | None) -> int | None:
    """The instant, None if it lies before 1990: such a time stands for one that never was."""
    return None if seconds is None or seconds < YEAR_1990 else seconds


def _stated_milliseconds(milliseconds: int | None) -> int | None:
    """The same in milliseconds."""
    return None if milliseconds is None or milliseconds < YEAR_1990 * 1000 else milliseconds


def _first(created: int | None, *others: int | None) -> int | None:
    """The creation, or in its place the earliest of the other times; None if there is none."""
    known = [at for at in others if at is not None]
    return min(known, default=None) if created is None else created


def _word(text: str) -> str:
    """A provider's word as it is compared: whatever its case, `_`, blank and `-` the same."""
    return SPELLINGS.get(word := text.lower().replace("_", "-").replace(" ", "-"), word)


def _status(text: str, ended: int | None) -> str:
    """Our word for a provider's status."""
    word = _word(text)
    if word in ANSWERED_WORDS:
        return "in-progress" if ended is None else "completed"
    return SYNONYMS.get(word, word if word in TEN_WORDS else "unknown")


def _answered(answered: int | None, ended: int | None) -> bool | None:
    """True with an answer time, false without one once the call has ended."""
    return True if answered is not None else False if ended is not None else None


def _name(first: str, last: str) -> str:
    return " ".join(part for part in (first, last) if part)


def _seconds_between(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None or end < start else end - start


def _milliseconds_between(start: int | None, end: int | None) -> int | None:
    between = _seconds_between(start, end)
    return None if between is None else between // 1000


def _text(seconds: int | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text_milliseconds(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
