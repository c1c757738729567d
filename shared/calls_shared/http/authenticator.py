"""`ApiKey`: the credential, exactly as the user gave it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator


@dataclass
class ApiKey(DeclarativeAuthenticator):
    """Authenticator that sends `Authorization: <scheme> <key>`.

    The CDK's `BearerAuthenticator` puts the key through Jinja, which turns a key that looks like a
    number (`12e5`) into that number; this one reads it from the configuration as it stands.

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
