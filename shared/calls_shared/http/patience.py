"""`Patience`: how long a request is tried, in a sync and in a check."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Patience:
    """How long a request is tried.

    Attributes:
        attempts: answers or faults of the kind `retry` before giving up.
        seconds: time since the first of them before giving up; what a provider names as a wait, and
            what the budget makes a request wait, does not count.
        first_pause, longest_pause: seconds of the growing pause between two attempts.
        connect, read, answer: time-outs in seconds: for the connection, for silence within an
            answer, and for an answer as a whole (a body that drips would else never end).
        whole: seconds for all requests of the command and all their waits; None is no bound.
    """

    attempts: int = 8
    seconds: float = 600.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    connect: float = 15.0
    read: float = 60.0
    answer: float = 180.0
    whole: float | None = None

    def scaled(self, factor: float) -> "Patience":
        """The same with every pause and time-out multiplied; for tests against the sandbox."""
        times = ("seconds", "first_pause", "longest_pause", "connect", "read", "answer")
        return replace(self, **{name: getattr(self, name) * factor for name in times})

    def within(self, seconds: float | None) -> "Patience":
        """The same with no time-out longer than so many seconds; None is no bound."""
        if seconds is None:
            return self
        return replace(
            self,
            connect=min(self.connect, seconds),
            read=min(self.read, seconds),
            answer=min(self.answer, seconds),
        )


CHECK_PATIENCE = Patience(
    attempts=3, seconds=30.0, connect=10.0, read=20.0, answer=30.0, whole=50.0
)
