"""What the answers to `examples/questions.sql` must be, from the true calls alone."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

Call = dict[str, Any]
Rows = set[tuple[Any, ...]]


def true_answers(calls: Iterable[Call]) -> list[Rows]:
    """The rows for each question, in the order of the questions."""
    kept = [call for call in calls if "deleted_at" not in call]
    return [question(kept) for question in (answered, outcomes, talks, people, waits)]


def answered(calls: list[Call]) -> Rows:
    """By provider: answered, not answered, known, all."""
    rows = set()
    for provider, group in grouped(calls, lambda call: call["provider"]).items():
        said = Counter(call.get("answered") for call in group)
        rows.add((provider, said[True], said[False], said[True] + said[False], len(group)))
    return rows


def outcomes(calls: list[Call]) -> Rows:
    """By provider: how many have a status and are answered or not."""
    counts = Counter((call["provider"], call.get("status"), call.get("answered")) for call in calls)
    return {(*key, count) for key, count in counts.items()}


def talks(calls: list[Call]) -> Rows:
    """By provider: calls in which a machine or an AI was not alone on one side."""
    rows = set()
    for provider, group in grouped(calls, lambda call: call["provider"]).items():
        picked_up = [call for call in group if call.get("answered")]
        by = [call.get("answered_by_type") for call in picked_up]
        ai_alone = [
            call
            for call in picked_up
            if call.get("answered_by_type") == "ai" and "user_id" not in call
        ]
        talked = len(picked_up) - by.count("machine") - len(ai_alone)
        known = sum("answered" in call for call in group)
        rows.add((provider, talked, known, len(by) - by.count(None)))
    return rows


def people(calls: list[Call]) -> Rows:
    """By provider and person: calls that may have been answered, and how long they took."""
    theirs = [call for call in calls if "user_id" in call and call.get("answered", True)]
    rows = set()
    for key, group in grouped(theirs, lambda call: (call["provider"], call["user_id"])).items():
        talk = [call["talk_seconds"] for call in group if "talk_seconds" in call]
        others = [call for call in group if "talk_seconds" not in call]
        rest = [call["duration_seconds"] for call in others if "duration_seconds" in call]
        names = [call["user_name"] for call in group if "user_name" in call]
        total = sum(talk + rest) if talk or rest else None
        name = max(names, default=None)
        rows.add((*key, name, len(group), total, len(talk + rest), len(talk)))
    return rows


def waits(calls: list[Call]) -> Rows:
    """By provider and answer: how long the callers waited."""
    callers = [call for call in calls if call.get("direction") == "inbound"]
    waited = [call for call in callers if "wait_seconds" in call]
    rows = set()
    for key, group in grouped(waited, lambda call: (call["provider"], call["answered"])).items():
        seconds = [call["wait_seconds"] for call in group]
        average = round(sum(seconds) / len(seconds), 6)
        rows.add((*key, len(seconds), average, max(seconds)))
    return rows


def grouped(calls: list[Call], key: Callable[[Call], Any]) -> dict[Any, list[Call]]:
    """The calls by a key."""
    groups: dict[Any, list[Call]] = {}
    for call in calls:
        groups.setdefault(key(call), []).append(call)
    return groups
