from typing import Any

import pytest

from calls_shared.reading.detail_rows import DetailRows
from calls_shared.report import SyncReport

CALL = {"provider": "acme", "id": "C1", "updated_at": "2026-10-01T12:00:00Z", "status": "x"}
ENTRY = {
    "recording_id": {"from_slice": "recordingId"},
    "speaker": {"from": "who"},
    "speaker_label": {"from": ["userId", "actorId"]},
    "content": {"from": "content"},
    "start_time": {"from": "start"},
    "end_time": {"from": "end"},
}
FILE = {
    "recording_id": {"from": "id"},
    "url": {"from": "url"},
    "duration_seconds": {"from": "duration"},
    "started_at": {"from": "startTime"},
    "status": {"from": "status"},
}


def rows_of(
    shape: str,
    columns: dict[str, Any],
    entries_at: list[str],
    *records: dict[str, Any],
    call: Any = None,
    report: SyncReport | None = None,
) -> list[dict[str, Any]]:
    none_if = {"status": "absent"}
    made = DetailRows(shape, columns, entries_at, none_if, report or SyncReport())
    return made.of(CALL if call is None else call, records)


def test_segments_count_over_the_whole_call() -> None:
    first = {
        "recordingId": "R1",
        "dialogue": [{"who": "+1", "userId": "U1", "content": "a"}, {}, None],
    }
    silent = {"recordingId": "R2", "dialogue": None}
    gone = {"recordingId": "R3", "status": "absent", "dialogue": [{"content": "x"}]}
    last = {
        "recordingId": "R4",
        "dialogue": [{"actorId": "A", "content": "b", "start": 0, "end": 1.5}],
    }
    known = {"provider": "acme", "call_id": "C1", "updated_at": "2026-10-01T12:00:00Z"}
    found = rows_of("call_transcripts", ENTRY, ["dialogue"], first, silent, gone, last)
    assert found == [
        {
            **known,
            "recording_id": "R1",
            "segment_index": 0,
            "speaker": "+1",
            "speaker_label": "U1",
            "content": "a",
        },
        {
            **known,
            "recording_id": "R4",
            "segment_index": 1,
            "speaker_label": "A",
            "content": "b",
            "start_time": 0,
            "end_time": 1.5,
        },
    ]
    assert list(found[0]) == [
        "provider",
        "call_id",
        "recording_id",
        "segment_index",
        "speaker",
        "speaker_label",
        "content",
        "updated_at",
    ]


def test_of_an_unknown_form_the_first_place_that_says_something_counts() -> None:
    places = ["transcript", "transcription"]
    for record, wanted in (
        ({"transcript": [{"text": "a", "speaker": "Ada"}], "transcription": "b"}, [("Ada", "a")]),
        ({"transcript": [], "transcription": "b\nc"}, [(None, "b"), (None, "c")]),
        ({"transcript": None, "transcription": None}, []),
    ):
        rows = rows_of("call_transcripts", {}, places, record)
        assert [(row.get("speaker"), row["content"]) for row in rows] == wanted


def test_a_recording_without_an_id_has_that_of_the_call_and_a_url_tells_its_end() -> None:
    url = "https://files.acme.example/a?Expires=1790856000"
    files = [
        {
            "id": "R1",
            "url": url,
            "duration": 61,
            "startTime": "2026-10-01T11:00:00Z",
            "status": "Completed",
        },
        {"url": None, "status": "in-progress"},
        {"id": "R3", "status": "absent"},
    ]
    known = {"provider": "acme", "call_id": "C1", "updated_at": "2026-10-01T12:00:00Z"}
    assert rows_of("call_recordings", FILE, [], *files) == [
        {
            **known,
            "recording_id": "R1",
            "url": url,
            "duration_seconds": 61,
            "started_at": "2026-10-01T11:00:00Z",
            "status": "Completed",
            "expires_at": "2026-10-01T12:00:00Z",
        },
        {**known, "recording_id": "C1", "status": "in-progress"},
    ]


def test_a_call_without_a_change_gives_rows_without_one() -> None:
    (row,) = rows_of(
        "call_recordings", FILE, [], {"id": "R1"}, call={"provider": "acme", "id": "C1"}
    )
    assert row == {"provider": "acme", "call_id": "C1", "recording_id": "R1"}


def test_what_should_be_a_list_and_is_none_is_told() -> None:
    report = SyncReport()
    assert rows_of("call_transcripts", ENTRY, ["dialogue"], {"dialogue": "Hi"}, report=report) == []
    assert report.sentences() == [
        "1 answers about call_transcripts held something else than a list; no row was taken."
    ]


@pytest.mark.parametrize("shape", ["users", "calls", ""])
def test_other_streams_are_not_about_a_call(shape: str) -> None:
    with pytest.raises(ValueError, match="is not one of call_transcripts, call_recordings"):
        DetailRows(shape, {}, [], {}, SyncReport())
