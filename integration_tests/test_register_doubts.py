"""`make register` where something is in doubt: it stops before it changes anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.airbyte_platform import DESTINATION_ID, FakePlatform
from integration_tests.connectors import CONNECTORS
from integration_tests.registering import REPOSITORY, configure, register, with_connections

ONE = dict(list(CONNECTORS.items())[:1])
(FIRST,) = ONE.values()


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    with FakePlatform() as found:
        yield found


def assert_refused(platform: FakePlatform, sentence: str, **variables: str) -> str:
    """It stops with this sentence, and nothing was changed; what it said."""
    before, changes = platform.workspace.snapshot(), list(platform.changes)
    done = register(platform, ONE, **variables)
    assert done.exit_status == 1
    (line,) = done.stderr.splitlines()
    assert sentence in line
    assert platform.workspace.snapshot() == before
    assert platform.changes == changes
    return line


def only(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (one,) = found.values()
    return one


def joined(platform: FakePlatform, folder: Path) -> dict[str, Any]:
    """The connection of a first run."""
    configure(folder, FIRST)
    assert register(platform, ONE, **with_connections(folder)).exit_status == 0
    return only(platform.workspace.connections)


# --- two connections that would write one table ---


def test_another_repository_makes_no_second_connection(
    platform: FakePlatform, tmp_path: Path
) -> None:
    connection = joined(platform, tmp_path)
    said = assert_refused(
        platform,
        f"another connection, {connection['name']} ({connection['connectionId']}), already writes"
        f" into the namespace {FIRST.provider} of this destination; two would write one table",
        **with_connections(tmp_path, REPOSITORY="localhost/other"),
    )
    assert "<provider>-<label>.json" in said


def test_a_renamed_source_gets_no_second_connection(platform: FakePlatform, tmp_path: Path) -> None:
    joined(platform, tmp_path)
    only(platform.workspace.sources)["name"] = "My calls"
    assert_refused(platform, "another connection", **with_connections(tmp_path))


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({"namespaceFormat": FIRST.provider.upper()}, True),
        ({"status": "inactive"}, True),  # the user may resume it
        ({"configurations": {"streams": []}}, True),
        ({"status": "deprecated"}, False),
        ({"prefix": "other_"}, False),
        ({"configurations": {"streams": [{"name": "users"}]}}, False),
        ({"namespaceFormat": f"{FIRST.provider}_other"}, False),
        ({"namespaceDefinition": "destination", "namespaceFormat": None}, False),
        ({"destinationId": "00000000-0000-4000-8000-0000000000dd"}, False),
    ],
)
def test_what_writes_the_same_table(
    changes: dict[str, Any], is_refused: bool, platform: FakePlatform, tmp_path: Path
) -> None:
    joined(platform, tmp_path).update(changes)
    only(platform.workspace.sources)["name"] = "My calls"
    variables = with_connections(tmp_path)
    if is_refused:
        assert_refused(platform, "another connection", **variables)
    else:
        assert register(platform, ONE, **variables).exit_status == 0
        assert len(platform.workspace.connections) == 2


def test_a_further_account_goes_by_its_label(platform: FakePlatform, tmp_path: Path) -> None:
    joined(platform, tmp_path)
    (tmp_path / f"{FIRST.provider}.json").unlink()
    configure(tmp_path, FIRST, "paris")
    variables = with_connections(tmp_path, REPOSITORY="localhost/other")
    assert register(platform, ONE, **variables).exit_status == 0
    namespaces = [one["namespaceFormat"] for one in platform.workspace.connections.values()]
    assert namespaces == [FIRST.provider, f"{FIRST.provider}_paris"]
    assert {one["destinationId"] for one in platform.workspace.connections.values()} == {
        DESTINATION_ID
    }


# --- what is removed ---


def definition(platform: FakePlatform) -> dict[str, Any]:
    return next(one for one in platform.workspace.definitions.values() if one["custom"])


def test_of_two_definitions_none_is_removed(platform: FakePlatform) -> None:
    register(platform, ONE)
    twin = {**definition(platform), "sourceDefinitionId": "00000000-0000-4000-8000-0000000000aa"}
    platform.workspace.definitions[twin["sourceDefinitionId"]] = twin
    said = assert_refused(platform, f"2 definitions have the image {REPOSITORY}/", REMOVE="1")
    assert twin["sourceDefinitionId"] in said


def test_a_definition_of_another_name_is_not_removed(platform: FakePlatform) -> None:
    register(platform, ONE)
    definition(platform)["name"] = "Calls of the sales team"
    sentence = f"is named Calls of the sales team ({definition(platform)['sourceDefinitionId']})"
    assert_refused(platform, sentence, REMOVE="1")


def test_a_definition_of_the_organization_is_not_removed(platform: FakePlatform) -> None:
    register(platform, ONE)
    one = definition(platform)
    platform.workspace.of_organization.add(one["sourceDefinitionId"])
    sentence = f"The definition {one['name']} ({one['sourceDefinitionId']}) is of the organization"
    assert_refused(platform, sentence, REMOVE="1")


def test_what_will_go_is_said_with_names_and_numbers(
    platform: FakePlatform, tmp_path: Path
) -> None:
    connection = joined(platform, tmp_path)
    source = only(platform.workspace.sources)
    further = {**source, "sourceId": "00000000-0000-4000-8000-0000000000bb", "name": "By hand"}
    platform.workspace.sources[further["sourceId"]] = further
    connection["name"] = "Mine"
    done = register(platform, ONE, REMOVE="1")
    name = source["name"]
    assert done.lines[0].startswith(f"{name} (")
    assert done.lines[0].endswith(
        f") goes, with 2 sources ({name}, By hand) and 1 connection (Mine)."
    )
    assert done.lines[1:] == [f"{name}: removed.", "Done: 1 changed."]
    assert platform.workspace.sources == platform.workspace.connections == {}
