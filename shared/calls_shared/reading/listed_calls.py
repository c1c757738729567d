"""`ListedCallsRetriever`: provider and id of each call that is listed now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar, Final

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http.refusals import HintsRefusedError
from calls_shared.keys import Keys, exactly
from calls_shared.normalization.columns import LISTED_COLUMNS
from calls_shared.reading.list_sync import Entry, ListSync
from calls_shared.reading.listing import MOST_READINGS, Listing
from calls_shared.reading.pages import ReadingSoFar
from calls_shared.reading.retriever import CallRetriever
from calls_shared.reading.walls import Wall
from calls_shared.reading.whole_list import WholeList, windows_of
from calls_shared.reading.windows import WINDOW_KEYS, Windows

_AGAIN: Final = "%s: reading the list again, until two readings hold the same calls."
_NUMBERED: Final = "calls_shared.PageNumbers"
_CALLS: Final = "calls"  # what the list holds, for the user


@dataclass
class ListedCallsRetriever(CallRetriever):
    """Retriever of what is listed now, so that a destination can tell what is not.

    Nothing is left out, neither by a state nor by the start date: what is in the destination may be
    from before it. A list that cannot be seen as a whole fails the stream, for what is missing in
    it would count as gone.

    Attributes:
        windows: as `ListRetriever` has them.
        is_keyset: whether each page names the call after which the next one begins, so that
            nothing slips between two pages when calls go: such a list is read once.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {"windows": exactly(WINDOW_KEYS)}

    windows: Mapping[str, Any] = dataclass_field(default_factory=dict)
    is_keyset: bool = False

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        super().__post_init__(parameters)
        self._windows = windows_of(self, self.windows)

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Read the list as often as it takes.

        Raises:
            AirbyteTracedException: with the sentence for the user, on any failure.
        """
        stream_slice = stream_slice or StreamSlice(partition={}, cursor_slice={})
        listing = Listing(1 if self.is_keyset else MOST_READINGS)
        whole = WholeList(
            lambda part: self._reader(records_schema, part), self._windows, stream_slice
        )
        sync = ListSync(
            stream=self.name,
            pages=lambda so_far, _: whole.pages(listing, so_far),
            announced=whole.announced,
            entry=_entry,
            convergence=listing,
            so_far=ReadingSoFar(lambda: listing.listed),
            again=_AGAIN,
        )
        try:
            yield from self._known_of(sync, stream_slice)
        except HintsRefusedError:
            yield from self._known_of(sync, stream_slice)
        self._conclude(sync)

    def _known_of(self, sync: ListSync[Listing], stream_slice: StreamSlice) -> Iterator[Record]:
        for call in sync.read(None):
            assert isinstance(call, Record)  # its pages come without checkpoints
            known = {column.name: call.data[column.name] for column in LISTED_COLUMNS}
            yield Record(known, self.name, stream_slice)

    def _conclude(self, sync: ListSync[Listing]) -> None:
        listing, end, provider = sync.convergence, sync.so_far.end, self._provider()
        if end.walled:
            raise self._lists_no_more(Wall(provider, _CALLS, listing.reading, end))
        if end.announced and listing.is_empty:
            raise self._passing(
                f"{provider} announces {end.announced} calls and lists none, so that all of them"
                " would count as gone. Run the sync again later; if it fails again, ask it why.",
                "nothing listed",
            )
        if not listing.agrees:
            raise self._passing(
                f"Each of {MOST_READINGS} readings of {provider}'s list, one after another, held"
                f" other calls, so that {self.name} may lack some that are there. Run the sync"
                " again, at a time when fewer calls are deleted.",
                "readings do not agree",
            )
        # behind a last page that is not full no wall is seen, but a page more is no wrong number
        if listing.reading.unlisted >= max(1, sync.so_far.in_force):
            raise self._lists_no_more(Wall(provider, _CALLS, listing.reading, end))
        if (announced := listing.reading.last_total) and announced > listing.reading.listed:
            self._report.note(
                f"{provider} announces {announced} {_CALLS} and lists {listing.reading.listed}: a"
                f" call that {self.name} lacks may be one of those that it does not list."
            )

    def _lists_no_more(self, wall: Wall) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=f"{wall.how_much_is_listed}, so that nobody can tell which of the others have"
            f" gone. Take {self.name} out of the connection, or ask {wall.provider} for a complete"
            " list.",
            internal_message=f"stream {self.name}: a wall",
            failure_type=FailureType.config_error,
        )

    def _passing(self, message: str, what: str) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=message,
            internal_message=f"stream {self.name}: {what}",
            failure_type=FailureType.transient_error,
        )

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse windows that cannot be meant, bounds, and numbers between which nothing slips.

        Raises:
            ValueError: saying what is wrong.
        """
        Windows.of(node.get("windows", {}))
        for name in ("cursor_field", "start_date_field"):
            if node.get(name):
                raise ValueError(f"{name} has no meaning here: what is listed is listed whole")
        if node.get("details"):
            raise ValueError("details have no meaning here: what is listed is a call")
        strategy = node.get("paginator", {}).get("pagination_strategy", {})
        if node.get("is_keyset") and strategy.get("class_name") == _NUMBERED:
            raise ValueError("is_keyset is not so: what numbered pages hold moves when calls go")


def _entry(call: Record) -> Entry:
    created = call.data.get("created_at")
    return Entry(str(call.data.get("id")), created, changed=None, in_scope=True)
