"""OpenPhone's calls by conversation, and its conversations by latest activity."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge

from .history import HISTORY_DAYS, CallHistory
from .openphone_calls import OpenPhoneAuthor, OpenPhoneCall
from .openphone_workspace import Conversation
from .times import DAY, SECOND

Moment = tuple[int, str]
"""Milliseconds since 1970 and an id: the sort key of calls and of conversations."""


@dataclass
class Thread:
    """A conversation with its calls (ascending by creation) and its dates (milliseconds)."""

    conversation: Conversation
    created: int
    activity: int
    last_call: str | None
    calls: list[Moment]


class OpenPhoneHistory(CallHistory[OpenPhoneCall]):
    """All calls by id and by conversation, and each line's conversations by activity.

    A conversation whose id is in `hidden` is not listed.
    """

    def __init__(self, author: OpenPhoneAuthor, count: int, now: int) -> None:
        super().__init__(author, count, now)
        self.workspace = author.workspace
        self.threads: dict[str, Thread] = {}
        self.hidden: set[str] = set()
        self._asked: dict[tuple[str, str], Thread] = {}
        self._by_activity: dict[str, list[Moment]] = {line.id: [] for line in self.workspace.lines}
        first = now - HISTORY_DAYS * DAY
        for number, conversation in enumerate(self.workspace.conversations):
            self._open(conversation, first + number * SECOND)
        for call in self.calls.values():
            thread = self.threads[call.conversation.id]
            thread.calls.append((call.created, call.id))
            thread.activity = max(thread.activity, call.updated or call.created)
            thread.last_call = call.id
        for thread in self.threads.values():
            thread.calls.sort()
            if thread.calls:
                thread.created = thread.calls[0][0]
            entry = (thread.activity, thread.conversation.id)
            self._by_activity[thread.conversation.line.id].append(entry)
        for entries in self._by_activity.values():
            entries.sort()

    def put(self, call: OpenPhoneCall) -> None:
        """See `CallHistory`; the conversation moves to the call's latest time."""
        old = self.calls.get(call.id)
        if old is not None:
            self._drop(old)
        super().put(call)
        thread = self.threads.get(call.conversation.id)
        if thread is None:
            thread = self._open(call.conversation, call.created)
            insort(self._entries(thread), (thread.activity, call.conversation.id))
        insort(thread.calls, (call.created, call.id))
        self._move(thread, call)

    def remove(self, identifier: str) -> OpenPhoneCall:
        """See `CallHistory`; the conversation stays as it is."""
        call = super().remove(identifier)
        self._drop(call)
        return call

    def thread(self, line_id: str, participant: str) -> Thread | None:
        """The one-to-one conversation of a line with a participant."""
        return self._asked.get((line_id, participant))

    def newest_threads(self, lines: Iterable[str], before: Moment | None) -> Iterator[Thread]:
        """Conversations of the lines, newest activity first, from behind the given moment on."""
        runs = [self._downwards(self._by_activity[line], before) for line in lines]
        for _, identifier in merge(*runs, reverse=True):
            if identifier not in self.hidden:
                yield self.threads[identifier]

    def newest_calls(self, thread: Thread, before: Moment | None) -> Iterator[OpenPhoneCall]:
        """Calls of a conversation, newest creation first, from behind the given moment on."""
        for _, identifier in self._downwards(thread.calls, before):
            yield self.calls[identifier]

    @staticmethod
    def _downwards(entries: list[Moment], before: Moment | None) -> Iterator[Moment]:
        start = len(entries) if before is None else bisect_left(entries, before)
        return (entries[position] for position in range(start - 1, -1, -1))

    def _open(self, conversation: Conversation, created: int) -> Thread:
        thread = self.threads[conversation.id] = Thread(conversation, created, created, None, [])
        if len(conversation.participants) == 1:
            self._asked[conversation.line.id, conversation.participants[0]] = thread
        return thread

    def _entries(self, thread: Thread) -> list[Moment]:
        return self._by_activity[thread.conversation.line.id]

    def _move(self, thread: Thread, call: OpenPhoneCall) -> None:
        activity = max(thread.activity, call.updated or call.created)
        entries = self._entries(thread)
        del entries[bisect_left(entries, (thread.activity, thread.conversation.id))]
        insort(entries, (activity, thread.conversation.id))
        thread.activity = activity
        thread.last_call = call.id

    def _drop(self, call: OpenPhoneCall) -> None:
        calls = self.threads[call.conversation.id].calls
        del calls[bisect_left(calls, (call.created, call.id))]
