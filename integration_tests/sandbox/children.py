"""The test oracle of the streams beside `calls`: their rows, by provider.

The modules of the providers are written from what the columns mean, without the package that fills
them. A column that is null is left out. Skipcall has none of these streams.
"""

from collections.abc import Iterable
from typing import Any

from . import amplemarket_children, intercom_children, openphone_children
from .meanings import Columns
from .switches import Switches

OF_A_CALL = ("call_transcripts", "call_recordings")
OF_THE_WORKSPACE = ("users", "call_dispositions")


def expected_transcript(
    provider: str, true_call: Any, switches: Switches, api_version: str = "v1"
) -> list[Columns]:
    """The rows of `call_transcripts` for a call; `api_version` is that of Quo's API."""
    if provider == "intercom":
        return intercom_children.expected_transcript(true_call, switches)
    if provider == "openphone":
        return openphone_children.expected_transcript(true_call, switches, api_version)
    if provider == "amplemarket":
        return amplemarket_children.expected_transcript(true_call, switches)
    return []


def expected_recordings(
    provider: str, true_call: Any, switches: Switches, api_version: str = "v1"
) -> list[Columns]:
    """The rows of `call_recordings` for a call; `api_version` is that of Quo's API."""
    if provider == "intercom":
        return intercom_children.expected_recordings(true_call, switches)
    if provider == "openphone":
        return openphone_children.expected_recordings(true_call, switches, api_version)
    if provider == "amplemarket":
        return amplemarket_children.expected_recordings(true_call, switches)
    return []


def expected_users(provider: str, switches: Switches) -> list[Columns]:
    """The rows of `users`."""
    if provider == "intercom":
        return intercom_children.expected_users(switches)
    if provider == "openphone":
        return openphone_children.expected_users(switches)
    if provider == "amplemarket":
        return amplemarket_children.expected_users(switches)
    return []


def expected_dispositions(provider: str, switches: Switches) -> list[Columns]:
    """The rows of `call_dispositions`."""
    if provider == "amplemarket":
        return amplemarket_children.expected_dispositions(switches)
    return []


def expected_rows(
    stream: str,
    provider: str,
    true_calls: Iterable[Any],
    switches: Switches,
    api_version: str = "v1",
) -> list[Columns]:
    """The rows of one of these streams, by its name; KeyError for another name."""
    of_a_call = {
        "call_transcripts": expected_transcript,
        "call_recordings": expected_recordings,
    }
    of_the_workspace = {"users": expected_users, "call_dispositions": expected_dispositions}
    if stream in of_the_workspace:
        return of_the_workspace[stream](provider, switches)
    rows = of_a_call[stream]
    return [row for call in true_calls for row in rows(provider, call, switches, api_version)]
