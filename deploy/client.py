"""One request to the platform: its token, its time-outs, and a sentence for each failure."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests import exceptions
from requests.auth import AuthBase

from deploy.answers import TOKEN, Shape, check_answer, json_of
from deploy.failures import RegisterError, said_in
from deploy.transport import Answer, Transport

JSON = Mapping[str, Any]
TOKEN_PATH = "/api/public/v1/applications/token"
SERVER_ERROR = 500
"""In the advice of a call it stands for every 5xx."""

_LONGEST_WAIT = 60.0
_TRIES = 5
_NOT_AIRBYTE = (
    "AIRBYTE_URL must be the address of Airbyte itself, version 1.0 or newer, not of a log-in page"
    " or a proxy before it"
)


@dataclass(frozen=True)
class Bearer(AuthBase):
    """The token; as `auth`, so that no entry of a .netrc takes its place."""

    token: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class NoBearer(AuthBase):
    """No credential in the header; as `auth` for the same reason."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request


@dataclass(frozen=True)
class Call:
    """A request, what it is for, and what helps if the platform refuses it."""

    method: str
    path: str
    purpose: str
    """Goes on after "the platform could not"."""
    body: JSON | None = None
    query: Mapping[str, str | int] | None = None
    advice: Mapping[int, str] | None = None
    """By HTTP status."""
    shape: Shape = field(default_factory=dict)
    """Of the answer; without one nothing is read of it."""
    missing: bool = False
    """Whether HTTP 404 is an answer, without content, and no refusal."""


class Client:
    """Sends requests to one platform, as one application."""

    def __init__(
        self,
        url: str,
        client_id: str | None,
        client_secret: str | None,
        secrets: frozenset[str] = frozenset(),
        timeout: float = 600.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: the platform's address.
            client_id: of the application; None for a platform without log-in.
            client_secret: of the application.
            secrets: what no message may hold, next to the application's own.
            timeout: seconds for an answer; the platform starts a pod before it answers some calls.
            pause: waits for some seconds.
        """
        self._url = url
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._secrets = secrets | {client_secret or ""}
        self._transport = Transport(url, timeout)
        self._pause = pause
        self._token: str | None = None

    def send(self, call: Call) -> Any:
        """The content of the answer, None if it has none; RegisterError for a refusal."""
        answer = self._sent(call, self._bearer())
        if answer.status == requests.codes.unauthorized and self._token is not None:
            # tokens of an application live for 15 minutes at most, and a pod may take some of them
            self._token = None
            answer = self._sent(call, self._bearer())
        return self._content(call, answer)

    def _bearer(self) -> AuthBase:
        if self._credentials["client_id"] is None:
            return NoBearer()
        if self._token is None:
            refused = (
                "Check CLIENT_ID and CLIENT_SECRET: `abctl local credentials` or User settings >"
                " Applications shows them"
            )
            call = Call(
                "POST",
                TOKEN_PATH,
                "give a token to the application",
                # Airbyte Core reads the first two only
                {**self._credentials, "grant-type": "client_credentials"},
                advice={
                    **dict.fromkeys((400, 401, 403, 422), refused),
                    404: f"{_NOT_AIRBYTE}; where Airbyte has no log-in (global.auth.enabled of"
                    " the chart), set NO_AUTH=1",
                },
                shape=TOKEN,
            )
            token = str(self._content(call, self._sent(call, NoBearer()))["access_token"])
            if not token.isascii() or not token.isprintable() or " " in token:
                raise RegisterError(
                    f"The platform gave a token with a character that no token has. {_NOT_AIRBYTE}."
                )
            self._token = token
            self._secrets |= {token}
        return Bearer(self._token)

    def _sent(self, call: Call, auth: AuthBase) -> Answer:
        """The answer, after the waits that the platform, or a proxy before it, asks for."""
        for _ in range(_TRIES):
            answer = self._answer(call, auth)
            if answer.status != requests.codes.too_many_requests:
                break
            self._pause(min(answer.seconds_to_wait, _LONGEST_WAIT))
        return answer

    def _answer(self, call: Call, auth: AuthBase) -> Answer:
        try:
            return self._transport.send(call.method, call.path, call.query, call.body, auth)
        except exceptions.SSLError as error:
            raise RegisterError(
                f"The certificate of {self._url} is not trusted here. Name the file of its"
                " authority in REQUESTS_CA_BUNDLE."
            ) from error
        except exceptions.ProxyError as error:
            raise RegisterError(f"{self._url} cannot be reached. {_BEHIND_PROXY}.") from error
        except exceptions.ConnectTimeout as error:
            raise RegisterError(f"{self._url} {_UNREACHABLE}") from error
        except exceptions.Timeout as error:
            raise RegisterError(
                f"The platform did not {call.purpose} within {self._transport.timeout:g} s. See"
                " whether its pods run, then run the command again: it goes on where it was."
            ) from error
        except (exceptions.RequestException, UnicodeError) as error:
            raise RegisterError(f"{self._url} {_UNREACHABLE}") from error

    def _content(self, call: Call, answer: Answer) -> Any:
        status = answer.status
        if 300 <= status < 400:
            raise RegisterError(
                f"{self._url} sends us elsewhere (HTTP {status}), and a token must not follow."
                " Set AIRBYTE_URL to the address that the browser shows in the end."
            )
        try:
            content, is_json = json_of(answer.text), True
        except ValueError:
            content, is_json = None, False
        if call.missing and status == requests.codes.not_found and is_json:
            return None
        if status >= 400:
            advice = self._advice(call, status)
            raise RegisterError(
                f"The platform could not {call.purpose} (HTTP {status})."
                f"{f' {advice}.' if advice else ''}{said_in(content, self._secrets)}"
            )
        if not is_json and status != requests.codes.no_content:
            raise RegisterError(
                f"{self._url} answered to {call.path} with something else than JSON."
                f" {_NOT_AIRBYTE}."
            )
        check_answer(content, call.shape, call.purpose)
        return content

    def _advice(self, call: Call, status: int) -> str | None:
        if status in _OF_PROXIES and self._transport.has_proxy:
            return _BEHIND_PROXY
        if status == requests.codes.unauthorized and self._credentials["client_id"] is None:
            return "It asks for an application: leave out NO_AUTH, and set CLIENT_ID"
        return (call.advice or {}).get(min(status, SERVER_ERROR)) or _ADVICE.get(status)


_UNREACHABLE = (
    "cannot be reached. Check AIRBYTE_URL, the network, and whether the platform runs"
    " (`abctl local status`)."
)
_OF_PROXIES = (407, 502, 503, 504)
_BEHIND_PROXY = (
    "HTTP_PROXY or HTTPS_PROXY names a proxy, which stands between; check it, or name the host of"
    " AIRBYTE_URL in NO_PROXY"
)
_ADVICE = {
    401: "It does not take the application's tokens: make the application anew",
    403: "The application's user lacks the role of an editor or admin in the workspace, or"
    " WORKSPACE_ID is of another organization",
    404: _NOT_AIRBYTE,
    407: _BEHIND_PROXY,
    429: "It was asked too often; run the command again later: it goes on where it was",
}
