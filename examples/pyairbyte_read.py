"""Read the calls of one provider into DuckDB with PyAirbyte; run it again for what is new.

    .venv/bin/python examples/pyairbyte_read.py skipcall my.json

Calls are merged by their ids. The state is kept in the DuckDB file: use one file per account.
AIRBYTE_TEMP_DIR names the folder for PyAirbyte's temporary files, among them your key: make it one
that only you may read.
"""

import json
import os
import sys
import warnings
from pathlib import Path

if len(sys.argv) != 3:
    sys.exit("Name a provider, such as skipcall, and the JSON file with its configuration.")
warnings.filterwarnings("ignore", category=FutureWarning)  # of PyAirbyte's dependencies
os.environ.setdefault("AIRBYTE_OFFLINE_MODE", "1")  # our connectors are in no registry

# ruff: noqa: E402 - after the above, since it takes seconds to load
import airbyte
from airbyte.caches import DuckDBCache
from airbyte.exceptions import PyAirbyteError
from sqlalchemy.exc import SQLAlchemyError

provider, config_file = sys.argv[1:]
command = Path(sys.executable).parent / f"source-{provider}-calls"
if not command.is_file():
    sys.exit(f"There is no connector {command.name}; run `make install` first.")
DATABASE = "calls.duckdb"


def read() -> None:
    """Read what is new since the state in the file, and merge it by the primary key, id."""
    config = json.loads(Path(config_file).read_text(encoding="utf-8"))
    if not isinstance(config, dict):
        raise ValueError("it is no JSON object")
    source = airbyte.get_source(command.name, config=config, local_executable=command)
    source.check()
    source.select_streams(["calls"])
    with DuckDBCache(db_path=DATABASE, schema_name=provider) as cache:
        source.read(cache, write_strategy="merge")
        calls = cache.get_pandas_dataframe("calls")
    print(calls[["id", "occurred_at", "direction", "status", "external_number"]])
    print(f"{len(calls)} calls are in {Path(DATABASE).absolute()}, table {provider}.calls.")


try:
    read()
except (OSError, ValueError) as error:
    sys.exit(f"The configuration {config_file} cannot be read: {error}.")
except SQLAlchemyError as error:
    sys.exit(f"{DATABASE} cannot be used: {str(error).splitlines()[0]}")
except PyAirbyteError as error:
    # of a refused key or setting, the connector's own sentence
    sys.exit(str((error.context or {}).get("failure_reason") or error.get_message()))
