import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteStream,
    ConfiguredAirbyteCatalogSerializer,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import CallsSource
from calls_shared.protocol import entrypoint
from calls_shared.protocol.configured_catalog import configured
from calls_shared.protocol.files import catalog_in

CALLS = AirbyteStream(
    name="calls",
    json_schema={"type": "object"},
    supported_sync_modes=[SyncMode.full_refresh, SyncMode.incremental],
    source_defined_cursor=True,
    default_cursor_field=["updated_at"],
    source_defined_primary_key=[["id"]],
)
LINES = AirbyteStream(
    name="phone_numbers", json_schema={}, supported_sync_modes=[SyncMode.full_refresh]
)
CATALOG = AirbyteCatalog(streams=[LINES, CALLS])


def test_each_stream_is_read_as_it_is_best_read() -> None:
    lines, calls = configured(CATALOG, []).streams
    assert calls.stream == CALLS
    assert calls.sync_mode is SyncMode.incremental
    assert calls.destination_sync_mode is DestinationSyncMode.append_dedup
    assert calls.cursor_field == ["updated_at"]
    assert calls.primary_key == [["id"]]
    assert lines.stream == LINES
    assert lines.sync_mode is SyncMode.full_refresh
    assert lines.destination_sync_mode is DestinationSyncMode.overwrite
    assert lines.cursor_field is None


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], ["phone_numbers", "calls"]),
        (["calls"], ["calls"]),
        (["calls", "phone_numbers", "calls"], ["calls", "phone_numbers"]),
    ],
)
def test_the_streams_that_are_wanted(names: Sequence[str], found: Sequence[str]) -> None:
    assert [one.stream.name for one in configured(CATALOG, names).streams] == found


def test_an_unknown_stream_is_refused() -> None:
    with pytest.raises(AirbyteTracedException) as refusal:
        configured(CATALOG, ["calls", "recordings"])
    assert refusal.value.message == (
        "There is no stream recordings with this configuration: name one of phone_numbers, calls"
        " after --streams."
    )


@pytest.fixture
def source(raw_manifests: Mapping[str, dict[str, Any]]) -> CallsSource:
    found = CallsSource()
    found.__dict__["manifest"] = raw_manifests["skipcall"]
    return found


def run(source: CallsSource, *arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        entrypoint.run(source, ["configured-catalog", *arguments])
    return int(end.value.code or 0)


def test_the_command_prints_what_read_takes(
    source: CallsSource, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"api_key": "test-key-not-real"}')
    assert run(source, "--config", str(config), "--streams", "calls") == 0
    printed = capsys.readouterr().out
    file = tmp_path / "catalog.json"
    file.write_text(printed)
    catalog = catalog_in(str(file))
    assert [one.stream.name for one in catalog.streams] == ["calls"]
    assert catalog.streams[0].stream.json_schema["properties"]["provider"]["type"] == "string"
    assert ConfiguredAirbyteCatalogSerializer.dump(catalog) == json.loads(printed)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{}", "api_key"),
        ("[", "is not valid JSON: see line 1"),
        ('{"api_key": "test-key-not-real", "num_workers": 0}', "num_workers"),
    ],
)
def test_a_refusal_is_a_sentence_on_stderr(
    source: CallsSource,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    sentence: str,
) -> None:
    """stdout is the file that the catalog goes to."""
    config = tmp_path / "config.json"
    config.write_text(content)
    assert run(source, "--config", str(config)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
