"""`RecentReading`: the newest end of a list, as far as its pages show where that is.

Most lists cannot be asked for what is new. One whose pages show an order is read from its newest
end down to what is known, forwards or, if it comes oldest first, backwards from its last page. This
proves nothing: a later complete reading finds what it missed.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from airbyte_cdk.sources.types import Record

from calls_shared.http.refusals import PageRefusedError
from calls_shared.reading.order_proof import Moments, OrderProof
from calls_shared.reading.pages import Page, PageReader, ReadingSoFar
from calls_shared.reading.pagination import PageNumbers
from calls_shared.reading.read_ahead import pages_in_order

Reading = Generator[Page, None, bool]
"""Gives the pages; returns whether all that is newer than the bound was among them."""


@dataclass(frozen=True)
class RecentReading:
    """One reading of the newest end of a list.

    Attributes:
        reader: what fetches its pages.
        bound: what is older (a `sort_key`) is not needed.
        moments: when a call was created and changed, as far as its record is to be believed.
    """

    reader: PageReader
    bound: str
    moments: Callable[[Record], Moments]

    def pages(self) -> Reading:
        """The pages from the newest end on, until nothing needed can follow.

        Returns:
            False once the pages contradict each order; then the list has to be read to its end.
        """
        proof = OrderProof(self.bound)
        so_far = ReadingSoFar()
        read: list[Page] = []
        with closing(self.reader.pages(so_far, proof.ahead)) as pages:
            for page in pages:
                yield page
                if proof.page(self._moments_of(page.records)):
                    return True
                read.append(page)
                if not proof.shows_an_order:
                    break
                del read[2:]  # the order shows itself on the first ones
            else:
                return not so_far.end.walled
        if len(read) > 2 or not self._come_oldest_first(read):
            return False
        return (yield from self._backwards(read))

    def _come_oldest_first(self, pages: Iterable[Page]) -> bool:
        proof = OrderProof(self.bound)
        records = [record for page in pages for record in page.records]
        proof.page(self._moments_of(reversed(records)))
        return proof.shows_an_order

    def _backwards(self, read: list[Page]) -> Reading:
        """From the last announced page on to the real end, then back from there."""
        strategy = self.reader.strategy
        if not isinstance(strategy, PageNumbers):
            return False
        last = strategy.last_page(read[0].response, len(self.reader.ids_of(read[0].response)))
        if last is None or last <= len(read):
            return False
        tail = []
        for page in self._to_the_end(last):
            yield page
            tail.append(page)
        if not tail:
            return False
        proof = OrderProof(self.bound)
        for page in reversed(tail):
            if proof.page(self._moments_of(reversed(page.records))):
                return True
        before = pages_in_order(
            lambda back: self.reader.page(last - back),
            lambda _: last - 1,
            lambda: min(self.reader.workers, proof.ahead()),
        )
        with closing(before) as pages:
            for _, page in pages:
                if not proof.shows_an_order or not self.reader.ids_of(page.response):
                    return False
                yield page
                if proof.page(self._moments_of(reversed(page.records))):
                    return True
        return proof.shows_an_order

    def _to_the_end(self, last: int) -> Iterator[Page]:
        """The announced last page and those behind it that hold something new."""
        before: list[str] = []
        while True:
            try:
                page = self.reader.page(last)
            except PageRefusedError:
                return
            ids = [*self.reader.ids_of(page.response)]
            if not ids or ids == before:
                return
            yield page
            before = ids
            last += 1

    def _moments_of(self, records: Iterable[Record]) -> list[Moments]:
        return [self.moments(record) for record in records]
