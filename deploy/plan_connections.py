"""What is to be done about a connection; pure, as `plan`."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from calls_shared.quoting import quoted
from deploy.definitions import JSON, STREAM
from deploy.failures import RegisterError
from deploy.plan import Create, Same, Step, Update, filled, only
from deploy.schedule import DEFAULT_SCHEDULE, MANUAL


@dataclass(frozen=True)
class WantedConnection:
    """A connection as it shall be when it is created."""

    name: str
    source_id: str
    destination_id: str
    namespace: str
    stream: JSON
    schedule: str | None
    """None: the default for a new one; an existing one keeps its own."""


def plan_connection(wanted: WantedConnection, found: Iterable[JSON]) -> Step:
    """A connection is ours if it joins the two.

    Of an existing one only the schedule is changed, and only if one is asked for: rows that were
    synced under another namespace or mode would stay behind, unseen.
    """
    ours = [
        one
        for one in found
        if one["sourceId"] == wanted.source_id and one["destinationId"] == wanted.destination_id
    ]
    existing = only(ours, "connectionId", f"connections join {wanted.name} and the destination")
    if existing is None:
        return Create(
            {
                "name": wanted.name,
                "sourceId": wanted.source_id,
                "destinationId": wanted.destination_id,
                "namespaceDefinition": "custom_format",
                "namespaceFormat": wanted.namespace,
                "configurations": {"streams": [wanted.stream]},
                "schedule": _schedule(wanted.schedule or DEFAULT_SCHEDULE),
                "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
            }
        )
    identifier, notices = str(existing["connectionId"]), tuple(_notices(wanted, existing))
    if wanted.schedule is None or _has_schedule(existing, wanted.schedule):
        return Same(identifier, notices)
    # without the streams the platform takes all of them, in full refresh | overwrite
    streams = [filled(stream) for stream in _streams(existing)]
    body = {"schedule": _schedule(wanted.schedule), "configurations": {"streams": streams}}
    return Update(identifier, body, (f"schedule {wanted.schedule}",), notices)


def check_namespace(
    name: str, place: tuple[str, str], source_ids: Collection[str], found: Iterable[JSON]
) -> None:
    """RegisterError if a connection of another source writes the table that ours is to write.

    Args:
        name: of our source and connection.
        place: the destination's id, and the namespace.
        source_ids: those of our source, none if it is not there yet.
        found: the connections of the workspace, whoever made them.
    """
    destination_id, namespace = place
    for one in found:
        if (
            one["destinationId"] == destination_id
            and one["sourceId"] not in source_ids
            and one.get("status") != "deprecated"  # a deleted one
            and _is_in(one, namespace)
            and _writes_calls(one)
        ):
            raise RegisterError(
                f"{name}: another connection, {quoted(one['name'])} ({one['connectionId']}),"
                f" already writes into the namespace {namespace} of this destination; two would"
                " write one table. If its source is this account under another name or REPOSITORY,"
                " go on with that; else remove it, or choose another namespace with a file"
                " <provider>-<label>.json."
            )


def _is_in(connection: JSON, namespace: str) -> bool:
    if connection.get("namespaceDefinition") != "custom_format":
        return False
    # many a destination does not tell small letters from capitals
    shown = str(connection.get("namespaceFormat") or "")
    return shown.strip().casefold() == namespace.casefold()


def _writes_calls(connection: JSON) -> bool:
    names = [f"{connection.get('prefix') or ''}{one['name']}" for one in _streams(connection)]
    return not names or STREAM in names  # a list may leave out the streams


def _notices(wanted: WantedConnection, existing: JSON) -> Iterable[str]:
    own = existing.get("namespaceDefinition"), existing.get("namespaceFormat")
    if own != ("custom_format", wanted.namespace):
        yield (
            f"{wanted.name}: the connection does not write into the namespace {wanted.namespace};"
            " it is left as it is. See that no other connection writes the same table."
        )
    calls = next((one for one in _streams(existing) if one["name"] == STREAM), None)
    if calls is None or calls.get("syncMode") != wanted.stream["syncMode"]:
        yield (
            f"{wanted.name}: the stream {STREAM} is not in the mode Incremental | Append + Deduped;"
            " it is left as it is."
        )


def _streams(connection: JSON) -> Sequence[JSON]:
    found: Sequence[JSON] = (connection.get("configurations") or {}).get("streams") or ()
    return found


def _schedule(schedule: str) -> JSON:
    if schedule == MANUAL:
        return {"scheduleType": MANUAL}
    return {"scheduleType": "cron", "cronExpression": schedule}


def _has_schedule(connection: JSON, schedule: str) -> bool:
    """The platform shows a cron expression with its time zone behind it."""
    found = connection.get("schedule") or {}
    shown = str(found.get("cronExpression") or "").removesuffix("UTC").strip()
    return _schedule(schedule) == _schedule(
        MANUAL if found.get("scheduleType") == MANUAL else shown
    )
