"""Airbyte's conventions: the CDK's standard tests, and the files that Airbyte's tools read.

The standard tests run as a user runs them, with `airbyte-cdk connector test` in a process of its
own. They test neither state nor whether the files tell the truth; the other tests here do that.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from xml.etree import ElementTree

import pytest
import yaml
from airbyte_cdk.models.connector_metadata import ConnectorLanguage, MetadataFile
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.test.models.scenario import (
    SECTION_COMMANDS,
    ConnectorTestScenario,
    entry_key_problems,
)
from jsonschema import Draft7Validator, FormatChecker

from calls_shared.http.waiting import LONGEST_WAIT
from calls_shared.protocol.manifest_check import resolved
from integration_tests.acceptance_conftest import (
    configured_catalog,
    discovered_streams,
    folder_of,
    sample,
    sample_path,
)
from integration_tests.commands import (
    INCREMENTAL,
    Outcome,
    config_for,
    credential_key,
    run_forked,
    test_key,
)
from integration_tests.connectors import ALL, CONNECTORS, ROOT
from integration_tests.sandbox import Sandbox
from integration_tests.sandboxes import MakesSandbox, PlayedProvider, sandbox_of

# The tests of images need a container engine. Dependencies warn that they use what is deprecated.
STANDARD_TESTS = (
    "--pytest-arg=-m",
    "--pytest-arg=not image_tests",
)
REPORT = Path("build", "test-results", "standard-tests-junit.xml")
RAN = {
    "test_spec",
    "test_config_matches_spec['sample_config' Test Scenario]",
    "test_check['sample_config' Test Scenario]",
    "test_check['invalid_config' Test Scenario]",
    "test_discover['sample_config' Test Scenario]",
    "test_basic_read['sample_config' Test Scenario]",
    "test_fail_read_with_bad_catalog['sample_config' Test Scenario]",
}
SKIPPED = {  # a configuration with a wrong key is for `check` only
    "test_config_matches_spec['invalid_config' Test Scenario]",
    "test_discover['invalid_config' Test Scenario]",
    "test_basic_read['invalid_config' Test Scenario]",
    "test_fail_read_with_bad_catalog['invalid_config' Test Scenario]",
}

# Where the manifest's word is not enough: the hosts that the four pages name, and former names.
HOSTS = {
    "intercom": ["api.intercom.io", "api.eu.intercom.io", "api.au.intercom.io"],
    "openphone": ["api.openphone.com", "api.quo.com"],
    "amplemarket": ["api.amplemarket.com"],
    "skipcall": ["api-public.skipcall.app"],
}
NAMES = {
    "openphone": "Quo (formerly OpenPhone) calls",
}
FAR_FUTURE = "2999-12-31T00:00:00.000000Z"

each_provider = pytest.mark.parametrize("provider", ALL)
PLAYED = [provider for provider, connector in ALL.items() if sandbox_of(connector)]
"""The others fail one test, which says that the sandbox is missing (`test_connectors.py`)."""
each_played_provider = pytest.mark.parametrize("provider", PLAYED)


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has all of the properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


TEXT = {"type": "string", "minLength": 1}
URL = {"type": "string", "format": "uri", "pattern": "^https://"}
DOCUMENT = {"title": TEXT, "url": URL, "type": {"enum": ["api_reference", "rate_limits"]}}

# The part that we use of ConnectorMetadataDefinitionV0, a closed object; the CDK's own model of it
# is open, so that it takes any misspelled key.
METADATA = closed(
    {
        "metadataSpecVersion": {"const": "1.0"},
        "data": closed(
            {
                "name": TEXT,
                "definitionId": {"type": "string", "format": "uuid"},
                "connectorType": {"const": "source"},
                "connectorSubtype": {"const": "api"},
                "dockerRepository": TEXT,
                "dockerImageTag": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
                "license": {"enum": ["MIT", "ELv2"]},
                "releaseStage": {"const": "alpha"},
                "supportLevel": {"const": "community"},
                "githubIssueLabel": TEXT,
                "documentationUrl": URL,
                "externalDocumentationUrls": list_of(closed(DOCUMENT)),
                "tags": list_of({"type": "string", "pattern": "^[a-z]+:[a-z-]+$"}),
                "allowedHosts": closed(
                    {"hosts": list_of({"type": "string", "format": "hostname"})}
                ),
                "suggestedStreams": closed({"streams": list_of(TEXT)}),
                "maxSecondsBetweenMessages": {"const": 2 * LONGEST_WAIT},  # a margin
                "connectorTestSuitesOptions": {
                    "const": [{"suite": "unitTests"}, {"suite": "acceptanceTests"}]
                },
                "remoteRegistries": closed(
                    {"pypi": closed({"enabled": {"const": False}, "packageName": TEXT})}
                ),
                "registryOverrides": closed(
                    {
                        "oss": closed({"enabled": {"const": True}}),
                        "cloud": closed({"enabled": {"const": False}}),
                    }
                ),
            }
        ),
    }
)


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Callable[[str], PlayedProvider]]:
    """The sandbox of each provider, running."""
    with ExitStack() as running:

        @cache
        def made(make: MakesSandbox) -> PlayedProvider:
            return running.enter_context(make(60))

        def of(provider: str) -> PlayedProvider:
            make = sandbox_of(ALL[provider])
            assert make is not None
            return made(make)

        yield of


@pytest.fixture
def sandbox(
    sandboxes: Callable[[str], PlayedProvider], request: pytest.FixtureRequest
) -> PlayedProvider:
    """The sandbox of the test's provider."""
    provider: str = request.getfixturevalue("provider")
    return sandboxes(provider)


def yaml_file(provider: str, name: str) -> Any:
    return yaml.safe_load((folder_of(provider) / name).read_text(encoding="utf-8"))


def name_of(provider: str) -> str:
    return NAMES.get(provider, f"{ALL[provider].title} calls")


def metadata_of(provider: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml_file(provider, "metadata.yaml")["data"]
    return data


def standard_tests(sandbox: PlayedProvider, place: Path, *arguments: str) -> tuple[int, str]:
    """Run `airbyte-cdk connector test` in a place; its exit status and output."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("airbyte-cdk")), "connector", "test", *arguments],
        cwd=place,
        env={**os.environ, "CALLS_SANDBOX_URL": sandbox.url, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


BESIDE_A_CALL = re.compile(r"/calls/[^/]+/|/call-\w+/")
"""What is asked about a single call."""


def read(provider: str, sandbox: PlayedProvider, state: str) -> Outcome:
    """Read with a connector's own sample files and one of its states."""
    arguments = ["read", "--config", str(sample_path(provider, "sample_config.json"))]
    arguments += ["--catalog", str(sample_path(provider, "configured_catalog.json"))]
    arguments += ["--state", str(sample_path(provider, state))]
    return run_forked(provider, arguments, sandbox)


def assert_passed(report: Path) -> None:
    """Assert from a report in JUnit's format that all standard tests ran, and passed."""
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    assert {case.get("name") for case in cases if not len(case)} == RAN
    skipped = {case.get("name"): case.find("skipped") for case in cases if len(case)}
    assert set(skipped) == SKIPPED
    for reason in skipped.values():
        assert reason is not None
        assert "its config is listed under `connection`" in str(reason.get("message"))


@each_played_provider
def test_the_standard_tests_pass(provider: str, sandbox: PlayedProvider) -> None:
    report = folder_of(provider) / REPORT
    report.unlink(missing_ok=True)
    before = len(sandbox.requests) if isinstance(sandbox, Sandbox) else 0

    status, output = standard_tests(sandbox, folder_of(provider), *STANDARD_TESTS)

    assert status == 0, output
    assert_passed(report)
    if isinstance(sandbox, Sandbox):
        sent = [one for one in sandbox.requests[before:] if one.provider == provider]
        beside = [one for one in sent if BESIDE_A_CALL.search(one.path)]
        assert {one.status for one in beside} <= {200, 302, 404}  # there, or not
        assert {one.status for one in sent if one not in beside} == {200, 401}
        assert any(one.path.endswith("/calls") and one.status == 200 for one in sent)


def test_the_standard_tests_find_a_connector_by_its_name(
    sandboxes: Callable[[str], PlayedProvider], tmp_path: Path
) -> None:
    """And they need nothing of the workspace around it, such as its settings of pytest."""
    name = "source-intercom-calls"
    ignored = shutil.ignore_patterns("build", ".tmp", "__pycache__")
    shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)

    status, output = standard_tests(sandboxes("intercom"), tmp_path, name, *STANDARD_TESTS)

    assert status == 0, output
    assert f"Running tests from connector directory: {tmp_path / name}..." in output
    assert_passed(tmp_path / name / REPORT)


@each_provider
def test_the_metadata_is_valid(provider: str) -> None:
    content = yaml_file(provider, "metadata.yaml")

    errors = Draft7Validator(METADATA, format_checker=FormatChecker()).iter_errors(content)

    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    model = MetadataFile.from_file(folder_of(provider) / "metadata.yaml")
    assert model.data.language is ConnectorLanguage.PYTHON


@each_provider
def test_the_metadata_agrees_with_the_other_files(provider: str) -> None:
    name = ALL[provider].name
    metadata = metadata_of(provider)
    project = tomllib.loads((folder_of(provider) / "pyproject.toml").read_text(encoding="utf-8"))
    spec = ALL[provider].manifest_as_written()["spec"]
    keywords = {"openphone": ["keyword:quo", "keyword:openphone"]}.get(provider, [])

    assert metadata["name"] == name_of(provider)
    assert spec["connection_specification"]["title"].removesuffix(" calls") in name_of(provider)
    assert project["project"]["name"] == name
    assert metadata["remoteRegistries"]["pypi"]["packageName"] == name
    assert metadata["githubIssueLabel"] == name
    assert metadata["dockerRepository"] == f"airbyte-calls/{name}"
    assert metadata["dockerImageTag"] == project["project"]["version"]
    assert metadata["license"] == project["project"]["license"]
    assert metadata["documentationUrl"] == spec["documentation_url"]
    *references, limits = (link["type"] for link in metadata["externalDocumentationUrls"])
    assert set(references) == {"api_reference"}
    assert limits == "rate_limits"
    assert metadata["tags"] == ["language:python", "cdk:low-code", "keyword:calls", *keywords]


def test_each_connector_has_an_id_of_its_own() -> None:
    ids = [UUID(metadata_of(provider)["definitionId"]) for provider in ALL]

    assert len(set(ids)) == len(ALL)
    assert {one.version for one in ids} == {4}


def manifest_hosts(node: Any, configs: list[dict[str, Any]]) -> Iterator[str]:
    """All hosts below a node of a manifest that requests may go to, under some configurations."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("url", "url_base") and isinstance(value, str):
                template = InterpolatedString.create(value, parameters={})
                for config in configs:
                    url = template.eval(config, stream_slice={"call_id": "1"})
                    assert urlsplit(url).scheme == "https"
                    yield str(urlsplit(url).hostname)
            elif key == "host":
                yield str(value)
            else:
                yield from manifest_hosts(value, configs)
    elif isinstance(node, list):
        for item in node:
            yield from manifest_hosts(item, configs)


@each_provider
def test_the_allowed_hosts_are_those_of_the_requests(provider: str) -> None:
    manifest = resolved(ALL[provider].manifest_as_written())
    properties = manifest["spec"]["connection_specification"]["properties"]
    regions = properties.get("region", {}).get("enum", [])
    configs = [config_for(provider), *(config_for(provider, region=one) for one in regions)]
    requests = {key: value for key, value in manifest.items() if key != "spec"}

    allowed = metadata_of(provider)["allowedHosts"]["hosts"]

    assert allowed == HOSTS.get(provider, allowed)
    assert set(allowed) == set(manifest_hosts(requests, configs))


@each_provider
def test_the_icon_is_a_square_drawing_of_its_own(provider: str) -> None:
    icon = (folder_of(provider) / "icon.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(icon)

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("width"), root.get("height")) == ("256", "256")
    assert root.get("viewBox") == "0 0 256 256"
    assert root.findtext("{http://www.w3.org/2000/svg}title") == name_of(provider)
    assert "href" not in icon
    others = [(folder_of(one) / "icon.svg").read_text() for one in ALL if one != provider]
    assert icon.partition("</title>")[2] not in [one.partition("</title>")[2] for one in others]


@each_provider
def test_the_acceptance_configuration_means_what_the_cdk_reads(provider: str) -> None:
    content = yaml_file(provider, "acceptance-test-config.yml")
    entries = [
        (section, entry)
        for section, body in content["acceptance_tests"].items()
        if section in SECTION_COMMANDS
        for entry in body["tests"]
    ]
    # full_refresh names the catalog; basic_read does not, so that it reads every stream.
    config, wrong = "integration_tests/sample_config.json", "integration_tests/invalid_config.json"
    catalog = "integration_tests/configured_catalog.json"
    expected: list[tuple[str, str, str | None, str | None]] = [
        ("spec", config, None, None),
        ("connection", config, "succeed", None),
        ("connection", wrong, "failed", None),
        ("discovery", config, None, None),
        ("basic_read", config, None, None),
        ("full_refresh", config, None, catalog),
    ]

    problems = [entry_key_problems(entry, (section,)) for section, entry in entries]
    scenarios = [
        ConnectorTestScenario.model_validate(
            {
                **entry,
                "sections": (section,),
                "test_strictness_level": content["test_strictness_level"],
            }
        )
        for section, entry in entries
    ]

    assert problems == [[] for _ in entries]
    assert scenarios == [
        ConnectorTestScenario(
            config_path=Path(path),
            status=status,  # type: ignore[arg-type]
            configured_catalog_path=Path(named) if named else None,
            sections=(section,),
            test_strictness_level="high",
        )
        for section, path, status, named in expected
    ]


def named_files(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key.endswith("_path"):
                yield value
            else:
                yield from named_files(value)
    elif isinstance(node, list):
        for item in node:
            yield from named_files(item)


@each_provider
def test_the_acceptance_configuration_is_for_the_cdks_tests_and_says_so(provider: str) -> None:
    """Airbyte's retired tool wants a key, for its tests of records, that the CDK refuses."""
    content = yaml_file(provider, "acceptance-test-config.yml")
    text = (folder_of(provider) / "acceptance-test-config.yml").read_text(encoding="utf-8")
    (entry,) = content["acceptance_tests"]["basic_read"]["tests"]

    assert set(content) == {"test_strictness_level", "acceptance_tests"}
    assert set(content["acceptance_tests"]) == set(SECTION_COMMANDS)
    assert text.startswith("# For the CDK's standard tests (`airbyte-cdk connector test`).")
    (refused,) = entry_key_problems({**entry, "expect_records": {"path": "x"}}, ("basic_read",))
    assert "expect_records" in refused
    files = set(named_files(content))
    assert files == {
        f"integration_tests/{name}.json"
        for name in ("sample_config", "invalid_config", "configured_catalog")
    }
    assert [path for path in files if not (folder_of(provider) / path).is_file()] == []


@each_provider
def test_the_sample_configurations_differ_in_the_key_alone(provider: str) -> None:
    secrets = ALL[provider].secret_keys
    valid, invalid = (sample(provider, f"{kind}_config.json") for kind in ("sample", "invalid"))
    if provider in CONNECTORS:
        assert valid == {credential_key(provider): test_key(provider)}
    assert [key for key in secrets if not str(valid[key]).endswith("-not-real")] == []
    assert {key for key in valid if invalid.get(key) != valid[key]} <= set(secrets)
    assert invalid.keys() == valid.keys()
    # The standard tests look for a secret in the output only if it is long and has a digit.
    wrong = [invalid[key] for key in secrets if invalid[key] != valid[key]]
    assert wrong
    form = re.compile(r"wrong-key-[a-z0-9]+-\d+-not-real")
    assert [key for key in wrong if not form.fullmatch(key)] == []


OF_A_CALL = ("call_transcripts", "call_recordings")
FURTHER = {
    **{name: {"listed_calls"} for name in ALL},
    "intercom": {"listed_calls", *OF_A_CALL, "users"},
    "openphone": {*OF_A_CALL, "users"},
    "amplemarket": {"listed_calls", *OF_A_CALL, "users", "call_dispositions"},
}
"""What is not suggested: each costs requests of its own."""
KEYS = {
    "call_transcripts": [["provider"], ["call_id"], ["segment_index"]],
    "call_recordings": [["provider"], ["call_id"], ["recording_id"]],
}


@each_provider
def test_the_catalog_is_what_discover_says(provider: str) -> None:
    streams = discovered_streams(provider)

    refresh = "run: python -m integration_tests.acceptance_conftest"
    assert sample(provider, "configured_catalog.json") == configured_catalog(streams), refresh
    suggested = {"openphone": ["calls", "phone_numbers"]}.get(provider, ["calls"])
    assert metadata_of(provider)["suggestedStreams"]["streams"] == suggested
    names = {*suggested, *FURTHER[provider]}
    assert {stream["name"] for stream in streams} == names
    for stream in streams:
        name = stream["name"]
        key = KEYS.get(name, [["provider"], ["id"]] if name in FURTHER[provider] else [["id"]])
        assert stream["source_defined_primary_key"] == key
        assert ("incremental" in stream["supported_sync_modes"]) is (name in INCREMENTAL)
        cursor = "updated_at" if name in OF_A_CALL else ALL[provider].cursor_field
        assert stream.get("default_cursor_field", []) == ([cursor] if name in INCREMENTAL else [])


def shape(node: Any) -> Any:
    """A state with its times and durations blotted out, and its partitions in order."""
    if isinstance(node, Mapping):
        return {key: shape(value) for key, value in node.items()}
    if isinstance(node, list):
        return sorted((shape(item) for item in node), key=json.dumps)
    if isinstance(node, int) and not isinstance(node, bool):
        return "a number"
    if isinstance(node, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", node):
        return "a time"
    return node


LISTS = ("complete", "inventory", "scope")


def times(node: Any) -> Iterator[str]:
    """All times in a state."""
    if isinstance(node, Mapping | list):
        for item in node.values() if isinstance(node, Mapping) else node:
            yield from times(item)
    elif shape(node) == "a time":
        yield node


def calls_of_conversations(sandbox: Sandbox, active_since: str) -> dict[str, dict[str, Any]]:
    """OpenPhone's calls of the conversations that were active since then, or tell no date."""
    bound = datetime.fromisoformat(active_since).timestamp() * 1000
    chosen = {
        thread.conversation.id
        for thread in sandbox.world.openphone.threads.values()
        if thread.conversation.dates_null or thread.activity >= bound
    }
    calls = sandbox.expected("openphone")
    return {key: call for key, call in calls.items() if call["conversation_id"] in chosen}


def timeless(provider: str, sandbox: PlayedProvider) -> Mapping[str, Mapping[str, Any]]:
    """The calls without a readable cursor; the four of the common sandbox have none."""
    field = ALL[provider].cursor_field
    found = {key: c for key, c in sandbox.expected(provider).items() if c.get(field) is None}
    assert not (found and isinstance(sandbox, Sandbox))
    return found


def calls_since(
    provider: str, sandbox: PlayedProvider, start: str
) -> Mapping[str, Mapping[str, Any]]:
    """The calls that a read must emit which begins at this time."""
    if isinstance(sandbox, Sandbox) and provider == "openphone":
        return calls_of_conversations(sandbox, start)
    bound = datetime.fromisoformat(start)
    return {
        key: call
        for key, call in sandbox.expected(provider).items()
        if (changed := call.get(ALL[provider].cursor_field)) is None
        or datetime.fromisoformat(changed) >= bound
    }


@each_played_provider
def test_a_state_of_the_far_future_lets_nothing_through(
    provider: str, sandbox: PlayedProvider
) -> None:
    (given,) = sample(provider, "abnormal_state.json")
    assert set(times(without_lists(given))) == {FAR_FUTURE}

    outcome = read(provider, sandbox, "abnormal_state.json")

    assert outcome.exit_status == 0, outcome.errors
    # what has no time comes with every sync
    assert outcome.by_id() == timeless(provider, sandbox)
    assert outcome.statuses.count("COMPLETE") == len(
        sample(provider, "configured_catalog.json")["streams"]
    )
    assert set(times(without_lists(outcome.last_state()))) == {FAR_FUTURE}


@each_played_provider
def test_the_sample_state_lets_through_what_changed_since(
    provider: str, sandbox: PlayedProvider
) -> None:
    (given,) = sample(provider, "sample_state.json")
    (state,) = set(times(without_lists(given)))
    start = (datetime.fromisoformat(state) - timedelta(days=7)).isoformat()

    outcome = read(provider, sandbox, "sample_state.json")

    assert outcome.exit_status == 0, outcome.errors
    expected = calls_since(provider, sandbox, start)
    assert 0 < len(expected) < len(sandbox.expected(provider))
    assert outcome.by_id() == expected
    emitted = outcome.last_state()
    for written in (given, *sample(provider, "abnormal_state.json")):
        assert without_lists(shape(written)) == without_lists(shape(emitted))
    assert min(times(without_lists(emitted))) >= state
    assert max(times(without_lists(emitted))) > state


def without_lists(node: Any) -> Any:
    """A state without what its lists leave to be compared; one that bounds holds only a part."""
    if isinstance(node, Mapping):
        kept = {key: value for key, value in node.items() if key not in LISTS}
        return {key: without_lists(value) for key, value in kept.items()}
    return node
