from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.protocol.configuration import check_config, effective, notices, unknown_keys

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
    assert refused({"start_date": SECRET}, specifications[provider]) == sentence


@pytest.mark.parametrize("provider", KEYS)
def test_a_missing_key_under_another_name(specifications: Specifications, provider: str) -> None:
    key, title = KEYS[provider], TITLES[provider]
    for name in (key.upper(), key.replace("_", ""), key.title(), f"{key}s"):
        assert refused({name: SECRET}, specifications[provider]) == (
            f"The configuration lacks the key {key} ({title}). Add it, or rename the key {name}."
        )


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


# --- what counts ---


@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize("unset", [None, ""])
def test_an_optional_key_without_a_value_does_not_count(
    specifications: Specifications, provider: str, unset: Any
) -> None:
    specification = specifications[provider]
    optional = set(specification["properties"]) - {KEYS[provider]}
    assert len(optional) >= 4
    config = {KEYS[provider]: SECRET, **dict.fromkeys(optional, unset)}
    assert effective(config, specification) == {KEYS[provider]: SECRET}
    for key in optional:
        kept = {"lookback_days": 3} if key != "lookback_days" else {"num_workers": 2}
        config = {key: unset, KEYS[provider]: SECRET, **kept}
        assert effective(config, specification) == {KEYS[provider]: SECRET, **kept}


@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize("unset", [None, ""])
def test_a_required_key_without_a_value_is_refused(
    specifications: Specifications, provider: str, unset: Any
) -> None:
    counting = effective({KEYS[provider]: unset}, specifications[provider])
    assert counting == {KEYS[provider]: unset}
    assert KEYS[provider] in refused(counting, specifications[provider])


@pytest.mark.parametrize(
    ("provider", "key", "item"),
    [
        ("intercom", "call_ids", "123"),
        ("skipcall", "workspace_ids", "550e8400-e29b-41d4-a716-446655440000"),
    ],
)
def test_holes_in_a_list(
    specifications: Specifications, provider: str, key: str, item: str
) -> None:
    def counting(items: Any) -> Any:
        return effective({KEYS[provider]: SECRET, key: items}, specifications[provider]).get(key)

    assert counting([None, item, "", item, None]) == [item, item]
    assert counting([item]) == [item]
    assert counting([None, ""]) is None
    assert counting([]) is None
    # what is no hole stays, to be refused
    assert counting([item, 0, " "]) == [item, 0, " "]
    assert counting(item) == item


@pytest.mark.parametrize("provider", KEYS)
def test_whole_numbers(specifications: Specifications, provider: str) -> None:
    keys = ("lookback_days", "num_workers", "requests_per_minute")
    config = {KEYS[provider]: SECRET, **dict.fromkeys(keys, 2.0)}
    counting = effective(config, specifications[provider])
    assert [type(counting[key]) for key in keys] == [int] * 3
    assert [counting[key] for key in keys] == [2] * 3
    for odd in (2.5, float("nan"), float("inf"), "2", True, 0, 0.0):
        config = {KEYS[provider]: SECRET, "lookback_days": odd}
        counting = effective(config, specifications[provider])
        assert refused(counting, specifications[provider]) == LOOKBACK


@pytest.mark.parametrize("provider", KEYS)
def test_a_start_date_before_all_calls_does_not_count(
    specifications: Specifications, provider: str
) -> None:
    def counting(moment: str) -> Any:
        config = {KEYS[provider]: SECRET, "start_date": moment}
        return effective(config, specifications[provider]).get("start_date")

    for moment in ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1989-12-31T23:59:59.999999Z"):
        assert counting(moment) is None
    for moment in ("1990-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "soon"):
        assert counting(moment) == moment
    assert refused(
        {KEYS[provider]: SECRET, "start_date": "0000-01-01T00:00:00Z"}, specifications[provider]
    ) == (NO_SUCH_DATE)


@pytest.mark.parametrize("config", [[], "api_key", 5, None])
def test_what_is_no_configuration_is_left_to_be_refused(
    specifications: Specifications, config: Any
) -> None:
    assert effective(config, specifications["skipcall"]) is config


def test_what_counts_is_a_copy_that_changes_nothing_more(specifications: Specifications) -> None:
    config = {"api_key": SECRET, "num_workers": 4.0, "region": None, "other": {"a": [None]}}
    counting = effective(config, specifications["skipcall"])
    assert counting == {"api_key": SECRET, "num_workers": 4, "other": {"a": [None]}}
    assert effective(counting, specifications["skipcall"]) == counting
    assert config == {"api_key": SECRET, "num_workers": 4.0, "region": None, "other": {"a": [None]}}


# --- what the user should know ---


@pytest.mark.parametrize(
    ("provider", "key", "nearest"),
    [
        ("skipcall", "lookbak_days", "lookback_days"),
        ("skipcall", "lookbackDays", "lookback_days"),
        ("skipcall", "LOOKBACK-DAYS", "lookback_days"),
        ("skipcall", "lookback", "lookback_days"),
        ("skipcall", "startdate", "start_date"),
        ("skipcall", "start", "start_date"),
        ("skipcall", "workspace_id", "workspace_ids"),
        ("skipcall", "request_per_minutes", "requests_per_minute"),
        ("skipcall", "workers", "num_workers"),
        ("skipcall", "apikey", "api_key"),
        ("intercom", "token", "access_token"),
        ("intercom", "regoin", "region"),
        ("intercom", "call_id", "call_ids"),
        ("openphone", "colour", None),
        ("openphone", "id", None),
        ("openphone", "", None),
        ("amplemarket", "region", None),
    ],
)
def test_the_nearest_known_key(
    specifications: Specifications, provider: str, key: str, nearest: str | None
) -> None:
    config = {KEYS[provider]: SECRET, "lookback_days": 3, key: "x"}
    assert unknown_keys(config, specifications[provider]) == {key: nearest}


def test_keys_of_platforms_are_no_news(specifications: Specifications) -> None:
    config = {"api_key": SECRET, "__injected_declarative_manifest": {}, "__components": "x"}
    assert unknown_keys(config, specifications["skipcall"]) == {}


NOW = datetime(2026, 1, 31, tzinfo=UTC)


def test_notices(specifications: Specifications) -> None:
    config: dict[str, Any] = {
        "api_key": SECRET,
        "lookbak_days": SECRET,
        "colour\n\x1b": SECRET,
        "start_date": "2026-01-31T00:00:00.000001Z",
    }
    assert list(notices(config, specifications["skipcall"], NOW)) == [
        "The configuration key lookbak_days is not known and has no effect; did you mean"
        " lookback_days?",
        "The configuration key colour is not known and has no effect.",
        "start_date (2026-01-31T00:00:00.000001Z) lies in the future: no call is read until then.",
    ]
    config = {"api_key": SECRET, "start_date": "2026-01-31T00:00:00Z", "num_workers": 4}
    assert list(notices(config, specifications["skipcall"], NOW)) == []
