"""`ListOrder`: the order in which a list comes, as far as its pages show it."""

from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=1)


class ListOrder:
    """Watches a moment of a list's records, such as the creation, in the order in which they come.

    Attributes:
        newest_first: whether no record was newer than an earlier one, but for a minute.
        oldest: the oldest moment (RFC 3339).
    """

    def __init__(self) -> None:
        self.newest_first = True
        self.oldest: str | None = None
        self._oldest_key = ""

    def call(self, moment: str | None) -> None:
        """Take in the next record's moment; one without it contradicts any order."""
        if moment is None:
            self.newest_first = False
            return
        key = moment[:-1]
        if key < self._oldest_key or self.oldest is None:
            self.oldest, self._oldest_key = moment, key
        elif self.newest_first and key != self._oldest_key:
            ahead = datetime.fromisoformat(moment) - datetime.fromisoformat(self.oldest)
            self.newest_first = ahead <= TOLERANCE
