import threading
from types import SimpleNamespace

from calls_shared.budget import CallBudget
from calls_shared.report import SyncReport, report_of


def test_sentences() -> None:
    report = SyncReport()
    assert report.sentences() == []
    report.unreadable("started_at")
    report.note("{count} were skipped ({x}).")
    report.note("The list changed {count} times.", 3)
    report.unreadable("notes")
    report.unreadable("started_at")
    report.note("{count} were skipped ({x}).")
    expected = [
        "2 were skipped ({x}).",
        "The list changed 3 times.",
        "2 values could not be read into the column started_at; it is null there, and the values"
        " stand in provider_record.",
        "1 values could not be read into the column notes; it is null there, and the values stand"
        " in provider_record.",
    ]
    assert report.sentences() == expected
    assert report.sentences() == expected  # telling it changes nothing


def test_several_threads_count_together() -> None:
    report = SyncReport()

    def count() -> None:
        for _ in range(2000):
            report.note("{count} notes.")
            report.unreadable("notes")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes, unreadable = report.sentences()
    assert notes == "8000 notes."
    assert unreadable.startswith("8000 values could not be read into the column notes;")


def test_the_report_travels_with_the_budget() -> None:
    budget = CallBudget(10, 1.0)
    assert report_of(budget) is budget.report


def test_another_kind_of_budget_has_no_report() -> None:
    for budget in (None, object(), SimpleNamespace(report="a word")):
        report = report_of(budget)
        report.note("{count} notes.")
        assert report.sentences() == ["1 notes."]
        assert report_of(budget).sentences() == []
