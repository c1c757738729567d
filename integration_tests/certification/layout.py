"""A tree that looks to Airbyte's checks like Airbyte's repository: connectors and their pages.

The checks ask more of a certified connector of that repository than of any other, and find a
connector's page by its address on docs.airbyte.com only. So there are two runs: one with the
metadata as it stands, one with the three keys that such a connector would have in that repository.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from integration_tests.connectors import ConnectorFolder

AS_IT_STANDS = "as it stands"
AS_CERTIFIED = "as certified"
RUNS = (AS_IT_STANDS, AS_CERTIFIED)

_IGNORED = shutil.ignore_patterns("build", "dist", ".*", "__pycache__")
_PAGES = Path("docs", "integrations", "sources")


def metadata_for(run: str, metadata: dict[str, Any], page: str) -> dict[str, Any]:
    """The content of a `metadata.yaml` for a run.

    Args:
        run: one of `RUNS`.
        metadata: the content as it stands.
        page: the name of the connector's page, without a suffix.
    """
    if run == AS_IT_STANDS:
        return metadata
    in_airbytes_repository = {
        "documentationUrl": f"https://docs.airbyte.com/integrations/sources/{page}",
        "supportLevel": "certified",
        "ab_internal": {"ql": 400, "sl": 300},
    }
    return {**metadata, "data": {**metadata["data"], **in_airbytes_repository}}


def lay_out(run: str, connectors: Iterable[ConnectorFolder], place: Path) -> None:
    """Copy connectors and their pages into a new tree for a run."""
    pages = place / _PAGES
    pages.mkdir(parents=True)
    for connector in connectors:
        folder = place / "airbyte-integrations" / "connectors" / connector.name
        shutil.copytree(connector.folder, folder, ignore=_IGNORED)
        if connector.page.is_file():
            shutil.copy(connector.page, pages)
        if run != AS_IT_STANDS:
            file = folder / "metadata.yaml"
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            content = metadata_for(run, content, connector.page.stem)
            file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
