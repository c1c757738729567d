"""The scope of a state: what was read, by the configuration keys that decide it."""

from collections.abc import Mapping, Sequence
from typing import Any

OTHER_SCOPE = (
    "%s: what is to be read is not what the state is of (%s); all of it is read once more."
)
"""The line for the log: the stream's name, and the configuration keys that decide."""


def scope_of(config: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The values of the keys that are set; the order of a list does not matter."""
    given = {key: config.get(key) for key in keys}
    return {
        key: sorted(map(str, value)) if isinstance(value, list) else value
        for key, value in given.items()
        if value not in (None, "", [])
    }
