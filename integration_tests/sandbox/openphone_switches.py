"""The switches of Quo's dated API, and of what surrounds a call in both versions."""

from dataclasses import dataclass
from typing import Literal

Part = Literal["summary", "voicemail"]
"""What a call of the dated API can hold in addition, if `include` asks for it."""
PARTS: tuple[Part, ...] = ("summary", "voicemail")


@dataclass(frozen=True)
class OpenPhoneDatedSwitches:
    """Doubtful points of Quo's API of 2026-03-30.

    The limit, its headers, numbers without text and zero times are those of v1's switches.
    """

    timestamps: Literal["mixed", "milliseconds", "seconds"] = "mixed"
    """UNKNOWN: fractions in live data; `mixed` shows none on whole seconds, as v1's default."""
    bounds: Literal["exact", "cut_to_seconds"] = "exact"
    """UNKNOWN: what a bound in whole seconds is compared with: a creation with its milliseconds,

    or cut to the second. It tells whether `createdAt[lte]=...59Z` lists what came at 59.5.
    """
    cursor: Literal["keyset", "offset"] = "keyset"
    """UNKNOWN: `nextCursor` is a place in the order, or an offset into a list that moves."""
    list_end: Literal["null", "absent", "empty_page"] = "null"
    """CONFLICT: the end is told by null; in other lists of the kind the name is absent.

    `empty_page` names a page that has nothing, wherever the last page that has something is full.
    """
    included: Literal[
        "all",
        "summary_403",
        "summary_402",
        "summary_400",
        "summary_left_out",
        "summary_absent",
        "voicemail_403",
        "both_403",
        "both_402",
    ] = "all"
    """UNKNOWN: what `include` gives of a part that the plan does not have.

    An error of the request; no object; or an object whose status is `absent`.
    """
    participants: Literal["each_once", "own_twice", "all_twice", "without_own"] = "each_once"
    """CONFIRMED that duplicates are possible, UNKNOWN of whom."""
    parts_move_update: bool = False
    """UNKNOWN: whether a summary or voicemail that lands moves the call's `updatedAt`."""

    def refused_parts(self) -> dict[Part, int]:
        """The parts with which a request is refused, and the status of the refusal."""
        name, _, status = self.included.partition("_")
        if not status.isdigit():
            return {}
        return {part: int(status) for part in PARTS if name in (part, "both")}


@dataclass(frozen=True)
class OpenPhoneChildSwitches:
    """Doubtful points of recordings, transcripts and summaries, in both versions of Quo's API."""

    plan: Literal[
        "all",
        "refused_402",
        "refused_403",
        "refused_404",
        "absent",
        "ai_only",
        "recordings_402",
        "recordings_403",
    ] = "all"
    """UNKNOWN: how a plan answers that has no transcripts and summaries (or no recordings).

    `ai_only` transcribes the calls that an AI handled, and refuses the others with 403.
    """
    missing: Literal["empty", "absent", "404"] = "empty"
    """UNKNOWN: what there is of a call without a recording or transcript.

    An empty list or object, one whose status is `absent`, or 404.
    """


DATED_ALTERNATIVES: tuple[tuple[str, tuple[str | bool, ...]], ...] = (
    ("timestamps", ("milliseconds", "seconds")),
    ("bounds", ("cut_to_seconds",)),
    ("cursor", ("offset",)),
    ("list_end", ("absent", "empty_page")),
    (
        "included",
        (
            *("summary_403", "summary_402", "summary_400", "summary_left_out", "summary_absent"),
            *("voicemail_403", "both_403", "both_402"),
        ),
    ),
    ("participants", ("own_twice", "all_twice", "without_own")),
    ("parts_move_update", (True,)),
)
CHILD_ALTERNATIVES: tuple[tuple[str, tuple[str | bool, ...]], ...] = (
    (
        "plan",
        (
            *("refused_402", "refused_403", "refused_404", "absent", "ai_only"),
            *("recordings_402", "recordings_403"),
        ),
    ),
    ("missing", ("absent", "404")),
)
