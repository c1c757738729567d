"""`python -m benchmarks.profile`: where the CPU time of a read goes, without a sampler.

Two reads at zero latency, in this process, without the rate budget:

1. Of many calls, with a timer around normalization, error mapping and inventory alone: their share
   of the process's CPU time. Parsing an answer's JSON is done before the timer starts, and the
   timer's own time (measured around a function that does nothing) is taken off both.
2. Of fewer calls, with Python's profile hook in every thread, from the first record on: each
   function's own CPU time with that of the standard library below it, by package, and the dearest
   lines of the CDK. The hook's own time is left out.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import calls_shared
from benchmarks import programs
from benchmarks.sandbox import sandbox
from benchmarks.unthrottled import source_of, without_budget
from calls_shared import CallsSource
from calls_shared.error_mapping.body import parsed
from calls_shared.error_mapping.judge import Judge
from calls_shared.normalization.normalization import CallNormalization
from calls_shared.reading.convergence import Convergence

MAPPING = "normalization, error mapping and inventory"
MAPPING_FILES = tuple(
    f"{name}.py"
    for name in (
        *("errors", "envelope", "judge"),
        *("convergence", "one_reading", "list_tally", "inventory", "list_order", "seen"),
    )
)
MAPPING_FUNCTIONS = ("check", "_what_it_is")
GROUPS = (
    ("/calls_shared/", "calls_shared, the rest"),
    ("/serpyco_rs/", "serpyco (the CDK's messages to dicts)"),
    ("/airbyte_cdk/", "airbyte_cdk"),
    ("/requests/", "HTTP"),
    ("/urllib3/", "HTTP"),
    ("/http/client.py", "HTTP"),
)
"""Part of a file's path, and the group of its functions; the first that fits.

The time of any other function belongs to the function that called it.
"""
BUILTIN_GROUPS = {"orjson": "JSON"}
OTHER = "threads, start and end"
LINES = 12
OwnTimes = list[tuple[CodeType | str, float]]


@dataclass(frozen=True)
class Profile:
    """Where the time of a read goes.

    `start_seconds` (loading the connector and the CDK), `read_seconds` (all that follows) and
    `mapping_seconds` are CPU time of a read of `calls` calls; `shares` by group and `cdk_lines` are
    of the read with the hook.
    """

    provider: str
    calls: int
    start_seconds: float
    read_seconds: float
    mapping_seconds: float
    shares: dict[str, float]
    cdk_lines: dict[str, float]

    @property
    def command_share(self) -> float:
        """The share of normalization, error mapping and inventory in the whole command."""
        return self.mapping_seconds / (self.start_seconds + self.read_seconds)

    @property
    def read_share(self) -> float:
        """The same without the time that loading takes."""
        return self.mapping_seconds / self.read_seconds


class Timer:
    """CPU time spent in some functions, over all threads."""

    def __init__(self) -> None:
        self._of_threads: dict[int, float] = defaultdict(float)
        self._counts: dict[int, int] = defaultdict(int)

    @property
    def seconds(self) -> float:
        """The time so far."""
        return sum(self._of_threads.values())

    @property
    def count(self) -> int:
        """How often a timed function was called."""
        return sum(self._counts.values())

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with its time counted; time in a function that it calls counts once."""

        def timed(*arguments: Any, **named: Any) -> Any:
            begin = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                thread = threading.get_ident()
                self._counts[thread] += 1
                self._of_threads[thread] += time.thread_time() - begin

        return timed


def own_times_of_timer(count: int = 100_000) -> tuple[float, float]:
    """Seconds that one timing adds: to the timer, and to the process."""
    timer = Timer()
    nothing = timer.around(lambda: None)
    begin = time.process_time()
    for _ in range(count):
        nothing()
    return timer.seconds / count, (time.process_time() - begin) / count


@contextmanager
def timed_mapping() -> Iterator[Timer]:
    """Count the time of normalization, of judging answers and of the inventory."""
    timer = Timer()
    transform, resolve = CallNormalization.transform, Judge.resolve
    call = Convergence.call
    timed_resolve = timer.around(resolve)

    def judge_parsed(judge: Any, response: Any, *others: Any, **named: Any) -> Any:
        if response is not None:
            parsed(response)  # kept with the response: JSON is no part of the mapping
        return timed_resolve(judge, response, *others, **named)

    CallNormalization.transform = timer.around(transform)  # type: ignore[method-assign]
    Convergence.call = timer.around(call)  # type: ignore[method-assign]
    Judge.resolve = judge_parsed  # type: ignore[assignment, method-assign]
    try:
        yield timer
    finally:
        CallNormalization.transform = transform  # type: ignore[method-assign]
        Convergence.call = call  # type: ignore[method-assign]
        Judge.resolve = resolve  # type: ignore[method-assign]


class Hook:
    """Python's profile hook in every thread: the own CPU time of each function."""

    def __init__(self) -> None:
        self._of_threads: list[dict[int | str, float]] = []
        self._codes: dict[int, CodeType | None] = {}
        self._alive: list[CodeType] = []

    def forget(self) -> None:
        """Begin from nought."""
        for times in self._of_threads:
            times.clear()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch this thread, and those that start meanwhile."""
        threading.setprofile(self._first_event)
        sys.setprofile(self._of_this_thread())
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def own_times(self) -> OwnTimes:
        """Seconds by code object, or by module for the builtins that are a group of their own."""
        total: dict[int | str, float] = defaultdict(float)
        for times in self._of_threads:
            for key, seconds in times.items():
                total[key] += seconds
        codes = {key: code for key, code in self._codes.items() if code is not None}
        return [
            (key if isinstance(key, str) else codes[key], seconds) for key, seconds in total.items()
        ]

    def _first_event(self, frame: FrameType, event: str, argument: Any) -> None:
        watch = self._of_this_thread()
        sys.setprofile(watch)
        watch(frame, event, argument)

    def _of_this_thread(self) -> Callable[[FrameType, str, Any], None]:
        clock = time.thread_time
        times: dict[int | str, float] = defaultdict(float)
        self._of_threads.append(times)
        stack: list[int | str] = [OTHER]
        # by identity: code objects are slow to hash, and equal ones can come from two files
        builtins, codes = BUILTIN_GROUPS, self._codes
        last = clock()

        def watch(frame: FrameType, event: str, argument: Any) -> None:
            nonlocal last
            times[stack[-1]] += clock() - last
            if event == "call":
                code = frame.f_code
                key = id(code)
                if key not in codes:
                    codes[key] = code if group_of(code) != OTHER else None
                    self._alive.append(code)
                stack.append(stack[-1] if codes[key] is None else key)
            elif event == "c_call":
                stack.append(argument.__module__ if argument.__module__ in builtins else stack[-1])
            elif len(stack) > 1:
                stack.pop()
            last = clock()

        return watch


def group_of(key: CodeType | str) -> str:
    """The group that a function's own time belongs to."""
    if isinstance(key, str):
        return BUILTIN_GROUPS.get(key, OTHER)
    path = Path(key.co_filename)
    is_mapping = path.parent.name == "normalization" or path.name in MAPPING_FILES
    if "calls_shared" in path.parts and (is_mapping or key.co_name in MAPPING_FUNCTIONS):
        return MAPPING
    full = path.as_posix()
    return next((group for part, group in GROUPS if part in full), OTHER)


def shares_of(times: OwnTimes) -> dict[str, float]:
    """The share of each group, the largest first."""
    found: dict[str, float] = defaultdict(float)
    for key, seconds in times:
        found[group_of(key)] += seconds
    total = sum(found.values()) or 1.0
    return {group: seconds / total for group, seconds in largest(found)}


def largest(found: Mapping[str, float]) -> list[tuple[str, float]]:
    """The entries, the largest first."""
    return sorted(found.items(), key=lambda entry: -entry[1])


def cdk_lines_of(times: OwnTimes) -> dict[str, float]:
    """The share of the dearest functions of the CDK, by file, line and name."""
    total = sum(seconds for _, seconds in times) or 1.0
    found = {
        f"{place_of(key)} {key.co_qualname}": seconds / total
        for key, seconds in times
        if isinstance(key, CodeType) and group_of(key) == "airbyte_cdk"
    }
    return dict(largest(found)[:LINES])


def place_of(code: CodeType) -> str:
    """File and line of a function, below its package's folder."""
    _, _, below = Path(code.co_filename).as_posix().rpartition("/airbyte_cdk/")
    return f"{below}:{code.co_firstlineno}"


def read(provider: str, calls: int) -> float:
    """Read all calls of a provider in this process; the CPU seconds."""
    with tempfile.TemporaryDirectory() as name, sandbox(calls) as running:
        folder = Path(name)
        running.get(provider, "/v1/calls?page=1" if provider == "skipcall" else "/calls?page=1")
        command = programs.command_of("ours", provider, running.url, folder)
        os.environ |= command.environment | {"NO_PROXY": "127.0.0.1"}
        begin = time.process_time()
        run_to_end(source_of(provider), command.words[1:])
        return time.process_time() - begin


def run_to_end(source: CallsSource, arguments: Sequence[str]) -> None:
    """Run a connector's command, which ends the process, without ending it."""
    try:
        calls_shared.run(source, list(arguments))
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"the connector ended with exit status {end.code}") from end


def profile(provider: str, calls: int, hooked_calls: int) -> Profile:
    """Profile a provider's read."""
    with timed_mapping() as timer:
        seconds = read(provider, calls)
    in_timer, in_process = own_times_of_timer()
    mapping = timer.seconds - timer.count * in_timer
    seconds -= timer.count * in_process
    times = hooked_times(provider, hooked_calls)
    start = start_seconds(provider)
    shares, lines = shares_of(times), cdk_lines_of(times)
    return Profile(provider, calls, start, seconds, mapping, shares, lines)


def start_seconds(provider: str) -> float:
    """CPU seconds to load a connector."""
    python = str(programs.OURS / "python")
    before = os.times()
    subprocess.run([python, "-c", f"import source_{provider}_calls"], check=True)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def hooked_times(provider: str, calls: int) -> OwnTimes:
    """The own CPU times of a read, from its first record on."""
    hook, transform = Hook(), CallNormalization.transform

    def first(*arguments: Any, **named: Any) -> None:
        CallNormalization.transform = transform  # type: ignore[method-assign]
        hook.forget()
        transform(*arguments, **named)

    CallNormalization.transform = first  # type: ignore[method-assign]
    with hook.running():
        read(provider, calls)
    return hook.own_times()


def text_of(result: Profile) -> str:
    """The profile for a reader."""
    lines = [
        f"{result.provider}, {result.calls:,} calls: {result.start_seconds:.1f} s of CPU to start,"
        f" {result.read_seconds:.1f} s to read; {MAPPING} {result.command_share:.1%}"
        f" ({result.read_share:.1%} without the start)"
    ]
    lines += [f"  {share:6.1%}  {group}" for group, share in result.shares.items()]
    lines += ["  The dearest lines of the CDK:"]
    lines += [f"  {share:6.1%}  {line}" for line, share in result.cdk_lines.items()]
    return "\n".join(lines)


def main() -> None:
    """Profile one provider; the messages go nowhere, the profile to stdout."""
    parser = ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--provider", choices=["intercom", "skipcall"], default="intercom")
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--hooked-calls", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    options = parser.parse_args()
    with os.fdopen(os.dup(1), "w") as terminal:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a file descriptor is wanted
            os.dup2(nowhere.fileno(), 1)
        without_budget()
        result = profile(options.provider, options.calls, options.hooked_calls)
        print(json.dumps(asdict(result)) if options.json else text_of(result), file=terminal)


if __name__ == "__main__":
    main()
