from collections.abc import Callable

import pytest
import requests

from calls_shared import PageRecords
from calls_shared.error_mapping.body import BadShapeError

Answer = Callable[..., requests.Response]


def test_page_records_extracts_what_it_has_checked(answer: Answer) -> None:
    extractor = PageRecords(records_at="data")
    records = extractor.extract_records(answer({"data": [{"id": "1"}, {"id": "2"}]}))
    assert list(records) == [{"id": "1"}, {"id": "2"}]
    with pytest.raises(BadShapeError, match="an HTML or XML page"):
        extractor.extract_records(answer(b"<html>"))
    assert list(PageRecords().extract_records(answer({"id": "3"}))) == [{"id": "3"}]


def test_a_null_among_the_records_is_left_out(answer: Answer) -> None:
    extractor = PageRecords(records_at="data", under="provider_record")
    records = extractor.extract_records(answer({"data": [None, {"id": "2"}, None]}))
    assert list(records) == [{"provider_record": {"id": "2"}}]


def test_records_come_out_under_a_field(answer: Answer) -> None:
    extractor = PageRecords(records_at="data", under="provider_record")
    records = extractor.extract_records(answer({"data": [{"id": "1"}, {"id": "2"}]}))
    assert list(records) == [{"provider_record": {"id": "1"}}, {"provider_record": {"id": "2"}}]


@pytest.mark.parametrize("under", ["", "provider_record"])
def test_ids_are_those_of_the_providers_records(answer: Answer, under: str) -> None:
    body = {"data": [{"id": "a"}, {"id": 7}, {"id": "a"}]}
    assert PageRecords("data", under).ids(answer(body)) == ["a", "7", "a"]


def test_a_record_without_an_id_stands_for_itself(answer: Answer) -> None:
    def ids(*records: dict[str, object]) -> list[str]:
        return PageRecords("data").ids(answer({"data": records}))

    assert ids({"n": 1}) != ids({"n": 2})
    assert ids({"id": None, "n": 1}) != ids({"id": None, "n": 2})
    assert ids({"n": 1}) == ids({"n": 1})
    assert ids() == []
