"""Pagination strategies: how the next page is found. Tokens travel as given, without Jinja."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.paginators.strategies.pagination_strategy import (
    PaginationStrategy,
)
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.body import parsed
from calls_shared.mapping import field


def whole_number(body: Any, path: str) -> int | None:
    """A non-negative whole number in a body, or None if there is none at the path."""
    value = field(path)(body) if path and isinstance(body, Mapping) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@dataclass
class PageNumbers(PaginationStrategy):
    """Pages by number, from 1 up to the last one that the answers announce.

    Attributes:
        page_size: records a page.
        page_count_at: path of the number of pages.
        total_at: path of the number of records, used where there is no number of pages.

    Where an answer announces neither, pages are read until one is empty. A short page never ends
    the reading: a server may silently cut the page size (Skipcall: INFERRED).
    """

    page_size: int
    page_count_at: str = ""
    total_at: str = ""

    @property
    def initial_token(self) -> int:
        """The first page's number."""
        return 1

    def page_count(self, response: requests.Response) -> int | None:
        """The number of pages that an answer announces, or None."""
        body = parsed(response)
        pages = whole_number(body, self.page_count_at)
        if pages is None and (total := whole_number(body, self.total_at)) is not None:
            pages = -(-total // self.page_size)
        return pages

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Any | None = None,
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> int | None:
        """The next page's number, or None after the last page."""
        page = int(last_page_token_value or 1)
        pages = self.page_count(response)
        more = page < pages if pages is not None else last_page_size > 0
        return page + 1 if more else None

    def get_page_size(self) -> int:
        """Records a page."""
        return self.page_size


@dataclass
class NextLink(PaginationStrategy):
    """Pages by a link in the answer. The transport sees to it that it is the provider's own.

    Attributes:
        link_at: path of the link.

    Raises:
        AirbyteTracedException: (transient_error) on a link that is no text.
    """

    link_at: str

    @property
    def initial_token(self) -> None:
        """There is no token for the first page."""
        return None

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Any | None = None,
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> str | None:
        """The link as given, or None after the last page."""
        link = field(self.link_at)(parsed(response))
        if link is None or link == "":
            return None
        if not isinstance(link, str):
            raise AirbyteTracedException(
                message="A page names the next one by a link that is no text, so that the pages"
                " after it could not be read. Run the sync again later.",
                internal_message=f"type of the link: {type(link).__name__}",
                failure_type=FailureType.transient_error,
            )
        return link

    def get_page_size(self) -> None:
        """None: the link says it."""


@dataclass
class PageToken(PaginationStrategy):
    """Pages by an opaque token in the answer, until there is none.

    Attributes:
        token_at: path of the token.
        page_size: records a page.
    """

    token_at: str
    page_size: int

    @property
    def initial_token(self) -> None:
        """There is no token for the first page."""
        return None

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Any | None = None,
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> Any | None:
        """The next page's token as given, or None after the last page."""
        token = field(self.token_at)(parsed(response))
        return token if token not in (None, "") else None

    def get_page_size(self) -> int:
        """Records a page."""
        return self.page_size
