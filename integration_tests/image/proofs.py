"""What is proved of one connector's image, against the sandbox and its truth."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from integration_tests.commands import Outcome, assert_record_counts, catalog_for, run_command
from integration_tests.connectors import ConnectorFolder
from integration_tests.image.container import LONGEST, Container, Job, Ran, caught, run
from integration_tests.image.figures import Later
from integration_tests.image.inspection import FACTS, facts_of, tree_changes, tree_script
from integration_tests.sandbox import Sandbox
from integration_tests.sandboxes import PlayedProvider

Calls = dict[str, dict[str, Any]]
SOON = 15.0
"""Seconds in which a connector ends that is told to."""
ENDED = 128 + 15
"""What a shell says of a command that SIGTERM ended."""
STARTS = 5
SLOW = 1.0
"""Seconds before each answer while a read is to be caught in the middle."""
ONE_AFTER_ANOTHER = {"num_workers": 1, "lookback_days": 3650}
"""Settings with which that read is long enough: it goes back behind all calls."""


class ProofError(Exception):
    """The image is not what it should be; the text says in what."""


def demand(what: str, faults: Sequence[str]) -> None:
    """Nothing may be wrong with it."""
    if faults:
        raise ProofError(f"{what}: {' '.join(faults[:5])}")


def differences(held: Mapping[str, Any], truth: Mapping[str, Any]) -> list[str]:
    """A sentence for each call that a destination lacks, has too much or has otherwise."""
    found = [f"{call_id} is missing." for call_id in sorted(truth.keys() - held.keys())]
    found += [f"{call_id} is not listed." for call_id in sorted(held.keys() - truth.keys())]
    for call_id in sorted(held.keys() & truth.keys()):
        columns = held[call_id].keys() | truth[call_id].keys()
        others = [c for c in columns if held[call_id].get(c) != truth[call_id].get(c)]
        found += [f"{call_id} differs in {', '.join(sorted(others))}."] if others else []
    return found


def lacking(held: Mapping[str, Any], truth: Mapping[str, Any]) -> list[str]:
    """The same, but calls that were deleted for good may stay: no provider tells of them."""
    return differences({call_id: held[call_id] for call_id in held.keys() & truth.keys()}, truth)


@dataclass(frozen=True)
class Proof:
    """One image's container, and what it is proved with."""

    connector: ConnectorFolder
    container: Container
    sandbox: PlayedProvider
    folder: Path

    def job(self, name: str, command: str, **contents: Any) -> Job:
        """A command with its files; the configuration is the sample's if none is given."""
        config = self.connector.sample("sample_config.json")
        given = {} if command == "spec" else {"config": config, **contents}
        return Job(self.folder / name, command, given)

    @property
    def environment(self) -> Mapping[str, str]:
        """What leads the connector's requests to the sandbox."""
        return {"CALLS_SANDBOX_URL": self.sandbox.url}

    @property
    def truth(self) -> Mapping[str, Mapping[str, Any]]:
        """The calls that the provider lists now, as they have to arrive."""
        return self.sandbox.expected(self.connector.provider)

    @property
    def catalog(self) -> dict[str, Any]:
        """The stream `calls`, incremental."""
        return catalog_for(self.connector.provider)

    def facts(self) -> dict[str, list[str]]:
        """What the container holds."""
        job = Job(self.folder / "facts", "facts", {})
        job.prepare()
        command = self.container.command(FACTS, job.folder, {})
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
        return facts_of(done.stdout)


def description(proof: Proof, command: str, kind: str) -> float:
    """The command says the same as in the checkout; the seconds it takes, as a rule."""
    files = proof.connector.folder / "integration_tests"
    config = [] if command == "spec" else ["--config", str(files / "sample_config.json")]
    here = run_command(proof.connector.provider, [command, *config]).of_type(kind)
    seconds = []
    for number in range(STARTS):
        ran = run(proof.container, proof.job(f"{command}-{number}", command), proof.environment)
        same = ran.outcome.exit_status == 0 and ran.outcome.of_type(kind) == here
        demand(command, [] if same else ["It says something else than in the checkout."])
        seconds.append(ran.seconds)
    return median(seconds)


def check(proof: Proof) -> float:
    """A good configuration succeeds, a bad one fails; the seconds of the first."""
    good = run(proof.container, proof.job("check", "check"), proof.environment)
    wrong = proof.connector.sample("invalid_config.json")
    bad = run(proof.container, proof.job("refused", "check", config=wrong), proof.environment)
    told = [one.outcome.connection_status["status"] for one in (good, bad)]
    demand("check", [] if told == ["SUCCEEDED", "FAILED"] else [f"It says {told}."])
    return good.seconds


def whole(ran: Ran) -> Outcome:
    """What a read brought that came to its end."""
    outcome = ran.outcome
    demand("read", [] if outcome.exit_status == 0 else [str(outcome.errors), outcome.stderr[-300:]])
    assert_record_counts(outcome.counts(), is_whole=True)
    return outcome


def first_read(proof: Proof) -> Ran:
    """All calls arrive as they are, and nothing is written where nothing may be."""
    job = proof.job("first", "read", catalog=proof.catalog)
    trees = [tree_script(name) for name in ("before", "after")]
    ran = run(proof.container, job, proof.environment, before=trees[0], after=trees[1])
    demand("the first read", differences(whole(ran).by_id(), proof.truth))
    before, after = (
        (job.folder / name).read_text(encoding="utf-8") for name in ("before", "after")
    )
    demand("the files", [] if before else ["They could not be listed."])
    demand("written to", tree_changes(before, after))
    return ran


def later_reads(proof: Proof, sandbox: Sandbox, first: Outcome) -> Later:
    """A read a day later, and one that is told to end in its middle."""
    held = first.by_id()
    second = next_read(proof, sandbox, held, first.last_state())
    ran = caught_read(proof, sandbox, held | second.by_id(), second.last_state())
    return Later(len(second.by_id()), len(ran.outcome.by_id()), ran.seconds)


def next_read(proof: Proof, sandbox: Sandbox, held: Calls, state: Any) -> Outcome:
    """A day later only what changed arrives, and with it all is as the provider has it."""
    sandbox.world.advance(hours=24)
    job = proof.job("second", "read", catalog=proof.catalog, state=[state])
    outcome = whole(run(proof.container, job, proof.environment))
    demand("the second read", lacking(held | outcome.by_id(), proof.truth))
    few = 0 < len(outcome.by_id()) < len(held)
    demand("the second read", [] if few else [f"It brought {len(outcome.by_id())} calls."])
    return outcome


def caught_read(proof: Proof, sandbox: Sandbox, held: Calls, state: Any) -> Ran:
    """A read that is told to end in its middle ends soon, and its last state is good."""
    sandbox.world.advance(hours=24)
    usual = sandbox.switches
    sandbox.switches = replace(usual, latency_seconds=SLOW)
    slow = {**proof.connector.sample("sample_config.json"), **ONE_AFTER_ANOTHER}
    job = proof.job("caught", "read", config=slow, catalog=proof.catalog, state=[state])
    ran = caught(proof.container, job, proof.environment)
    sandbox.switches = usual
    ended = ran.outcome.exit_status == ENDED and ran.seconds < SOON
    said = f"Exit status {ran.outcome.exit_status} after {ran.seconds:.1f} s."
    demand("the read that was told to end", [] if ended else [said])
    last = ran.outcome.last_state() if ran.outcome.states else state
    again = proof.job("resumed", "read", catalog=proof.catalog, state=[last])
    resumed = whole(run(proof.container, again, proof.environment))
    held = {**held, **ran.outcome.by_id(), **resumed.by_id()}
    demand("the read after it", lacking(held, proof.truth))
    return ran
