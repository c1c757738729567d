"""Records of Quo's dated API: calls with what is included, users, numbers."""

from collections.abc import Collection

from .openphone_calls import OpenPhoneCall
from .openphone_invented_parts import parts_of
from .openphone_parts import Summary, Voicemail
from .openphone_records import listed_number
from .openphone_switches import PARTS, Part
from .openphone_workspace import E164, HOLDERS, Line, Member
from .rendering import Record, with_unknown_fields
from .switches import Switches
from .times import SECOND, ZERO_TIMES, iso_milliseconds, iso_seconds


def render_dated_call(
    call: OpenPhoneCall, switches: Switches, parts: Collection[Part] = PARTS
) -> Record:
    """The call as the dated API lists it, with the parts that are asked for and not refused."""
    options = switches.openphone_dated
    updated = call.updated
    if options.parts_move_update and call.landed is not None:
        updated = max(updated or 0, call.landed)
    record: Record = {
        "id": call.id,
        "phoneNumberId": call.conversation.line.id if call.conversation.attached else None,
        "actorId": call.user_id,
        "direction": call.direction,
        "status": call.status,
        "participants": render_participants(call, switches),
        "answeredAt": dated_time(call.answered, switches),
        "answeredBy": call.answered_by,
        "initiatedBy": call.initiated_by,
        "completedAt": dated_time(call.completed, switches),
        "createdAt": dated_time(call.created, switches),
        "updatedAt": dated_time(updated, switches),
        "callRoute": call.call_route,
        "duration": call.duration,
        "forwardedFrom": call.forwarded_from,
        "forwardedTo": call.forwarded_to,
        "aiHandled": call.ai_handled,
    }
    surroundings = parts_of(call)
    refused = options.refused_parts()
    if "summary" in parts and "summary" not in refused and options.included != "summary_left_out":
        lacking = options.included == "summary_absent"
        summary = Summary("absent") if lacking else surroundings.summary
        record["summary"] = None if summary is None else render_summary(summary)
    voicemail = surroundings.voicemail
    if "voicemail" in parts and "voicemail" not in refused and voicemail is not None:
        record["voicemail"] = render_voicemail(voicemail)
    return with_unknown_fields(record, switches)


def render_participants(call: OpenPhoneCall, switches: Switches) -> list[Record]:
    """Every party, the own number first; none where the record names none."""
    if not call.names_participants:
        return []
    conversation, how = call.conversation, switches.openphone_dated.participants
    own: list[Record] = []
    number = listed_number(conversation.line, switches)
    if conversation.attached and number is not None and how != "without_own":
        actor = call.answered_by or call.initiated_by
        own = [{"phoneNumber": number, "actorId": actor}]
        if how == "own_twice":
            own.append({"phoneNumber": number, "actorId": call.user_id})
    others: list[Record] = [
        {"phoneNumber": dated_number(other), "actorId": HOLDERS.get(other)}
        for other in conversation.participants
    ]
    return [*own, *others] * (2 if how == "all_twice" else 1)


def dated_number(text: str) -> str:
    """A number as it is, and `anonymous`, `blocked`, `restricted` in small letters."""
    return text if E164.fullmatch(text) else text.lower()


def render_summary(summary: Summary) -> Record:
    """The summary as it is included."""
    return {
        "status": summary.status,
        "type": summary.author,
        "title": summary.title,
        "summary": None if summary.lines is None else list(summary.lines),
        "nextSteps": None if summary.next_steps is None else list(summary.next_steps),
        "jobs": [],
    }


def render_voicemail(voicemail: Voicemail) -> Record:
    """The voicemail as it is included; v1 answers it alike."""
    return {
        "id": voicemail.id,
        "status": voicemail.status,
        "duration": voicemail.seconds,
        "recordingUrl": voicemail.url,
        "transcript": voicemail.transcript,
    }


def render_member(member: Member, switches: Switches) -> Record:
    """A user of the workspace; v1 lists them alike."""
    record: Record = {
        "id": member.id,
        "email": member.email,
        "firstName": member.first_name,
        "lastName": member.last_name,
        "pictureUrl": None,
        "role": member.role,
        "createdAt": "2022-01-01T00:00:00Z",
        "updatedAt": "2022-01-02T03:04:05.678Z",
    }
    return with_unknown_fields(record, switches)


def render_dated_line(line: Line, switches: Switches, restrictions: bool) -> Record:
    """A number; who uses it is not said here."""
    record: Record = {
        "id": line.id,
        "groupId": f"GR{line.id[2:]}",
        "name": line.name,
        "phoneNumber": listed_number(line, switches),
        "symbol": "📞",
        "createdAt": "2022-01-01T00:00:00Z",
        "updatedAt": "2022-01-02T03:04:05.678Z",
    }
    if restrictions:
        allowed = dict.fromkeys(("US", "CA", "Intl"), "unrestricted")
        record["restrictions"] = {"calling": allowed, "messaging": allowed}
    return with_unknown_fields(record, switches)


def dated_time(milliseconds: int | None, switches: Switches) -> str | None:
    """An instant as the dated API lists it."""
    how = switches.openphone_dated.timestamps
    if milliseconds is None:
        return ZERO_TIMES[switches.openphone.no_time][1]
    if how == "seconds" or (how == "mixed" and milliseconds % SECOND == 0):
        return iso_seconds(milliseconds // SECOND)
    return iso_milliseconds(milliseconds)
