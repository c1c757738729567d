import pytest

from calls_shared.reading.list_order import ListOrder

NEWER, NEW, OLD = "2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("created", "newest_first", "oldest"),
    [
        ([], True, None),
        ([NEW], True, NEW),
        ([NEWER, NEW, OLD], True, OLD),
        ([NEW, NEW, NEW], True, NEW),
        ([OLD, NEW], False, OLD),
        ([NEW, OLD, NEW], False, OLD),
        ([NEW, OLD, NEWER, OLD], False, OLD),
        # one contradiction is one for good
        ([OLD, NEW, NEW, OLD, OLD], False, OLD),
        # a minute is no contradiction
        ([NEW, "2026-01-02T00:01:00Z", OLD], True, OLD),
        ([NEW, "2026-01-02T00:01:00.000001Z"], False, NEW),
        # but counted from the oldest, so that minutes do not add up
        ([NEW, "2026-01-02T00:00:50Z", "2026-01-02T00:01:40Z"], False, NEW),
        # fractions of any length
        (["2026-01-02T00:00:00.5Z", NEW], True, NEW),
        ([NEW, "2026-01-02T00:00:00.000Z"], True, NEW),
        # one without a creation contradicts any order
        ([NEWER, None, OLD], False, OLD),
        ([None], False, None),
    ],
)
def test_list_order(created: list[str | None], newest_first: bool, oldest: str | None) -> None:
    order = ListOrder()
    for moment in created:
        order.call(moment)
    assert (order.newest_first, order.oldest) == (newest_first, oldest)


@pytest.mark.parametrize(
    ("created", "falls", "rises"),
    [
        ([], False, False),
        ([NEW], False, False),
        ([NEWER, NEW], True, False),
        ([OLD, NEW], False, True),
        ([OLD, NEW, OLD], False, False),
        # what lies within a minute shows no direction
        ([NEW, "2026-01-02T00:01:00Z"], False, False),
        (["2026-01-02T00:01:00Z", NEW], False, False),
        (["2026-01-02T00:00:50Z", NEW, "2026-01-02T00:01:00Z", OLD], True, False),
        (["2026-01-02T00:00:50Z", NEW, "2026-01-02T00:01:00Z", NEWER], False, True),
        (["2026-01-02T00:01:00.000001Z", NEW], True, False),
        ([NEW, "2026-01-02T00:01:00.000001Z"], False, True),
        # nor do minutes add up
        (["2026-01-02T00:01:40Z", "2026-01-02T00:00:50Z", NEW], True, False),
        ([None], False, False),
        ([NEWER, None, OLD], False, False),
    ],
)
def test_the_direction_of_an_order(created: list[str | None], falls: bool, rises: bool) -> None:
    order = ListOrder()
    for moment in created:
        order.call(moment)
    assert (order.falls, order.rises) == (falls, rises)
