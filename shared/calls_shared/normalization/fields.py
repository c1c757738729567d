"""Reading a path for a column: what is no object on the way makes it unreadable."""

from collections.abc import Callable, Mapping
from typing import Any

from calls_shared.normalization.converters import UNREADABLE


def value_at(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """The same for a column: `UNREADABLE` where a part on the way is no object, but says something.

    An empty text or list in place of an object says nothing (PHP writes an empty object as `[]`).
    """
    first, *names = path.split(".")
    if not names:
        return lambda record: record.get(path)

    def nested(record: Mapping[str, Any]) -> Any:
        value = record.get(first)
        for name in names:
            if value.__class__ is not dict:
                return None if value in (None, "", []) else UNREADABLE
            value = value.get(name)
        return value

    return nested


def values_at(path: str) -> Callable[[Mapping[str, Any]], list[Any]]:
    """All values of a path in which a name may end with `[]`, in order.

    What is no list there counts as unreadable; a null one holds nothing.
    """
    names = path.split(".")

    def read(record: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = [record]
        for name in names:
            found = [step(item, name) for item in found if item is not None]
            if name.endswith("[]"):
                found = [item for items in found for item in _items(items)]
        return found

    def step(item: Any, name: str) -> Any:
        return item.get(name.removesuffix("[]")) if isinstance(item, Mapping) else UNREADABLE

    return read


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [UNREADABLE]
