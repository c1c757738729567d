"""`PageReader`: the pages of one slice of a stream, in order, to the end of their list."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, NamedTuple

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.types import Record
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http.refusals import PageRefusedError
from calls_shared.reading.chained import ChainedEnd
from calls_shared.reading.extractor import ids_of
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.numbered import EmptyPageError, NumberedList
from calls_shared.reading.pagination import PageNumbers, announced_total
from calls_shared.reading.passes import Repetition

Token = Mapping[str, Any] | None
"""As the CDK has it: `{"next_page_token": ...}`; null for the first page."""


@dataclass
class ReadingSoFar:
    """What a reading of a list knows of itself.

    Attributes:
        count: how many different ids it has seen.
        unlisted: how many records the last complete reading announced but did not list.
        end: how it ended.
        in_force: the largest number of records that a page held.
        behind: how many records at least are announced behind what was listed; 0 or less is none.
    """

    count: Callable[[], int] = lambda: 0
    unlisted: int = 0
    end: ListEnd = dataclass_field(default_factory=ListEnd)
    in_force: int = 0
    behind: int = 0


class Page(NamedTuple):
    """One page: the answer and its normalized records."""

    response: requests.Response
    records: list[Record]


@dataclass(frozen=True)
class PageReader:
    """Reads the pages of one slice, whatever they announce.

    Attributes:
        stream: the stream's name, for the user.
        provider: the provider's name, for the user.
        strategy: how the next page is found.
        extractor: what takes the records out of a page.
        fetch: sends the request for a page, and gives an answer or raises; called from several
            threads where pages are numbered.
        records: the normalized records of an answer.
        next_token: the token of the page after an answer, so many records and the last one.
        pauses: seconds before each further attempt at an empty page.
        sleep: waits so many seconds.
        workers: how many pages may be fetched at once where they are numbered; it may change.
    """

    stream: str
    provider: str
    strategy: Any
    extractor: Any
    fetch: Callable[[Token], requests.Response]
    records: Callable[[requests.Response, Token], list[Record]]
    next_token: Callable[[requests.Response, int, Record | None, Any], Token]
    pauses: Sequence[float]
    sleep: Callable[[float], None]
    workers: Callable[[], int]

    def pages(
        self, so_far: ReadingSoFar, ahead: Callable[[], int] | None = None
    ) -> Generator[Page, None, None]:
        """The pages; how the list ended stands in `so_far` afterwards.

        Args:
            so_far: what the reading knows of itself.
            ahead: how many pages may be fetched at once, if fewer than `workers`.

        Raises:
            AirbyteTracedException: with the sentence for the user, on any failure.
        """
        if isinstance(self.strategy, PageNumbers):
            yield from self._numbered(self.strategy, so_far, self.at_most(ahead))
        else:
            yield from self._chained(so_far)

    def names_another(self, page: Page) -> bool:
        """Whether a page names one after it."""
        records = page.records
        last = records[-1] if records else None
        return bool(self.next_token(page.response, len(records), last, None))

    def at_most(self, ahead: Callable[[], int] | None) -> Callable[[], int]:
        """How many pages may be fetched at once, where it may be fewer than `workers`."""
        return self.workers if ahead is None else lambda: min(self.workers(), ahead())

    def page(self, number: int) -> Page:
        """One page by its number.

        Raises:
            PageRefusedError: if the provider refuses it.
        """
        token = {"next_page_token": number}
        response = self.fetch(token)
        return Page(response, self.records(response, token))

    def _numbered(
        self, strategy: PageNumbers, so_far: ReadingSoFar, workers: Callable[[], int]
    ) -> Iterator[Page]:
        listing = NumberedList(
            lambda number: self.fetch({"next_page_token": number}),
            strategy,
            self.ids_of,
            so_far.count,
            pauses=self.pauses,
            sleep=self.sleep,
            workers=workers,
            unlisted=so_far.unlisted,
        )
        repetition = Repetition()
        try:
            for numbered in listing.pages():
                token = {"next_page_token": numbered.number}
                so_far.in_force = max(so_far.in_force, numbered.size)
                yield Page(numbered.response, self.records(numbered.response, token))
                self._refuse_repetition(repetition, numbered.response)
        except EmptyPageError as empty:
            raise AirbyteTracedException(
                message=f"{self.provider} answered {self.stream} with {empty} although pages"
                " behind it hold records, and trying again did not help. Run the sync again later;"
                " if the page stays empty, ask the provider why.",
                internal_message=f"stream {self.stream}: {empty}",
                failure_type=FailureType.transient_error,
            ) from None
        so_far.end, so_far.behind = listing.end, listing.behind

    def _chained(self, so_far: ReadingSoFar) -> Iterator[Page]:
        """Pages that each name the next one; a token that comes again is a fault of the answer."""
        chain = ChainedEnd(so_far.unlisted)
        token: Token = None
        tokens: set[str] = set()
        repetition = Repetition()
        while True:
            try:
                response = self._chained_page(chain, token)
            except PageRefusedError:
                so_far.end, so_far.behind = chain.end(), chain.behind
                if not chain.may_be_refused():
                    raise
                return
            if not response:
                yield Page(response, [])  # to be skipped: the error table says so
                return
            page = Page(response, self.records(response, token))
            so_far.in_force = max(so_far.in_force, len(self.ids_of(response)))
            yield page
            last = page.records[-1] if page.records else None
            value = token.get("next_page_token") if token else None
            token = self.next_token(response, len(page.records), last, value)
            if not token:
                so_far.end, so_far.behind = chain.end(), chain.behind
                return
            name = str(token["next_page_token"])
            if name in tokens:
                raise self._no_progress("a page names one that was read before")
            tokens.add(name)
            self._refuse_repetition(repetition, response)

    def _chained_page(self, chain: ChainedEnd, token: Token) -> requests.Response:
        """The next page; an empty last one is tried again while more is announced than was listed.

        A page that is no last one, though it is empty, names where to go on.
        """
        pauses = [*self.pauses]
        while True:
            response = self.fetch(token)
            if not response:
                return response
            ids = self.ids_of(response)
            chain.page(ids, announced_total(self.strategy, response))
            is_answered = ids or not chain.is_short or not pauses
            if is_answered or self.next_token(response, 0, None, None):
                return response
            self.sleep(pauses.pop(0))

    def ids_of(self, response: requests.Response) -> Sequence[str]:
        """The ids of all records of an answer, in order."""
        return ids_of(self.extractor, response)

    def _refuse_repetition(self, repetition: Repetition, response: requests.Response) -> None:
        if repetition.page(frozenset(self.ids_of(response))):
            raise self._no_progress("page after page holds the very same records, or none")

    def _no_progress(self, reason: str) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=f"{self.provider}'s pages of {self.stream} lead in a circle: {reason}. Run the"
            " sync again later.",
            internal_message=f"stream {self.stream}: no progress",
            failure_type=FailureType.transient_error,
        )
