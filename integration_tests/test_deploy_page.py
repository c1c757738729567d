"""`docs/deploy.md`, tried as far as a machine without a platform can.

Our own commands run against a fake of the platform and show what the page shows; values of the Helm
chart are looked for among the chart's own; configurations are checked by their connectors; other
lines are parsed by the shell.
"""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from calls_shared.protocol.configuration import check_config
from deploy.definitions import definition_of, resources
from deploy.schedule import DEFAULT_SCHEDULE
from integration_tests.airbyte_platform import (
    CLIENT_ID,
    CLIENT_SECRET,
    DESTINATION_ID,
    WORKSPACE_ID,
    FakePlatform,
)
from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.readme_commands import COMMANDS, assert_shows, commands
from integration_tests.registering import register
from release.names import REPOSITORY

PAGE = ROOT / "docs" / "deploy.md"
TEXT = PAGE.read_text(encoding="utf-8")

PROGRAMS = {"docker", "export", "for", "helm", "kind", "kubectl", "make", "mkdir", "read"} | {
    "terraform"
}
CHART_VALUES = """
global:
  image: {registry: "", tag: ""}
  auth: {enabled: false}
  imagePullSecrets: []
  workloads:
    resources:
      useConnectorResourceDefaults: true
      mainContainer:
        cpu: {}
        memory: {}
  jobs:
    kube:
      mainContainerImagePullSecret: ""
"""
"""What is named here, of the chart's `values.yaml` (charts/v2/airbyte in Airbyte's platform)."""
OPEN_VALUES = {
    # what the chart's templates take where `values.yaml` has {} or []
    "global.workloads.resources.mainContainer.cpu": {"request", "limit"},
    "global.workloads.resources.mainContainer.memory": {"request", "limit"},
    "global.imagePullSecrets": {"name"},
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def configurations() -> dict[str, Any]:
    """The files that the page shows, by their names."""
    shown = re.findall(r"`([a-z-]+\.json)`:\n\n```json\n(.*?)```", TEXT, flags=re.DOTALL)
    return {name: json.loads(content) for name, content in shown}


def exported() -> dict[str, str]:
    """The variables that the page exports for `make register`, in its first steps."""
    lines = re.findall(r"^export (.*)$", TEXT.split("## Terraform")[0], flags=re.MULTILINE)
    pairs = [word.partition("=") for line in lines for word in line.split()]
    found: dict[str, str] = {}
    for name, _, value in pairs:
        found.setdefault(name, value.strip('"'))
    return found


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """What a shell has in which the page's steps were followed."""
    for name, content in configurations().items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    secret = {"CLIENT_SECRET": CLIENT_SECRET}
    return {**exported(), **secret, "CONFIGS": str(tmp_path)}


NAMED = {
    provider: connector
    for provider, connector in CONNECTORS.items()
    if re.search(
        rf"^{re.escape(definition_of(connector, 'x', 'x', '1Gi').name)}: ", TEXT, re.MULTILINE
    )
}
"""The connectors that the page shows; a further one needs no change of it."""


def assert_shown(shown: Sequence[tuple[str, list[str]]], variables: dict[str, str]) -> FakePlatform:
    """One command after the other shows what is shown, from an empty workspace on.

    They run in this process, which saves the loading of the CDK; `test_register` runs make.
    """
    with FakePlatform() as platform:
        for command, lines in shown:
            make, target, *more = shlex.split(command)
            assert (make, target) == ("make", "register")
            asked = {**variables, **dict(one.split("=", 1) for one in more)}
            done = register(platform, NAMED, **{**asked, "AIRBYTE_URL": platform.url})
            assert (done.exit_status, done.stderr) == (0, ""), command
            assert_shows(done.stdout, lines)
    return platform


def test_the_commands_show_what_the_page_shows(variables: dict[str, str]) -> None:
    shown = list(commands(TEXT))
    assert (len(shown), len(NAMED)) >= (6, 4)
    platform = assert_shown(shown, variables)
    assert platform.workspace.snapshot()["connections"] == {}  # removed at last


def test_the_commands_of_the_readme(variables: dict[str, str]) -> None:
    shown = [row for row in COMMANDS if row[0].startswith("make register")]
    assert [command for command, _ in shown] == ["make register", "make register CONNECTIONS=1"]
    assert_shown(shown, variables)


def test_the_values_are_made_up_in_the_form_of_real_ones() -> None:
    found = exported()
    assert found["WORKSPACE_ID"] == WORKSPACE_ID
    assert found["CLIENT_ID"] == CLIENT_ID
    assert found["DESTINATION_ID"] == DESTINATION_ID
    assert found["REPOSITORY"] == REPOSITORY
    # typed, never written
    assert "CLIENT_SECRET" not in found
    assert "\nread -rs CLIENT_SECRET && export CLIENT_SECRET\n" in TEXT
    assert f"`{DEFAULT_SCHEDULE}`" in TEXT


def test_every_variable_says_where_it_is_found() -> None:
    """Each has a row in a table of the page, and the program knows no other."""
    rows = set()
    for table in re.findall(r"^\| Variable \|.*?\n\n", TEXT, flags=re.MULTILINE | re.DOTALL):
        for cell in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE):
            rows |= set(re.findall(r"`([A-Z_]+)", cell))
    source = (ROOT / "deploy" / "settings.py").read_text(encoding="utf-8")
    taken = set(re.findall(r'environment(?:\.get\(|, )"([A-Z_]+)"', source))
    assert len(taken) >= 12
    assert taken - {"CONNECTIONS", "REMOVE"} == rows
    assert all(f"make register {name}=1" in TEXT for name in ("CONNECTIONS", "REMOVE"))


def test_the_configurations_are_accepted() -> None:
    found = configurations()
    assert len(found) == 2
    for name, content in found.items():
        source = CONNECTORS[name.removesuffix(".json")].source_class()()
        check_config(content, source.specification)
        assert "not-real" in str(content)


def test_the_values_of_the_chart_are_the_charts() -> None:
    (values,) = [yaml.safe_load(block) for block in blocks("yaml")]
    known = yaml.safe_load(CHART_VALUES)
    assert list(unknown(values, known)) == []
    assert list(unknown({"global": {"imagePullSecret": "x"}}, known)) == ["global.imagePullSecret"]
    assert list(unknown({"worker": {"env": []}}, known)) == ["worker"]
    main = values["global"]["workloads"]["resources"]["mainContainer"]
    shown = {
        f"{what}_{kind}": main[what][kind]
        for what in ("cpu", "memory")
        for kind in ("request", "limit")
    }
    assert shown == resources("1Gi")["default"]
    (secret,) = values["global"]["imagePullSecrets"]
    assert f"kubectl create secret generic {secret['name']} " in TEXT


def test_the_values_that_the_text_names_are_the_charts() -> None:
    named = set(re.findall(r"`(global\.[\w.]+)`", TEXT))
    assert "global.image.registry" in named
    for path in named:
        found = yaml.safe_load(CHART_VALUES)
        for key in path.split("."):
            found = found[key]


def unknown(values: Any, known: Any, path: str = "") -> Iterator[str]:
    """The paths of values that the chart does not have."""
    for item in values if isinstance(values, list) else [values]:
        for key, value in item.items() if isinstance(item, dict) else ():
            here = f"{path}.{key}".lstrip(".")
            if path in OPEN_VALUES:
                if key not in OPEN_VALUES[path]:
                    yield here
            elif not isinstance(known, dict) or key not in known:
                yield here
            else:
                yield from unknown(value, known[key], here)


def test_the_other_lines_are_of_known_programs_and_can_be_parsed() -> None:
    found = blocks("shell")
    assert len(found) >= 7
    for block in found:
        done = subprocess.run(
            ["bash", "-n"], input=block, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), block
        joined = block.replace("\\\n", " ")
        words = {line.split()[0] for line in joined.splitlines() if not line.startswith(" ")}
        assert words - {"done"} <= PROGRAMS, block


def test_the_loops_go_over_the_connectors() -> None:
    loops = set(re.findall(r"^for connector in (\S+); do$", TEXT, flags=re.MULTILINE))
    assert loops == {"source-*-calls"}
    names = {one.name for one in ROOT.glob("source-*-calls")}
    assert names == {connector.name for connector in CONNECTORS.values()}


def test_the_terraform_lines_name_variables_of_the_example() -> None:
    example = (ROOT / "deploy/terraform/example/main.tf").read_text(encoding="utf-8")
    declared = dict(re.findall(r'variable "(\w+)" \{\n(.*?)\n\}', example, flags=re.DOTALL))
    needed = {name for name, body in declared.items() if "default" not in body}
    assert set(re.findall(r"\bTF_VAR_(\w+)", TEXT)) == needed
    secret = {name for name, body in declared.items() if "sensitive" in body}
    assert set(re.findall(r"read -rs TF_VAR_(\w+)", TEXT)) == secret


def test_the_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        if path.startswith("https:"):
            continue
        file = (PAGE.parent / path).resolve() if path else PAGE
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
            assert anchor in anchors, target


def test_what_does_not_travel_is_what_the_metadata_has() -> None:
    named = set(re.findall(r"^\| `(\w+)`", TEXT.split("## What does not travel")[1], re.MULTILINE))
    assert named == {"allowedHosts", "suggestedStreams", "maxSecondsBetweenMessages"}
    for connector in CONNECTORS.values():
        text = (connector.folder / "metadata.yaml").read_text(encoding="utf-8")
        metadata = yaml.safe_load(text)["data"]
        assert named <= metadata.keys()
        assert metadata["maxSecondsBetweenMessages"] == 7200
