"""The parts of a connector's page in `docs/sources/` that are made from its manifest and files."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from airbyte_cdk.models import AirbyteStream, SyncMode

from calls_shared.error_mapping.errors import FILLED
from calls_shared.normalization.columns import COLUMNS
from calls_shared.protocol.manifest_check import resolved
from integration_tests.connectors import ROOT, ConnectorFolder
from integration_tests.error_documents import own_responses, shared_responses
from integration_tests.in_process import LOGGER
from integration_tests.sandboxes import sandbox_of
from integration_tests.snapshots import SETTINGS

CHANGELOG = ROOT / "CHANGELOG.md"
_ENTRY = re.compile(
    r"^## \[(\d[\d.]*)\] - (\S+)\n\n(?:### \w+\n\n)?(.*?)(?:\n\n|\n- |\Z)", re.MULTILINE | re.DOTALL
)
"""A version, its date, and the first paragraph or item of its entry."""
_OF_CALLS = "calls_shared.CallNormalization"
WHOSE = {
    "config_error": "yours: do what the sentence says",
    "transient_error": "nobody's: it passes, and the next sync brings what is missing",
    "system_error": "ours: report it with the log",
}
"""Whose turn it is after a failure, by its type."""


def _table(*rows: tuple[str, ...]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])


def settings(connector: ConnectorFolder) -> str:
    """The settings in the order of the form."""
    spec = connector.manifest_as_written()["spec"]["connection_specification"]
    ordered = sorted(connector.settings.items(), key=lambda item: item[1]["order"])
    rows = [
        (
            field["title"],
            f"`{key}`",
            "needed" if key in spec["required"] else _default(field),
            field["description"],
        )
        for key, field in ordered
    ]
    return _table(("Setting", "Key", "Default", "Meaning"), *rows)


def _default(field: Mapping[str, Any]) -> str:
    return f"`{field['default']}`" if "default" in field else "–"


@cache
def discovered(connector: ConnectorFolder) -> list[AirbyteStream]:
    """The streams of a connector, with the settings under which it has all of them."""
    config = {**connector.sample("sample_config.json"), **SETTINGS.get(connector.provider, {})}
    return list(connector.source_class()().discover(LOGGER, config).streams)


def streams(connector: ConnectorFolder) -> str:
    """The streams, and how each can be synced."""
    rows = []
    for stream in discovered(connector):
        modes = stream.supported_sync_modes
        keys = stream.source_defined_primary_key or []
        rows.append(
            (
                f"`{stream.name}`",
                "yes" if SyncMode.full_refresh in modes else "no",
                "yes" if SyncMode.incremental in modes else "no",
                ", ".join(f"`{'.'.join(key)}`" for key in keys),
                ", ".join(f"`{name}`" for name in stream.default_cursor_field or []) or "–",
            )
        )
    return _table(("Stream", "Full refresh", "Incremental", "Primary key", "Cursor"), *rows)


def empty_columns(connector: ConnectorFolder) -> str:
    """The columns of `calls` that a provider does not fill: unmapped, and never in its truth.

    Raises:
        ValueError: the connector has no sandbox.
    """
    make = sandbox_of(connector)
    if make is None:
        raise ValueError(f"{connector.name} has no sandbox: write integration_tests/sandbox.py.")
    with make(200) as sandbox:
        known = {key for call in sandbox.expected(connector.provider).values() for key in call}
    known |= set(_mapped(resolved(connector.manifest_as_written())["streams"]))
    empty = [f"`{column.name}`" for column in COLUMNS if column.name not in known]
    return f"Always null, because {connector.title} does not state it: {', '.join(empty)}."


def _mapped(node: Any) -> list[str]:
    """The columns of `calls` that the normalizations below a node of a manifest map."""
    if isinstance(node, Mapping):
        own: list[str] = []
        if node.get("class_name") == _OF_CALLS:
            own += node.get("columns") or {}
            parties = node.get("parties") or {}
            own += [f"{party}_number" for party in parties]
            if len(parties) == 2:  # then the direction tells the other two
                own += [f"{party}_number" for party in ("from", "to", "external", "internal")]
        return [*own, *(name for value in node.values() for name in _mapped(value))]
    return [name for item in node for name in _mapped(item)] if isinstance(node, list) else []


def data_types() -> str:
    """What a destination makes of the kinds of columns."""
    kinds = dict.fromkeys(column.kind for column in COLUMNS)
    rows = []
    for kind in kinds:
        column = next(one for one in COLUMNS if one.kind == kind)
        schema = column.json_schema()
        names = ", ".join(f"`{one.name}`" for one in COLUMNS if one.kind == kind)
        airbyte = schema.get("airbyte_type", kind)
        rows.append((kind, f"`{airbyte}`", names))
    return _table(("Our type", "Airbyte type", "Columns"), *rows)


def messages(connector: ConnectorFolder) -> str:
    """Every sentence that a failure may have, and whose turn it is."""
    own = own_responses(connector)
    words = {**dict.fromkeys(FILLED, "…"), "provider": connector.title, "tried": "", "again": ""}
    words["key"] = " and ".join(f"`{key}`" for key in connector.secret_keys)
    rows = {}
    for sentence in plan_messages(resolved(connector.manifest_as_written())["streams"]):
        said = sentence.format(status="…", says="…")
        rows[said] = ("–", "a warning; the stream stays empty, the others go on")
    for response in (*own, *shared_responses(own)):
        if not response.row.message:  # nothing is told: that there is none is normal
            continue
        said = response.row.message.format(**words).replace("{count}", "…").replace("|", "\\|")
        skips = response.row.action == "skip"
        turn = "a warning; the sync goes on" if skips else WHOSE[response.row.failure_type]
        failure = "–" if skips else f"`{response.row.failure_type}`"
        rows[" ".join(said.split())] = (failure, turn)
    return _table(
        ("Message", "Failure type", "Whose turn"), *((said, *rest) for said, rest in rows.items())
    )


def plan_messages(node: Any) -> list[str]:
    """What is told of plans that refuse a stream, in the order of a manifest's streams."""
    if isinstance(node, Mapping):
        own = [node["plan_message"]] if isinstance(node.get("plan_message"), str) else []
        return [*own, *(one for value in node.values() for one in plan_messages(value))]
    return [one for item in node for one in plan_messages(item)] if isinstance(node, list) else []


def special(connector: ConnectorFolder) -> str:
    """What the connector's README says is special about the provider."""
    readme = (connector.folder / "README.md").read_text(encoding="utf-8")
    _, _, section = readme.partition("## What is special ")
    return re.split(r"\n\n(?!- )", section.partition("\n\n")[2])[0]


def changelog(text: str) -> str:
    """The section of the versions in the form of Airbyte's pages, the newest first."""
    entries = _ENTRY.findall(text)
    link = "[CHANGELOG.md](../../CHANGELOG.md)"
    rows = ((v, date, link, " ".join(said.removeprefix("- ").split())) for v, date, said in entries)
    table = _table(("Version", "Date", "Pull Request", "Subject"), *rows)
    return (
        f"## Changelog\n\n<details>\n  <summary>Expand to review</summary>\n\n{table}\n\n</details>"
    )
