from base64 import b64decode

import pytest

from calls_shared import ApiKey, BasicAuth
from calls_shared.http.authenticator import spoken

KEYS = ["12e5", "007", "1_000", "0x1F", "+1415", "None", "{{ config }}", "sk_live_x", "a b=="]


@pytest.mark.parametrize("key", KEYS)
def test_the_key_travels_as_given_after_its_scheme(key: str) -> None:
    authenticator = ApiKey(config={"api_key": key, "other": "x"}, key="api_key")
    assert authenticator.get_auth_header() == {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("key", KEYS)
def test_the_bare_key(key: str) -> None:
    authenticator = ApiKey(config={"api_key": key}, key="api_key", scheme="")
    assert authenticator.get_auth_header() == {"Authorization": key}


def test_another_key_and_scheme() -> None:
    authenticator = ApiKey(config={"access_token": "abc"}, key="access_token", scheme="Token")
    assert authenticator.get_auth_header() == {"Authorization": "Token abc"}


def sent(user: str, password: str) -> str:
    config = {"api_token": password, "other": "x", "api_id": user}
    header = BasicAuth(config=config, key=["api_id", "api_token"]).get_auth_header()
    scheme, pair = header.pop("Authorization").split(" ")
    assert (scheme, header) == ("Basic", {})
    return b64decode(pair).decode()


@pytest.mark.parametrize("key", KEYS)
def test_basic_authentication_sends_both_parts_as_given(key: str) -> None:
    assert sent(key, "secret") == f"{key}:secret"
    assert sent("somebody", key) == f"somebody:{key}"


def test_basic_authentication_as_the_rfc_shows_it() -> None:
    config = {"id": "Aladdin", "token": "open sesame"}
    header = BasicAuth(config=config, key=("id", "token")).get_auth_header()
    assert header == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}


@pytest.mark.parametrize("key", ["id", "ab", ["id"], [], ["a", "b", "c"]])
def test_basic_authentication_has_two_parts(key: list[str]) -> None:
    with pytest.raises(ValueError, match="must be two"):
        BasicAuth(config={}, key=key)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("api_key", "api_key"),
        (["api_key"], "api_key"),
        (["api_id", "api_token"], "api_id and api_token"),
        (["a", "b", "c"], "a, b and c"),
        ("", ""),
    ],
)
def test_how_a_sentence_names_the_keys(key: str | list[str], words: str) -> None:
    assert spoken(key) == words
