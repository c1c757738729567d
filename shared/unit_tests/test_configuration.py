import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from calls_shared.configuration import (
    check_catalog_file,
    check_config,
    check_state_file,
    read_json,
)

SECRET = "sk_live_5e3-hush-hush"
KEYS = {
    "intercom": "access_token",
    "openphone": "api_key",
    "amplemarket": "api_key",
    "skipcall": "api_key",
}
MOST_WORKERS = {"intercom": 32, "openphone": 16, "amplemarket": 2, "skipcall": 16}
TITLES = {
    "intercom": "Access token",
    "openphone": "API key",
    "amplemarket": "API key",
    "skipcall": "API key",
}
START_DATE = (
    "The configuration key start_date is not valid: it must be a date-time in UTC such as"
    " 2026-01-31T00:00:00Z."
)
NO_SUCH_DATE = START_DATE.replace("is not valid", "is not a date that exists")
LOOKBACK = (
    "The configuration key lookback_days is not valid: it must be a whole number of at least 1 and"
    " at most 3650."
)

Specifications = Mapping[str, Mapping[str, Any]]


def refused(config: Any, specification: Mapping[str, Any]) -> str:
    """The sentence that refuses a configuration."""
    with pytest.raises(AirbyteTracedException) as caught:
        check_config(config, specification)
    assert caught.value.failure_type is FailureType.config_error
    told = f"{caught.value.message} {caught.value.internal_message}"
    assert "hush" not in told
    assert SECRET not in told
    message = caught.value.message or ""
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"start_date": "2026-01-31T00:00:00Z", "lookback_days": 1, "num_workers": 1},
        {"start_date": "2024-02-29T23:59:59.123456Z", "lookback_days": 3650},
        {"requests_per_minute": 1, "unknown_key": {"kept": True}},
    ],
)
def test_good_configurations(
    specifications: Specifications, provider: str, more: dict[str, Any]
) -> None:
    check_config({KEYS[provider]: SECRET, **more}, specifications[provider])  # raises nothing


@pytest.mark.parametrize("key", ["12e5", "007", "+14155550100", "a b", "!~'\"\\{{ x }}"])
@pytest.mark.parametrize("provider", KEYS)
def test_keys_that_look_odd_are_keys(
    specifications: Specifications, provider: str, key: str
) -> None:
    check_config({KEYS[provider]: key}, specifications[provider])  # raises nothing


def test_good_configurations_of_one_provider(specifications: Specifications) -> None:
    check_config(
        {"access_token": "x", "region": "au", "call_ids": ["123", "a_B-9"]},
        specifications["intercom"],
    )
    check_config(
        {"api_key": "x", "workspace_ids": ["550e8400-e29b-41d4-a716-446655440000"]},
        specifications["skipcall"],
    )


@pytest.mark.parametrize("provider", KEYS)
def test_a_missing_key(specifications: Specifications, provider: str) -> None:
    key, title = KEYS[provider], TITLES[provider]
    sentence = f"The configuration lacks the key {key} ({title}). Add it."
    assert refused({}, specifications[provider]) == sentence
    assert refused({"Api_Key": SECRET}, specifications[provider]) == sentence


@pytest.mark.parametrize("config", [[], [SECRET], "api_key", 5, None, True])
@pytest.mark.parametrize("provider", KEYS)
def test_a_configuration_that_is_no_object(
    specifications: Specifications, provider: str, config: Any
) -> None:
    sentence = "The configuration must be a JSON object, such as {}."
    assert refused(config, specifications[provider]) == sentence


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty. Put the provider's API key there."),
        (" ", "begins or ends with a blank or a line break. Remove it."),
        (f" {SECRET}", "begins or ends with a blank or a line break. Remove it."),
        (f"{SECRET}\n", "begins or ends with a blank or a line break. Remove it."),
        (f"{SECRET}\r\n", "begins or ends with a blank or a line break. Remove it."),
        (f"{SECRET}\u00a0", "begins or ends with a blank or a line break. Remove it."),
        ("hush\nhush", "holds a character that no API key has. Copy it again."),
        ("hush\x00hush", "holds a character that no API key has. Copy it again."),
        ("hush\u2013hush", "holds a character that no API key has. Copy it again."),
        ("hushé", "holds a character that no API key has. Copy it again."),
        ("\ufeffhush", "holds a character that no API key has. Copy it again."),
        (5, "is not valid: it must be a text."),
        (None, "is not valid: it must be a text."),
        ([SECRET], "is not valid: it must be a text."),
        ({"hush": SECRET}, "is not valid: it must be a text."),
    ],
)
@pytest.mark.parametrize("provider", KEYS)
def test_a_key_that_cannot_be_one(
    specifications: Specifications, provider: str, value: Any, problem: str
) -> None:
    key = KEYS[provider]
    sentence = refused({key: value}, specifications[provider])
    assert sentence == f"The configuration key {key} {problem}"


@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"start_date": "2026-01-31"}, START_DATE),
        ({"start_date": "31.01.2026"}, START_DATE),
        ({"start_date": "2026-01-31T00:00:00+01:00"}, START_DATE),
        ({"start_date": "2026-01-31T00:00:00"}, START_DATE),
        ({"start_date": ""}, START_DATE),
        ({"start_date": 1769817600}, START_DATE),
        ({"start_date": None}, START_DATE),
        ({"start_date": "2026-02-30T00:00:00Z"}, NO_SUCH_DATE),
        ({"start_date": "2026-13-01T00:00:00Z"}, NO_SUCH_DATE),
        ({"start_date": "2026-01-31T25:00:00Z"}, NO_SUCH_DATE),
        ({"start_date": "2026-01-31T00:00:00Z\n"}, NO_SUCH_DATE),
        ({"lookback_days": 0}, LOOKBACK),
        ({"lookback_days": -7}, LOOKBACK),
        ({"lookback_days": 3651}, LOOKBACK),
        ({"lookback_days": "7"}, LOOKBACK),
        ({"lookback_days": 1.5}, LOOKBACK),
        ({"lookback_days": True}, LOOKBACK),
        ({"lookback_days": None}, LOOKBACK),
        (
            {"requests_per_minute": 0},
            "The configuration key requests_per_minute is not valid: it must be a whole number of"
            " at least 1.",
        ),
    ],
)
def test_a_value_that_is_refused(
    specifications: Specifications, provider: str, more: dict[str, Any], sentence: str
) -> None:
    assert refused({KEYS[provider]: SECRET, **more}, specifications[provider]) == sentence


@pytest.mark.parametrize("workers", [0, 33, "many"])
@pytest.mark.parametrize("provider", KEYS)
def test_num_workers(specifications: Specifications, provider: str, workers: Any) -> None:
    config = {KEYS[provider]: SECRET, "num_workers": workers}
    assert refused(config, specifications[provider]) == (
        "The configuration key num_workers is not valid: it must be a whole number of at least 1"
        f" and at most {MOST_WORKERS[provider]}."
    )


@pytest.mark.parametrize(
    ("provider", "more", "sentence"),
    [
        (
            "intercom",
            {"region": "US"},
            "The configuration key region is not valid: it must be one of us, eu, au.",
        ),
        (
            "intercom",
            {"region": None},
            "The configuration key region is not valid: it must be one of us, eu, au.",
        ),
        *(
            (
                "intercom",
                {"call_ids": ids},
                "The configuration key call_ids is not valid: it must be a list of texts such as"
                " 123.",
            )
            for ids in ("123", [123], ["1/../2"], ["a b"], [""], ["ok", None])
        ),
        *(
            (
                "skipcall",
                {"workspace_ids": ids},
                "The configuration key workspace_ids is not valid: it must be a list of texts such"
                " as 550e8400-e29b-41d4-a716-446655440000.",
            )
            for ids in ("550e8400-e29b-41d4-a716-446655440000", ["mine"], [5], ["550e8400,1"])
        ),
    ],
)
def test_values_of_one_provider_that_are_refused(
    specifications: Specifications, provider: str, more: dict[str, Any], sentence: str
) -> None:
    assert refused({KEYS[provider]: SECRET, **more}, specifications[provider]) == sentence


@pytest.mark.parametrize(
    ("provider", "more"),
    [
        ("intercom", {"call_ids": ["123\n"]}),
        ("skipcall", {"workspace_ids": ["550e8400-e29b-41d4-a716-446655440000\n"]}),
    ],
)
def test_an_id_with_a_line_break(
    specifications: Specifications, provider: str, more: dict[str, Any]
) -> None:
    refused({KEYS[provider]: SECRET, **more}, specifications[provider])


def test_the_first_of_several_wrong_keys_is_named(specifications: Specifications) -> None:
    config = {"access_token": SECRET, "start_date": "soon", "lookback_days": 0, "region": "mars"}
    assert refused(config, specifications["intercom"]) == LOOKBACK


# --- files ---


def refused_file(check: Any, *arguments: Any) -> str:
    with pytest.raises(AirbyteTracedException) as caught:
        check(*arguments)
    assert caught.value.failure_type is FailureType.config_error
    assert "hush" not in f"{caught.value.message} {caught.value.internal_message}"
    return caught.value.message or ""


@pytest.mark.parametrize(
    "content", [{"api_key": "x", "deep": [1, None, "é"]}, [], "text", None, 1.5]
)
def test_read_json(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert read_json(str(file), "--config") == content


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "config.json"
    sentence = f"The file {path} given with --config does not exist."
    assert refused_file(read_json, str(path), "--config") == sentence


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "line 1, column 1"),
        (b'{"api_key": "hush",}', "line 1, column 20"),
        (b'{\n  "api_key": hush\n}', "line 2, column 14"),
        (b"api_key: hush", "line 1, column 1"),
    ],
)
def test_a_file_that_is_not_json(tmp_path: Path, content: bytes, where: str) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)
    sentence = f"The file {file} given with --config is not valid JSON: see {where}."
    assert refused_file(read_json, str(file), "--config") == sentence


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"api_key": "hush\xe9"}')
    assert refused_file(read_json, str(latin), "--config") == (
        f"The file {latin} given with --config could not be read (UnicodeDecodeError)."
    )
    assert refused_file(read_json, str(tmp_path), "--state") == (
        f"The file {tmp_path} given with --state could not be read (IsADirectoryError)."
    )


CATALOG = {
    "streams": [
        {
            "stream": {
                "name": "calls",
                "json_schema": {},
                "supported_sync_modes": ["full_refresh"],
            },
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
    ]
}


def test_a_configured_catalog(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(CATALOG))
    check_catalog_file(str(file))  # raises nothing


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        "hush",
        5,
        None,
        {"streams": None},
        {"streams": {"calls": {}}},
        {"streams": ["calls"]},
        {"streams": [{"name": "calls", "json_schema": {}}]},  # what discover prints
        {"streams": [{**CATALOG["streams"][0], "sync_mode": "sometimes"}]},
        {"streams": [{**CATALOG["streams"][0], "stream": "calls"}]},
    ],
)
def test_a_file_that_is_no_configured_catalog(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(content))
    assert refused_file(check_catalog_file, str(file)) == (
        f"The file {file} given with --catalog is not a configured catalog: it needs a list"
        ' "streams" of objects with "stream", "sync_mode" and "destination_sync_mode".'
    )


def test_a_missing_catalog_is_told_apart_from_a_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    sentence = f"The file {path} given with --catalog does not exist."
    assert refused_file(check_catalog_file, str(path)) == sentence


STATE = {
    "type": "STREAM",
    "stream": {
        "stream_descriptor": {"name": "calls"},
        "stream_state": {"updated_at": "2026-01-31T00:00:00.000000Z"},
    },
}


@pytest.mark.parametrize("content", [[], {}, None, [STATE], [STATE, STATE]])
def test_a_state_file(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(content))
    check_state_file(str(file))  # raises nothing


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"updated_at": "2026-01-31T00:00:00Z"},
        {"calls": {"updated_at": "2026-01-31T00:00:00Z"}},
        "hush",
        5,
        [5],
        [None],
        ["calls"],
        [{}],
        [{"type": "STREAM"}],
        [{"type": "STREAM", "stream": {}}],
        [{"type": "STREAM", "stream": {"stream_descriptor": {}}}],
        [{"type": "LEGACY", "data": {"calls": {}}}],
        [STATE, {"type": "GLOBAL", "global": {"stream_states": []}}],
    ],
)
def test_a_file_that_is_no_state(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(content))
    assert refused_file(check_state_file, str(file)) == (
        f"The file {file} given with --state is not a list of Airbyte state messages of the type"
        ' STREAM, such as [{"type": "STREAM", "stream": {...}}].'
    )
