"""The test oracle of Quo's calls, as each version of its API tells them; see `truth`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .meanings import (
    DIRECTIONS,
    Columns,
    as_text,
    as_text_milliseconds,
    both,
    first_known,
    folded,
    full_name,
    milliseconds_between,
    stated_milliseconds,
    status_of,
    waited,
    whether_answered,
)
from .openphone_calls import OpenPhoneCall
from .openphone_dated_records import render_dated_call
from .openphone_invented_parts import parts_of
from .openphone_records import render_call
from .openphone_workspace import Line
from .switches import Switches


class Known(NamedTuple):
    """What the versions tell in different ways.

    `line` is None where the record names none, `number` where its text is not known.
    """

    line: Line | None
    number: str | None
    external: str | None
    conversation: str | None
    updated: int | None
    has_milliseconds: bool
    has_fractions: bool


def expected_v1(call: OpenPhoneCall, switches: Switches) -> Columns:
    """The columns of a call that v1 lists."""
    line = call.conversation.line
    known = Known(
        line,
        None if switches.openphone.numbers == "null" else line.number,
        call.conversation.participants[0],
        call.conversation.id,
        call.updated,
        has_milliseconds=switches.openphone.timestamps == "milliseconds",
        has_fractions=False,
    )
    record = render_call(call, switches)
    return {
        **_columns(call, known),
        "participants": both(*record["participants"]),
        "provider_record": record,
    }


def expected_dated(call: OpenPhoneCall, switches: Switches) -> Columns:
    """The columns of a call that the dated API lists, with all parts that are not refused."""
    options = switches.openphone_dated
    record = render_dated_call(call, switches)
    line = call.conversation.line if call.conversation.attached else None
    number = None if line is None or switches.openphone.numbers == "null" else line.number
    landed = call.landed if options.parts_move_update else None
    known = Known(
        line,
        number,
        _outside(record["participants"], number),
        None,
        max((at for at in (call.updated, landed) if at is not None), default=None),
        has_milliseconds=options.timestamps != "seconds",
        has_fractions=options.timestamps == "milliseconds",
    )
    columns = {
        **_columns(call, known),
        "participants": both(*(party["phoneNumber"] for party in record["participants"])),
        "provider_record": record,
    }
    parts = parts_of(call)
    lacking = options.included.partition("_")[0]
    if parts.summary is not None and lacking not in ("summary", "both"):
        columns["summary"] = "\n".join(parts.summary.lines or ())
    if parts.voicemail is not None and lacking not in ("voicemail", "both"):
        columns["voicemail_url"] = parts.voicemail.url
        columns["voicemail_seconds"] = parts.voicemail.seconds
        columns["voicemail_transcript"] = parts.voicemail.transcript
    return columns


def _outside(parties: Sequence[dict[str, Any]], own: str | None) -> str | None:
    """The one number that is not the line's; of several the one of nobody in the workspace.

    Where the line's number is not known, one that is of somebody in the workspace may be it.
    """
    others = {party["phoneNumber"]: party["actorId"] for party in parties}
    others.pop(own, None)
    strangers = [number for number, actor in others.items() if actor is None]
    found = list(others) if len(others) == 1 and own is not None else strangers
    return found[0] if len(found) == 1 else None


def _columns(call: OpenPhoneCall, known: Known) -> Columns:
    """The columns that mean the same in both versions."""

    def shown(at: int | None) -> int | None:
        return at if at is None or known.has_milliseconds else at - at % 1000

    def text(at: int | None) -> str | None:
        at = shown(at)
        if at is not None and at % 1000 == 0 and not known.has_fractions:
            return as_text(at // 1000)
        return as_text_milliseconds(at)

    line, number, external = known.line, known.number, known.external
    times = (call.answered, call.completed, call.created, known.updated)
    answered_at, completed, created, updated = map(stated_milliseconds, times)
    waited_from = shown(created)
    created = first_known(created, answered_at, completed, updated)
    direction = DIRECTIONS[folded(call.direction)]
    incoming = direction == "inbound"
    answered = whether_answered(call.status, answered_at, completed)
    wait = waited(answered, waited_from, shown(answered_at), shown(completed))
    person = _person(call, incoming, answered is True)
    users = () if line is None else line.users
    listed = next((user for user in users if user.id == person), None)
    return {
        "provider": "openphone",
        "id": call.id,
        "direction": direction,
        "status": status_of(call.status, completed, answered),
        "occurred_at": text(created),
        "answered_at": text(answered_at),
        "ended_at": text(completed),
        "created_at": text(created),
        "updated_at": text(created if updated is None else updated),
        "answered": answered,
        "answered_by_type": _answerer(call) if incoming and answered else None,
        "duration_seconds": call.duration,
        "duration_source": "provider",
        "wait_seconds": None if wait is None else wait // 1000,
        "talk_seconds": milliseconds_between(shown(answered_at), shown(completed)),
        "from_number": external if incoming else number,
        "to_number": number if incoming else external,
        "external_number": external,
        "internal_number": number,
        "line_id": line and line.id,
        "line_name": line and line.name,
        "user_id": person,
        "user_name": listed and full_name(listed.first_name, listed.last_name),
        "user_email": listed and listed.email,
        "conversation_id": known.conversation,
        "forwarded_from": call.forwarded_from,
        "forwarded_to": call.forwarded_to,
        "provider_status": call.status,
        "provider_direction": call.direction,
        "provider_call_type": call.call_route,
    }


def _person(call: OpenPhoneCall, incoming: bool, answered: bool) -> str | None:
    """Who answered an incoming call or placed an outgoing one; else whom the call was for.

    Nobody where that was no person, or where an AI answered and nobody is named.
    """
    named = call.answered_by if incoming else call.initiated_by
    if named is not None:
        return None if named.startswith("SY") else named
    by_ai_alone = incoming and answered and call.ai_handled is not None
    return None if by_ai_alone or call.user_id.startswith("SY") else call.user_id


def _answerer(call: OpenPhoneCall) -> str | None:
    """What answered an incoming call: `userId` says nothing about that."""
    named = call.answered_by or ""
    if call.ai_handled is not None or named.startswith("SY"):
        return "ai"
    return "human" if named.startswith("US") else None
