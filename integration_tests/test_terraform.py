"""`deploy/terraform/`: parsed, and held against the arguments of the provider `airbytehq/airbyte`.

The provider itself cannot be had without its registry, so `terraform validate` is for users; what
it would say of the arguments is taken from the provider's pages (`docs/resources/source.md`,
`source_definition.md`, `connection.md`, and `docs/index.md`), version 1.3. Where there is a
`terraform`, it also formats the files and works out the locals.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import pytest

from deploy.definitions import resources
from deploy.schedule import DEFAULT_SCHEDULE
from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.versions import current_version
from release.names import REPOSITORY

MODULE = ROOT / "deploy" / "terraform"
EXAMPLE = MODULE / "example"
META = {"for_each", "lifecycle"}

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="needs the program terraform"
)


@dataclass(frozen=True)
class Arguments:
    """What a resource takes and gives, as the provider's page of it says."""

    required: str
    optional: str = ""
    read_only: str = ""

    @property
    def taken(self) -> set[str]:
        return {*self.required.split(), *self.optional.split()}

    @property
    def all(self) -> set[str]:
        return {*self.taken, *self.read_only.split()}


PROVIDER = {
    "airbyte_source_definition": Arguments(
        "docker_image_tag docker_repository name workspace_id", "documentation_url", "id"
    ),
    "airbyte_source": Arguments(
        "configuration name workspace_id",
        "definition_id resource_allocation secret_id",
        "created_at source_id source_type",
    ),
    "airbyte_connection": Arguments(
        "destination_id source_id",
        "configurations data_residency name namespace_definition namespace_format"
        " non_breaking_schema_updates_behavior prefix schedule status",
        "connection_id workspace_id",
    ),
}
NESTED = {
    "configurations": Arguments("", "streams"),
    "streams": Arguments("name", "cursor_field primary_key sync_mode"),
    "schedule": Arguments("schedule_type", "cron_expression", "basic_timing"),
    "resource_allocation": Arguments("", "default job_specific"),
}
ENUMS = {
    "namespace_definition": {"source", "destination", "custom_format"},
    "non_breaking_schema_updates_behavior": {
        *("ignore", "disable_connection", "propagate_columns", "propagate_fully")
    },
    "status": {"active", "inactive", "deprecated"},
    "schedule_type": {"manual", "cron"},
    "sync_mode": {
        *("full_refresh_overwrite", "full_refresh_append"),
        *("incremental_append", "incremental_deduped_history"),
    },
}
CONFIGURATION = Arguments(
    "", "bearer_auth client_id client_secret password server_url token_url username"
)
SIZES = {
    f"{what}_{kind}"
    for what in ("cpu", "memory", "ephemeral_storage")
    for kind in ("limit", "request")
}


def plain(value: Any) -> Any:
    """A parsed value without the quotes of literals, and without what the parser adds."""
    if isinstance(value, dict):
        return {
            key.strip('"'): plain(item) for key, item in value.items() if not key.startswith("__")
        }
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


def blocks(folder: Path, kind: str) -> dict[str, Any]:
    """The blocks of a kind, such as `variable`, by their labels."""
    found: dict[str, Any] = {}
    for file in sorted(folder.glob("*.tf")):
        for block in plain(hcl2.loads(file.read_text(encoding="utf-8"))).get(kind, []):
            found |= block
    return found


def text_of(folder: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.tf")))


RESOURCE_BLOCKS = {kind: named["calls"] for kind, named in blocks(MODULE, "resource").items()}


def objects_in(value: Any) -> Iterator[tuple[str, Any]]:
    """All keys at any depth with their values; the items of a list count as its key."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            for one in item if isinstance(item, list) else [item]:
                yield key, one
                yield from objects_in(one)


def test_each_resource_has_what_it_must_and_nothing_that_it_cannot() -> None:
    assert RESOURCE_BLOCKS.keys() == PROVIDER.keys()
    for kind, block in RESOURCE_BLOCKS.items():
        arguments = PROVIDER[kind]
        assert block.keys() - META <= arguments.taken, kind
        assert set(arguments.required.split()) <= block.keys(), kind
        values = {key: value for key, value in block.items() if key not in META}
        for key, value in objects_in(values):
            if key in NESTED:
                assert value.keys() <= NESTED[key].taken, key
                assert set(NESTED[key].required.split()) <= value.keys(), key
            if key in ENUMS:
                assert value in ENUMS[key], key


def test_the_connection_is_what_make_register_makes() -> None:
    connection = RESOURCE_BLOCKS["airbyte_connection"]
    assert connection["namespace_definition"] == "custom_format"
    assert connection["namespace_format"] == "${local.namespaces[each.key]}"
    assert connection["configurations"]["streams"] == [
        {"name": "calls", "sync_mode": "incremental_deduped_history"}
    ]
    variables = blocks(MODULE, "variable")
    assert variables["schedule"]["default"] == DEFAULT_SCHEDULE
    assert variables["repository"]["default"] == REPOSITORY
    assert variables["resources"]["default"] == resources("1Gi")["default"]
    assert variables["resources"]["default"].keys() <= SIZES


def test_what_would_replace_a_definition_is_ignored() -> None:
    """A definition takes its sources with it, and those their connections and states."""
    lifecycle = RESOURCE_BLOCKS["airbyte_source_definition"]["lifecycle"]
    assert lifecycle == [{"ignore_changes": ["documentation_url"]}]


def test_a_connection_that_the_user_paused_stays_paused() -> None:
    (lifecycle,) = RESOURCE_BLOCKS["airbyte_connection"]["lifecycle"]
    assert lifecycle["ignore_changes"] == ["status"]
    repository = blocks(MODULE, "variable")["repository"]["description"]
    assert "replaces the definitions, and with them all sources" in repository


def test_every_name_that_is_used_is_there() -> None:
    text = text_of(MODULE)
    variables, (locals_,) = blocks(MODULE, "variable"), locals_of(MODULE)
    assert set(re.findall(r"\bvar\.(\w+)", text)) == variables.keys()
    used = set(re.findall(r"\blocal\.(\w+)", text))
    assert used == locals_.keys()
    for kind, attribute in re.findall(r"\b(airbyte_\w+)\.calls\[[^\n]*\]\.(\w+)", text):
        assert attribute in PROVIDER[kind].all
    metadata_keys = set(re.findall(r"each\.value\.(\w+)", text))
    for connector in CONNECTORS.values():
        metadata = (connector.folder / "metadata.yaml").read_text(encoding="utf-8")
        assert all(f"\n  {key}: " in metadata for key in metadata_keys)


def locals_of(folder: Path) -> tuple[dict[str, Any], ...]:
    return tuple(
        block
        for file in sorted(folder.glob("*.tf"))
        for block in plain(hcl2.loads(file.read_text(encoding="utf-8"))).get("locals", [])
    )


def test_secrets_are_marked() -> None:
    sensitive = {name for name, one in blocks(MODULE, "variable").items() if one.get("sensitive")}
    assert sensitive == {"configurations"}
    secret = re.compile("secret|key")
    for name, one in blocks(EXAMPLE, "variable").items():
        assert bool(secret.search(name)) is one.get("sensitive", False), name
        assert not secret.search(name) or "default" not in one
    for output in blocks(MODULE, "output").values():
        assert "configurations" not in str(output["value"])


def test_every_variable_and_output_says_what_it_is() -> None:
    for folder in (MODULE, EXAMPLE):
        for one in {**blocks(folder, "variable"), **blocks(folder, "output")}.values():
            assert len(one["description"]) > 10


def test_the_example_fits_the_module_and_the_provider() -> None:
    call = blocks(EXAMPLE, "module")["calls"]
    variables = blocks(MODULE, "variable")
    assert (EXAMPLE / call.pop("source")).resolve() == MODULE
    assert call.keys() <= variables.keys()
    needed = {name for name, one in variables.items() if "default" not in one}
    assert needed <= call.keys()
    assert call["configurations"].keys() <= CONNECTORS.keys()
    for provider, configuration in call["configurations"].items():
        settings = CONNECTORS[provider].settings
        assert configuration.keys() <= settings.keys()
        assert set(CONNECTORS[provider].secret_keys) <= configuration.keys()
    assert blocks(EXAMPLE, "provider")["airbyte"].keys() <= CONFIGURATION.taken
    assert set(re.findall(r"\bvar\.(\w+)", text_of(EXAMPLE))) == blocks(EXAMPLE, "variable").keys()
    used = set(re.findall(r"\bmodule\.calls\.(\w+)", text_of(EXAMPLE)))
    assert used <= blocks(MODULE, "output").keys()


def test_the_provider_is_the_one_whose_pages_were_read() -> None:
    for folder in (MODULE, EXAMPLE):
        for file in sorted(folder.glob("*.tf")):
            for block in plain(hcl2.loads(file.read_text(encoding="utf-8"))).get("terraform", []):
                (required,) = block["required_providers"]
                assert required == {"airbyte": {"source": "airbytehq/airbyte", "version": "~> 1.3"}}


def terraform(folder: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run it without the network and without the user's own settings."""
    variables = {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


@needs_terraform
def test_the_files_are_in_the_form_of_terraform() -> None:
    done = terraform(MODULE, "fmt", "-check", "-recursive", "-diff")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def without_provider(tmp_path: Path) -> Path:
    """The part of the module that can be worked out without the provider, beside the connectors."""
    folder = tmp_path / "deploy" / "terraform"
    folder.mkdir(parents=True)
    for name in ("variables.tf", "connectors.tf"):
        shutil.copy(MODULE / name, folder)
    for connector in CONNECTORS.values():
        (tmp_path / connector.name).mkdir()
        shutil.copy(connector.folder / "metadata.yaml", tmp_path / connector.name)
    return folder


def asked_for(folder: Path, **variables: Any) -> Path:
    asked = {"workspace_id": "w", **variables}
    (folder / "asked.auto.tfvars.json").write_text(json.dumps(asked), encoding="utf-8")
    return folder


@needs_terraform
def test_what_the_locals_come_to(without_provider: Path) -> None:
    accounts = {"skipcall": {"api_key": "x"}, "skipcall-north-east": {"workspace_ids": ["y"]}}
    folder = asked_for(without_provider, configurations=accounts, schedule="0 5 * * * ? UTC")
    expression = (
        "jsonencode([keys(local.connectors), local.names, local.namespaces, local.providers,"
        " local.cron_expression, [for c in local.connectors : c.dockerImageTag]])\n"
    )
    done = terraform(folder, "console", input=expression)
    assert done.returncode == 0, done.stderr
    found = json.loads(json.loads(done.stdout))
    assert found == [
        sorted(CONNECTORS),
        {"skipcall": "Skipcall calls", "skipcall-north-east": "Skipcall calls (north-east)"},
        {"skipcall": "skipcall", "skipcall-north-east": "skipcall_north_east"},
        {"skipcall": "skipcall", "skipcall-north-east": "skipcall"},
        "0 5 * * * ? UTC",
        [current_version()] * len(CONNECTORS),
    ]


@needs_terraform
@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"configurations": {"Skipcall": {}}}, "The keys are <provider>"),
        ({"configurations": {"skipcall-": {}}}, "The keys are <provider>"),
        ({"repository": "airbyte-calls"}, "Begin with the registry's host"),
        ({"repository": "ghcr.io/you"}, None),
        ({"repository": "registry:5000/you/calls"}, None),
        ({}, None),
    ],
)
def test_what_is_refused(
    variables: dict[str, Any], error: str | None, without_provider: Path
) -> None:
    folder = asked_for(without_provider, **variables)
    done = terraform(folder, "plan", "-input=false", "-no-color")
    assert (done.returncode, error is None or error in done.stderr) == (
        int(error is not None),
        True,
    )
