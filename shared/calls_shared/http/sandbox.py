"""For the sandbox and tests only: requests that go to a loopback address instead."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

SANDBOX_URL = "CALLS_SANDBOX_URL"
SANDBOX_WAIT_SCALE = "CALLS_SANDBOX_WAIT_SCALE"


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
        is_allowed = parts.scheme == "http" and is_loopback(parts.hostname or "")
    except ValueError:
        is_allowed = False
    if not is_allowed:
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


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as an address or as `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
