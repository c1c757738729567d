"""Mutants of the one reading of a call: each rule of the questions that the README answers."""

from integration_tests.mutant import SHARED, UNIT, Mutant, manifest

CALL = f"{SHARED}/normalization/completion.py"
PARTIES = f"{SHARED}/normalization/parties.py"
PEOPLE = f"{SHARED}/normalization/people.py"
WORDS = f"{SHARED}/normalization/words.py"
ROWS = (f"{UNIT}/normalization/test_normalization.py",)
PERSONS = (f"{UNIT}/normalization/test_people.py",)

_ANSWERED = (
    Mutant(
        "an answer time is no answer",
        CALL,
        'if "answered_at" in call or "answered" in call:',
        'if "answered" in call:',
        ROWS,
    ),
    Mutant(
        "a word that says answered is no answer",
        CALL,
        'if status in (ANSWERED, "in-progress"):',
        'if status == "in-progress":',
        ROWS,
    ),
    Mutant(
        "a call in progress is not answered",
        CALL,
        'if status in (ANSWERED, "in-progress"):',
        "if status == ANSWERED:",
        ROWS,
    ),
    Mutant(
        "a garbled answer time is none",
        CALL,
        'if "answered_at" in unreadable or status == "forwarded":',
        'if status == "forwarded":',
        ROWS,
    ),
    Mutant(
        "a forwarded call was not answered",
        CALL,
        'if "answered_at" in unreadable or status == "forwarded":',
        'if "answered_at" in unreadable:',
        ROWS,
    ),
    Mutant(
        "every provider states answer times",
        CALL,
        "(self.states_answers and has_ended)",
        "has_ended",
        ROWS,
    ),
    Mutant(
        "a busy line may have been answered",
        CALL,
        '_UNANSWERED = frozenset({"no-answer", "busy", "failed", "canceled"})',
        '_UNANSWERED = frozenset({"no-answer", "failed", "canceled"})',
        ROWS,
    ),
    Mutant(
        "Amplemarket's flag counts without a duration",
        manifest("amplemarket"),
        "equals: {answered: true}, present: [duration]}",
        "equals: {answered: true}}",
        ROWS,
    ),
    Mutant(
        "who answered a call that nobody answered",
        manifest("amplemarket"),
        "{value: machine, equals: {answered: true, human: false}}",
        "{value: machine, equals: {human: false}}",
        ROWS,
    ),
)

_STATUS = (
    Mutant(
        "completed without an answer stays completed",
        CALL,
        'elif status == "completed" and answered is False:',
        'elif status == "completed" and answered is None:',
        ROWS,
    ),
    Mutant(
        "an answered call goes on for ever",
        CALL,
        'call["status"] = "completed" if has_ended else "in-progress"',
        'call["status"] = "in-progress"',
        ROWS,
    ),
    Mutant(
        "words are compared as they are written",
        WORDS,
        'return _SEPARATORS.sub("-", word.strip().casefold()).replace("cancelled", "canceled")',
        "return word",
        ROWS,
    ),
    Mutant(
        "a declined call is unknown",
        WORDS,
        '("missed", "unanswered", "abandoned", "declined")',
        '("missed", "unanswered", "abandoned")',
        ROWS,
    ),
    Mutant(
        "a call on hold is unknown",
        WORDS,
        '("answered", "connected", "on-hold")',
        '("answered", "connected")',
        ROWS,
    ),
    Mutant(
        "an unknown word is passed on",
        WORDS,
        "            return otherwise\n",
        "            return word\n",
        ROWS,
    ),
)

_PEOPLE = (
    Mutant(
        "who answered is told of calls that nobody answered",
        PEOPLE,
        'if direction == "inbound" and call.get("answered"):',
        'if direction == "inbound":',
        PERSONS,
    ),
    Mutant(
        "who answered is told of outgoing calls",
        PEOPLE,
        'if direction == "inbound" and call.get("answered"):',
        'if call.get("answered"):',
        PERSONS,
    ),
    Mutant(
        "an AI is a person",
        PEOPLE,
        "if is_system or (is_ai and named is None):",
        "if is_ai and named is None:",
        PERSONS,
    ),
    Mutant(
        "where an AI answered alone, the owner was on the call",
        PEOPLE,
        "if is_system or (is_ai and named is None):",
        "if is_system:",
        PERSONS,
    ),
    Mutant(
        "the owner of a line stands for whoever answered",
        PEOPLE,
        "user = named or text(self.otherwise(record))",
        "user = text(self.otherwise(record))",
        PERSONS,
    ),
    Mutant(
        "where nobody is named, nobody was called",
        PEOPLE,
        "user = named or text(self.otherwise(record))",
        "user = named",
        PERSONS,
    ),
    Mutant(
        "who placed a Quo call is looked up where who answered stands",
        manifest("openphone"),
        "outbound: initiatedBy",
        "outbound: answeredBy",
        ROWS,
    ),
    Mutant(
        "the fan-out looks at the person on the call",
        manifest("openphone"),
        "involved_at: [userId, answeredBy, initiatedBy]",
        "involved_at: [answeredBy, initiatedBy]",
        ("integration_tests/test_earned_skips.py", "integration_tests/test_sandbox_openphone.py"),
    ),
    Mutant(
        "the party of a Quo call without participants is not known",
        manifest("openphone"),
        ", else_in_slice: participants}",
        "}",
        ROWS,
    ),
    Mutant(
        "the line itself is the other party",
        PARTIES,
        "others = [number for number in numbers if number != own(extra)]",
        "others = numbers",
        ROWS,
    ),
)

_TIMES = (
    Mutant(
        "a duration that is stated is computed once more",
        manifest("intercom"),
        "duration_seconds: {from: duration, computed: ended_minus_started}",
        "duration_seconds: {computed: ended_minus_started}",
        ROWS,
    ),
    Mutant(
        "a talk time that is stated is computed once more",
        manifest("intercom"),
        "      talk_seconds: {from: talk_time}\n",
        "",
        ROWS,
    ),
    Mutant(
        "talk begins with the call",
        CALL,
        '_put_seconds(call, "talk_seconds", call.get("answered_at"), ended)',
        '_put_seconds(call, "talk_seconds", call.get("answered_at", started), ended)',
        ROWS,
    ),
    Mutant(
        "a caller waits until the end",
        CALL,
        'until = call.get("answered_at") if answered else ended',
        "until = ended",
        ROWS,
    ),
    Mutant(
        "a caller waits only if somebody answers",
        CALL,
        'until = call.get("answered_at") if answered else ended',
        'until = call.get("answered_at")',
        ROWS,
    ),
    Mutant(
        "a caller of Quo waits from the answer",
        manifest("openphone"),
        "waits_from: created_at",
        "waits_from: answered_at",
        ROWS,
    ),
    Mutant(
        "what kind of call it was is not told",
        manifest("skipcall"),
        "provider_call_type: {from: callType}",
        "provider_call_type: {from: type}",
        ROWS,
    ),
    Mutant(
        "transferred is told by the status",
        manifest("skipcall"),
        "transferred: {from: transferred}",
        "transferred: {from: isTransferred}",
        ROWS,
    ),
)

MAPPED = (f"{UNIT}/normalization/test_mapping.py",)

_SOURCES = (
    Mutant(
        "a duration of milliseconds counts as seconds",
        f"{SHARED}/normalization/converters.py",
        "return int(number // UNITS[unit])",
        "return int(number)",
        MAPPED,
    ),
    Mutant(
        "a time of milliseconds counts as seconds",
        f"{SHARED}/normalization/times.py",
        "second = number / UNITS[unit]",
        "second = float(number)",
        MAPPED,
    ),
    Mutant(
        "a condition of a column is not looked at",
        f"{SHARED}/normalization/sources.py",
        "return read(record, extra) if is_met is met else None",
        "return read(record, extra)",
        MAPPED,
    ),
    Mutant(
        "a status outside of the list is translated to",
        f"{SHARED}/normalization/words.py",
        "return column not in ours or word in ours[column]",
        "return True",
        MAPPED,
    ),
)

MUTANTS_OF_COLUMNS: tuple[Mutant, ...] = (
    *_ANSWERED,
    *_STATUS,
    *_PEOPLE,
    *_TIMES,
    *_SOURCES,
)
