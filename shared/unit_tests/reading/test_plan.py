import pytest

from calls_shared.reading.plan import MOST_REFUSALS, Plan

MESSAGE = "The plan has no such thing (HTTP {status}). It says: {says}"


def told(plan: Plan) -> str | None:
    return plan.sentence(MESSAGE, "call_transcripts", "Acme")


def test_a_plan_that_is_not_asked_for_anything_is_open() -> None:
    plan = Plan()
    assert (plan.is_closed, plan.refuses_all, plan.is_open, told(plan)) == (
        False,
        False,
        True,
        None,
    )


def test_it_refuses_all_until_something_is_answered_well() -> None:
    plan = Plan()
    plan.refused(403, "Upgrade")
    plan.refused(402, "Pay")
    assert (plan.is_closed, plan.refuses_all) == (False, True)
    assert told(plan) == "The plan has no such thing (HTTP 403). It says: Upgrade"
    plan.answered()
    assert (plan.is_closed, plan.refuses_all, plan.is_open) == (False, False, False)
    assert told(plan) == (
        "Acme refused 2 of the requests for call_transcripts (HTTP 403) and answered others: its"
        " plan includes them for some calls only. The refused ones were skipped. Acme says: Upgrade"
    )


def test_so_many_refusals_close_it_for_good() -> None:
    plan = Plan()
    for _ in range(MOST_REFUSALS - 1):
        plan.refused(402, "")
        plan.found_nothing()  # which is no answer that it would need
    assert not plan.is_closed
    plan.refused(402, "")
    assert plan.is_closed
    plan.answered()  # one that was under way
    assert (plan.is_closed, plan.refuses_all) == (True, True)
    assert told(plan) == "The plan has no such thing (HTTP 402). It says: nothing more."


def test_refusals_after_an_answer_close_nothing() -> None:
    plan = Plan()
    plan.answered()
    for _ in range(2 * MOST_REFUSALS):
        plan.refused(403, "")
    assert (plan.is_closed, plan.refuses_all) == (False, False)


@pytest.mark.parametrize(
    ("number", "is_open"), [(0, True), (MOST_REFUSALS - 1, True), (MOST_REFUSALS, False)]
)
def test_where_many_find_nothing_nothing_is_refused(number: int, is_open: bool) -> None:
    plan = Plan()
    for _ in range(number):
        plan.found_nothing()
    assert plan.is_open is is_open
    assert told(plan) is None
