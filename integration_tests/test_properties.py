"""Properties of whole syncs: however pages and time are cut, the same calls come out.

Everything runs in this process against answers of `requests_mock`. The properties of converters,
windows, error rows and the shape rule stand in `shared/unit_tests`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle, pairwise
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStateMessageSerializer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from calls_shared.http.budget import CallBudget
from integration_tests.commands import PROVIDERS, catalog_for, in_full
from integration_tests.in_process import read, records
from integration_tests.test_kill_and_resume import fast_source
from integration_tests.variants import OTHER_VERSIONS, Variant

PROPERTY = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
DATED = "openphone-2026-03-30"
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
DAY = 24 * 60
CURSORS = {
    "intercom": "updated_at",
    "openphone": "active_at",
    "amplemarket": "created_at",
    "skipcall": "updated_at",
    DATED: "updated_at",
}
SYNCED = {name: Variant(name) for name in PROVIDERS} | {str(one): one for one in OTHER_VERSIONS}
"""The connectors, and how each is read."""


@dataclass(frozen=True, order=True)
class Call:
    """A call; times are in minutes after `BEGIN`."""

    number: int
    created: int
    changed: int

    def as_of(self, moment: int) -> "Call":
        """What a provider showed of it at a moment after its creation."""
        return self if self.changed <= moment else Call(self.number, self.created, self.created)


def moment_of(minutes: int) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def iso(minutes: int) -> str:
    return moment_of(minutes).strftime("%Y-%m-%dT%H:%M:%S.000Z")


# The four providers, as small as they can be


def intercom_call(call: Call) -> dict[str, Any]:
    created, changed = (int(moment_of(at).timestamp()) for at in (call.created, call.changed))
    return {"id": f"{call.number}", "created_at": created, "updated_at": changed}


def skipcall_call(call: Call) -> dict[str, Any]:
    created, changed = iso(call.created), iso(call.changed)
    return {"id": f"id-{call.number}", "createdAt": created, "updatedAt": changed}


def amplemarket_call(call: Call) -> dict[str, Any]:
    digits = f"{int(moment_of(call.created).timestamp() * 1000):012x}"
    identifier = f"{digits[:8]}-{digits[8:]}-7000-8000-{call.number:012d}"
    return {"id": identifier, "start_date": iso(call.created)}


def openphone_call(call: Call) -> dict[str, Any]:
    created, changed = iso(call.created), iso(call.changed)
    return {"id": f"AC{call.number}", "userId": "US1", "createdAt": created, "updatedAt": changed}


def openphone_conversation(number: int, calls: Sequence[Call]) -> dict[str, Any]:
    return {
        "id": f"CN{number}",
        "phoneNumberId": "PN1",
        "participants": [f"+1415555010{number}"],
        "createdAt": iso(min(call.created for call in calls)),
        "updatedAt": iso(max(call.changed for call in calls)),
        "lastActivityAt": None,
    }


def numbered(items: Sequence[Any], size: int, request: Any) -> tuple[list[Any], int, int]:
    """The items of the page asked for, its number, and how many pages there are."""
    page = int(request.qs["page"][0])
    return list(items[(page - 1) * size : page * size]), page, -(-len(items) // size)


def cut(items: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
    """Pages of such sizes, in turn; at least one page."""
    pages, rest = [], list(items)
    for size in cycle(sizes):
        pages.append(rest[:size])
        rest = rest[size:]
        if not rest:
            return pages
    raise AssertionError("a cycle does not end")


def chained(
    items: Sequence[Any], sizes: Sequence[int], token: str | None, tokens: Sequence[str]
) -> tuple[list[Any], str | None]:
    """The page that a token names, and the token of the next one."""
    pages = cut(items, sizes)
    names = [f"{tokens[number % len(tokens)]}.{number}" for number in range(len(pages))]
    number = 0 if token is None else names.index(token)
    return pages[number], names[number + 1] if number + 1 < len(pages) else None


@dataclass(frozen=True)
class Paging:
    """How a provider cuts its lists: sizes of pages in turn, and what its tokens look like."""

    sizes: Sequence[int] = (5,)
    tokens: Sequence[str] = ("t",)
    announces: bool = True
    """Whether a numbered list says how many pages and records there are."""


def intercom_page(calls: Sequence[Call], paging: Paging, request: Any, _: Any) -> dict[str, Any]:
    data, _page, pages = numbered([intercom_call(call) for call in calls], paging.sizes[0], request)
    if not paging.announces:
        return {"type": "list", "data": data, "pages": None}
    return {"data": data, "total_count": len(calls), "pages": {"total_pages": pages}}


def skipcall_page(calls: Sequence[Call], paging: Paging, request: Any, _: Any) -> dict[str, Any]:
    data, page, pages = numbered([skipcall_call(call) for call in calls], paging.sizes[0], request)
    if not paging.announces:
        return {"data": data, "page": page}
    return {"data": data, "total": len(calls), "page": page, "totalPages": pages}


def amplemarket_page(calls: Sequence[Call], paging: Paging, request: Any, _: Any) -> dict[str, Any]:
    newest_first = sorted(calls, key=lambda call: (call.created, call.number), reverse=True)
    items = [amplemarket_call(call) for call in newest_first]
    after = parse_qs(urlsplit(request.url).query).get("after", [None])[0]
    data, following = chained(items, paging.sizes, after, paging.tokens)
    link = None if following is None else f"/calls?after={quote(following, safe='')}"
    return {"calls": data, "_links": {"next": {"href": link}}}


def openphone_page(calls: Sequence[Call], paging: Paging, request: Any, _: Any) -> dict[str, Any]:
    talks = {number: [c for c in calls if c.number % 3 == number] for number in range(3)}
    path, query = urlsplit(request.url).path, parse_qs(urlsplit(request.url).query)
    items: list[Any]
    if path == "/v1/phone-numbers":
        return {"data": [{"id": "PN1", "number": "+14155550000", "users": [{"id": "US1"}]}]}
    if path == "/v1/conversations":
        items = [openphone_conversation(number, talk) for number, talk in talks.items() if talk]
    else:
        talk = talks[int(query["participants"][0][-1])]
        items = [openphone_call(call) for call in sorted(talk, key=lambda c: -c.created)]
    after = query.get("pageToken", [None])[0]
    data, following = chained(items, paging.sizes, after, paging.tokens)
    return {"data": data, "nextPageToken": following}


def dated_page(calls: Sequence[Call], paging: Paging, request: Any, _: Any) -> dict[str, Any]:
    """Quo's dated API; the lists beside it are those of v1."""
    path, query = urlsplit(request.url).path, parse_qs(urlsplit(request.url).query)
    if path == "/v1/phone-numbers":
        return openphone_page(calls, paging, request, _)
    (since,), (until,) = (query.get(f"createdAt[{one}]", [""]) for one in ("gte", "lte"))
    newest_first = sorted(calls, key=lambda call: (-call.created, -call.number))
    found = [
        openphone_call(call)
        for call in newest_first
        if iso(call.created)[:19] >= since[:19] and iso(call.created)[:19] <= (until[:19] or "9")
    ]
    data, following = chained(found, paging.sizes, query.get("after", [None])[0], paging.tokens)
    return {"data": data, "nextCursor": following}


PAGES: dict[str, Callable[..., dict[str, Any]]] = {
    "intercom": intercom_page,
    "openphone": openphone_page,
    "amplemarket": amplemarket_page,
    "skipcall": skipcall_page,
    DATED: dated_page,
}
IDS: dict[str, Callable[[Call], Any]] = {
    "intercom": lambda call: intercom_call(call)["id"],
    "openphone": lambda call: openphone_call(call)["id"],
    "amplemarket": lambda call: amplemarket_call(call)["id"],
    "skipcall": lambda call: skipcall_call(call)["id"],
    DATED: lambda call: openphone_call(call)["id"],
}


@contextmanager
def played(provider: str, calls: Sequence[Call], paging: Paging) -> Iterator[requests_mock.Mocker]:
    """The provider, with these calls."""
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=partial(PAGES[provider], calls, paging))
        yield mock


@dataclass(frozen=True)
class Synced:
    """What a sync brought."""

    found: list[dict[str, Any]]
    state: list[dict[str, Any]]

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        return {call["id"]: call for call in self.found}


def sync(
    provider: str,
    calls: Sequence[Call],
    paging: Paging | None = None,
    state: Sequence[Mapping[str, Any]] = (),
    **options: Any,
) -> Synced:
    with played(provider, calls, paging or Paging()):
        variant = SYNCED[provider]
        name = variant.provider
        config = in_full(name, **variant.settings, lookback_days=1, **options)
        messages = read(fast_source(name), config, catalog_for(name), state)
    states = [message.state for message in messages if message.state is not None]
    content = AirbyteStateMessageSerializer.dump(states[-1])
    return Synced(records(messages), [{"type": "STREAM", "stream": content["stream"]}])


def values_of(state: Any, name: str) -> list[str]:
    """All values under a name, at any depth."""
    if isinstance(state, Mapping):
        inner = [value for part in state.values() for value in values_of(part, name)]
        return [state[name], *inner] if isinstance(state.get(name), str) else inner
    return [v for part in state for v in values_of(part, name)] if isinstance(state, list) else []


def lists_of_calls(largest: int = 30) -> st.SearchStrategy[list[Call]]:
    times = st.tuples(st.integers(0, 10 * DAY), st.integers(0, 3 * DAY))
    return st.lists(times, max_size=largest).map(
        lambda drawn: [Call(n, at, at + later) for n, (at, later) in enumerate(drawn)]
    )


# However the pages are cut


@pytest.mark.parametrize("announces", [True, False])
@pytest.mark.parametrize("provider", ["intercom", "skipcall"])
@PROPERTY
@given(calls=lists_of_calls(40), size=st.integers(1, 45), workers=st.integers(1, 8))
def test_any_page_size_gives_the_same_calls(
    provider: str, announces: bool, calls: list[Call], size: int, workers: int
) -> None:
    paging = Paging((size,), announces=announces)
    found = sync(provider, calls, paging, num_workers=workers).found
    assert [call["id"] for call in found] == [IDS[provider](call) for call in calls]


@pytest.mark.parametrize("provider", ["amplemarket", "openphone", DATED])
@PROPERTY
@given(
    calls=lists_of_calls(),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(any),
    tokens=st.lists(
        st.sampled_from(["5e3", "+1415", "007", "a b", "{{ 1 }}", "%2B", "=&?#/", "None"])
        | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    ),
)
def test_any_split_into_pages_gives_the_same_calls(
    provider: str, calls: list[Call], sizes: list[int], tokens: list[str]
) -> None:
    found = sync(provider, calls, Paging(sizes, tokens)).found
    assert len(found) == len(calls)
    assert {call["id"] for call in found} == {IDS[provider](call) for call in calls}


# However time is cut


def cursor_of(provider: str, call: Call) -> int:
    return call.created if provider == "amplemarket" else call.changed


@pytest.mark.parametrize("provider", SYNCED)
@PROPERTY
@given(
    calls=lists_of_calls(),
    moment=st.integers(0, 12 * DAY),
    late=st.sets(st.integers(0, 29)),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
)
def test_two_syncs_bring_what_one_brings(
    provider: str, calls: list[Call], moment: int, late: set[int], sizes: list[int]
) -> None:
    """The first sees what there was at a moment, less some calls that are listed late.

    A call that is listed, or changes, within the lookback behind the newest one known comes out.
    """
    paging = Paging(sizes)
    known = [call.as_of(moment) for call in calls if call.created <= moment]
    shown = [call for call in known if call.number not in late]
    newest = max((cursor_of(provider, call) for call in shown), default=-DAY)
    within = {call.number for call in calls if cursor_of(provider, call) >= newest - DAY}
    first = sync(
        provider,
        [call for call in known if call.number not in late & within],
        paging,
    )
    second = sync(provider, calls, paging, first.state)
    assert {**first.calls, **second.calls} == sync(provider, calls).calls


@pytest.mark.parametrize("provider", SYNCED)
@PROPERTY
@given(calls=lists_of_calls())
def test_a_second_sync_reads_again_no_more_than_the_lookback(
    provider: str, calls: list[Call]
) -> None:
    assume(calls)
    first = sync(provider, calls)
    second = sync(provider, calls, state=first.state)
    newest = max(cursor_of(provider, call) for call in calls)
    recent = {IDS[provider](call) for call in calls if cursor_of(provider, call) >= newest - DAY}
    if provider == "openphone":  # an active conversation is read whole
        active = {call.number % 3 for call in calls if call.changed >= newest - DAY}
        recent = {IDS[provider](call) for call in calls if call.number % 3 in active}
    assert set(second.calls) == recent


@pytest.mark.parametrize("provider", SYNCED)
@settings(PROPERTY, max_examples=6)
@given(worlds=st.lists(lists_of_calls(8), min_size=2, max_size=4), ahead=st.integers(0, 1))
def test_the_state_never_goes_back(provider: str, worlds: list[list[Call]], ahead: int) -> None:
    """Whatever the lists become: other calls, older ones, none, some of the far future."""
    state: list[dict[str, Any]] = []
    reached: list[str] = []
    for number, world in enumerate(worlds):
        shift = 100 * 365 * DAY if ahead and number == 1 else 0
        calls = [Call(call.number, call.created + shift, call.changed + shift) for call in world]
        state = sync(provider, calls, state=state).state
        values = values_of(state[0]["stream"]["stream_state"], CURSORS[provider])
        reached.append(max(values, default="2000"))
        assert reached[-1] <= datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert all(later >= earlier for earlier, later in pairwise(reached))


# Errors


WORDS = st.sampled_from(["odd", "date", "participant", "0101400", "rate_limit_exceeded", ""])
FIELDS = st.sampled_from("errors _errors error code key message detail title data calls id".split())
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)


def backwards(body: Any) -> Any:
    """The same JSON with the fields of each object in the other order."""
    if isinstance(body, dict):
        return {name: backwards(body[name]) for name in reversed(body)}
    return [backwards(entry) for entry in body] if isinstance(body, list) else body


def failure_of(provider: str, status: int, body: Any) -> tuple[int, Any, Any]:
    """How many requests a sync sent, and the failure that it ended in."""
    with requests_mock.Mocker() as mock, patch.object(CallBudget, "sleep"):
        mock.get(requests_mock.ANY, status_code=status, text=json.dumps(body))
        try:
            read(fast_source(provider), in_full(provider), catalog_for(provider))
        except AirbyteTracedException as failure:
            return mock.call_count, failure.message, failure.failure_type
        return mock.call_count, None, None


@pytest.mark.parametrize("provider", PROVIDERS)
@PROPERTY
@given(
    status=st.sampled_from([400, 401, 402, 403, 404, 408, 409, 410, 418, 422, 500, 503, 302, 600]),
    body=BODIES,
)
def test_the_same_answer_is_always_the_same_failure(provider: str, status: int, body: Any) -> None:
    one = failure_of(provider, status, body)
    assert one == failure_of(provider, status, backwards(body))
    assert one[1] is not None
    hints = (2,) if (provider, status) == ("skipcall", 400) else ()  # taken back
    assert one[0] in (1, 8, *hints)
