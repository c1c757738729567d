"""Windows of time: how they are asked for, halved, and walked through."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from airbyte_cdk.sources.types import StreamSlice
from hypothesis import given, settings
from hypothesis import strategies as st

from calls_shared.reading.list_end import ListEnd
from calls_shared.reading.windows import Window, WindowOptions, Windows, WindowWalk, of_window

NOW = datetime(2026, 1, 31, tzinfo=UTC)
T = int(NOW.timestamp())
FIRST = 631_152_000  # 1990
SOURCE = {"from": "since", "to": "until", "unit": "seconds", "wall": 100}
EPOCH = "1970-01-01T00:00:"
WINDOWS = Windows("since", "until", "seconds", 100)


def test_windows_of_a_manifest() -> None:
    assert Windows.of({}) is None
    assert Windows.of(SOURCE) == WINDOWS


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"form": "x"}, "exactly the keys from, to, unit and wall"),
        ({"unit": "days"}, "must be one of seconds, milliseconds"),
        ({"wall": 0}, "number of records"),
        ({"wall": True}, "number of records"),
        ({"wall": "100"}, "number of records"),
    ],
)
def test_windows_that_a_manifest_cannot_have(change: dict[str, Any], fragment: str) -> None:
    with pytest.raises(ValueError, match=fragment):
        Windows.of({**SOURCE, **change})


def test_a_missing_key_of_windows() -> None:
    with pytest.raises(ValueError, match="exactly the keys"):
        Windows.of({key: value for key, value in SOURCE.items() if key != "unit"})


@pytest.mark.parametrize(
    ("unit", "window", "parameters"),
    [
        ("seconds", Window(), {}),
        ("seconds", Window(None, T), {"until": f"{T}"}),
        ("seconds", Window(T, None), {"since": f"{T}"}),
        ("seconds", Window(T, T + 1), {"since": f"{T}", "until": f"{T + 1}"}),
        ("milliseconds", Window(T, T + 1), {"since": f"{T}000", "until": f"{T + 1}000"}),
        ("seconds", Window(0, 5), {"since": "0", "until": "5"}),
        ("date-time", Window(0, 5), {"since": f"{EPOCH}00Z", "until": f"{EPOCH}05Z"}),
        ("date-time", Window(-62_135_596_800), {"since": "0001-01-01T00:00:00Z"}),
    ],
)
def test_the_bounds_travel_as_request_parameters(
    unit: str, window: Window, parameters: dict[str, str]
) -> None:
    options = WindowOptions(Windows("since", "until", unit, 100))
    whole = StreamSlice(partition={"p": 1}, cursor_slice={}, extra_fields={"more": 2})
    part = of_window(whole, window)
    assert options.get_request_params(stream_slice=part) == parameters
    assert options.get_request_params(stream_slice=whole) == {}
    assert options.get_request_params(stream_slice=None) == {}
    assert options.get_request_headers(stream_slice=part) == {}
    assert (part.partition, part.extra_fields["more"]) == ({"p": 1}, 2)


@pytest.mark.parametrize(
    ("window", "halves"),
    [
        (Window(), (Window(None, (FIRST + T) // 2), Window((FIRST + T) // 2, None))),
        (Window(None, FIRST + 10), (Window(None, FIRST + 5), Window(FIRST + 5, FIRST + 10))),
        (Window(100, 110), (Window(100, 105), Window(105, 110))),
        (Window(100, 103), (Window(100, 101), Window(101, 103))),
        (Window(100, 102), (Window(100, 101), Window(101, 102))),
        (Window(100, 101), None),
        (Window(100, 100), None),
        (Window(T - 10, None), (Window(T - 10, T - 5), Window(T - 5, None))),
        (Window(None, FIRST + 1), None),
        (Window(None, 5), None),
    ],
)
def test_halves(window: Window, halves: tuple[Window, Window] | None) -> None:
    assert window.halves(NOW) == halves


def test_what_lies_ahead_of_now_is_halved_too() -> None:
    older, newer = Window(T - 1, None).halves(NOW) or (Window(), Window())
    assert older.first == T - 1
    assert newer == Window(older.last, None)
    assert (older.last or 0) > T + 1_000_000_000
    window, steps = newer, 0
    while (found := window.halves(NOW)) is not None:
        window, steps = found[1], steps + 1
    assert steps < 50


@dataclass
class Provider:
    """Lists calls by their moments, up to a wall; one without a moment under no lower bound."""

    moments: list[int | None]
    wall: int
    is_cut: bool
    asked: list[Window] = field(default_factory=list)

    def list(self, window: Window) -> tuple[list[int], int]:
        """The places of the calls that are listed, and the number that is announced."""
        self.asked.append(window)
        found = [
            place
            for place, moment in sorted(
                enumerate(self.moments), key=lambda entry: (entry[1] or -1, entry[0])
            )
            if (window.first is None or (moment is not None and moment >= window.first))
            and (window.last is None or (moment or 0) <= window.last)
        ]
        return found[: self.wall], min(len(found), self.wall) if self.is_cut else len(found)


def walk(provider: Provider) -> tuple[list[int], ListEnd, list[Window]]:
    """The places in the order of a reading, how it ended, and the windows that were read."""
    windows = WindowWalk(Windows("from", "to", "seconds", provider.wall), NOW)
    places: dict[int, None] = {}
    whole: list[Window] = []
    announced = 0
    for window in windows:
        listed, announced = provider.list(window)
        if windows.is_too_large(announced):
            assert windows.close(announced) is False
            continue
        places |= dict.fromkeys(listed)
        assert windows.close(announced, len(listed)) is True
        whole.append(window)
    return list(places), windows.end(ListEnd(False, announced)), whole


MOMENTS = st.lists(
    st.none()
    | st.integers(0, 60)
    | st.integers(FIRST, FIRST + 200)
    | st.integers(T - 100_000, T + 100_000)
    | st.integers(T - 20, T + 20),
    max_size=60,
)


@settings(database=None, deadline=None, max_examples=300)
@given(moments=MOMENTS, wall=st.integers(2, 70), is_cut=st.booleans())
def test_a_walk_finds_all_but_what_a_window_of_one_second_hides(
    moments: list[int | None], wall: int, is_cut: bool
) -> None:
    provider = Provider(moments, wall, is_cut)
    places, end, whole = walk(provider)

    assert provider.asked[0] == Window()
    assert (whole[0].first, whole[-1].last) == (None, None)
    for older, newer in pairwise(whole):
        assert older.last == newer.first  # inclusive, and shared by the two
    missing = set(range(len(moments))) - set(places)
    assert bool(missing) <= end.walled
    if not end.walled:
        order = [moments[place] or -1 for place in places]
        assert order == sorted(order)  # the oldest window first
    # what the shortest windows list alone reaches the wall
    crowded = max((sum(m is None or m <= FIRST + 1 for m in moments), *counts(moments)), default=0)
    assert end.walled <= (crowded >= wall)
    assert (len(whole) == 1) is (len(provider.asked) == 1)


def counts(moments: list[int | None]) -> list[int]:
    """How many calls there are in each two neighbouring seconds."""
    given = [moment for moment in moments if moment is not None]
    return [sum(moment <= other <= moment + 1 for other in given) for moment in given]


def test_exactly_as_many_as_the_wall_are_a_wall() -> None:
    moments: list[int | None] = [T - 1000 * number for number in range(100)]
    assert len(walk(Provider(moments, 101, is_cut=True))[2]) == 1
    places, end, whole = walk(Provider(moments, 100, is_cut=True))
    assert len(whole) > 1
    assert (len(places), end) == (100, ListEnd(False, None, ()))


def test_a_second_that_holds_as_many_as_the_wall_is_told() -> None:
    moments: list[int | None] = [T - 1000 * number for number in range(10)] + [T - 500] * 7
    _, end, whole = walk(Provider(moments, 5, is_cut=False))
    assert end.walled
    assert end.announced is None
    # the crowded second is the last of one window and the first of the next one
    assert end.walled_at == ("2026-01-30T23:51:40.000000Z", "2026-01-30T23:51:41.000000Z")
    crowded = Window(T - 501, T - 500), Window(T - 500, T - 499)
    assert [window for window in whole if window in crowded] == list(crowded)


def test_a_list_without_a_wall_ends_as_it_ended() -> None:
    walked = WindowWalk(WINDOWS, NOW)
    assert list(walked) == [Window()]
    assert walked.close(99, 99) is True
    assert walked.end(ListEnd(False, 99)) == ListEnd(False, 99)


@pytest.mark.parametrize(
    ("numbers", "walled", "is_whole"),
    [
        ((99, 99), False, True),
        ((None, 99), False, True),
        ((100, 0), False, False),
        ((None, 100), False, False),  # nothing is announced, but so many were listed
        ((50, 50), True, False),  # the wall is lower than the manifest says
    ],
)
def test_what_makes_a_window_too_large(
    numbers: tuple[int | None, int], walled: bool, is_whole: bool
) -> None:
    walked = WindowWalk(WINDOWS, NOW)
    assert next(iter(walked)) == Window()
    assert walked.close(*numbers, walled=walled) is is_whole
    assert walked.has_more is not is_whole
