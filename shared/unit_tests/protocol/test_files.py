import json
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.protocol.files import catalog_in, read_json, states_in


def refused_file(check: Any, *arguments: Any) -> str:
    with pytest.raises(AirbyteTracedException) as caught:
        check(*arguments)
    assert caught.value.failure_type is FailureType.config_error
    assert "hush" not in f"{caught.value.message} {caught.value.internal_message}"
    return caught.value.message or ""


@pytest.mark.parametrize(
    "content", [{"api_key": "x", "deep": [1, None, "é"]}, [], "text", None, 1.5]
)
def test_read_json(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert read_json(str(file), "--config") == content


ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"),
)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_of_json(tmp_path: Path, encoding: str) -> None:
    content = {"api_key": "x", "name": "é😀"}
    config, catalog, state = (tmp_path / name for name in ("config", "catalog", "state"))
    config.write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    catalog.write_bytes(json.dumps(CATALOG).encode(encoding))
    state.write_bytes(json.dumps([STATE]).encode(encoding))
    assert read_json(str(config), "--config") == content
    assert catalog_in(str(catalog)) == ConfiguredAirbyteCatalogSerializer.load(CATALOG)
    assert states_in(str(state)) == [AirbyteStateMessageSerializer.load(STATE)]


def test_byte_order_marks_of_utf_16(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        file.write_bytes(mark + '{"a": 1}'.encode(encoding))
        assert read_json(str(file), "--config") == {"a": 1}


@pytest.mark.parametrize("content", [b"[" * 100_000, b"9" * 5_000])
def test_json_that_is_too_much(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)
    sentence = refused_file(read_json, str(file), "--config")
    assert sentence.startswith(f"The file {file} given with --config could not be read (")


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "config.json"
    sentence = f"The file {path} given with --config does not exist."
    assert refused_file(read_json, str(path), "--config") == sentence


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "line 1, column 1"),
        (b'{"api_key": "hush",}', "line 1, column 20"),
        (b'{\n  "api_key": hush\n}', "line 2, column 14"),
        (b"api_key: hush", "line 1, column 1"),
    ],
)
def test_a_file_that_is_not_json(tmp_path: Path, content: bytes, where: str) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)
    sentence = f"The file {file} given with --config is not valid JSON: see {where}."
    assert refused_file(read_json, str(file), "--config") == sentence


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"api_key": "hush\xe9"}')
    assert refused_file(read_json, str(latin), "--config") == (
        f"The file {latin} given with --config could not be read (UnicodeDecodeError)."
    )
    assert refused_file(read_json, str(tmp_path), "--state") == (
        f"The file {tmp_path} given with --state could not be read (IsADirectoryError)."
    )


CATALOG = {
    "streams": [
        {
            "stream": {
                "name": "calls",
                "json_schema": {},
                "supported_sync_modes": ["full_refresh"],
            },
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
    ]
}


def test_a_configured_catalog(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(CATALOG))
    assert catalog_in(str(file)) == ConfiguredAirbyteCatalogSerializer.load(CATALOG)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        "hush",
        5,
        None,
        {"streams": None},
        {"streams": {"calls": {}}},
        {"streams": ["calls"]},
        {"streams": [{"name": "calls", "json_schema": {}}]},  # what discover prints
        {"streams": [{**CATALOG["streams"][0], "sync_mode": "sometimes"}]},
        {"streams": [{**CATALOG["streams"][0], "stream": "calls"}]},
    ],
)
def test_a_file_that_is_no_configured_catalog(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(content))
    assert refused_file(catalog_in, str(file)) == (
        f"The file {file} given with --catalog is not a configured catalog: it needs a list"
        ' "streams" of objects with "stream", "sync_mode" and "destination_sync_mode".'
    )


def test_a_missing_catalog_is_told_apart_from_a_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    sentence = f"The file {path} given with --catalog does not exist."
    assert refused_file(catalog_in, str(path)) == sentence


STATE = {
    "type": "STREAM",
    "stream": {
        "stream_descriptor": {"name": "calls"},
        "stream_state": {"updated_at": "2026-01-31T00:00:00.000000Z"},
    },
}


@pytest.mark.parametrize("content", [[], {}, None, [STATE], [STATE, STATE]])
def test_a_state_file(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(content))
    expected = [AirbyteStateMessageSerializer.load(state) for state in content or []]
    assert states_in(str(file)) == expected


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"updated_at": "2026-01-31T00:00:00Z"},
        {"calls": {"updated_at": "2026-01-31T00:00:00Z"}},
        "hush",
        5,
        [5],
        [None],
        ["calls"],
        [{}],
        [{"type": "STREAM"}],
        [{"type": "STREAM", "stream": {}}],
        [{"type": "STREAM", "stream": {"stream_descriptor": {}}}],
        [{"type": "LEGACY", "data": {"calls": {}}}],
        [STATE, {"type": "GLOBAL", "global": {"stream_states": []}}],
    ],
)
def test_a_file_that_is_no_state(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(content))
    assert refused_file(states_in, str(file)) == (
        f"The file {file} given with --state is not a list of Airbyte state messages of the type"
        ' STREAM, such as [{"type": "STREAM", "stream": {...}}].'
    )
