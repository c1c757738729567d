"""The switches: every doubtful point of the providers' contracts.

UNKNOWN is what no page of the provider says; INFERRED, what examples or other programs let one
guess; CONFIRMED, what a page says. Each field names the doubt it stands for; its default is the
likeliest position.
`Switches.positions(provider)` walks through them one by one, for tests under every position.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal, get_args

from .numbered_lists import ListSwitches
from .openphone_switches import (
    CHILD_ALTERNATIVES,
    DATED_ALTERNATIVES,
    OpenPhoneChildSwitches,
    OpenPhoneDatedSwitches,
)
from .side_switches import AmplemarketSideSwitches, IntercomSideSwitches

ListOrder = Literal[
    "created_desc",
    "created_asc",
    "updated_desc",
    "updated_asc",
    "started_desc",
    "started_asc",
    "nearly_desc",
    "nearly_asc",
    "shuffled",
]
"""By creation, change or start; `nearly` by creation, but for some calls that stand further down.

A shuffled list is neither newest nor oldest first.
"""
LIST_ORDERS: tuple[ListOrder, ...] = get_args(ListOrder)
SortEncoding = Literal["ignored", "form", "brackets", "json", "refused"]
NoTime = Literal["null", "zero", "minus_one", "year_one", "year_zero", "eighties"]
"""How a provider lists a time that never was: `times.ZERO_TIMES` spells each."""
Value = str | int | float | bool | None


@dataclass(frozen=True)
class IntercomSwitches:
    """Doubtful points of Intercom's `GET /calls`."""

    timestamps: Literal["epoch", "iso"] = "epoch"
    """UNKNOWN: the page says `any`; the only example shows epoch seconds."""
    per_page_over_25: Literal["clamp", "refuse"] = "clamp"
    """UNKNOWN: what happens to per_page > 25."""
    pages: Literal["object", "null"] = "object"
    """UNKNOWN: `pages` is (object, null) on the page; when it is null is not said."""
    pages_next: Literal["object", "url", "null", "absent"] = "object"
    """UNKNOWN: what `pages.next` holds when more pages exist."""
    no_time: NoTime = "null"
    """UNKNOWN: how a time that never was is listed; many a JSON library writes a zero time."""
    order: ListOrder = "created_desc"
    """UNKNOWN: the order of results."""
    lists: ListSwitches = field(default_factory=ListSwitches)
    """UNKNOWN: what the list announces, and how it ends; its positions are test_lists.py's."""
    sides: IntercomSideSwitches = field(default_factory=IntercomSideSwitches)
    """What stands beside the list; its positions are test_sandbox_sides.py's."""
    limit: int = 1666
    """UNKNOWN per app: requests per 10 s; 1666 (10,000/min) or 167 (1,000/min, older pages)."""
    window_seconds: float = 10.0
    """Not an unknown: shorten it to make a test of the limit short."""


@dataclass(frozen=True)
class OpenPhoneSwitches:
    """Doubtful points of OpenPhone v1."""

    user_default: Literal["number_owner", "workspace_owner", "first_user", "everyone"] = (
        "number_owner"
    )
    """CONFLICT: whose calls come without `userId`; page: workspace owner, changelog: number's.

    `first_user` is the first that the number lists (its owner if it lists none).
    """
    user_effect: Literal["filter", "involvement", "access_scope"] = "filter"
    """UNKNOWN: `userId` filters the calls, or only decides whether the asker may see them all.

    `filter` is by the call's own `userId`, `involvement` also by who answered or placed it.
    """
    date_bounds: Literal["exclusive", "inclusive"] = "exclusive"
    """UNKNOWN: inclusivity of createdAfter, createdBefore, updatedAfter, updatedBefore."""
    envelope: Literal["live", "live_message", "documented"] = "live"
    """CONFLICT: errors as probed live (`error`) or as on the page (`message`, `code`).

    UNKNOWN for the live form: whether the page's title stands in `key` or in `message`.
    """
    timestamps: Literal["milliseconds", "seconds"] = "milliseconds"
    """UNKNOWN: fractions in live data; `milliseconds` mixes texts with and without a fraction."""
    retry_after: Literal["absent", "seconds"] = "absent"
    """UNKNOWN: whether a 429 carries Retry-After."""
    ratelimit_headers: Literal["absent", "live"] = "absent"
    """Seen live, on no page: `ratelimit` and `ratelimit-policy` headers on 200, 401 and 429."""
    participants_include_own: bool = False
    """UNKNOWN: whether a call's `participants` (at most 2) repeats the own number."""
    conversation_moves: Literal["both", "last_activity", "updated"] = "both"
    """INFERRED, so UNKNOWN: which dates of a conversation a call moves."""
    numbers: Literal["e164", "null"] = "e164"
    """UNKNOWN: whether a phone number may lack its text (a number that is being ported)."""
    no_time: NoTime = "null"
    """UNKNOWN: how a time that never was is listed; many a JSON library writes a zero time."""
    limit: int = 10
    """Requests per window and key."""
    window_seconds: float = 1.0
    """Not an unknown: lengthen it to provoke refusals."""


@dataclass(frozen=True)
class AmplemarketSwitches:
    """Doubtful points of Amplemarket's `GET /calls`."""

    ids: Literal["uuid7", "uuid4"] = "uuid7"
    """INFERRED from the examples: ids are UUIDv7.

    With uuid4 the order is by creation, the cursor still the id.
    """
    date_filter: Literal["works_exclusive", "works_inclusive", "ignored"] = "works_exclusive"
    """UNKNOWN: whether start_date_from/to filter at all, and their inclusivity."""
    links: Literal["relative", "absolute", "http", "port", "capitals"] = "relative"
    """CONFIRMED relative by the paging guide; the others stand for a change of the server.

    A server behind a proxy writes links with the scheme, port and spelling that it knows itself by.
    """
    links_carry_filters: bool = True
    """UNKNOWN: whether `next` and `prev` repeat the filters."""
    retry_after: Literal["seconds", "http_date", "absent"] = "seconds"
    """UNKNOWN form: the guide only says that a `Retry-After` header exists."""
    last_link: Literal["absent", "to_an_empty_page"] = "absent"
    """UNKNOWN: whether the last page that holds records names one more."""
    direction: Literal["absent", "present"] = "absent"
    """INFERRED: newer pages show `direction` (incoming/outgoing) on a call."""
    newer_fields: Literal["absent", "present"] = "absent"
    """INFERRED: they also show `transcript` (a list), `disposition_name` and `user_email`.

    Where present, some calls have all of them, and `direction` and `recording_url` too; what an
    entry of `transcript` holds is UNKNOWN.
    """
    no_time: NoTime = "null"
    """UNKNOWN: how a time that never was is listed; many a JSON library writes a zero time."""
    sides: AmplemarketSideSwitches = field(default_factory=AmplemarketSideSwitches)
    """What stands beside the list; its positions are test_sandbox_sides.py's."""
    limit: int = 500
    """Requests per window and key."""
    window_seconds: float = 60.0
    """Not an unknown: shorten it to make a test of the limit short."""


@dataclass(frozen=True)
class SkipcallSwitches:
    """Doubtful points of Skipcall's `GET /v1/calls`."""

    limit_cut: Literal[50, 20] | None = None
    """UNKNOWN: the largest `limit`; a larger one is cut without an error (None: cut to 100)."""
    order: ListOrder = "created_desc"
    """UNKNOWN: the default order."""
    sort: SortEncoding = "ignored"
    """UNKNOWN: how `sort`, an object with `orderBy` and `order`, is to be encoded.

    `form` is OpenAPI's default, `?orderBy=createdAt&order=asc`. What is encoded otherwise is
    ignored, or refused with 400.
    """
    lists: ListSwitches = field(default_factory=ListSwitches)
    """UNKNOWN: what the list announces, and how it ends; its positions are test_lists.py's."""
    key_scope: Literal["all", "one"] = "all"
    """Not an unknown: the workspaces that the key reaches; `one` is the first by its id."""
    reset_unit: Literal["seconds", "milliseconds"] = "seconds"
    """UNKNOWN: unit of the Unix timestamp in X-RateLimit-Reset."""
    limit: int = 100
    """By plan: 100 (STARTER, INTERMÉDIAIRE) or 1000 (EXPERT) requests per minute."""
    body_401: Literal["documented", "docs_page"] = "documented"
    """CONFLICT: the spec and another docs page show different 401 bodies."""
    soft_deleted_listed: bool = True
    """UNKNOWN: whether rows with `deletedAt` are listed."""
    no_time: NoTime = "null"
    """UNKNOWN: how a time that never was is listed; many a JSON library writes a zero time."""
    window_seconds: float = 60.0
    """Not an unknown: shorten it to make a test of the limit short."""


NO_TIMES: tuple[NoTime, ...] = ("zero", "minus_one", "year_one", "year_zero", "eighties")
Positions = tuple[tuple[str, tuple[Value, ...]], ...]
ALTERNATIVES: Mapping[str, Positions] = {
    "intercom": (
        ("timestamps", ("iso",)),
        ("per_page_over_25", ("refuse",)),
        ("pages", ("null",)),
        ("pages_next", ("url", "null", "absent")),
        ("order", LIST_ORDERS[1:]),
        ("limit", (167,)),
        ("no_time", NO_TIMES),
    ),
    "openphone": (
        ("user_default", ("workspace_owner", "first_user", "everyone")),
        ("user_effect", ("involvement", "access_scope")),
        ("date_bounds", ("inclusive",)),
        ("envelope", ("live_message", "documented")),
        ("timestamps", ("seconds",)),
        ("retry_after", ("seconds",)),
        ("ratelimit_headers", ("live",)),
        ("participants_include_own", (True,)),
        ("conversation_moves", ("last_activity", "updated")),
        ("numbers", ("null",)),
        ("no_time", NO_TIMES),
    ),
    "amplemarket": (
        ("ids", ("uuid4",)),
        ("date_filter", ("works_inclusive", "ignored")),
        ("links", ("absolute", "http", "port", "capitals")),
        ("links_carry_filters", (False,)),
        ("retry_after", ("http_date", "absent")),
        ("last_link", ("to_an_empty_page",)),
        ("direction", ("present",)),
        ("newer_fields", ("present",)),
        ("no_time", NO_TIMES),
    ),
    "skipcall": (
        ("limit_cut", (50, 20)),
        ("order", LIST_ORDERS[1:]),
        ("sort", ("form", "brackets", "json", "refused")),
        ("reset_unit", ("milliseconds",)),
        ("limit", (1000,)),
        ("body_401", ("docs_page",)),
        ("soft_deleted_listed", (False,)),
        ("no_time", NO_TIMES),
    ),
    "openphone_dated": DATED_ALTERNATIVES,
    "openphone_children": CHILD_ALTERNATIVES,
}
"""The positions of each switch other than its default, by groups: the providers and what else."""

PROVIDERS = ("intercom", "openphone", "amplemarket", "skipcall")
"""The providers that this sandbox plays."""
SHARED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "openphone_dated": (
        "openphone",
        ("retry_after", "ratelimit_headers", "numbers", "no_time"),
    ),
}
"""By group: which switches of which other group act on the same answers."""


@dataclass(frozen=True)
class Switches:
    """All switches of a sandbox."""

    intercom: IntercomSwitches = field(default_factory=IntercomSwitches)
    openphone: OpenPhoneSwitches = field(default_factory=OpenPhoneSwitches)
    amplemarket: AmplemarketSwitches = field(default_factory=AmplemarketSwitches)
    skipcall: SkipcallSwitches = field(default_factory=SkipcallSwitches)
    openphone_dated: OpenPhoneDatedSwitches = field(default_factory=OpenPhoneDatedSwitches)
    openphone_children: OpenPhoneChildSwitches = field(default_factory=OpenPhoneChildSwitches)
    latency_seconds: float = 0.0
    """Wait before each answer."""
    enforce_limits: bool = True
    """False: nothing is refused for its rate; the headers are still sent."""
    gzip: bool = False
    """Answers are compressed for those who ask for it."""
    unknown_fields: bool = False
    """Every listed object gets fields that no page names (pages forbid none to appear later)."""

    @staticmethod
    def positions(group: str) -> list[tuple[str, "Switches"]]:
        """The default, then each other position of each switch of the group, by name.

        A group is a provider, `openphone_dated` (with the switches that it shares with v1), or
        `openphone_children`.
        """
        found = [("default", Switches())]
        other, shared = SHARED.get(group, (group, ()))
        own = [(group, *switch) for switch in ALTERNATIVES[group]]
        own += [(other, *switch) for switch in ALTERNATIVES[other] if switch[0] in shared]
        for place, name, values in own:
            found += [(f"{name}={value}", Switches().moved(place, name, value)) for value in values]
        general = Switches(gzip=True), Switches(unknown_fields=True)
        names = "gzip=True", "unknown_fields=True"
        return [*found, *zip(names, general, strict=True)]

    def moved(self, group: str, name: str, value: Value) -> "Switches":
        """These switches with one moved; ValueError for an unknown switch or position."""
        if group not in ALTERNATIVES:
            raise ValueError(f"no switches for {group!r}")
        switches = _group(self, group)
        if name not in [known.name for known in fields(switches)]:
            raise ValueError(f"{group} has no switch {name!r}")
        positions = [*dict(ALTERNATIVES[group]).get(name, ()), _default(group, name)]
        is_number = name in ("limit", "window_seconds") and isinstance(value, int | float)
        if value not in positions and not is_number:
            raise ValueError(f"{group}.{name} knows {positions}, not {value!r}")
        return _with_group(self, group, {name: value})

    def with_text(self, assignment: str) -> "Switches":
        """These switches with one set from the command line's `intercom.timestamps=iso`."""
        target, _, text = assignment.partition("=")
        group, _, name = target.partition(".")
        known = [*dict(ALTERNATIVES.get(group, ())).get(name, ()), *_known_default(group, name)]
        for value in known:
            if str(value).lower() == text.lower():
                return self.moved(group, name, value)
        number = float(text) if name == "window_seconds" else int(text) if name == "limit" else text
        return self.moved(group, name, number)


SwitchGroup = (
    IntercomSwitches
    | OpenPhoneSwitches
    | AmplemarketSwitches
    | SkipcallSwitches
    | OpenPhoneDatedSwitches
    | OpenPhoneChildSwitches
)


def _group(switches: Switches, group: str) -> SwitchGroup:
    groups: dict[str, SwitchGroup] = {
        "intercom": switches.intercom,
        "openphone": switches.openphone,
        "amplemarket": switches.amplemarket,
        "skipcall": switches.skipcall,
        "openphone_dated": switches.openphone_dated,
        "openphone_children": switches.openphone_children,
    }
    return groups[group]


def _with_group(switches: Switches, group: str, change: dict[str, Value]) -> Switches:
    moved = replace(_group(switches, group), **change)  # type: ignore[arg-type]
    return replace(switches, **{group: moved})  # type: ignore[arg-type]


def _known_default(group: str, name: str) -> list[Value]:
    known = group in ALTERNATIVES and name in {
        known.name for known in fields(_group(Switches(), group))
    }
    return [_default(group, name)] if known else []


def _default(group: str, name: str) -> Value:
    value: Value = getattr(_group(Switches(), group), name)
    return value
