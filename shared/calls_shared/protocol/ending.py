"""The end of a process that is told to end, or whose reader is gone: soon, whatever it is at."""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from airbyte_cdk.logger import PRINT_BUFFER

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LONGEST_WRITE = 5.0  # seconds for what is being written when a signal comes


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """While it lasts, SIGINT and SIGTERM end the process, in the way that the signal has it.

    A thread of its own waits for them, because the main thread may be busy for ever: with a write
    that nobody reads, or with a lock. What is being written at that moment is completed if the
    reader still reads, so that whole lines come out. A signal that is ignored stays ignored.
    """
    told = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    if threading.current_thread() is not threading.main_thread() or not told:
        yield  # only the main thread may say what a signal does
        return
    before = {number: signal.signal(number, signal.SIG_DFL) for number in told}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, told)  # of all threads that start from here on
    over = threading.Event()
    waiting = threading.Thread(target=_wait, args=(told, over), name="signals", daemon=True)
    waiting.start()
    try:
        yield
    finally:
        over.set()
        signal.pthread_kill(waiting.ident or 0, told[0])
        waiting.join()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _wait(numbers: list[signal.Signals], over: threading.Event) -> None:
    number = signal.sigwait(numbers)
    if over.is_set():
        return
    PRINT_BUFFER.lock.acquire(timeout=_LONGEST_WRITE)  # held by whoever writes
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # the first process of a container has to end by itself


def end_unread() -> None:
    """End the process at once with exit status 1, because nobody reads what it writes.

    Neither is a thread waited for, nor is what could not be written tried once more.
    """
    os._exit(1)


def reader_is_gone() -> bool:
    """Whether stdout is a pipe whose other end has been closed; seen without a write."""
    stdout = sys.__stdout__ if sys.stdout is PRINT_BUFFER else sys.stdout
    try:
        number = stdout.fileno() if stdout is not None else None
    except (OSError, ValueError):
        return False  # a write will tell
    if number is None:
        return False
    poll = select.poll()
    poll.register(number, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
