from typing import Any

import pytest
from airbyte_cdk.sources.types import StreamSlice

from calls_shared import ForgetGlobalCursor, OneItemMatches, ParentFields
from calls_shared.http.budget import budget_of

PHONE = {"number": "+own", "users": [{"id": "US1"}]}
SLICE = StreamSlice(partition={}, cursor_slice={}, extra_fields=PHONE)


@pytest.mark.parametrize(
    ("record", "active_at"),
    [
        (
            {
                "updatedAt": "2026-01-02T00:00:00.000Z",
                "lastActivityAt": "2026-01-03T00:00:00Z",
                "createdAt": "2026-01-01T00:00:00Z",
            },
            "2026-01-03T00:00:00Z",
        ),
        ({"updatedAt": None, "createdAt": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        # what cannot be read might be the last activity
        ({"updatedAt": "garbled", "createdAt": "2026-01-01T00:00:00Z"}, None),
        ({"updatedAt": 0, "createdAt": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        ({"updatedAt": "0001-01-01T00:00:00Z", "createdAt": "1970-01-01T00:00:00Z"}, None),
        ({"updatedAt": "2026-01-01T02:00:00+02:00"}, "2026-01-01T00:00:00Z"),
        ({"updatedAt": "garbled"}, None),
        ({"updatedAt": None, "lastActivityAt": "", "active_at": "theirs"}, None),
        ({}, None),
    ],
)
def test_parent_fields(record: dict[str, Any], active_at: str | None) -> None:
    fields = ParentFields(
        latest={"active_at": ["updatedAt", "lastActivityAt", "createdAt"]},
        from_slice=["number", "users"],
    )
    before = {name: value for name, value in record.items() if name != "active_at"}
    fields.transform(record, {}, {}, SLICE)
    expected = {**before, "number": "+own", "users": [{"id": "US1"}]}
    assert record == (expected if active_at is None else {**expected, "active_at": active_at})


def test_parent_fields_without_a_slice_or_anything_to_do() -> None:
    record = {"id": "CN1"}
    ParentFields(from_slice=["number"]).transform(record)
    assert record == {"id": "CN1", "number": None}
    ParentFields().transform(record, {}, {}, SLICE)
    assert record == {"id": "CN1", "number": None}


def test_parent_fields_keep_only_what_is_asked_for() -> None:
    record = {"id": "CN1", "name": "x", "updatedAt": "2026-01-01T00:00:00Z", "at": "theirs"}
    fields = ParentFields(
        keep=["id", "absent"], latest={"at": ["updatedAt"]}, from_slice=["number"]
    )
    fields.transform(record, {}, {}, SLICE)
    assert record == {"id": "CN1", "at": "2026-01-01T00:00:00Z", "number": "+own"}


@pytest.mark.parametrize(
    ("participants", "kept"),
    [
        (["+14155550100"], True),
        (["+1"], False),
        (["+12"], True),
        (["+123456789012345"], True),
        (["+1234567890123456"], False),
        (["+04155550100"], False),
        (["14155550100"], False),
        (["+14155550100\n"], False),
        (["+1415555010x"], False),
        (["+1 4155550100"], False),
        (["12345"], False),
        (["Anonymous"], False),
        (["+14155550100", "+14155550101"], False),
        (["+14155550100", "+14155550100"], False),
        ([], False),
        (None, False),
        ("+14155550100", False),
        ([14155550100], False),
        ([None], False),
        ([{"number": "+14155550100"}], False),
    ],
)
def test_one_item_matches(participants: Any, kept: bool) -> None:
    config: dict[str, Any] = {}
    budget = budget_of(config)
    chosen = OneItemMatches(
        items_at="who.participants",
        pattern=r"^\+[1-9]\d{1,14}$",
        skipped="{count} were left out.",
        parameters={},
        config=config,
    )
    record = {"id": "CN1", "who": {"participants": participants}}
    assert list(chosen.filter_records([record], {}, SLICE)) == ([record] if kept else [])
    assert budget.report.sentences() == ([] if kept else ["1 were left out."])


def test_one_item_matches_counts_all_that_it_leaves_out() -> None:
    config: dict[str, Any] = {}
    budget = budget_of(config)
    chosen = OneItemMatches(
        items_at="items",
        pattern="a+",
        skipped="{count} were left out.",
        parameters={},
        config=config,
    )
    records = [{"items": [word]} for word in ("a", "b", "aa", "ab", "")]
    assert list(chosen.filter_records(records, {})) == [{"items": ["a"]}, {"items": ["aa"]}]
    assert list(chosen.filter_records(records[1:2], {})) == []
    assert budget.report.sentences() == ["4 were left out."]


STATES = [
    {"partition": {"phone_number_id": "PN1"}, "cursor": {"active_at": "2026-01-30T00:00:00Z"}}
]


@pytest.mark.parametrize(
    ("state", "migrates", "expected"),
    [
        (
            {
                "states": STATES,
                "state": {"active_at": "2026-01-31T00:00:00Z"},
                "lookback_window": 5,
                "use_global_cursor": False,
                "parent_state": {"phone_numbers": {}},
            },
            True,
            {"states": STATES, "use_global_cursor": False, "parent_state": {"phone_numbers": {}}},
        ),
        ({"states": STATES, "state": {}}, True, {"states": STATES}),
        ({"states": STATES}, False, {"states": STATES}),
        ({"active_at": "2026-01-31T00:00:00Z"}, False, {"active_at": "2026-01-31T00:00:00Z"}),
        ({}, False, {}),
    ],
)
def test_forget_global_cursor(
    state: dict[str, Any], migrates: bool, expected: dict[str, Any]
) -> None:
    migration = ForgetGlobalCursor()
    assert migration.should_migrate(state) is migrates
    migrated = migration.migrate(state)
    assert migrated == expected
    assert migration.should_migrate(migrated) is False
