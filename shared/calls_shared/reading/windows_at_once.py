"""`WindowsAtOnce`: the pages of a list that is read in windows of time next to each other."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from airbyte_cdk.sources.types import StreamSlice

from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.pages import Page, PageReader, ReadingSoFar
from calls_shared.reading.side_by_side import side_by_side
from calls_shared.reading.window_plan import Covered, beginning_of, windows_between
from calls_shared.reading.windows import Window, of_window

Passed = Callable[[Window], Checkpoint | None]
"""Gives the checkpoint of a window with which all before it have been read."""
Chain = Callable[[], Generator[Page, None, None]]


@dataclass(frozen=True)
class WindowsAtOnce:
    """Reads windows of a list.

    Attributes:
        reader: reads the pages of a slice.
        stream_slice: the slice that is the list.
        at_once: how many windows may be read at once.
    """

    reader: Callable[[StreamSlice], PageReader]
    stream_slice: StreamSlice
    at_once: Callable[[], int]

    def planned(
        self, lower: int | None, beginning: int | None, now: int
    ) -> tuple[list[Window], Sequence[Chain]]:
        """The windows of a reading, and the pages of each.

        How many there are follows from the newest page, which is fetched for that. If it is the
        only one, or few may follow it, they are all there is, and it is not fetched again.

        Args:
            lower: the lower bound of the oldest window (seconds since 1970); null is none.
            beginning: a second up to which little is expected; null if that is not known.
            now: our time.
        """
        newest = Window(lower)
        reader = self.reader(of_window(self.stream_slice, newest))
        pages = reader.pages(ReadingSoFar())
        first = next(pages)
        if reader.names_another(first):
            if beginning is None:
                beginning = beginning_of(self._holds, now)
            covered = Covered.by(record.data.get("created_at") for record in first.records)
            windows = windows_between(lower, beginning, now, covered)
            if len(windows) > 1:
                pages.close()
                return windows, self.chains(windows)
        return [newest], [partial(_continued, first, pages)]

    def chains(self, windows: Iterable[Window]) -> Sequence[Chain]:
        """The pages of each window."""
        return [partial(self._pages_of, window) for window in windows]

    def _pages_of(self, window: Window) -> Generator[Page, None, None]:
        yield from self.reader(of_window(self.stream_slice, window)).pages(ReadingSoFar())

    def _holds(self, last: int) -> bool:
        """Whether something was created up to a second; costs a request."""
        reader = self.reader(of_window(self.stream_slice, Window(None, last)))
        return bool(reader.ids_of(reader.fetch(None)))

    def read(
        self, windows: Sequence[Window], chains: Sequence[Chain], passed: Passed | None = None
    ) -> Generator[Page | Checkpoint, None, None]:
        """The pages as they come, and a checkpoint where a window has none before it unread.

        Args:
            windows: the oldest first.
            chains: the pages of each.
            passed: what gives the checkpoints; null if there are none.

        Raises:
            AirbyteTracedException: with the sentence for the user, once all windows before the one
                that failed have been read.
        """
        read: set[int] = set()
        unread = 0  # the first window that is
        for step in side_by_side(chains, self.at_once):
            if step.item is not None:
                yield step.item
                continue
            read.add(step.chain)
            before = unread
            while unread in read:
                unread += 1
            if passed is None or unread == before:
                continue
            if (mark := passed(windows[unread - 1])) is not None:
                yield mark


def _continued(first: Page, pages: Generator[Page, None, None]) -> Generator[Page, None, None]:
    yield from chain([first], pages)
