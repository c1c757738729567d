from typing import Any

import pytest

from calls_shared.normalization.dialogue import entries_in


def content(text: str) -> dict[str, Any]:
    return {"content": text}


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("[00:12] Ada: Hello", {"speaker": "Ada", "content": "Hello", "start_time": 12}),
        ("00:12 Ada: Hello", {"speaker": "Ada", "content": "Hello", "start_time": 12}),
        ("[1:02:03] Ada: Hello", {"speaker": "Ada", "content": "Hello", "start_time": 3723}),
        ("61:03.5 A B: a: b", {"speaker": "A B", "content": "a: b", "start_time": 3663.5}),
        ("  [00:12]  Ada:  Hello \r", {"speaker": "Ada", "content": "Hello", "start_time": 12}),
        ("[00:00] Ada: 0", {"speaker": "Ada", "content": "0", "start_time": 0}),
        # what is not clear stands whole
        ("[00:12] Hello", content("[00:12] Hello")),
        ("Ada: Hello", content("Ada: Hello")),
        ("[00:12 Ada: Hello", content("[00:12 Ada: Hello")),
        ("00:12] Ada: Hello", content("00:12] Ada: Hello")),
        ("00:61 Ada: Hello", content("00:61 Ada: Hello")),
        ("00:12 10:30 is fine", content("00:12 10:30 is fine")),
        ("00:12 Ada:", content("00:12 Ada:")),
        (f"00:12 {'A' * 61}: Hello", content(f"00:12 {'A' * 61}: Hello")),
    ],
)
def test_a_line_is_taken_apart_where_it_is_clear(line: str, entry: dict[str, Any]) -> None:
    assert [*entries_in(line)] == [entry]
    assert [*entries_in([line])] == [entry]


def test_each_line_of_a_text_is_an_entry_but_for_empty_ones() -> None:
    text = "\n[00:01] Ada: Hi\r\n\n   \nBye\u2028Bye bye"
    assert [*entries_in(text)] == [
        {"speaker": "Ada", "content": "Hi", "start_time": 1},
        content("Bye"),
        content("Bye bye"),
    ]


@pytest.mark.parametrize(
    ("given", "entry"),
    [
        (
            {"speaker": "a", "speaker_label": "b", "text": "t", "start": 0, "end": 1.5},
            {
                "speaker": "a",
                "speaker_label": "b",
                "content": "t",
                "start_time": 0,
                "end_time": 1.5,
            },
        ),
        (
            {"name": "n", "role": "r", "content": "t"},
            {"speaker": "n", "speaker_label": "r", "content": "t"},
        ),
        ({"speaker_label": "b", "sentence": "t"}, {"speaker": "b", "content": "t"}),
        (
            {"text": "t", "start_time": "1", "start": 2, "end": True},
            {"content": "t", "start_time": 2},
        ),
        ({"speaker": {"id": 1}, "text": "t"}, content("t")),
        ({"p": [1, "é"]}, content('{"p": [1, "é"]}')),
        ({"text": ""}, content('{"text": ""}')),
        (7, content("7")),
        (0, content("0")),
        (False, content("false")),
    ],
)
def test_what_looks_like_speaker_and_text_is_taken(given: Any, entry: dict[str, Any]) -> None:
    assert [*entries_in([given])] == [entry]


@pytest.mark.parametrize("nothing", [None, "", "  \n", [], {}, [{}], [None, "", {}, [], " "]])
def test_nothing_is_no_entry(nothing: Any) -> None:
    assert [*entries_in(nothing)] == []
