"""Pages that no strict parser and no strict reader likes, and that are read all the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from integration_tests.fault_cases import PLACES, Place
from integration_tests.sandbox import Fault
from integration_tests.sandbox.answers import Answer
from integration_tests.sandbox.edits import as_latin_1, records_of, with_body, with_page
from integration_tests.sandbox.faults import ENDLESS, Edit
from integration_tests.sandbox.seen import SeenRequest

Record = dict[str, Any]
MARK = "sandbox_odd"
"""The field that an odd page's records have beside their own."""
YEARS_BACK = timedelta(days=11_000)
"""From 2026 to 1996."""
TIMES = frozenset(
    [
        *("initiated_at", "answered_at", "ended_at", "created_at", "updated_at"),
        *("answeredAt", "completedAt", "createdAt", "updatedAt", "lastActivityAt"),
        *("startedAt", "endedAt", "deletedAt", "syncedWithCrmDate", "start_date"),
        *("started_at", "occurred_at", "deleted_at"),
    ]
)
"""Names of the times in the providers' records and in ours."""
AMPLEMARKETS_OWN = frozenset({"created_at", "updated_at"})
"""Read from the id, which keeps its time."""


@dataclass(frozen=True)
class Oddity:
    """A way in which a page is odd.

    Attributes:
        name: what it is called in the tests' ids.
        edit: makes the odd page of the sound one.
        reads: the record as it must arrive, made of the one that the sound page gives.
    """

    name: str
    edit: Edit
    reads: Callable[[Record], Record] = dict

    def __str__(self) -> str:
        return self.name

    def at(self, place: Place) -> Fault:
        """The oddity at a place, in every answer from the first one on."""
        nth = place.nth
        return Fault(
            place.provider,
            path_contains=place.path,
            query_contains=place.query,
            nth=nth,
            times=ENDLESS if place.healthy == 1 else 1,
            kind="edit",
            edit=self.edit,
        )

    def fits(self, place: Place) -> bool:
        """Whether the place's answers can be odd in this way."""
        return self.name not in ("null_record", "empty_envelopes") or place.stream != "calls_by_id"


def marked(written: bytes, reads: Any) -> Callable[[str], Oddity]:
    """Each record has one more field, whose value is written as no strict writer would."""

    def edit(seen: SeenRequest, answer: Answer) -> Answer:
        listed = with_page(lambda page: [one.update({MARK: MARK}) for one in records_of(page)])
        sound = listed(seen, answer)
        return replace(sound, body=sound.body.replace(b'"%b"}' % MARK.encode(), written + b"}"))

    return lambda name: Oddity(name, edit, lambda record: with_mark(record, reads))


def with_mark(record: Record, value: Any) -> Record:
    """The record with the field as it arrives, in the provider's record where there is one."""
    if "provider_record" in record:
        return {**record, "provider_record": {**record["provider_record"], MARK: value}}
    return {**record, MARK: value}


def moved_back(value: Any, kept: frozenset[str] = frozenset()) -> Any:
    """The value with all its times years earlier."""
    if isinstance(value, Mapping):
        return {
            name: earlier(one) if name in TIMES - kept else moved_back(one, kept)
            for name, one in value.items()
        }
    return [moved_back(one, kept) for one in value] if isinstance(value, list) else value


def earlier(time: Any) -> Any:
    """A time years earlier, in its own form; null stays null."""
    if isinstance(time, int):
        return time - round(YEARS_BACK.total_seconds())
    if not isinstance(time, str):
        return time
    moment = datetime.fromisoformat(time) - YEARS_BACK
    precision = "milliseconds" if "." in time else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def before_2000(seen: SeenRequest, answer: Answer) -> Answer:
    """See `Edit`: every time of the page lies in the nineties."""
    return with_page(lambda page: page.update(moved_back(page)))(seen, answer)


def read_before_2000(record: Record) -> Record:
    """The record of such a page."""
    if record.get("provider") != "amplemarket":
        return dict(moved_back(record))
    unstarted = {"occurred_at"} if record["provider_record"]["start_date"] is None else set[str]()
    return dict(moved_back(record, AMPLEMARKETS_OWN | unstarted))


def with_null(page: Record) -> None:
    """A null before, between and behind the records."""
    records: list[Any] = records_of(page)
    for position in (len(records), len(records) // 2, 0):
        lists = [page[name] for name in ("data", "calls") if name in page]
        lists[0].insert(position, None)


DIGITS = "123456789012345678901234567890"
CAFE = '"café"'.encode()
ODDITIES: tuple[Oddity, ...] = (
    marked(b'"called \\ud83d"', "called \ufffd")("lone_surrogate"),
    marked(b'"\\udcde and \\ud83d\\ud83d\\udcde"', "\ufffd and \ufffd\U0001f4de")("surrogates"),
    Oddity("before_2000", before_2000, read_before_2000),
    Oddity("byte_order_mark", with_body(lambda body: b"\xef\xbb\xbf" + body)),
    marked(b"NaN", None)("not_a_number"),
    marked(b"-Infinity", None)("infinity"),
    marked(DIGITS.encode(), DIGITS)("thirty_digits"),
    Oddity("null_record", with_page(with_null)),
    Oddity(
        "empty_envelopes",
        with_page(lambda page: page.update(errors=[], _errors=[], error=None, success=True)),
    ),
)


def in_latin_1(seen: SeenRequest, answer: Answer) -> Answer:
    """See `Edit`: an é in each record, in the encoding that the answer declares."""
    (fitting,) = [marked(CAFE, "café")("café")]
    spelled = fitting.edit(seen, answer)
    kind = "application/json; charset=ISO-8859-1"
    return with_body(as_latin_1, kind)(seen, spelled)


LATIN_1 = Oddity("latin_1", in_latin_1, lambda record: with_mark(record, "café"))
ALL = (*ODDITIES, LATIN_1)
EVERYWHERE = ALL[:3]
"""The kinds that are tried at every place; the others at one place of each list."""


def tried() -> list[tuple[Place, Oddity]]:
    """What the tests try; of the further versions of an API in one place."""
    return [
        (place, oddity)
        for place in PLACES
        if place.api_version is None or place.name == "middle_page"
        for oddity in ALL
        if oddity.fits(place)
        and (oddity in EVERYWHERE or place.name.endswith(("middle_page", "only_page", "first_id")))
    ]
