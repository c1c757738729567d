"""A strict check of manifests: the CDK accepts a mistyped key without a word."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_type_hints

import yaml
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
    ManifestReferenceResolver,
)

from calls_shared.error_mapping.envelope import forms_from
from calls_shared.error_mapping.errors import rows_from
from calls_shared.http.rate import RateLimit
from calls_shared.normalization.columns import COLUMNS
from calls_shared.normalization.normalization import CallNormalization
from calls_shared.reading.parents import ParentFields

COMMON_KEYS = {"type", "$parameters", "class_name"}
# The CDK's factory reads it from a custom retriever too, whose class need not have it.
CUSTOM_KEYS = {"CustomRetriever": {"partition_router"}}
# Dictionaries whose keys are names of something, not of the manifest's language.
FREE = {
    "request_headers",
    "request_parameters",
    "columns",
    "parties",
    "parents",
    "rate",
    "error_rows",
    "error_envelopes",
    "latest",
    "descriptions",
    "people",
    "provider_record",
    "schema",
    "definitions",
    "connection_specification",
}
SCHEMA_KEYWORDS = frozenset(
    "$schema type title description properties required items enum default minimum maximum format"
    " pattern additionalProperties examples order airbyte_secret pattern_descriptor".split()
)
CONFIG_KEY = re.compile(r"config(?:\.get\(|\[)'(\w+)'")


@cache
def component_properties() -> Mapping[str, set[str]]:
    """The keys that the CDK's component schema knows, by component type."""
    text = pkgutil.get_data("airbyte_cdk", "sources/declarative/declarative_component_schema.yaml")
    assert text is not None
    schema = yaml.safe_load(text)
    known = {name: set(d.get("properties", {})) for name, d in schema["definitions"].items()}
    known["DeclarativeSource"] = set(schema["properties"]) | {"streams", "check", "spec"}
    return known


def problems(manifest: Mapping[str, Any]) -> list[str]:
    """Everything in a manifest that nobody would understand; empty for a good one."""
    try:
        resolved = ManifestReferenceResolver().preprocess_manifest(dict(manifest))
    except Exception as error:
        return [f"unresolved reference: {error}"]
    found = list(_component(resolved, "manifest", component_properties()))
    specification = resolved.get("spec", {}).get("connection_specification", {})
    found += _json_schema(specification, "spec.connection_specification")
    keys = set(specification.get("properties", {}))
    used = {key for text in _texts(resolved) for key in CONFIG_KEY.findall(text)}
    used |= {node["key"] for node in _nodes(resolved) if "class_name" in node and "key" in node}
    used |= {key for node in _nodes(resolved) if "class_name" in node for key in _scope(node)}
    used |= {"start_date", "num_workers", "requests_per_minute", "lookback_days"}
    found += [f"config key {key!r} is not in the spec" for key in sorted(used - keys)]
    found += [
        f"required key {k!r} is not in the spec"
        for k in specification.get("required", [])
        if k not in keys
    ]
    return found


def _component(node: Any, path: str, known: Mapping[str, set[str]]) -> Iterator[str]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _component(item, f"{path}[{index}]", known)
    if not isinstance(node, Mapping):
        return
    kind = node.get("type")
    if not isinstance(kind, str):
        if path.rsplit(".", 1)[-1] != "$parameters":
            yield f"{path}: a component without a type"
        return
    if kind.startswith("Custom"):
        found, allowed = _custom(node, path)
        yield from found
        allowed |= CUSTOM_KEYS.get(kind, set())
    elif kind in known:
        allowed = set(known[kind])
    else:
        yield f"{path}: unknown component type {kind!r}"
        return
    for key in set(node) - allowed - COMMON_KEYS:
        yield f"{path}: unknown key {key!r} of {kind}"
    for key, value in node.items():
        if key not in FREE and isinstance(value, (Mapping, list)):
            if isinstance(value, list) and not any(isinstance(item, Mapping) for item in value):
                continue
            yield from _component(value, f"{path}.{key}", known)


def _custom(node: Mapping[str, Any], path: str) -> tuple[list[str], set[str]]:
    """Problems of a custom component, and the keys that its class takes."""
    name = str(node.get("class_name"))
    module, _, attribute = name.rpartition(".")
    try:
        component = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        return [f"{path}: unknown class {name!r}"], set(node)
    found = []
    if attribute not in importlib.import_module("calls_shared").__all__:
        found.append(f"{path}: {name!r} is not a public name of calls_shared")
    try:
        if component in (CallNormalization, ParentFields):
            component(**{k: v for k, v in node.items() if k not in COMMON_KEYS})
        RateLimit(**node.get("rate", {}))
        rows = rows_from(node.get("error_rows", []))
        forms = forms_from(node.get("error_envelopes", []))
        if not forms and any(row.action == "skip" for row in rows):
            found.append(f"{path}: a row that skips needs error_envelopes")
    except (ValueError, TypeError, KeyError) as error:
        found.append(f"{path}: {error}")
    return found, set(get_type_hints(component))


def _scope(node: Mapping[str, Any]) -> list[str]:
    """The configuration keys that decide what a component reads."""
    scope: list[str] = node.get("scope", [])
    return scope


def _json_schema(node: Any, path: str) -> Iterator[str]:
    if not isinstance(node, Mapping):
        return
    for key in set(node) - SCHEMA_KEYWORDS:
        yield f"{path}: unknown keyword {key!r}"
    for name, schema in node.get("properties", {}).items():
        yield from _json_schema(schema, f"{path}.properties.{name}")
    yield from _json_schema(node.get("items"), f"{path}.items")


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for item in node:
            yield from _nodes(item)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for part in _nodes(node):
        yield from (value for value in part.values() if isinstance(value, str))


assert len({column.name for column in COLUMNS}) == len(COLUMNS)
