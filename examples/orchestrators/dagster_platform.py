"""Dagster: the connections of an Airbyte platform as assets, synced every six hours."""

import os
import re

import dagster as dg
from dagster_airbyte import (
    AirbyteConnectionTableProps,
    AirbyteWorkspace,
    DagsterAirbyteTranslator,
    build_airbyte_assets_definitions,
)

airbyte = AirbyteWorkspace(
    rest_api_base_url=f"{os.environ['AIRBYTE_URL']}/api/public/v1",
    configuration_api_base_url=f"{os.environ['AIRBYTE_URL']}/api/v1",
    workspace_id=dg.EnvVar("WORKSPACE_ID"),
    client_id=dg.EnvVar("CLIENT_ID"),
    client_secret=dg.EnvVar("CLIENT_SECRET"),
    request_timeout=120,  # seconds for an answer; 15 are few for one that starts a sync
    poll_timeout=None,  # a sync may take days, and may wait an hour for a rate limit
    poll_previous_running_sync=True,  # wait for a sync that is under way, do not fail
    cancel_on_termination=False,  # a restart of Dagster does not end it
)


class KeyWithConnection(DagsterAirbyteTranslator):
    """The table of every connection is named `calls`: its key begins with the connection's name."""

    def get_asset_spec(self, props: AirbyteConnectionTableProps) -> dg.AssetSpec:
        """The asset of a table."""
        spec = super().get_asset_spec(props)
        name = re.sub(r"\W+", "_", props.connection_name).strip("_").lower()
        return spec.replace_attributes(key=[name, *spec.key.path])


defs = dg.Definitions(
    assets=build_airbyte_assets_definitions(
        workspace=airbyte,
        dagster_airbyte_translator=KeyWithConnection(),
        # all that `make register` named; leave this out for every connection of the workspace
        connection_selector_fn=lambda connection: " calls" in connection.name,
    ),
    resources={"airbyte": airbyte},
    schedules=[
        dg.ScheduleDefinition("calls", cron_schedule="0 */6 * * *", target=dg.AssetSelection.all())
    ],
)
