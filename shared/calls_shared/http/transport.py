"""The transport: one request, one answer, its whole body, within a bounded time.

- An API key never travels to a host that is not the provider's: each final URL is checked here,
  whatever a link says, and redirects are not followed.
- The answer has a deadline as a whole, so that a dripping body ends too. A body that nobody wants
  (of a recording) is not read.
- For the sandbox and tests only, `CALLS_SANDBOX_URL` sends requests to a loopback address.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from calls_shared.faults import LARGEST_BODY, AnswerTooLargeError, ForeignUrlError
from calls_shared.http.patience import Patience
from calls_shared.http.sandbox import Sandbox
from calls_shared.quoting import quoted

_CHUNK = 1 << 16


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
        method: str = "GET",
        body: Any = None,
        wants_body: Callable[[requests.Response], bool] = lambda _: True,
    ) -> requests.Response:
        """Send a request and read the whole answer.

        Args:
            url: what a link or the manifest says; it may be relative to the origin.
            origin: a URL of the provider's own; no other scheme and host is ever asked.
            headers: those of the request.
            params: query parameters to add.
            patience: the time-outs.
            method: the method of HTTP.
            body: what is sent as the JSON body; null for none.
            wants_body: whether the body of an answer is to be read; one that is not wanted is left
                on the wire, and the connection is closed.

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
        request = requests.Request(
            method, url, headers=headers, params=dict(params), json=body
        ).prepare()
        deadline = time.monotonic() + patience.answer
        response = self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=(patience.connect, patience.read),
            **self._settings(request.url or url),
        )
        if not wants_body(response):
            _leave_body(response)
            return response
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


def _leave_body(response: requests.Response) -> None:
    """Close the connection with the body on it; the answer counts as one without a body."""
    response.close()
    response._content = b""
    response._content_consumed = True  # type: ignore[attr-defined]
