"""`python -m integration_tests.image`: see the package."""

import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import AbstractContextManager

from integration_tests.connectors import CONNECTORS, ConnectorFolder
from integration_tests.image import proofs
from integration_tests.image.base import FOLDER, base_for
from integration_tests.image.container import container_of
from integration_tests.image.figures import Figures, table
from integration_tests.image.inspection import config_faults, config_of, facts_faults, image_id
from integration_tests.image.proofs import Proof, ProofError, demand
from integration_tests.sandbox import Sandbox, Switches, World
from integration_tests.sandbox.switches import PROVIDERS
from integration_tests.sandboxes import PlayedProvider, sandbox_of
from release import ReleaseError
from release.engines import Engine, working_engine
from release.images import build_images, chosen, image_of

CALLS = 400


def sandbox_for(connector: ConnectorFolder) -> AbstractContextManager[PlayedProvider]:
    """Plays the connector's provider; of Quo most conversations have long been over."""
    if connector.provider in PROVIDERS and not connector.own_sandbox.is_file():
        world = World(calls=CALLS, conversations=CALLS // 5, one_after_another=True)
        return Sandbox(world, Switches(enforce_limits=False))
    make = sandbox_of(connector)
    if make is None:
        raise ReleaseError(f"{connector.name} has no sandbox, so its image cannot be proved.")
    return make(CALLS)


def prove(engine: Engine, image: str, connector: ConnectorFolder) -> Figures:
    """All proofs of one image; ProofError if one fails."""
    demand("the image", [*config_faults(config_of(engine, image), connector)])
    folder = FOLDER / connector.name
    shutil.rmtree(folder, ignore_errors=True)
    with sandbox_for(connector) as sandbox, container_of(engine, image) as container:
        proof = Proof(connector, container, sandbox, folder)
        facts = proof.facts()
        demand("the container", [*facts_faults(facts)])
        spec = proofs.description(proof, "spec", "SPEC")
        discover = proofs.description(proof, "discover", "CATALOG")
        check = proofs.check(proof)
        first = proofs.first_read(proof)
        later = None
        if isinstance(sandbox, Sandbox):  # a connector's own stands still
            later = proofs.later_reads(proof, sandbox, first.outcome)
    return Figures(
        connector=connector.name,
        image_megabytes=megabytes(facts["kilobytes"]),
        connector_megabytes=megabytes(facts["connector"]),
        spec_seconds=spec,
        discover_seconds=discover,
        check_seconds=check,
        read_seconds=first.seconds,
        calls=len(first.outcome.by_id()),
        later=later,
    )


def megabytes(kibibytes: Sequence[str]) -> float:
    """Of what `du -k` says."""
    return int(kibibytes[0]) * 1024 / 1e6


def prove_reproducible(engine: Engine, connector: str, image: str, base: str) -> str:
    """Built once more from nothing, the image is the same; a sentence about it."""
    if engine.program == "docker":
        return "Whether a second build is the same was not tried: docker dates some files anew."
    before = image_id(engine, image)
    build_images(engine, {connector: image}, base=base, is_fresh=True)
    after = image_id(engine, image)
    demand("the second build", [] if before == after else [f"{after} is not {before}."])
    return f"A second build of {connector} from nothing is the same image, {after[:12]}."


def parser() -> ArgumentParser:
    """The command line; what is empty counts as not given, as Make passes it."""
    found = ArgumentParser(prog="python -m integration_tests.image", description=__doc__)
    found.add_argument("--connector", default="", help="only this one")
    found.add_argument("--engine", default="", help="docker, podman or buildah")
    found.add_argument("--base", default="", help="another base than the Dockerfile's")
    return found


def prove_all(options: Namespace) -> None:
    """Build and prove the images that are asked for, and print what was measured."""
    connectors = chosen(options.connector)
    engine = working_engine(asked=options.engine)
    base = base_for(engine, options.base)
    images = {connector: image_of(connector) for connector in connectors}
    build_images(engine, images, base=base)
    figures = []
    for connector in CONNECTORS.values():
        if connector.name in images:
            figures.append(prove(engine, images[connector.name], connector))
            print(f"{connector.name} is as the platform wants it", file=sys.stderr)
    said = prove_reproducible(engine, connectors[0], images[connectors[0]], base)
    print(f"With {engine.program}, on {base}:\n\n{table(figures)}\n\n{said}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove the images; the exit status."""
    try:
        prove_all(parser().parse_args(arguments))
    except (ReleaseError, ProofError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
