"""`Completion`: what follows from the columns of a call that were read, in one place for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calls_shared.normalization import times
from calls_shared.normalization.parties import complete_parties
from calls_shared.normalization.words import ANSWERED

_UNANSWERED = frozenset({"no-answer", "busy", "failed", "canceled"})
_FALLBACK_TIMES = ("started_at", "answered_at", "ended_at", "deleted_at", "updated_at")


@dataclass(frozen=True)
class Completion:
    """How a provider's calls are completed.

    Attributes:
        states_answers, waits_from: as `CallNormalization` has them.
        computes_duration: whether a duration that is not stated is its end less its start.
    """

    states_answers: bool
    waits_from: str
    computes_duration: bool

    def complete(self, call: dict[str, Any], unreadable: list[str]) -> None:
        """Add to a call what the columns that could be read tell together."""
        started, ended = call.get("started_at"), call.get("ended_at")
        waited_from = call.get(self.waits_from)  # as it is stated, before anything stands in for it
        created = call.get("created_at")
        if created is None:
            created = times.earliest([call[name] for name in _FALLBACK_TIMES if name in call])
        if created is not None:
            call["created_at"] = created
            if "updated_at" not in unreadable and "created_at" not in unreadable:
                call.setdefault("updated_at", created)  # else the change may be of any time
            call.setdefault("occurred_at", started or created)
        answered = self._whether_answered(call, unreadable)
        self._complete_status(call, answered, unreadable)
        if answered is not None:
            call["answered"] = answered
            until = call.get("answered_at") if answered else ended
            _put_seconds(call, "wait_seconds", waited_from, until)
        if "duration_seconds" in call:
            call["duration_source"] = "provider"
        elif self.computes_duration and "duration_seconds" not in unreadable:
            _put_seconds(call, "duration_seconds", started, ended)
            if "duration_seconds" in call:
                call["duration_source"] = "computed"
        if "talk_seconds" not in call and "talk_seconds" not in unreadable:
            _put_seconds(call, "talk_seconds", call.get("answered_at"), ended)
        if "direction" in call:
            complete_parties(call)
        if "participants" not in unreadable and "participants" not in call:
            known = [call[side] for side in ("from_number", "to_number") if side in call]
            call.update({"participants": [*dict.fromkeys(known)]} if known else {})

    def _whether_answered(self, call: Mapping[str, Any], unreadable: list[str]) -> bool | None:
        """By the answer time, by the provider's own flag or word, or because it ended without."""
        status = call.get("status")
        if "answered_at" in call or "answered" in call:
            return bool(call.get("answered", True))
        if status in (ANSWERED, "in-progress"):
            return True
        if "answered_at" in unreadable or status == "forwarded":
            return None  # what became of it at its target, no record tells
        has_ended = "ended_at" in call or "ended_at" in unreadable or status == "completed"
        return False if status in _UNANSWERED or (self.states_answers and has_ended) else None

    def _complete_status(
        self, call: dict[str, Any], answered: bool | None, unreadable: list[str]
    ) -> None:
        status = call.get("status")
        if status == ANSWERED:
            has_ended = "ended_at" in call or "ended_at" in unreadable
            call["status"] = "completed" if has_ended else "in-progress"
        elif status == "completed" and answered is False:
            call["status"] = "no-answer"


def _put_seconds(call: dict[str, Any], name: str, start: str | None, end: str | None) -> None:
    if start is not None and end is not None:
        seconds = times.seconds_between(start, end)
        if seconds is not None:
            call[name] = seconds
