"""What a refusal leaves behind: which conversations are asked for, and which state leaves."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessageSerializer, FailureType
from airbyte_cdk.sources.declarative.incremental.concurrent_partition_cursor import (
    ConcurrentPerPartitionCursor,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from calls_shared.budget import CallBudget
from source_openphone_calls import SourceOpenphoneCalls

from integration_tests.commands import catalog_for
from integration_tests.in_process import LOGGER, read, state_of

BASE = "https://api.openphone.com/v1"
CONFIG = {"api_key": "12e5", "num_workers": 1, "lookback_days": 1}
REFUSED = (403, {"message": "No.", "code": "0101403", "status": 403, "title": "Not Phone Number User"})
GONE = (404, {"error": {"message": "No call", "key": "Not Found"}})
TOO_MANY = (400, {"message": "No.", "code": "0101400", "title": "Too Many Participants"})
UNLISTED = (403, {"error": {"message": "Not Phone Number User", "key": "Forbidden"}})
DAYS = {"CN1": 1, "CN2": 3, "CN3": 5, "CN4": 7}
Reply = Any


def moment(day: int) -> str:
    return f"2026-01-{day:02d}T00:00:00.000000Z"


def call(identifier: str, user: str = "US1") -> dict[str, Any]:
    times = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": None}
    return {"id": identifier, "userId": user, "status": "completed", **times}


class Quo:
    """Phone numbers with conversations, each with one call; what a conversation answers by user.

    `replies`: by (conversation, user or None), a page's body or (status, body); a list of pages.
    """

    def __init__(
        self,
        numbers: Mapping[str, list[str]],
        replies: Mapping[tuple[str, str | None], Reply] | None = None,
        users: tuple[str, ...] = ("US1",),
        unlisted: tuple[str, ...] = (),
    ) -> None:
        self.numbers = numbers
        self.replies = dict(replies or {})
        self.users = users
        self.unlisted = unlisted
        self.asked: list[tuple[str, str | None]] = []
        self.log: list[str] = []

    def body(self, request: Any, context: Any) -> Any:
        path, query = request.path, request.qs
        if path == "/v1/phone-numbers":
            users = [{"id": user} for user in self.users]
            return {
                "data": [
                    {"id": name, "number": f"+1555000{n}", "users": users}
                    for n, name in enumerate(self.numbers)
                ]
            }
        if path == "/v1/conversations":
            return self.conversations(query["phonenumbers"][0].upper(), context)
        name = f"CN{query['participants'][0][-1]}"
        user = query["userid"][0].upper() if "userid" in query else None
        self.asked.append((name, user))
        reply = self.replies.get((name, user), {"data": [call(f"AC-{name}")]})
        if isinstance(reply, list):
            number = int(query.get("pagetoken", ["0"])[0])
            reply = reply[number]
        if isinstance(reply, tuple):
            context.status_code, reply = reply
        return reply

    def conversations(self, number: str, context: Any) -> Any:
        if number in self.unlisted:
            context.status_code, body = UNLISTED
            return body
        return {
            "data": [
                {
                    "id": name,
                    "phoneNumberId": number,
                    "participants": [f"+1415555010{name[-1]}"],
                    "updatedAt": moment(DAYS[name]),
                }
                for name in reversed(self.numbers[number])
            ]
        }


Synced = tuple[list[str], list[dict[str, Any]], AirbyteTracedException | None]


@pytest.fixture
def sync(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Synced]:
    """Reads calls: ids in order, the states that left, the failure."""
    monkeypatch.setattr(CallBudget, "start", lambda self: True)
    monkeypatch.setattr(CallBudget, "sleep", lambda self, seconds: None)
    monkeypatch.setattr(ConcurrentPerPartitionCursor, "_throttle_state_message", lambda self: 1.0)

    def run(quo: Quo, state: Any = (), **config: Any) -> Synced:
        messages: list[AirbyteMessage] = []
        failure = None
        with requests_mock.Mocker() as mock:
            mock.get(requests_mock.ANY, json=quo.body)
            catalog = catalog_for("openphone")
            try:
                for message in reading({**CONFIG, **config}, catalog, state):
                    messages.append(message)
            except AirbyteTracedException as caught:
                failure = caught
        ids = [m.record.data["id"] for m in messages if m.record is not None]
        states = [
            AirbyteStateMessageSerializer.dump(m.state)["stream"]["stream_state"]
            for m in messages
            if m.state is not None
        ]
        return ids, states, failure

    return run


def reading(config: Mapping[str, Any], catalog: Any, state: Any) -> Iterator[AirbyteMessage]:
    from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

    parsed = ConfiguredAirbyteCatalogSerializer.load(dict(catalog))
    states = [AirbyteStateMessageSerializer.load(dict(entry)) for entry in state]
    yield from SourceOpenphoneCalls().read(LOGGER, config, parsed, states)
