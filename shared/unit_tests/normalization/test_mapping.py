from typing import Any

import pytest

from calls_shared.normalization.converters import UNREADABLE
from calls_shared.normalization.fields import value_at
from calls_shared.normalization.mapping import MappingError, compile_column, plain_field
from calls_shared.paths import field

UUID7 = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"  # the example of RFC 9562, appendix A.6


def read(
    source: dict[str, Any],
    record: dict[str, Any],
    extra: dict[str, Any] | None = None,
    name: str = "notes",
    kind: str = "string",
) -> Any:
    return compile_column(name, kind, source)(record, extra or {})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", 1),
        ("b.c", 2),
        ("b.d.e", [3]),
        ("b", {"c": 2, "d": {"e": [3]}}),
        ("missing", None),
        ("b.missing", None),
        ("missing.c", None),
        ("a.c", None),
        ("b.d.e.f", None),
        ("b.c.0", None),
    ],
)
def test_field(path: str, expected: Any) -> None:
    assert field(path)({"a": 1, "b": {"c": 2, "d": {"e": [3]}}}) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a": {"b": {"c": "x"}}}, "x"),
        ({"a": {"b": {}}}, None),
        ({"a": {"b": None}}, None),
        ({"a": {}}, None),
        ({"a": None}, None),
        ({}, None),
        # another type than an object; an empty one says nothing
        ({"a": "x"}, UNREADABLE),
        ({"a": {"b": "x"}}, UNREADABLE),
        ({"a": {"b": ["x"]}}, UNREADABLE),
        ({"a": {"b": 0}}, UNREADABLE),
        ({"a": False}, UNREADABLE),
        ({"a": ""}, None),
        ({"a": {"b": []}}, None),
    ],
)
def test_value_at(record: dict[str, Any], expected: Any) -> None:
    assert value_at("a.b.c")(record) == expected
    assert read({"from": "a.b.c"}, record) == expected
    assert read({"join": ["a.b.c", "d"]}, record) == expected
    assert read({"from": ["d", "a.b.c"]}, record) == expected


@pytest.mark.parametrize("kind", ["string", "timestamp", "integer", "boolean"])
def test_a_changed_type_on_the_way_is_unreadable_in_a_column_of_any_kind(kind: str) -> None:
    assert read({"from": "a.b"}, {"a": "2026-01-01T00:00:00Z"}, kind=kind) is UNREADABLE
    assert read({"from": "a.b"}, {"a": 5}, name="status") is UNREADABLE
    assert read({"latest": ["a.b", "c"]}, {"a": 5, "c": 1734537437}) is UNREADABLE


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", 5, "5"),
        ("timestamp", 1734537437, "2024-12-18T15:57:17Z"),
        ("integer", "63", 63),
        ("boolean", False, False),
        ("string", False, UNREADABLE),
        ("timestamp", "soon", UNREADABLE),
        ("integer", -1, UNREADABLE),
        ("boolean", 0, UNREADABLE),
        ("string", "", None),
        ("timestamp", None, None),
    ],
)
def test_the_kind_of_a_column_chooses_the_converter(kind: str, value: Any, expected: Any) -> None:
    assert read({"from": "x"}, {"x": value}, kind=kind) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a": "one", "b": {"c": "two"}}, "one"),
        ({"a": None, "b": {"c": "two"}}, "two"),
        ({"a": "", "b": {"c": "two"}}, "two"),
        ({"a": ["garbled"], "b": {"c": "two"}}, "two"),
        ({"a": ["garbled"], "b": {"c": None}}, UNREADABLE),
        ({"b": {"c": ["garbled"]}}, UNREADABLE),
        ({}, None),
    ],
)
def test_from_several_paths_takes_the_first_readable(record: dict[str, Any], expected: Any) -> None:
    assert read({"from": ["a", "b.c"]}, record) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"p": {"first": "Ada", "last": "Lovelace"}}, "Ada Lovelace"),
        ({"p": {"last": "Lovelace"}}, "Lovelace"),
        ({"p": None}, None),
        ({"p": {"first": {}, "last": "Lovelace"}}, UNREADABLE),
    ],
)
def test_join(record: dict[str, Any], expected: Any) -> None:
    assert read({"join": ["p.first", "p.last"]}, record) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a": "2026-01-01T00:00:00.9Z", "b": "2026-01-01T00:00:01Z"}, "2026-01-01T00:00:01Z"),
        ({"a": "2026-01-02T00:00:00Z", "b": "2026-01-01T00:00:00Z"}, "2026-01-02T00:00:00Z"),
        ({"a": "2026-01-02T00:00:00Z", "b": None}, "2026-01-02T00:00:00Z"),
        ({"a": 0, "b": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        ({"a": "0001-01-01T00:00:00Z", "b": "1970-01-01T00:00:00Z"}, None),
        # one that cannot be read might be the last
        ({"a": "garbled", "b": "2026-01-01T00:00:00Z"}, UNREADABLE),
        ({"a": "2026-01-01T00:00:00Z", "b": "garbled"}, UNREADABLE),
        ({"a": "garbled", "b": None}, UNREADABLE),
        ({"a": None}, None),
    ],
)
def test_latest(record: dict[str, Any], expected: Any) -> None:
    assert read({"latest": ["a", "b"]}, record, kind="timestamp") == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"id": UUID7, "start": "2026-01-01T00:00:00Z"}, "2022-02-22T19:22:22.000Z"),
        ({"id": "other", "start": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        (
            {"id": "ffffffff-ffff-7fff-8fff-ffffffffffff", "start": 1734537437},
            "2024-12-18T15:57:17Z",
        ),
        (
            {"id": "00000000-0001-7000-8000-000000000000", "start": 1734537437},
            "2024-12-18T15:57:17Z",
        ),
        ({"id": "00000000-0001-7000-8000-000000000000", "start": 0}, None),
        ({"id": "other", "start": "garbled"}, UNREADABLE),
        ({"id": "other"}, None),
    ],
)
def test_uuid7_then_from(record: dict[str, Any], expected: Any) -> None:
    assert read({"uuid7": "id", "from": "start"}, record, kind="timestamp") == expected


def test_uuid7_alone() -> None:
    assert read({"uuid7": "id"}, {"id": "other"}, kind="timestamp") is None
    assert read({"uuid7": "id"}, {"id": UUID7}, kind="timestamp") == "2022-02-22T19:22:22.000Z"


def test_from_slice_reads_the_slice_and_not_the_record() -> None:
    source = {"from_slice": "parent.id"}
    assert read(source, {"parent": {"id": "record"}}, {"parent": {"id": "CN1"}}) == "CN1"
    assert read(source, {"parent": {"id": "record"}}) is None
    assert read(source, {}, {"parent": {"id": ["CN1"]}}) is UNREADABLE


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("missed", "no-answer"),
        ("queued", "queued"),
        ("ringing", "ringing"),
        ("in-progress", "in-progress"),
        ("completed", "completed"),
        ("no-answer", "no-answer"),
        ("canceled", "canceled"),
        ("failed", "failed"),
        ("forwarded", "forwarded"),
        ("Completed", "completed"),
        ("completed ", "completed"),
        ("CANCELLED", "canceled"),
        ("In_Progress", "in-progress"),
        ("NO ANSWER", "no-answer"),
        ("no _ answer", "no-answer"),
        ("Left Early", "no-answer"),  # the manifest's own
        ("left-early", "no-answer"),
        ("busy", "failed"),  # the manifest's own word comes first
        ("com pleted", "unknown"),
        ("unknown", "unknown"),
        (7, "unknown"),
        (None, None),
        ("", None),
        ({}, UNREADABLE),
    ],
)
def test_words_of_status(word: Any, expected: Any) -> None:
    source = {"from": "state", "words": {"left_early": "no-answer", "Busy": "failed"}}
    assert read(source, {"state": word}, name="status") == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("incoming", "inbound"),
        ("inbound", "inbound"),
        ("outbound", "outbound"),
        ("Outgoing", "outbound"),
        ("outbound_api", "outbound"),
        ("INBOUND", "inbound"),
        ("to us", "inbound"),
        ("internal", None),
        (None, None),
        (["inbound"], UNREADABLE),
    ],
)
def test_words_of_direction(word: Any, expected: Any) -> None:
    source = {"from": "type", "words": {"to us": "inbound"}}
    assert read(source, {"type": word}, name="direction") == expected


CASES = {
    "cases": [
        {"value": "completed", "equals": {"answered": True}, "present": ["duration"]},
        {"value": "robot", "equals": {"by.kind": "ai", "answered": True}},
        {"value": "person", "present": ["by.name"]},
    ]
}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"answered": True, "duration": 5}, "completed"),
        ({"answered": True, "duration": 0}, "completed"),  # 0 is a value
        ({"answered": True, "duration": None}, None),
        ({"answered": True, "duration": ""}, None),
        ({"answered": 1, "duration": 5}, None),  # 1 is not true
        ({"answered": "True", "duration": 5}, None),
        ({"answered": False, "duration": 5}, None),
        ({"answered": True, "by": {"kind": "ai"}}, "robot"),
        ({"answered": True, "by": {"kind": "ai", "name": "Ada"}}, "robot"),  # the first case met
        ({"answered": False, "by": {"kind": "ai", "name": "Ada"}}, "person"),
        ({"by": {"name": ""}}, None),
        ({}, None),
    ],
)
def test_cases(record: dict[str, Any], expected: Any) -> None:
    assert read(CASES, record, name="answered_by_type") == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"state": "answered", "end": "2026"}, "completed"),
        ({"state": "answered", "end": None}, "in-progress"),
        ({"state": "busy", "end": "2026"}, "busy"),
        ({"state": None, "end": "2026"}, None),
    ],
)
def test_cases_stand_before_the_other_source(record: dict[str, Any], expected: Any) -> None:
    source = {
        "from": "state",
        "words": {"answered": "in-progress"},
        "cases": [{"value": "completed", "equals": {"state": "answered"}, "present": ["end"]}],
    }
    assert read(source, record, name="status") == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"contact": {"id": "C1", "isUnknown": True}}, None),
        ({"contact": {"id": "C1", "isUnknown": False}}, "C1"),
        ({"contact": {"id": "C1", "isUnknown": None}}, "C1"),
        ({"contact": {"id": "C1", "isUnknown": 1}}, "C1"),
        ({"contact": {"id": "C1", "isUnknown": "true"}}, "C1"),
        ({"contact": {"id": "C1"}}, "C1"),
        ({"contact": {"id": ["C1"], "isUnknown": True}}, None),
        ({"contact": None}, None),
    ],
)
def test_unless(record: dict[str, Any], expected: Any) -> None:
    source = {"from": "contact.id", "unless": "contact.isUnknown"}
    assert read(source, record, name="contact_id") == expected


@pytest.mark.parametrize(
    ("name", "kind", "source", "message"),
    [
        ("notes", "string", {"form": "x"}, "column notes: unknown key 'form' in its mapping"),
        ("notes", "string", {"from": "x", "as": "text"}, "column notes: unknown key 'as'"),
        ("notes", "string", {}, "column notes: its mapping does not say where to read it from"),
        ("notes", "string", {"unless": "x"}, "column notes: its mapping does not say where"),
        ("user_id", "object", {"from": "x"}, "column user_id: a column of kind 'object'"),
        *(
            (
                "answered_by_type",
                "string",
                {"cases": [{"value": "ai"}, case]},
                "column answered_by_type: a case has value, equals and present only",
            )
            for case in ({"present": ["x"]}, {"value": "ai", "equal": {"x": 1}})
        ),
        (
            "notes",
            "string",
            {"from": "x", "words": {"a": "b"}},
            "column notes: only status and direction have words",
        ),
    ],
)
def test_a_mapping_that_cannot_be_compiled_names_the_column(
    name: str, kind: str, source: dict[str, Any], message: str
) -> None:
    with pytest.raises(MappingError) as caught:
        compile_column(name, kind, source)
    assert str(caught.value).startswith(message)


# --- lists ---


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"comments": [{"content": "One."}, {"content": "Two."}]}, "One. Two."),
        ({"comments": [{"content": None}, {"content": "Two."}, None]}, "Two."),
        ({"comments": []}, None),
        ({"comments": None}, None),
        ({"comments": ""}, None),
        ({}, None),
        ({"comments": {"content": "One."}}, UNREADABLE),
        ({"comments": ["One."]}, UNREADABLE),
        ({"comments": [{"content": ["One."]}]}, UNREADABLE),
    ],
)
def test_join_reads_each_item_of_a_list(record: dict[str, Any], expected: Any) -> None:
    assert read({"join": ["comments[].content"]}, record) == expected


def test_join_reads_a_list_beside_a_field_and_lists_in_lists() -> None:
    record = {"notes": "First.", "parts": [{"texts": ["a", "b"]}, {"texts": ["c"]}]}
    assert read({"join": ["notes", "parts[].texts[]"]}, record) == "First. a b c"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"transcript": [{"speaker": "Ada", "text": "Hi."}], "old": "x"}, "Ada: Hi."),
        ({"transcript": [], "old": "x"}, "x"),
        ({"transcript": None, "old": "x"}, "x"),
        ({"old": "x"}, "x"),
        ({"transcript": 5, "old": "x"}, "x"),
        ({"transcript": 5}, UNREADABLE),
    ],
)
def test_dialogue_comes_before_the_text(record: dict[str, Any], expected: Any) -> None:
    source = {"dialogue": "transcript", "from": "old"}
    found = read(source, record, name="transcript")
    assert found == expected or (expected is UNREADABLE and found is None)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1786302000523, "milliseconds", "2026-08-09T19:00:00.523Z"),
        ("1786302000523", "milliseconds", "2026-08-09T19:00:00.523Z"),
        ("1786302000523.25", "milliseconds", "2026-08-09T19:00:00.523250Z"),
        (1786302000, "seconds", "2026-08-09T19:00:00Z"),
        ("1786302000", "seconds", "2026-08-09T19:00:00Z"),
        (1786302000.5, "seconds", "2026-08-09T19:00:00.500000Z"),
        # what `timestamp` would take for seconds
        (99_999_999_999, "milliseconds", None),
        (700_000_000_000, "milliseconds", "1992-03-07T20:26:40.000Z"),
        (0, "milliseconds", None),
        ("0", "seconds", None),
        (-5, "milliseconds", None),
        ("", "milliseconds", None),
        (None, "milliseconds", None),
        ("2026-08-09T19:00:00Z", "milliseconds", "2026-08-09T19:00:00Z"),
        ("soon", "milliseconds", UNREADABLE),
        (True, "milliseconds", UNREADABLE),
        ({}, "milliseconds", UNREADABLE),
        (10**30, "milliseconds", UNREADABLE),
        (float("nan"), "seconds", UNREADABLE),
        (float("inf"), "seconds", UNREADABLE),
    ],
)
def test_times_that_are_counted(value: Any, unit: str, expected: Any) -> None:
    read = compile_column("started_at", "timestamp", {"from": "at", "unit": unit})
    assert read({"at": value}, {}) == expected
    latest = compile_column("updated_at", "timestamp", {"latest": ["at", "no"], "unit": unit})
    assert latest({"at": value}, {}) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (96647.25, "milliseconds", 96),
        ("96647", "milliseconds", 96),
        (999, "milliseconds", 0),
        (0, "milliseconds", 0),
        (61.9, "seconds", 61),
        ("61", "seconds", 61),
        (None, "milliseconds", None),
        ("", "milliseconds", None),
        (-1, "milliseconds", UNREADABLE),
        ("1:30", "milliseconds", UNREADABLE),
        (True, "milliseconds", UNREADABLE),
        (float("nan"), "milliseconds", UNREADABLE),
        (float("inf"), "milliseconds", UNREADABLE),
    ],
)
def test_durations_that_are_counted(value: Any, unit: str, expected: Any) -> None:
    read = compile_column("duration_seconds", "integer", {"from": "took", "unit": unit})
    assert read({"took": value}, {}) == expected
    plain = plain_field("duration_seconds", "integer", {"from": "took", "unit": unit})
    assert plain is not None
    assert (plain[0], plain[1](value)) == ("took", expected)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"type": "user", "id": "U1"}, "U1"),
        ({"type": "department", "id": "D1"}, None),
        ({"id": "U1"}, None),
        (None, None),
    ],
)
def test_a_field_that_counts_only_beside_another(target: Any, expected: str | None) -> None:
    source = {"from": "target.id", "where": {"target.type": "user"}}
    read = compile_column("user_id", "string", source)
    assert read({"target": target}, {}) == expected
    assert plain_field("user_id", "string", {"from": "id", "where": {"type": "user"}}) is None


@pytest.mark.parametrize(
    ("kind", "user", "listed", "other", "flagged"),
    [
        ("user", "T1", None, None, "T1"),
        ("office", None, "T1", "T1", "T1"),
        ("team", None, None, "T1", "T1"),
        (None, None, None, "T1", "T1"),
        (True, None, None, "T1", None),
    ],
)
def test_conditions(kind: Any, user: Any, listed: Any, other: Any, flagged: Any) -> None:
    record = {"target": {"type": kind, "id": "T1"}}
    for source, expected in (
        ({"where": {"target.type": "user"}}, user),
        ({"where": {"target.type": ["office", "department"]}}, listed),
        ({"unless": {"target.type": "user"}}, other),
        ({"unless": "target.type"}, flagged),
    ):
        read = compile_column("line_id", "string", {"from": "target.id", **source})
        assert read(record, {}) == expected, source


@pytest.mark.parametrize(
    ("name", "kind", "source", "message"),
    [
        ("status", "string", {"from": "s", "words": {"x": "complete"}}, "'complete' in its words"),
        ("direction", "string", {"from": "s", "words": {"x": "in"}}, "'in' in its words is no"),
        ("status", "string", {"cases": [{"value": "done"}]}, "'done' is no value of this column"),
        ("user_id", "string", {"cases": [{"value": {"from": "id"}}]}, "{'from': 'id'} is no value"),
        ("answered", "boolean", {"cases": [{"value": "yes"}]}, "'yes' is no value of this column"),
        ("started_at", "timestamp", {"from": "at", "unit": "minutes"}, "only times and durations"),
        ("notes", "string", {"from": "notes", "unit": "seconds"}, "only times and durations have"),
    ],
)
def test_values_that_no_column_can_have(
    name: str, kind: str, source: dict[str, Any], message: str
) -> None:
    with pytest.raises(MappingError) as caught:
        compile_column(name, kind, source)
    assert str(caught.value).startswith(f"column {name}: {message}")
