"""OpenPhone's error answers: live form and documented form."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from .answers import Answer, json_answer
from .switches import Switches

DOCS = "https://openphone.com/docs"
TRACE = "5501849301829374651"
Envelope = Literal["live", "live_message", "documented"]
"""The forms of an error; see the switch `envelope`."""
ENVELOPES: tuple[Envelope, ...] = ("live", "live_message", "documented")


@dataclass(frozen=True)
class Refusal:
    """An error: status, code and title of the documented form, a message for both forms."""

    status: int
    code: str
    title: str
    message: str
    path: str | None = None
    description: str | None = None


UNAUTHORIZED = Refusal(401, "0100401", "Unauthorized", "Unauthorized")
NO_HEADER = Refusal(401, "0100401", "Unauthorized", "Missing authorization header")
NOT_NUMBER_USER = Refusal(
    403, "0101403", "Not Phone Number User", "The user is not on this phone number"
)
NOT_FOUND = Refusal(404, "0100404", "Not Found", "Phone number not found")
TOO_MANY_PARTICIPANTS = Refusal(
    400,
    "0101400",
    "Too Many Participants",
    "Only one-to-one conversations are supported",
    description="Too Many Participants",
)
NUMBER_REFUSED = Refusal(
    403, "1001403", "Not Phone Number User", "The user is not on this phone number"
)
"""Of /v1/conversations; its title is INFERRED."""
FORBIDDEN = Refusal(403, "0100403", "Forbidden", "The workspace does not allow this")
TOO_MANY_REQUESTS = Refusal(429, "0100429", "Too Many Requests", "Too many requests")
SUBSCRIPTION_EXPIRED = Refusal(
    402, "0101402", "Subscription Expired", "The subscription has expired"
)


def invalid(path: str, message: str) -> Refusal:
    """A parameter that the validation refuses; its code is UNKNOWN."""
    return Refusal(400, "0100400", "Bad Request", message, path)


def refusal_answer(refusal: Refusal, switches: Switches, documented: bool = False) -> Answer:
    """The answer in the form that the switch `envelope` names, or in the documented one."""
    form: Envelope = "documented" if documented else switches.openphone.envelope
    return json_answer(refusal.status, refusal_body(refusal, form))


def refusal_body(refusal: Refusal, form: Envelope) -> dict[str, object]:
    """The body of an error in one of its forms."""
    if form == "live":
        return {"error": {"message": refusal.message, "key": refusal.title, "trace": TRACE}}
    if form == "live_message":
        key = HTTPStatus(refusal.status).phrase.replace(" ", "")
        return {"error": {"message": refusal.title, "key": key, "trace": TRACE}}
    content: dict[str, object] = {
        "message": refusal.message,
        "code": refusal.code,
        "status": refusal.status,
        "docs": DOCS,
        "title": refusal.title,
        "trace": TRACE,
    }
    if refusal.description is not None:
        content["description"] = refusal.description
    if refusal.path is not None:
        problem = {"path": refusal.path, "message": refusal.message, "schema": {"type": "string"}}
        content["errors"] = [problem]
    return content


def unknown_route() -> Answer:
    """An unknown route answers an HTML page (seen live)."""
    body = b"<!DOCTYPE html><html><body><pre>Cannot GET</pre></body></html>"
    return Answer(404, body, content_type="text/html; charset=utf-8")
