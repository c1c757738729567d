"""`make register`: what it brings a platform to, and that a second run changes nothing."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration_tests.airbyte_platform import (
    CLIENT_ID,
    CLIENT_SECRET,
    DESTINATION_ID,
    WORKSPACE_ID,
    FakePlatform,
    Switches,
)
from integration_tests.airbyte_platform.workspace import FOREIGN, specification_of
from integration_tests.commands import ROOT, run_command
from integration_tests.connectors import CONNECTORS
from integration_tests.registering import (
    REPOSITORY,
    TAG,
    configure,
    register,
    with_connections,
)

TWO = dict(list(CONNECTORS.items())[:2])
ONE = dict(list(CONNECTORS.items())[:1])
(FIRST,) = ONE.values()


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    with FakePlatform() as found:
        yield found


def metadata(provider: str) -> dict[str, Any]:
    text = (CONNECTORS[provider].folder / "metadata.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["data"]
    return found


def custom(platform: FakePlatform) -> dict[str, dict[str, Any]]:
    """The custom definitions, by the name of the connector."""
    return {
        one["dockerRepository"].rpartition("/")[2]: one
        for one in platform.workspace.definitions.values()
        if one["custom"]
    }


def only(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (one,) = found.values()
    return one


def test_all_definitions_are_registered_whole(platform: FakePlatform) -> None:
    done = register(platform)

    assert (done.exit_status, done.stderr) == (0, "")
    found = custom(platform)
    assert found.keys() == {connector.name for connector in CONNECTORS.values()}
    for provider, connector in CONNECTORS.items():
        definition, image = found[connector.name], f"{REPOSITORY}/{connector.name}:{TAG}"
        assert platform.workspace.specifications[image] == specification_of(provider)
        icon = (connector.folder / "icon.svg").read_text(encoding="utf-8")
        assert platform.workspace.icons[definition["sourceDefinitionId"]] == icon
        assert definition["name"] == metadata(provider)["name"]
        assert definition["documentationUrl"] == metadata(provider)["documentationUrl"]
        assert definition["dockerRepository"] == f"{REPOSITORY}/{connector.name}"
        assert definition["dockerImageTag"] == TAG
        default = definition["resourceRequirements"]["default"]
        assert (default["memory_request"], default["memory_limit"]) == ("256Mi", "1Gi")
        assert (default["cpu_request"], default["cpu_limit"]) == ("250m", "1")
        assert f"{definition['name']}: registered, image {image}." in done.lines
    assert done.lines[-1] == f"Done: {len(CONNECTORS)} changed."
    said = run_command(FIRST.provider, ["spec"]).of_type("SPEC")[0]["spec"]
    assert specification_of(FIRST.provider) == said
    # the specification came along, so that no pod had to say it
    assert platform.workspace.pods == []
    assert platform.changes == ["POST /api/v1/source_definitions/create_custom"] * len(CONNECTORS)


def test_every_account_gets_a_source_and_a_connection_in_a_namespace_of_its_own(
    platform: FakePlatform, tmp_path: Path
) -> None:
    for connector in CONNECTORS.values():
        configure(tmp_path, connector)

    assert register(platform, **with_connections(tmp_path)).exit_status == 0

    found = custom(platform)
    by_source = {one["sourceId"]: one for one in platform.workspace.connections.values()}
    assert len(by_source) == len(platform.workspace.sources) == len(CONNECTORS)
    for provider, connector in CONNECTORS.items():
        source = next(
            one
            for one in platform.workspace.sources.values()
            if one["definitionId"] == found[connector.name]["sourceDefinitionId"]
        )
        assert source["name"] == metadata(provider)["name"]
        assert source["configuration"] == connector.sample("sample_config.json")
        connection = by_source[source["sourceId"]]
        assert connection["destinationId"] == DESTINATION_ID
        assert connection["namespaceDefinition"] == "custom_format"
        assert connection["namespaceFormat"] == provider
        assert connection["nonBreakingSchemaUpdatesBehavior"] == "propagate_columns"
        assert connection["schedule"] == {
            "scheduleType": "cron",
            "cronExpression": "0 0 */6 * * ? UTC",
        }
        (stream,) = connection["configurations"]["streams"]
        assert stream["name"] == "calls"
        assert stream["syncMode"] == "incremental_deduped_history"
        assert stream["cursorField"] == [connector.cursor_field]
        assert stream["primaryKey"] == [["id"]]


def test_the_bodies_name_cursor_and_key(platform: FakePlatform, tmp_path: Path) -> None:
    """The platform would fill them in, so they are looked for in what was sent."""
    configure(tmp_path, FIRST)
    register(platform, ONE, **with_connections(tmp_path))
    body = next(one.body for one in platform.log if one.path.endswith("/connections") and one.body)
    (stream,) = body["configurations"]["streams"]
    assert stream["cursorField"] == [FIRST.cursor_field]
    assert stream["primaryKey"] == [["id"]]


def test_a_second_run_changes_nothing_and_says_so(platform: FakePlatform, tmp_path: Path) -> None:
    for connector in TWO.values():
        configure(tmp_path, connector, start_date="2026-01-31T00:00:00Z")
    variables = with_connections(tmp_path, SCHEDULE="0 30 * * * ?")
    register(platform, TWO, **variables)
    state, changes = platform.workspace.snapshot(), list(platform.changes)

    again = register(platform, TWO, **variables)

    assert platform.workspace.snapshot() == state
    assert platform.changes == changes
    assert (again.exit_status, again.lines[-1]) == (0, "Done: nothing had to be changed.")


def test_a_run_that_failed_in_the_middle_goes_on_where_it_was(
    platform: FakePlatform, tmp_path: Path
) -> None:
    for connector in TWO.values():
        configure(tmp_path, connector)
    image = f"{REPOSITORY}/{list(TWO.values())[1].name}:{TAG}"
    platform.workspace.unpullable = frozenset({image})
    failed = register(platform, TWO, **with_connections(tmp_path))
    assert failed.exit_status == 1
    assert image in failed.stderr
    assert len(platform.workspace.connections) == 1

    platform.workspace.unpullable = frozenset()
    before = len(platform.changes)
    assert register(platform, TWO, **with_connections(tmp_path)).exit_status == 0

    assert platform.changes[before:] == ["POST /api/public/v1/connections"]
    assert len(platform.workspace.connections) == 2


def test_another_tag_changes_the_definitions_and_nothing_else(
    platform: FakePlatform, tmp_path: Path
) -> None:
    configure(tmp_path, FIRST)
    register(platform, ONE, **with_connections(tmp_path))
    before, changes = platform.workspace.snapshot(), len(platform.changes)

    done = register(platform, ONE, **with_connections(tmp_path, TAG="7.9.0"))

    after = platform.workspace.snapshot()
    assert platform.changes[changes:] == ["POST /api/v1/source_definitions/update"]
    assert only(custom(platform))["dockerImageTag"] == "7.9.0"
    assert f"{metadata(FIRST.provider)['name']}: changed (7.8.9 becomes 7.9.0)" in done.stdout
    assert after["sources"] == before["sources"]
    assert after["connections"] == before["connections"]
    # the platform asks an image that it does not know for its specification
    assert platform.workspace.pods[-1] == f"spec {REPOSITORY}/{FIRST.name}:7.9.0"


def test_other_resources_are_put_right(platform: FakePlatform) -> None:
    register(platform, ONE)
    wanted = platform.workspace.snapshot()
    only(custom(platform))["resourceRequirements"]["default"]["memory_limit"] = "64Mi"

    done = register(platform, ONE)

    assert "changed (resources)" in done.stdout
    assert platform.workspace.snapshot() == wanted

    register(platform, ONE, MEMORY_LIMIT="2Gi")
    assert only(custom(platform))["resourceRequirements"]["default"]["memory_limit"] == "2Gi"


def test_only_a_custom_definition_of_the_same_image_is_ours(platform: FakePlatform) -> None:
    alike = {**FOREIGN, "dockerRepository": f"{REPOSITORY}/{FIRST.name}", "custom": False}
    platform.workspace.definitions["registry"] = alike
    register(platform, ONE)
    assert platform.workspace.definitions["registry"] == alike
    assert len(custom(platform)) == 1

    # another prefix is another image, and so another definition
    register(platform, ONE, REPOSITORY="localhost/other")
    repositories = {one["dockerRepository"] for one in platform.workspace.definitions.values()}
    assert f"localhost/other/{FIRST.name}" in repositories


def test_two_definitions_of_one_image_are_left_to_the_user(platform: FakePlatform) -> None:
    register(platform, TWO)
    first, *_ = custom(platform).values()
    twin = {**first, "sourceDefinitionId": "00000000-0000-4000-8000-0000000000aa"}
    platform.workspace.definitions[twin["sourceDefinitionId"]] = twin
    before = list(platform.changes)

    done = register(platform, TWO, TAG="7.9.0")

    assert done.exit_status == 1
    assert f"2 definitions have the image {first['dockerRepository']}" in done.stderr
    assert first["sourceDefinitionId"] in done.stderr
    assert twin["sourceDefinitionId"] in done.stderr
    assert platform.changes == before  # not even those that are not in doubt


def test_two_accounts_of_a_provider_write_two_namespaces(
    platform: FakePlatform, tmp_path: Path
) -> None:
    configure(tmp_path, FIRST)
    configure(tmp_path, FIRST, "north-east")
    variables = with_connections(tmp_path)
    register(platform, ONE, **variables)

    name = metadata(FIRST.provider)["name"]
    names = {one["sourceId"]: one["name"] for one in platform.workspace.sources.values()}
    assert {
        (names[one["sourceId"]], one["namespaceFormat"])
        for one in platform.workspace.connections.values()
    } == {(name, FIRST.provider), (f"{name} (north-east)", f"{FIRST.provider}_north_east")}
    before = list(platform.changes)
    register(platform, ONE, **variables)
    assert platform.changes == before


def test_another_configuration_replaces_the_source_as_a_whole(
    platform: FakePlatform, tmp_path: Path
) -> None:
    configure(tmp_path, FIRST, lookback_days=30)
    register(platform, ONE, **with_connections(tmp_path))
    before = len(platform.changes)
    configure(tmp_path, FIRST, start_date="2026-01-31T00:00:00Z")

    done = register(platform, ONE, **with_connections(tmp_path))

    (source,) = platform.workspace.sources.values()
    sample = FIRST.sample("sample_config.json")
    assert source["configuration"] == {**sample, "start_date": "2026-01-31T00:00:00Z"}
    assert "source changed (lookback_days, start_date)" in done.stdout
    assert platform.changes[before:] == [f"PUT /api/public/v1/sources/{source['sourceId']}"]


def test_a_new_secret_cannot_be_seen_and_is_sent_when_asked_for(
    platform: FakePlatform, tmp_path: Path
) -> None:
    configure(tmp_path, FIRST)
    register(platform, ONE, **with_connections(tmp_path))
    key = FIRST.secret_keys[0]
    configure(tmp_path, FIRST, **{key: "test-key-new-not-real"})

    unseen = register(platform, ONE, **with_connections(tmp_path))
    (source,) = platform.workspace.sources.values()
    assert unseen.lines[-1] == "Done: nothing had to be changed."
    assert source["configuration"][key] != "test-key-new-not-real"

    renewed = register(platform, ONE, **with_connections(tmp_path, RENEW_SECRETS="1"))
    assert source["configuration"][key] == "test-key-new-not-real"
    assert "source changed (secrets)" in renewed.stdout
    assert "test-key" not in renewed.stdout + renewed.stderr


def test_a_schedule_changes_when_one_is_asked_for_and_the_streams_stay(
    platform: FakePlatform, tmp_path: Path
) -> None:
    configure(tmp_path, FIRST)
    register(platform, ONE, **with_connections(tmp_path, SCHEDULE="manual"))
    (connection,) = platform.workspace.connections.values()
    assert connection["schedule"] == {"scheduleType": "manual"}
    streams = connection["configurations"]

    register(platform, ONE, **with_connections(tmp_path))  # nothing is asked of the schedule
    assert connection["schedule"] == {"scheduleType": "manual"}

    done = register(platform, ONE, **with_connections(tmp_path, SCHEDULE="0 15 6 * * ? UTC"))
    assert "connection changed (schedule 0 15 6 * * ?)" in done.stdout
    assert connection["schedule"]["cronExpression"] == "0 15 6 * * ? UTC"
    # a platform that is not told the streams takes all of them, in full refresh | overwrite
    assert connection["configurations"] == streams


def test_what_the_user_changed_in_a_connection_is_left_and_told(
    platform: FakePlatform, tmp_path: Path
) -> None:
    configure(tmp_path, FIRST)
    register(platform, ONE, **with_connections(tmp_path))
    (connection,) = platform.workspace.connections.values()
    connection |= {"namespaceDefinition": "destination", "namespaceFormat": None}
    connection["configurations"]["streams"][0]["syncMode"] = "full_refresh_append"
    connection["status"] = "inactive"
    before, changes = platform.workspace.snapshot(), list(platform.changes)

    done = register(platform, ONE, **with_connections(tmp_path))

    assert platform.workspace.snapshot() == before
    assert platform.changes == changes
    name = metadata(FIRST.provider)["name"]
    notes = [line for line in done.lines if line.startswith(f"Note: {name}: ")]
    assert len(notes) == 2
    assert f"does not write into the namespace {FIRST.provider}" in notes[0]
    assert "not in the mode Incremental | Append + Deduped" in notes[1]


def test_a_connection_that_was_made_by_hand_is_the_one(
    platform: FakePlatform, tmp_path: Path
) -> None:
    """It joins the same source and destination; a second one would write the same table."""
    configure(tmp_path, FIRST)
    register(platform, ONE, **with_connections(tmp_path))
    (connection,) = platform.workspace.connections.values()
    connection["name"] = "By hand"
    register(platform, ONE, **with_connections(tmp_path))
    assert len(platform.workspace.connections) == 1


def test_all_pages_of_the_lists_are_read(platform: FakePlatform, tmp_path: Path) -> None:
    configure(tmp_path, FIRST)
    variables = with_connections(tmp_path)
    register(platform, ONE, **variables)
    (source,) = platform.workspace.sources.values()
    (connection,) = platform.workspace.connections.values()
    for kind, key, one in (
        (platform.workspace.sources, "sourceId", source),
        (platform.workspace.connections, "connectionId", connection),
    ):
        others = {
            f"other-{n}": {**one, key: f"other-{n}", "name": f"other {n}", "sourceId": f"other-{n}"}
            | {"prefix": "other_"}
            for n in range(100)
        }
        mine = dict(kind)
        kind.clear()
        kind.update({**others, **mine})  # ours on the second page
    before = list(platform.changes)

    assert register(platform, ONE, **variables).exit_status == 0

    assert platform.changes == before
    assert [one.query for one in platform.log if one.path.endswith("/sources")][-2:] == [
        f"workspaceIds={WORKSPACE_ID}&limit=100&offset={offset}" for offset in (0, 100)
    ]


def test_a_token_that_ends_is_replaced(tmp_path: Path) -> None:
    with FakePlatform(Switches(requests_per_token=2)) as platform:
        for connector in TWO.values():
            configure(tmp_path, connector)
        done = register(platform, TWO, **with_connections(tmp_path))
        assert (done.exit_status, len(platform.workspace.connections)) == (0, 2)
        assert len(platform.tokens) > 3


def test_an_older_platform_runs_the_image_for_its_specification(platform: FakePlatform) -> None:
    platform.workspace.pods_without_spec = True
    assert register(platform, ONE).exit_status == 0
    assert platform.workspace.pods == [f"spec {REPOSITORY}/{FIRST.name}:{TAG}"]


def test_secrets_are_in_no_message_and_on_no_command_line(
    platform: FakePlatform, tmp_path: Path
) -> None:
    """Run as a user does: make passes the secret on in the environment alone."""
    key = FIRST.secret_keys[0]
    configure(tmp_path, FIRST, **{key: "test-key-never-shown-not-real"})
    variables = with_connections(tmp_path, AIRBYTE_URL=platform.url, WORKSPACE_ID=WORKSPACE_ID)
    secrets = {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
    command = ["make", "--no-print-directory", "register", "REPOSITORY=ghcr.io/me", "TAG=3.2.1"]
    command.append("SCHEDULE=0 */20 4 * * ?")  # make and its shell leave it as it is
    environment = {**os.environ, **variables, **secrets}

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run()
    assert done.returncode == 0, done.stderr
    images = {one["dockerRepository"] for one in custom(platform).values()}
    assert images == {f"ghcr.io/me/{connector.name}" for connector in CONNECTORS.values()}
    assert {one["dockerImageTag"] for one in custom(platform).values()} == {"3.2.1"}
    (connection,) = platform.workspace.connections.values()
    assert connection["schedule"]["cronExpression"] == "0 */20 4 * * ? UTC"
    (source,) = platform.workspace.sources.values()
    assert source["configuration"][key] == "test-key-never-shown-not-real"
    shown = done.stdout + done.stderr + run("--dry-run").stdout
    for secret in ("test-key-never-shown-not-real", CLIENT_SECRET, *platform.tokens):
        assert secret not in shown

    told = run(f"CLIENT_SECRET={CLIENT_SECRET}")
    assert told.returncode == 2
    assert "CLIENT_SECRET stands on the command line" in told.stderr
    assert CLIENT_SECRET not in told.stdout + told.stderr


def test_removing_takes_sources_and_connections_along_and_nothing_else(
    platform: FakePlatform, tmp_path: Path
) -> None:
    before = platform.workspace.snapshot()
    for connector in TWO.values():
        configure(tmp_path, connector)
    register(platform, TWO, **with_connections(tmp_path))
    ids = {name: one["sourceDefinitionId"] for name, one in custom(platform).items()}
    register(platform, ONE, REPOSITORY="localhost/other")
    kept = only(
        {k: one for k, one in custom(platform).items() if "other" in one["dockerRepository"]}
    )

    done = register(platform, TWO, REMOVE="1", TAG="9.9.9")

    after = platform.workspace.snapshot()
    assert (after["sources"], after["connections"]) == ({}, {})
    definitions = {**before["definitions"], kept["sourceDefinitionId"]: kept}
    assert after["definitions"] == definitions
    name = metadata(FIRST.provider)["name"]
    assert done.lines[0] == (
        f"{name} ({ids[FIRST.name]}) goes, with 1 source ({name}) and 1 connection ({name})."
    )
    assert f"{name}: removed." in done.lines
    assert done.lines[-1] == "Done: 2 changed."
    assert register(platform, TWO, REMOVE="1").lines == ["Done: nothing had to be changed."]
