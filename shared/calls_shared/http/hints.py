"""`Hints`: parameters that may help and are not needed, such as a sort order of unknown form."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import requests
from airbyte_cdk.models import FailureType

from calls_shared.http.refusals import BadRequestError, HintsRefusedError
from calls_shared.http.sender import Request, Sender

LOGGER = logging.getLogger("airbyte.calls")


class Hints:
    """Sends them with each request until one is refused that is not refused without them.

    Safe for several threads; each change is atomic, and a late sight of one costs only a request.

    Args:
        parameters: the hints.
        stream, provider: names for the user.
    """

    def __init__(self, parameters: Mapping[str, str], stream: str, provider: str) -> None:
        self._parameters = parameters
        self._stream = stream
        self._provider = provider
        self._were_taken = self._are_refused = False
        self._changes_nothing = False  # a page past the end is refused in either form

    def send(self, request: Request, sender: Sender) -> requests.Response:
        """Send a request with the hints, as long as the provider takes them.

        Raises:
            HintsRefusedError: (transient_error) if it took them for an earlier page, whose order
                was theirs; from now on they are not sent.
            AirbyteTracedException: as `Sender.send`.
        """
        if not self._parameters or self._are_refused:
            return sender.send(request)
        hinted = replace(request, params={**request.params, **self._parameters})
        try:
            response = sender.send(hinted)
        except BadRequestError:
            if self._changes_nothing:
                raise
            return self._without(request, sender)
        self._were_taken = True
        return response

    def _without(self, request: Request, sender: Sender) -> requests.Response:
        try:
            response = sender.send(request)
        except BadRequestError:
            self._changes_nothing = self._were_taken
            raise
        self._are_refused = True
        names = ", ".join(self._parameters)
        LOGGER.info("%s: %s refuses %s.", self._stream, self._provider, names)
        if self._were_taken:
            raise HintsRefusedError(
                message=f"{self._provider} takes {names} for some pages of {self._stream} only. Run"
                " the sync again.",
                internal_message=f"stream {self._stream}: hints refused after a page",
                failure_type=FailureType.transient_error,
            )
        return response
