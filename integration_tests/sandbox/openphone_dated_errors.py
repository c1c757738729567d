"""Error answers of Quo's dated API: `title`, `message` and `docs`, without a code or a status."""

from http import HTTPStatus

from .answers import Answer, json_answer
from .openphone_errors import TRACE, Refusal

DOCS = "https://www.quo.com/docs/2026-03-30/errors"
VERSION_HEADER = "quo-api-version"
VERSION = "2026-03-30"


def dated(status: int, message: str, path: str | None = None) -> Refusal:
    """An error of this API; its title is that of its status."""
    return Refusal(status, "", HTTPStatus(status).phrase, message, path)


VERSION_MISSING = dated(
    400, f"The header Quo-Api-Version must be {VERSION}", "/headers/quo-api-version"
)
CALL_NOT_FOUND = dated(404, "Call not found")
UNKNOWN_PATH = dated(404, "Not found")
FORBIDDEN = dated(403, "This workspace does not allow the request")


def query_invalid(name: str, message: str) -> Refusal:
    """A parameter that the validation refuses."""
    return dated(400, message, f"/query/{name}")


def dated_refusal(refusal: Refusal) -> Answer:
    """The answer; `trace` and `errors` are optional, and not always there."""
    content: dict[str, object] = {
        "title": HTTPStatus(refusal.status).phrase,
        "message": refusal.message,
        "docs": DOCS,
    }
    if refusal.status != HTTPStatus.BAD_REQUEST:
        content["trace"] = TRACE
    if refusal.path is not None:
        problem = {"path": refusal.path, "message": refusal.message, "schema": {"type": "string"}}
        content["errors"] = [problem]
    return json_answer(refusal.status, content)
