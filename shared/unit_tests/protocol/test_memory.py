import ctypes
import gc
import platform
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from calls_shared.protocol import memory

MANY_HEAPS = """
import ctypes, sys, threading
from calls_shared.protocol.memory import keep_memory_steady
if sys.argv[1] == "steady":
    keep_memory_steady()
together = threading.Barrier(6)
def work():
    together.wait()
    blocks = [bytes(20_000) for _ in range(200)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.fixture(autouse=True)
def _garbage_collection_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def heaps(how: str) -> int:
    """How many heaps glibc's own statistics name."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_HEAPS, how], capture_output=True, text=True, check=True
    )
    return done.stderr.count("Arena ")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has several heaps")
def test_threads_share_one_heap() -> None:
    assert heaps("steady") == 1
    assert heaps("as it is") > 1


def test_what_was_loaded_is_left_out_of_garbage_collection() -> None:
    memory.keep_memory_steady()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold() == (10_000, 50, 100)


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(name: Any) -> Any:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", without)
    memory.keep_memory_steady()
    assert gc.get_threshold() == (10_000, 50, 100)
