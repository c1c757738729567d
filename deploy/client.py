"""One request to the platform: its token, its time-outs, and a sentence for each failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests import exceptions
from requests.auth import AuthBase

from deploy.failures import RegisterError, said_in

JSON = Mapping[str, Any]
TOKEN_PATH = "/api/public/v1/applications/token"
SERVER_ERROR = 500
"""In the advice of a call it stands for every 5xx."""

_CONNECT_TIMEOUT = 15.0
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


class Client:
    """Sends requests to one platform, as one application."""

    def __init__(
        self,
        url: str,
        client_id: str | None,
        client_secret: str | None,
        secrets: frozenset[str] = frozenset(),
        timeout: float = 600.0,
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: the platform's address.
            client_id: of the application; None for a platform without log-in.
            client_secret: of the application.
            secrets: what no message may hold, next to the application's own.
            timeout: seconds for an answer; the platform starts a pod before it answers some calls.
        """
        self._url = url
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._secrets = secrets | {client_secret or ""}
        self._timeout = timeout
        self._session = requests.Session()
        self._token: str | None = None

    def send(self, call: Call) -> Any:
        """The content of the answer, None if it has none; RegisterError for a refusal."""
        answer = self._sent(call, self._bearer())
        if answer.status_code == requests.codes.unauthorized and self._token is not None:
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
            )
            content = self._content(call, self._sent(call, NoBearer()))
            token = content.get("access_token") if isinstance(content, dict) else None
            if not isinstance(token, str) or not token:
                raise RegisterError(f"The platform gave no token. {_NOT_AIRBYTE}.")
            self._token = token
            self._secrets |= {token}
        return Bearer(self._token)

    def _sent(self, call: Call, auth: AuthBase) -> requests.Response:
        try:
            return self._session.request(
                call.method,
                f"{self._url}{call.path}",
                params=call.query,
                json=call.body,
                auth=auth,
                timeout=(_CONNECT_TIMEOUT, self._timeout),
                allow_redirects=False,  # the token stays with this host
            )
        except exceptions.SSLError as error:
            raise RegisterError(
                f"The certificate of {self._url} is not trusted here. Name the file of its"
                " authority in REQUESTS_CA_BUNDLE."
            ) from error
        except exceptions.ConnectTimeout as error:
            raise RegisterError(f"{self._url} {_UNREACHABLE}") from error
        except exceptions.Timeout as error:
            raise RegisterError(
                f"The platform did not {call.purpose} within {self._timeout:g} s. See whether its"
                " pods run, then run the command again: it goes on where it was."
            ) from error
        except exceptions.RequestException as error:
            raise RegisterError(f"{self._url} {_UNREACHABLE}") from error

    def _content(self, call: Call, answer: requests.Response) -> Any:
        status = answer.status_code
        if 300 <= status < 400:
            raise RegisterError(
                f"{self._url} sends us elsewhere (HTTP {status}), and a token must not follow."
                " Set AIRBYTE_URL to the address that the browser shows in the end."
            )
        try:
            content = answer.json()
        except exceptions.RequestException:
            content = None
        if status >= 400:
            advice = (call.advice or {}).get(min(status, SERVER_ERROR)) or _ADVICE.get(status)
            raise RegisterError(
                f"The platform could not {call.purpose} (HTTP {status})."
                f"{f' {advice}.' if advice else ''}{said_in(content, self._secrets)}"
            )
        if content is None and status != requests.codes.no_content:
            raise RegisterError(
                f"{self._url} answered to {call.path} with something else than JSON."
                f" {_NOT_AIRBYTE}."
            )
        return content


_UNREACHABLE = (
    "cannot be reached. Check AIRBYTE_URL, the network, and whether the platform runs"
    " (`abctl local status`)."
)
_ADVICE = {
    401: "It asks for an application that may use this API: leave out NO_AUTH, or make the"
    " application anew",
    403: "The application's user lacks the role of an editor or admin in the workspace, or"
    " WORKSPACE_ID is of another organization",
    404: _NOT_AIRBYTE,
}
