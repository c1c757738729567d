"""OpenPhone's records: calls, conversations, phone numbers, users."""

from .openphone_calls import OpenPhoneCall
from .openphone_history import Thread
from .openphone_workspace import Line, User
from .rendering import Record, with_unknown_fields
from .switches import Switches
from .times import SECOND, ZERO_TIMES, iso_milliseconds, iso_seconds


def render_call(call: OpenPhoneCall, switches: Switches) -> Record:
    """The call as OpenPhone lists it: 17 fields, all always there; live ones add a voicemail."""
    conversation = call.conversation
    number = listed_number(conversation.line, switches)
    own = [number] if number and switches.openphone.participants_include_own else []
    record: Record = {
        "answeredAt": listed_time(call.answered, switches),
        "answeredBy": call.answered_by,
        "initiatedBy": call.initiated_by,
        "direction": call.direction,
        "status": call.status,
        "completedAt": listed_time(call.completed, switches),
        "createdAt": listed_time(call.created, switches),
        "callRoute": call.call_route,
        "duration": call.duration,
        "forwardedFrom": call.forwarded_from,
        "forwardedTo": call.forwarded_to,
        "aiHandled": call.ai_handled,
        "id": call.id,
        "phoneNumberId": conversation.line.id,
        "participants": [*own, *conversation.participants] if call.names_participants else [],
        "updatedAt": listed_time(call.updated, switches),
        "userId": call.user_id,
    }
    if call.voicemail_seconds is not None:
        url = f"https://files.quo.example/{call.id}.mp3"
        record["voicemail"] = {"url": url, "duration": call.voicemail_seconds}
    return with_unknown_fields(record, switches)


def render_conversation(thread: Thread, switches: Switches) -> Record:
    """The conversation as /v1/conversations lists it; all dates are nullable."""
    conversation = thread.conversation
    created, moved = listed_time(thread.created, switches), listed_time(thread.activity, switches)
    moves = switches.openphone.conversation_moves
    dates: Record = {
        "lastActivityAt": created if moves == "updated" else moved,
        "createdAt": created,
        "updatedAt": created if moves == "last_activity" else moved,
    }
    if conversation.dates_null:
        dates = dict.fromkeys(dates, listed_time(None, switches))
    record: Record = {
        "id": conversation.id,
        "phoneNumberId": conversation.line.id,
        "participants": list(conversation.participants),
        "name": None,
        "assignedTo": None,
        "lastActivityId": thread.last_call,
        "mutedUntil": None,
        "snoozedUntil": None,
        "deletedAt": moved if conversation.deleted else listed_time(None, switches),
        **dates,
    }
    return with_unknown_fields(record, switches)


def listed_update(thread: Thread, switches: Switches) -> int | None:
    """The conversation's `updatedAt` in milliseconds, as the filters see it."""
    if thread.conversation.dates_null:
        return None
    unmoved = switches.openphone.conversation_moves == "last_activity"
    return thread.created if unmoved else thread.activity


def render_line(line: Line, switches: Switches) -> Record:
    """The number as /v1/phone-numbers lists it."""
    number = listed_number(line, switches)
    allowed = dict.fromkeys(("US", "CA", "Intl"), "unrestricted")
    record: Record = {
        "id": line.id,
        "groupId": f"GR{line.id[2:]}",
        "name": line.name,
        "number": number,
        "formattedNumber": number and f"{number[:2]} {number[2:]}",
        "forward": None,
        "portRequestId": None,
        "portingStatus": None,
        "symbol": "📞",
        "createdAt": "2022-01-01T00:00:00Z",
        "updatedAt": "2022-01-02T03:04:05.678Z",
        "restrictions": {"calling": allowed, "messaging": allowed},
        "users": [render_user(user, line, switches) for user in line.users],
    }
    return with_unknown_fields(record, switches)


def listed_number(line: Line, switches: Switches) -> str | None:
    """The text of the number, which may be missing by a switch."""
    return None if switches.openphone.numbers == "null" else line.number


def render_user(user: User, line: Line, switches: Switches) -> Record:
    """A user of a number."""
    record: Record = {
        "id": user.id,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "role": user.role,
        "groupId": f"GR{line.id[2:]}",
    }
    return with_unknown_fields(record, switches)


def listed_time(milliseconds: int | None, switches: Switches) -> str | None:
    """An instant as listed; `milliseconds` shows no fraction on whole seconds."""
    if milliseconds is None:
        return ZERO_TIMES[switches.openphone.no_time][1]
    if switches.openphone.timestamps == "seconds" or milliseconds % SECOND == 0:
        return iso_seconds(milliseconds // SECOND)
    return iso_milliseconds(milliseconds)
