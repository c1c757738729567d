import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
    Status,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CallsSource
from calls_shared.protocol.manifest import ManifestError, manifest_of
from calls_shared.protocol.secrets import mask_secrets

LOGGER = logging.getLogger("airbyte")
URL = "https://api-public.skipcall.app/v1/calls"
CONFIG = {"api_key": "sk_test_hush"}


@pytest.fixture
def source(raw_manifests: Mapping[str, dict[str, Any]]) -> CallsSource:
    """A source of calls with a real manifest, but for the package around it."""
    made = CallsSource()
    made.__dict__["manifest"] = raw_manifests["skipcall"]  # where cached_property keeps it
    return made


def state_of(content: dict[str, Any], stream: str = "calls") -> AirbyteStateMessage:
    state: AirbyteStateMessage = AirbyteStateMessageSerializer.load(
        {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream}, "stream_state": content},
        }
    )
    return state


def catalog_of(*streams: str, sync_mode: str = "incremental") -> ConfiguredAirbyteCatalog:
    catalog: ConfiguredAirbyteCatalog = ConfiguredAirbyteCatalogSerializer.load(
        {
            "streams": [
                {
                    "stream": {
                        "name": stream,
                        "json_schema": {},
                        "supported_sync_modes": ["full_refresh", "incremental"],
                    },
                    "sync_mode": sync_mode,
                    "destination_sync_mode": "append_dedup",
                }
                for stream in streams
            ]
        }
    )
    return catalog


def page(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(calls), "page": 1, "totalPages": 1, "total": len(calls)}


def call(call_id: str, updated_at: str) -> dict[str, Any]:
    return {"id": call_id, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": updated_at}


def messages_of(
    source: CallsSource,
    state: list[AirbyteStateMessage] | None = None,
    sync_mode: str = "incremental",
    **settings: Any,
) -> tuple[list[str], list[dict[str, Any]]]:
    """Ids of the calls, and the states."""
    ids, states = [], []
    catalog = catalog_of("calls", sync_mode=sync_mode)
    for message in source.read(LOGGER, {**CONFIG, **settings}, catalog, state):
        assert isinstance(message, AirbyteMessage)
        if message.type is Type.RECORD and message.record is not None:
            ids.append(message.record.data["id"])
        if message.type is Type.STATE and message.state is not None:
            assert message.state.stream is not None
            states.append(vars(message.state.stream.stream_state))
    return ids, states


# --- the manifest ---


def test_the_manifest_lies_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "connector"
    package.mkdir()
    (package / "acme_calls_of_a_test.py").write_text(
        "import calls_shared\n\n\nclass Source(calls_shared.CallsSource):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(package))
    import acme_calls_of_a_test  # type: ignore[import-not-found] # noqa: PLC0415

    with pytest.raises(ManifestError, match="in the package connec"):
        manifest_of(acme_calls_of_a_test)
    (tmp_path / "manifest.yaml").write_text("version: beside")
    with pytest.raises(ManifestError, match="in the package connec"):
        manifest_of(acme_calls_of_a_test)
    (package / "manifest.yaml").write_text("version: inside")
    assert manifest_of(acme_calls_of_a_test) == {"version": "inside"}


def test_spec(source: CallsSource, specifications: Mapping[str, Any]) -> None:
    specification = source.spec(LOGGER)
    assert specification.connectionSpecification == specifications["skipcall"]
    assert specification.documentationUrl == "https://docs.skipcall.app"


def test_a_configuration_is_not_written_to_a_file(source: CallsSource, tmp_path: Path) -> None:
    given = {**CONFIG, "start_date": None, "num_workers": 4.0}
    assert source.configure(given, str(tmp_path)) == {**CONFIG, "num_workers": 4}
    assert list(tmp_path.iterdir()) == []


# --- check ---


@pytest.mark.parametrize("answer", [page(), page(call("1", "2026-01-02T00:00:00Z"))])
def test_check_succeeds_with_one_request(source: CallsSource, answer: dict[str, Any]) -> None:
    with requests_mock.Mocker() as server:
        server.get(URL, json={**answer, "totalPages": 9 if answer["data"] else 0})
        status = source.check(LOGGER, {**CONFIG, "start_date": "2099-01-01T00:00:00Z"})
        assert (status.status, status.message) == (Status.SUCCEEDED, None)
        assert server.call_count == 1


def test_check_with_a_bad_key(source: CallsSource) -> None:
    with requests_mock.Mocker() as server:
        server.get(URL, status_code=401, json={"error": {"message": "Invalid key"}})
        status = source.check(LOGGER, CONFIG)
    assert status.status is Status.FAILED
    assert status.message == (
        "Skipcall refused the API key (HTTP 401). Check the value of api_key: it may be mistyped,"
        " revoked or expired. Skipcall says: Invalid key"
    )


def test_a_check_that_nothing_ends_is_answered_all_the_same(
    source: CallsSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls_shared.protocol.source._LONGEST_CHECK", 0.5)
    let_go = threading.Event()
    with requests_mock.Mocker() as provider:
        provider.get(URL, json=lambda *_: let_go.wait())
        status = source.check(LOGGER, CONFIG)
        let_go.set()
    assert status.status is Status.FAILED
    assert "did not answer in the time that a check has" in (status.message or "")


def test_check_with_a_bad_configuration(source: CallsSource) -> None:
    status = source.check(LOGGER, {})
    assert status.status is Status.FAILED
    assert status.message == "The configuration lacks the key api_key (API key). Add it."


def test_check_refuses_a_start_date_that_read_refuses(source: CallsSource) -> None:
    status = source.check(LOGGER, {**CONFIG, "start_date": "2026-02-30T00:00:00Z"})
    assert status.status is Status.FAILED
    assert "start_date is not a date that exists" in (status.message or "")


SANDBOX = (
    "The environment variable CALLS_SANDBOX_URL is in force: all requests go to a sandbox on this"
    " machine, none to the provider. Unset it to read from the provider."
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"start_date": "2026-01-31T00:00:00Z", "lookback_days": 3, "workspace_ids": []}, []),
        ({"start_date": "0001-01-01T00:00:00Z", "num_workers": None}, []),
        (
            {"lookbak_days": 3},
            [
                "The configuration key lookbak_days is not known and has no effect; did you mean"
                " lookback_days?"
            ],
        ),
        (
            {"start_date": "2999-01-01T00:00:00Z"},
            [
                "start_date (2999-01-01T00:00:00Z) lies in the future: no call is read until then.",
            ],
        ),
    ],
)
def test_check_and_read_warn_of_the_same(
    source: CallsSource,
    caplog: pytest.LogCaptureFixture,
    settings: dict[str, Any],
    expected: list[str],
) -> None:
    caplog.set_level("WARNING")
    with requests_mock.Mocker() as server:
        server.get(URL, json=page(call("1", "2026-01-02T00:00:00Z")))
        assert source.check(LOGGER, {**CONFIG, **settings}).status is Status.SUCCEEDED
        assert caplog.messages == expected
        caplog.clear()
        messages_of(source, **settings)
        assert caplog.messages == expected


def test_a_sandbox_in_force_is_said_once_a_command(
    source: CallsSource, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLS_SANDBOX_URL", "http://127.0.0.1:8900")
    caplog.set_level("WARNING")
    with requests_mock.Mocker() as server:
        server.get("http://127.0.0.1:8900/skipcall/v1/calls", json=page())
        assert source.check(LOGGER, CONFIG).status is Status.SUCCEEDED
        assert caplog.messages == [SANDBOX]
        messages_of(source)
        assert caplog.messages == [SANDBOX] * 2


def test_a_failed_check_tells_no_key(source: CallsSource, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        mask_secrets(CONFIG, source.specification)
        raise AirbyteTracedException(message="Skipcall does not know sk_test_hush.")

    monkeypatch.setattr(source, "_build", refuse)
    status = source.check(LOGGER, CONFIG)
    assert status.message == "Skipcall does not know ****."


# --- read ---


def test_read_emits_calls_and_a_state_that_never_passes_the_syncs_start(
    source: CallsSource,
) -> None:
    with requests_mock.Mocker() as server:
        future = call("2", "2999-01-01T00:00:00.000Z")
        server.get(URL, json=page(call("1", "2026-01-02T00:00:00.000Z"), future))
        ids, states = messages_of(source)
    assert ids == ["1", "2"]
    # begun after this test was written, and before the time of the second call
    assert "2025-01-01T00:00:00.000000Z" < states[-1]["updated_at"] < "2990-01-01T00:00:00.000000Z"


def test_a_slow_destination_holds_the_reading_back(source: CallsSource) -> None:
    """At most 1,000 records wait, and the pages that are read ahead, however long the list."""

    def one_page(request: Any, _: Any) -> dict[str, Any]:
        number = int(request.qs["page"][0])
        count = 100 if number <= 60 else 0
        calls = [call(f"{number}-{n}", "2026-01-02T00:00:00.000Z") for n in range(count)]
        return {"data": calls, "page": number, "totalPages": 60, "total": 6_000}

    with requests_mock.Mocker() as server:
        server.get(URL, json=one_page)
        messages = source.read(LOGGER, CONFIG, catalog_of("calls"))
        assert any(message.type is Type.RECORD for message in messages)  # up to the first one
        before = -1
        while server.call_count > before:
            before = server.call_count
            time.sleep(0.3)
        assert 10 <= before <= 10 + 2 * 4 + 2
        rest = sum(message.type is Type.RECORD for message in messages)
    assert rest == 6_000 - 1
    assert server.call_count == 61  # the last page is full, so that one more may follow


def test_read_with_a_state_goes_back_by_the_lookback(source: CallsSource) -> None:
    state = [state_of({"updated_at": "2026-01-31T00:00:00Z"})]
    with requests_mock.Mocker() as server:
        server.get(
            URL,
            json=page(
                call("1", "2026-01-23T23:59:59.999Z"),
                call("2", "2026-01-24T00:00:00.000Z"),
                call("3", "2026-02-01T00:00:00.000Z"),
            ),
        )
        ids, states = messages_of(source, state)
        assert ids == ["2", "3"]
        assert states[-1]["updated_at"] == "2026-02-01T00:00:00.000000Z"
        months = states[-1]["inventory"]["months"]
        assert {month: found.split(":")[0] for month, found in months.items()} == {"2026-01": "3"}
        ids, then = messages_of(source, [state_of(states[-1])])
    assert ids == ["3"]  # now by the newest change that the last reading saw
    assert then[-1]["inventory"]["months"] == months


def test_a_state_of_a_version_without_an_inventory_is_read_as_a_whole_once(
    source: CallsSource,
) -> None:
    """It may have lost calls; its form tells it from one that was written by hand."""
    with requests_mock.Mocker() as server:
        early, late = call("1", "2026-01-01T00:00:00.000Z"), call("2", "2026-01-30T00:00:00.000Z")
        server.get(URL, json=page(early, late))
        ids, states = messages_of(source, [state_of({"updated_at": "2026-01-31T00:00:00.000000Z"})])
        assert ids == ["1", "2"]
        assert states[-1]["updated_at"] == "2026-01-31T00:00:00.000000Z"
        ids, _ = messages_of(source, [state_of(states[-1])])
    assert ids == ["2"]


@pytest.mark.parametrize(
    "moment",
    ["2026-01-31T00:00:00+00:00", "2026-01-31 02:00:00+02:00", "2026-01-31t00:00:00z"],
)
def test_read_with_a_state_in_another_form(source: CallsSource, moment: str) -> None:
    given = state_of({"updated_at": moment})
    with requests_mock.Mocker() as server:
        late, early = call("2", "2026-01-24T00:00:00.000Z"), call("1", "2026-01-23T23:59:59.999Z")
        server.get(URL, json=page(early, late))
        ids, states = messages_of(source, [given])
    assert ids == ["2"]
    assert states[-1]["updated_at"] == "2026-01-31T00:00:00.000000Z"
    assert given == state_of({"updated_at": moment})  # the caller's own is left alone


def test_a_full_refresh_reads_everything_whatever_the_state(source: CallsSource) -> None:
    with requests_mock.Mocker() as server:
        server.get(URL, json=page(call("1", "2026-01-02T00:00:00.000Z")))
        for state in ({"updated_at": "2026-07-01T00:00:00Z"}, {"updated_at": 5}, {"odd": 1}):
            ids, states = messages_of(source, [state_of(state)], "full_refresh")
            assert ids == ["1"]
            assert states[-1]["updated_at"] == "2026-01-02T00:00:00.000000Z"
        ids, _ = messages_of(source, [state_of({"updated_at": "2026-07-01T00:00:00Z"})])
        assert ids == []


def test_a_state_of_the_future_is_warned_of(
    source: CallsSource, caplog: pytest.LogCaptureFixture
) -> None:
    with requests_mock.Mocker() as server, caplog.at_level("WARNING"):
        server.get(URL, json=page())
        messages_of(source, [state_of({"updated_at": "2999-01-01T00:00:00Z"})])
    (warning,) = caplog.messages
    assert warning.startswith(
        "The state of the stream calls holds 2999-01-01T00:00:00.000000Z, which is more than a day"
        " ahead of the time here (20"
    )


# --- the end of a read ---


def many_pages(request: Any, _: Any) -> dict[str, Any]:
    number = int(request.qs["page"][0])
    calls = [call(f"{number}-{n}", "2026-01-02T00:00:00.000Z") for n in range(100)]
    return {"data": calls, "page": number, "totalPages": 60, "total": 6_000}


def assert_threads_end(before: set[threading.Thread]) -> None:
    """The threads of a read are gone, or go once their request is answered."""
    for thread in set(threading.enumerate()) - before:
        thread.join(120.0)
        assert not thread.is_alive()


@pytest.mark.parametrize("ways_out", ["closed", "an exception of the reader", "garbage"])
def test_no_thread_outlives_a_read_that_is_left_while_the_queue_is_full(
    source: CallsSource, ways_out: str
) -> None:
    before = set(threading.enumerate())
    with requests_mock.Mocker() as server:
        server.get(URL, json=many_pages)
        messages = source.read(LOGGER, CONFIG, catalog_of("calls"))
        assert any(message.type is Type.RECORD for message in messages)
        asked = -1
        while server.call_count > asked:
            asked = server.call_count
            time.sleep(0.3)
        assert 10 <= asked < 60  # it is the full queue that holds it back
        assert set(threading.enumerate()) > before
        if ways_out == "closed":
            messages.close()  # type: ignore[attr-defined]
        elif ways_out == "garbage":
            del messages
        else:
            with pytest.raises(KeyboardInterrupt):
                messages.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
        assert_threads_end(before)
        assert server.call_count <= asked + 1


@pytest.mark.parametrize("status", [200, 401])
def test_no_thread_outlives_a_read_that_ends(source: CallsSource, status: int) -> None:
    before = set(threading.enumerate())
    with requests_mock.Mocker() as server:
        server.get(URL, status_code=status, json=page(call("1", "2026-01-02T00:00:00.000Z")))
        if status == 200:
            messages_of(source)
        else:
            with pytest.raises(AirbyteTracedException):
                messages_of(source)
    assert set(threading.enumerate()) <= before


def test_the_streams_own_failure_is_raised(source: CallsSource) -> None:
    with requests_mock.Mocker() as server:
        server.get(URL, status_code=403, json={"code": "PLAN_NOT_ELIGIBLE"})
        with pytest.raises(AirbyteTracedException) as caught:
            messages_of(source)
    assert caught.value.failure_type is FailureType.config_error
    assert (caught.value.message or "").startswith("Skipcall's API is not part of this plan")


def test_the_streams_of_a_read_are_built_once(
    source: CallsSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[list[str]] = []
    create = ConcurrentDeclarativeSource._create_streams

    def counted(
        inner: ConcurrentDeclarativeSource, *configs: list[dict[str, Any]]
    ) -> list[AbstractStream]:
        streams = create(inner, *configs)
        built.append([stream.name for stream in streams])
        return streams

    monkeypatch.setattr(ConcurrentDeclarativeSource, "_create_streams", counted)
    with requests_mock.Mocker() as http:
        http.get(URL, json=page(call("a", "2026-01-02T00:00:00.000Z")))
        assert messages_of(source)[0] == ["a"]
    assert built == [["calls", "listed_calls"]]


def test_a_stream_that_is_not_offered(source: CallsSource) -> None:
    with pytest.raises(AirbyteTracedException) as caught:
        list(source.read(LOGGER, CONFIG, catalog_of("calls", "text_messages"), []))
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == (
        "The catalog asks for the stream text_messages, which this configuration does not offer. It"
        " offers calls, listed_calls; remove the other from the catalog, or refresh the"
        " schema."
    )


def test_a_state_that_is_refused_sends_nothing(source: CallsSource) -> None:
    with requests_mock.Mocker() as server:
        with pytest.raises(AirbyteTracedException, match="has no cursor updated_at"):
            messages_of(source, [state_of({"created_at": "2026-01-31T00:00:00Z"})])
        assert server.call_count == 0
