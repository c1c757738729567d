from collections.abc import Mapping
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteErrorTraceMessage, AirbyteTraceMessage, TraceType
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets

from calls_shared.protocol.secrets import (
    clean_trace,
    encoded_forms,
    mask_secrets,
    pair_forms,
)

ODD = 'k+y/=&"é\n'


def test_encoded_forms() -> None:
    assert encoded_forms(ODD) == {
        'k+y/=&"é\n',
        "k%2By/%3D%26%22%C3%A9%0A",  # in a path
        "k%2By%2F%3D%26%22%C3%A9%0A",  # in a query
        'k+y/=&\\"\\u00e9\\n',  # JSON in ASCII
        'k+y/=&\\"é\\n',  # JSON
        'k+y/=&"é\\n',  # repr
        "ayt5Lz0mIsOpCg==",  # Base64
        "QmVhcmVyIGsreS89JiLDqQo=",  # Base64 of the header
        "ayt5Lz0mIsOpCjo=",  # basic authentication
        "k%2by%2f%3d%26%22%c3%a9%0a",  # in a query, lower case
        "k+y/=&amp;&quot;é\n",  # HTML
    }


def test_a_blank_becomes_plus_or_percent() -> None:
    assert encoded_forms("a b/c") == {
        "a b/c",
        "a%20b/c",
        "a%20b%2Fc",
        "a+b%2Fc",
        "a%20b%2fc",
        "YSBiL2M=",
        "QmVhcmVyIGEgYi9j",
        "YSBiL2M6",
    }


def test_a_plain_key_changes_in_base64_only() -> None:
    assert encoded_forms("sk_live_5e3") == {
        "sk_live_5e3",
        "c2tfbGl2ZV81ZTM=",
        "QmVhcmVyIHNrX2xpdmVfNWUz",
        "c2tfbGl2ZV81ZTM6",
    }


@pytest.mark.parametrize("provider", ["intercom", "openphone", "amplemarket", "skipcall"])
def test_mask_secrets_hides_every_form(
    specifications: Mapping[str, Mapping[str, Any]], provider: str
) -> None:
    key = "access_token" if provider == "intercom" else "api_key"
    mask_secrets({key: ODD, "start_date": "2026-01-31T00:00:00Z"}, specifications[provider])
    for form in encoded_forms(ODD):
        assert filter_secrets(f"<{form}>") == "<****>"
    assert filter_secrets("2026-01-31T00:00:00Z") == "2026-01-31T00:00:00Z"


@pytest.mark.parametrize("config", [{}, {"api_key": ""}, {"api_key": None}, {"api_key": 5}])
def test_mask_secrets_without_a_secret_hides_nothing(
    specifications: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]
) -> None:
    mask_secrets(config, specifications["skipcall"])
    assert filter_secrets("5 apples, None of them eaten") == "5 apples, None of them eaten"


def test_secrets_of_an_earlier_source_stay_masked(
    specifications: Mapping[str, Mapping[str, Any]],
) -> None:
    mask_secrets({"api_key": "first-made-up"}, specifications["skipcall"])
    update_secrets(["second-made-up"])  # what the CDK's own entry point does for the next one
    mask_secrets({"access_token": "second-made-up+more"}, specifications["intercom"])
    told = "first-made-up second-made-up+more Zmlyc3QtbWFkZS11cA=="
    assert filter_secrets(told) == "**** **** ****"


@pytest.mark.parametrize(
    ("provider", "config"),
    [
        ("skipcall", {"apikey": ODD}),
        ("skipcall", {"API_KEY": ODD}),
        ("skipcall", {"api_key": "other-key", "key": ODD}),
        ("skipcall", {"api_key": "other-key", "client_secret": ODD}),
        ("intercom", {"accessToken": ODD}),
        ("intercom", {"api_key": ODD}),
        ("intercom", {"credentials": {"access_token": ODD}}),
        ("intercom", {"credentials": [{"option": "token", "accesstoken": ODD}]}),
    ],
)
def test_a_secret_under_a_key_that_is_not_known(
    specifications: Mapping[str, Mapping[str, Any]], provider: str, config: Mapping[str, Any]
) -> None:
    mask_secrets(config, specifications[provider])
    for form in encoded_forms(ODD):
        assert filter_secrets(f"<{form}>") == "<****>"


def test_what_stands_under_other_keys_is_no_secret(
    specifications: Mapping[str, Mapping[str, Any]],
) -> None:
    config = {
        "api_key": "made-up-key",
        "apikey": "short",
        "start_dat": "2026-01-31T00:00:00Z",
        "colour": "turquoise",
        "region": "europe-west",
        "__injected_declarative_manifest": {"api_key": "a manifest's words"},
    }
    mask_secrets(config, specifications["skipcall"])
    told = "short 2026-01-31T00:00:00Z turquoise europe-west a manifest's words"
    assert filter_secrets(told) == told


def trace(message: str, internal: str | None, stack: str | None) -> AirbyteTraceMessage:
    error = AirbyteErrorTraceMessage(message=message, internal_message=internal, stack_trace=stack)
    return AirbyteTraceMessage(type=TraceType.ERROR, emitted_at=0.0, error=error)


def test_clean_trace_of_a_foreseen_failure() -> None:
    update_secrets(["hush"])
    message = trace("The key hush is wrong.", "sent hush", "File x, line 1: hush")
    clean_trace(message)
    assert message.error == AirbyteErrorTraceMessage(
        message="The key **** is wrong.", internal_message="sent ****", stack_trace=None
    )


def test_clean_trace_of_an_unexpected_failure_keeps_the_stack() -> None:
    update_secrets(["hush"])
    message = trace("An unexpected error occurred: KeyError.", None, "File x, line 1: hush")
    clean_trace(message)
    assert message.error == AirbyteErrorTraceMessage(
        message="An unexpected error occurred: KeyError.",
        internal_message=None,
        stack_trace="File x, line 1: ****",
    )


def test_clean_trace_of_another_trace() -> None:
    message = AirbyteTraceMessage(type=TraceType.STREAM_STATUS, emitted_at=0.0)
    clean_trace(message)
    assert message == AirbyteTraceMessage(type=TraceType.STREAM_STATUS, emitted_at=0.0)


# --- a credential of two parts ---

TWO_PARTS: dict[str, Any] = {
    "properties": {
        "api_id": {"type": "string", "airbyte_secret": True},
        "api_token": {"type": "string", "airbyte_secret": True},
        "start_date": {"type": "string"},
    }
}


def test_pair_forms() -> None:
    assert pair_forms("idé", "k~~>") == {
        "aWTDqTprfn4+",
        "aWTDqTprfn4-",
        "aWTDqTprfn4%2B",
        "aWTDqTprfn4%2b",
    }
    assert {"YTpi", "YWI6Yw==", "YWI6Yw%3D%3D", "YWI6Yw%3d%3d", "YWI6Yw"} <= (
        pair_forms("a", "b") | pair_forms("ab", "c")
    )


@pytest.mark.parametrize("hidden", [("api_id", "api_token"), ("api_token",), ("api_id",)])
def test_both_parts_together_are_masked_as_they_travel(hidden: tuple[str, ...]) -> None:
    properties = {
        name: {**declared, "airbyte_secret": name in hidden}
        for name, declared in TWO_PARTS["properties"].items()
    }
    config = {"api_id": "made-up-id+1", "api_token": ODD, "start_date": "2026-01-31T00:00:00Z"}

    mask_secrets(config, {"properties": properties})

    for form in pair_forms("made-up-id+1", ODD):
        assert filter_secrets(f"Basic {form}.").startswith("Basic ****")
        assert filter_secrets(f"<{form}>").strip("=%3Dd<>") == "****"
    for name in hidden:
        assert filter_secrets(f"<{config[name]}>") == "<****>"
    assert filter_secrets("2026-01-31T00:00:00Z") == "2026-01-31T00:00:00Z"
