"""What the platform answers when it refuses, in the form of either API."""

from typing import Any


class RefusalError(Exception):
    """A refusal: its HTTP status and its JSON."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def known(status: int, message: str) -> RefusalError:
    """An error of the Config API."""
    return RefusalError(
        status,
        {
            "message": message,
            "exceptionClassName": "io.airbyte.commons.server.errors.KnownException",
            "exceptionStack": ["java.lang.Thread.run(Thread.java:1583)"],
        },
    )


def problem(status: int, title: str, message: str | None = None) -> RefusalError:
    """A problem of the public API."""
    body: dict[str, Any] = {
        "status": status,
        "title": title,
        "type": f"https://reference.airbyte.com/reference/errors#{title}",
        "documentationUrl": None,
    }
    if message is not None:
        body["data"] = {"message": message}
    return RefusalError(status, body)


def bad_request(message: str) -> RefusalError:
    """A body or a parameter that will not do."""
    return problem(400, "bad-request", message)


def not_found(identifier: str) -> RefusalError:
    """An id that names nothing, in the public API."""
    found = problem(404, "resource-not-found")
    found.body["data"] = {"resourceType": "resource", "resourceId": identifier}
    return found


def unexpected(message: str) -> RefusalError:
    """A failure inside the platform, such as a pod that could not start."""
    return problem(500, "unexpected-problem", message)
