"""Which streams and schedules a connection may have, as `AirbyteCatalogHelper` decides."""

import re
from collections.abc import Sequence

from integration_tests.airbyte_platform.refusals import bad_request
from integration_tests.airbyte_platform.workspace import JSON

_MODES = {
    ("full_refresh", "overwrite"): "full_refresh_overwrite",
    ("full_refresh", "append"): "full_refresh_append",
    ("full_refresh", "overwrite_dedup"): "full_refresh_overwrite_deduped",
    ("incremental", "append"): "incremental_append",
    ("incremental", "append_dedup"): "incremental_deduped_history",
}
_SEVEN = 7
_LIMITS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2099))


def configured(
    catalog: Sequence[JSON], asked: JSON | None, destination_modes: Sequence[str]
) -> list[JSON]:
    """The streams of a connection; without any asked for, all of them in full refresh."""
    streams = (asked or {}).get("streams")
    if not streams:
        return [
            {"name": one["name"], "syncMode": "full_refresh_overwrite", "mappers": []}
            for one in catalog
        ]
    by_name = {one["name"]: one for one in catalog}
    names = [stream["name"] for stream in streams]
    if not set(names) <= by_name.keys():
        raise bad_request(
            f"Invalid stream found. The list of valid streams include: {list(by_name)}."
        )
    if len(set(names)) < len(names):
        raise bad_request(f"Duplicate stream found in configuration for: {names}.")
    return [_configured(by_name[one["name"]], one, destination_modes) for one in streams]


def _configured(stream: JSON, asked: JSON, destination_modes: Sequence[str]) -> JSON:
    name, mode = stream["name"], asked.get("syncMode", "full_refresh_overwrite")
    if asked.get("selectedFields") == []:
        raise bad_request(f"No fields selected for stream {name}.")
    modes = [
        _MODES[source, destination]
        for source in stream["supported_sync_modes"]
        for destination in destination_modes
        if (source, destination) in _MODES
    ]
    if mode not in modes:
        raise bad_request(
            f"Cannot set sync mode to {mode} for stream {name}. Valid sync modes are: {modes}"
        )
    default, key = stream.get("default_cursor_field"), stream.get("source_defined_primary_key")
    cursor_asked, key_asked = asked.get("cursorField"), asked.get("primaryKey")
    if mode.startswith("incremental") and cursor_asked and set(cursor_asked) != set(default or ()):
        raise bad_request(
            f"Cursor Field {cursor_asked} is already defined by source for stream: {name}."
        )
    if mode == "incremental_deduped_history" and key and key_asked and key_asked != key:
        raise bad_request(f"Primary key for stream: {name} is already pre-defined.")
    return {
        "name": name,
        "syncMode": mode,
        "cursorField": default if mode.startswith("incremental") else [],
        "primaryKey": key or key_asked,
        "mappers": asked.get("mappers", []),
        "selectedFields": asked.get("selectedFields"),
    }


def check_schedule(schedule: JSON | None) -> None:
    """Refuse a cron expression that Quartz cannot read, or that runs more than once a minute."""
    if schedule is None or schedule["scheduleType"] != "cron":
        return
    expression = schedule.get("cronExpression")
    if expression is None:
        raise bad_request("Missing cron expression in the schedule.")
    fields = expression.removesuffix("UTC").split()
    if not 6 <= len(fields) <= _SEVEN:
        raise bad_request(
            f"The cron expression {expression} is not valid. Error: Cron expression contains"
            f" {len(fields)} parts but we expect one of [6, 7]."
        )
    if fault := next(filter(None, map(_fault, fields, _LIMITS)), None) or _days_fault(fields):
        raise bad_request(f"The cron expression {expression} is not valid. Error: {fault}.")
    numbers = fields[:2] if len(fields) == _SEVEN else fields[:1]
    if not all(field.isdecimal() for field in numbers):
        raise bad_request(
            f"The cron expression {expression} is not valid or is less than the one hour minimum."
            " The seconds and minutes values cannot be `*`."
        )


def _fault(field: str, limits: tuple[int, int]) -> str | None:
    """What Quartz says of the numbers of a field; words and letters are taken as they are."""
    for part in field.split(","):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?(?:/\d+)?", part)
        numbers = [int(one) for one in found.groups() if one] if found else []
        if any(not limits[0] <= number <= limits[1] for number in numbers):
            return f"Value {part} not in range {list(limits)}"
        if not found and not re.fullmatch(r"\*|\*/\d+|\?|[A-Z#\dL/-]*[A-Z#][A-Z#\dL/-]*", part):
            return f"Invalid expression {part}"
    return None


def _days_fault(fields: Sequence[str]) -> str | None:
    if [fields[3], fields[5]].count("?") == 1:
        return None
    return "Both, a day-of-week AND a day-of-month parameter, are not supported"


def shown_schedule(schedule: JSON | None) -> JSON:
    """A schedule as answers show it: with the time zone in the expression."""
    if schedule is None or schedule["scheduleType"] == "manual":
        return {"scheduleType": "manual"}
    expression = schedule["cronExpression"].removesuffix("UTC").strip()
    return {"scheduleType": "cron", "cronExpression": f"{expression} UTC"}
