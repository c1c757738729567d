import threading

import pytest

from calls_shared.protocol.bounded import within


def test_the_result_of_an_action_in_time() -> None:
    assert within(200, lambda: "result") == "result"


def test_what_the_action_raises() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match=r"^no$"):
        within(200, fail)


def test_an_action_that_never_ends_is_left_to_its_thread() -> None:
    let_go = threading.Event()
    assert within(0.05, let_go.wait) is None
    let_go.set()
