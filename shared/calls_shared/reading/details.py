"""`CallDetails`: each call becomes the rows of what there is to it (a transcript, recordings)."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.types import Record

from calls_shared.error_mapping.body import parsed
from calls_shared.error_mapping.envelope import provider_message
from calls_shared.http.budget import budget_of
from calls_shared.http.places import MOST
from calls_shared.reading.checkpoint import Checkpoint
from calls_shared.reading.detail_queue import DetailQueue, Question
from calls_shared.reading.detail_rows import DetailRows
from calls_shared.reading.detail_sources import DetailSource
from calls_shared.reading.details_in_record import Answer
from calls_shared.reading.plan import Plan
from calls_shared.report import SyncReport

_NOTHING = Answer({})


@dataclass(kw_only=True)
class CallDetails:
    """Asks for what there is to the calls that a retriever reads, and makes rows of it.

    Only what is in the rows comes out; the state is that of the calls.

    Attributes:
        name: the stream's name, for the user.
        provider_name: the provider's name, for the user.
        shape: the stream whose rows are made: `call_transcripts` or `call_recordings`.
        sources: where what there is is found (`DetailsInRecord`, `DetailsOfCall`,
            `DetailsOfSeveral`); the first one that a call is for is asked.
        plan_message: the sentence for the user if the plan of the workspace refuses all of it;
            `{status}` and `{says}` (the provider's own words) are filled in.
    """

    config: Mapping[str, Any]
    name: str
    provider_name: str
    shape: str
    sources: Sequence[Any]
    plan_message: str = ""

    def __post_init__(self) -> None:
        self._budget = budget_of(self.config)
        self._plan = Plan()
        self._asks = any(source.most > 0 for source in self.sources)
        # one for all slices; it makes threads as they are needed
        self._pool = ThreadPoolExecutor(max_workers=MOST, thread_name_prefix="details")
        self._rows = {
            id(source): _rows_of(self.shape, source, self._budget.report) for source in self.sources
        }

    @property
    def are_refused(self) -> bool:
        """Whether so many requests were refused that no more are sent."""
        return self._plan.is_closed

    def hold_the_state(self, *, is_ending: bool) -> bool:
        """Whether no state may move, because all that was asked for was refused, or may be yet.

        Args:
            is_ending: whether nothing more will be asked.
        """
        may_be_yet = self._asks and not is_ending and self._plan.is_open
        return self._plan.refuses_all or may_be_yet

    def warning(self) -> str | None:
        """What is to be told of the plan of the workspace at the end of the stream."""
        return self._plan.sentence(self.plan_message, self.name, self.provider_name)

    def rows(
        self,
        items: Generator[Record | Checkpoint, None, None],
        done: Callable[[Record], None],
    ) -> Iterator[Record | Checkpoint]:
        """The rows of calls, in the order of the calls, and the checkpoints between them.

        Args:
            items: the calls and checkpoints. What comes after a checkpoint is not asked for before
                it was passed on and its caller came back.
            done: is told of each call when its rows have gone out.

        Raises:
            AirbyteTracedException: with the sentence for the user, on any failure; the rows of all
                calls before it have gone out.
        """
        places = self._budget.places.number
        with closing(items), DetailQueue(self._submit, self._made, done, places) as queue:
            while (item := (yield from self._next_of(items, queue))) is not None:
                if self.are_refused:
                    return
                if isinstance(item, Checkpoint):
                    yield from queue.rest()
                    if self._plan.is_closed:  # by one of the rest
                        return
                    yield item
                else:
                    yield from queue.add(item, self._source_for(item))
            yield from queue.rest()

    @staticmethod
    def _next_of(
        items: Iterator[Record | Checkpoint], queue: DetailQueue
    ) -> Generator[Record, None, Record | Checkpoint | None]:
        """The next call or checkpoint, null after the last one.

        Where there is a failure in its place, the rows of the calls before it come out first.
        """
        try:
            return next(items, None)
        except Exception:
            yield from queue.rest()
            raise

    def _source_for(self, call: Record) -> DetailSource | None:
        return next((s for s in self.sources if s.key_of(call.data) is not None), None)

    def _submit(self, question: Question) -> Future[Answer]:
        return self._pool.submit(self._asked, question)

    def _asked(self, question: Question) -> Answer:
        """Answer a question; called from several threads."""
        if self._plan.is_closed:
            return _NOTHING
        answer = question.source.answer(question.calls, [*question.keys])
        if answer.refused is not None:
            response = answer.refused
            self._plan.refused(response.status_code, provider_message(parsed(response)))
        elif answer.is_good:
            self._plan.answered()
        else:
            self._plan.found_nothing()
        return answer

    def _made(
        self, source: DetailSource, call: Record, records: Sequence[dict[str, Any]]
    ) -> list[Record]:
        made = self._rows[id(source)].of(call.data, records)
        return [Record(row, self.name, call.associated_slice) for row in made]

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse rows that cannot be made, and a plan that nobody is told of.

        Raises:
            ValueError: saying what is wrong.
        """
        if not node["sources"]:
            raise ValueError("it needs a source at least")
        for source in node["sources"]:
            names = ("columns", "entries_at", "none_if")
            given = {name: source[name] for name in names if name in source}
            DetailRows(
                node["shape"],
                given.get("columns", {}),
                given.get("entries_at", []),
                given.get("none_if", {}),
                SyncReport(),
            )
            if "requester" in source and not node.get("plan_message"):
                raise ValueError("plan_message is needed: what the user is told of a refusal")
        node.get("plan_message", "").format(status=0, says="")


def _rows_of(shape: str, source: DetailSource, report: SyncReport) -> DetailRows:
    return DetailRows(shape, source.columns, source.entries_at, source.none_if, report)
