"""Refusals of OpenPhone as faults, and which requests they meet."""

from collections.abc import Callable

import orjson

from .faults import ENDLESS, Fault
from .openphone_errors import Envelope, Refusal, refusal_body
from .seen import SeenRequest

Selection = Callable[[SeenRequest], bool]


def refusing(
    refusal: Refusal,
    form: Envelope = "documented",
    where: Selection = lambda seen: True,
    *,
    path: str = "/v1/calls",
    nth: int = 1,
    times: int = ENDLESS,
) -> Fault:
    """A fault that answers requests for the path with the refusal."""
    return Fault(
        "openphone",
        path_contains=path,
        where=where,
        nth=nth,
        times=times,
        status=refusal.status,
        body=orjson.dumps(refusal_body(refusal, form)),
    )


def asks(**wanted: str | None) -> Selection:
    """Requests with these values in the query: `phoneNumberId`, `participants`, `userId`, ...

    None stands for a parameter that is absent or empty.
    """

    def chosen(seen: SeenRequest) -> bool:
        query = dict(seen.query)
        return all((query.get(name) or None) == value for name, value in wanted.items())

    return chosen


def for_one_of(conversations: set[tuple[str, str]]) -> Selection:
    """Requests for calls of the conversations, each a phone number's id and a participant."""
    return lambda seen: conversation_of(seen) in conversations


def from_conversation(number: int) -> Selection:
    """Requests for calls of the conversation that is the `number`th to be asked for, and later."""
    known: dict[tuple[str, str], int] = {}

    def chosen(seen: SeenRequest) -> bool:
        return known.setdefault(conversation_of(seen), len(known) + 1) >= number

    return chosen


def conversation_of(seen: SeenRequest) -> tuple[str, str]:
    """The phone number's id and the participant that a request for calls names."""
    query = dict(seen.query)
    return query.get("phoneNumberId", ""), query.get("participants", "")
