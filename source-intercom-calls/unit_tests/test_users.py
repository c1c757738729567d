"""The stream `users`: the request that is sent, and what becomes of its answer."""

from typing import Any

import pytest
import requests_mock
from source_intercom_calls import SourceIntercomCalls

from integration_tests.commands import catalog_for
from integration_tests.in_process import read, records

HEADERS = {
    "Accept": "application/json",
    "Authorization": "Bearer 007",
    "Intercom-Version": "2.14",
    "User-Agent": "source-intercom-calls",
}
ADMIN = {
    "type": "admin",
    "id": "493881",
    "name": "Joe Example",
    "email": "joe@example.com",
    "job_title": "Philosopher",
    "away_mode_enabled": True,
    "away_mode_reassign": False,
    "has_inbox_seat": False,
    "team_ids": [814865],
}
ROW = {
    "provider": "intercom",
    "id": "493881",
    "name": "Joe Example",
    "email": "joe@example.com",
}


def users_of(*admins: Any, **settings: str) -> tuple[list[dict[str, Any]], list[Any]]:
    """The rows of some admins, and the requests that were sent for them."""
    config = {"access_token": "007", **settings}
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json={"type": "admin.list", "admins": list(admins)})
        messages = read(SourceIntercomCalls(), config, catalog_for("intercom", "users"))
        return records(messages, "users"), mock.request_history


@pytest.mark.parametrize(("region", "host"), [("us", "api"), ("eu", "api.eu"), ("au", "api.au")])
def test_one_request_brings_them_all(region: str, host: str) -> None:
    rows, (request,) = users_of(ADMIN, {**ADMIN, "id": "646303"}, region=region)
    assert rows == [ROW, {**ROW, "id": "646303"}]
    assert (request.method, request.url) == ("GET", f"https://{host}.intercom.io/admins")
    assert {name: request.headers[name] for name in HEADERS} == HEADERS


def test_a_team_is_no_user() -> None:
    """Its page of version 1.0 lists teams among the admins."""
    team = {"type": "team", "id": "814865", "name": "Team", "email": None, "admin_ids": [493881]}
    rows, _ = users_of(team, ADMIN)
    assert rows == [ROW]


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"type": None}, {}),
        ({"email": None, "name": ""}, {"email": None, "name": None}),
        ({"id": 7}, {"id": "7"}),
        ({"role": "owner", "is_active": True}, {}),
    ],
)
def test_what_is_not_said_is_null(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    rows, _ = users_of({**ADMIN, **fields})
    assert rows == [{name: value for name, value in {**ROW, **changed}.items() if value}]


def test_a_workspace_without_admins_has_no_user() -> None:
    rows, sent = users_of()
    assert (rows, len(sent)) == ([], 1)
