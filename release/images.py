"""`make images`: an image of each connector, or of one, with the engine that works here."""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.versions import current_version
from release import ReleaseError
from release.dates import source_date_epoch
from release.engines import Build, Engine, build_command, working_engine
from release.names import REPOSITORY, checked_repository, checked_tag, prefix_note
from release.packages import DIST, file_names
from release.pip_settings import PipSettings, settings_of_this_machine


def image_of(connector: str, repository: str = REPOSITORY, tag: str = "") -> str:
    """The whole name of a connector's image."""
    return f"{repository}/{connector}:{tag or current_version()}"


def chosen(connector: str) -> list[str]:
    """The connectors to build: the one that is asked for, or all.

    Raises:
        ReleaseError: there is no such connector.
    """
    names = [one.name for one in CONNECTORS.values()]
    if connector and connector not in names:
        raise ReleaseError(f"There is no connector {connector!r}; choose of {', '.join(names)}.")
    return [connector] if connector else names


@contextmanager
def secrets_of(settings: PipSettings) -> Iterator[tuple[tuple[str, Path], ...]]:
    """The build's secrets, in files that only we may read and that are gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        secrets: list[tuple[str, Path]] = []
        if settings.text:
            file = Path(folder, "pip.conf")
            file.touch(mode=0o600)
            file.write_text(settings.text, encoding="utf-8")
            secrets.append(("pip.conf", file))
        if settings.certificate is not None:
            secrets.append(("ca.pem", settings.certificate))
        yield tuple(secrets)


def build_images(
    engine: Engine,
    names: Mapping[str, str],
    *,
    base: str = "",
    platform: str = "",
    is_fresh: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Build images of the packages in `dist/`.

    Args:
        engine: what builds them.
        names: the image's name for each connector.
        base: takes the place of the Dockerfile's base.
        platform: such as `linux/amd64`, if it is not that of the machine.
        is_fresh: whether nothing of an earlier build is used.
        say: is told what is built.

    Raises:
        ReleaseError: the packages are not there, or one image cannot be built.
    """
    if missing := [name for name in file_names() if not (DIST / name).is_file()]:
        raise ReleaseError(f"dist/ lacks {missing[0]}; run `make dist`.")
    settings = settings_of_this_machine()
    epoch, version = source_date_epoch(os.environ), current_version()
    with secrets_of(settings) as secrets:
        for connector, image in names.items():
            say(f"{image}, with {engine.program}")
            build = Build(
                connector=connector,
                version=version,
                image=image,
                epoch=epoch,
                base=base,
                platform=platform,
                secrets=secrets,
                folders=settings.folders,
                is_fresh=is_fresh,
            )
            command = build_command(engine, build, ROOT)
            if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
                raise ReleaseError(f"The image of {connector} was not built; see above why.")


def parser() -> ArgumentParser:
    """The command line; Make gives the same by the environment, where no shell reads it."""
    found = ArgumentParser(prog="python -m release.images", description=__doc__)
    given = os.environ
    found.add_argument(
        "--repository", default=given.get("REPOSITORY", ""), help=f"default {REPOSITORY}"
    )
    found.add_argument("--tag", default=given.get("TAG", ""), help="default: the version")
    found.add_argument("--connector", default=given.get("CONNECTOR", ""), help="only this one")
    found.add_argument(
        "--base", default=given.get("BASE", ""), help="another base than the Dockerfile's"
    )
    found.add_argument("--platform", default=given.get("PLATFORM", ""), help="such as linux/amd64")
    found.add_argument(
        "--engine", default=given.get("ENGINE", ""), help="docker, podman or buildah"
    )
    return found


def build_chosen(options: Namespace) -> None:
    """Build what the command line asks for; ReleaseError if that is impossible."""
    repository = checked_repository(options.repository or REPOSITORY)
    tag = checked_tag(options.tag or current_version())
    names = {
        connector: image_of(connector, repository, tag) for connector in chosen(options.connector)
    }
    if note := prefix_note(repository):
        print(note)
    engine = working_engine(asked=options.engine)
    build_images(engine, names, base=options.base, platform=options.platform)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the images; the exit status."""
    try:
        build_chosen(parser().parse_args(arguments))
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
