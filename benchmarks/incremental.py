"""Requests of a full sync and of one with nothing new, beside the least that could do."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import measure, programs
from benchmarks.cases import UNTHROTTLED
from benchmarks.sandbox import RunningSandbox, sandbox

PAGE = {"intercom": 25, "openphone": 100, "amplemarket": 100, "skipcall": 100}
LOOKBACK_DAYS = {"openphone": 1}
"""So that not every conversation is active within it; 7 days elsewhere, which is the default."""


@dataclass(frozen=True)
class Requests:
    """Requests of one connector.

    `least_*` is what any program needs that gives every call; `allowed_empty` is what this product
    promises for a sync with nothing new.
    """

    provider: str
    full: int
    least_full: int
    empty: int
    least_empty: int
    allowed_empty: int
    is_valid: bool
    """Whether the full sync gave every call."""


def run_providers(calls: int, conversations: int, folder: Path) -> list[Requests]:
    """Sync each provider twice."""
    with sandbox(calls, conversations=conversations, switches=UNTHROTTLED) as running:
        return [measured(provider, running, folder) for provider in PAGE]


def measured(provider: str, running: RunningSandbox, folder: Path) -> Requests:
    """Sync one provider in full, then with the state of that sync."""
    lookback = LOOKBACK_DAYS.get(provider, 7)
    settings = {"lookback_days": lookback}
    calls = list(running.expected(provider))
    conversations = conversations_of(running) if provider == "openphone" else []
    first, full = sync(provider, running, folder, settings, None)
    _, empty = sync(provider, running, folder, settings, programs.last_state(first))
    is_valid = len({call["id"] for call in programs.calls_in(first)}) == len(calls)
    least_full, least_empty, allowed = least(provider, calls, conversations, lookback)
    row = Requests(provider, full, least_full, empty, least_empty, allowed, is_valid)
    print(
        f"  requests  {provider:11} full {full} (least {least_full}),"
        f" empty {empty} (least {least_empty}, promised at most {allowed})",
        flush=True,
    )
    return row


def sync(
    provider: str,
    running: RunningSandbox,
    folder: Path,
    settings: dict[str, int],
    state: dict[str, Any] | None,
) -> tuple[Path, int]:
    """Run one sync; its output and the number of its requests."""
    output = folder / ("full" if state is None else "empty")
    command = programs.ours(provider, running.url, folder, state, **settings)
    running.forget_requests()
    usage = measure.run(command.words, output, command.environment)
    if usage.exit_status != 0:
        raise RuntimeError(f"a sync of {provider} failed: {measure.errors_of(output)}")
    return output, running.counts().total


def least(
    provider: str, calls: list[dict[str, Any]], conversations: list[dict[str, Any]], days: int
) -> tuple[int, int, int]:
    """The least requests of a full sync and of an empty one, and the promise for the latter."""
    size = PAGE[provider]
    one_pass = pages(len(calls), size)
    if provider == "amplemarket":
        recent = pages(len(since([call["created_at"] for call in calls], days)), size)
        return one_pass, recent, 2 + recent
    if provider == "openphone":
        return least_fan_out(calls, conversations, days)
    return one_pass, one_pass, one_pass


def least_fan_out(
    calls: list[dict[str, Any]], conversations: list[dict[str, Any]], days: int
) -> tuple[int, int, int]:
    """For OpenPhone: the numbers, the conversations, then the calls of each user of each.

    The least asks once for each listed user, and for a number without users once without one. The
    promise also asks once without a user, whose meaning the provider's pages contradict.
    """
    listing = 1 + pages(len(conversations), 100)
    by_number = Counter(one["phoneNumberId"] for one in conversations)
    own_listing = 1 + sum(pages(count, 100) for count in by_number.values())
    counted = Counter((call["conversation_id"], call.get("user_id")) for call in calls)
    of_all = active = promised = 0
    newest = {number: newest_activity(conversations, number) for number in by_number}
    for one in conversations:
        users = one["users"] or [None]
        by_user = [pages(counted[one["id"], user], 100) for user in users]
        if users == [None]:
            by_user = [pages(total(counted, one["id"]), 100)]
        of_all += sum(by_user)
        if moment(activity(one)) >= newest[one["phoneNumberId"]] - timedelta(days=days):
            active += sum(by_user)
            without_user = 0 if users == [None] else pages(total(counted, one["id"]), 100)
            promised += sum(by_user) + without_user
    return listing + of_all, listing + active, own_listing + promised


def conversations_of(running: RunningSandbox) -> list[dict[str, Any]]:
    """OpenPhone's conversations, each with the ids of its number's users."""
    numbers = running.get("openphone", "/v1/phone-numbers")["data"]
    users = {number["id"]: [user["id"] for user in number["users"]] for number in numbers}
    found: list[dict[str, Any]] = []
    token: str | None = ""
    while token is not None:
        page = f"&pageToken={token}" if token else ""
        body = running.get("openphone", f"/v1/conversations?maxResults=100{page}")
        found += [{**one, "users": users[one["phoneNumberId"]]} for one in body["data"]]
        token = body["nextPageToken"]
    return found


def total(counted: Counter[tuple[str, str | None]], conversation: str) -> int:
    """The calls of a conversation."""
    return sum(count for (one, _), count in counted.items() if one == conversation)


def pages(count: int, size: int) -> int:
    """Requests for so many records; an empty list takes one too."""
    return max(1, math.ceil(count / size))


def activity(conversation: dict[str, Any]) -> str:
    """When something last happened in a conversation."""
    return str(max(conversation["updatedAt"], conversation["lastActivityAt"]))


def newest_activity(conversations: list[dict[str, Any]], number: str) -> datetime:
    """When something last happened on a number."""
    return max(moment(activity(one)) for one in conversations if one["phoneNumberId"] == number)


def since(moments: Iterable[str], days: int) -> list[datetime]:
    """The moments that lie in the lookback behind the newest one."""
    known = [moment(text) for text in moments]
    return [one for one in known if one >= max(known) - timedelta(days=days)]


def moment(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text)
