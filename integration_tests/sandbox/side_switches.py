"""The switches of what stands beside the calls: transcripts, recordings, people, outcomes.

Only the streams beside `calls` meet them, so their positions are those of the tests of these.
"""

from dataclasses import dataclass
from typing import Literal

Plan = Literal["whole", "payment_required", "api_plan_restricted"]
Entries = Literal["spoken", "warehouse", "unrecognisable"]


@dataclass(frozen=True)
class IntercomSideSwitches:
    """Doubtful points of what Intercom keeps beside a call.

    Attributes:
        plan: not an unknown: whether the plan has transcripts and recordings; else 402 or 403.
        entries: UNKNOWN: what an entry of `transcript` holds. `spoken` has a speaker and a text,
            `warehouse` the names that a warehouse's table of them has, the third form says nothing.
        no_transcript: CONFLICT: what a transcript that is not there is; an empty text, `[{}]` as
            the changelog of version 2.14 says, or 404 as the specification may be understood.
        recording: UNKNOWN: whether the answer leads to the recording, or is the audio itself.
        teams: UNKNOWN for 2.14: whether teams stand among the admins, as on the page "List
            Admins" of version 1.0.
    """

    plan: Plan = "whole"
    entries: Entries = "spoken"
    no_transcript: Literal["empty_object", "empty_text", "404"] = "empty_object"
    recording: Literal["redirect", "audio"] = "redirect"
    teams: Literal["listed", "absent"] = "listed"


@dataclass(frozen=True)
class AmplemarketSideSwitches:
    """Doubtful points of Amplemarket's `GET /users` and `GET /calls/dispositions`.

    Attributes:
        largest_page: UNKNOWN: the largest `page[size]`; a larger one is refused (400).
        dispositions: UNKNOWN: whether they come in pages, as users do.
    """

    largest_page: Literal[100, 20] = 100
    dispositions: Literal["whole", "paged"] = "whole"
