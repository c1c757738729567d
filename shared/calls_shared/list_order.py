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

    def call(self, created: str | None) -> None:
        """Take in the next record's creation; one without a creation contradicts any order."""
        if created is None:
            self.newest_first = False
            return
        oldest = self.oldest
        if oldest is None or created[:-1] < oldest[:-1]:
            self.oldest = created
        elif self.newest_first and created != oldest:
            ahead = datetime.fromisoformat(created) - datetime.fromisoformat(oldest)
            self.newest_first = ahead <= TOLERANCE
