import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls_shared.reading.seen import SeenIds, digest_of

PROPERTY = settings(database=None, deadline=None, max_examples=60)


@PROPERTY
@given(st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3)))
def test_it_is_a_set(added: list[str], asked: list[str]) -> None:
    seen, expected = SeenIds(), set[str]()
    for text in added:
        assert seen.add(digest_of(text)) is (text not in expected)
        expected.add(text)
    assert len(seen) == len(expected)
    assert [digest_of(text) in seen for text in added + asked] == [
        text in expected for text in added + asked
    ]


def test_many_ids_stay_small_and_exact() -> None:
    seen = SeenIds()
    for number in range(20_000):
        assert seen.add(digest_of(f"0193d9f5-1c2d-7b98-8c4d-{number:012d}"))
    for number in range(0, 20_000, 7):
        assert not seen.add(digest_of(f"0193d9f5-1c2d-7b98-8c4d-{number:012d}"))
    assert len(seen) == 20_000
    assert digest_of("0193d9f5-1c2d-7b98-8c4d-000000019999") in seen
    assert digest_of("0193d9f5-1c2d-7b98-8c4d-000000020000") not in seen


def test_an_id_takes_nine_bytes_at_any_number_of_them() -> None:
    seen, empty = SeenIds(), sum(map(sys.getsizeof, SeenIds()._shards))
    for count in range(1, 200_001):
        seen.add(digest_of(str(count)))
        if count % 20_000 == 0:
            taken = sum(map(sys.getsizeof, seen._shards)) - empty
            # a block of eight digests more in each of the shards
            assert taken < 9 * count + 64 * len(seen._shards)


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        # written down: a state holds sums of these, so they may never change
        ("", 0xB4B2797457A0A6E4),
        ("AC1", 0xFA6E5E16B4363D88),
        ("\u00e9", 0x2F19F3EF8BBF1ACB),
    ],
)
def test_a_digest_is_the_same_in_every_process(text: str, digest: int) -> None:
    assert digest_of(text) == digest


def test_half_a_character_has_a_digest_too() -> None:
    assert digest_of("\ud83d") != digest_of("\ud83e")
    assert 0 <= digest_of("\ud83d") < 2**64
