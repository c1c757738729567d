"""When a budget gives the whole sync up: after failures in a row, not after failures in all."""

import threading

import pytest

from calls_shared.http.budget import CallBudget


def fail(budget: CallBudget, number: int, *, at_once: bool = False) -> Exception:
    failure = RuntimeError(f"failure {number}")
    budget.failed(failure, at_once=at_once, patiently=True)
    return failure


def test_three_patient_failures_in_a_row_end_the_sync() -> None:
    budget = CallBudget()
    failures: list[Exception] = []
    known: list[Exception | None] = []
    for number in (1, 2, 3, 4):
        failures.append(fail(budget, number))
        known.append(budget.failure)
    assert known == [None, None, failures[2], failures[2]]


@pytest.mark.parametrize("before", [1, 2])
def test_one_good_answer_in_between_begins_a_new_row(before: int) -> None:
    budget = CallBudget()
    for _ in range(20):
        for number in range(before):
            fail(budget, number)
        budget.succeeded()
    assert budget.failure is None
    fail(budget, 1)
    fail(budget, 2)
    assert budget.failure is None
    assert fail(budget, 3) is budget.failure


def test_a_refusal_of_the_key_ends_the_sync_at_once() -> None:
    budget = CallBudget()
    assert budget.failure is None
    assert fail(budget, 1, at_once=True) is budget.failure


def test_the_key_has_worked_once_a_request_was_answered_well() -> None:
    budget = CallBudget()
    assert not budget.key_worked
    fail(budget, 1)
    assert not budget.key_worked
    budget.succeeded()
    fail(budget, 2)
    assert budget.key_worked


def test_failures_of_several_threads_are_all_counted() -> None:
    budget = CallBudget()
    together = threading.Barrier(3)

    def one(number: int) -> None:
        together.wait()
        fail(budget, number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.failure is not None
