"""`DetailsInRecord`: what there is to a call, found in its record; nothing is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar, NamedTuple

import requests

from calls_shared.error_mapping import errors
from calls_shared.keys import FREE, Keys
from calls_shared.normalization.columns import COLUMNS
from calls_shared.normalization.mapping import SOURCE

Call = Mapping[str, Any]


class Answer(NamedTuple):
    """What is known of some calls.

    Attributes:
        records: by the call's id, the records about it.
        refused: the answer that refused them, if one did.
        is_good: whether a request was answered well.
    """

    records: Mapping[str, Sequence[dict[str, Any]]]
    refused: requests.Response | None = None
    is_good: bool = False


@dataclass(kw_only=True)
class DetailsInRecord:
    """Source of what the record of the call holds; nothing is asked.

    Attributes:
        asked_if: columns of the call, of which one at least must say something (true, or a text).
        entries_at: paths, in a record of an answer, of the lists of entries that become rows; the
            first that holds something counts. None where each record is an entry.
        columns: the mapping of an entry, one source a column, where `from_slice` reads the record
            that the entry is in. Left out, what an entry holds is not known, and what looks like a
            speaker and a text is taken.
        none_if: by path in a record the value that says that there is nothing.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"columns": Keys(each=SOURCE), "none_if": FREE}

    config: Mapping[str, Any]
    asked_if: Sequence[str] = dataclass_field(default_factory=list)
    entries_at: Sequence[str] = dataclass_field(default_factory=list)
    columns: Mapping[str, Mapping[str, Any]] = dataclass_field(default_factory=dict)
    none_if: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def key_of(self, call: Call) -> str | None:
        """What is asked by; null if the call is not for this source."""
        return str(call["id"]) if any(call.get(name) for name in self.asked_if) else None

    @property
    def most(self) -> int:
        """How many keys a request asks for; 0 if none is sent."""
        return 0

    def answer(self, calls: Sequence[Call], keys: Sequence[str]) -> Answer:
        """What is known of some calls."""
        return Answer({str(call["id"]): [call["provider_record"]] for call in calls})

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse columns that no call has.

        Raises:
            ValueError: saying what is wrong.
        """
        names = {column.name for column in COLUMNS}
        if not node.get("asked_if"):
            raise ValueError("asked_if is needed: which calls can have it")
        for name in (
            *node["asked_if"],
            *filter(None, (node.get("asked_by"), node.get("else_url"))),
        ):
            if name not in names:
                raise ValueError(f"{name} is no column of a call")


def require_skips(requester: Mapping[str, Any], statuses: Sequence[int]) -> None:
    """Refuse a requester that fails where there is only nothing to be had.

    Raises:
        ValueError: naming the first status.
    """
    rows = errors.rows_from(requester.get("error_rows", []))
    for status in statuses:
        found = next((row for row in rows if row.status == status and row.code is None), None)
        if found is None or found.action != "skip" or found.message:
            raise ValueError(
                f"error_rows need one of status {status} that skips, without a message"
            )
