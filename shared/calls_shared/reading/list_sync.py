"""`ListSync`: what one sync reads of a list, page by page, and what comes out of it."""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import requests
from airbyte_cdk.sources.types import Record

from calls_shared.normalization import times
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.moments import moment_after
from calls_shared.reading.pages import Page, ReadingSoFar
from calls_shared.reading.readings import Readings
from calls_shared.reading.recent import NewestEnd, Verdict

LOGGER = logging.getLogger("airbyte.calls")
NO_ORDER = "%s: the list shows no order by creation or change, so that it is read to its end."
DIFFERS = "%s: the list differs from what is known; reading it again."

Decides = TypeVar("Decides", bound=Readings)


class Entry(NamedTuple):
    """What a call of a list is known by.

    Attributes:
        call_id: its id.
        created: its creation (RFC 3339); null where it is not known.
        changed: its last change; null where it is not known.
        in_scope: whether the start date lets it pass.
    """

    call_id: str
    created: str | None
    changed: str | None
    in_scope: bool


@dataclass
class ListSync(Generic[Decides]):
    """Reads a list to its end, as often as it takes, or as far as it may be left.

    Attributes:
        stream: the stream's name, for the user.
        pages: the pages of the list, from the first one on, checkpoints between them; a newest end
            says how many may be asked for at once.
        announced: how many records an answer announces, and how many of its own are null.
        entry: what a record is known by.
        convergence: what comes out.
        so_far: what the reading knows of itself.
        again: what is told before another reading.
        began: when it began, by our clock (RFC 3339).
    """

    stream: str
    pages: Callable[[ReadingSoFar, NewestEnd | None], Generator[Page | Checkpoint, None, None]]
    announced: Callable[[requests.Response], tuple[int | None, int]]
    entry: Callable[[Record], Entry]
    convergence: Decides
    so_far: ReadingSoFar
    again: str = DIFFERS
    began: str = field(default_factory=lambda: times.format_timestamp(datetime.now(UTC)))

    def read(self, newest_end: NewestEnd | None) -> Generator[Record | Checkpoint, None, Verdict]:
        """The calls that come out, and the checkpoints between them.

        Args:
            newest_end: what watches a reading that may be left; null for a complete one.

        Returns:
            `GO_ON` if all of it was read, else why it was left.
        """
        while True:
            verdict = yield from self.once(newest_end)
            if verdict is not Verdict.GO_ON:
                return verdict
            if newest_end is not None and not newest_end.shows_an_order:
                LOGGER.info(NO_ORDER, self.stream)
            if not self.convergence.needs_another(self.so_far.end):
                return Verdict.GO_ON
            LOGGER.info(self.again, self.stream)
            newest_end = None

    def once(self, newest_end: NewestEnd | None) -> Generator[Record | Checkpoint, None, Verdict]:
        """The same of a single reading; whether another one is needed is not looked at."""
        is_first = True
        with closing(self.pages(self.so_far, newest_end)) as pages:
            for page in pages:
                if isinstance(page, Checkpoint):
                    yield page
                    continue
                if is_first:
                    self.convergence.begin(moment_after(page.response.headers))
                    is_first = False
                yield from self._coming_out(page)
                verdict = Verdict.GO_ON if newest_end is None else newest_end.page(page)
                if verdict is not Verdict.GO_ON:
                    return verdict
        if is_first:  # not one page held a record
            self.convergence.begin(self.began)
            self.convergence.page(self.so_far.end.announced)
        return Verdict.GO_ON

    def _coming_out(self, page: Page) -> Iterator[Record]:
        total, nulls = self.announced(page.response)
        self.convergence.page(total, nulls)
        for call in page.records:
            entry = self.entry(call)
            if self.convergence.call(
                entry.call_id, entry.created, entry.changed, in_scope=entry.in_scope
            ):
                yield call
