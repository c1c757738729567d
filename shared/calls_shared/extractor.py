"""`PageRecords`: the records of a page whose shape has been checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor

from calls_shared.body import PageShape


@dataclass
class PageRecords(RecordExtractor):
    """Extractor of the list at a path; it fails where the CDK's own would find nothing.

    Attributes:
        records_at: path of the list of records; "" if the body is the one record.

    Raises:
        BadShapeError: if the page is not what the provider promises.
    """

    records_at: str = ""

    def __post_init__(self) -> None:
        self._shape = PageShape(self.records_at)

    def extract_records(self, response: requests.Response) -> Iterable[Mapping[str, Any]]:
        """The records, in the order of the page."""
        self._shape.check(response)
        return self._shape.records(response)
