from typing import Any

import pytest
from airbyte_cdk.models import AirbyteRecordMessage

from calls_shared.reading.tally import RecordTally


def tallied(newest: str | None, *moments: Any, stream: str = "calls") -> list[str]:
    tally = RecordTally({"calls": ("updated_at", newest)})
    for moment in moments:
        data = {"id": "1"} if moment is None else {"id": "1", "updated_at": moment}
        tally.record(AirbyteRecordMessage(stream=stream, data=data, emitted_at=0))
    return tally.sentences([stream])


@pytest.mark.parametrize(
    ("newest", "moment", "is_newer"),
    [
        ("2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:00.000001Z", True),
        ("2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:01Z", True),
        ("2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:00Z", False),
        ("2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:00.000Z", False),
        ("2026-01-31T12:00:00.500000Z", "2026-01-31T12:00:00.5Z", False),
        ("2026-01-31T12:00:00.500000Z", "2026-01-31T12:00:00.51Z", True),
        ("2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123456Z", False),
        ("2026-01-31T12:00:00.500000Z", "2026-01-31T12:00:00Z", False),
        ("2026-01-31T12:00:09.999999Z", "2026-01-31T12:00:10Z", True),
        pytest.param("2026-01-31T12:00:10Z", "2026-01-31T12:00:10.000Z", False),
        ("2026-01-31T12:00:11Z", "2026-01-31T12:00:10Z", False),
        ("2026-01-31T12:09:59Z", "2026-01-31T12:10:00Z", True),
        ("2026-01-31T12:00:00Z", "2025-12-31T23:59:59Z", False),
        # without a cursor value a record is emitted by every sync
        ("2026-01-31T12:00:00Z", None, True),
        ("2026-01-31T12:00:00Z", "", True),
    ],
)
def test_newer_than_the_state(newest: str, moment: str | None, is_newer: bool) -> None:
    newer, again = (1, 0) if is_newer else (0, 1)
    assert tallied(newest, moment) == [
        f"calls: {newer} calls newer than the state, {again} re-read in the lookback."
    ]


def test_counts() -> None:
    newest = "2026-01-31T12:00:00Z"
    later, earlier = "2026-02-01T00:00:00Z", "2026-01-30T00:00:00Z"
    assert tallied(newest, later, earlier, later, newest, None) == [
        "calls: 3 calls newer than the state, 2 re-read in the lookback."
    ]
    assert tallied(newest) == ["calls: 0 calls newer than the state, 0 re-read in the lookback."]


def test_without_a_state_all_records_are_read() -> None:
    assert tallied(None, "2026-01-31T12:00:00Z", None) == ["calls: 2 records read."]


def test_a_stream_without_a_cursor() -> None:
    assert tallied("2026-01-31T12:00:00Z", None, None, stream="phone_numbers") == [
        "phone_numbers: 2 records read."
    ]


def test_each_stream_has_its_sentence_in_the_order_of_the_catalog() -> None:
    tally = RecordTally({"calls": ("updated_at", "2026-01-31T12:00:00Z")})
    for stream in ("calls", "phone_numbers", "phone_numbers"):
        tally.record(AirbyteRecordMessage(stream=stream, data={}, emitted_at=0))
    assert tally.sentences(["phone_numbers", "other", "calls"]) == [
        "phone_numbers: 2 records read.",
        "other: 0 records read.",
        "calls: 1 calls newer than the state, 0 re-read in the lookback.",
    ]


def test_rows_about_calls_are_no_calls() -> None:
    newest = "2026-01-31T12:00:00Z"
    tally = RecordTally({"call_transcripts": ("updated_at", newest)})
    for moment in (newest, "2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z"):
        data = {"call_id": "1", "updated_at": moment}
        tally.record(AirbyteRecordMessage(stream="call_transcripts", data=data, emitted_at=0))
    assert tally.sentences(["call_transcripts"]) == [
        "call_transcripts: 2 rows of calls newer than the state, 1 re-read in the lookback."
    ]
