"""`ApiKey` and `BasicAuth`: the credential, exactly as the user gave it.

The CDK's own authenticators put it through Jinja, which turns a key that looks like a number
(`12e5`, `+14`) into that number; these read it from the configuration as it stands.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator


def credential_keys(key: str | Sequence[str]) -> tuple[str, ...]:
    """The configuration keys that hold a credential, of which there are one or several."""
    return (key,) if isinstance(key, str) else tuple(key)


def spoken(key: str | Sequence[str]) -> str:
    """The configuration keys that hold a credential, as a sentence names them."""
    *others, last = credential_keys(key)
    return f"{', '.join(others)} and {last}" if others else last


@dataclass
class ApiKey(DeclarativeAuthenticator):
    """Authenticator that sends `Authorization: <scheme> <key>`.

    Attributes:
        key: the configuration key that holds the credential.
        scheme: the word before it, or "" for the bare key (OpenPhone's page: no `Bearer`).
    """

    config: Mapping[str, Any]
    key: str
    scheme: str = "Bearer"

    @property
    def auth_header(self) -> str:
        """The header's name."""
        return "Authorization"

    @property
    def token(self) -> str:
        """The header's value."""
        credential = str(self.config.get(self.key, ""))
        return f"{self.scheme} {credential}" if self.scheme else credential


@dataclass
class BasicAuth(DeclarativeAuthenticator):
    """Authenticator of HTTP's Basic authentication (RFC 7617), in UTF-8.

    Attributes:
        key: the two configuration keys that hold the user's name and the password, whatever the
            provider calls them.

    Raises:
        ValueError: if it names more or fewer than two.
    """

    config: Mapping[str, Any]
    key: Sequence[str]

    def __post_init__(self) -> None:
        if isinstance(self.key, str) or len(self.key) != 2:
            raise ValueError(
                "the key of BasicAuth must be two: of the user's name, of the password"
            )

    @property
    def auth_header(self) -> str:
        """The header's name."""
        return "Authorization"

    @property
    def token(self) -> str:
        """The header's value."""
        pair = ":".join(str(self.config.get(name, "")) for name in self.key)
        return f"Basic {b64encode(pair.encode()).decode()}"
