"""Answers that want to be waited for, followed, or believed, each within reason."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import measure
from integration_tests.commands import PROVIDERS, Connector, config_for, test_key
from integration_tests.fault_cases import (
    ATTEMPTS,
    PLACES,
    Case,
    Place,
    Stage,
    be_quick,
    quick_switches,
    sync,
)
from integration_tests.sandbox import Fault, Sandbox, SeenRequest, World
from integration_tests.sandbox.answers import Answer
from integration_tests.sandbox.edits import SameAgain, bomb, with_page
from integration_tests.sandbox.faults import ENDLESS
from integration_tests.sandbox.identifiers import uuid7

MIDDLE = [place for place in PLACES if place.name == "middle_page"]
DATE = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
"""The provider's clock is years away from ours; only the difference counts."""
UNIX = round(DATE.timestamp())
NAMED: list[tuple[str, str, float]] = [
    ("seconds", "1", 1.0),
    ("milliseconds", "90000", 90.0),
    ("date", format_datetime(DATE + timedelta(seconds=1), True), 1.0),
    ("unix_time", str(UNIX + 1), 1.0),
    ("unix_milliseconds", str((UNIX + 1) * 1000), 1.0),
]
NAMED_WAITS = [
    pytest.param(
        place,
        status,
        value,
        seconds,
        id=f"{place.provider}-{status}-{name}",
        marks=[pytest.mark.lasts(seconds)] if seconds > 60 else [],
    )
    for place in MIDDLE
    for status in (429, 503)
    for name, value, seconds in NAMED
    # 90 seconds are waited for once each; the other units are a matter of one function
    if seconds < 60 or (place.provider == "skipcall" and status == 429)
]


@pytest.mark.parametrize(("place", "status", "value", "seconds"), NAMED_WAITS)
def test_retry_after_is_waited_for_in_each_of_its_forms(
    place: Place, status: int, value: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own pauses are a thousandth of a second here; what comes later was named."""
    headers = {"Retry-After": value, "Date": format_datetime(DATE, True)}
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [place.hit_by(Case("named", "status", status, headers), 1)]
        done = stage.sync(place.stream)
        assert done.failures == []
        assert done.by_id(place.stream) == stage.truth(place.stream)
        asked = [request for request in sandbox.requests if place.count([request])]
        refused = next(request for request in asked if request.status == status)
        again = asked[asked.index(refused) + 1]
        assert seconds <= again.at - refused.at < seconds + 300


@pytest.mark.parametrize("named", ["86401000000", "-5", "soon", "1e400", ""])
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_that_means_nothing_counts_as_not_given(
    status: int, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place,) = [place for place in MIDDLE if place.provider == "skipcall"]
    headers = {"Retry-After": named, "Date": format_datetime(DATE, True)}
    stage = place.stage
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [place.hit_by(Case("named", "status", status, headers), 3)]
        done = stage.sync(place.stream)
        assert done.failures == []
        assert done.by_id() == stage.truth("calls")


@pytest.mark.parametrize("place", MIDDLE, ids=str)
def test_a_reset_that_comes_with_every_answer_is_no_wait_for_a_fault(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intercom and Skipcall name it with each answer; only a refusal for the rate waits for it."""
    stage = place.stage
    headers = {"X-RateLimit-Reset": str(UNIX + 300), "Date": format_datetime(DATE, True)}
    cases = (
        Case("html", "body", 200, headers, "<html>"),
        Case("unavailable", "status", 503, headers),
    )
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        for case in cases:
            sandbox.clear_requests()
            sandbox.faults = [place.hit_by(case, 1)]
            done = stage.sync(place.stream)
            assert done.failures == []
            assert done.by_id(place.stream) == stage.truth(place.stream)
            asked = [request.at for request in sandbox.requests if place.count([request])]
            assert len(asked) == place.healthy_of(sandbox.requests) + 1
            assert max(asked) - min(asked) < 200  # else it would be five minutes


FORMS = [
    "https://evil.example/calls?page[after]={after}",
    "http://evil.example/calls?page[after]={after}",
    "//evil.example/calls?page[after]={after}",
    "///evil.example/calls?page[after]={after}",
    "////evil.example/calls?page[after]={after}",
    "https://api.amplemarket.com.evil.example/calls?page[after]={after}",
    "https://api.amplemarket.com@evil.example/calls?page[after]={after}",
    "https://api.amplemarket.com:8443/calls?page[after]={after}",
    "https:\\\\\\\\evil.example/calls?page[after]={after}",
    "\\\\/\\\\/evil.example/calls?page[after]={after}",
    "ftp://api.amplemarket.com/calls?page[after]={after}",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("form", FORMS)
def test_a_link_to_another_host_is_never_followed(
    form: str, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that only looks like a host's may be asked for, of the provider's own host."""
    stage = Stage("amplemarket")
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)

        def elsewhere(page: dict[str, Any]) -> None:
            link = form.encode().decode("unicode_escape")
            if page.get("calls"):  # else an error, for the path of such a link
                page["_links"]["next"] = {"href": link.format(after=page["calls"][-1]["id"])}

        sandbox.faults = [
            Fault("amplemarket", nth=nth, times=ENDLESS, kind="edit", edit=with_page(elsewhere))
        ]
        broken = stage.sync("calls")
        for seen in sandbox.requests:
            assert seen.headers["x-sandbox-host"] == "api.amplemarket.com"
        assert broken.failures
        for failure_type, sentence in broken.failures:
            assert failure_type in ("transient_error", "system_error")
            assert sentence.startswith("Amplemarket ")
            if "//evil.example" in form and not form.startswith("///"):
                assert "evil.example" in sentence
        sandbox.faults = []
        healthy = stage.sync("calls", broken.states)
        assert healthy.failures == []
        assert broken.by_id() | healthy.by_id() == stage.truth("calls")


@pytest.mark.parametrize("target", ["https://api.newname.example/v1/x", "//api.newname.example"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_message_of_a_redirect_names_the_host(
    provider: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Stage(provider).sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [
            Fault(provider, times=ENDLESS, kind="redirect", headers={"Location": target})
        ]
        ((failure_type, sentence),) = sync(provider).failures
        assert failure_type == "system_error"
        assert "api.newname.example" in sentence
        assert len(sandbox.requests) == 1


def next_link(page: dict[str, Any], number: int) -> None:
    after = uuid7(Random(number), 1_700_000_000_000)
    page["_links"]["next"] = {"href": f"/calls?page[after]={after}&page[size]=100"}


def next_token(page: dict[str, Any], number: int) -> None:
    page["nextPageToken"] = f"token-{number}"


def more_pages(page: dict[str, Any], number: int) -> None:
    if "pages" in page:
        page["total_count"], page["pages"] = 2_500_000, {"page": number, "total_pages": 100_000}
    else:
        page |= {"total": 2_000_000, "totalPages": 100_000, "page": number}


Onward = Callable[[dict[str, Any], int], object]
ENDLESS_LISTS: list[tuple[str, str, str, Onward]] = [
    ("amplemarket", "/calls", "", next_link),
    ("openphone", "/v1/conversations", "phoneNumbers=PN5e3", next_token),
    ("openphone", "/v1/calls", "participants=+16465550005", next_token),
    ("intercom", "/calls", "", more_pages),
    ("skipcall", "/v1/calls", "", more_pages),
]


@pytest.mark.parametrize(
    ("provider", "path", "query", "onward"),
    [pytest.param(*row, id=f"{row[0]}{row[1]}") for row in ENDLESS_LISTS],
)
@pytest.mark.parametrize("nth", [1, 2])
def test_a_list_that_goes_on_over_the_same_records_ends(
    provider: str, path: str, query: str, onward: Onward, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.faults = [
            Fault(
                provider,
                path_contains=path,
                query_contains=query,
                nth=nth,
                times=ENDLESS,
                kind="edit",
                edit=SameAgain(onward),
            )
        ]

        def enough(seen: SeenRequest) -> None:
            assert len(sandbox.requests) < 500  # without end, it would go on and on

        sandbox.before_answer = enough
        broken = stage.sync("calls")
        assert [failure[0] for failure in broken.failures] == ["transient_error"]
        assert path.rpartition("/")[2] in broken.failures[0][1]  # which list it is
        asked = [s for s in sandbox.requests if path in s.path and query in dict_text(s)]
        assert len(asked) < 60
        truth = stage.truth("calls")
        assert len(broken.records()) < 2 * len(truth)

        sandbox.faults = []
        healthy = stage.sync("calls", broken.states)
        assert healthy.failures == []
        assert broken.by_id() | healthy.by_id() == truth


def dict_text(seen: SeenRequest) -> str:
    return "&".join(f"{name}={value}" for name, value in seen.query)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_compressed_answers_are_asked_for_and_read(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(provider)
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.switches = replace(sandbox.switches, gzip=True)
        done = stage.sync("calls")
        assert done.failures == []
        assert done.by_id() == stage.truth("calls")
        for seen in sandbox.requests:
            assert "gzip" in seen.headers["accept-encoding"]


MEBIBYTE = 1 << 20


@pytest.mark.parametrize("provider", ["openphone", "skipcall"])  # a chain, and numbered pages
def test_a_small_parcel_that_unpacks_to_more_than_a_body_may_hold(
    provider: str, tmp_path: Path
) -> None:
    """1.3 GB are not unpacked; they are a fault of the answer."""
    with Stage(provider).sandbox as sandbox:
        # packed once: it is the same for each attempt
        nobody = SeenRequest(provider, "", "", (), "", {}, 0, 0.0)
        parcel = bomb(1300 * MEBIBYTE)(nobody, Answer(200, b""))
        sandbox.faults = [
            Fault(provider, times=ENDLESS, kind="edit", edit=lambda seen, answer: parcel)
        ]
        config = tmp_path / "config.json"
        config.write_text(json.dumps(config_for(provider)), encoding="utf-8")
        environment = {"CALLS_SANDBOX_URL": sandbox.url, "CALLS_SANDBOX_WAIT_SCALE": "0.05"}
        words = [command_of(provider), "check", "--config", str(config)]
        usage = measure.run(words, tmp_path / "output", environment)
        text = (tmp_path / "output").read_text(encoding="utf-8")
        assert '"status":"FAILED"' in text.replace(" ", "")
        assert test_key(provider) not in text
        assert usage.peak_bytes < 1000 * MEBIBYTE
        assert len(sandbox.requests) <= ATTEMPTS


def command_of(provider: str) -> str:
    return str(Path(sys.executable).parent / f"source-{provider}-calls")


EMPTY: dict[str, Any] = {"errors": [], "_errors": [], "error": None, "success": True}
SAYS = "No such luck today"
ENVELOPES: dict[str, dict[str, Any]] = {
    "intercom": {"type": "error.list", "errors": [{"code": "client_error", "message": SAYS}]},
    "openphone": {"error": {"key": "Unknown", "message": SAYS}},
    "amplemarket": {"object": "error", "_errors": [{"code": "odd", "title": SAYS}]},
    "skipcall": {"success": False, "error": {"code": "ODD", "message": SAYS}},
}


def updating(change: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda page: page.update(change)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_check_of_an_empty_workspace_and_of_an_error_beside_an_empty_list(
    provider: str, tmp_path: Path
) -> None:
    scale = "0.005"
    with Sandbox(World(calls=0), quick_switches()) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        empty: dict[str, Any] = {"calls" if provider == "amplemarket" else "data": []}
        for change, status in ((EMPTY, "SUCCEEDED"), (ENVELOPES[provider], "FAILED")):
            sandbox.faults = [
                Fault(
                    provider,
                    times=ENDLESS,
                    kind="edit",
                    edit=with_page(updating({**empty, **change})),
                )
            ]
            checked = connector.check(CALLS_SANDBOX_WAIT_SCALE=scale).connection_status
            assert checked["status"] == status
            assert (SAYS in checked.get("message", "")) == (status == "FAILED")
            environment = {"CALLS_SANDBOX_WAIT_SCALE": scale}
            done = connector.read(environment=environment)
            assert done.exit_status == (status == "FAILED")
            assert done.records() == []


@pytest.mark.lasts(50)
def test_check_ends_under_a_limit_that_lasts(tmp_path: Path) -> None:
    """Its waits are bounded as a whole; without the bound it would wait for ever."""
    with Sandbox(World(calls=1), quick_switches()) as sandbox:
        connector = Connector("skipcall", sandbox, tmp_path, forked=True)
        headers = {"Retry-After": "5"}
        sandbox.faults = [Fault("skipcall", times=ENDLESS, status=429, headers=headers)]
        began = time.monotonic()
        checked = connector.check().connection_status
        assert time.monotonic() - began < 180
        assert checked["status"] == "FAILED"
        assert "limit" in checked["message"]
        assert "resume" not in checked["message"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_never_worked_is_refused_at_once(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Stage(provider).sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        sandbox.keys[provider] = {"another"}
        ((failure_type, sentence),) = sync(provider).failures
        assert failure_type == "config_error"
        assert ("access_token" if provider == "intercom" else "api_key") in sentence
        assert len(sandbox.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_call_id_that_intercom_refuses_is_that_ids_fault(
    number: int, status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage("intercom")
    with stage.sandbox as sandbox:
        be_quick(monkeypatch, sandbox.url)
        refused = stage.call_ids[number]
        error = {"code": "parameter_invalid", "message": "id is invalid"}
        body = json.dumps({"type": "error.list", "request_id": "x", "errors": [error]})
        sandbox.faults = [
            Fault(
                "intercom",
                path_contains=f"/calls/{refused}",
                times=ENDLESS,
                status=status,
                body=body,
            )
        ]
        done = stage.sync("calls_by_id")
        assert done.failures == []
        truth = stage.truth("calls_by_id")
        assert done.by_id("calls_by_id") == {
            key: one for key, one in truth.items() if key != refused
        }
        assert any(f"HTTP {status}" in text and text.startswith("1 ") for text in caplog.messages)
