"""`examples/orchestrators/`: run by Dagster and by Airflow, where `make orchestrators` put them.

Nothing else of these is there: no daemon, no scheduler, no telemetry, no examples.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from integration_tests.airbyte_platform import (
    CLIENT_ID,
    CLIENT_SECRET,
    WORKSPACE_ID,
    FakePlatform,
    jobs,
)
from integration_tests.commands import PROVIDERS, ROOT, config_for
from integration_tests.connectors import CONNECTORS
from integration_tests.registering import configure, register, with_connections
from integration_tests.sandbox import Sandbox, World

FOLDER = ROOT / "examples" / "orchestrators"
FILES = sorted(FOLDER.glob("[a-z]*.py"))
PAGE = (ROOT / "docs" / "orchestrators.md").read_text(encoding="utf-8")
REFUSED = PROVIDERS[-1]
"""The provider whose key is refused."""


def venv_of(orchestrator: str) -> Path:
    return ROOT / ".venv-orchestrators" / orchestrator


def needs(orchestrator: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (venv_of(orchestrator) / "installed").exists(),
        reason=f"{orchestrator} is not installed; `make orchestrators` does that",
    )


def run(orchestrator: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the orchestrator's command with nothing of this workspace in its environment."""
    own = ("PATH", "LANG", "TMPDIR")
    done = subprocess.run(
        [str(venv_of(orchestrator) / "bin" / orchestrator), *arguments],
        env={**{key: os.environ[key] for key in own if key in os.environ}, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert CLIENT_SECRET not in done.stdout
    return done


# The page


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_page_shows_the_file(file: Path) -> None:
    assert f"```python\n{file.read_text(encoding='utf-8')}```\n" in PAGE


def test_the_page_shows_no_other_code() -> None:
    assert len(FILES) == 4
    assert PAGE.count("```python\n") == len(FILES)
    assert sorted(re.findall(r"\]\(\.\./examples/orchestrators/(\w+\.py)\)", PAGE)) == [
        file.name for file in FILES
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_page_explains_each_variable_that_a_file_reads(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    read = re.findall(r"""(?:os\.environ\[|dg\.EnvVar\()['"](\w+)['"]""", text)
    assert read
    explained = set(re.findall(r"^(?:read -rs \w+ && )?export (\w+)", PAGE, flags=re.MULTILINE))
    assert set(read) <= explained


def test_the_links_of_the_page_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)]*)\)", PAGE)
    assert len(links) > 10
    for link in links:
        path, _, heading = link.partition("#")
        file = (ROOT / "docs" / path).resolve() if path else ROOT / "docs" / "orchestrators.md"
        assert file.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings]
            assert heading in anchors, link


def test_the_versions_of_the_page_are_those_that_are_tested() -> None:
    locks = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("*.lock"))
    named = re.findall(r"^pip install (.+)$", PAGE, flags=re.MULTILINE)
    versions = [one.strip("'\"") for line in named for one in line.split() if "==" in one]
    assert len(versions) == 4
    assert [one for one in versions if f"\n{one} \\" not in f"\n{locks}"] == []


# With a platform


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FakePlatform]:
    """One with a connection for each account; none of them has a schedule."""
    (tmp_path / "configs").mkdir()
    for connector in CONNECTORS.values():
        configure(tmp_path / "configs", connector)
    with FakePlatform() as found:
        done = register(found, **with_connections(tmp_path / "configs", SCHEDULE="manual"))
        assert done.exit_status == 0, done.stderr
        yield found


def connections_of(platform: FakePlatform) -> dict[str, str]:
    """Their ids, by the namespace."""
    found = platform.workspace.connections.values()
    return {one["namespaceFormat"]: one["connectionId"] for one in found}


def jobs_of(platform: FakePlatform) -> dict[str, list[str]]:
    """What became of the jobs of each connection, by the namespace."""
    names = {identifier: name for name, identifier in connections_of(platform).items()}
    found: dict[str, list[str]] = {name: [] for name in names.values()}
    for job in platform.workspace.jobs.values():
        found[names[job["connectionId"]]].append(job["status"])
    return found


def start(platform: FakePlatform, provider: str) -> None:
    """A sync is under way, which somebody else has asked for."""
    body = {"connectionId": connections_of(platform)[provider], "jobType": "sync"}
    jobs.create(platform.workspace, body)


def home_of_dagster(folder: Path) -> dict[str, str]:
    home = folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    return {"DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1", "HOME": str(home)}


def materialize(file: str, **variables: str) -> subprocess.CompletedProcess[str]:
    arguments = ("asset", "materialize", "--select", "*", "-f", str(FOLDER / file))
    return run("dagster", *arguments, **variables)


def events_of(variables: Mapping[str, str], kind: str) -> dict[str, str]:
    """The events of a kind that Dagster has stored, by step; processes write over its log."""
    found: dict[str, str] = {}
    for file in Path(variables["DAGSTER_HOME"], "history", "runs").glob("*-*.db"):
        with closing(sqlite3.connect(file)) as database:
            asked = "SELECT step_key, event FROM event_logs WHERE dagster_event_type = ?"
            found |= dict(database.execute(asked, [kind]))
    return found


@needs("dagster")
def test_dagster_syncs_the_connections_of_a_platform(
    platform: FakePlatform, tmp_path: Path
) -> None:
    start(platform, PROVIDERS[0])
    platform.workspace.outcomes[connections_of(platform)[REFUSED]] = "failed"
    home = home_of_dagster(tmp_path)
    done = materialize(
        "dagster_platform.py",
        AIRBYTE_URL=platform.url,
        WORKSPACE_ID=WORKSPACE_ID,
        CLIENT_ID=CLIENT_ID,
        CLIENT_SECRET=CLIENT_SECRET,
        **home,
    )
    assert done.returncode == 1, done.stdout
    # the one that was under way was waited for, none was asked for twice
    good = {provider: ["succeeded"] for provider in CONNECTORS}
    assert jobs_of(platform) == {**good, REFUSED: ["failed"]}
    made = "".join(events_of(home, "ASSET_MATERIALIZATION").values())
    for one in platform.workspace.connections.values():
        name = re.sub(r"\W+", "_", one["name"]).strip("_").lower()
        is_made = f'"path": ["{name}", "calls"]' in made
        assert is_made == (one["namespaceFormat"] != REFUSED)
    [failure] = events_of(home, "STEP_FAILURE").values()
    failed = next(
        job["jobId"] for job in platform.workspace.jobs.values() if job["status"] == "failed"
    )
    assert f"Job failed: {failed}" in failure


def home_of_airflow(folder: Path, file: str) -> dict[str, str]:
    """A fresh one, with its data base, and with one file among its DAGs."""
    home = folder / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags" / file).write_text((FOLDER / file).read_text(encoding="utf-8"))
    variables = {
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    made = run("airflow", "db", "migrate", **variables)
    assert made.returncode == 0, made.stdout
    return variables


def states_of_tasks(variables: Mapping[str, str]) -> dict[str, str]:
    with closing(sqlite3.connect(Path(variables["AIRFLOW_HOME"]) / "airflow.db")) as database:
        return dict(database.execute("SELECT task_id, state FROM task_instance"))


@needs("airflow")
def test_airflow_syncs_the_connections_of_a_platform(
    platform: FakePlatform, tmp_path: Path
) -> None:
    under_way = PROVIDERS[0]
    start(platform, under_way)
    platform.workspace.outcomes[connections_of(platform)[REFUSED]] = "failed"
    variables = home_of_airflow(tmp_path, "airflow_platform.py")
    [template] = re.findall(r"^export AIRFLOW_CONN_AIRBYTE='(.*?)'$", PAGE, re.M | re.S)
    connection = json.loads(template.replace("http://localhost:8000", platform.url))
    assert (connection["login"], connection["password"]) == (CLIENT_ID, "…")
    done = run(
        "airflow",
        "dags",
        "test",
        "calls_platform",
        AIRBYTE_CONNECTIONS=json.dumps(connections_of(platform)),
        AIRFLOW_CONN_AIRBYTE=json.dumps({**connection, "password": CLIENT_SECRET}),
        **variables,
    )
    assert done.returncode == 1, done.stdout
    good = dict.fromkeys(CONNECTORS, "success")
    assert states_of_tasks(variables) == {**good, REFUSED: "failed", under_way: "failed"}, (
        done.stdout
    )
    assert jobs_of(platform) == {
        **{provider: ["succeeded"] for provider in CONNECTORS},
        REFUSED: ["failed"],
        under_way: ["pending"],  # not touched
    }
    assert "Job failed:" in done.stdout
    assert "A sync is already running for: " in done.stdout


# Without a platform


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Four providers, one of which refuses the key that stands in its configuration."""
    (tmp_path / "configs").mkdir()
    for provider in PROVIDERS:
        content = json.dumps(config_for(provider))
        (tmp_path / "configs" / f"{provider}.json").write_text(content)
    with Sandbox(World(calls=60)) as found:
        found.keys[REFUSED].clear()
        yield found


def standalone(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    return {
        "CALLS_PYTHON": sys.executable,
        "CALLS_PROGRAM": str(ROOT / "examples" / "read_to_json_lines.py"),
        "CALLS_CONFIGS": str(folder / "configs"),
        "CALLS_FOLDER": str(folder / "calls"),
        "CALLS_SANDBOX_URL": sandbox.url,
    }


def calls_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The last line of each id, as a reader takes them."""
    lines = (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    return {line["id"]: line for line in map(json.loads, lines)}


def assert_truth(sandbox: Sandbox, folder: Path, log: str) -> None:
    """Three have their calls; of the fourth the log has the connector's sentence."""
    for provider in PROVIDERS:
        wanted = {} if provider == REFUSED else sandbox.expected(provider)
        assert calls_in(folder / "calls" / provider) == wanted
    assert f"{REFUSED.title()} refused the API key (HTTP 401). Check the value of" in log
    assert config_for(REFUSED)["api_key"] not in log


@needs("dagster")
def test_dagster_runs_the_connectors(sandbox: Sandbox, tmp_path: Path) -> None:
    home = home_of_dagster(tmp_path)
    done = materialize("dagster_standalone.py", **standalone(sandbox, tmp_path), **home)
    assert done.returncode == 1, done.stdout
    steps = events_of(home, "ASSET_MATERIALIZATION").keys()
    assert steps == {f"{provider}__calls" for provider in PROVIDERS if provider != REFUSED}
    [failure] = events_of(home, "STEP_FAILURE").values()
    assert_truth(sandbox, tmp_path, failure)


@needs("airflow")
def test_airflow_runs_the_connectors(sandbox: Sandbox, tmp_path: Path) -> None:
    home = home_of_airflow(tmp_path, "airflow_standalone.py")
    variables = {**standalone(sandbox, tmp_path), **home}
    done = run("airflow", "dags", "test", "calls_standalone", **variables)
    assert done.returncode == 1, done.stdout
    good = dict.fromkeys(PROVIDERS, "success")
    assert states_of_tasks(home) == {**good, REFUSED: "failed"}, done.stdout
    assert_truth(sandbox, tmp_path, done.stdout)
