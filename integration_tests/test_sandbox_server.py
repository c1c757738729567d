"""The sandbox's server: log, hook, faults, control API, command line, start and stop."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from integration_tests.sandbox import Fault, Sandbox, SeenRequest, Switches, World
from integration_tests.sandbox.__main__ import main
from integration_tests.sandbox.answers import ApiRequest, Credentials
from integration_tests.sandbox.intercom import IntercomApi
from integration_tests.sandbox.seen import peak_per_second

ROOT = Path(__file__).parents[1]
HEADERS = {"Authorization": "Bearer test-key-skipcall-not-real"}
Get = Callable[..., requests.Response]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World(calls=120), Switches(enforce_limits=False)) as sandbox:
        yield sandbox


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    with requests.Session() as session:

        def send(path: str = "/skipcall/v1/calls?limit=50", **options: Any) -> requests.Response:
            options = {"headers": HEADERS, "timeout": 600, "allow_redirects": False, **options}
            return session.get(sandbox.url + path, **options)

        yield send


def test_log_of_requests(sandbox: Sandbox, get: Get) -> None:
    begin = time.monotonic()
    host = {**HEADERS, "X-Sandbox-Host": "api-public.skipcall.app"}
    get("/skipcall/v1/calls?page=2&filters=%7B%22a%22%3A1%7D&empty=&from=%2B1+2", headers=host)
    get("/amplemarket/calls?page[size]=5")
    requests.post(f"{sandbox.url}/openphone/v1/calls", timeout=600)
    first, second, third = sandbox.requests
    assert (first.provider, first.method, first.path) == ("skipcall", "GET", "/v1/calls")
    assert first.query == (("page", "2"), ("filters", '{"a":1}'), ("empty", ""), ("from", "+1 2"))
    assert first.raw_query == "page=2&filters=%7B%22a%22%3A1%7D&empty=&from=%2B1+2"
    assert first.headers["x-sandbox-host"] == "api-public.skipcall.app"
    assert first.headers["authorization"] == HEADERS["Authorization"]
    assert begin <= first.at <= second.at <= time.monotonic()
    assert [one.status for one in (first, second, third)] == [200, 401, 401]
    assert (second.path, second.query) == ("/calls", (("page[size]", "5"),))
    assert (third.provider, third.method) == ("openphone", "POST")
    assert "x-sandbox-host" not in second.headers
    sandbox.clear_requests()
    assert sandbox.requests == []


def test_unknown_provider_is_not_logged(sandbox: Sandbox, get: Get) -> None:
    assert get("/aircall/v1/calls").status_code == 404
    assert sandbox.requests == []


def test_hook_moves_the_world_between_two_pages(sandbox: Sandbox, get: Get) -> None:
    victims = list(sandbox.expected("skipcall"))[:1]

    def move(seen: SeenRequest) -> None:
        assert seen.status == 0
        if ("page", "2") in seen.query:
            sandbox.world.delete_call("skipcall", victims.pop())

    sandbox.before_answer = move
    totals = [get(f"/skipcall/v1/calls?limit=50&page={n}").json()["total"] for n in (1, 2, 3)]
    assert totals == [120, 119, 119]


def test_what_the_hook_raises_is_not_lost() -> None:
    def fail(seen: SeenRequest) -> None:
        raise AssertionError(f"unwanted {seen.path}")

    def serve() -> int:
        with Sandbox(World(calls=1)) as sandbox:
            sandbox.before_answer = fail
            status = requests.get(f"{sandbox.url}/skipcall/v1/calls", timeout=600).status_code
            statuses.append(status)
            return status

    statuses: list[int] = []
    with pytest.raises(AssertionError, match="unwanted /v1/calls"):
        serve()
    assert statuses == [500]


def test_a_latency_of_each_answer(sandbox: Sandbox, get: Get) -> None:
    asked: list[tuple[str, int]] = []

    def seconds(seen: SeenRequest) -> float:
        asked.append((seen.raw_query, sandbox.under_way))
        return 0.2 if "page=2" in seen.raw_query else 0.0

    sandbox.latency = seconds
    lasted = []
    for number in (1, 2):
        begin = time.monotonic()
        get(f"/skipcall/v1/calls?page={number}")
        lasted.append(time.monotonic() - begin)
    assert asked == [("page=1", 1), ("page=2", 1)]
    assert lasted[1] >= 0.2
    assert sandbox.under_way == 0


def test_ever_listed_keeps_the_state_of_the_last_listing(sandbox: Sandbox, get: Get) -> None:
    assert sandbox.ever_listed("skipcall") == {}
    listed = {one["id"]: one for one in get().json()["data"]}
    kept, changed, gone = list(listed)[:3]
    sandbox.world.change_call("skipcall", changed, notes="later")
    sandbox.world.delete_call("skipcall", gone)
    known = sandbox.ever_listed("skipcall")
    assert {name: one["provider_record"] for name, one in known.items()} == listed
    get()
    known = sandbox.ever_listed("skipcall")
    assert (known[changed]["notes"], known[gone]["provider_record"]) == ("later", listed[gone])
    assert known[kept] == sandbox.expected("skipcall")[kept]
    assert gone not in sandbox.expected("skipcall")


def test_switches_change_the_rendering_at_once(sandbox: Sandbox, get: Get) -> None:
    plain = get().json()["data"]
    sandbox.switches = Switches(unknown_fields=True, enforce_limits=False)
    extended = get().json()["data"]
    extra = {
        "sandbox_added_later": {"nested": [1, {"deep": None}, "é"], "flag": True, "ratio": 0.5},
        "sandbox_added_text": "007",
    }
    assert extended == [{**record, **extra} for record in plain]
    sandbox.switches = Switches(enforce_limits=False)
    assert get().json()["data"] == plain


def test_a_changed_call_is_rendered_anew(sandbox: Sandbox, get: Get) -> None:
    identifier = get().json()["data"][0]["id"]
    sandbox.world.change_call("skipcall", identifier, status="edited")
    assert get().json()["data"][0]["status"] == "edited"


def test_another_world(sandbox: Sandbox, get: Get) -> None:
    before = get().json()
    sandbox.world = World(seed=99, calls=3)
    after = get().json()
    assert (before["total"], after["total"]) == (120, 3)
    assert set(sandbox.ever_listed("skipcall")) == {one["id"] for one in after["data"]}


def test_latency_is_waited_for_and_does_not_serialize(sandbox: Sandbox, get: Get) -> None:
    sandbox.switches = replace(sandbox.switches, latency_seconds=0.3)
    begin = time.monotonic()
    assert get().ok
    assert time.monotonic() - begin >= 0.3
    # one answer that takes days does not hold the others back
    sandbox.switches = replace(sandbox.switches, latency_seconds=1e6)
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        waiting.sendall(b"GET /skipcall/v1/calls HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        sandbox.switches = replace(sandbox.switches, latency_seconds=0.0)
        assert get().ok
        assert [one.status for one in sandbox.requests] == [200, 200]


def test_the_world_may_move_while_pages_are_read(sandbox: Sandbox, get: Get) -> None:
    stop = threading.Event()

    def move() -> None:
        while not stop.is_set():
            sandbox.world.advance(hours=1, new=2, changed=20, deleted=2, late=0)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for page in range(60):
            body = get(f"/skipcall/v1/calls?limit=100&page={page % 3 + 1}").json()
            assert len({one["id"] for one in body["data"]}) == len(body["data"])
    finally:
        stop.set()
        mover.join()
    assert len(sandbox.expected("skipcall")) == get().json()["total"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset_before", requests.ConnectionError),
        ("reset_in_body", requests.exceptions.ChunkedEncodingError),
        ("cut_body_wrong_length", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_faults_that_break_the_connection(
    sandbox: Sandbox, get: Get, kind: Any, error: type[Exception]
) -> None:
    sound = get().content
    sandbox.world = World(calls=120)
    sandbox.faults = [Fault("skipcall", kind=kind)]
    with pytest.raises(error, match="IncompleteRead" if "length" in kind else "reset"):
        get()
    assert sandbox.ever_listed("skipcall") == {}
    assert get().content == sound
    assert [one.status for one in sandbox.requests] == [200, 200 if "body" in kind else 0, 200]


def raw_answer(sandbox: Sandbox, timeout: float = 600.0) -> bytes:
    """All bytes that come for one request, until the server closes or pauses."""
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        key = HEADERS["Authorization"]
        head = f"GET /skipcall/v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        found = b""
        try:
            while more := connection.recv(65536):
                found += more
        except TimeoutError:
            pass
        return found


def test_no_answer_holds_the_connection(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault("skipcall", kind="no_answer")]
    begin = time.monotonic()
    assert raw_answer(sandbox, timeout=0.5) == b""
    assert time.monotonic() - begin >= 0.5
    assert raw_answer(sandbox).startswith(b"HTTP/1.1 200 OK")


def test_cut_bodies(sandbox: Sandbox, get: Get) -> None:
    sound = get("/skipcall/v1/calls").content
    sandbox.faults = [Fault("skipcall", kind="cut_body_right_length")]
    answer = get("/skipcall/v1/calls")
    assert (answer.status_code, answer.content) == (200, sound[: len(sound) // 2])
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)
    sandbox.faults = [Fault("skipcall", kind="gzip_cut")]
    head, _, body = raw_answer(sandbox).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert sound.startswith(zlib.decompressobj(wbits=31).decompress(body))
    with pytest.raises(EOFError):
        gzip.decompress(body)


def test_drip_is_slow_and_sound(sandbox: Sandbox, get: Get) -> None:
    path = "/skipcall/v1/calls?limit=1&page=999"
    sound = get(path)
    sandbox.faults = [Fault("skipcall", kind="drip", seconds=0.004)]
    begin = time.monotonic()
    answer = get(path)
    assert answer.content == sound.content
    assert time.monotonic() - begin > 0.004 * len(sound.content)


def test_given_answers(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults = [
        Fault("skipcall", kind="status", status=503, headers={"Retry-After": "3"}, body="busy"),
        Fault(
            "skipcall", nth=2, kind="body", body=b"<html>", headers={"Content-Type": "text/html"}
        ),
        Fault("skipcall", nth=3, kind="redirect", headers={"Location": "https://example.com/x"}),
    ]
    answers = [get() for _ in range(4)]
    assert [one.status_code for one in answers] == [503, 200, 302, 200]
    assert (answers[0].headers["Retry-After"], answers[0].text) == ("3", "busy")
    assert (answers[1].headers["Content-Type"], answers[1].text) == ("text/html", "<html>")
    assert answers[2].headers["Location"] == "https://example.com/x"
    assert answers[3].json()["total"] == 120
    assert [one.status for one in sandbox.requests] == [503, 200, 302, 200]


def test_faults_count_only_what_they_match(sandbox: Sandbox, get: Get) -> None:
    fault = Fault("skipcall", "/v1/", nth=2, times=2, query_contains='"x y"', status=500)
    sandbox.faults = [fault, Fault("skipcall", query_contains="page=9", status=418)]
    match = "/skipcall/v1/calls?filters=%22x+y%22"
    statuses = [
        get(path).status_code for path in (match, "/skipcall/v1/calls", match, match, match)
    ]
    assert statuses == [200, 200, 500, 500, 200]
    assert get("/skipcall/v1/calls?page=9").status_code == 418
    assert get("/intercom/calls?page=9").status_code == 401
    sandbox.faults = [replace(fault, nth=1)]
    assert get(match).status_code == 500


def test_peak_per_second() -> None:
    def at(*times: float) -> list[SeenRequest]:
        return [SeenRequest("x", "GET", "/", (), "", {}, 200, one) for one in times]

    assert peak_per_second([]) == 0
    assert peak_per_second(at(0.0, 0.5, 0.99, 1.0, 1.2, 5.0)) == 4


def test_control_api(sandbox: Sandbox, get: Get) -> None:
    get()
    get()
    get("/intercom/calls")
    report = get("/_sandbox/requests").json()
    assert report == {
        "total": 3,
        "counts": {
            "intercom": {"/calls": {"401": 1}},
            "skipcall": {"/v1/calls": {"200": 2}},
        },
        "peak_per_second": {
            "all": 3,
            "intercom": 1,
            "openphone": 0,
            "amplemarket": 0,
            "skipcall": 2,
        },
    }
    lines = get("/_sandbox/expected/skipcall").content.splitlines()
    expected = {one["id"]: one for one in map(json.loads, lines)}
    assert expected == sandbox.expected("skipcall")
    step = {"hours": 1.5, "new": 4, "changed": 0, "deleted": 0, "late": 0}
    moved = requests.post(f"{sandbox.url}/_sandbox/advance", json=step, timeout=600)
    assert moved.json() == {"now": "2026-10-01T13:30:00+00:00"}
    assert get().json()["total"] == 124
    requests.post(f"{sandbox.url}/_sandbox/reset-requests", timeout=600)
    assert get("/_sandbox/requests").json()["total"] == 0
    for wrong in (b'{"days": 1}', b"[]", b"{", b'{"new": "5"}', b'{"new": -1}'):
        refused = requests.post(f"{sandbox.url}/_sandbox/advance", data=wrong, timeout=600)
        assert refused.status_code == 400
    assert get("/_sandbox/expected/aircall").status_code == 404
    assert get("/_sandbox/advance").status_code == 404


def test_start_and_stop_leave_nothing_behind() -> None:
    before = set(threading.enumerate())
    with Sandbox(World(calls=1)) as sandbox:
        sandbox.faults = [Fault("skipcall", kind="no_answer")]
        url = sandbox.url
        port = int(url.rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port))
        held = socket.create_connection(("127.0.0.1", port))
        held.sendall(b"GET /skipcall/v1/calls HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        begin = time.monotonic()
    assert time.monotonic() - begin < 300  # its client would wait for ever
    for connection in (idle, held):
        with connection:
            assert connection.recv(10) == b""
    assert set(threading.enumerate()) == before
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=600)


def test_a_taken_port_is_an_error() -> None:
    with Sandbox(World(calls=1)) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), Sandbox(port=port):
            pass


def test_a_page_of_a_large_world_takes_no_longer_than_one_of_a_small_world() -> None:
    """So that no request sorts or renders the whole world: that would take fifty times as long."""
    switches, keys = Switches(enforce_limits=False), Credentials(frozenset({"k"}), {})
    headers = {"authorization": "Bearer k", "accept": "*/*", "intercom-version": "2.14"}

    def seconds(calls: int) -> float:
        api = IntercomApi(World(calls=calls).intercom)
        pages = calls // 25
        took = []
        for _ in range(4):  # the first one renders
            begin = time.process_time()
            for page in range(200):
                number = str(page % pages + 1)
                request = ApiRequest("GET", "/calls", (("page", number),), headers)
                assert api.answer(request, switches, keys).status == 200
            took.append(time.process_time() - begin)
        return min(took)

    assert seconds(5000) < 10 * seconds(100)


def test_command_line() -> None:
    command = [sys.executable, "-m", "integration_tests.sandbox", "--port", "0", "--calls", "30"]
    options = ["--switch", "intercom.timestamps=iso", "--switch", "intercom.limit=167"]
    more = ["--seed", "3", "--latency", "0.01", "--unknown-fields", "--now", "2026-01-01"]
    with subprocess.Popen(
        [*command, *options, *more], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().decode().strip()
            headers = {
                "Authorization": "Bearer test-key-intercom-not-real",
                "Intercom-Version": "2.14",
            }
            answer = requests.get(f"{url}/intercom/calls", headers=headers, timeout=600)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(600) == 0
    assert answer.headers["X-RateLimit-Limit"] == "167"
    world = World(seed=3, calls=30)
    assert {one["id"] for one in answer.json()["data"]} <= set(world.intercom.calls)
    newest = answer.json()["data"][0]
    assert "2025-12-25" < newest["updated_at"] <= "2026-01-01T00:00:00Z"
    assert newest["sandbox_added_text"] == "007"


def test_command_line_refuses_unknown_switches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--switch", "intercom.timestamps=unix"])
    assert "intercom.timestamps knows ['iso', 'epoch'], not 'unix'" in capsys.readouterr().err
