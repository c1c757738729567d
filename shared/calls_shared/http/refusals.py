"""Failures of a request that the provider refuses for what it asked.

AirbyteTracedException
├── BadRequestError
│   └── PageRefusedError
├── HintsRefusedError
└── RefusedError
"""

from typing import Final

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

STATUSES: Final = (400, 404, 422)
"""What a provider may answer, in its own envelope, for a page past the end."""

BAD_REQUESTS: Final = (400, 422)


class BadRequestError(AirbyteTracedException):
    """A request was refused for what it asked (HTTP 400 or 422, in whatever words)."""


class PageRefusedError(BadRequestError):
    """A page was refused, in the provider's own words: it can be behind the end of a list."""


class HintsRefusedError(AirbyteTracedException):
    """Hints that were taken for a page are refused for a later one.

    They are not sent any more, and the list has to be read anew: its order was theirs.
    """


class RefusedError(AirbyteTracedException):
    """A request was refused, in the provider's own words, as its sender had foreseen.

    It says nothing about other requests.

    Attributes:
        status: the HTTP status.
        says: the provider's words.
    """

    status: int = 0
    says: str = ""
