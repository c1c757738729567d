"""What the user asks: the environment variables of `make register`, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from deploy.failures import RegisterError
from deploy.schedule import checked_schedule
from release import ReleaseError
from release.names import REPOSITORY, checked_repository, checked_tag

_HINTS = {
    "AIRBYTE_URL": "the address of Airbyte in the browser, such as http://localhost:8000",
    "CLIENT_ID": "`abctl local credentials` shows it, or User settings > Applications in Airbyte",
    "CLIENT_SECRET": "`abctl local credentials` shows it, or User settings > Applications",
    "WORKSPACE_ID": "it stands in the address of every page of Airbyte, behind /workspaces/",
    "DESTINATION_ID": "it stands in the address of the destination's page, behind /destination/",
    "CONFIGS": "the folder with a file <provider>.json for each account, such as intercom.json",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class ConnectionSettings:
    """What is asked of sources and connections."""

    destination_id: str
    configs: Path
    schedule: str | None
    """A Quartz cron expression, or `manual`; None: the default for new connections."""
    renew_secrets: bool
    """Send the secrets once more: the platform never shows them, so a new one cannot be seen."""


@dataclass(frozen=True)
class Settings:
    """What is asked."""

    url: str
    client_id: str | None
    """None: an Airbyte without log-in."""
    client_secret: str | None = field(repr=False)
    workspace_id: str
    repository: str
    tag: str
    memory_limit: str
    timeout: float
    connections: ConnectionSettings | None
    remove: bool
    """Delete the definitions, with all their sources and connections."""


def settings_of(environment: Mapping[str, str], version: str) -> Settings:
    """The settings; RegisterError names the first variable that is missing or wrong.

    Args:
        environment: the environment variables.
        version: the version of this checkout, which is the default of TAG.
    """
    remove, connections = _is_on(environment, "REMOVE"), _is_on(environment, "CONNECTIONS")
    if remove and connections:
        raise RegisterError("REMOVE=1 and CONNECTIONS=1 exclude each other; leave one out.")
    try:
        repository = checked_repository(environment.get("REPOSITORY") or REPOSITORY)
        tag = checked_tag(environment.get("TAG") or version)
    except ReleaseError as error:
        raise RegisterError(str(error)) from error
    is_open = _is_on(environment, "NO_AUTH")
    return Settings(
        url=_url(_required(environment, "AIRBYTE_URL")),
        client_id=None if is_open else _credential(environment, "CLIENT_ID"),
        client_secret=None if is_open else _credential(environment, "CLIENT_SECRET"),
        workspace_id=_id(environment, "WORKSPACE_ID"),
        repository=repository,
        tag=tag,
        memory_limit=_memory(environment.get("MEMORY_LIMIT") or "1Gi"),
        timeout=_timeout(environment.get("TIMEOUT") or "600"),
        connections=_connections(environment) if connections else None,
        remove=remove,
    )


def _connections(environment: Mapping[str, str]) -> ConnectionSettings:
    return ConnectionSettings(
        destination_id=_id(environment, "DESTINATION_ID"),
        configs=Path(_required(environment, "CONFIGS")).expanduser(),
        schedule=checked_schedule(environment.get("SCHEDULE", "")),
        renew_secrets=_is_on(environment, "RENEW_SECRETS"),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise RegisterError(f"{name} is not set: {_HINTS[name]}.")
    return value


def _credential(environment: Mapping[str, str], name: str) -> str:
    value = _required(environment, name)
    if not value.isascii() or not value.isprintable() or " " in value:
        # abctl colours what it prints, and the codes of the colours come along when it is cut out
        raise RegisterError(
            f"{name} holds a character that no credential has, such as the code of a colour."
            " Copy it again."
        )
    return value


def _id(environment: Mapping[str, str], name: str) -> str:
    value = _required(environment, name).lower()
    if _UUID.fullmatch(value) is None:
        raise RegisterError(f"{name} is not an id of 36 characters: {_HINTS[name]}.")
    return value


def _url(value: str) -> str:
    """The address alone, also where it was copied with the path of an API or of a page."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # no part of a name is empty, or longer than 63 characters
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise RegisterError(
            "AIRBYTE_URL is not an address that begins with http:// or https:// and holds no"
            f" credentials: {_HINTS['AIRBYTE_URL']}."
        )
    if host == "airbyte.com" or host.endswith(".airbyte.com"):
        raise RegisterError(
            "Airbyte Cloud runs no images of others, so the connectors cannot be registered there."
            " Use an Airbyte that you run yourself; docs/deploy.md says how."
        )
    shown = f"[{host}]" if ":" in host else host
    path = re.split(r"/(?:api|workspaces|auth|login)(?:/|$)", f"{parts.path}/")[0].rstrip("/")
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{path}"


def _memory(value: str) -> str:
    if re.fullmatch(r"[1-9]\d*(Mi|Gi)", value) is None:
        raise RegisterError(f"MEMORY_LIMIT {value!r} is not an amount of memory, such as 2Gi.")
    return value


def _timeout(value: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", value) or not float(value):
        raise RegisterError(f"TIMEOUT {value!r} is not a number of seconds, such as 600.")
    return float(value)


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").strip()
    if value not in ("", "0", "1"):
        raise RegisterError(f"{name} is {value!r}; set it to 1, or leave it out.")
    return value == "1"
