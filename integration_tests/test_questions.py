"""What each provider can tell: the comments of `examples/questions.sql` and the README's table."""

from pathlib import Path
from typing import Any

import pytest

from examples import demo, questions
from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.switches import PROVIDERS

CALLS = 400
_, QUESTIONS = questions.view_and_questions()


@pytest.fixture(scope="module")
def calls() -> dict[str, list[dict[str, Any]]]:
    sandbox = Sandbox(demo.sandbox_world(CALLS, 0))
    return {provider: [*sandbox.expected(provider).values()] for provider in PROVIDERS}


def test_each_question_names_all_providers() -> None:
    assert [question.text for question in QUESTIONS] == [
        "1. Was it answered?",
        "2. What became of it?",
        "3. Did two people talk?",
        "4. Who of us was on it, and how long?",
        "5. How long did they wait?",
    ]
    for question in QUESTIONS:
        assert tuple(question.providers) == PROVIDERS
        assert {text.split()[0].strip(",;") for text in question.providers.values()} <= {
            "yes",
            "only",
            "no",
        }


def test_who_tells_whether_it_was_answered(calls: dict[str, list[dict[str, Any]]]) -> None:
    ended = {
        provider: {call.get("answered") for call in of_provider if "ended_at" in call}
        for provider, of_provider in calls.items()
    }
    assert ended["intercom"] >= {True, False}
    assert ended["openphone"] >= {True, False}
    assert ended["skipcall"] == {False, None}
    assert {call.get("answered") for call in calls["amplemarket"]} == {True, False, None}


def test_who_tells_what_became_of_it(calls: dict[str, list[dict[str, Any]]]) -> None:
    finer = {"busy", "failed", "canceled"}
    words = {
        provider: {call.get("status") for call in of_provider}
        for provider, of_provider in calls.items()
    }
    assert words["amplemarket"] == {"completed", "no-answer", None}
    for provider in ("intercom", "openphone", "skipcall"):
        assert finer < words[provider]


def test_who_tells_who_answered(calls: dict[str, list[dict[str, Any]]]) -> None:
    told = {
        (provider, call.get("direction"), call.get("answered_by_type"))
        for provider, of_provider in calls.items()
        for call in of_provider
        if call.get("answered")
    }
    assert {row for row in told if row[2] is not None} == {
        ("openphone", "inbound", "human"),
        ("openphone", "inbound", "ai"),
        ("amplemarket", None, "human"),
        ("amplemarket", None, "machine"),
    }


def test_who_tells_how_long_they_talked(calls: dict[str, list[dict[str, Any]]]) -> None:
    assert {
        provider
        for provider, of_provider in calls.items()
        if any("talk_seconds" in call for call in of_provider)
    } == {"intercom", "openphone"}
    assert {
        (provider, call["duration_source"])
        for provider, of_provider in calls.items()
        for call in of_provider
        if "talk_seconds" not in call and "duration_source" in call
    } >= {("amplemarket", "provider"), ("skipcall", "computed")}


def test_who_tells_how_long_they_waited(calls: dict[str, list[dict[str, Any]]]) -> None:
    assert {
        (provider, call["answered"])
        for provider, of_provider in calls.items()
        for call in of_provider
        if "wait_seconds" in call and "ended_at" in call
    } == {
        ("intercom", True),
        ("intercom", False),
        ("openphone", True),
        ("openphone", False),
        ("skipcall", False),
    }


def test_without_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "calls.duckdb"
    assert questions.main([str(database)]) == 1
    assert capsys.readouterr() == (
        "",
        f"{database} does not hold the four tables; run `make demo` first.\n",
    )
