import copy
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from calls_shared import CallsSource, run
from calls_shared.protocol.manifest import ManifestError
from calls_shared.protocol.manifest_check import checked, problems

Change = Callable[[dict[str, Any]], object]


def manifest_with(raw: Mapping[str, dict[str, Any]], provider: str, change: Change) -> Any:
    manifest = copy.deepcopy(raw[provider])
    change(manifest)
    return manifest


def calls(manifest: dict[str, Any]) -> dict[str, Any]:
    """The definition of the stream calls."""
    found: dict[str, Any] = next(s for s in manifest["streams"] if "retriever" in s)
    return found


def requester(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["definitions"]["requester"]
    return found


def normalization(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = calls(manifest)["transformations"][0]
    return found


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda m: m.update(strems=[]), ["strems is not known"]),
        (
            lambda m: calls(m)["$parameters"].update(record_at="data"),
            ["streams[0].$parameters.record_at is used nowhere"],
        ),
        (
            lambda m: m["definitions"].update(left_over={"type": "RecordSelector"}),
            ["definitions.left_over is referred to nowhere"],
        ),
        (
            lambda m: calls(m).update(retriever={"$ref": "#/definitions/retreiver"}),
            ["a reference leads nowhere (Undefined reference #/definitions/retreiver"],
        ),
        (
            lambda m: requester(m).update(class_name="calls_shared.CallRequestor"),
            ["streams[0].retriever.requester.class_name 'calls_shared.CallRequestor' is not a"],
        ),
        (
            lambda m: requester(m).update(class_name="calls_shared.http.requester.CallRequester"),
            ["streams[0].retriever.requester.class_name 'calls_shared.http.requester.CallReq"],
        ),
        (
            lambda m: calls(m)["incremental_sync"].update(type="DatetimeCursor"),
            ["streams[0].incremental_sync.type 'DatetimeCursor' is not known"],
        ),
        (
            lambda m: calls(m)["incremental_sync"].pop("type"),
            ["streams[0].incremental_sync has no type"],
        ),
        (
            lambda m: requester(m)["rate"].update(second=60),
            ["streams[0].retriever.requester.rate.second is not known; known are"],
        ),
        (
            lambda m: requester(m)["error_rows"][0].update(failure="config_error"),
            ["streams[0].retriever.requester.error_rows[0].failure is not known; known are"],
        ),
        (
            lambda m: requester(m)["error_rows"][0].update(action="ignore"),
            ["streams[0].retriever.requester: unknown action 'ignore' in an error row"],
        ),
        (
            lambda m: normalization(m)["columns"].update(stauts={"from": "status"}),
            ["streams[0].transformations[0].columns.stauts is not known; known are"],
        ),
        (
            lambda m: normalization(m)["columns"]["status"].update(word={}),
            ["streams[0].transformations[0].columns.status.word is not known; known are"],
        ),
        (
            lambda m: normalization(m)["parties"].update(extern={"from": "x"}),
            ["streams[0].transformations[0].parties.extern is not known; known are"],
        ),
        (
            lambda m: calls(m)["schema_loader"]["provider_record"].update(propertys={}),
            ["streams[0].schema_loader.provider_record.propertys is no keyword of a JSON schema"],
        ),
        (
            lambda m: calls(m)["schema_loader"]["descriptions"].update(duration="x"),
            ["streams[0].schema_loader.descriptions.duration is not known; known are"],
        ),
        (
            lambda m: m["spec"]["connection_specification"]["required"].append("api_keys"),
            ["the required key api_keys is not in the specification"],
        ),
        (
            lambda m: requester(m)["request_parameters"].update(x="{{ config['workspace'] }}"),
            ["the configuration key workspace is not in the specification"],
        ),
        (
            lambda m: normalization(m)["columns"]["status"].update(words={"x": "complete"}),
            ["streams[0].transformations[0]: column status: 'complete' in its words is no value"],
        ),
        (
            lambda m: normalization(m)["columns"]["duration_seconds"].update(computed="ended"),
            ["streams[0].transformations[0]: column duration_seconds: it is computed as ended_"],
        ),
        (
            lambda m: calls(m)["$parameters"].update(cursor_field="updatd_at"),
            ["streams[0].retriever: cursor_field updatd_at is no column with a time"],
        ),
        (
            lambda m: requester(m)["error_rows"][0].update(message="No {kay}."),
            ["streams[0].retriever.requester: what is in braces in 'No {kay}.' is not known"],
        ),
        (
            lambda m: requester(m)["rate"].update(requests=0),
            ["streams[0].retriever.requester: requests, seconds and starts_at of a rate must be"],
        ),
        (
            lambda m: m["spec"]["connection_specification"]["properties"]["api_key"].pop(
                "airbyte_secret"
            ),
            ["the credential api_key is not marked as airbyte_secret in the specification"],
        ),
        (
            lambda m: m["check"].update(stream_names=["cals"]),
            ["check.stream_names names cals, which is no stream"],
        ),
        (
            lambda m: requester(m).update(optional_parameters=["workspaceIds"]),
            ["streams[0].retriever.requester: workspaceIds in optional_parameters names no slice"],
        ),
    ],
)
def test_what_nobody_would_understand(
    raw_manifests: Mapping[str, dict[str, Any]], change: Change, found: list[str]
) -> None:
    assert list(problems(raw_manifests["skipcall"])) == []
    told = list(problems(manifest_with(raw_manifests, "skipcall", change)))
    assert [text[: len(start)] for text, start in zip(told, found, strict=False)] == found


def test_a_value_of_a_wrong_type(raw_manifests: Mapping[str, dict[str, Any]]) -> None:
    manifest = manifest_with(
        raw_manifests, "skipcall", lambda m: requester(m).update(error_rows=["a"])
    )
    with pytest.raises(ManifestError, match="used: it holds a value of a wrong type"):
        checked(manifest)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no manifest.yaml in the package source_typo_calls"),
        (b"version: [", "it is not valid YAML in line 1"),
        (b"a: 1\n\tb: 2\n", "it is not valid YAML in line 2"),
        (b"name: caf\xe9", "manifest.yaml is not in UTF-8"),
        (b"", "it is no mapping"),
        (b"- a", "it is no mapping"),
        (b"version: 1\nspec: {}\nversion: 2", "version stands twice below line 1"),
        (b"spec:\n  a: 1\n  b: {c: 1, c: 1}", "c stands twice below line 3"),
    ],
)
@pytest.mark.parametrize("command", ["spec", "check"])
def test_a_manifest_that_cannot_be_read(
    source: CallsSource,
    content: bytes | None,
    problem: str,
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, config = tmp_path / "source_typo_calls" / "manifest.yaml", tmp_path / "config.json"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    config.write_text('{"api_key": "sk_test_made_up"}')
    with pytest.raises(SystemExit) as end:
        run(source, [command, *(["--config", str(config)] if command == "check" else [])])
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (message,) = (message for message in messages if message["type"] != "LOG")
    if command == "check":
        assert (end.value.code, message["connectionStatus"]["status"]) == (0, "FAILED")
        told = message["connectionStatus"]["message"]
    else:
        assert (end.value.code, message["trace"]["error"]["failure_type"]) == (1, "system_error")
        told = message["trace"]["error"]["message"]
    assert told.startswith(f"The manifest of this connector cannot be used: {problem}")


@pytest.mark.parametrize(
    "name", ["deferred_failure", "active_at", "users", "phoneNumberId", "changed_since"]
)
def test_slices_carry_what_is_read_in_them(
    raw_manifests: Mapping[str, dict[str, Any]], name: str
) -> None:
    def leave_out(manifest: dict[str, Any]) -> None:
        definitions = manifest["definitions"]
        retrievers = (d.get("retriever", d) for d in definitions.values() if isinstance(d, dict))
        routers = (one.get("partition_router", {}) for one in retrievers)
        router = next(one["substream"] for one in routers if "substream" in one)
        router["parent_stream_configs"][0]["extra_fields"].remove([name])

    told = list(problems(manifest_with(raw_manifests, "openphone", leave_out)))
    assert any(
        text.endswith(f"its slices do not carry {name}: add [{name}] to extra_fields")
        for text in told
    )


@pytest.fixture
def source(
    raw_manifests: Mapping[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CallsSource]:
    """A connector whose manifest has a typo."""
    package = tmp_path / "source_typo_calls"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import calls_shared\n\n\nclass Source(calls_shared.CallsSource):\n    pass\n"
    )
    manifest = copy.deepcopy(raw_manifests["skipcall"])
    normalization(manifest)["columns"]["notse"] = {"from": "notes"}
    (package / "manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import source_typo_calls  # type: ignore[import-not-found] # noqa: PLC0415

    handlers = logging.getLogger().handlers[:]
    filters = [handler.filters[:] for handler in handlers]
    yield source_typo_calls.Source()
    for handler, kept in zip(handlers, filters, strict=True):
        handler.filters = kept
    del sys.modules["source_typo_calls"]


@pytest.mark.parametrize("command", ["spec", "check", "discover", "read"])
def test_every_command_refuses_a_typo(
    source: CallsSource, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text('{"api_key": "sk_test_made_up"}')
    catalog.write_text('{"streams": []}')
    options = {"spec": [], "read": ["--config", str(config), "--catalog", str(catalog)]}
    with pytest.raises(SystemExit) as end:
        run(source, [command, *options.get(command, ["--config", str(config)])])
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (message,) = (message for message in messages if message["type"] != "LOG")
    if command == "check":
        assert end.value.code == 0
        assert message["connectionStatus"]["status"] == "FAILED"
        told = message["connectionStatus"]["message"]
    else:
        assert end.value.code == 1
        assert message["trace"]["error"]["failure_type"] == "system_error"
        told = message["trace"]["error"]["message"]
    assert told.startswith(
        "The manifest of this connector cannot be used:"
        " streams[0].transformations[0].columns.notse is not known; known are "
    )
    assert "\n" not in told
