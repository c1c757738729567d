"""What an image says of itself and holds, against what the platform relies on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from integration_tests.connectors import ConnectorFolder
from release import ReleaseError
from release.engines import Engine, run_quietly

TOOLS = ("sh", "sleep", "kill", "mv", "touch")
"""What the platform's own commands in the container use."""
FACTS = f"""\
echo "user=$(id -u):$(id -g)"
for tool in {" ".join(TOOLS)}; do command -v $tool > /dev/null && echo "tool=$tool"; done
test -w /airbyte && echo writable=/airbyte
test -x "$AIRBYTE_ENTRYPOINT" && echo "executable=$AIRBYTE_ENTRYPOINT"
echo "kilobytes=$(du -skx / 2> /dev/null | cut -f1)"
echo "connector=$(du -sk /opt/connector | cut -f1)"
"""
"""Run in the container: each fact on a line."""
TREE = """\
find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /source {allowed} \\) -prune -o \\
    -printf '%p\\t%y %m %U %s %C@ %l\\n' 2> /dev/null | sort > /source/{name}
"""
"""Every file with its kind, mode, owner, size, and when any of that or its content changed."""
ALLOWED = ("/airbyte", "/tmp")
"""Where a connector may write."""


@dataclass(frozen=True)
class ImageConfig:
    """What an image says of how it is started."""

    entrypoint: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    user: str
    folder: str


def config_of(engine: Engine, image: str) -> ImageConfig:
    """Ask the engine what an image says.

    Raises:
        ReleaseError: there is no such image.
    """
    return config_from(_inspected(engine, image))


def image_id(engine: Engine, image: str) -> str:
    """The digest of an image's configuration, which holds those of its layers."""
    found = _inspected(engine, image)
    return str(found["FromImageID"] if "FromImageID" in found else found["Id"]).split(":")[-1]


def _inspected(engine: Engine, image: str) -> Mapping[str, Any]:
    done = run_quietly([engine.program, "inspect", "--type", "image", image])
    if done.returncode:
        raise ReleaseError(f"There is no image {image}: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    image_found: Mapping[str, Any] = found[0] if isinstance(found, list) else found
    return image_found


def config_from(inspected: Mapping[str, Any]) -> ImageConfig:
    """Read what `inspect` printed; buildah's form is its own."""
    found = inspected["OCIv1"]["config"] if "OCIv1" in inspected else inspected["Config"]
    return ImageConfig(
        entrypoint=tuple(found.get("Entrypoint") or ()),
        environment=dict(one.split("=", 1) for one in found.get("Env") or ()),
        labels=found.get("Labels") or {},
        user=found.get("User") or "",
        folder=found.get("WorkingDir") or "",
    )


def config_faults(config: ImageConfig, connector: ConnectorFolder) -> Iterator[str]:
    """A sentence for each thing that is not as the platform wants it."""
    metadata = yaml.safe_load((connector.folder / "metadata.yaml").read_text(encoding="utf-8"))
    expected = {
        "io.airbyte.name": metadata["data"]["dockerRepository"],
        "io.airbyte.version": metadata["data"]["dockerImageTag"],
    }
    for label, value in expected.items():
        if config.labels.get(label) != value:
            yield f"The label {label} is {config.labels.get(label)!r}, not {value!r}."
    given = config.environment.get("AIRBYTE_ENTRYPOINT", "")
    if (given,) != config.entrypoint:
        yield f"AIRBYTE_ENTRYPOINT is {given!r}, the entrypoint {list(config.entrypoint)}."
    if not Path(given).is_absolute():
        yield f"AIRBYTE_ENTRYPOINT is {given!r}, which is no absolute path."
    if config.user != "1000:1000":
        yield f"The user is {config.user!r}, not 1000:1000."
    if config.folder != "/airbyte":
        yield f"The working directory is {config.folder!r}, not /airbyte."


def facts_of(printed: str) -> dict[str, list[str]]:
    """The facts that a container printed, by their names."""
    found: dict[str, list[str]] = {}
    for line in printed.splitlines():
        name, is_fact, value = line.partition("=")
        if is_fact:
            found.setdefault(name, []).append(value)
    return found


def facts_faults(facts: Mapping[str, list[str]]) -> Iterator[str]:
    """A sentence for each thing that a container lacks."""
    if facts.get("user") != ["1000:1000"]:
        yield f"Commands run as {facts.get('user')}, not as 1000:1000."
    for tool in TOOLS:
        if tool not in facts.get("tool", []):
            yield f"There is no {tool}."
    if facts.get("writable") != ["/airbyte"]:
        yield "/airbyte cannot be written."
    if not facts.get("executable"):
        yield "AIRBYTE_ENTRYPOINT is no program."


def tree_script(name: str) -> str:
    """What writes the tree outside of the allowed folders into a file in `/source`."""
    allowed = " ".join(f"-o -path {folder}" for folder in ALLOWED)
    return TREE.format(allowed=allowed, name=name)


def tree_changes(before: str, after: str) -> list[str]:
    """The paths that appeared, went or changed."""
    old, new = ({*text.splitlines()} for text in (before, after))
    return sorted({line.split("\t")[0] for line in old ^ new})
