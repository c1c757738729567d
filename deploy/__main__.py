"""`make register`: read what is asked, do it, and say what was done."""

import os
import sys
from collections.abc import Mapping

from deploy.accounts import Account, accounts_in
from deploy.client import Client
from deploy.definitions import definition_of
from deploy.failures import RegisterError
from deploy.platform import Platform
from deploy.register import Say, register
from deploy.remove import remove
from deploy.settings import Settings, settings_of
from integration_tests.connectors import CONNECTORS, ConnectorFolder
from integration_tests.versions import current_version
from release.names import prefix_note


def main(
    environment: Mapping[str, str], connectors: Mapping[str, ConnectorFolder] = CONNECTORS
) -> int:
    """Do what the environment variables ask; the exit status."""
    try:
        changed = run(settings_of(environment, current_version()), connectors, _say)
    except RegisterError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _say(f"Done: {changed} changed." if changed else "Done: nothing had to be changed.")
    return 0


def run(settings: Settings, connectors: Mapping[str, ConnectorFolder], say: Say) -> int:
    """Do what is asked; how many things had to be changed.

    Args:
        settings: what is asked.
        connectors: those to register, by provider.
        say: takes a line for the user.

    Raises:
        RegisterError: it cannot go on. What is done stays; the next run goes on from there.
    """
    asked = settings.connections
    accounts: tuple[Account, ...] = ()
    if asked is not None:
        accounts = accounts_in(asked.configs, connectors)
    wanted = {
        provider: definition_of(connector, settings.repository, settings.tag, settings.memory_limit)
        for provider, connector in connectors.items()
    }
    client = Client(
        settings.url,
        settings.client_id,
        settings.client_secret,
        frozenset[str]().union(*(account.secrets for account in accounts)),
        settings.timeout,
    )
    platform = Platform(client, settings.workspace_id)
    if settings.remove:
        return remove(platform, wanted, say)
    if note := prefix_note(settings.repository):
        say(note)
    return register(platform, settings, wanted, accounts, say)


def _say(line: str) -> None:
    print(line, flush=True)  # a pod may take minutes


if __name__ == "__main__":
    sys.exit(main(os.environ))
