"""Numbered lists, read to their real end, whatever they announce.

Announced numbers are hints: they say what to fetch ahead, they never end a list and prove nothing.
`docs/reliability.md` lists the rules.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http.refusals import HintsRefusedError, PageRefusedError
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.pagination import PageNumbers
from calls_shared.reading.read_ahead import pages_in_order

_BEYOND_ANY_LIST = (1_000_000, 1_000_001)


class EmptyPageError(Exception):
    """An empty page with records behind it; the message says which one of how many."""


@dataclass(frozen=True)
class NumberedPage:
    """A page that holds records: its number, the answer, and how many records it holds."""

    number: int
    response: requests.Response
    size: int


class NumberedList:
    """One reading of a numbered list.

    Args:
        fetch: fetches one page; called from several threads. Raises `PageRefusedError` if the
            provider refuses the page.
        strategy: what the answers announce.
        ids_of: the ids of all records of a page, in order.
        seen: how many different ids have been seen so far.
        pauses: seconds before each further attempt at an empty page.
        sleep: waits so many seconds.
        workers: how many pages may be fetched at once.
        unlisted: how many records the last complete reading announced but did not list.
    """

    def __init__(
        self,
        fetch: Callable[[int], requests.Response],
        strategy: PageNumbers,
        ids_of: Callable[[requests.Response], Sequence[str]],
        seen: Callable[[], int],
        *,
        pauses: Iterable[float],
        sleep: Callable[[float], None],
        workers: Callable[[], int],
        unlisted: int = 0,
    ) -> None:
        self._fetch = fetch
        self._strategy = strategy
        self._ids_of = ids_of
        self._seen = seen
        self._pauses = pauses
        self._sleep = sleep
        self._workers = workers
        self._unlisted = unlisted
        self._in_force = 0  # the largest number of records that a page held
        self._announced_end: int | None = None
        self._total: int | None = None
        self._fewest: int | None = None  # the smallest total: what came since grew the list
        self._smallest: int | None = None  # page that held records
        self._read = 0  # records on all pages; what a moving list holds twice counts twice
        self._is_believed: bool | None = None
        self.behind = 0
        self.end = ListEnd()

    def pages(self) -> Iterator[NumberedPage]:
        """The pages that hold records, in order; `end` and `behind` are known afterwards.

        Raises:
            EmptyPageError: on a page that stays empty although later ones hold records.
            PageRefusedError: on a page that is refused although it is announced and later ones
                hold records.
        """
        last = 0
        ids: Sequence[str] = ()
        repeated = 0  # pages in a row with the ids of the page before them
        while True:
            try:
                ahead = pages_in_order(self._fetch, self._look, self._workers, last + 1)
                for number, fetched in ahead:
                    self._look(fetched)  # the first page's is not known yet
                    end = self._announced_end
                    is_past = last > 0 and end is not None and number > end
                    response = fetched
                    if not self._size(response):
                        again = self._insist(number, last)
                        if again is None:
                            return
                        response = again
                    repeated = repeated + 1 if self._ids_of(response) == ids else 0
                    if repeated and self._ends_by_repetition(number, repeated):
                        return self._ended()
                    if is_past and self._makes_up_pages():
                        return self._ended()
                    page = NumberedPage(number, response, self._size(response))
                    yield page
                    last, ids = number, self._ids_of(response)
                    self._read += page.size
                    self._smallest = min(page.size, self._smallest or page.size)
                    if self._is_complete_at(page):
                        return self._ended()
            except PageRefusedError:
                if last == 0 or not self._may_end_at(last + 1, last):
                    raise
                return

    def _size(self, response: requests.Response) -> int:
        return len(self._ids_of(response))

    def _look(self, response: requests.Response) -> int | None:
        """Take in what a page announces; the number of the last announced page."""
        size = self._size(response)
        self._in_force = max(self._in_force, size)
        if size or self._announced_end is None:
            total = self._strategy.total(response)
            if total is not None:
                self._total = total
                self._fewest = total if self._fewest is None else min(self._fewest, total)
            self._announced_end = self._strategy.last_page(response, self._in_force)
        return self._announced_end

    def _ends_by_repetition(self, number: int, repeated: int) -> bool:
        """Whether a page that repeats the one before it is the last one again.

        So it is past the announced end. Where nothing is announced, or less than was read, that
        needs two of them, since an import shifts a list by pages, and another page before, or one
        with fewer records than were asked for: else page numbers mean nothing there. Two are enough
        everywhere if all that is announced was seen.
        """
        if repeated > 1 and self._all_seen():
            return True
        last = number - repeated
        if self._announced_end is None or last > self._announced_end:
            return repeated > 1 and (last > 1 or self._in_force < (self._strategy.page_size or 0))
        return number > self._announced_end

    def _is_complete_at(self, page: NumberedPage) -> bool:
        """Whether nothing can follow a page: short, at the announced end, and all ids seen."""
        return (
            page.number == self._announced_end
            and page.size < self._in_force
            and self._total == self._seen()
        )

    def _insist(self, number: int, last: int) -> requests.Response | None:
        """An empty page: the page after all, or None at the end of the list."""
        if self._is_at_end(number) or self._all_seen():
            self._ended(behind=self._behind(last))
            return None
        for pause in self._pauses:
            self._sleep(pause)
            response = self._fetch(number)
            if self._size(response):
                self._look(response)
                return response
        if self._lists_more_behind(number):
            raise EmptyPageError(f"an empty page {number} of {self._announced_end}")
        self._ended(behind=self._behind(last))
        return None

    def _lists_more_behind(self, number: int) -> bool:
        """Whether the next page, one in the middle or the last announced one holds records."""
        end = self._announced_end or number
        probes = sorted({number + 1, (number + end) // 2, end} - {number})
        return any(self._holds_records(probe) for probe in probes)

    def _holds_records(self, number: int) -> bool:
        return bool(self._ids_at(number))

    def _ids_at(self, number: int) -> Sequence[str]:
        try:
            return self._ids_of(self._fetch(number))
        except PageRefusedError:
            return ()

    def _makes_up_pages(self) -> bool:
        """Whether other records stand under every number, however large: no list has so many.

        Asked once, at the first page past the announced end that holds something new; what is
        listed there is not believed then, because reading it would never end. A provider that
        cannot answer so large a number makes nothing up.
        """
        if self._is_believed is None:
            one, other = _BEYOND_ANY_LIST
            found = set(self._far_ids(one))
            self._is_believed = not found or found == set(self._far_ids(other))
        return not self._is_believed

    def _far_ids(self, number: int) -> Sequence[str]:
        try:
            return self._ids_at(number)
        except AirbyteTracedException as failure:
            is_told = isinstance(failure, HintsRefusedError)
            if is_told or failure.failure_type is FailureType.config_error:
                raise
            return ()

    def _may_end_at(self, refused: int, last: int) -> bool:
        """Whether a refused page is the end of the list; if so, it has ended."""
        behind = self._behind(last)
        if self._is_at_end(refused) or self._all_seen():
            self._ended(behind=behind)
            return True
        if self._lists_more_behind(refused):
            return False
        self._ended(behind=behind)
        return True

    def _is_at_end(self, number: int) -> bool:
        return self._announced_end is None or number >= self._announced_end

    def _all_seen(self) -> bool:
        return self._total is not None and 0 <= self._total - self._seen() <= self._unlisted

    def _behind(self, last: int) -> int:
        """How many records at least are announced behind what was listed.

        A list that moves while it is read holds again what it held on an earlier page: then fewer
        ids were seen than records were read, and yet nothing is behind the last of them.
        """
        if self._all_seen():
            return 0
        if self._fewest is not None:
            return self._fewest - self._read
        return ((self._announced_end or last) - last - 1) * self._in_force + 1

    def _is_wall(self, behind: int) -> bool:
        """Whether a full page is the last; a page that is not full means that none is."""
        return self._smallest == self._in_force <= behind

    def _ended(self, behind: int = 0) -> None:
        self.behind = behind
        self.end = ListEnd(self._is_wall(behind), self._total)
