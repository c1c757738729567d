"""The end of a process, tried on real processes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from airbyte_cdk.logger import PRINT_BUFFER

from calls_shared.protocol import ending

LONG_ENOUGH = 120.0
"""Seconds; what is waited for would else never come."""

BOTH = [signal.SIGINT, signal.SIGTERM]


@contextmanager
def program(statements: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs statements; its first line of stdout has been read."""
    head = "import os, signal, sys, threading, time\nfrom calls_shared.protocol import ending\n"
    code = head + textwrap.dedent(statements)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # or the process would inherit it
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("busy", "number"),
    [
        pytest.param("lock.acquire()", signal.SIGINT, id="a lock"),
        pytest.param("sys.stdout.write('x' * 10_000_000)", signal.SIGINT, id="an unread write"),
        pytest.param("exec('while True: pass')", signal.SIGTERM, id="work"),
    ],
)
def test_a_signal_ends_a_process_that_is_busy_for_ever(busy: str, number: signal.Signals) -> None:
    with program(f"""
        lock = threading.Lock()
        lock.acquire()
        with ending.ended_by_signals():
            threading.Thread(target=lock.acquire, name="one that never ends").start()
            print("begun", flush=True)
            {busy}
    """) as process:
        process.send_signal(number)
        assert process.wait(LONG_ENOUGH) == -number
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_write_that_nobody_reads_is_waited_for_no_longer_than_some_seconds() -> None:
    """Whoever writes holds the lock of the buffer, here for ever."""
    with program("""
        ending._LONGEST_WRITE = 0.5
        held = threading.Event()
        def write():
            with ending.PRINT_BUFFER.lock:
                held.set()
                threading.Event().wait()
        with ending.ended_by_signals():
            threading.Thread(target=write).start()
            held.wait()
            print("begun", flush=True)
            threading.Event().wait()
    """) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG_ENOUGH) == -signal.SIGTERM


def test_a_reader_that_reads_gets_whole_lines() -> None:
    with program("""
        ending._LONGEST_WRITE = 600.0
        with ending.ended_by_signals(), ending.PRINT_BUFFER:
            ending.PRINT_BUFFER.write("begun\\n")
            ending.PRINT_BUFFER.flush()
            while True:
                print("x" * 300_000 + "\\n", end="")
    """) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(LONG_ENOUGH) == -signal.SIGTERM
        assert len(line) == 300_001
        assert set(rest.split(b"\n")) <= {b"x" * 300_000, b""}
        assert rest.endswith(b"\n") or rest == b""


def test_the_first_process_of_a_container_ends_too() -> None:
    """There the kernel drops a signal that a process has not asked for."""
    with program("""
        os.kill = lambda *_: None
        with ending.ended_by_signals():
            print("begun", flush=True)
            threading.Event().wait()
    """) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG_ENOUGH) == 128 + signal.SIGTERM


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    with program("""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with ending.ended_by_signals():
            print("begun", flush=True)
            threading.Event().wait()
    """) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG_ENOUGH) == -signal.SIGTERM


def test_afterwards_all_is_as_before() -> None:
    handlers = [signal.getsignal(number) for number in BOTH]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    threads = set(threading.enumerate())
    with ending.ended_by_signals():
        assert set(BOTH) - {signal.SIGINT} <= signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert len(set(threading.enumerate()) - threads) == 1
    assert [signal.getsignal(number) for number in BOTH] == handlers
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
    assert set(threading.enumerate()) == threads


def test_a_thread_may_not_say_what_a_signal_does() -> None:
    done = []

    def run() -> None:
        with ending.ended_by_signals():
            done.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LONG_ENOUGH)
    assert done == [signal.pthread_sigmask(signal.SIG_BLOCK, [])]


def test_reader_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert not ending.reader_is_gone()
        os.write(writer, b"something that nobody has read yet")
        assert not ending.reader_is_gone()
        os.close(reader)
        assert ending.reader_is_gone()
        # of the process's own stdout, while the entry point has it behind a buffer
        monkeypatch.setattr(sys, "stdout", PRINT_BUFFER)
        monkeypatch.setattr(sys, "__stdout__", stdout)
        assert ending.reader_is_gone()


def test_a_stdout_that_is_no_pipe_has_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (Path(os.devnull), Path(__file__)):
        with path.open(encoding="utf-8") as file:
            monkeypatch.setattr(sys, "stdout", file)
            assert not ending.reader_is_gone()
    monkeypatch.setattr(sys, "stdout", file)  # closed by now
    assert not ending.reader_is_gone()
    monkeypatch.setattr(sys, "stdout", None)
    assert not ending.reader_is_gone()
