"""Airflow: sync the connections of an Airbyte platform every six hours, a task for each."""

import json
import os
from datetime import UTC, datetime, timedelta

from airflow.providers.airbyte.operators.airbyte import AirbyteTriggerSyncOperator
from airflow.sdk import DAG

# such as {"skipcall": "00000000-0000-4000-8000-000000000003"}
CONNECTIONS = json.loads(os.environ["AIRBYTE_CONNECTIONS"])

with DAG(
    "calls_platform",
    schedule="0 */6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # the platform refuses a second sync of a connection
):
    for name, connection_id in CONNECTIONS.items():
        AirbyteTriggerSyncOperator(
            task_id=name,
            connection_id=connection_id,
            airbyte_conn_id="airbyte",
            # when it has passed, the sync is cancelled: a first one may take days
            timeout=timedelta(days=7).total_seconds(),
        )
