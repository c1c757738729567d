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

from calls_shared.error_mapping.body import parsed
from calls_shared.paths import field


def whole_number(body: Any, path: str) -> int | None:
    """A non-negative whole number in a body, also as digits in a text; None if there is none."""
    value = field(path)(body) if path and isinstance(body, Mapping) else None
    if isinstance(value, str) and value.strip().isdecimal() and value.isascii():
        value = int(value.strip()[:18])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def announced_total(strategy: object, response: requests.Response) -> int | None:
    """The number of records that an answer announces, where the strategy says at which path."""
    return strategy.total(response) if isinstance(strategy, _Pages) else None


def may_go_on(strategy: object, response: requests.Response, size: int) -> bool:
    """Whether a page of so many records shows that another one may follow."""
    return strategy.may_go_on(response, size) if isinstance(strategy, _Pages) else size > 0


@dataclass(kw_only=True)
class _Pages(PaginationStrategy):
    """What the three have in common.

    Attributes:
        page_size: records a page that are asked for; a server may silently cut it.
        total_at: path of the number of records, where one is announced.
    """

    page_size: int | None = None
    total_at: str = ""

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
        return self._after(response, last_page_size, last_page_token_value)

    def _after(self, response: requests.Response, size: int, token: Any | None) -> Any | None:
        return self.named_by(response)

    def named_by(self, response: requests.Response) -> Any | None:
        """What an answer names as the next page's token, or None."""
        raise NotImplementedError

    def total(self, response: requests.Response) -> int | None:
        """The number of records that an answer announces, or None."""
        return whole_number(parsed(response), self.total_at)

    def may_go_on(self, response: requests.Response, size: int) -> bool:
        """Whether a page of so many records shows that another one may follow."""
        return size >= (self.page_size or 1)

    def get_page_size(self) -> int | None:
        """Records a page; None where a link says it."""
        return self.page_size


@dataclass(kw_only=True)
class PageNumbers(_Pages):
    """Pages by number, from 1 on. What the answers announce are hints (`NumberedList`).

    Attributes:
        page_size: records a page that are asked for; a server may silently cut it.
        total_at: path of the number of records.
        page_count_at: path of the number of pages.
    """

    page_count_at: str = ""

    def _after(self, response: requests.Response, size: int, token: Any | None) -> int | None:
        """The next page's number, or None after an empty page.

        Only the test read of Airbyte's Builder asks for it: it puts a paginator of its own, which
        ends after some pages, in front of ours.
        """
        return int(token or 1) + 1 if size else None

    def last_page(self, response: requests.Response, in_force: int) -> int | None:
        """The number of the last page that an answer announces, the larger of its two hints.

        Args:
            response: the answer.
            in_force: the largest number of records that a page held so far.
        """
        pages = whole_number(parsed(response), self.page_count_at)
        total, size = self.total(response), in_force or self.page_size
        counted = None if total is None or not size else -(-total // size)
        return max((hint for hint in (pages, counted) if hint is not None), default=None)


@dataclass(kw_only=True)
class NextLink(_Pages):
    """Pages by a link in the answer. The transport sees to it that it is the provider's own.

    Attributes:
        link_at: path of the link.
        total_at: path of the number of records, where there is one.

    Raises:
        AirbyteTracedException: (transient_error) on a link that is no text.
    """

    link_at: str

    def may_go_on(self, response: requests.Response, size: int) -> bool:
        """Whether it names another page; a link has no size of its own."""
        return self.named_by(response) is not None

    def named_by(self, response: requests.Response) -> str | None:
        """The link as given."""
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


@dataclass(kw_only=True)
class PageToken(_Pages):
    """Pages by an opaque token in the answer, until there is none.

    Attributes:
        token_at: path of the token.
        page_size: records a page.
        total_at: path of the number of records, where there is one.
    """

    token_at: str

    def named_by(self, response: requests.Response) -> Any | None:
        """The token as given."""
        token = field(self.token_at)(parsed(response))
        return token if token not in (None, "") else None
