"""Reading what the user hands in: a refusal names the key or the file, and the fix."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from jsonschema import Draft7Validator, ValidationError

from calls_shared import converters


def refusal(message: str, internal_message: str = "") -> AirbyteTracedException:
    """A `config_error` with a sentence for the user."""
    return AirbyteTracedException(
        message=message,
        internal_message=internal_message or message,
        failure_type=FailureType.config_error,
    )


def read_json(path: str, option: str) -> Any:
    """The JSON in a file that the user named with a command line option.

    Raises:
        AirbyteTracedException: (config_error) if there is no such file or it is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise refusal(f"The file {path} given with {option} does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise refusal(
            f"The file {path} given with {option} could not be read ({reason})."
        ) from None
    except json.JSONDecodeError as error:
        raise refusal(
            f"The file {path} given with {option} is not valid JSON: see line {error.lineno},"
            f" column {error.colno}."
        ) from None


def check_catalog_file(path: str) -> None:
    """Refuse a file that is not a configured catalog."""
    try:
        ConfiguredAirbyteCatalogSerializer.load(read_json(path, "--catalog"))
    except AirbyteTracedException:
        raise
    except Exception as error:
        raise refusal(
            f"The file {path} given with --catalog is not a configured catalog: it needs a list"
            ' "streams" of objects with "stream", "sync_mode" and "destination_sync_mode".',
            f"{type(error).__name__}",
        ) from None


def check_state_file(path: str) -> None:
    """Refuse a file that is not a list of state messages; an empty list or object is no state."""
    state = read_json(path, "--state")
    if state in ([], {}, None):
        return
    try:
        streams = [AirbyteStateMessageSerializer.load(entry).stream for entry in list(state)]
        if isinstance(state, dict) or None in streams:
            raise ValueError("not a list of states of streams")
    except Exception as error:
        raise refusal(
            f"The file {path} given with --state is not a list of Airbyte state messages of the"
            ' type STREAM, such as [{"type": "STREAM", "stream": {...}}].',
            f"{type(error).__name__}",
        ) from None


def check_config(config: Any, specification: Mapping[str, Any]) -> None:
    """Check a configuration against a connector's specification.

    Args:
        config: the parsed configuration.
        specification: the `connection_specification` of the manifest.

    Raises:
        AirbyteTracedException: (config_error) naming the first wrong key and what it must be.
    """
    if not isinstance(config, Mapping):
        raise refusal("The configuration must be a JSON object, such as {}.")
    properties: Mapping[str, Mapping[str, Any]] = specification.get("properties", {})
    errors = sorted(Draft7Validator(specification).iter_errors(config), key=lambda e: list(e.path))
    if errors:
        raise refusal(_sentence(errors[0], properties))
    for key, declared in properties.items():
        value = config.get(key)
        if declared.get("airbyte_secret") and isinstance(value, str):
            _check_secret(key, value)
        if isinstance(value, list) and not all(str(item).isprintable() for item in value):
            raise refusal(f"The configuration key {key} holds a line break. Remove it.")
        is_moment = declared.get("format") == "date-time" and value is not None
        if is_moment and not isinstance(converters.moment(value), str):
            raise refusal(_must_be(key, declared, "is not a date that exists"))


def _check_secret(key: str, value: str) -> None:
    if not value:
        raise refusal(f"The configuration key {key} is empty. Put the provider's API key there.")
    if value != value.strip():
        raise refusal(
            f"The configuration key {key} begins or ends with a blank or a line break. Remove it."
        )
    if not value.isascii() or not value.isprintable():
        raise refusal(
            f"The configuration key {key} holds a character that no API key has. Copy it again."
        )


def _sentence(error: ValidationError, properties: Mapping[str, Mapping[str, Any]]) -> str:
    if error.validator == "required" and not error.path:
        required: Any = error.validator_value
        given: Any = error.instance
        missing = next(name for name in required if name not in given)
        title = properties.get(missing, {}).get("title", missing)
        return f"The configuration lacks the key {missing} ({title}). Add it."
    key = str(error.path[0]) if error.path else ""
    return _must_be(key, properties.get(key, {}), "is not valid")


def _must_be(key: str, declared: Mapping[str, Any], problem: str) -> str:
    return f"The configuration key {key} {problem}: {_expected(declared)}"


def _expected(declared: Mapping[str, Any]) -> str:
    if "enum" in declared:
        return f"it must be one of {', '.join(map(str, declared['enum']))}."
    if declared.get("format") == "date-time":
        return "it must be a date-time in UTC such as 2026-01-31T00:00:00Z."
    kind = declared.get("type", "value")
    if kind == "integer":
        bounds = [f"at least {declared['minimum']}"] if "minimum" in declared else []
        bounds += [f"at most {declared['maximum']}"] if "maximum" in declared else []
        return f"it must be a whole number of {' and '.join(bounds) or 'any size'}."
    if kind == "array":
        items = declared.get("items", {})
        what = f" of texts such as {items['examples'][0]}" if items.get("examples") else ""
        return f"it must be a list{what}."
    return f"it must be a {'text' if kind == 'string' else kind}."
