"""`PageRecords`: the records of a page whose shape has been checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor

from calls_shared.error_mapping.body import PageShape

_IDS: Final = "calls_shared_ids"


@dataclass
class PageRecords(RecordExtractor):
    """Extractor of the list at a path; it fails where the CDK's own would find nothing.

    Attributes:
        records_at: path of the list of records; "" if the body is the one record.
        under: the only field of what comes out, which holds the provider's record; "" hands the
            record on as it is. (A transformation changes a record in place; so it need not copy.)

    Raises:
        BadShapeError: if the page is not what the provider promises.
    """

    records_at: str = ""
    under: str = ""

    def __post_init__(self) -> None:
        self._shape = PageShape(self.records_at)

    def extract_records(self, response: requests.Response) -> Iterable[Mapping[str, Any]]:
        """The records, in the order of the page."""
        records = self._shape.records(response)
        return [{self.under: record} for record in records] if self.under else records

    def ids(self, response: requests.Response) -> list[str]:
        """The ids of all records of a page, in order, also of those that a filter leaves out.

        A record without an id stands for itself: two such records are not the same one. A null
        entry takes a place like any other.
        """
        found: dict[str, list[str]] = response.__dict__.setdefault(_IDS, {})
        if self.records_at not in found:  # it is asked several times a page
            ids = [str(record.get("id") or record) for record in self._shape.records(response)]
            nulls = [f"null {place}" for place in range(self.nulls(response))]
            found[self.records_at] = ids + nulls
        return found[self.records_at]

    def nulls(self, response: requests.Response) -> int:
        """How many entries of a page were null, and left out."""
        return self._shape.nulls(response)


def ids_of(extractor: object, response: requests.Response) -> Sequence[str]:
    """The ids of all records of a page; none where another extractor than ours reads it."""
    return extractor.ids(response) if isinstance(extractor, PageRecords) else ()
