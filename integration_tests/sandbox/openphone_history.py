"""OpenPhone's calls by conversation and by creation, its conversations by latest activity."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from random import Random

from .history import HISTORY_DAYS, CallHistory, Step, instant
from .openphone_calls import OpenPhoneAuthor, OpenPhoneCall
from .openphone_invented_parts import is_unfinished
from .openphone_unlisted import UnlistedAuthor
from .openphone_workspace import Conversation
from .times import DAY, SECOND

Moment = tuple[int, str]
"""Milliseconds since 1970 and an id: the sort key of calls and of conversations."""
UNLISTED_SHARE = 10
"""To so many listed calls there is one that v1 does not know."""
LANDING_SHARE = 4
"""To so many calls that change there is one of which something lands that was still to come."""
LONGEST_LANDING = 2 * DAY
"""So long after its creation a call's summary, voicemail and the like may still come."""
RECENT = 100
"""So many calls, the newest, are looked at for what may still come."""


@dataclass
class Thread:
    """A conversation with its calls (ascending by creation) and its dates (milliseconds)."""

    conversation: Conversation
    created: int
    activity: int
    last_call: str | None
    calls: list[Moment]


def moment(call: OpenPhoneCall) -> Moment:
    """What calls are sorted by."""
    return call.created, call.id


def newest_of(calls: CallHistory[OpenPhoneCall], before: Moment) -> Iterator[OpenPhoneCall]:
    """The calls, newest creation first, from behind the moment on."""
    view = calls.view("creation", moment)
    return (calls.find(view.at(place)) for place in range(view.position(before) - 1, -1, -1))


class OpenPhoneHistory(CallHistory[OpenPhoneCall]):
    """All calls by id and by conversation, and each line's conversations by activity.

    A conversation whose id is in `hidden` is not listed by v1. `calls` are those that v1 knows,
    `unlisted` those that it does not; the dated API lists both.
    """

    def __init__(
        self, author: OpenPhoneAuthor, count: int, now: int, beside: UnlistedAuthor | None = None
    ) -> None:
        super().__init__(author, count, now)
        share = 0 if beside is None else count // UNLISTED_SHARE
        self.unlisted: CallHistory[OpenPhoneCall] = CallHistory(
            beside or UnlistedAuthor(0), share, now
        )
        self._adds_unlisted = beside is not None
        self._rng = Random(f"openphone landings:{count}")
        self._recent = deque(self.calls, RECENT)
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
        if call.conversation.unlisted:
            self.unlisted.put(call)
            return
        old = self.calls.get(call.id)
        if old is None:
            self._recent.append(call.id)
        else:
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
        if identifier in self.unlisted.calls:
            return self.unlisted.remove(identifier)
        call = super().remove(identifier)
        self._drop(call)
        return call

    def find(self, identifier: str) -> OpenPhoneCall:
        """See `CallHistory`."""
        return self.unlisted.calls.get(identifier) or super().find(identifier)

    def advance(self, step: Step) -> None:
        """See `CallHistory`: what was long in coming comes, and unlisted calls live too."""
        for call in self._awaited(step.after)[: step.changed // LANDING_SHARE]:
            self.land(call, instant(self._rng, step))
        super().advance(step)
        if self._adds_unlisted:
            share = (one // UNLISTED_SHARE for one in (step.new, step.changed))
            few = (min(1, one) for one in (step.deleted, step.late))
            self.unlisted.advance(Step(step.before, step.after, *share, *few))

    def land(self, call: OpenPhoneCall, at: int) -> None:
        """What is still to come of a call has come; v1's lists show no trace of it."""
        landed = call._replace(landed=max(at, call.created))
        if call.conversation.unlisted:
            self.unlisted.put(landed)
        else:
            super().put(landed)

    def newest_of_all(self, before: Moment) -> Iterator[OpenPhoneCall]:
        """Calls of the whole workspace, newest creation first, from behind the moment on."""
        runs = [newest_of(calls, before) for calls in (self, self.unlisted)]
        return merge(*runs, key=moment, reverse=True)

    def _awaited(self, now: int) -> list[OpenPhoneCall]:
        recent = [self.calls[i] for i in self._recent if i in self.calls]
        return [
            call
            for call in (*recent, *self.unlisted.calls.values())
            if call.created > now - LONGEST_LANDING and is_unfinished(call)
        ]

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
