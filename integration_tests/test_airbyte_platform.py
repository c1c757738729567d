"""The fake of the platform refuses what the platform refuses, so that its users are tested.

The rules are those of the handler or OpenAPI file that the fake's module names.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integration_tests.airbyte_platform import (
    CLIENT_ID,
    CLIENT_SECRET,
    DESTINATION_ID,
    WORKSPACE_ID,
    FakePlatform,
    Switches,
)
from integration_tests.connectors import CONNECTORS

CREATE = "/api/v1/source_definitions/create_custom"
UPDATE = "/api/v1/source_definitions/update"
SOURCES, CONNECTIONS = "/api/public/v1/sources", "/api/public/v1/connections"
JOBS = "/api/public/v1/jobs"
UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
FIRST = next(iter(CONNECTORS.values()))
DEFINITION = {
    "name": "Calls",
    "dockerRepository": f"ghcr.io/you/{FIRST.name}",
    "dockerImageTag": "1.0.0",
    "documentationUrl": "https://docs.example",
}


class Asking:
    """Asks a platform, with a token."""

    def __init__(self, platform: FakePlatform) -> None:
        self.platform = platform
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        path = "/api/public/v1/applications/token"
        self.token = requests.post(f"{platform.url}{path}", json=body, timeout=10).json()[
            "access_token"
        ]

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return requests.request(
            method, f"{self.platform.url}{path}", json=body, headers=headers, timeout=10, **more
        )

    def made(self, method: str, path: str, body: Any) -> Any:
        """The content of an answer that has to be a good one."""
        answer = self(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def definition(self, **changes: Any) -> Any:
        body = {"workspaceId": WORKSPACE_ID, "sourceDefinition": {**DEFINITION, **changes}}
        return self.made("POST", CREATE, body)

    def source(self) -> Any:
        return self.made(
            "POST",
            SOURCES,
            {
                "name": "Calls",
                "workspaceId": WORKSPACE_ID,
                "definitionId": self.definition()["sourceDefinitionId"],
                "configuration": FIRST.sample("sample_config.json"),
            },
        )


@pytest.fixture
def ask() -> Iterator[Asking]:
    with FakePlatform() as platform:
        yield Asking(platform)


def test_who_may_ask(ask: Asking) -> None:
    body = {"workspaceId": WORKSPACE_ID, "sourceDefinition": DEFINITION}
    url = f"{ask.platform.url}{CREATE}"
    assert requests.post(url, json=body, timeout=10).status_code == 401
    assert ask("POST", CREATE, body, headers={"Authorization": "Bearer x"}).status_code == 401
    assert ask("POST", CREATE, body, headers={"Content-Type": "text/plain"}).status_code == 415
    assert ask("PATCH", CREATE, body).status_code == 404
    assert ask("GET", "/api/public/v1/source").status_code == 404
    wrong = {"client_id": CLIENT_ID, "client_secret": "wrong"}
    assert ask("POST", "/api/public/v1/applications/token", wrong).status_code == 400
    assert ask.platform.workspace.snapshot()["sources"] == {}


def test_tokens_end() -> None:
    with FakePlatform(Switches(requests_per_token=1)) as platform:
        ask = Asking(platform)
        assert [ask("GET", SOURCES).status_code for _ in range(2)] == [200, 401]
        assert Asking(platform)("GET", SOURCES).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"workspaceId": WORKSPACE_ID, "sourceDefinition": DEFINITION}, 200),
        ({"sourceDefinition": DEFINITION}, 422),
        ({"workspaceId": UNKNOWN, "sourceDefinition": DEFINITION}, 404),
        ({"workspaceId": "x", "sourceDefinition": DEFINITION}, 400),
        ({"workspaceId": WORKSPACE_ID}, 400),
        *(
            (
                {
                    "workspaceId": WORKSPACE_ID,
                    "sourceDefinition": {k: v for k, v in DEFINITION.items() if k != missing},
                },
                400,
            )
            for missing in DEFINITION
        ),
        *(
            ({"workspaceId": WORKSPACE_ID, "sourceDefinition": {**DEFINITION, **wrong}}, 400)
            for wrong in (
                {"documentationURL": "https://docs.example"},
                {"connectorSpecification": {"type": "object"}},
                {"resourceRequirements": {"default": {"cpu": "1"}}},
                {"resourceRequirements": {"jobSpecific": [{"jobType": "syncs"}]}},
            )
        ),
    ],
)
def test_a_definition_needs(body: Any, status: int, ask: Asking) -> None:
    before = ask.platform.workspace.snapshot()
    assert ask("POST", CREATE, body).status_code == status
    assert (ask.platform.workspace.snapshot() == before) is (status != 200)


def test_an_update_knows_its_definition_and_runs_an_unknown_image(ask: Asking) -> None:
    made = ask.definition()
    body = {"sourceDefinitionId": made["sourceDefinitionId"], "workspaceId": WORKSPACE_ID}
    assert ask("POST", UPDATE, body).status_code == 400  # a tag is required
    unknown = {**body, "sourceDefinitionId": UNKNOWN, "dockerImageTag": "2"}
    assert ask("POST", UPDATE, unknown).status_code == 404
    assert ask("POST", UPDATE, {**body, "dockerImageTag": "2", "icon": "<svg/>"}).status_code == 400
    for _ in range(2):
        assert ask.made("POST", UPDATE, {**body, "dockerImageTag": "2"})["dockerImageTag"] == "2"
    image = DEFINITION["dockerRepository"]
    assert ask.platform.workspace.pods == [f"spec {image}:1.0.0", f"spec {image}:2"]
    ask.platform.workspace.unpullable = frozenset({f"{image}:3"})
    assert ask("POST", UPDATE, {**body, "dockerImageTag": "3"}).status_code == 500


def test_a_deletion_takes_all_along(ask: Asking) -> None:
    source = ask.source()
    body = {"sourceId": source["sourceId"], "destinationId": DESTINATION_ID}
    ask.made("POST", CONNECTIONS, body)
    path = "/api/v1/source_definitions/delete"
    gone = {"sourceDefinitionId": source["definitionId"]}
    assert [ask("POST", path, gone).status_code for _ in range(2)] == [204, 404]
    state = ask.platform.workspace.snapshot()
    assert (state["sources"], state["connections"], len(state["definitions"])) == ({}, {}, 1)


def test_a_source_shows_no_secret_and_is_checked(ask: Asking) -> None:
    source = ask.source()
    (key,) = FIRST.secret_keys
    assert source["configuration"] == {key: "**********"}
    (stored,) = ask.platform.workspace.sources.values()
    assert stored["configuration"] == FIRST.sample("sample_config.json")
    path = f"{SOURCES}/{source['sourceId']}"
    bad = ask("PUT", path, {"name": "Calls", "configuration": {}})
    assert (bad.status_code, key in bad.json()["data"]["message"]) == (422, True)
    assert ask("PUT", path, {"configuration": {}}).status_code == 400
    good = {"name": "Calls", "configuration": {key: "test-key-not-real"}}
    assert ask("PUT", f"{SOURCES}/{UNKNOWN}", good).status_code == 404
    create = {"name": "Calls", "workspaceId": WORKSPACE_ID, "configuration": good["configuration"]}
    assert ask("POST", SOURCES, create).status_code == 422
    assert ask("POST", SOURCES, {**create, "definitionId": UNKNOWN}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"namespaceDefinition": "customformat"}, 400),
        ({"nonBreakingSchemaUpdatesBehavior": "propagate"}, 400),
        ({"schedule": {"scheduleType": "basic"}}, 400),
        ({"schedule": {"scheduleType": "cron"}}, 400),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 * * * *"}}, 400),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "* * * * * ?"}}, 400),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 0 * * ? UTC"}}, 200),
        ({"configurations": {"streams": [{"name": "call"}]}}, 400),
        ({"configurations": {"streams": [{"name": "calls"}, {"name": "calls"}]}}, 400),
        ({"configurations": {"streams": [{"name": "calls", "syncMode": "incremental"}]}}, 400),
        ({"configurations": {"streams": [{"name": "calls", "selectedFields": []}]}}, 400),
        ({"configurations": {"streams": [{"syncMode": "full_refresh_append"}]}}, 400),
        ({"sourceId": UNKNOWN}, 404),
        ({"destinationId": UNKNOWN}, 404),
    ],
)
def test_a_connection_needs(changes: dict[str, Any], status: int, ask: Asking) -> None:
    source = ask.source()["sourceId"]
    body = {"sourceId": source, "destinationId": DESTINATION_ID, **changes}
    assert ask("POST", CONNECTIONS, body).status_code == status


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        ({}, 200),
        ({"cursorField": [FIRST.cursor_field], "primaryKey": [["id"]]}, 200),
        ({"cursorField": ["direction"]}, 400),
        ({"primaryKey": [["provider"], ["id"]]}, 400),
    ],
)
def test_cursor_and_key_are_the_catalogs(stream: dict[str, Any], status: int, ask: Asking) -> None:
    streams = [{"name": "calls", "syncMode": "incremental_deduped_history", **stream}]
    body = {
        "sourceId": ask.source()["sourceId"],
        "destinationId": DESTINATION_ID,
        "configurations": {"streams": streams},
    }
    answer = ask("POST", CONNECTIONS, body)
    assert answer.status_code == status
    if status == 200:
        (found,) = answer.json()["configurations"]["streams"]
        assert (found["cursorField"], found["primaryKey"]) == ([FIRST.cursor_field], [["id"]])


def test_a_patch_without_streams_takes_them_all_in_full_refresh(ask: Asking) -> None:
    """`ConnectionsController.patchConnection`; so our program names them in each."""
    streams = [{"name": "calls", "syncMode": "incremental_deduped_history"}]
    body = {
        "sourceId": ask.source()["sourceId"],
        "destinationId": DESTINATION_ID,
        "configurations": {"streams": streams},
    }
    made = ask.made("POST", CONNECTIONS, body)
    assert [one["syncMode"] for one in made["configurations"]["streams"]] == [
        "incremental_deduped_history"
    ]
    path = f"{CONNECTIONS}/{made['connectionId']}"
    patched = ask.made("PATCH", path, {"schedule": {"scheduleType": "manual"}})
    assert {one["syncMode"] for one in patched["configurations"]["streams"]} == {
        "full_refresh_overwrite"
    }
    assert ask("PATCH", f"{CONNECTIONS}/{UNKNOWN}", {}).status_code == 404


def test_lists_have_pages(ask: Asking) -> None:
    ask.source()
    (source,) = ask.platform.workspace.sources.values()
    ask.platform.workspace.sources.update(
        {str(n): {**source, "sourceId": str(n)} for n in range(24)}
    )
    pages = [ask("GET", f"{SOURCES}?limit=10&offset={n}").json() for n in (0, 10, 20)]
    assert [len(page["data"]) for page in pages] == [10, 10, 5]
    assert [bool(page["next"]) for page in pages] == [True, True, False]
    assert len(ask("GET", SOURCES).json()["data"]) == 20
    assert ask("GET", f"{SOURCES}?limit=101").status_code == 400
    assert ask("GET", f"{SOURCES}?page=2").status_code == 400
    assert ask("GET", f"{SOURCES}?workspaceIds={UNKNOWN}").status_code == 403


# Jobs, and what orchestrators ask


def connection_made(ask: Asking) -> str:
    body = {"sourceId": ask.source()["sourceId"], "destinationId": DESTINATION_ID}
    streams = [{"name": "calls", "syncMode": "incremental_deduped_history"}]
    made = ask.made("POST", CONNECTIONS, {**body, "configurations": {"streams": streams}})
    return str(made["connectionId"])


def test_a_connection_has_one_job_at_a_time(ask: Asking) -> None:
    body = {"connectionId": connection_made(ask), "jobType": "sync"}
    job = ask.made("POST", JOBS, body)
    assert (job["status"], job["connectionId"]) == ("pending", body["connectionId"])
    assert ask("POST", JOBS, body).status_code == 409
    path = f"{JOBS}/{job['jobId']}"
    statuses = [ask.made("GET", path, None)["status"] for _ in range(3)]
    assert statuses == ["running", "succeeded", "succeeded"]
    assert ask("DELETE", path).status_code == 409  # it has ended
    again = ask.made("POST", JOBS, body)
    assert ask.made("DELETE", f"{JOBS}/{again['jobId']}", None)["status"] == "cancelled"
    assert ask("POST", JOBS, {**body, "connectionId": UNKNOWN}).status_code == 404
    assert ask("GET", f"{JOBS}/77").status_code == 404


def test_jobs_are_listed_by_connection_and_time(ask: Asking) -> None:
    connection_id = connection_made(ask)
    job = ask.made("POST", JOBS, {"connectionId": connection_id, "jobType": "sync"})

    def listed(**query: str) -> list[int]:
        found = ask("GET", JOBS, params=query).json()["data"]
        return [one["jobId"] for one in found]

    assert listed(connectionId=connection_id) == [job["jobId"]]
    assert listed(connectionId=UNKNOWN) == []
    assert listed(createdAtStart="2026-01-01T00:00:00Z") == [job["jobId"]]
    assert listed(createdAtStart="2999-01-01T00:00:00Z") == []
    assert ask("GET", JOBS, params={"createdAtStart": "soon"}).status_code == 400


def test_a_connection_shows_the_streams_that_were_selected(ask: Asking) -> None:
    connection_id = connection_made(ask)
    found = ask.made("POST", "/api/v1/connections/get", {"connectionId": connection_id})
    [stream] = found["syncCatalog"]["streams"]
    assert (stream["stream"]["name"], stream["config"]["selected"]) == ("calls", True)
    modes = stream["config"]["syncMode"], stream["config"]["destinationSyncMode"]
    assert modes == ("incremental", "append_dedup")
    assert ask("POST", "/api/v1/connections/get", {"connectionId": UNKNOWN}).status_code == 404


def test_only_a_token_may_be_asked_for_with_a_form(ask: Asking) -> None:
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    token = requests.post(
        f"{ask.platform.url}/api/public/v1/applications/token", data=form, timeout=10
    )
    assert token.json()["token_type"] == "Bearer"
    assert ask("POST", JOBS, data={"jobType": "sync"}).status_code == 415
