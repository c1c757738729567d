"""The transport: one request, one answer, its whole body, within a bounded time.

- An API key never travels to a host that is not the provider's: each final URL is checked here,
  whatever a link says, and redirects are not followed.
- The answer has a deadline as a whole, so that a dripping body ends too.
- For the sandbox and tests only, `CALLS_SANDBOX_URL` sends requests to a loopback address.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
import urllib3
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.envelope import quoted
from calls_shared.patience import Patience

SANDBOX_URL = "CALLS_SANDBOX_URL"
SANDBOX_WAIT_SCALE = "CALLS_SANDBOX_WAIT_SCALE"
LARGEST_BODY = 256 << 20  # bytes, unpacked: a few kilobytes can unpack to more than any memory
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Sandbox:
    """Where requests go instead of the provider: `url` + `/` + `provider` + the provider's path.

    `wait_scale` multiplies our own pauses and time-outs (never those that a provider names).
    """

    url: str
    provider: str
    wait_scale: float = 1.0

    def rewrite(self, url: str) -> str:
        """The address in the sandbox of a provider's final URL."""
        base, parts = urlsplit(self.url), urlsplit(url)
        path = f"{base.path.rstrip('/')}/{self.provider}{parts.path}"
        return urlunsplit((base.scheme, base.netloc, path, parts.query, ""))


def sandbox_from_environment(
    provider: str, environment: Mapping[str, str] | None = None
) -> Sandbox | None:
    """The sandbox that the environment names, or None, which is the normal case.

    Raises:
        AirbyteTracedException: (config_error) if it names a host that is not loopback.
    """
    environment = os.environ if environment is None else environment
    url = environment.get(SANDBOX_URL, "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        is_loopback = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise AirbyteTracedException(
            message=f"The environment variable {SANDBOX_URL} may only name a loopback address such"
            " as http://127.0.0.1:8900; unset it to read from the provider.",
            internal_message=f"{SANDBOX_URL} names another host",
            failure_type=FailureType.config_error,
        )
    try:
        scale = float(environment.get(SANDBOX_WAIT_SCALE, "1"))
    except ValueError:
        scale = 1.0
    return Sandbox(url, provider, scale)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ForeignUrlError(ValueError):
    """A URL that is not the provider's; the message names its host."""


_DEFAULT_PORTS = (None, 80, 443)


def at_origin(url: str, origin: str) -> str:
    """A URL's path and query at the provider's own scheme and host.

    A link to the provider's own host may have another scheme of the web, a default port or
    capitals, or be relative to the origin: of a link only path and query are used.

    Raises:
        ForeignUrlError: if the URL names another host, or is no URL of the web.
    """
    own = urllib3.util.parse_url(origin)
    try:
        parts = urllib3.util.parse_url(urljoin(origin, url))
    except ValueError:  # urllib3's LocationParseError is one too
        raise ForeignUrlError("one that cannot be read") from None
    host = (parts.host or "").lower().rstrip(".")
    same_port = parts.port == own.port or {parts.port, own.port} <= {*_DEFAULT_PORTS}
    if parts.scheme not in ("https", "http") or host != own.host or not same_port:
        raise ForeignUrlError(quoted(host) or "one without a host")
    query = "" if parts.query is None else f"?{parts.query}"
    return f"{own.scheme}://{own.netloc}{parts.path or '/'}{query}"


class _Session(requests.Session):
    """A session that leaves redirects alone; even unfollowed, the base class reads into them."""

    def resolve_redirects(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """No redirect at all."""
        return iter(())


class Transport:
    """Sends requests of one provider through one pool of connections; safe for several threads."""

    def __init__(self, sandbox: Sandbox | None, connections: int) -> None:
        self._sandbox = sandbox
        self._session = _Session()
        for scheme in ("https://", "http://"):
            adapter = requests.adapters.HTTPAdapter(connections, connections, pool_block=False)
            self._session.mount(scheme, adapter)
        self._environment: dict[str, Mapping[str, Any]] = {}

    def send(
        self,
        url: str,
        *,
        origin: str,
        headers: Mapping[str, str],
        params: Mapping[str, Any],
        patience: Patience,
    ) -> requests.Response:
        """Send a GET request and read the whole answer.

        Args:
            url: what a link or the manifest says; it may be relative to the origin.
            origin: a URL of the provider's own; no other scheme and host is ever asked.
            headers: those of the request.
            params: query parameters to add.
            patience: the time-outs.

        Raises:
            ForeignUrlError: if the URL is not the provider's.
            requests.RequestException or urllib3.exceptions.HTTPError: on any network fault.
        """
        url = at_origin(url, origin)
        # ours, for the request is prepared without the session, which would ask for it too
        headers = {"Accept-Encoding": "gzip", **headers}
        if self._sandbox is not None:
            headers["X-Sandbox-Host"] = urlsplit(url).netloc
            url = self._sandbox.rewrite(url)
        # prepared without the session: no cookies, and no ~/.netrc in place of our credential
        request = requests.Request("GET", url, headers=headers, params=dict(params)).prepare()
        deadline = time.monotonic() + patience.answer
        response = self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=(patience.connect, patience.read),
            **self._settings(request.url or url),
        )
        try:
            _read_body(response, deadline)
        except BaseException:
            response.close()
            raise
        return response

    def _settings(self, url: str) -> Mapping[str, Any]:
        """Proxies and certificates of the environment, looked up once a host (5 % of a read)."""
        host = urlsplit(url).netloc
        if host not in self._environment:
            settings = dict(self._session.merge_environment_settings(url, {}, True, None, None))
            settings.pop("stream", None)
            self._environment[host] = settings
        return self._environment[host]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class AnswerTooLargeError(requests.RequestException):
    """An answer whose body, unpacked, is larger than any page can be."""


def _read_body(response: requests.Response, deadline: float) -> None:
    """Read the body into `response.content`, chunk by chunk, up to a deadline and a size."""
    chunks, size = [], 0
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_BODY:
            raise AnswerTooLargeError
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("the answer did not end in time")
    response._content = b"".join(chunks)
    response._content_consumed = True  # type: ignore[attr-defined]
    response.raw.release_conn()


def fault_name(fault: Exception | None) -> str:
    """What a network fault is called in a message to the user; never the fault's own text."""
    if isinstance(fault, AnswerTooLargeError):
        return f"the answer is larger than {LARGEST_BODY >> 20} MB"
    if isinstance(fault, (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError)):
        return "the connection timed out"
    if isinstance(fault, (requests.Timeout, urllib3.exceptions.ReadTimeoutError)):
        return "the answer did not come in time"
    if isinstance(fault, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return "the TLS connection failed"
    if isinstance(fault, requests.exceptions.ProxyError):
        return "the proxy failed"
    if isinstance(
        fault, (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError)
    ):
        return "the compressed answer was damaged"
    text = str(fault).lower()
    for sign, name in (
        ("name or service not known", "its host name could not be resolved"),
        ("nameresolution", "its host name could not be resolved"),
        ("connection refused", "the connection was refused"),
        ("reset by peer", "the connection was reset"),
        ("incomplete", "the answer was cut short"),
        ("closed connection without response", "the connection was closed without an answer"),
        ("remote end closed", "the connection was closed without an answer"),
    ):
        if sign in text:
            return name
    return "the connection failed"
