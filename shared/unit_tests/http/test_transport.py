import gzip
import json
import os
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import urllib3
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.faults import LARGEST_BODY, fault_name
from calls_shared.http.patience import Patience
from calls_shared.http.sandbox import Sandbox, sandbox_from_environment
from calls_shared.http.transport import Transport

SLOW = Patience(connect=240.0, read=240.0, answer=240.0)
BIG = bytes(range(256)) * 4096  # a megabyte


def bomb(megabytes: int) -> bytes:
    """A gzip body that unpacks to so many megabytes of blanks, a thousandth of it long."""
    packer, block = zlib.compressobj(1, wbits=31), b" " * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


class Server(ThreadingHTTPServer):
    """A loopback server that remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.left = threading.Event()  # a client has gone in the middle of an answer
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Nothing is written to the console."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers.items())))
        name = self.path.split("?")[0].rsplit("/", 1)[-1]
        getattr(self, f"answer_{name}", self.answer_calls)()

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_calls(self) -> None:
        self.reply(200, {"Set-Cookie": "session=1; Path=/"}, b'{"data": []}')

    def answer_big(self) -> None:
        self.reply(200, {}, BIG)

    def answer_gzip(self) -> None:
        self.reply(200, {"Content-Encoding": "gzip"}, gzip.compress(BIG))

    def answer_deflate(self) -> None:
        self.reply(200, {"Content-Encoding": "deflate"}, zlib.compress(BIG))

    def answer_bomb(self) -> None:
        self.reply(200, {"Content-Encoding": "gzip"}, bomb(1024))

    def answer_damaged(self) -> None:
        self.reply(200, {"Content-Encoding": "gzip"}, gzip.compress(BIG)[:20] + b"\xff" * 99)

    def answer_chunked(self) -> None:
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (BIG[:1000], BIG[1000:]))
        self.reply(200, {"Transfer-Encoding": "chunked"}, chunks + b"0\r\n\r\n")

    def answer_empty(self) -> None:
        self.reply(200, {}, b"")

    def answer_redirect(self) -> None:
        self.reply(302, {"Location": f"{self.server.url}/elsewhere"}, b"moved")

    def answer_redirect_nowhere(self) -> None:
        self.reply(302, {"Location": "http://[nowhere"}, b"")

    def answer_redirect_in_latin_1(self) -> None:
        self.reply(302, {"Location": "/caf\xe9"}, b"")

    def answer_short(self) -> None:
        self.reply(200, {"Content-Length": "1000"}, b"{")
        self.close_connection = True

    def answer_closed(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def answer_silent(self) -> None:
        self.server.ended.wait()
        self.close_connection = True

    def answer_dripping_redirect(self) -> None:
        self.drip(302, {"Location": "/elsewhere"})

    def answer_dripping(self) -> None:
        self.drip(200, {})

    def drip(self, status: int, headers: dict[str, str]) -> None:
        """Go on until the client has gone."""
        self.reply(status, {"Content-Length": "1000000000", **headers}, b"")
        self.close_connection = True
        try:
            while not self.server.ended.wait(0.01):
                self.wfile.write(b" ")
        except OSError:
            self.server.left.set()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.ended.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def transport() -> Iterator[Transport]:
    opened = Transport(None, 4)
    yield opened
    opened._session.close()


def get(
    transport: Transport,
    url: str,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    patience: Patience = SLOW,
) -> requests.Response:
    return transport.send(
        url, origin=url, headers=headers or {}, params=params or {}, patience=patience
    )


# --- the sandbox's address ---


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8900",
        "http://127.0.0.1:8900/",
        "http://127.8.9.10",
        "http://localhost:8900/prefix",
        "http://[::1]:8900",
        "  http://127.0.0.1:8900  ",
    ],
)
def test_a_loopback_sandbox(url: str) -> None:
    found = sandbox_from_environment("acme", {"CALLS_SANDBOX_URL": url})
    assert found == Sandbox(url.strip(), "acme", 1.0)


@pytest.mark.parametrize("environment", [{}, {"CALLS_SANDBOX_URL": ""}, {"CALLS_SANDBOX_URL": " "}])
def test_without_the_variable_there_is_no_sandbox(environment: dict[str, str]) -> None:
    assert sandbox_from_environment("acme", environment) is None


def test_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sandbox_from_environment("acme") is None
    monkeypatch.setenv("CALLS_SANDBOX_URL", "http://127.0.0.1:8900")
    assert sandbox_from_environment("acme") == Sandbox("http://127.0.0.1:8900", "acme", 1.0)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com:8900",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0:8900",
        "http://10.0.0.1:8900",
        "http://192.168.0.1",
        "http://169.254.169.254",
        "http://[::]:8900",
        "http://[2001:db8::1]",
        "http://127.0.0.1@example.com",
        "http://2130706433",
        "http://",
        "https://127.0.0.1:8900",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1:8900",
        "//127.0.0.1:8900",
        pytest.param("http://[127.0.0.1"),
    ],
)
def test_any_other_host_is_refused(url: str) -> None:
    with pytest.raises(AirbyteTracedException) as caught:
        sandbox_from_environment("acme", {"CALLS_SANDBOX_URL": url})
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == (
        "The environment variable CALLS_SANDBOX_URL may only name a loopback address such as"
        " http://127.0.0.1:8900; unset it to read from the provider."
    )


@pytest.mark.parametrize(("words", "scale"), [("0.01", 0.01), ("2", 2.0), ("fast", 1.0), ("", 1.0)])
def test_wait_scale(words: str, scale: float) -> None:
    environment = {"CALLS_SANDBOX_URL": "http://localhost", "CALLS_SANDBOX_WAIT_SCALE": words}
    assert sandbox_from_environment("acme", environment) == Sandbox(
        "http://localhost", "acme", scale
    )


@pytest.mark.parametrize(
    ("base", "url", "expected"),
    [
        (
            "http://127.0.0.1:8900",
            "https://api.acme.example/v1/calls?page=2&limit=100",
            "http://127.0.0.1:8900/acme/v1/calls?page=2&limit=100",
        ),
        (
            "http://127.0.0.1:8900/",
            "https://api.acme.example/calls?page[size]=100&page[after]=5e3",
            "http://127.0.0.1:8900/acme/calls?page[size]=100&page[after]=5e3",
        ),
        (
            "http://127.0.0.1:8900/prefix/",
            "https://api.acme.example/calls?a=%2B1&b=+&c=%20&d=%C3%A9&e=&f&a=2",
            "http://127.0.0.1:8900/prefix/acme/calls?a=%2B1&b=+&c=%20&d=%C3%A9&e=&f&a=2",
        ),
        (
            "http://[::1]:8900",
            "https://api.acme.example/calls/a%2Fb",
            "http://[::1]:8900/acme/calls/a%2Fb",
        ),
        ("http://localhost", "https://api.acme.example", "http://localhost/acme"),
    ],
)
def test_rewrite_keeps_path_and_query_exactly(base: str, url: str, expected: str) -> None:
    assert Sandbox(base, "acme").rewrite(url) == expected


# --- sending ---


def test_a_request_reaches_the_server_as_given(server: Server, transport: Transport) -> None:
    response = get(
        transport,
        f"{server.url}/v1/calls?page[after]=5e3&b=%2B1",
        {"Authorization": "Bearer 12e5", "Accept": "application/json"},
        {"participants": "+14155550100", "name": "Zoë & co"},
    )
    assert (response.status_code, response.content) == (200, b'{"data": []}')
    ((path, headers),) = server.asked
    assert path == (
        # urllib3 encodes the brackets, which changes no value
        "/v1/calls?page%5Bafter%5D=5e3&b=%2B1&participants=%2B14155550100&name=Zo%C3%AB+%26+co"
    )
    assert headers["Authorization"] == "Bearer 12e5"
    assert headers["Accept"] == "application/json"
    assert headers["Accept-Encoding"] == "gzip"
    assert "X-Sandbox-Host" not in headers


def test_a_request_to_the_sandbox_names_the_providers_host(server: Server) -> None:
    transport = Transport(Sandbox(f"{server.url}/deep", "acme"), 4)
    given = {"Authorization": "Bearer 12e5"}
    get(transport, "https://api.eu.acme.example/calls?page[after]=5e3&a=%2B1", given)
    transport._session.close()
    ((path, headers),) = server.asked
    assert path == "/deep/acme/calls?page%5Bafter%5D=5e3&a=%2B1"
    assert headers["X-Sandbox-Host"] == "api.eu.acme.example"
    assert headers["Authorization"] == "Bearer 12e5"
    assert given == {"Authorization": "Bearer 12e5"}


def test_a_redirect_is_not_followed(server: Server, transport: Transport) -> None:
    response = get(transport, f"{server.url}/redirect", {"Authorization": "Bearer hush"})
    assert response.status_code == 302
    assert [path for path, _ in server.asked] == ["/redirect"]


def test_the_body_of_a_redirect_is_read_too(server: Server, transport: Transport) -> None:
    assert get(transport, f"{server.url}/redirect").content == b"moved"


def test_a_dripping_redirect_ends(server: Server, transport: Transport) -> None:
    with pytest.raises(requests.RequestException):
        get(transport, f"{server.url}/dripping_redirect", patience=Patience(read=240.0, answer=0.2))


@pytest.mark.parametrize("path", ["redirect_nowhere", "redirect_in_latin_1"])
def test_a_redirect_to_no_address_is_an_answer(
    server: Server, transport: Transport, path: str
) -> None:
    assert get(transport, f"{server.url}/{path}").status_code == 302


@pytest.mark.parametrize("path", ["big", "gzip", "deflate", "chunked"])
def test_the_whole_body_is_read(server: Server, transport: Transport, path: str) -> None:
    assert get(transport, f"{server.url}/{path}").content == BIG
    # the connection went back to the pool in good order
    assert get(transport, f"{server.url}/calls").content == b'{"data": []}'


def test_a_body_has_a_largest_size(
    server: Server, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LARGEST_BODY == 256 * 1024 * 1024
    for path in ("big", "gzip", "deflate", "chunked"):
        monkeypatch.setattr("calls_shared.http.transport.LARGEST_BODY", len(BIG))
        assert get(transport, f"{server.url}/{path}").content == BIG
        monkeypatch.setattr("calls_shared.http.transport.LARGEST_BODY", len(BIG) - 1)
        with pytest.raises(requests.RequestException):
            get(transport, f"{server.url}/{path}")


def test_a_body_that_unpacks_to_a_gigabyte_is_a_fault_and_does_not_fill_the_memory(
    server: Server, transport: Transport
) -> None:
    patience = Patience(connect=120.0, read=120.0, answer=120.0)
    tracemalloc.start()
    try:
        with pytest.raises(requests.RequestException) as caught:
            get(transport, f"{server.url}/bomb", patience=patience)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fault_name(caught.value) == "the answer is larger than 256 MB"
    assert most < 300 << 20
    assert get(transport, f"{server.url}/calls").content == b'{"data": []}'


def test_an_empty_body(server: Server, transport: Transport) -> None:
    assert get(transport, f"{server.url}/empty").content == b""


@pytest.mark.parametrize(
    ("path", "patience", "name"),
    [
        ("short", SLOW, "the answer was cut short"),
        ("damaged", SLOW, "the compressed answer was damaged"),
        ("closed", SLOW, "the connection was closed without an answer"),
        ("silent", Patience(read=0.2), "the answer did not come in time"),
        ("dripping", Patience(read=240.0, answer=0.2), "the answer did not come in time"),
    ],
)
def test_a_fault_is_raised_and_has_a_name(
    server: Server, transport: Transport, path: str, patience: Patience, name: str
) -> None:
    with pytest.raises(
        (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
    ) as caught:
        get(transport, f"{server.url}/{path}", patience=patience)
    assert fault_name(caught.value) == name


def test_a_refused_connection(transport: Transport) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as caught:
        get(transport, f"http://127.0.0.1:{port}/calls")
    assert fault_name(caught.value) == "the connection was refused"


def test_no_cookie_and_no_netrc_travels(
    server: Server, transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hush\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    get(transport, f"{server.url}/calls", {"Authorization": "Bearer ours"})
    get(transport, f"{server.url}/calls", {})
    (_, first), (_, second) = server.asked
    assert first["Authorization"] == "Bearer ours"
    assert "Authorization" not in second
    assert "Cookie" not in second


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (requests.ConnectTimeout("secret"), "the connection timed out"),
        (requests.ReadTimeout("secret"), "the answer did not come in time"),
        (requests.exceptions.SSLError("secret"), "the TLS connection failed"),
        (requests.exceptions.ProxyError("secret"), "the proxy failed"),
        (urllib3.exceptions.DecodeError("secret"), "the compressed answer was damaged"),
        (
            requests.ConnectionError("NameResolutionError secret"),
            "its host name could not be resolved",
        ),
        (OSError("[Errno 111] Connection refused secret"), "the connection was refused"),
        (ConnectionResetError("Connection reset by peer secret"), "the connection was reset"),
        (urllib3.exceptions.ProtocolError("IncompleteRead secret"), "the answer was cut short"),
        (requests.ConnectionError("secret of another kind"), "the connection failed"),
        (ValueError(""), "the connection failed"),
    ],
)
def test_fault_names_never_quote_the_fault(fault: Exception, name: str) -> None:
    assert fault_name(fault) == name


def test_a_body_goes_as_json_by_post(server: Server) -> None:
    body = {"ids": ["5e3", "Zoë"]}
    url = f"{server.url}/calls"
    for _ in range(2):
        Transport(None, 1).send(
            url,
            origin=url,
            headers={"Authorization": "Bearer x"},
            params={},
            patience=SLOW,
            method="POST",
            body=body,
        )
    assert [json.loads(sent) for sent in server.bodies] == [body, body]
    for path, headers in server.asked:
        assert (path, headers["Content-Type"]) == ("/calls", "application/json")
        assert headers["Authorization"] == "Bearer x"


def test_a_body_that_is_not_wanted_stays_on_the_wire(server: Server) -> None:
    """The server writes for ever; it sees the connection closed."""
    url = f"{server.url}/dripping"
    seen = []

    def wants_body(response: requests.Response) -> bool:
        seen.append((response.status_code, response.headers["Content-Length"]))
        return False

    response = Transport(None, 1).send(
        url, origin=url, headers={}, params={}, patience=SLOW, wants_body=wants_body
    )
    assert (response.status_code, response.content) == (200, b"")
    assert seen == [(200, "1000000000")]
    assert server.left.wait(60)
