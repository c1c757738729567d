"""Read the calls of several providers into one Postgres with PyAirbyte; again for what is new.

    export PGHOST=localhost PGDATABASE=warehouse PGUSER=me PGPASSWORD=...
    .venv/bin/python examples/pyairbyte_postgres.py my-providers/

The folder holds a configuration for each provider, named after it, such as `skipcall.json`. Each
provider gets a schema with a table `calls`, merged by the calls' ids, beside the state; the view
`public.all_calls` is all of them. AIRBYTE_TEMP_DIR names the folder for PyAirbyte's temporary
files, among them the keys: make it one that only you may read.
"""

import gzip
import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not (len(sys.argv) == 2 and any(Path(sys.argv[1]).glob("*.json"))):
    sys.exit("Name a folder with a configuration for each provider, such as skipcall.json.")
warnings.filterwarnings("ignore", category=FutureWarning)  # of PyAirbyte's dependencies
os.environ.setdefault("AIRBYTE_OFFLINE_MODE", "1")  # our connectors are in no registry

# ruff: noqa: E402 - after the above, since it takes seconds to load
import airbyte
import pandas
from airbyte._processors.sql.postgres import PostgresSqlProcessor
from airbyte.caches import PostgresCache
from airbyte.exceptions import PyAirbyteError
from airbyte.secrets import SecretString
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError


class ExactProcessor(PostgresSqlProcessor):
    """Writes the records as they are.

    PyAirbyte's own (0.71) lets pandas guess types: "+14155550123" becomes 14155550123.0, and an id
    "0123" becomes 123.0.
    """

    def _write_files_to_new_table(self, files: list[Path], stream_name: str, batch_id: str) -> str:
        name = self._create_table_for_loading(stream_name, batch_id)
        columns = self._get_sql_column_definitions(stream_name)
        for file in files:
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                records = [json.loads(line) for line in lines]
            pandas.DataFrame(records, columns=[*columns], dtype=object).to_sql(
                name,
                self.get_sql_alchemy_url(),
                schema=self.sql_config.schema_name,
                if_exists="append",
                index=False,
                dtype=columns,
            )
        return str(name)


class ExactCache(PostgresCache):
    """A schema in Postgres that holds the records as they are.

    Its password may hold any character; PyAirbyte's own puts it into a URL as it stands.
    """

    _sql_processor_class = ExactProcessor

    def get_sql_alchemy_url(self) -> SecretString:
        """The URL of the database."""
        names = (self.username, str(self.password), self.host, self.port, self.database)
        url = URL.create("postgresql", *names)
        return SecretString(url.render_as_string(hide_password=False))


def cache_of(schema: str) -> ExactCache:
    """A schema of the database that Postgres's own environment variables name."""
    return ExactCache(
        host=os.environ.get("PGHOST", "localhost"),
        port=int(port) if (port := os.environ.get("PGPORT", "5432")).isdecimal() else 0,
        database=os.environ["PGDATABASE"],
        username=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
        schema_name=schema,
    )


def read(provider: str, configuration: Path) -> list[str]:
    """Merge the provider's new calls into its schema; the columns of its table."""
    command = Path(sys.executable).parent / f"source-{provider}-calls"
    if not command.is_file():
        raise PyAirbyteError(f"there is no connector {command.name}; run `make install` first.")
    config = json.loads(configuration.read_text(encoding="utf-8"))
    if not isinstance(config, dict):
        raise ValueError(f"{configuration} is no JSON object")
    source = airbyte.get_source(command.name, config=config, local_executable=command)
    source.check()
    source.select_streams(["calls"])
    with cache_of(provider) as cache:
        result = source.read(cache, write_strategy="merge")
    print(f"{provider}: {result.processed_records} calls read, table {provider}.calls.")
    return [*source.get_stream_json_schema("calls")["properties"]]


def create_view(columns: Sequence[str]) -> None:
    """Put the tables of all providers, also those read earlier, into one view.

    Its columns keep their places, so that views on it stay; new ones come last.
    """
    with cache_of("public") as cache:

        def found(sql: str) -> list[str]:
            return [str(row["name"]) for row in cache.run_sql_query(sql)]

        # PyAirbyte's own, not those that a platform may have made beside them
        schemas = found(
            "SELECT table_schema AS name FROM information_schema.tables WHERE table_name IN"
            " ('calls', '_airbyte_state') GROUP BY 1 HAVING count(*) = 2 ORDER BY 1"
        )
        before = found(
            "SELECT column_name AS name FROM information_schema.columns WHERE table_schema ="
            " 'public' AND table_name = 'all_calls' ORDER BY ordinal_position"
        )
        names = ", ".join(dict.fromkeys([*before, *columns]))
        selects = " UNION ALL ".join(f"SELECT {names} FROM {schema}.calls" for schema in schemas)
        cache.execute_sql(f"CREATE OR REPLACE VIEW public.all_calls AS {selects}")
    print(f"The view public.all_calls has the calls of {', '.join(schemas)}.")


def main(folder: Path) -> int:
    """Read each provider of the folder; one that fails does not hold up the others."""
    columns: list[str] = []
    failed = False
    for configuration in sorted(folder.glob("*.json")):
        provider = configuration.stem
        try:
            columns = read(provider, configuration)
        except (PyAirbyteError, OSError, ValueError) as error:
            # of a refused key or setting, the connector's own sentence
            known = getattr(error, "context", None) or {}
            told = error.get_message() if isinstance(error, PyAirbyteError) else error
            reason = known.get("failure_reason") or told
            print(f"{provider}: {reason}", file=sys.stderr)
            failed = True
    if columns:
        create_view(columns)
    return int(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except KeyError as error:
        sys.exit(f"Set the environment variable {error.args[0]}, as for psql.")
    except SQLAlchemyError as error:
        sys.exit(f"Postgres could not be used: {str(error).splitlines()[0]}")
