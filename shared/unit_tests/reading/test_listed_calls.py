"""What a manifest may not say of a stream that lists what is there."""

from typing import Any

import pytest

from calls_shared import ListedCallsRetriever

NUMBERS = {"pagination_strategy": {"class_name": "calls_shared.PageNumbers"}}
LINKS = {"pagination_strategy": {"class_name": "calls_shared.NextLink"}}


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ({"windows": {"from": "since"}}, "windows have exactly the keys"),
        ({"start_date_field": "occurred_at"}, "start_date_field has no meaning here"),
        ({"cursor_field": "updated_at"}, "cursor_field has no meaning here"),
        ({"is_keyset": True, "paginator": NUMBERS}, "is_keyset is not so"),
    ],
)
def test_what_cannot_be_meant(node: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ListedCallsRetriever.check_manifest(node)


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"is_keyset": True, "paginator": LINKS},
        {"paginator": NUMBERS},
        {"windows": {"from": "from", "to": "to", "unit": "seconds", "wall": 10_000}},
    ],
)
def test_what_can(node: dict[str, Any]) -> None:
    ListedCallsRetriever.check_manifest(node)
