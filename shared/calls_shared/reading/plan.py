"""`Plan`: whether the plan of a workspace refuses what is asked about its calls."""

import threading
from typing import Final

REFUSALS: Final = (402, 403)
"""What a provider answers, in its own envelope, for what a plan does not include."""

MOST_REFUSALS: Final = 20


class Plan:
    """Counts the refusals of one stream's requests; safe for several threads.

    As long as none of them was answered well, all of it may be refused: after `MOST_REFUSALS` no
    more are sent. What that many have told is not taken back by one that was under way.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused = self._found_nothing = 0
        self._is_answered = self._is_closed = False
        self._status = 0
        self._says = ""

    def answered(self) -> None:
        """Tell that a request was answered well."""
        with self._lock:
            self._is_answered = True

    def found_nothing(self) -> None:
        """Tell that there is nothing of what a request asked for; that is no refusal."""
        with self._lock:
            self._found_nothing += 1

    def refused(self, status: int, says: str) -> None:
        """Tell that a request was refused, in which words."""
        with self._lock:
            if not self._refused:
                self._status, self._says = status, says
            self._refused += 1
            if self._refused >= MOST_REFUSALS and not self._is_answered:
                self._is_closed = True

    @property
    def is_closed(self) -> bool:
        """Whether no more requests are to be sent."""
        return self._is_closed

    @property
    def refuses_all(self) -> bool:
        """Whether requests were refused and none was answered well; then no state may move."""
        with self._lock:
            return self._is_closed or (self._refused > 0 and not self._is_answered)

    @property
    def is_open(self) -> bool:
        """Whether it is not known yet: nothing was answered well, and not many found nothing."""
        with self._lock:
            return not self._is_answered and self._found_nothing < MOST_REFUSALS

    def sentence(self, message: str, stream: str, provider: str) -> str | None:
        """What is to be told of it, if anything.

        Args:
            message: what is told of a plan that refuses all; `{status}` and `{says}` are filled in.
            stream: its name for the user.
            provider: its name for the user.
        """
        says = self._says or "nothing more."
        if self.refuses_all:
            return message.format(status=self._status, says=says)
        if self._refused:
            return (
                f"{provider} refused {self._refused} of the requests for {stream} (HTTP"
                f" {self._status}) and answered others: its plan includes them for some calls only."
                f" The refused ones were skipped. {provider} says: {says}"
            )
        return None
