"""What in a newer spec or catalog breaks those who use the older one.

A spec is what users hand in, so it may not ask for more or accept less; a catalog is what they
get, so nothing may be missing from it or look different.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_LOWER_BOUNDS = ("minimum", "minLength", "minItems")
_UPPER_BOUNDS = ("maximum", "maxLength", "maxItems")
_WHOLE = ("oneOf", "anyOf", "allOf", "not", "const")
"""Schemas in schemas that no connector has so far: any change is told, and a person judges."""


def breaks_in_spec(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing by which a configuration of the old spec may be refused."""
    before, after = old["connectionSpecification"], new["connectionSpecification"]
    return list(_refusals(before, after, "the configuration"))


def breaks_in_catalog(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing that a user of the old catalog misses, or finds changed."""
    streams = {stream["name"]: stream for stream in new["streams"]}
    found = []
    for stream in old["streams"]:
        name = stream["name"]
        if name not in streams:
            found.append(f"{name}: the stream is removed")
        else:
            found += _stream_changes(stream, streams[name], name)
    return found


def _refusals(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[str]:
    accepted = _types(new) | ({"integer"} if "number" in _types(new) else set())
    if "type" in new and ("type" not in old or not _types(old) <= accepted):
        yield f"{path}: the type {_said(old)} became {_said(new)}"
    yield from _narrowed_values(old, new, path)
    for key in _LOWER_BOUNDS:
        if key in new and (key not in old or new[key] > old[key]):
            yield f"{path}: {key} {old.get(key)} became {new[key]}"
    for key in _UPPER_BOUNDS:
        if key in new and (key not in old or new[key] < old[key]):
            yield f"{path}: {key} {old.get(key)} became {new[key]}"
    for key in ("pattern", "format"):
        if key in new and new[key] != old.get(key):
            yield f"{path}: {key} {old.get(key)} became {new[key]}"
    if old.get("airbyte_secret") and not new.get("airbyte_secret"):
        yield f"{path}: it is no secret any more"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{path}: unknown keys are refused"
    for key in new.get("required", []):
        if key not in old.get("required", []):
            yield f"{path}: {key} is required"
    yield from _inside(old, new, path, _refusals)


def _stream_changes(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> Iterator[str]:
    for key, what in (
        ("source_defined_primary_key", "the primary key"),
        ("default_cursor_field", "the cursor"),
        ("source_defined_cursor", "who defines the cursor"),
    ):
        if old.get(key) != new.get(key):
            yield f"{name}: {what} {json.dumps(old.get(key))} became {json.dumps(new.get(key))}"
    for mode in old["supported_sync_modes"]:
        if mode not in new["supported_sync_modes"]:
            yield f"{name}: the sync mode {mode} is removed"
    yield from _differences(old["json_schema"], new["json_schema"], name)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[str]:
    if _types(old) != _types(new):
        yield f"{path}: the type {_said(old)} became {_said(new)}"
    for key in ("format", "airbyte_type", "additionalProperties"):
        if old.get(key) != new.get(key):
            yield f"{path}: {key} {old.get(key)} became {new.get(key)}"
    yield from _narrowed_values(old, new, path)
    for key in old.get("required", []):
        if key not in new.get("required", []):
            yield f"{path}: {key} may be missing"
    yield from _inside(old, new, path, _differences)


def _narrowed_values(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[str]:
    if "enum" not in new:
        return
    if "enum" not in old:
        yield f"{path}: only {', '.join(map(str, new['enum']))} are left"
    else:
        for value in old["enum"]:
            if value not in new["enum"]:
                yield f"{path}: the value {value} is removed"


def _inside(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    path: str,
    compare: Callable[[Mapping[str, Any], Mapping[str, Any], str], Iterator[str]],
) -> Iterator[str]:
    """Properties, the items of a list, and schemas that are compared as a whole."""
    for key in _WHOLE:
        if old.get(key) != new.get(key):
            yield f"{path}: {key} {json.dumps(old.get(key))} became {json.dumps(new.get(key))}"
    after = new.get("properties", {})
    for name, schema in old.get("properties", {}).items():
        if name in after:
            yield from compare(schema, after[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}: it is removed"
    listed, then = old.get("items"), new.get("items")
    if isinstance(listed, Mapping) and isinstance(then, Mapping):
        yield from compare(listed, then, f"{path}[]")
    elif listed != then:
        yield f"{path}[]: {json.dumps(listed)} became {json.dumps(then)}"


def _types(schema: Mapping[str, Any]) -> set[str]:
    stated: str | Sequence[str] = schema.get("type", ())
    return {stated} if isinstance(stated, str) else set(stated)


def _said(schema: Mapping[str, Any]) -> str:
    return " or ".join(sorted(_types(schema))) or "anything"
