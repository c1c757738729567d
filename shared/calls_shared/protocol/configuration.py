"""The configuration: what of it counts, what is refused, and what the user should know of it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from jsonschema import Draft7Validator, ValidationError

from calls_shared.quoting import quoted
from calls_shared.reading.moments import FIRST, is_ahead, moment_of

_SHORTEST_PART = 3  # letters of a key that tell which one is meant


def refusal(message: str, internal_message: str = "") -> AirbyteTracedException:
    """A `config_error` with a sentence for the user."""
    return AirbyteTracedException(
        message=message,
        internal_message=internal_message or message,
        failure_type=FailureType.config_error,
    )


def effective(config: Any, specification: Mapping[str, Any]) -> Any:
    """The configuration as far as it counts, so that nobody else needs to know what does not.

    An optional key that is null or "" is as if it were not there (Terraform sends null, a form ""),
    and so are such items of a list, an empty list, and a `date-time` before 1990, which bounds
    nothing. JSON Schema takes 4.0 for an integer: it becomes 4.

    Args:
        config: what the user handed in; returned as it is if it is no object.
        specification: the `connection_specification` of the manifest.
    """
    if not isinstance(config, Mapping):
        return config
    required = specification.get("required", ())
    properties = specification.get("properties", {})
    counting = {key: _plain(value, properties.get(key, {})) for key, value in config.items()}
    return {
        key: value
        for key, value in counting.items()
        if key in required or not _is_unset(value, properties.get(key, {}))
    }


def _plain(value: Any, declared: Mapping[str, Any]) -> Any:
    if isinstance(value, list) and declared.get("type") == "array":
        return [item for item in value if item is not None and item != ""]
    if isinstance(value, float) and declared.get("type") == "integer" and value.is_integer():
        return int(value)
    return value


def _is_unset(value: Any, declared: Mapping[str, Any]) -> bool:
    if declared.get("format") == "date-time" and (moment := moment_of(value)) is not None:
        return moment < FIRST
    return value is None or value in ("", [])


def unknown_keys(
    config: Mapping[str, Any], specification: Mapping[str, Any]
) -> dict[str, str | None]:
    """The keys that the specification does not know, each with the nearest that it knows, if any.

    Keys that begin with two underscores are left out: platforms and test tools add them.
    """
    known = specification.get("properties", {})
    return {
        key: _nearest(key, known) for key in config if key not in known and not key.startswith("__")
    }


def _nearest(key: str, known: Iterable[str]) -> str | None:
    """The known key that is meant: one that holds the other, else one with like letters."""
    names, name = {_folded(one): one for one in known}, _folded(key)
    holds = [one for one in names if len(name) >= _SHORTEST_PART and (name in one or one in name)]
    near = get_close_matches(name, holds, 1, 0.0) or get_close_matches(name, names, 1)
    return names[near[0]] if near else None


def _folded(key: str) -> str:
    return "".join(filter(str.isalnum, key.lower()))


def notices(
    config: Mapping[str, Any], specification: Mapping[str, Any], now: datetime
) -> Iterator[str]:
    """What the user should know of a configuration that is accepted, a sentence each."""
    for key, nearest in unknown_keys(config, specification).items():
        hint = f"; did you mean {nearest}?" if nearest else "."
        yield f"The configuration key {quoted(key)} is not known and has no effect{hint}"
    for key, declared in specification.get("properties", {}).items():
        moment = moment_of(config.get(key)) if declared.get("format") == "date-time" else None
        if moment is not None and is_ahead(moment, now):
            yield f"{key} ({config[key]}) lies in the future: no call is read until then."


def check_config(config: Any, specification: Mapping[str, Any]) -> None:
    """Check a configuration against a connector's specification.

    Args:
        config: the configuration as far as it counts (`effective`).
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
        if is_moment and moment_of(value) is None:
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
        meant = [key for key in given if key not in properties and _nearest(key, [missing])]
        rename = f", or rename the key {quoted(meant[0])}" if meant else ""
        return f"The configuration lacks the key {missing} ({title}). Add it{rename}."
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
