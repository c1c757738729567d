"""What a version of the connectors promises to those who use it: spec, catalog, and a state.

Each version has a folder here, with a folder for each connector. `make snapshots` (`python -m
integration_tests.snapshots`) stores those of the version that this checkout names. A version that
is out is never stored anew; only that of 0.1.0, which had no snapshots, was made afterwards, by

    git worktree add --detach ../old 09553d4
    PYTHONPATH=$(printf %s: ../old/shared ../old/source-*-calls) \
        .venv/bin/python -m integration_tests.snapshots 0.1.0

with the last commit before what became 0.2.0 was begun.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from integration_tests.commands import PROVIDERS, Connector, config_for, run_command, run_forked
from integration_tests.connectors import CONNECTORS
from integration_tests.sandbox import OpenPhoneSwitches, Sandbox, Switches, World

FOLDER = Path(__file__).parent
SETTINGS: Mapping[str, Mapping[str, Any]] = {"intercom": {"call_ids": ["1"]}}
"""Settings under which a connector's catalog has all of its streams."""
_FORMS = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z": "<time>",
    r"\d{4}-\d\d": "<month>",
    r"\d{4}": "<year>",
    r"\d+:[0-9a-f]{16}": "<count and sum>",
    r"PN\w+": "<phone number>",
}


@dataclass(frozen=True)
class Snapshot:
    """What one connector of one version promises."""

    spec: Any
    catalog: Any
    state: Any
    """A state file's content: a list of one state."""


def stored_versions() -> list[str]:
    """The versions that have snapshots, the oldest first."""
    found = (path.name for path in FOLDER.glob("*.*.*") if path.is_dir())
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def _folder(version: str, provider: str) -> Path:
    return FOLDER / version / CONNECTORS[provider].name


def stored(version: str, provider: str) -> Snapshot:
    """The snapshot of a version."""
    folder = _folder(version, provider)
    names = Snapshot.__dataclass_fields__
    return Snapshot(
        **{name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names}
    )


def store(version: str, provider: str, snapshot: Snapshot) -> None:
    """Write the snapshot of a version."""
    folder = _folder(version, provider)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in asdict(snapshot).items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, "utf-8")


def made(provider: str, *, forked: bool = False) -> Snapshot:
    """The snapshot of the code as it is; the state is that of a first sync from a sandbox."""
    switches = Switches(openphone=OpenPhoneSwitches(user_default="everyone"), enforce_limits=False)
    world = World(calls=60, conversations=12, one_after_another=True)
    run = run_forked if forked else run_command
    with Sandbox(world, switches) as sandbox, TemporaryDirectory() as folder:
        connector = Connector(provider, sandbox, Path(folder), forked)
        config = config_for(provider, **SETTINGS.get(provider, {}))
        (spec,) = run(provider, ["spec"]).of_type("SPEC")
        (catalog,) = connector.discover(config).of_type("CATALOG")
        state = connector.read().last_state()
    return Snapshot(spec["spec"], catalog["catalog"], [state])


def store_all(version: str, providers: Iterable[str] = PROVIDERS) -> None:
    """Store what the code promises as the snapshots of a version.

    A stored state stays as long as its form is right, so that a diff shows what changed.
    """
    for provider in providers:
        snapshot = made(provider)
        if _folder(version, provider).exists():
            before = stored(version, provider).state
            if form_of(before) == form_of(snapshot.state):
                snapshot = replace(snapshot, state=before)
        store(version, provider, snapshot)


def form_of(state: Any) -> Any:
    """The form of a state: its keys and the kinds of its values, whatever was synced when.

    Keys and texts that depend on the data are named by what they look like; of several that look
    the same, each form stands once.
    """
    if isinstance(state, Mapping):
        keys = dict.fromkeys(map(_named, state))
        return {key: _distinct(v for k, v in state.items() if _named(k) == key) for key in keys}
    if isinstance(state, list):
        return _distinct(state)
    if isinstance(state, str):
        return _named(state)
    return type(state).__name__


def _distinct(values: Iterable[Any]) -> list[Any]:
    forms: list[Any] = []
    for form in map(form_of, values):
        if form not in forms:
            forms.append(form)
    return forms


def _named(text: str) -> str:
    kinds = (kind for pattern, kind in _FORMS.items() if re.fullmatch(pattern, text))
    return next(kinds, text)
