"""Read-ahead: the one clever thing in this package.

While a page is being parsed, the next ones are already being fetched. Pages come out in order, at
most `workers` of them are in memory, none past the last announced page is asked for, and a fault
surfaces at its page, after the records of all earlier pages.
"""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from calls_shared.http.places import MOST

Page = TypeVar("Page")


def pages_in_order(
    fetch: Callable[[int], Page],
    last_page: Callable[[Page], int | None],
    workers: Callable[[], int],
    first_page: int = 1,
) -> Generator[tuple[int, Page], None, None]:
    """Fetch numbered pages ahead, in a bounded pool; yield (number, page) in order.

    The first page is fetched alone, because it tells how many there are; nothing more is asked for
    until its caller comes back for the second (so that a check costs one request).

    Args:
        fetch: fetches one page; called from several threads.
        last_page: the last page's number that a page announces; None if it announces none, then
            the caller must stop the iteration itself and pages come one by one.
        workers: how many pages may be fetched at once; asked for each time, since it may change.
        first_page: the first page's number.
    """
    number = first_page
    page = fetch(number)
    yield number, page
    announced = last_page(page)
    if announced is not None and announced <= number:
        return
    # it makes threads as they are needed
    pool = ThreadPoolExecutor(max_workers=MOST, thread_name_prefix="read-ahead")
    ahead: deque[tuple[int, Future[Page]]] = deque()
    submitted = number
    try:
        while True:
            limit = submitted + 1 if announced is None and not ahead else announced or submitted
            while submitted < limit and len(ahead) < max(1, workers()):
                submitted += 1
                ahead.append((submitted, pool.submit(fetch, submitted)))
            if not ahead:
                return
            number, future = ahead.popleft()
            page = future.result()
            announced = last_page(page)
            yield number, page
    finally:
        for _, future in ahead:
            future.cancel()
        pool.shutdown(wait=False, cancel_futures=True)
