from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from calls_shared import FanOutRetriever, PageRecords, PageToken

Answer = Callable[..., requests.Response]
Answers = Mapping[tuple[str, str | None], list[requests.Response]]
USERS = [{"id": "US1"}, {"id": "US2"}, {"id": "US3"}]


class Requester:
    """Answers by (conversation, user); remembers what it was asked, with the page token."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str | None, str | None]] = []

    def send_request(
        self, *, stream_slice: StreamSlice, next_page_token: Any, **_: Any
    ) -> requests.Response:
        conversation = stream_slice.partition["conversation"]
        user = stream_slice.extra_fields["asked_user"]
        token = next_page_token["next_page_token"] if next_page_token else None
        self.asked.append((conversation, user, token))
        return self.answers[conversation, user][int(token or 0)]


def retriever_of(answers: Answers) -> tuple[FanOutRetriever, Requester]:
    requester = Requester(answers)
    selector = RecordSelector(
        extractor=PageRecords("data"),
        config={},
        parameters={},
        schema_normalization=TypeTransformer(TransformConfig.NoTransform),
        name="calls",
    )
    paginator = DefaultPaginator(
        pagination_strategy=PageToken("next", 100),
        config={},
        url_base="https://api.acme.example",
        parameters={},
    )
    retriever = FanOutRetriever(
        requester=requester,  # type: ignore[arg-type]
        record_selector=selector,
        paginator=paginator,
        config={},
        parameters={},
        name="calls",
        primary_key="id",
        value_field="asked_user",
        values_in_slice="phone.users",
        value_at="id",
        value_column="user_id",
        group_in_slice="phone.number",
        refused_message="Acme refused {group}. Add a user to {group}.",
    )
    return retriever, requester


def conversation(name: str = "CN1", number: str = "+1", users: Any = None) -> StreamSlice:
    users = USERS if users is None else users
    return StreamSlice(
        partition={"conversation": name},
        cursor_slice={},
        extra_fields={"phone": {"number": number, "users": users}},
    )


def ids(retriever: FanOutRetriever, stream_slice: StreamSlice) -> list[str]:
    records = []
    for record in retriever.read_records({}, stream_slice):
        assert isinstance(record, Record)
        assert record.associated_slice is not None
        assert record.associated_slice.partition == stream_slice.partition
        records.append(str(record.data["id"]))
    return records


def call(call_id: str, user: str | None) -> dict[str, Any]:
    return {"id": call_id, "user_id": user}


@pytest.fixture
def page(answer: Answer) -> Callable[..., requests.Response]:
    """Makes a page of calls: `page(("AC1", "US1"), ..., token="1")`."""

    def make(*calls: tuple[str, str | None], token: str | None = None) -> requests.Response:
        return answer({"data": [call(*entry) for entry in calls], "next": token})

    return make


def test_once_without_a_user_then_once_with_each(page: Callable[..., requests.Response]) -> None:
    retriever, requester = retriever_of(
        {
            ("CN1", None): [page(("AC1", "US1"))],
            ("CN1", "US1"): [page(("AC1", "US1"), ("AC2", "US1"))],
            ("CN1", "US2"): [page(("AC3", "US2"), ("AC3", "US2"))],
            ("CN1", "US3"): [page()],
        }
    )
    assert ids(retriever, conversation()) == ["AC1", "AC2", "AC3"]
    assert requester.asked == [
        ("CN1", None, None),
        ("CN1", "US1", None),
        ("CN1", "US2", None),
        ("CN1", "US3", None),
    ]


def test_all_pages_of_each_reading_are_read(page: Callable[..., requests.Response]) -> None:
    retriever, requester = retriever_of(
        {
            ("CN1", None): [page(("AC1", "US1"), token="1"), page(("AC2", "US1"))],
            ("CN1", "US1"): [page(("AC2", "US1"), token="1"), page(("AC3", "US1"))],
        }
    )
    assert ids(retriever, conversation(users=USERS[:1])) == ["AC1", "AC2", "AC3"]
    assert requester.asked == [
        ("CN1", None, None),
        ("CN1", None, "1"),
        ("CN1", "US1", None),
        ("CN1", "US1", "1"),
    ]


@pytest.mark.parametrize(
    "owners", [("US1", "US2"), ("US1", None, "US2"), ("US8", "US9", "US9")], ids=repr
)
def test_two_users_in_the_default_answer_stop_the_requests_by_user_for_the_number(
    page: Callable[..., requests.Response], owners: tuple[str | None, ...]
) -> None:
    calls = [(f"AC{number}", owner) for number, owner in enumerate(owners)]
    retriever, requester = retriever_of(
        {
            ("CN1", None): [page(calls[0], token="1"), page(*calls[1:])],
            ("CN2", None): [page(("AC9", "US1"))],
            ("CN3", None): [page()],
            ("CN3", "US1"): [page()],
        }
    )
    assert ids(retriever, conversation("CN1")) == [call_id for call_id, _ in calls]
    # another conversation of the number, and one of another number
    assert ids(retriever, conversation("CN2")) == ["AC9"]
    assert ids(retriever, conversation("CN3", "+2", USERS[:1])) == []
    assert requester.asked == [
        ("CN1", None, None),
        ("CN1", None, "1"),
        ("CN2", None, None),
        ("CN3", None, None),
        ("CN3", "US1", None),
    ]


@pytest.mark.parametrize("owners", [("US1", "US1"), ("US1", None), (None, None), ()])
def test_one_user_in_the_default_answer_proves_nothing(
    page: Callable[..., requests.Response], owners: tuple[str | None, ...]
) -> None:
    calls = [(f"AC{number}", owner) for number, owner in enumerate(owners)]
    retriever, requester = retriever_of(
        {("CN1", None): [page(*calls)], ("CN1", "US1"): [page(("AC9", "US1"))]}
    )
    assert ids(retriever, conversation(users=USERS[:1])) == [*(c for c, _ in calls), "AC9"]
    assert [user for _, user, _ in requester.asked] == [None, "US1"]


def test_two_users_in_an_answer_with_a_user_prove_nothing(
    page: Callable[..., requests.Response],
) -> None:
    retriever, requester = retriever_of(
        {
            ("CN1", None): [page()],
            ("CN1", "US1"): [page(("AC1", "US1"), ("AC2", "US2"))],
            ("CN1", "US2"): [page()],
        }
    )
    assert ids(retriever, conversation(users=USERS[:2])) == ["AC1", "AC2"]
    assert [user for _, user, _ in requester.asked] == [None, "US1", "US2"]


@pytest.mark.parametrize("users", [[], None, [{"id": "US1"}, {"id": "US1"}]])
def test_users_that_are_listed(page: Callable[..., requests.Response], users: Any) -> None:
    retriever, requester = retriever_of({("CN1", None): [page()], ("CN1", "US1"): [page()]})
    stream_slice = StreamSlice(
        partition={"conversation": "CN1"},
        cursor_slice={},
        extra_fields={"phone": {"number": "+1", "users": users}},
    )
    assert ids(retriever, stream_slice) == []
    # a user twice is asked for once
    assert [user for _, user, _ in requester.asked] == ([None, "US1"] if users else [None])


def test_a_user_without_an_id_adds_no_request(page: Callable[..., requests.Response]) -> None:
    retriever, requester = retriever_of({("CN1", None): [page()]})
    assert ids(retriever, conversation(users=[{"email": "ada@example.com"}])) == []
    assert requester.asked == [("CN1", None, None)]


@pytest.mark.parametrize("users", [["US1"], [None], 5, [{"id": ["US1"]}]])
def test_users_that_are_garbled_add_no_request(
    page: Callable[..., requests.Response], users: Any
) -> None:
    retriever, requester = retriever_of({("CN1", None): [page(("AC1", "US1"))]})
    assert ids(retriever, conversation(users=users)) == ["AC1"]
    assert requester.asked == [("CN1", None, None)]


def test_a_number_that_refuses_every_request_fails(answer: Answer) -> None:
    refused = [answer({"title": "Not Phone Number User"}, 403)]
    retriever, requester = retriever_of(
        {("CN1", None): refused, ("CN1", "US1"): refused, ("CN1", "US2"): refused}
    )
    with pytest.raises(AirbyteTracedException) as caught:
        ids(retriever, conversation(number="+14155550100", users=USERS[:2]))
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == "Acme refused +14155550100. Add a user to +14155550100."
    assert [user for _, user, _ in requester.asked] == [None, "US1", "US2"]


def test_a_number_that_has_failed_is_not_asked_again(
    answer: Answer, page: Callable[..., requests.Response]
) -> None:
    retriever, requester = retriever_of(
        {("CN1", None): [answer({}, 403)], ("CN9", None): [page(("AC1", "US1"))]}
    )
    with pytest.raises(AirbyteTracedException, match=r"refused \+1"):
        ids(retriever, conversation("CN1", users=[]))
    assert ids(retriever, conversation("CN2", users=[])) == []
    assert ids(retriever, conversation("CN9", number="+2", users=[])) == ["AC1"]
    assert [name for name, _, _ in requester.asked] == ["CN1", "CN9"]


def test_some_refused_requests_are_skipped(
    answer: Answer, page: Callable[..., requests.Response]
) -> None:
    refused = [answer({}, 403)]
    retriever, _ = retriever_of(
        {
            ("CN1", None): refused,
            ("CN1", "US1"): [page(("AC1", "US1"))],
            ("CN1", "US2"): refused,
            ("CN2", None): refused,
            ("CN2", "US1"): refused,
            ("CN3", None): refused,
        }
    )
    assert ids(retriever, conversation("CN1", users=USERS[:2])) == ["AC1"]
    # the number has answered before, so that it does not refuse every request
    assert ids(retriever, conversation("CN2", users=USERS[:1])) == []
    with pytest.raises(AirbyteTracedException, match=r"refused \+2"):
        ids(retriever, conversation("CN3", number="+2", users=[]))


@pytest.mark.parametrize("status", [404, 400])
def test_another_skipped_answer_is_no_refusal(answer: Answer, status: int) -> None:
    retriever, _ = retriever_of(
        {("CN1", None): [answer({}, 403)], ("CN1", "US1"): [answer({}, status)]}
    )
    assert ids(retriever, conversation(users=USERS[:1])) == []
