"""The keys that a part of a manifest may have: data of each component, read at the load."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from typing import Any, Final


@dataclass(frozen=True)
class Keys:
    """The keys of an object in a manifest, or of each object in a list.

    Attributes:
        known: the keys; null where they are not of the manifest's language but names of something
            else (headers, parameters, words, fields of a record).
        below: by key, the keys of the object or of the objects in the list that stands there.
        each: the same of whatever stands under any other key.
    """

    known: frozenset[str] | None = None
    below: Mapping[str, "Keys"] = dataclass_field(default_factory=dict)
    each: "Keys | None" = None

    def problems(self, node: Any, path: str) -> Iterator[str]:
        """What nobody would understand in a part of a manifest, each with the path of its key."""
        if isinstance(node, list):
            for place, item in enumerate(node):
                yield from self.problems(item, f"{path}[{place}]")
        if not isinstance(node, Mapping):
            return
        for key, value in node.items():
            if self.known is not None and key not in self.known:
                yield f"{path}.{key} is not known; known are {', '.join(sorted(self.known))}"
            elif (below := self.below.get(key, self.each)) is not None:
                yield from below.problems(value, f"{path}.{key}")


FREE: Final = Keys()
"""Names that are not of the manifest's language."""


def exactly(names: Iterable[str], **below: Keys) -> Keys:
    """Those keys, and what stands below some of them."""
    return Keys(frozenset(names), below)


def keys_of(table: type[Any]) -> Keys:
    """The fields of a dataclass that is built from a manifest."""
    return exactly(one.name for one in fields(table))


_SCHEMA_WORDS: Final = frozenset(
    "$schema type title description properties required items enum default minimum maximum format"
    " pattern additionalProperties examples order airbyte_secret pattern_descriptor".split()
)


def json_schema_problems(node: Any, path: str) -> Iterator[str]:
    """The same for a JSON schema; the names of its properties are free."""
    if isinstance(node, Mapping):
        for word in node.keys() - _SCHEMA_WORDS:
            yield f"{path}.{word} is no keyword of a JSON schema"
        for name, schema in node.get("properties", {}).items():
            yield from json_schema_problems(schema, f"{path}.properties.{name}")
        yield from json_schema_problems(node.get("items"), f"{path}.items")
