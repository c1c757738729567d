"""`Wall`: where a provider lists no more, although there is more, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.normalization import times
from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.one_reading import Reading


@dataclass(frozen=True)
class Wall:
    """The wall that a reading of a list has met.

    Attributes:
        provider, stream: names for the user.
        reading: what was read.
        end: how the list ended.
    """

    provider: str
    stream: str
    reading: Reading
    end: ListEnd

    def hides_only_what_is_before(self, earliest: str) -> bool:
        """Whether a start date (a `lower_bound`; "" is none) lies inside of what is listed."""
        if self.end.walled_at:
            return earliest > times.sort_key(self.end.walled_at[-1])
        order = self.reading.order
        inside = order.oldest is not None and earliest > times.sort_key(order.oldest)
        return order.newest_first and inside

    @property
    def how_much_is_listed(self) -> str:
        """The beginning of a sentence: how much the provider lists."""
        announced, listed = self.end.announced, len(self.reading.seen)
        numbers = f"{listed} of {announced}" if announced else f"the first {listed}"
        known = f"{self.provider} lists only {numbers} {self.stream}"
        if self.end.walled_at:
            return f"{known}: it lists no more of one moment"
        return f"{known}, the newest" if self.reading.order.newest_first else known

    def failure(self) -> AirbyteTracedException:
        """The failure that a sync ends with: what was read, and what to do."""
        order, known = self.reading.order, self.how_much_is_listed
        what = "in a window of time" if self.end.walled_at else "newest first"
        last = self.end.walled_at[-1] if self.end.walled_at else order.oldest
        if last is not None and (self.end.walled_at or order.newest_first):
            day = datetime.fromisoformat(last) + timedelta(days=1)
            return AirbyteTracedException(
                message=f"{known}; set start_date to {day:%Y-%m-%d}T00:00:00Z or later."
                " What it lists was read.",
                internal_message=f"stream {self.stream}: a wall, {what}",
                failure_type=FailureType.config_error,
            )
        return AirbyteTracedException(
            message=f"{known}, and not the newest first, so that new ones may be hidden behind it."
            " What it lists was read. Ask it for a complete list.",
            internal_message=f"stream {self.stream}: a wall, not newest first",
            failure_type=FailureType.system_error,
        )
