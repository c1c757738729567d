"""What the platform's answers have to look like, before anything is read out of them."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft7Validator

from deploy.failures import RegisterError

Shape = dict[str, Any]
"""A JSON schema: only what is read here, since the platform may say more at any time."""

_DEEPEST = 60
"""No answer of the platform and no configuration is nested half as deep."""
_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}
_OBJECT_OR_NULL = {"type": ["object", "null"]}


def _object(required: str, **properties: Any) -> Shape:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(key: str, row: Shape) -> Shape:
    return _object(key, **{key: {"type": "array", "items": row}})


_IMAGE = _object(
    "sourceDefinitionId name dockerImageTag",
    sourceDefinitionId=_TEXT,
    name=_TEXT,
    dockerImageTag=_TEXT,
    resourceRequirements=_OBJECT_OR_NULL,
)
TOKEN = _object("access_token", access_token={"type": "string", "minLength": 1})
DEFINITION = _object("sourceDefinitionId", sourceDefinitionId=_TEXT)
DEFINITIONS = _list(
    "sourceDefinitions",
    # the platform's own may look as they like
    {"type": "object", "if": _object("custom", custom={"const": True}), "then": _IMAGE},
)
WORKSPACE = _object("organizationId", organizationId=_TEXT)
DESTINATION = _object("workspaceId", workspaceId=_TEXT)
SOURCE = _object("sourceId", sourceId=_TEXT)
SOURCES = _list(
    "data",
    _object(
        "sourceId name workspaceId configuration",
        sourceId=_TEXT,
        name=_TEXT,
        workspaceId=_TEXT,
        configuration=_OBJECT,
    ),
)
CONNECTIONS = _list(
    "data",
    _object(
        "connectionId name sourceId destinationId",
        connectionId=_TEXT,
        name=_TEXT,
        sourceId=_TEXT,
        destinationId=_TEXT,
        schedule=_OBJECT_OR_NULL,
        prefix={"type": ["string", "null"]},
        namespaceFormat={"type": ["string", "null"]},
        configurations={
            "type": ["object", "null"],
            "properties": {
                "streams": {"type": ["array", "null"], "items": _object("name", name=_TEXT)}
            },
        },
    ),
)


def json_of(text: bytes | str) -> Any:
    """The content; ValueError if it is none, or is nested deeper than anybody would."""
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("It is nested too deep.") from error
    if any(depth > _DEEPEST for depth in _depths(content)):
        raise ValueError("It is nested too deep.")
    return content


def _depths(content: Any) -> Iterator[int]:
    waiting = [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield depth
        if depth <= _DEEPEST and isinstance(value, dict | list):
            items = value.values() if isinstance(value, dict) else value
            waiting.extend((item, depth + 1) for item in items)


def check_answer(content: Any, shape: Shape, purpose: str) -> None:
    """RegisterError if an answer is not as the platform gives it.

    Args:
        content: of the answer.
        shape: what it has to be like.
        purpose: what was asked, as of a `Call`.
    """
    error = next(Draft7Validator(shape).iter_errors(content), None)
    if error is None:
        return
    place = "/".join(map(str, error.absolute_path))
    missing = error.validator == "required"
    what = f"lacks {_missing(error)}" if missing else f"is no {_kind(error)}"
    raise RegisterError(
        f"The platform was asked to {purpose}, and its answer{f', at {place},' if place else ''}"
        f" {what}: it may be older than 1.0, or something else than Airbyte answers at AIRBYTE_URL."
    )


def _missing(error: Any) -> str:
    return next(str(key) for key in error.validator_value if key not in error.instance)


def _kind(error: Any) -> str:
    if error.validator != "type":
        return "text with something in it"
    kinds = error.validator_value
    return str(kinds if isinstance(kinds, str) else kinds[0])
