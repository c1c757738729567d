"""`ListOrder`: the order in which a list comes, as far as its pages show it."""

from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=1)


class ListOrder:
    """Watches the creations of a list's records, in the order in which they come.

    Attributes:
        newest_first: whether no record was created after an earlier one, but for a minute.
        oldest: the oldest creation (RFC 3339).
    """

    def __init__(self) -> None:
        self.newest_first = True
        self.oldest: str | None = None
        self._oldest_key = ""

    def call(self, created: str | None) -> None:
        """Take in the next record's creation; one without a creation contradicts any order."""
        if created is None:
            self.newest_first = False
            return
        key = created[:-1]
        if key < self._oldest_key or self.oldest is None:
            self.oldest, self._oldest_key = created, key
        elif self.newest_first and key != self._oldest_key:
            ahead = datetime.fromisoformat(created) - datetime.fromisoformat(self.oldest)
            self.newest_first = ahead <= TOLERANCE
