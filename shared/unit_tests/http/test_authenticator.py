import pytest

from calls_shared import ApiKey

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
