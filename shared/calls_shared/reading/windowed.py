"""`WindowedReading`: one reading of a list in windows of time, each as large as the wall allows."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.reading.extractor import ids_of
from calls_shared.reading.pages import Page, ReadingSoFar
from calls_shared.reading.pagination import announced_total, may_go_on
from calls_shared.reading.readings import Readings
from calls_shared.reading.windows import Window, Windows, WindowWalk

_MOST_IN_VAIN: Final = 64  # full windows in a row without a new call; some 30 lead to one second


@dataclass(frozen=True)
class WindowedReading:
    """Reads a list window by window, the oldest first.

    Attributes:
        windows: how they are asked for.
        pages: the pages of one window; how its list ended stands in `so_far` afterwards.
        strategy: how the next page is found.
        extractor: what takes the records out of a page.
        provider, stream: names for the user.
    """

    windows: Windows
    pages: Callable[[Window, ReadingSoFar], Generator[Page, None, None]]
    strategy: Any
    extractor: Any
    provider: str
    stream: str

    def read(self, so_far: ReadingSoFar, readings: Readings) -> Iterator[Page]:
        """The pages of all windows; how the list ended stands in `so_far` afterwards.

        Raises:
            AirbyteTracedException: (system_error) if the windows make no difference; with the
                sentence for the user, on any other failure.
        """
        walk = WindowWalk(self.windows, datetime.now(UTC))
        in_vain = 0
        for window in walk:
            known = readings.known
            with closing(self.pages(window, so_far)) as pages:
                was_full = False  # a page; else what there is is all, whatever is announced
                for page in pages:
                    yield page  # also the one that shows a window too large: a check needs one
                    size = len(ids_of(self.extractor, page.response))
                    was_full = was_full or may_go_on(self.strategy, page.response, size)
                    announced = announced_total(self.strategy, page.response)
                    if was_full and walk.is_too_large(announced):
                        is_whole = walk.close(announced)
                        break
                else:
                    told = so_far.end.announced if was_full else None
                    walled = so_far.end.walled and was_full
                    is_whole = walk.close(told, readings.listed, walled=walled)
            in_vain = in_vain + 1 if was_full and readings.known == known else 0
            if in_vain > _MOST_IN_VAIN:
                raise self._same_in_every_window(readings.known)
            if walk.has_more:
                readings.next_window(so_far.end.announced, is_whole=is_whole)
        so_far.end = walk.end(so_far.end)

    def _same_in_every_window(self, known: int) -> AirbyteTracedException:
        return AirbyteTracedException(
            message=f"{self.provider} lists the same {self.stream} whatever window of time it is"
            f" asked for, so that no more than {known} can be reached. What it lists was read. Ask"
            " it for a way to list calls by time, or report it.",
            internal_message=f"stream {self.stream}: windows make no difference",
            failure_type=FailureType.system_error,
        )
