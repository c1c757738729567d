import sys

from calls_shared.seen import SeenIds
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(database=None, deadline=None, max_examples=60)


@PROPERTY
@given(st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3)))
def test_it_is_a_set(added: list[str], asked: list[str]) -> None:
    seen, expected = SeenIds(), set(added)
    for text in added:
        seen.add(text)
    assert len(seen) == len(expected)
    assert [text in seen for text in added + asked] == [text in expected for text in added + asked]


def test_many_ids_stay_small_and_exact() -> None:
    seen = SeenIds()
    for number in range(20_000):
        seen.add(f"0193d9f5-1c2d-7b98-8c4d-{number:012d}")
    for number in range(0, 20_000, 7):
        seen.add(f"0193d9f5-1c2d-7b98-8c4d-{number:012d}")
    assert len(seen) == 20_000
    assert "0193d9f5-1c2d-7b98-8c4d-000000019999" in seen
    assert "0193d9f5-1c2d-7b98-8c4d-000000020000" not in seen
    # a set of these texts takes two megabytes; repeats may take their eight bytes until counted
    assert sum(sys.getsizeof(bucket) for bucket in seen._buckets) < 1_000_000
