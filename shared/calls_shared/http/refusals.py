"""Failures of a request that the provider refuses for what it asked."""

from typing import Final

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

STATUSES: Final = (400, 404, 422)
"""What a provider may answer, in its own envelope, for a page past the end."""


class BadRequestError(AirbyteTracedException):
    """A request was refused for what it asked (HTTP 400, in whatever words), or as below.

    AirbyteTracedException
    └── BadRequestError
        └── PageRefusedError
    """


class PageRefusedError(BadRequestError):
    """A page was refused, in the provider's own words: it can be behind the end of a list."""
