"""The true calls of four providers, made from a seed, and the passing of time."""

from datetime import UTC, datetime
from threading import RLock
from typing import Any

from .amplemarket_calls import AmplemarketAuthor, AmplemarketCall
from .history import CallHistory, Step
from .identifiers import as_uuid7
from .intercom_calls import IntercomAuthor, IntercomCall
from .openphone_calls import OpenPhoneAuthor
from .openphone_history import OpenPhoneHistory
from .openphone_unlisted import UnlistedAuthor
from .skipcall_calls import SkipcallAuthor, SkipcallCall
from .times import HOUR, SECOND, to_datetime, to_milliseconds

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


class World:
    """Four providers with `calls` calls each, equal for equal arguments and equal steps.

    A provider is built when it is first asked for; steps taken before are then replayed.
    `conversations` spreads OpenPhone's calls evenly over that many one-to-one conversations, all
    of them listable; by turns, or `one_after_another`, so that most have long been over. Every
    method and property may be used from any thread; hold `lock` to see several of them at one
    instant.
    """

    def __init__(
        self,
        seed: int = 7,
        calls: int = 400,
        now: datetime = START,
        conversations: int | None = None,
        one_after_another: bool = False,
    ) -> None:
        self.lock = RLock()
        self.seed = seed
        self.size = calls
        self._start = to_milliseconds(now)
        self._now = self._start
        self._conversations = conversations
        self._one_after_another = one_after_another
        self._steps: list[Step] = []
        self._hidden: dict[tuple[str, str], Any] = {}
        self._intercom: CallHistory[IntercomCall] | None = None
        self._openphone: OpenPhoneHistory | None = None
        self._amplemarket: CallHistory[AmplemarketCall] | None = None
        self._skipcall: CallHistory[SkipcallCall] | None = None

    @property
    def now(self) -> datetime:
        """The world's clock. Only `advance` and the single steps move it."""
        with self.lock:
            return to_datetime(self._now)

    @property
    def intercom(self) -> CallHistory[IntercomCall]:
        """Intercom's calls."""
        with self.lock:
            if self._intercom is None:
                self._intercom = CallHistory(IntercomAuthor(self.seed), self.size, self._start)
                self._replay(self._intercom)
            return self._intercom

    @property
    def openphone(self) -> OpenPhoneHistory:
        """OpenPhone's calls, lines and conversations."""
        with self.lock:
            if self._openphone is None:
                author = OpenPhoneAuthor(self.seed, self._conversations, self._one_after_another)
                # asked for conversations, it has none but those that v1 lists
                beside = UnlistedAuthor(self.seed) if self._conversations is None else None
                self._openphone = OpenPhoneHistory(author, self.size, self._start, beside)
                self._replay(self._openphone)
            return self._openphone

    @property
    def amplemarket(self) -> CallHistory[AmplemarketCall]:
        """Amplemarket's calls by their UUIDv7 (`identifiers.as_uuid4` for the switch `ids`)."""
        with self.lock:
            if self._amplemarket is None:
                self._amplemarket = CallHistory(
                    AmplemarketAuthor(self.seed), self.size, self._start
                )
                self._replay(self._amplemarket)
            return self._amplemarket

    @property
    def skipcall(self) -> CallHistory[SkipcallCall]:
        """Skipcall's calls."""
        with self.lock:
            if self._skipcall is None:
                self._skipcall = CallHistory(SkipcallAuthor(self.seed), self.size, self._start)
                self._replay(self._skipcall)
            return self._skipcall

    @property
    def skipcall_workspaces(self) -> tuple[str, str]:
        """The workspaces in the scope of every Skipcall key."""
        return SkipcallAuthor(self.seed).workspaces

    def history(self, provider: str) -> CallHistory[Any]:
        """The calls of a provider by its name; KeyError for any other name."""
        if provider == "intercom":
            return self.intercom
        if provider == "openphone":
            return self.openphone
        if provider == "amplemarket":
            return self.amplemarket
        if provider == "skipcall":
            return self.skipcall
        raise KeyError(provider)

    def advance(
        self, hours: float = 24, new: int = 20, changed: int = 20, deleted: int = 3, late: int = 3
    ) -> None:
        """Let time pass: how many calls per provider are new, change, vanish or are logged late."""
        with self.lock:
            before, self._now = self._now, self._now + round(hours * HOUR)
            step = Step(before, self._now, new, changed, deleted, late)
            self._steps.append(step)
            for history in (self._intercom, self._openphone, self._amplemarket, self._skipcall):
                if history is not None:
                    history.advance(step)

    def add_call(self, provider: str, **fields: Any) -> str:
        """One more call, now; `fields` are fields of the provider's true call.

        The clock moves by a second.
        """
        with self.lock:
            history = self.history(provider)
            now = self._tick()
            call = history.author.with_fields(history.author.new_call(now, now), fields)
            history.put(call)
            return str(call.id)

    def change_call(self, provider: str, identifier: str, **fields: Any) -> None:
        """One call changes, now: as in life without `fields`, else in those.

        The clock moves by a second.
        """
        with self.lock:
            history = self.history(provider)
            now = self._tick()
            call = history.find(self._true_id(provider, identifier))
            author = history.author
            if fields:
                history.put(author.with_fields(author.touched(call, now), fields))
            else:
                history.put(author.changed_call(call, now))

    def delete_call(self, provider: str, identifier: str) -> None:
        """One call vanishes for good. The clock moves by a second."""
        with self.lock:
            self._tick()
            self.history(provider).remove(self._true_id(provider, identifier))

    def hide_call(self, provider: str, identifier: str) -> None:
        """One call is not listed any more, until `show_call`. The clock stands."""
        with self.lock:
            true_id = self._true_id(provider, identifier)
            self._hidden[provider, true_id] = self.history(provider).remove(true_id)

    def show_call(self, provider: str, identifier: str) -> None:
        """A hidden call is listed again, as it was; KeyError if it is not hidden."""
        with self.lock:
            call = self._hidden.pop((provider, self._true_id(provider, identifier)))
            self.history(provider).put(call)

    def hidden_calls(self, provider: str) -> list[str]:
        """The ids of the hidden calls."""
        with self.lock:
            return [identifier for name, identifier in self._hidden if name == provider]

    def _tick(self) -> int:
        self._now += SECOND
        return self._now

    def _replay(self, history: CallHistory[Any]) -> None:
        for step in self._steps:
            history.advance(step)

    @staticmethod
    def _true_id(provider: str, identifier: str) -> str:
        shown_as_uuid4 = provider == "amplemarket" and identifier[14:15] == "4"
        return as_uuid7(identifier) if shown_as_uuid4 else identifier
