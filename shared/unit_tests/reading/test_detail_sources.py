"""Where details are found, with real requesters: what is sent, and what an answer gives."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.declarative.requesters.request_option import (
    RequestOption,
    RequestOptionType,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import (
    ApiKey,
    CallRequester,
    DetailsInRecord,
    DetailsOfCall,
    DetailsOfSeveral,
    PageToken,
)
from calls_shared.http.budget import budget_of
from calls_shared.http.patience import Patience

HOST = "https://api.acme.example"
SKIPS = [{"status": status, "own": True, "action": "skip"} for status in (402, 403, 404)]
REFUSAL = {"code": "x", "message": "No"}


@pytest.fixture
def server() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def requester_of(path: str, **more: Any) -> CallRequester:
    config = {"api_key": "12e5"}
    budget = budget_of(config, Patience(attempts=1))  # held until the requester holds it
    requester = CallRequester(
        **{
            "name": "call_recordings",
            "config": config,
            "parameters": {},
            "url": f"{HOST}{path}",
            "authenticator": ApiKey(config, "api_key"),
            "provider": "acme",
            "provider_name": "Acme",
            "key": "api_key",
            "records_at": "data",
            "error_rows": SKIPS,
            "error_envelopes": [{"needs": ["code"]}],
            **more,
        }
    )
    assert requester.budget is budget
    return requester


def of_call(
    path: str = "/calls/{{ stream_partition.call_id }}/recordings", **more: Any
) -> DetailsOfCall:
    own = ("answers",)
    requester = requester_of(path, **{name: more.pop(name) for name in own if name in more})
    return DetailsOfCall(config={}, asked_if=["answered"], requester=requester, **more)


def call(
    call_id: str = "C1", record: dict[str, Any] | None = None, **columns: Any
) -> dict[str, Any]:
    return {"id": call_id, "provider_record": record or {}, **columns}


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"answered": True}, "C1"),
        ({"transcript_url": "https://x"}, "C1"),
        ({"answered": False}, None),
        ({"answered": None, "transcript_url": ""}, None),
        ({}, None),
    ],
)
def test_only_calls_that_can_have_it_are_asked_about(
    columns: dict[str, Any], key: str | None
) -> None:
    source = DetailsInRecord(config={}, asked_if=["answered", "transcript_url"])
    assert source.key_of(call(**columns)) == key


def test_what_the_record_holds_is_there() -> None:
    source = DetailsInRecord(config={}, asked_if=["answered"])
    record = {"transcript": "Hi"}
    answer = source.answer([call(record=record)], ["C1"])
    assert answer == ({"C1": [record]}, None, False)
    assert source.most == 0


@pytest.mark.parametrize("call_id", ["C1", "5e3", "a/../b", "é ?#%", "..%2F"])
def test_the_id_stands_in_the_path_as_it_is(server: requests_mock.Mocker, call_id: str) -> None:
    server.get(requests_mock.ANY, json={"data": [{"id": "R"}]})
    answer = of_call().answer([call(call_id)], [call_id])
    assert answer == ({call_id: [{"id": "R"}]}, None, True)
    (request,) = server.request_history
    prefix, suffix = f"{HOST}/calls/", "/recordings"
    assert request.url.startswith(prefix)
    assert request.url.endswith(suffix)
    shown = request.url[len(prefix) : -len(suffix)]
    assert "/" not in shown
    assert requests_mock.mocker.requests.utils.unquote(shown) == call_id


@pytest.mark.parametrize("call_id", ["", ".", ".."])
def test_an_id_that_would_be_another_path_is_not_asked_about(
    server: requests_mock.Mocker, call_id: str
) -> None:
    assert of_call().answer([call(call_id)], [call_id]).is_good is False
    assert server.request_history == []


@pytest.mark.parametrize("status", [402, 403])
def test_a_plan_refuses(server: requests_mock.Mocker, status: int) -> None:
    server.get(requests_mock.ANY, status_code=status, json=REFUSAL)
    answer = of_call().answer([call()], ["C1"])
    assert answer.records == {"C1": []}
    assert answer.refused is not None
    assert answer.refused.status_code == status
    assert not answer.is_good


def test_what_is_not_there_is_neither_refused_nor_good(server: requests_mock.Mocker) -> None:
    source = of_call()
    server.get(requests_mock.ANY, status_code=404, json=REFUSAL)
    assert source.answer([call()], ["C1"]) == ({"C1": []}, None, False)
    assert source.requester.budget.report.sentences() == []


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "config_error"), (500, "transient_error"), (403, "transient_error")]
)
def test_other_failures_fail(server: requests_mock.Mocker, status: int, kind: str) -> None:
    server.get(requests_mock.ANY, status_code=status, text="<html>")
    with pytest.raises(AirbyteTracedException) as caught:
        of_call().answer([call()], ["C1"])
    assert caught.value.failure_type is not None
    assert caught.value.failure_type.value == kind


def parameter(name: str) -> RequestOption:
    where = RequestOptionType.request_parameter
    return RequestOption(inject_into=where, parameters={}, field_name=name)


def test_pages_are_read_to_their_end(server: requests_mock.Mocker) -> None:
    pages = [
        {"data": [{"recordingId": "R1"}, {"recordingId": "R2"}], "next": "5e3"},
        {"data": [{"recordingId": "R3"}], "next": None},
    ]
    server.get(requests_mock.ANY, [{"json": page} for page in pages])
    paginator = DefaultPaginator(
        pagination_strategy=PageToken(token_at="next", page_size=50),
        config={},
        url_base=HOST,
        parameters={},
        page_size_option=parameter("limit"),
        page_token_option=parameter("after"),
    )
    answer = of_call(paginator=paginator).answer([call()], ["C1"])
    assert [record["recordingId"] for record in answer.records["C1"]] == ["R1", "R2", "R3"]
    assert answer.is_good
    assert [request.qs for request in server.request_history] == [
        {"limit": ["50"]},
        {"limit": ["50"], "after": ["5e3"]},
    ]


@pytest.mark.parametrize(("first", "status"), [(True, 403), (False, 404)])
def test_a_page_that_is_skipped_ends_them(
    server: requests_mock.Mocker, first: bool, status: int
) -> None:
    good = {"json": {"data": [{"id": "R1"}], "next": "2"}}
    bad = {"json": REFUSAL, "status_code": status}
    server.get(requests_mock.ANY, [bad] if first else [good, bad])
    paginator = DefaultPaginator(
        pagination_strategy=PageToken(token_at="next", page_size=50),
        config={},
        url_base=HOST,
        parameters={},
    )
    answer = of_call(paginator=paginator).answer([call()], ["C1"])
    assert answer.records == {"C1": [] if first else [{"id": "R1"}]}
    assert (answer.refused is not None) is first


SIGNED = "https://files.acme.example/a.mp3?Expires=1"
LEG = {"own": "recording_url", "at": "fin_url", "pattern": rf"{HOST}/calls/([^/]+)/recording"}
PLACE = "/calls/{{ stream_partition.call_id }}/recording"


def place() -> DetailsOfCall:
    return of_call(PLACE, answers="place", else_url="recording_url", leg=LEG)


@pytest.mark.parametrize(
    ("record", "asked"),
    [
        ({"recording_url": "https://elsewhere.example/x"}, "/calls/C1/recording"),
        ({"recording_url": "x", "fin_url": f"{HOST}/calls/C9/recording"}, "/calls/C1/recording"),
        ({"recording_url": None, "fin_url": f"{HOST}/calls/C9/recording"}, "/calls/C9/recording"),
        ({"fin_url": f"{HOST}/calls/C%2F9/recording"}, "/calls/C%252F9/recording"),
    ],
)
def test_the_target_of_a_redirect_is_told_and_gets_no_request(
    server: requests_mock.Mocker, record: dict[str, Any], asked: str
) -> None:
    server.get(requests_mock.ANY, status_code=302, headers={"Location": SIGNED})
    answer = place().answer([call(record=record, recording_url="own")], ["C1"])
    assert answer == ({"C1": [{"url": SIGNED}]}, None, True)
    assert [request.url for request in server.request_history] == [f"{HOST}{asked}"]


def test_the_audio_in_place_of_a_redirect_leaves_the_url_of_the_record(
    server: requests_mock.Mocker,
) -> None:
    server.get(requests_mock.ANY, content=b"ID3", headers={"Content-Type": "audio/mpeg"})
    url = f"{HOST}/calls/C1/recording"
    answer = place().answer([call(record={"recording_url": url}, recording_url=url)], ["C1"])
    assert answer == ({"C1": [{"url": url}]}, None, True)


@pytest.mark.parametrize(
    "url", ["https://evil.example/calls/C9/recording", f"{HOST}/x", f"{HOST}/calls/C9/recording/"]
)
def test_a_leg_of_another_form_is_not_asked_about(server: requests_mock.Mocker, url: str) -> None:
    answer = place().answer([call(record={"fin_url": url}, recording_url=url)], ["C1"])
    assert answer == ({"C1": [{"url": url}]}, None, False)
    assert server.request_history == []


def several(**more: Any) -> DetailsOfSeveral:
    requester = requester_of("/calls/search", http_method="POST")
    return DetailsOfSeveral(
        config={},
        asked_if=["answered"],
        requester=requester,
        asked_by="conversation_id",
        keys_at="conversation_ids",
        most_keys=20,
        **more,
    )


def test_keys_go_in_the_body_and_records_are_told_apart_by_the_call(
    server: requests_mock.Mocker,
) -> None:
    found = [{"id": 1, "n": "a"}, {"id": "2", "n": "b"}, {"id": "1", "n": "c"}]
    server.post(f"{HOST}/calls/search", json={"data": found})
    answer = several().answer([call("1"), call("2"), call("3")], ["CV1", "5e3"])
    assert answer.records == {"1": [found[0], found[2]], "2": [found[1]]}
    assert answer.is_good
    (request,) = server.request_history
    assert request.json() == {"conversation_ids": ["CV1", "5e3"]}


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"answered": True, "conversation_id": "CV1"}, "CV1"),
        ({"answered": True}, None),
        ({"answered": True, "conversation_id": ""}, None),
        ({"answered": False, "conversation_id": "CV1"}, None),
    ],
)
def test_a_call_without_the_key_is_for_another_source(
    columns: dict[str, Any], key: str | None
) -> None:
    assert several().key_of(call(**columns)) == key


@pytest.mark.parametrize(("status", "is_refused"), [(402, True), (403, True), (404, False)])
def test_a_request_for_several_is_refused(
    server: requests_mock.Mocker, status: int, is_refused: bool
) -> None:
    server.post(requests_mock.ANY, status_code=status, json=REFUSAL)
    answer = several().answer([call()], ["CV1"])
    assert (answer.records, answer.is_good) == ({}, False)
    assert (answer.refused is not None) is is_refused


GOOD: dict[str, Any] = {
    "asked_if": ["answered"],
    "requester": {"path": "/calls/{{ stream_partition.call_id }}", "error_rows": SKIPS},
}
POST: dict[str, Any] = {
    "asked_if": ["answered"],
    "requester": {"path": "/search", "http_method": "POST", "error_rows": SKIPS},
    "asked_by": "conversation_id",
    "most_keys": 20,
}


def test_what_can_be_meant_is_taken() -> None:
    DetailsInRecord.check_manifest({"asked_if": ["recording_url"]})
    DetailsOfCall.check_manifest({**GOOD, "leg": LEG})
    DetailsOfSeveral.check_manifest(POST)


@pytest.mark.parametrize(
    ("kind", "node", "problem"),
    [
        (DetailsInRecord, {}, "asked_if is needed"),
        (DetailsInRecord, {"asked_if": ["answer"]}, "answer is no column of a call"),
        (DetailsOfCall, {**GOOD, "else_url": "url"}, "url is no column of a call"),
        (
            DetailsOfCall,
            {**GOOD, "requester": {"path": "/calls"}},
            "the path of its requester needs",
        ),
        (
            DetailsOfCall,
            {**GOOD, "leg": {"own": "a", "at": "b"}},
            "leg needs own, at, and a pattern",
        ),
        (DetailsOfCall, {**GOOD, "leg": {**LEG, "pattern": "x"}}, "a pattern with a group"),
        (DetailsOfSeveral, {**POST, "asked_by": "conversation"}, "conversation is no column"),
        (DetailsOfSeveral, {**POST, "most_keys": 0}, "most_keys is at least 1"),
        (
            DetailsOfSeveral,
            {**POST, "requester": {**POST["requester"], "http_method": "GET"}},
            "its requester needs http_method POST",
        ),
        *(
            (
                DetailsOfCall,
                {**GOOD, "requester": {**GOOD["requester"], "error_rows": rows}},
                f"error_rows need one of status {status} that skips",
            )
            for status, rows in (
                (402, SKIPS[1:]),
                (403, [SKIPS[0], {"status": 403, "action": "fail"}, *SKIPS]),
                (404, [*SKIPS[:2], {**SKIPS[2], "message": "Skipped."}]),
            )
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: Any, node: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        kind.check_manifest(node)
