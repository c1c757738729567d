"""Chains that are read at once: what comes out, in which order, and what a failure leaves."""

from collections.abc import Callable, Generator
from threading import Barrier, Event, current_thread

import pytest

from calls_shared.reading.side_by_side import Step, side_by_side


def chain(*items: str, then: Exception | None = None) -> Callable[[], Generator[str, None, None]]:
    def read() -> Generator[str, None, None]:
        yield from items
        if then is not None:
            raise then

    return read


def test_each_item_and_each_end_once() -> None:
    steps = [*side_by_side([chain("a", "b"), chain(), chain("c")], lambda: 2)]
    assert sorted(step.item for step in steps if step.item) == ["a", "b", "c"]
    assert sorted(step.chain for step in steps if step.item is None) == [0, 1, 2]
    assert [step.item for step in steps if step.chain == 0] == ["a", "b", None]


def test_chains_are_read_at_once() -> None:
    together = Barrier(3, timeout=10)

    def read() -> Generator[str, None, None]:
        together.wait()  # breaks unless three are there
        yield current_thread().name

    steps = [*side_by_side([read, read, read], lambda: 3)]
    assert len({step.item for step in steps if step.item}) == 3


def test_no_more_are_begun_than_may_be_read_at_once_and_in_their_order() -> None:
    begun: list[int] = []

    def numbered(number: int) -> Callable[[], Generator[str, None, None]]:
        def read() -> Generator[str, None, None]:
            begun.append(number)
            yield str(number)

        return read

    steps = side_by_side([numbered(n) for n in range(4)], lambda: 1)
    assert next(steps) == Step(0, "0")
    assert begun == [0]
    assert [step.chain for step in steps if step.item is not None] == [1, 2, 3]
    assert begun == [0, 1, 2, 3]


def test_a_failure_is_raised_once_those_before_it_were_read() -> None:
    failed = Event()

    def slow() -> Generator[str, None, None]:
        yield "first"
        assert failed.wait(10)
        yield "second"

    def fails() -> Generator[str, None, None]:
        failed.set()
        yield from ()
        raise ValueError("no answer")

    begun: list[str] = []

    def never() -> Generator[str, None, None]:
        begun.append("never")
        yield "never"

    steps: list[Step[str]] = []
    with pytest.raises(ValueError, match="no answer"):
        steps.extend(side_by_side([slow, fails, never], lambda: 2))
    assert [step.item for step in steps if step.chain == 0] == ["first", "second", None]
    assert {step.chain for step in steps} == {0}
    assert begun == []


def test_the_first_failure_in_order_is_the_one_that_is_told() -> None:
    late = Event()

    def fails_late() -> Generator[str, None, None]:
        assert late.wait(10)
        yield from ()
        raise ValueError("the first")

    def fails_at_once() -> Generator[str, None, None]:
        yield from ()
        late.set()
        raise ValueError("the second")

    with pytest.raises(ValueError, match="the first"):
        [*side_by_side([fails_late, fails_at_once], lambda: 2)]


def test_what_is_not_wanted_any_more_is_not_read_on() -> None:
    read = []

    def endless() -> Generator[int, None, None]:
        number = 0
        while True:
            read.append(number)
            yield number
            number += 1

    steps = side_by_side([endless], lambda: 1)
    next(steps)
    steps.close()
    assert len(read) < 200  # those that wait for their taker, and no more
