"""Where the key travels: to the provider's own scheme and host, whatever a link says."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
import requests
import requests_mock
from hypothesis import example, given, settings
from hypothesis import strategies as st

from calls_shared.faults import ForeignUrlError
from calls_shared.http.patience import Patience
from calls_shared.http.sandbox import Sandbox
from calls_shared.http.transport import Transport, at_origin

PROPERTY = settings(database=None, deadline=None, max_examples=500)
ORIGIN = "https://api.acme.example/v1/calls"
OWN = "https://api.acme.example"
KEY = {"Authorization": "Bearer hush"}
SANDBOXES = [None, Sandbox("http://127.0.0.1:8900/deep", "acme")]


@pytest.mark.parametrize(
    ("link", "path"),
    [
        (f"{OWN}/calls?page[size]=100&page[after]=5e3", "/calls?page[size]=100&page[after]=5e3"),
        (
            f"{OWN}/calls?page%5Bafter%5D=%2B1415&b=%20+%2F",
            "/calls?page%5Bafter%5D=%2B1415&b=%20+%2F",
        ),
        (f"{OWN}/calls?a=1#part", "/calls?a=1"),
        (f"{OWN}", "/"),
        (f"{OWN}?a=1", "/?a=1"),
        # another scheme of the web, a default port, capitals, a dot at the end
        ("http://api.acme.example/x", "/x"),
        ("HTTPS://API.Acme.EXAMPLE/X", "/X"),
        ("https://api.acme.example./x", "/x"),
        ("https://api.acme.example:443/x", "/x"),
        ("http://api.acme.example:80/x", "/x"),
        ("http://api.acme.example:443/x", "/x"),
        ("https://api.acme.example:/x", "/x"),
        # of a link only path and query are used
        ("https://user:word@api.acme.example/x", "/x"),
        ("https://evil.example%2f@api.acme.example/x", "/x"),
        ("https://api.acme.example\\@evil.example/x", "/%5C@evil.example/x"),
        ("https://api.acme.example/\\evil.example/x", "/%5Cevil.example/x"),
        ("https://api.acme.example#@evil.example/x", "/"),
        ("https://api.acme.example?@evil.example/x", "/?@evil.example/x"),
        ("https://api.acme.example//evil.example/x", "//evil.example/x"),
        # relative to the origin
        ("/calls?page=2", "/calls?page=2"),
        ("calls?page=2", "/v1/calls?page=2"),
        ("?page=2", "/v1/calls?page=2"),
        ("#part", "/v1/calls"),
        ("//api.acme.example/x", "/x"),
        ("/\\evil.example/x", "/%5Cevil.example/x"),
        ("\\\\evil.example\\x", "/v1/%5C%5Cevil.example%5Cx"),
    ],
)
def test_a_link_to_the_providers_own_host(link: str, path: str) -> None:
    asked = at_origin(link, ORIGIN)
    assert asked.replace("%5B", "[").replace("%5D", "]") == OWN + path.replace("%5B", "[").replace(
        "%5D", "]"
    )


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8123/calls", "http://[::1]:8123/calls"])
def test_an_origin_with_a_port(origin: str) -> None:
    own = origin.removesuffix("/calls")
    assert at_origin(f"{own}/x?a=1", origin) == f"{own}/x?a=1"
    assert at_origin("/x", origin) == f"{own}/x"
    for port in ("8124", "80", "443"):
        with pytest.raises(ForeignUrlError):
            at_origin(f"{own.removesuffix('8123')}{port}/x", origin)
    with pytest.raises(ForeignUrlError):
        at_origin(f"{own.removesuffix(':8123')}/x", origin)


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("https://evil.example/calls", "evil.example"),
        ("https://EVIL.Example./calls", "evil.example"),
        ("//evil.example/calls", "evil.example"),
        ("https://api.acme.example@evil.example/calls", "evil.example"),
        ("https://evil.example\\@api.acme.example/calls", "evil.example"),
        ("https://evil.example#@api.acme.example/calls", "evil.example"),
        ("https://api.acme.example.evil.example/", "api.acme.example.evil.example"),
        ("https://acme.example/", "acme.example"),
        ("https://xapi.acme.example/", "xapi.acme.example"),
        ("https://127.0.0.1/", "127.0.0.1"),
        # another port or scheme of the own host
        ("https://api.acme.example:8443/calls", "api.acme.example"),
        ("ftp://api.acme.example/calls", "api.acme.example"),
        ("file://api.acme.example/calls", "api.acme.example"),
        # no host at all
        ("javascript:alert(1)", "one without a host"),
        ("data:text/html,x", "one without a host"),
        ("http:\\\\evil.example\\x", "one without a host"),
        # no URL at all
        ("https://[evil/calls", "one that cannot be read"),
        ("https://api.acme.example:99999/", "one that cannot be read"),
        ("https://api.acme.example:x/", "one that cannot be read"),
    ],
)
def test_a_link_to_anywhere_else_is_refused_and_its_host_named(link: str, named: str) -> None:
    with pytest.raises(ForeignUrlError) as caught:
        at_origin(link, ORIGIN)
    assert str(caught.value) == named


def test_a_host_is_named_safely() -> None:
    with pytest.raises(ForeignUrlError) as caught:
        at_origin(f"https://{'a' * 2000}.example/", ORIGIN)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    "link", ["////evil.example/x", "https:///evil.example/x", "///evil.example/x"]
)
def test_slashes_without_end_stay_with_the_provider_or_are_refused(link: str) -> None:
    """How Python joins these has changed between its versions."""
    try:
        asked = at_origin(link, ORIGIN)
    except ForeignUrlError:
        return
    assert urlsplit(asked)[:2] == ("https", "api.acme.example")


# --- what is really asked for ---


class AskedError(Exception):
    """Raised in place of sending."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        super().__init__()
        self.request = request


def sent(link: str, sandbox: Sandbox | None) -> requests.PreparedRequest | None:
    """The request as it would go out, or None if it is refused."""

    def send(session: Any, request: requests.PreparedRequest, **_: Any) -> None:
        raise AskedError(request)

    transport = Transport(sandbox, 1)
    with patch.object(requests.Session, "send", send):
        try:
            transport.send(link, origin=ORIGIN, headers=KEY, params={"x": "1"}, patience=Patience())
        except AskedError as asked:
            return asked.request
        except (ForeignUrlError, requests.RequestException):
            return None
    raise AssertionError("neither sent nor refused")


PIECES = st.sampled_from(
    [
        "https:",
        "http:",
        "HTTPS:",
        "ftp:",
        "//",
        "/",
        "\\",
        "@",
        ":",
        ":443",
        ":8443",
        "#",
        "?",
        "%2f",
        "%5c",
        "%40",
        "..",
        ".",
        "[",
        "]",
        "[::1]",
        " ",
        "\t",
        "\n",
        "\u3002",
        "\uff0f",
        "\u212a",
        "\ud83d",
        "api.acme.example",
        "API.ACME.EXAMPLE",
        "evil.example",
        "user:word",
        "127.0.0.1",
        "calls",
    ]
)


@pytest.mark.parametrize("sandbox", SANDBOXES, ids=["provider", "sandbox"])
@PROPERTY
@given(link=st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40))
@example("https://api.acme.example\\@evil.example/")
@example("////evil.example/x")
@example("https://[evil/calls")
@example("https://evil.example\ud83d/")
def test_whatever_a_link_is_the_key_stays_with_the_provider(
    sandbox: Sandbox | None, link: str
) -> None:
    request = sent(link, sandbox)
    if request is None:
        return
    parts = urlsplit(request.url or "")
    if sandbox is None:
        assert (parts.scheme, parts.netloc) == ("https", "api.acme.example")
    else:
        assert (parts.scheme, parts.netloc) == ("http", "127.0.0.1:8900")
        assert str(parts.path).startswith("/deep/acme/")
        assert request.headers["X-Sandbox-Host"] == "api.acme.example"
    assert request.headers["Authorization"] == "Bearer hush"


@pytest.fixture
def anywhere() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json={"data": []})
        yield mock


@pytest.mark.parametrize("sandbox", SANDBOXES, ids=["provider", "sandbox"])
@pytest.mark.parametrize(
    "link", ["https://evil.example/x", "//evil.example/x", "https://api.acme.example:8443/x"]
)
def test_the_key_goes_nowhere_else(
    anywhere: requests_mock.Mocker, sandbox: Sandbox | None, link: str
) -> None:
    transport = Transport(sandbox, 1)
    with pytest.raises(ForeignUrlError):
        transport.send(link, origin=ORIGIN, headers=KEY, params={}, patience=Patience())
    assert anywhere.call_count == 0
    transport.send("/x", origin=ORIGIN, headers=KEY, params={}, patience=Patience())
    assert anywhere.call_count == 1
