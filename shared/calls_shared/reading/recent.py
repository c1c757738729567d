"""`NewestEnd`: what is new in a list, as far as its pages show where that is.

Most lists cannot be asked for what is new. One whose pages show an order is read from its newest
end down to what is known, forwards or, if it comes oldest first, backwards from its last page. This
proves nothing: a later complete reading finds what it missed.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from enum import Enum, auto

import requests
from airbyte_cdk.sources.types import Record

from calls_shared.http.refusals import PageRefusedError
from calls_shared.reading.order_proof import Moments, OrderProof
from calls_shared.reading.pages import Page, PageReader
from calls_shared.reading.pagination import announced_total
from calls_shared.reading.read_ahead import pages_in_order
from calls_shared.reading.seen import SeenIds, digest_of

_MOST_PAST_THE_END = 8
"""Pages behind the announced last one: what comes while a list is read is fewer."""

_AHEAD_BACKWARDS = 2
"""Of what may be asked for in vain, the way to the end has had its part."""


class Verdict(Enum):
    """What a page says of the reading."""

    GO_ON = auto()
    ENOUGH = auto()
    """Nothing that is needed can follow."""
    OLDEST_FIRST = auto()
    """What is needed stands at the other end."""


class NewestEnd:
    """Watches a reading from the first page on, for whether it may end before the list does.

    Once the pages contradict each order it says nothing any more: the reading is a complete one.

    Attributes:
        bound: what is older (a `sort_key`) is not needed.

    Args:
        bound: what is older (a `sort_key`) is not needed.
        moments: when a call was created and changed, as far as its record is to be believed.
        last_page: the number of the last page that an answer announces, to read backwards from,
            with the largest page so far; 0 or null where there is none.
    """

    def __init__(
        self,
        bound: str,
        moments: Callable[[Record], Moments],
        last_page: Callable[[requests.Response, int], int | None],
    ) -> None:
        self.bound = bound
        self._moments = moments
        self._last_page = last_page
        self._proof = OrderProof(bound)
        self._seen = SeenIds()
        self._pages = 0
        self._in_force = 0  # the largest number of records that a page held
        self._last = 0

    @property
    def shows_an_order(self) -> bool:
        """Whether the pages so far do not contradict both orders."""
        return self._proof.shows_an_order

    def ahead(self) -> int:
        """How many pages may be asked for at once (`OrderProof.ahead`)."""
        return self._proof.ahead()

    def page(self, page: Page) -> Verdict:
        """Take in the next page."""
        if not self.shows_an_order:
            return Verdict.GO_ON
        self._pages += 1
        self._in_force = max(self._in_force, len(page.records))
        if self._proof.page(self._moments_of(_new_of(page.records, self._seen))):
            return Verdict.ENOUGH
        if not self._proof.comes_oldest_first:
            return Verdict.GO_ON
        self._last = self._last_page(page.response, self._in_force) or 0
        return Verdict.OLDEST_FIRST if self._last > self._pages else Verdict.GO_ON

    def _moments_of(self, records: Iterable[Record]) -> list[Moments]:
        return [self._moments(record) for record in records]

    def backwards(self, reader: PageReader) -> Generator[Page, None, bool]:
        """From the last announced page on to the real end, then back from there.

        Returns:
            Whether the pages showed an order until nothing needed could follow; if not, the list
            has to be read to its end.
        """
        last = self._last
        tail = []
        for page in _to_the_end(reader, last, self._in_force):
            yield page
            tail.append(page)
            if len(tail) > _MOST_PAST_THE_END:  # the announced end is none
                return False
        if not tail:
            return False
        proof = OrderProof(self.bound, _AHEAD_BACKWARDS)
        seen = SeenIds()
        for page in reversed(tail):
            if not (new := _new_of(reversed(page.records), seen)):
                return False  # under another number there stand other records, or it is a wall
            if proof.page(self._moments_of(new)):
                return True
        before = pages_in_order(
            lambda back: reader.page(last - back),
            lambda _: last - 1,
            reader.at_most(proof.ahead),
        )
        with closing(before) as pages, suppress(PageRefusedError):  # the list has shrunk meanwhile
            for _, page in pages:
                if not (proof.shows_an_order and reader.ids_of(page.response)):
                    return False
                yield page
                if not (new := _new_of(reversed(page.records), seen)):
                    return False
                if proof.page(self._moments_of(new)):
                    return True
            return proof.shows_an_order
        return False


def _new_of(records: Iterable[Record], seen: SeenIds) -> list[Record]:
    """The records that are seen for the first time.

    A list that moves while it is read has some of a page on the next one again: no disorder.
    """
    return [record for record in records if seen.add(digest_of(str(record.data.get("id"))))]


def _to_the_end(reader: PageReader, number: int, in_force: int) -> Iterator[Page]:
    """The page of a number, and those behind it that hold something else than the one before.

    Behind a short page with which all that is announced has been listed nothing is looked for.
    """
    before: Sequence[str] = ()
    while True:
        try:
            page = reader.page(number)
        except PageRefusedError:
            return
        ids = reader.ids_of(page.response)
        if not ids or ids == before:
            return
        yield page
        listed = (number - 1) * in_force + len(ids)
        if len(ids) < in_force and listed == announced_total(reader.strategy, page.response):
            return
        before, number = ids, number + 1
