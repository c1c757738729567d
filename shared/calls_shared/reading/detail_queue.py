"""`DetailQueue`: calls in their order, each with the request that is under way for it.

Requests go out in parallel, and rows come out in the order of the calls; a failure comes out at its
call, after the rows of all earlier ones.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Self

from airbyte_cdk.sources.types import Record

from calls_shared.reading.detail_sources import DetailSource
from calls_shared.reading.details_in_record import Answer

MOST_WAITING: Final = 1000
"""Calls that wait for their turn, whatever is under way."""

_AHEAD, _LEAST_AHEAD = 2, 8
"""How many answers a place are held for calls whose turn has not come, and how many at least."""


@dataclass(eq=False)
class Question:
    """What is asked of a source, for one call or several."""

    source: DetailSource
    calls: list[Mapping[str, Any]] = field(default_factory=list)
    keys: dict[str, None] = field(default_factory=dict)
    future: Future[Answer] | None = None

    def takes(self, key: str) -> bool:
        """Whether one more key finds a place in it."""
        return self.future is None and (key in self.keys or len(self.keys) < self.source.most)


class DetailQueue:
    """The calls of one slice; used by one thread.

    Args:
        submit: begins to answer a question, in another thread.
        rows: the rows of a call, of the source that it was asked of and the records about it.
        done: is told of a call when all of its rows have gone out.
        places: how many requests may be under way.
    """

    def __init__(
        self,
        submit: Callable[[Question], Future[Answer]],
        rows: Callable[[DetailSource, Record, Sequence[dict[str, Any]]], list[Record]],
        done: Callable[[Record], None],
        places: Callable[[], int],
    ) -> None:
        self._submit = submit
        self._rows = rows
        self._done = done
        self._places = places
        self._waiting: deque[tuple[Record, Question | None]] = deque()
        self._filling: dict[int, Question] = {}  # by source, what is not sent yet
        self._sent: set[Question] = set()  # whose answers were not looked at

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for question in self._sent:
            if question.future is not None:
                question.future.cancel()

    def add(self, call: Record, source: DetailSource | None) -> Iterator[Record]:
        """Put a call at the end; the rows that may come out now."""
        self._waiting.append((call, None if source is None else self._question(call, source)))
        while self._waiting and (self._is_full() or self._is_ready(self._waiting[0][1])):
            yield from self._next()

    def rest(self) -> Iterator[Record]:
        """The rows of all calls."""
        for question in [*self._filling.values()]:
            self._send(question)
        while self._waiting:
            yield from self._next()

    def _question(self, call: Record, source: DetailSource) -> Question:
        key = source.key_of(call.data) or ""
        question = self._filling.get(id(source))
        if question is None or not question.takes(key):
            if question is not None:
                self._send(question)
            question = Question(source)
            if source.most > 0:
                self._filling[id(source)] = question
        question.calls.append(call.data)
        question.keys[key] = None
        if source.most == 1:
            self._send(question)
        return question

    def _send(self, question: Question) -> None:
        if question.future is None:
            self._filling.pop(id(question.source), None)
            question.future = self._submit(question)
            self._sent.add(question)

    def _is_full(self) -> bool:
        most = max(_LEAST_AHEAD, _AHEAD * self._places())
        return len(self._sent) > most or len(self._waiting) > MOST_WAITING

    @staticmethod
    def _is_ready(question: Question | None) -> bool:
        if question is None or question.source.most == 0:
            return True
        return question.future is not None and question.future.done()

    def _next(self) -> Iterator[Record]:
        """The rows of the first call that waits."""
        call, question = self._waiting.popleft()
        if question is not None:
            yield from self._rows(question.source, call, self._records(call, question))
        self._done(call)

    def _records(self, call: Record, question: Question) -> Sequence[dict[str, Any]]:
        if question.source.most == 0:
            answer = question.source.answer(question.calls, [*question.keys])
        else:
            self._send(question)
            assert question.future is not None
            answer = question.future.result()
            self._sent.discard(question)
        return answer.records.get(str(call.data["id"]), ())
