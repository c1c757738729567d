"""The scope of a state: what was read, by the configuration keys that decide it."""

from collections.abc import Mapping, Sequence
from typing import Any


def scope_of(config: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The values of the keys that are set; the order of a list does not matter."""
    given = {key: config.get(key) for key in keys}
    return {
        key: sorted(map(str, value)) if isinstance(value, list) else value
        for key, value in given.items()
        if value not in (None, "", [])
    }
