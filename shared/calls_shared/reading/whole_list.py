"""`WholeList`: the pages of a list from the first to the last one, or those of its windows."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests
from airbyte_cdk.sources.types import StreamSlice

from calls_shared.reading.extractor import PageRecords
from calls_shared.reading.pages import Page, PageReader, ReadingSoFar
from calls_shared.reading.pagination import NextLink, announced_total
from calls_shared.reading.readings import Readings
from calls_shared.reading.retriever import CallRetriever
from calls_shared.reading.windowed import WindowedReading
from calls_shared.reading.windows import WindowOptions, Windows, of_window


@dataclass(frozen=True)
class WholeList:
    """A list as its provider lists it.

    Attributes:
        reader: reads the pages of a slice.
        windows: how it is asked for by windows of time; null where it is not.
        stream_slice: the slice that it is.
    """

    reader: Callable[[StreamSlice], PageReader]
    windows: Windows | None
    stream_slice: StreamSlice

    def pages(
        self, readings: Readings, so_far: ReadingSoFar, ahead: Callable[[], int] | None = None
    ) -> Generator[Page, None, None]:
        """The pages of the list, or of its windows, the oldest first.

        Args:
            readings: what the records are for.
            so_far: what the reading knows of itself; how the list ended stands there afterwards.
            ahead: how many pages may be fetched at once, if fewer than usual.
        """
        reader = self._reader
        if self.windows is None:
            yield from reader.pages(so_far, ahead)
            return
        windowed = WindowedReading(
            self.windows,
            lambda window, so_far: self.reader(of_window(self.stream_slice, window)).pages(so_far),
            reader.strategy,
            reader.extractor,
            reader.provider,
            reader.stream,
        )
        yield from windowed.read(so_far, readings)

    def announced(self, response: requests.Response) -> tuple[int | None, int]:
        """How many records an answer announces, and how many of its own are null."""
        extractor = self._reader.extractor
        nulls = extractor.nulls(response) if isinstance(extractor, PageRecords) else 0
        return announced_total(self._reader.strategy, response), nulls

    @cached_property
    def _reader(self) -> PageReader:
        return self.reader(self.stream_slice)


def windows_of(retriever: CallRetriever, source: Mapping[str, Any]) -> Windows | None:
    """A manifest's windows (`Windows.of`), which a retriever's requests name from now on."""
    windows = Windows.of(source)
    if windows is not None:
        retriever.request_option_provider = WindowOptions(windows)
        # a link names its window itself
        retriever.ignore_stream_slicer_parameters_on_paginated_requests = isinstance(
            getattr(retriever.paginator, "pagination_strategy", None), NextLink
        )
    return windows
