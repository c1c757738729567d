"""`make register` against odd answers, proxies and waits: one sentence, and an end."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from deploy.client import Call, Client
from deploy.failures import RegisterError
from deploy.transport import is_this_machine
from integration_tests.airbyte_platform import CLIENT_SECRET, FakePlatform, Switches
from integration_tests.connectors import CONNECTORS
from integration_tests.registering import Registered, configure, register, with_connections

ONE = dict(list(CONNECTORS.items())[:1])
(FIRST,) = ONE.values()
DEEP = "[" * 500 + "]" * 500
DEEPEST = "[" * 100_000
LIST = "/api/v1/source_definitions/list_for_workspace"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def the_sentence(done: Registered) -> str:
    assert done.exit_status == 1
    (line,) = done.stderr.splitlines()
    assert CLIENT_SECRET not in line
    return line


def answering(path: str, text: str, status: int = 200) -> Switches:
    """A platform that answers this path with this text."""

    def instead(_: str, asked: str) -> tuple[int, str, str] | None:
        return (status, "application/json", text) if path in asked else None

    return Switches(instead=instead)


def custom(**changes: Any) -> str:
    one = {"custom": True, "dockerRepository": f"ghcr.io/you/{FIRST.name}", "name": "x"}
    return json.dumps(
        {
            "sourceDefinitions": [
                {**one, "sourceDefinitionId": "y", "dockerImageTag": "1", **changes}
            ]
        }
    )


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        (LIST, '{"sourceDefinitions": ["a"]}', "list the source definitions of the workspace"),
        (LIST, custom(dockerImageTag=None), "at sourceDefinitions/0/dockerImageTag, is no string"),
        (LIST, custom(resourceRequirements=3), "list the source definitions of the workspace"),
        (LIST, DEEP, "source_definitions/list_for_workspace with something else than JSON"),
        (LIST, DEEPEST, "source_definitions/list_for_workspace with something else than JSON"),
        (LIST, "null", "its answer is no object"),
        ("/destinations/", "[]", "asked to find the destination, and its answer is no object"),
        ("/sources", '{"data": [{}]}', "asked to list the sources of the workspace"),
        ("/sources", '{"data": [{"sourceId": "a", "name": "b"}]}', "at data/0, lacks workspaceId"),
        ("/connections", '{"data": [{"connectionId": "a"}]}', "at data/0, lacks"),
        ("/connections", '{"data": {}}', "list the connections of the workspace"),
        ("create_custom", "{}", "its answer lacks sourceDefinitionId"),
        ("/token", '{"access_token": "a\\nb"}', "a token with a character that no token has"),
        ("/token", '{"access_token": "a€b"}', "a token with a character that no token has"),
        ("/token", '{"access_token": ""}', "give a token to the application"),
    ],
)
def test_an_answer_of_another_shape(path: str, text: str, sentence: str, tmp_path: Path) -> None:
    configure(tmp_path, FIRST)
    with FakePlatform(answering(path, text)) as platform:
        said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert sentence in said
    assert "a€b" not in said


@pytest.mark.parametrize("text", [DEEP, DEEPEST])
def test_a_configuration_that_is_nested_too_deep(text: str, tmp_path: Path) -> None:
    (tmp_path / f"{FIRST.provider}.json").write_text(text, encoding="utf-8")
    with FakePlatform() as platform:
        said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert f"{FIRST.provider}.json is not JSON in UTF-8, or is nested too deep." in said


def test_a_configuration_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = configure(tmp_path, FIRST)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    with FakePlatform() as platform:
        assert register(platform, ONE, **with_connections(tmp_path)).exit_status == 0


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example"])
def test_a_host_that_cannot_be_one(host: str) -> None:
    with FakePlatform() as platform:
        said = the_sentence(register(platform, ONE, AIRBYTE_URL=f"http://{host}"))
    assert said.startswith("AIRBYTE_URL is not an address")


# --- waits ---


def test_a_list_that_does_not_know_offset(tmp_path: Path) -> None:
    configure(tmp_path, FIRST)
    row = {"name": "x", "workspaceId": "w", "configuration": {}}
    page = json.dumps({"data": [{**row, "sourceId": str(n)} for n in range(100)]})
    asked = list[str]()

    def instead(_: str, path: str) -> tuple[int, str, str] | None:
        if not path.endswith("/sources"):
            return None
        asked.append(path)
        return 200, "application/json", page

    with FakePlatform(Switches(instead=instead)) as platform:
        said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert len(asked) == 2
    assert "asked to list the sources of the workspace, and its pages repeat themselves" in said


def served(answer: Callable[[socket.socket], None]) -> tuple[str, list[bytes]]:
    """The address of a server that does this with each connection, and what it was sent."""
    server, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        with server, server.accept()[0] as connection:
            heard.append(connection.recv(65536))
            answer(connection)

    Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}", heard


@pytest.mark.parametrize("head", ["Content-Length: 100000", "Transfer-Encoding: chunked", "X: y"])
def test_a_body_that_drips(head: str) -> None:
    piece = b"1\r\n[\r\n" if "chunked" in head else b"["

    def drip(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
        try:
            for _ in range(600):
                connection.sendall(piece)
                time.sleep(0.05)
        except OSError:
            pass  # the client hung up

    url, _ = served(drip)
    client = Client(url, None, None, timeout=0.3)
    with pytest.raises(RegisterError, match=r"did not do it within 0\.3 s"):
        client.send(Call("GET", "/", "do it"))


def test_too_many_requests_are_waited_for() -> None:
    statuses, waits = [429, 429, 200], list[float]()

    def instead(*_: str) -> tuple[int, str, str]:
        return statuses.pop(0), "application/json", "{}"

    with FakePlatform(Switches(instead=instead)) as platform:
        assert (
            Client(platform.url, None, None, pause=waits.append).send(Call("GET", "/", "do it"))
            == {}
        )
    assert waits == [1.0, 1.0]


def test_the_waits_have_an_end() -> None:
    waits = list[float]()
    with FakePlatform(answering("/", "{}", 429)) as platform:
        client = Client(platform.url, None, None, pause=waits.append)
        with pytest.raises(RegisterError, match=r"do it \(HTTP 429\).*run the command again later"):
            client.send(Call("GET", "/", "do it"))
    assert 0 < len(waits) <= 5


def test_a_long_retry_after_is_cut() -> None:
    head = b"HTTP/1.1 429 No\r\nRetry-After: 99999\r\nContent-Length: 0\r\n\r\n"
    url, _ = served(lambda connection: connection.sendall(head))
    waits = list[float]()
    with pytest.raises(RegisterError):  # nobody is there any more
        Client(url, None, None, pause=waits.append).send(Call("GET", "/", "do it"))
    assert waits == [60.0]


# --- proxies ---


def test_this_machine_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, heard = served(lambda connection: connection.sendall(b"HTTP/1.1 502 No\r\n\r\n"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    with FakePlatform() as platform:
        assert register(platform, ONE).exit_status == 0
    assert heard == []
    hosts = ["localhost", "airbyte.localhost", "127.9.9.9", "::1", "airbyte.example", "10.0.0.1"]
    assert [is_this_machine(host) for host in hosts] == [True] * 4 + [False] * 2


@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_that_refuses_is_named(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    head = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    proxy, heard = served(lambda connection: connection.sendall(head))
    monkeypatch.setenv("http_proxy", proxy)
    with FakePlatform() as platform:
        said = the_sentence(register(platform, ONE, AIRBYTE_URL="http://airbyte.invalid"))
    assert len(heard) == 1
    assert f"(HTTP {status}). HTTP_PROXY or HTTPS_PROXY names a proxy" in said
    assert "in NO_PROXY" in said


# --- advice ---


@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_inside_is_not_a_wrong_workspace(status: int) -> None:
    with FakePlatform(answering(LIST, "{}", status)) as platform:
        said = the_sentence(register(platform, ONE))
    assert f"(HTTP {status})" in said
    assert "WORKSPACE_ID" not in said


def test_no_auth_is_named_only_where_it_is_set() -> None:
    with FakePlatform(answering(LIST, "{}", 401)) as platform:
        assert "NO_AUTH" not in the_sentence(register(platform, ONE))
        assert "leave out NO_AUTH" in the_sentence(register(platform, ONE, NO_AUTH="1"))


def test_a_small_limit_takes_the_request_along() -> None:
    with FakePlatform() as platform:
        register(platform, ONE, MEMORY_LIMIT="128Mi")
        (one,) = [row for row in platform.workspace.definitions.values() if row["custom"]]
    default = one["resourceRequirements"]["default"]
    assert (default["memory_request"], default["memory_limit"]) == ("128Mi", "128Mi")


def test_who_may_not_see_the_organization_deletes_nothing() -> None:
    with FakePlatform(answering("/get_for_scope", "{}", 403)) as platform:
        register(platform, ONE)
        said = the_sentence(register(platform, ONE, REMOVE="1"))
        assert [one["custom"] for one in platform.workspace.definitions.values()] == [False, True]
    assert "The application's user may not see the organization" in said
