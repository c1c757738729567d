"""A check of a manifest as it is loaded: the CDK accepts a mistyped key without a word.

Everything has to be understood by somebody: a key by the type or the class of its component, a
parameter (`$parameters`) by a component below it, a definition by a reference to it, a key of the
configuration by the specification. Free are only names that are not of the manifest's language.
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, get_type_hints

from airbyte_cdk.sources.declarative.models import declarative_component_schema as models
from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import (
    ManifestComponentTransformer,
)
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
    ManifestReferenceResolver,
)

from calls_shared.http.authenticator import credential_keys
from calls_shared.keys import Keys, json_schema_problems
from calls_shared.protocol.manifest import ManifestError

_OF_ANY: Final = frozenset({"type", "$parameters", "$ref", "class_name"})
# The CDK's factory reads it from a custom retriever too, whose class need not have it.
_OF_CUSTOM: Final = {"CustomRetriever": frozenset({"partition_router"})}
# What the factory takes from the parameters of a component that stands in a custom one.
_OF_FACTORY: Final = frozenset({"url_base", "stream_name"})
_SCHEMAS: Final = frozenset({"provider_record", "schema", "connection_specification"})
_FREE: Final = frozenset(
    {"request_headers", "request_parameters", "hints", "optional_parts", "definitions", "metadata"}
)
_CONFIG_KEY: Final = re.compile(r"config(?:\.get\(|\[)'(\w+)'")
_REFERENCE: Final = re.compile(r"#/definitions/(\w+)")
_OF_EVERY_SOURCE: Final = frozenset(
    {"start_date", "num_workers", "requests_per_minute", "lookback_days"}
)


def resolved(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """A manifest with its references and parameters in their places."""
    return _with_parameters(ManifestReferenceResolver().preprocess_manifest(dict(manifest)))


def _with_parameters(referenced: Mapping[str, Any]) -> Mapping[str, Any]:
    whole: Mapping[str, Any] = ManifestComponentTransformer().propagate_types_and_parameters(
        "", referenced, {}
    )
    return whole


def checked(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The manifest, if it has no problem.

    Raises:
        ManifestError: naming the first problem and the path of its key.
    """
    try:
        problem = next(problems(manifest), None)
    except Exception as error:  # a value of another type than anybody expects
        raise ManifestError.about(f"it holds a value of a wrong type ({error})") from error
    if problem is not None:
        raise ManifestError.about(problem)
    return manifest


def problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Everything in a manifest that nobody would understand; nothing for a good one."""
    try:
        whole = ManifestReferenceResolver().preprocess_manifest(dict(manifest))
    except Exception as error:
        yield f"a reference leads nowhere ({error})"
        return
    referenced = {name for text in _texts(manifest) for name in _REFERENCE.findall(text)}
    for name in manifest.get("definitions", {}).keys() - referenced:
        yield f"definitions.{name} is referred to nowhere"
    for name, part in whole.items():
        if name not in _FREE:
            yield from _part(part, name)
    yield from (f"{key} is not known" for key in whole.keys() - _known("DeclarativeSource1"))
    # what is defined stands in the streams by now, and is as large once more
    used_parts = {name: part for name, part in whole.items() if name != "definitions"}
    streams = _with_parameters(used_parts).get("streams", [])
    yield from _meaning(streams, "streams")
    specification = whole.get("spec", {}).get("connection_specification", {})
    keys = set(specification.get("properties", {}))
    credentials = {key for value in _named(whole, "key") for key in credential_keys(value)}
    used = {key for text in _texts(whole) for key in _CONFIG_KEY.findall(text)}
    used |= credentials | _OF_EVERY_SOURCE
    used |= {key for value in _named(whole, "scope") for key in value}
    for key in sorted(used - keys):
        yield f"the configuration key {key} is not in the specification"
    for key in sorted(credentials & keys):
        if not specification["properties"][key].get("airbyte_secret"):
            yield f"the credential {key} is not marked as airbyte_secret in the specification"
    names = [one.get("name") for one in _nodes(streams)]
    for name in whole.get("check", {}).get("stream_names", []):
        if name not in names:
            yield f"check.stream_names names {name}, which is no stream"
    for key in specification.get("required", []):
        if key not in keys:
            yield f"the required key {key} is not in the specification"


def _part(node: Any, path: str) -> Iterator[str]:
    """The problems of the components in a part of a manifest."""
    for component, place in _objects(node, path):
        yield from _component(component, place)


def _component(node: Mapping[str, Any], path: str) -> Iterator[str]:
    """The problems of a component, of what stands below it, and of its parameters."""
    kind = node.get("type")
    if not isinstance(kind, str):
        yield f"{path} has no type"
        return
    nested: Mapping[str, Keys] = {}
    if kind.startswith("Custom"):
        component = _class_of(node)
        if component is None:
            yield f"{path}.class_name {node.get('class_name')!r} is not a public name"
            return
        known = _fields_of(component) | _OF_CUSTOM.get(kind, frozenset())
        nested = getattr(component, "KEYS", {})
    elif hasattr(models, kind):
        known = _known(kind)
    else:
        yield f"{path}.type {kind!r} is not known"
        return
    for key, value in node.items():
        if key not in known | _OF_ANY:
            yield f"{path}.{key} is not known to {node.get('class_name', kind)}"
        elif key == "$parameters":
            continue
        elif key in _SCHEMAS:
            yield from json_schema_problems(value, f"{path}.{key}")
        elif key in nested:
            yield from nested[key].problems(value, f"{path}.{key}")
        elif key not in _FREE and _holds_objects(value):
            yield from _part(value, f"{path}.{key}")
    if parameters := node.get("$parameters", {}):
        understood = _OF_FACTORY.union(*(_known_to(below) for below in _nodes(node)))
        for name in parameters:
            if name not in understood:
                yield f"{path}.$parameters.{name} is used nowhere"


def _meaning(node: Any, path: str) -> Iterator[str]:
    """What custom components themselves find wrong with the values that they are given."""
    for part, place in _objects(node, path):
        component = _class_of(part)
        if (check := getattr(component, "check_manifest", None)) is not None:
            known = _fields_of(component)
            try:
                check({key: value for key, value in part.items() if key in known})
            except (ValueError, TypeError, KeyError) as error:
                yield f"{place}: {error}"
        for key, value in part.items():
            if key not in _SCHEMAS | {"$parameters"}:
                yield from _meaning(value, f"{place}.{key}")


def _objects(node: Any, path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """An object, or those in a list, each with its path."""
    if isinstance(node, Mapping):
        yield node, path
    elif isinstance(node, list):
        for place, item in enumerate(node):
            yield from _objects(item, f"{path}[{place}]")


def _holds_objects(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and any(isinstance(item, Mapping) for item in value)
    )


def _class_of(node: Mapping[str, Any]) -> Any:
    """The class of a custom component, if it is a public name of its package."""
    package, _, name = str(node.get("class_name", "")).rpartition(".")
    try:
        module = importlib.import_module(package)
    except (ImportError, ValueError):
        return None
    return getattr(module, name, None) if name in getattr(module, "__all__", ()) else None


@cache
def _fields_of(component: Any) -> frozenset[str]:
    return frozenset(name for name in get_type_hints(component) if not name.isupper())


def _known(kind: str) -> frozenset[str]:
    """The keys that the CDK's schema of components knows, by component type."""
    return frozenset(field.alias for field in getattr(models, kind).__fields__.values())


def _known_to(node: Mapping[str, Any]) -> frozenset[str]:
    kind = node.get("type")
    if not isinstance(kind, str):
        return frozenset()
    if "class_name" in node:
        component = _class_of(node)
        return frozenset() if component is None else _fields_of(component)
    return _known(kind) if hasattr(models, kind) else frozenset()


def _named(manifest: Mapping[str, Any], field: str) -> Iterator[Any]:
    """What custom components, or parameters, have in a field."""
    for node in _nodes(manifest):
        if {"class_name", "$parameters"} & node.keys():
            yield {**node.get("$parameters", {}), **node}.get(field, ())


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for item in node:
            yield from _nodes(item)


def _texts(node: Any) -> Iterator[str]:
    for part in _nodes(node):
        for value in part.values():
            yield from (text for text in (value, *_items(value)) if isinstance(text, str))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
