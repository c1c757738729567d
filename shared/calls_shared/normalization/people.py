"""Who of the company was on a call, and who answered it, where a provider names several persons.

The source, data of a manifest:

    people:
      inbound: path     the person who answered an incoming call
      outbound: path    the person who placed an outgoing call
      otherwise: path   the person that a call was for, where the field above names nobody
      person: US        how the id of a person begins
      system: SY        how the id of a system actor (an AI) begins
      ai: {path: word}  fields that say that an AI answered an incoming call, with their words
      listed: {in_slice: path, at: path, name: [path, ...], email: path}   who they are
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calls_shared.keys import FREE, exactly
from calls_shared.normalization.converters import UNREADABLE, joined, text
from calls_shared.normalization.fields import value_at
from calls_shared.normalization.mapping import MappingError
from calls_shared.normalization.words import folded
from calls_shared.paths import field

LISTED: Final = exactly("in_slice at name email".split())
PEOPLE: Final = exactly(
    "inbound outbound otherwise person system ai listed".split(), ai=FREE, listed=LISTED
)
"""The keys of the source."""
_Path = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class People:
    """The compiled source; see the module.

    Raises:
        MappingError: (`of`) if a key is missing or unknown.
    """

    named: Mapping[str, _Path]
    otherwise: _Path
    person: str
    system: str
    ai: Sequence[tuple[_Path, str]]
    users: _Path
    at: _Path
    names: Sequence[_Path]
    email: _Path

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> "People":
        """Compile a manifest's `people`."""
        listed = source.get("listed", {})
        if source.keys() ^ (PEOPLE.known or ()) or listed.keys() ^ (LISTED.known or ()):
            raise MappingError(
                f"people must have exactly {sorted(PEOPLE.known or ())},"
                f" listed {sorted(LISTED.known or ())}"
            )
        return cls(
            {side: field(source[side]) for side in ("inbound", "outbound")},
            field(source["otherwise"]),
            source["person"],
            source["system"],
            [(field(path), folded(word)) for path, word in source["ai"].items()],
            field(listed["in_slice"]),
            field(listed["at"]),
            [value_at(path) for path in listed["name"]],
            value_at(listed["email"]),
        )

    def complete(
        self, call: dict[str, Any], record: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> list[str]:
        """Add `answered_by_type` and the user's columns to a call whose `answered` is known.

        Returns:
            The columns whose value could not be read.
        """
        direction = call.get("direction")
        read = self.named.get(direction) if direction is not None else None
        named = text(read(record)) if read is not None else None
        if named is UNREADABLE:
            return ["user_id"]  # nobody else stands in for whom it names
        is_system = isinstance(named, str) and named.startswith(self.system)
        is_ai = False
        if direction == "inbound" and call.get("answered"):
            said = ((_text(path(record)), word) for path, word in self.ai)
            is_ai = is_system or any(given and folded(given) == word for given, word in said)
            if is_ai:
                call["answered_by_type"] = "ai"
            elif isinstance(named, str) and named.startswith(self.person):
                call["answered_by_type"] = "human"
        if is_system or (is_ai and named is None):
            return []  # nobody of us
        user = named or text(self.otherwise(record))
        if user is UNREADABLE:
            return ["user_id"]
        if isinstance(user, str) and not user.startswith(self.system):
            call["user_id"] = user
            self._describe(call, user, extra)
        return []

    def _describe(self, call: dict[str, Any], user: str, extra: Mapping[str, Any]) -> None:
        users = self.users(extra)
        for item in users if isinstance(users, list) else ():
            if isinstance(item, Mapping) and self.at(item) == user:
                name = joined(part(item) for part in self.names)
                email = _text(self.email(item))
                call.update({"user_name": name} if isinstance(name, str) else {})
                call.update({"user_email": email} if email else {})
                return


def _text(value: Any) -> str | None:
    found = text(value)
    return found if isinstance(found, str) else None
