"""`PageRefusedError`: a page that the provider refuses, which can be the end of a list."""

from typing import Final

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

STATUSES: Final = (400, 404, 422)
"""What a provider may answer, in its own envelope, for a page past the end."""


class PageRefusedError(AirbyteTracedException):
    """A request was refused in the provider's own words, for what it asked and not for the key.

    AirbyteTracedException
    └── PageRefusedError
    """
