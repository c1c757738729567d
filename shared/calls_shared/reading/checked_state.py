"""`CheckedState`: the state that is handed in, checked and in our own form, whoever runs it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar, Final

from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.types import Config

from calls_shared.keys import FREE, Keys
from calls_shared.reading.scope import OTHER_SCOPE, scope_of
from calls_shared.reading.state import check_state, holds_something, in_own_form, with_a_start

LOGGER = logging.getLogger("airbyte.calls")
SUPERSEDED = "superseded"
"""Under this key stands a state of another scope, until all of the new scope has been read."""
_OTHER_API: Final = "another API of the same provider"
_OF_A_LIST: Final = frozenset({"complete", "inventory", "under_way"})


@dataclass
class CheckedState(StateMigration):
    """State migration that refuses what would silently be taken for another state.

    Attributes:
        name: the stream's name, for the user.
        cursor_field: its cursor field.
        parents: names and cursor fields of the parent streams whose state is kept with its own.
            A state of a list is put aside where there are parents, and one with parents where there
            are none: it is of another API of the same provider, from which the ids are the same.
        scope: of a stream with parents, the configuration keys that decide what is read; if one has
            changed, its state is put aside. (`ListRetriever` does it for a list.)

    Raises:
        AirbyteTracedException: (config_error) if a cursor is missing or unreadable.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"parents": FREE}

    config: Config
    name: str
    cursor_field: str
    parents: Mapping[str, str] = dataclass_field(default_factory=dict)
    scope: list[str] = dataclass_field(default_factory=list)

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Whether there is a state that has not been put aside already."""
        return SUPERSEDED not in stream_state or not self.parents

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """The state in our own form."""
        if not holds_something(stream_state):
            return {}
        if _is_of_a_list(stream_state) if self.parents else _is_of_parents(stream_state):
            LOGGER.info(OTHER_SCOPE, self.name, _OTHER_API)
            return self._put_aside(stream_state)
        check_state(self.name, stream_state, self.cursor_field, self.parents)
        fields = {self.cursor_field, *self.parents.values()}
        if not self.parents:
            stream_state = with_a_start(stream_state, self.cursor_field)
        state: Mapping[str, Any] = in_own_form(stream_state, fields)
        before = state.get("scope")
        if self.parents and before is not None and before != scope_of(self.config, self.scope):
            LOGGER.info(OTHER_SCOPE, self.name, ", ".join(self.scope))
            return self._put_aside(state)
        return state

    def _put_aside(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """No state for a list; for a stream with parents one that keeps it until all is read."""
        return {SUPERSEDED: dict(state), "parent_state": {}} if self.parents else {}


def _is_of_a_list(state: Mapping[str, Any]) -> bool:
    """Whether a state is one of a stream of the same name that is a list."""
    return "parent_state" not in state and any(name in state for name in _OF_A_LIST)


def _is_of_parents(state: Mapping[str, Any]) -> bool:
    """Whether a state is one of a stream of the same name that has parents."""
    return "parent_state" in state
