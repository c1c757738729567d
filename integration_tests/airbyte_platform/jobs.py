"""Jobs of the public API: `JobsController`, in the form that `JobResponseMapper` gives them.

A sync is pending when it is asked for, runs when it is looked at first, and has come to its end
when it is looked at again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from integration_tests.airbyte_platform import schemas
from integration_tests.airbyte_platform.public_api import page_of
from integration_tests.airbyte_platform.refusals import bad_request, not_found, problem
from integration_tests.airbyte_platform.workspace import JSON, Workspace

_ENDED = ("succeeded", "failed", "cancelled")


def create(workspace: Workspace, body: JSON) -> JSON:
    """Start a sync; a connection has one at a time."""
    schemas.check(body, schemas.JOB_CREATE)
    connection_id = body["connectionId"]
    if connection_id not in workspace.connections:
        raise not_found(connection_id)
    if body["jobType"] != "sync":
        raise problem(422, "unprocessable-entity")
    if any(_is_of(job, connection_id) and _is_under_way(job) for job in workspace.jobs.values()):
        raise problem(
            409, "try-again-later-conflict", f"A sync is already running for: {connection_id}"
        )
    identifier = len(workspace.jobs) + 1
    workspace.jobs[identifier] = {
        "jobId": identifier,
        "status": "pending",
        "jobType": "sync",
        "startTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "connectionId": connection_id,
    }
    return dict(workspace.jobs[identifier])


def get(workspace: Workspace, identifier: str) -> JSON:
    """A job, which time passes for as it is looked at."""
    job = _known(workspace, identifier)
    if job["status"] == "pending":
        job |= {"status": "running", "duration": "PT1S"}
    elif job["status"] == "running":
        outcome = workspace.outcomes.get(job["connectionId"], "succeeded")
        job |= {"status": outcome, "lastUpdatedAt": job["startTime"], "rowsSynced": 400}
    return job


def cancel(workspace: Workspace, identifier: str) -> JSON:
    """End a job that is under way."""
    job = _known(workspace, identifier)
    if not _is_under_way(job):
        raise problem(409, "state-conflict", "Job is not currently running")
    job |= {"status": "cancelled", "lastUpdatedAt": job["startTime"]}
    return job


def listed(workspace: Workspace, path: str, query: Mapping[str, str]) -> JSON:
    """The jobs of a connection, or of all."""
    asked = dict(query)
    connection_id, since = asked.pop("connectionId", None), asked.pop("createdAtStart", None)
    try:
        start = None if since is None else datetime.fromisoformat(since)
    except ValueError as error:
        raise bad_request(f"createdAtStart is no date-time: {since}") from error
    rows = [
        job
        for job in workspace.jobs.values()
        if (connection_id is None or _is_of(job, connection_id))
        and (start is None or datetime.fromisoformat(job["startTime"]) >= start)
    ]
    return page_of(rows, path, asked)


def _known(workspace: Workspace, identifier: str) -> JSON:
    job = workspace.jobs.get(int(identifier))
    if job is None:
        raise not_found(identifier)
    return job


def _is_of(job: JSON, connection_id: str) -> bool:
    return bool(job["connectionId"] == connection_id)


def _is_under_way(job: JSON) -> bool:
    return job["status"] not in _ENDED
