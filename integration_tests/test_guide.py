"""`docs/adding-a-provider.md`: its tables are current, and its examples are a manifest's."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import calls_shared
from calls_shared.normalization import mapping
from calls_shared.protocol.manifest_check import problems
from integration_tests import guide_tables
from integration_tests.connectors import ConnectorFolder
from integration_tests.new_provider import TEMPLATE, lay_out

GUIDE = guide_tables.GUIDE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
REQUESTER = ("definitions", "requester")
LIST = ("definitions", "list")
CALLS = ("streams", 0)
PLACES: dict[str, tuple[str | int, ...]] = {
    "$parameters": CALLS,
    "authenticator": REQUESTER,
    "rate": REQUESTER,
    "request_parameters": REQUESTER,
    "error_envelopes": REQUESTER,
    "error_rows": REQUESTER,
    "optional_parts": REQUESTER,
    "windows": LIST,
    "retriever": CALLS,
    "details": (*CALLS, "retriever"),
    "transformations": CALLS,
    "line_of": (*CALLS, "transformations", 0),
    "paginator": LIST,
    "columns": (*CALLS, "transformations", 0),
    "parties": (*CALLS, "transformations", 0),
}
"""Where each part of the guide stands in the template's manifest."""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template's manifest, with a setting that the guide names."""
    made: ConnectorFolder = lay_out("acme", tmp_path_factory.mktemp("guide"))
    found = made.manifest_as_written()
    settings = found["spec"]["connection_specification"]["properties"]
    secret = {"workspace_ids": False, "api_id": True, "api_token": True}
    settings |= {
        name: {"type": "string", "title": name, "airbyte_secret": is_secret}
        for name, is_secret in secret.items()
    }
    return found


def test_the_tables_are_current() -> None:
    assert guide_tables.with_tables(GUIDE) == GUIDE, "run: make docs"


def test_a_missing_mark_is_named() -> None:
    with pytest.raises(ValueError, match="lacks the marks of the table error rows"):
        guide_tables.with_tables(GUIDE.replace("<!-- error rows: end -->", ""))


def test_a_key_without_a_meaning_is_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "__doc__", "    {from: path}   the field")
    with pytest.raises(ValueError, match=r"the sources do not explain \['cases', 'computed'"):
        guide_tables.columns()


def test_every_component_and_every_key_has_its_place() -> None:
    for name in set(calls_shared.__all__) - {"CallsSource", "run"}:
        assert f"\n### `calls_shared.{name}`\n" in GUIDE
    for row in (
        "`{list: [path, ...]}`",
        "`{lines: [path, ...]}`",
        "`participants`",
        "`retry`",
        "`{says}`",
        "`{latest: [path, ...]}`",
        "`abandoned`",
        "`talk_seconds`",
    ):
        assert row in GUIDE


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_is_understood_in_a_manifest(number: int, manifest: dict[str, Any]) -> None:
    ((part, content),) = yaml.safe_load(EXAMPLES[number]).items()
    changed: Any = copy.deepcopy(manifest)
    place = changed
    for step in PLACES[part]:
        place = place[step]
    place[part] = content
    assert list(problems(changed)) == []
    typo = {f"{key}x": value for key, value in _first_object(content).items()}
    place[part] = [typo] if isinstance(content, list) else typo
    if part not in ("request_parameters", "optional_parts"):  # their names are the provider's
        assert list(problems(changed)) != []


def _first_object(content: Any) -> dict[str, Any]:
    found: dict[str, Any] = content[0] if isinstance(content, list) else content
    return found


def test_each_part_that_the_guide_shows_is_shown() -> None:
    shown = {next(iter(yaml.safe_load(example))) for example in EXAMPLES}
    assert shown == PLACES.keys()


def test_the_guide_names_the_files_of_the_template() -> None:
    files = {path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*.txt")}
    named = {
        *("manifest.yaml", "sandbox.py", "test_reading.py", "test_requests.py", "metadata.yaml"),
        *("acceptance-test-config.yml", "icon.svg", "README.md", "LICENSE", "CONTRIBUTING.md"),
    }
    assert named <= {Path(path.stem).name for path in files}
    assert [name for name in named if f"{name}`" not in GUIDE] == []
