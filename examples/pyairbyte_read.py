"""Read the calls of one provider into DuckDB with PyAirbyte; run it again for what is new.

    .venv/bin/python examples/pyairbyte_read.py skipcall my.json

The state is kept in the DuckDB file: use one file per account. AIRBYTE_TEMP_DIR names the folder
for PyAirbyte's temporary files, among them your key: make it one that only you may read.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("AIRBYTE_OFFLINE_MODE", "1")  # our connectors are in no registry

import airbyte
from airbyte.caches import DuckDBCache

provider, config_file = sys.argv[1:]
source = airbyte.get_source(
    f"source-{provider}-calls",
    config=json.loads(Path(config_file).read_text(encoding="utf-8")),
    local_executable=Path(sys.executable).with_name(f"source-{provider}-calls"),
    streams=["calls"],
)
source.check()
with DuckDBCache(db_path="calls.duckdb", schema_name=provider) as cache:
    source.read(cache, write_strategy="merge")  # by the stream's primary key, id
    calls = cache.get_pandas_dataframe("calls")
print(calls[["id", "occurred_at", "direction", "status", "external_number"]])
