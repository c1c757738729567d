"""Parts that a plan may refuse: which are asked for, and what is told."""

import pytest
import requests
from airbyte_cdk.models import FailureType

from calls_shared.http.optional_parts import OptionalParts
from calls_shared.http.refusals import RefusedError
from calls_shared.http.sender import Request

REQUEST = Request("https://api.example.com/calls", "https://api.example.com/calls", {}, {"a": "1"})


class Provider:
    """Refuses whatever names a part that it does not have."""

    def __init__(self, *has: str, status: int = 403, refuses_all: bool = False) -> None:
        self.asked: list[str | None] = []
        self._has = {*has}
        self._status = status
        self._refuses_all = refuses_all

    def send(self, request: Request) -> requests.Response:
        included = request.params.get("include")
        self.asked.append(included)
        if self._refuses_all or (included and not {*included.split(",")} <= self._has):
            failure = RefusedError(message="refused", failure_type=FailureType.config_error)
            failure.status, failure.says = self._status, "upgrade"
            raise failure
        response = requests.Response()
        response.status_code = 200
        return response


def parts(notes: list[str]) -> OptionalParts:
    return OptionalParts({"include": ["summary", "voicemail"]}, "calls", "Quo", notes.append)


@pytest.mark.parametrize(
    ("has", "asked", "left_out"),
    [
        (["summary", "voicemail"], ["summary,voicemail"] * 2, []),
        (["voicemail"], [*["summary,voicemail"] * 2, "voicemail", "voicemail"], ["summary"]),
        (
            ["summary"],
            [*["summary,voicemail"] * 2, "voicemail", "summary", "summary"],
            ["voicemail"],
        ),
        (
            [],
            [*["summary,voicemail"] * 2, "voicemail", "summary", None, None],
            ["summary", "voicemail"],
        ),
    ],
)
def test_what_is_refused_is_asked_for_no_more(
    has: list[str], asked: list[str | None], left_out: list[str]
) -> None:
    notes: list[str] = []
    optional, provider = parts(notes), Provider(*has)
    for _ in range(2):
        assert optional.send(REQUEST, provider.send).status_code == 200
    assert provider.asked == asked
    assert notes == [
        f"Quo refuses the part {part} of calls (HTTP 403), so that its columns stay null. The plan"
        " of the workspace may not have it. Quo says: upgrade"
        for part in left_out
    ]


def test_a_refusal_for_a_moment_leaves_nothing_out() -> None:
    """What was left out would be missing in all calls of the sync, and those of before."""
    notes: list[str] = []
    optional, provider = parts(notes), Provider("summary", "voicemail")
    refusing = Provider(refuses_all=True)
    senders = iter([refusing.send, provider.send, provider.send])
    for _ in range(2):
        optional.send(REQUEST, lambda request: next(senders)(request))  # noqa: PLW0108 - each time
    assert provider.asked == ["summary,voicemail"] * 2
    assert notes == []


def test_what_is_refused_without_any_part_too_is_a_failure() -> None:
    notes: list[str] = []
    optional, provider = parts(notes), Provider(refuses_all=True)
    with pytest.raises(RefusedError):
        optional.send(REQUEST, provider.send)
    assert notes == []
    assert provider.asked[-1] is None


def test_the_last_try_is_judged_as_any_other_request() -> None:
    seen: list[frozenset[int]] = []

    def send(request: Request) -> requests.Response:
        seen.append(request.refusable)
        return Provider("summary").send(request)

    parts([]).send(REQUEST, send)
    OptionalParts({}, "calls", "Quo", [].append).send(REQUEST, send)
    assert seen == [frozenset({400, 402, 403, 422})] * 4 + [frozenset()]
