"""HTTP: one request and its whole answer, in a bounded time."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests import exceptions
from requests.auth import AuthBase
from requests.utils import get_environ_proxies, select_proxy

from calls_shared.http.sandbox import is_loopback

_CONNECT_TIMEOUT = 15.0
_PIECE = 65536
_DIRECT = {"http": "", "https": ""}
"""In the place of proxies: an empty address is taken for none."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: bytes
    seconds_to_wait: float
    """By the header Retry-After; a second without it."""


class Transport:
    """Sends requests to one address."""

    def __init__(self, url: str, timeout: float) -> None:
        """Nothing is sent yet.

        Args:
            url: the platform's address.
            timeout: seconds for an answer to begin, and for the whole of it.
        """
        self.timeout = timeout
        self._url = url
        self._session = requests.Session()
        # this machine is reached without a proxy, which would be handed the secrets
        self._proxies = _DIRECT if is_this_machine(urlsplit(url).hostname or "") else {}

    @property
    def has_proxy(self) -> bool:
        """Whether the environment puts a proxy between."""
        found = self._proxies or get_environ_proxies(self._url)
        return bool(select_proxy(self._url, found))

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        body: Mapping[str, Any] | None,
        auth: AuthBase,
    ) -> Answer:
        """Send one request; an exception of requests, or UnicodeError, if there is no answer."""
        until = time.monotonic() + self.timeout
        with self._session.request(
            method,
            f"{self._url}{path}",
            params=query,
            json=body,
            auth=auth,
            timeout=(_CONNECT_TIMEOUT, self.timeout),
            proxies=self._proxies,
            allow_redirects=False,  # the token stays with this host
            stream=True,
        ) as response:
            text = _read(response.raw, until)
            wait = response.headers.get("Retry-After", "")
            seconds = float(wait) if wait.isascii() and wait.isdecimal() else 1.0
            return Answer(response.status_code, text, seconds)


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, also by a name below `localhost`."""
    return is_loopback(host) or host.endswith(".localhost")


def _read(raw: urllib3.HTTPResponse, until: float) -> bytes:
    """The body; a time-out of the socket alone would start again with each byte that drips in."""
    pieces = []
    try:
        while piece := raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            if time.monotonic() > until:
                raise exceptions.ReadTimeout
    except urllib3.exceptions.ReadTimeoutError as error:
        raise exceptions.ReadTimeout from error
    except urllib3.exceptions.HTTPError as error:
        raise exceptions.ConnectionError from error
    return b"".join(pieces)
