"""The order of it all: definitions, then a source and a connection for each account."""

from collections.abc import Callable, Mapping, Sequence

from deploy.accounts import Account
from deploy.definitions import JSON, Definition, stream_configuration
from deploy.plan import (
    Create,
    Same,
    Step,
    Update,
    WantedSource,
    own_sources,
    plan_definition,
    plan_source,
)
from deploy.plan_connections import WantedConnection, check_namespace, plan_connection
from deploy.platform import Platform
from deploy.schedule import DEFAULT_SCHEDULE
from deploy.settings import ConnectionSettings, Settings

Say = Callable[[str], None]
"""Takes a line for the user."""


def register(
    platform: Platform,
    settings: Settings,
    wanted: Mapping[str, Definition],
    accounts: Sequence[Account],
    say: Say,
) -> int:
    """Bring the workspace to what is asked; how many things had to be changed.

    Args:
        platform: the workspace.
        settings: what is asked.
        wanted: the definitions, by provider.
        accounts: of which sources and connections are asked.
        say: takes a line for the user.
    """
    connections = settings.connections
    if connections is not None:  # before anything is done
        platform.check_destination(connections.destination_id)
    found = platform.definitions()
    # all are compared before the first is changed: what is in doubt stops it at once
    steps = {
        provider: plan_definition(one, settings.workspace_id, found)
        for provider, one in wanted.items()
    }
    sources, joined = ([], []) if connections is None else _found(platform)
    if connections is not None:
        for account in accounts:
            step = steps[account.connector.provider]
            definition = wanted[account.connector.provider]
            identifier = "" if isinstance(step, Create) else step.id  # a new one has no sources
            source = _source(account, definition, identifier, settings.workspace_id, connections)
            own = {str(one["sourceId"]) for one in own_sources(source, sources)}
            place = connections.destination_id, account.namespace
            check_namespace(source.name, place, own, joined)
    ids = {
        provider: _apply_definition(platform, wanted[provider], step, say)
        for provider, step in steps.items()
    }
    changed: list[Step] = [step for step in steps.values() if not isinstance(step, Same)]
    if connections is None:
        return len(changed)
    for account in accounts:
        provider = account.connector.provider
        changed += _apply_account(
            platform,
            account,
            wanted[provider],
            _source(account, wanted[provider], ids[provider], settings.workspace_id, connections),
            connections,
            (sources, joined),
            say,
        )
    return len(changed)


def _found(platform: Platform) -> tuple[list[JSON], list[JSON]]:
    return platform.sources(), platform.connections()


def _apply_definition(platform: Platform, wanted: Definition, step: Step, say: Say) -> str:
    match step:
        case Create(body):
            identifier = platform.create_definition(wanted, body)
            say(f"{wanted.name}: registered, image {wanted.image}.")
            return identifier
        case Update(identifier, body, changes):
            platform.update_definition(wanted, body)
            say(f"{wanted.name}: changed ({', '.join(changes)}), image {wanted.image}.")
            return identifier
        case Same(identifier):
            say(f"{wanted.name}: is registered, image {wanted.image}.")
            return identifier


def _source(
    account: Account,
    definition: Definition,
    definition_id: str,
    workspace_id: str,
    connections: ConnectionSettings,
) -> WantedSource:
    return WantedSource(
        name=account.named(definition.name),
        workspace_id=workspace_id,
        definition_id=definition_id,
        configuration=account.configuration,
        secret_keys=account.connector.secret_keys,
        renew_secrets=connections.renew_secrets,
    )


def _apply_account(
    platform: Platform,
    account: Account,
    definition: Definition,
    wanted: WantedSource,
    asked: ConnectionSettings,
    found: tuple[Sequence[JSON], Sequence[JSON]],
    say: Say,
) -> list[Step]:
    """Bring one source and its connection about; the steps that changed something."""
    sources, connections = found
    step = plan_source(wanted, sources)
    source_id = _apply_source(platform, wanted.name, step, say)
    connection = WantedConnection(
        name=wanted.name,
        source_id=source_id,
        destination_id=asked.destination_id,
        namespace=account.namespace,
        stream=stream_configuration(account.connector, account.configuration),
        schedule=asked.schedule,
    )
    joining = plan_connection(connection, connections)
    _apply_connection(platform, connection, joining, definition.image, say)
    return [one for one in (step, joining) if not isinstance(one, Same)]


def _apply_source(platform: Platform, name: str, step: Step, say: Say) -> str:
    match step:
        case Create(body):
            identifier = platform.create_source(body)
            say(f"{name}: source created.")
            return identifier
        case Update(identifier, body, changes):
            platform.replace_source(identifier, body)
            say(f"{name}: source changed ({', '.join(changes)}).")
            return identifier
        case Same(identifier):
            say(f"{name}: source is there.")
            return identifier


def _apply_connection(
    platform: Platform, wanted: WantedConnection, step: Step, image: str, say: Say
) -> None:
    match step:
        case Create(body):
            platform.create_connection(body, image)
            schedule = wanted.schedule or DEFAULT_SCHEDULE
            say(
                f"{wanted.name}: connection created, namespace {wanted.namespace},"
                f" schedule {schedule}."
            )
        case Update(identifier, body, changes, notices):
            platform.change_connection(identifier, body, image)
            say(f"{wanted.name}: connection changed ({', '.join(changes)}).")
            _say_all(notices, say)
        case Same(_, notices):
            say(f"{wanted.name}: connection is there.")
            _say_all(notices, say)


def _say_all(notices: Sequence[str], say: Say) -> None:
    for notice in notices:
        say(f"Note: {notice}")
