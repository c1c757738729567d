"""`ListOrder`: the order in which a list comes, as far as its pages show it."""

from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=1)


class ListOrder:
    """Watches a moment of a list's records, such as the creation, in the order in which they come.

    Attributes:
        newest_first: whether no record was newer than an earlier one, but for a minute.
        oldest_first: whether no record was older than an earlier one, but for a minute.
        oldest, newest: the oldest and the newest moment (RFC 3339).
    """

    def __init__(self) -> None:
        self.newest_first = self.oldest_first = True
        self.oldest: str | None = None
        self.newest: str | None = None
        self._oldest_key = self._newest_key = ""

    @property
    def falls(self) -> bool:
        """Whether it is shown to come newest first: records of one minute show no direction."""
        return self.newest_first and not self.oldest_first

    @property
    def rises(self) -> bool:
        """Whether it is shown to come oldest first."""
        return self.oldest_first and not self.newest_first

    def call(self, moment: str | None) -> None:
        """Take in the next record's moment; one without it contradicts any order."""
        if moment is None:
            self.newest_first = self.oldest_first = False
            return
        key = moment[:-1]
        if self.oldest is None or self.newest is None:
            self.oldest = self.newest = moment
            self._oldest_key = self._newest_key = key
            return
        if key < self._oldest_key:
            self.oldest, self._oldest_key = moment, key
        elif self.newest_first and key != self._oldest_key:
            self.newest_first = _between(self.oldest, moment) <= TOLERANCE
        if key > self._newest_key:
            self.newest, self._newest_key = moment, key
        elif self.oldest_first and key != self._newest_key:
            self.oldest_first = _between(moment, self.newest) <= TOLERANCE


def _between(first: str, last: str) -> timedelta:
    return datetime.fromisoformat(last) - datetime.fromisoformat(first)
