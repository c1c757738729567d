"""What Airbyte's retired acceptance tests asserted and the CDK's standard tests do not, in process.

For each connector there is, with all of its streams. `docs/certification.md` says which of the
assertions stands where. That the counts of `sourceStats` add up is asserted with every read
(`in_process.messages_of`).
"""

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import requests
from airbyte_cdk.models import AirbyteMessage, AirbyteStateMessageSerializer, TraceType
from airbyte_cdk.sources.declarative.incremental import concurrent_partition_cursor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from jsonschema import Draft7Validator
from requests.adapters import HTTPAdapter

from calls_shared import CallsSource
from calls_shared.protocol.heartbeat import Heartbeat
from integration_tests.acceptance_conftest import configured_catalog
from integration_tests.commands import PROVIDERS
from integration_tests.connectors import ALL
from integration_tests.fault_cases import without_limits
from integration_tests.in_process import messages_of, records
from integration_tests.page_tables import discovered
from integration_tests.sandboxes import PlayedProvider, sandbox_of
from integration_tests.snapshots import SETTINGS
from integration_tests.test_kill_and_resume import Hurried

CALLS = 120
"""More than a page of each provider holds."""
FEW = 50
"""Enough for many states, each of which is resumed from."""
BEAT = 5
"""A sign of life stands after each so many records."""

PLAYED = [provider for provider, connector in ALL.items() if sandbox_of(connector)]
"""The others fail one test, which says that the sandbox is missing (`test_connectors.py`)."""
each_provider = pytest.mark.parametrize("provider", PLAYED)
State = dict[str, Any]


class Played:
    """A connector that reads its provider's sandbox in this process, without waiting for limits."""

    def __init__(self, provider: str, sandbox: PlayedProvider) -> None:
        self.provider, self.sandbox = provider, sandbox
        self.truth = sandbox.expected(provider)
        ids = {key: list(self.truth)[:3] for key in SETTINGS.get(provider, {})}
        self.config = {**ALL[provider].sample("sample_config.json"), **ids, "num_workers": 1}
        self.streams = [
            {**vars(stream), "supported_sync_modes": [m.value for m in stream.supported_sync_modes]}
            for stream in discovered(ALL[provider])
        ]
        self.catalog = configured_catalog(self.streams)

    def source(self) -> CallsSource:
        source = ALL[self.provider].source_class()()
        vars(source)["manifest"] = without_limits(source.manifest)
        return source

    def read(
        self, state: Iterable[Mapping[str, Any]] = (), **settings: Any
    ) -> tuple[list[AirbyteMessage], AirbyteTracedException | None]:
        """All messages of a read, and the failure that ended it."""
        found: list[AirbyteMessage] = []
        config = {**self.config, **settings}
        try:
            found.extend(messages_of(self.source(), config, self.catalog, state))
        except AirbyteTracedException as failure:
            return found, failure
        return found, None


@contextmanager
def playing(provider: str, calls: int) -> Iterator[Played]:
    make = sandbox_of(ALL[provider])
    assert make is not None
    with make(calls) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALLS_SANDBOX_URL", sandbox.url)
        yield Played(provider, sandbox)


@pytest.fixture
def played(provider: str) -> Iterator[Played]:
    with playing(provider, CALLS) as found:
        yield found


@pytest.fixture
def few(provider: str) -> Iterator[Played]:
    with playing(provider, FEW) as found:
        yield found


@dataclass(frozen=True)
class Whole:
    """A read of everything, which several tests look at."""

    streams: list[dict[str, Any]]
    messages: list[AirbyteMessage]


@cache
def whole_of(provider: str) -> Whole:
    with playing(provider, CALLS) as found:
        messages, failure = found.read()
        assert failure is None
        return Whole(found.streams, messages)


def statuses(messages: Iterable[AirbyteMessage]) -> dict[str, list[str]]:
    """The statuses of each stream, in order."""
    found: dict[str, list[str]] = {}
    for message in messages:
        if message.trace is not None and (status := message.trace.stream_status) is not None:
            found.setdefault(status.stream_descriptor.name, []).append(status.status.value)
    return found


def errors(messages: Iterable[AirbyteMessage]) -> int:
    traces = (message.trace for message in messages if message.trace is not None)
    return sum(trace.type is TraceType.ERROR for trace in traces)


def states_with_what_came_before(
    messages: Iterable[AirbyteMessage],
) -> Iterator[tuple[list[State], dict[str, Any]]]:
    """The content of a state file after each state, and the calls that were emitted until then."""
    last: dict[str, State] = {}
    held: dict[str, Any] = {}
    for message in messages:
        if message.record is not None and message.record.stream == "calls":
            held[message.record.data["id"]] = dict(message.record.data)
        if message.state is not None and message.state.stream is not None:
            dumped = AirbyteStateMessageSerializer.dump(message.state)["stream"]
            last[message.state.stream.stream_descriptor.name] = {"type": "STREAM", "stream": dumped}
            yield list(last.values()), dict(held)


@pytest.fixture
def many_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """States in the midst of a sync: a sign of life among the records, and no pause between any."""
    beside = Heartbeat.beside

    def with_signs(heartbeat: Heartbeat, messages: Iterable[AirbyteMessage]) -> Any:
        def signs() -> Iterator[AirbyteMessage]:
            count = 0
            for message in messages:
                yield message
                count += message.record is not None
                if message.record is not None and count % BEAT == 0:
                    again = heartbeat._states.again("calls")
                    if again is not None:
                        yield again

        return beside(heartbeat, signs())

    monkeypatch.setattr(Heartbeat, "beside", with_signs)
    monkeypatch.setattr(concurrent_partition_cursor, "time", Hurried(601.0))


def resumed(played: Played, messages: list[AirbyteMessage]) -> Iterator[tuple[bool, set[str]]]:
    """For each state that differs: whether calls come after it, and which calls a resume loses."""
    everything = {call["id"] for call in records(messages)}
    rests: dict[str, set[str]] = {}
    for state, held in states_with_what_came_before(messages):
        name = str(state)
        if name not in rests:
            rest, failure = played.read(state)
            assert failure is None
            rests[name] = {call["id"] for call in records(rest)}
            for call in records(rest):
                assert call == played.truth[call["id"]]
        yield held.keys() < everything, everything - held.keys() - rests[name]


@pytest.mark.parametrize("provider", [name for name in PLAYED if name not in PROVIDERS])
def test_no_state_of_a_first_sync_loses_a_call(
    provider: str, few: Played, many_states: None
) -> None:
    """The others are cut after every message of a first sync in `test_kill_and_resume`."""
    whole, failure = few.read()
    assert failure is None
    assert {call["id"]: call for call in records(whole)} == few.truth

    found = list(resumed(few, whole))

    assert found
    assert [lost for _, lost in found if lost] == []


@each_provider
def test_no_state_of_a_further_sync_loses_a_call(
    provider: str, few: Played, many_states: None
) -> None:
    """The state that was handed in is repeated among the records, until there is a new one."""
    given = ALL[provider].sample("sample_state.json")
    further, failure = few.read(given)
    assert failure is None

    found = list(resumed(few, further))

    assert any(is_midway for is_midway, _ in found)
    assert len({str(state) for state, _ in states_with_what_came_before(further)}) >= 2
    assert [lost for _, lost in found if lost] == []


@each_provider
def test_two_full_refreshes_are_equal(provider: str, few: Played) -> None:
    """And equal the truth, whatever state is handed in."""
    for configured in few.catalog["streams"]:
        configured["sync_mode"] = "full_refresh"
    first, _ = few.read()
    second, _ = few.read(ALL[provider].sample("abnormal_state.json"))

    assert {call["id"]: call for call in records(second)} == few.truth
    for stream in few.streams:
        name = stream["name"]
        read = [sorted(map(str, records(one, name))) for one in (first, second)]
        assert read[0] == read[1]


@each_provider
def test_each_stream_starts_runs_and_completes_once(provider: str) -> None:
    whole = whole_of(provider)

    names = [stream["name"] for stream in whole.streams]
    assert statuses(whole.messages) == {name: ["STARTED", "RUNNING", "COMPLETE"] for name in names}
    assert errors(whole.messages) == 0


@each_provider
def test_a_stream_without_a_record_completes_all_the_same(provider: str, played: Played) -> None:
    whole, _ = played.read(start_date="2999-01-01T00:00:00Z")

    # a call without a time is not held against a start date
    timeless = {key for key, call in played.truth.items() if call.get("occurred_at") is None}
    assert {call["id"] for call in records(whole)} == timeless
    running = ["RUNNING"] if timeless else []
    assert statuses(whole)["calls"] == ["STARTED", *running, "COMPLETE"]


@each_provider
def test_a_stream_whose_key_is_refused_is_incomplete(provider: str, played: Played) -> None:
    messages, failure = played.read(**ALL[provider].sample("invalid_config.json"))

    assert failure is not None
    names = [stream["name"] for stream in played.streams]
    assert statuses(messages) == {name: ["STARTED", "INCOMPLETE"] for name in names}
    assert records(messages) == []
    for left, _ in states_with_what_came_before(messages):
        assert {call["id"] for call in records(played.read(left)[0])} == played.truth.keys()


@contextmanager
def refusing(after: int | None) -> Iterator[list[str]]:
    """The paths of the requests for calls; after so many, if any, each further one is refused."""
    send, asked = HTTPAdapter.send, list[str]()

    def refuse(self: HTTPAdapter, request: Any, **options: Any) -> requests.Response:
        response = send(self, request, **options)
        if "/calls" in request.path_url:
            asked.append(request.path_url)
            if after is not None and len(asked) > after:
                response.status_code = 418
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", refuse)
        yield asked


@each_provider
def test_a_stream_that_fails_midway_is_incomplete(provider: str, played: Played) -> None:
    streams = played.catalog["streams"]  # none else may ask for calls, so that half is midway
    played.catalog["streams"] = [one for one in streams if one["stream"]["name"] == "calls"]
    with refusing(after=None) as asked:
        played.read()
    with refusing(after=len(asked) // 2):
        messages, failure = played.read()

    assert failure is not None
    assert 0 < len(records(messages)) < len(played.truth)
    assert statuses(messages)["calls"] == ["STARTED", "RUNNING", "INCOMPLETE"]


def closed(schema: Any) -> Any:
    """The schema in which no object has a property that is not declared.

    But for `provider_record`, which is whatever the provider sent.
    """
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: v if key == "provider_record" else closed(v) for key, v in schema.items()}
    if isinstance(found.get("properties"), dict):
        found["additionalProperties"] = False
    return found


@each_provider
def test_records_are_valid_and_hold_nothing_undeclared(provider: str) -> None:
    whole = whole_of(provider)

    for stream in whole.streams:
        found = records(whole.messages, stream["name"])
        validator = Draft7Validator(closed(stream["json_schema"]))
        problems = [f"{e.json_path}: {e.message}" for r in found for e in validator.iter_errors(r)]
        assert found, stream["name"]
        assert problems == []
        # json has 1.0 where the schema says integer, and jsonschema lets it pass
        floats = {key for record in found for key, v in record.items() if isinstance(v, float)}
        kinds = {key: stream["json_schema"]["properties"][key]["type"] for key in floats}
        assert [key for key, kind in kinds.items() if "number" not in kind] == []


@each_provider
def test_each_record_has_its_primary_key_once(provider: str) -> None:
    whole = whole_of(provider)

    for stream in whole.streams:
        keys = stream["source_defined_primary_key"]
        assert keys
        read = records(whole.messages, stream["name"])
        found = [[record.get(name) for (name,) in keys] for record in read]
        assert [key for key in found if None in key or "" in key] == []
        assert set(Counter(map(str, found)).values()) == {1}


def test_a_closed_schema_finds_what_is_undeclared_at_any_depth() -> None:
    inner = {"type": "object", "additionalProperties": True, "properties": {"a": {}}}
    array = {"type": "array", "items": inner}
    schema = {"type": "object", "properties": {"list": array, "provider_record": inner}}
    before = copy.deepcopy(schema)

    validator = Draft7Validator(closed(schema))

    assert validator.is_valid({"list": [{"a": 1}], "provider_record": {"b": 2}})
    assert not validator.is_valid({"list": [{"a": 1, "b": 2}]})
    assert not validator.is_valid({"others": 1})
    assert schema == before
