"""Reading a path of nested fields, as manifests name them: their names joined by dots."""

from collections.abc import Callable, Mapping
from typing import Any


def field(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """A function that reads a path from a parsed JSON object; null where a part is missing."""
    first, *names = path.split(".")
    if not names:
        return lambda record: record.get(path)

    if len(names) == 1:
        (second,) = names

        def inner(record: Mapping[str, Any]) -> Any:
            value = record.get(first)
            return value.get(second) if isinstance(value, dict) else None

        return inner

    def nested(record: Mapping[str, Any]) -> Any:
        value = record.get(first)
        for name in names:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    return nested
