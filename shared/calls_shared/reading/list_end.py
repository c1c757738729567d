"""`ListEnd`: how a list ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ListEnd:
    """How a list ended.

    Attributes:
        walled: whether the provider lists no more although it announces a page or more: all pages
            that hold records are full, and what is announced behind them is refused or empty.
            (Where rows are taken out of the pages, the last one may well be the largest.)
        announced: the number of records that it announced last, if it did.
        walled_at: where it is read in windows of time, the last second (RFC 3339) of each that
            meets the wall however short it is.
    """

    walled: bool = False
    announced: int | None = None
    walled_at: tuple[str, ...] = ()
