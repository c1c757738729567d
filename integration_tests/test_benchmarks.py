"""The benchmark: its programs do the same work, and its arithmetic is right."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import hourly, incremental, measure, profile, programs, rates, report, timing
from benchmarks.__main__ import options_of
from benchmarks.hourly import Hourly
from benchmarks.incremental import Requests
from benchmarks.memory import Memory
from benchmarks.profile import Profile
from benchmarks.rates import Rate
from benchmarks.results import Results
from benchmarks.sandbox import NOW, RunningSandbox, refusals
from benchmarks.startup import Startup
from benchmarks.timing import Row
from integration_tests.commands import PROVIDERS, ROOT
from integration_tests.sandbox import Sandbox, Switches, World

needs_peers = pytest.mark.skipif(
    not programs.peers_installed(),
    reason="the peers' environment .venv-bench does not exist; `make bench` makes it",
)


@needs_peers
def test_all_programs_give_the_ids_of_the_truth(tmp_path: Path) -> None:
    with Sandbox(World(calls=150), Switches(enforce_limits=False)) as sandbox:

        def wrong_ids(provider: str, program: str) -> tuple[str, str, int, frozenset[str]]:
            folder = tmp_path / provider / program
            folder.mkdir(parents=True)
            command = programs.command_of(program, provider, sandbox.url, folder)
            usage = measure.run(command.words, folder / "output", command.environment, 100.0)
            ids = timing.ids_in(folder / "output")
            return provider, program, usage.exit_status, ids ^ truth[provider]

        truth = {name: frozenset(sandbox.expected(name)) for name in PROVIDERS}
        # Intercom is read like Skipcall, and each run checks the ids of all four again
        pairs = [(name, "bare") for name in PROVIDERS]
        paged = ("openphone", "amplemarket", "skipcall")
        pairs += [(name, peer) for name in paged for peer in ("singer", "dlt")]
        pairs += [("openphone", "ours")]
        with ThreadPoolExecutor(max_workers=3) as pool:
            found = list(pool.map(lambda pair: wrong_ids(*pair), pairs))
    assert found == [(*pair, 0, frozenset()) for pair in pairs]


@needs_peers
def test_the_plot_is_drawn(tmp_path: Path) -> None:
    results = Results(timing=CASE, memory=[Memory("ours", 10, 10, 1.0, True)])
    results.write(tmp_path / "results.json")
    done = subprocess.run(
        [
            *(programs.PEERS_PYTHON, "-m", "benchmarks.plot"),
            *(tmp_path / "results.json", tmp_path / "plot.png"),
        ],
        cwd=ROOT,
        env={**os.environ, "MPLCONFIGDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("provider", hourly.LISTS)
def test_the_calls_of_an_hour_and_of_the_week_before(provider: str) -> None:
    now = datetime.fromisoformat(NOW).replace(tzinfo=UTC)
    with Sandbox(World(calls=2_000, now=now), Switches(enforce_limits=False)) as sandbox:
        running = RunningSandbox(sandbox.url)
        before = set(sandbox.expected(provider))
        running.advance(hours=1, new=hourly.NEW, changed=0, deleted=0, late=0)
        new, count = hourly.since_last_week(provider, running)
        calls = sandbox.expected(provider)
        week = f"{now - hourly.LOOKBACK:%Y-%m-%dT%H:%M:%S}"
        assert new == calls.keys() - before
        assert count == sum(call["created_at"] >= week for call in calls.values())


def test_each_program_is_told_where_to_begin(tmp_path: Path) -> None:
    state = {"type": "STREAM"}
    commands = {
        program: hourly.command_of(program, "skipcall", "http://127.0.0.1:1", tmp_path, state)
        for program in hourly.PROGRAMS
    }
    since = "createdAt=2025-09-24T12:00:00.000Z"
    assert commands["dlt"].words[-2:] == ("--since", since)
    assert commands["dlt, told the order"].words[-3:] == ("--since", since, "--newest-first")
    assert commands["singer"].words[-1:] == (since,)
    assert commands["ours"].words[-2] == "--state"
    assert json.loads(Path(commands["ours"].words[-1]).read_text()) == [state]


class TestMeasure:
    def test_tells_time_memory_and_exit_status(self, tmp_path: Path) -> None:
        program = "import sys; b = b'x' * 60_000_000; print(len(b)); sys.exit(3)"
        usage = measure.run([sys.executable, "-c", program], tmp_path / "output")
        assert usage.exit_status == 3
        assert 60_000_000 < usage.peak_bytes < 120_000_000
        assert usage.seconds > 0.0
        assert usage.cpu_seconds > 0.0
        assert (tmp_path / "output").read_text() == "60000000\n"

    def test_own_memory_does_not_count(self, tmp_path: Path) -> None:
        large = bytearray(os.urandom(1) * 200_000_000)
        usage = measure.run([sys.executable, "-c", "pass"], tmp_path / "output")
        assert usage.peak_bytes < len(large) / 2

    def test_ends_a_command_that_takes_too_long(self, tmp_path: Path) -> None:
        program = "import time; time.sleep(86400)"
        usage = measure.run([sys.executable, "-c", program], tmp_path / "output", timeout=0.3)
        assert usage.exit_status == -9
        assert usage.seconds < 600.0

    def test_environment_is_added_and_proxies_are_taken_away(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        program = "import os, sys; print(os.environ.get('http_proxy'), os.environ['SOME'])"
        program += "; print('to stderr', file=sys.stderr)"
        output = tmp_path / "output"
        measure.run([sys.executable, "-c", program], output, {"SOME": "thing"})
        assert output.read_text() == "None thing\n"
        assert measure.errors_of(output).read_text() == "to stderr\n"


def row(program: str, seconds: float, latency_ms: int = 100, missing: int = 0, **more: Any) -> Row:
    fields = {
        "kind": "page numbers",
        "provider": "intercom",
        "calls": 1000,
        "cpu_seconds": 1.0,
        "peak_bytes": 1,
        "requests": 40,
        "refused": 0,
        "exit_status": 0,
        "unknown": 0,
    }
    fields |= {
        "program": program,
        "seconds": seconds,
        "latency_ms": latency_ms,
        "missing": missing,
    }
    return Row(**{**fields, **more})


CASE = [row("dlt", 18.0), row("singer", 14.0), row("ours", 2.0)]


class TestRows:
    def test_the_median_is_a_row_as_measured(self) -> None:
        rows = [row("ours", 3.0), row("ours", 1.0), row("ours", 2.0)]
        assert timing.median(rows) is rows[2]

    def test_one_invalid_repeat_makes_the_row_invalid(self) -> None:
        rows = [row("ours", 3.0), row("ours", 1.0, missing=1), row("ours", 2.0)]
        assert not timing.median(rows).is_valid

    @pytest.mark.parametrize("fault", [{"exit_status": 1}, {"missing": 1}, {"unknown": 1}])
    def test_only_the_whole_work_is_valid(self, fault: dict[str, int]) -> None:
        assert not row("dlt", 1.0, **fault).is_valid

    @pytest.mark.parametrize(
        "line",
        [
            {"id": "a", "type": "call"},
            {"id": "a", "type": "outbound", "stream": "no message"},
            {"type": "RECORD", "stream": "calls", "record": {"id": "a"}},
            {"type": "RECORD", "record": {"stream": "calls", "data": {"id": "a"}}},
        ],
    )
    def test_ids_are_found_in_any_output(self, line: dict[str, Any], tmp_path: Path) -> None:
        others = [
            {"type": "SCHEMA", "stream": "calls", "schema": {}},
            {"type": "RECORD", "stream": "conversations", "record": {"id": "b"}},
            {"type": "RECORD", "record": {"stream": "phone_numbers", "data": {"id": "b"}}},
            {"type": "LOG", "log": {"message": "id"}},
        ]
        output = tmp_path / "output"
        output.write_text("".join(json.dumps(one) + "\n" for one in [*others, line]))
        assert timing.ids_in(output) == {"a"}

    def test_a_half_line_ends_the_ids(self, tmp_path: Path) -> None:
        (tmp_path / "output").write_text('{"id": "a"}\n{"id": "b')
        assert timing.ids_in(tmp_path / "output") == {"a"}

    def test_the_last_state_is_found(self, tmp_path: Path) -> None:
        states = [{"type": "STATE", "state": {"stream": {"at": at}}} for at in (1, 2)]
        (tmp_path / "output").write_text(
            "".join(json.dumps(state, separators=(",", ":")) + "\n" for state in states)
        )
        assert programs.last_state(tmp_path / "output") == {"type": "STREAM", "stream": {"at": 2}}

    def test_refusals_are_counted(self) -> None:
        counts = {"intercom": {"/calls": {"200": 3, "429": 2}}, "openphone": {"/x": {"429": 1}}}
        assert refusals({"counts": counts}) == 3


class TestRates:
    def test_a_burst_counts_with_the_wait_that_ends_it(self) -> None:
        bursts = [10.0 * window + 0.01 * one for window in range(3) for one in range(100)]
        assert rates.achieved([*bursts, 30.0], 100) == pytest.approx(10.0)

    def test_requests_after_the_last_whole_window_do_not_count(self) -> None:
        assert rates.achieved([0.0, 0.5, 1.0, 9.0], 2) == pytest.approx(2.0)

    def test_less_than_a_window_has_no_rate(self) -> None:
        assert rates.achieved([0.0, 0.1], 2) == 0.0


class TestLeastRequests:
    def test_page_numbers_cost_one_pass(self) -> None:
        assert incremental.least("intercom", [{"id": str(n)} for n in range(51)], [], 7) == (3,) * 3

    def test_links_cost_the_lookback_and_two_pages(self) -> None:
        days = [f"2025-09-{day:02}T00:00:00.000Z" for day in range(1, 31)]
        calls = [{"created_at": day} for day in days for _ in range(50)]
        assert incremental.least("amplemarket", calls, [], 7) == (15, 4, 6)

    def test_fan_out_costs_each_user_of_each_active_conversation(self) -> None:
        old, new = "2025-01-01T00:00:00Z", "2025-01-08T00:00:00Z"
        conversations = [
            {"id": name, "phoneNumberId": number, "users": users, "updatedAt": at}
            for name, number, users, at in [
                ("c1", "n1", ["u1", "u2"], new),
                ("c2", "n1", ["u1", "u2"], old),
                ("c3", "n2", [], new),
            ]
        ]
        conversations = [{**one, "lastActivityAt": old} for one in conversations]
        calls = [{"conversation_id": "c1", "user_id": "u1"}] * 101
        calls += [{"conversation_id": "c3", "user_id": "u9"}] * 201
        least_full = 2 + (2 + 1) + (1 + 1) + 3
        least_empty = 2 + (2 + 1) + 3
        promised = 3 + (2 + 2 + 1) + 3
        found = incremental.least("openphone", calls, conversations, 1)
        assert found == (least_full, least_empty, promised)


class TestProfile:
    def test_own_time_is_grouped_by_package(self) -> None:
        package = "/lib/site-packages"
        times: profile.OwnTimes = [
            (compile("", f"{package}/airbyte_cdk/entrypoint.py", "exec"), 1.0),
            (compile("", f"{package}/urllib3/pool.py", "exec"), 2.0),
            (compile("", "/anywhere/calls_shared/normalization/converters.py", "exec"), 3.0),
            (compile("", "/anywhere/calls_shared/http/budget.py", "exec"), 2.0),
            ("orjson", 1.0),
            (profile.OTHER, 1.0),
        ]
        assert profile.shares_of(times) == {
            profile.MAPPING: 0.3,
            "HTTP": 0.2,
            "calls_shared, the rest": 0.2,
            "airbyte_cdk": 0.1,
            "JSON": 0.1,
            profile.OTHER: 0.1,
        }
        assert profile.cdk_lines_of(times) == {"entrypoint.py:1 <module>": 0.1}

    def test_a_timer_adds_up_what_its_functions_take(self) -> None:
        timer = profile.Timer()
        work = timer.around(lambda count: sum(range(count)))
        assert work(1_000_000) == 499_999_500_000
        assert 0.001 < timer.seconds < 600.0


class TestReport:
    def test_a_ratio_is_the_time_divided_by_ours(self) -> None:
        assert report.ratio(CASE, "dlt") == 9.0
        assert "| 1.00 (2.0 s) | 9.00 (18.0 s) |" in report.markdown(Results(timing=CASE))

    def test_an_invalid_program_has_no_ratio(self) -> None:
        case = [row("dlt", 18.0, missing=3), row("singer", 4.0, exit_status=1), row("ours", 2.0)]
        text = report.markdown(Results(timing=case))
        assert report.ratio(case, "dlt") is None
        assert "wrong ids" in text
        assert "failed after 4.0 s" in text

    def test_nothing_is_compared_with_an_invalid_run_of_ours(self) -> None:
        case = [row("dlt", 18.0), row("ours", 2.0, missing=1)]
        assert report.ratio(case, "dlt") is None
        assert "18.0 s" in report.times(case)

    def test_each_promise_is_told_with_its_figure(self) -> None:
        text = report.promises(whole())
        assert "| intercom, 100 ms: at least 8 times faster than dlt | 9.0 times | yes |" in text
        assert (
            "| intercom, 100 ms: at least 8 times faster than Singer tap | 7.0 times | NO |" in text
        )
        assert "| intercom, 0 ms: no slower than dlt | 0.50 times as fast | no, see" in text
        assert "50 ms: 90 % of the possible rate, none refused | 95.0%, 0 refused | yes |" in text
        assert "| amplemarket: nothing new costs at most 3 requests | 2 | yes |" in text
        hour = "intercom, 900 calls: an hourly sync costs at most 11 requests"
        assert f"| {hour} | 12 | NO |" in text
        assert "| memory at 1,000 calls at most 1.3 times that at 10 | 1.40 times | NO |" in text
        assert "below 15 % of a read of 200 calls | 14.0% | yes |" in text

    def test_an_hour_is_told_by_program(self) -> None:
        text = report.hourly(whole())
        assert "| connector | calls | ours | dlt |" in text
        assert "| intercom | 900 | 12 (1.5 s) | calls are missing |" in text

    def test_a_quick_run_promises_nothing_about_time(self) -> None:
        results = whole()
        results.is_quick = True
        assert "times faster" not in report.promises(results)

    def test_a_part_that_failed_is_told(self) -> None:
        assert "- memory: out of luck" in report.markdown(
            Results(failures={"memory": "out of luck"})
        )

    def test_results_come_back_from_their_file(self, tmp_path: Path) -> None:
        whole().write(tmp_path / "results.json")
        assert Results.read(tmp_path / "results.json") == whole()


def whole() -> Results:
    """Results with every part."""
    fast = [row("dlt", 1.0, 0), row("ours", 2.0, 0)]
    return Results(
        machine={"Processor": "a good one"},
        timing=[*CASE, *fast],
        rates=[Rate("openphone", 50, 10, 1.0, 32, 10.0, 9.5, 100, 0, 10.0, 0)],
        requests=[Requests("amplemarket", 6, 6, 2, 1, 3, True)],
        hourly=[
            Hourly("intercom", 900, "ours", 12, 11, 1.5, True),
            Hourly("intercom", 900, "dlt", 36, 11, 2.0, False),
        ],
        memory=[
            Memory("ours", 1000, 140, 1.0, True),
            Memory("ours", 10, 100, 1.0, True),
            Memory("dlt", 10, 80, 1.0, True),
        ],
        startup=[Startup("spec", 1.5, 100)],
        profile=[Profile("intercom", 200, 0.5, 1.5, 0.28, {"HTTP": 1.0}, {"a.py:1 f": 0.1})],
    )


class TestOptions:
    def test_a_whole_run_replaces_the_table(self) -> None:
        assert options_of([]).folder == ROOT / "benchmarks"

    @pytest.mark.parametrize("arguments", [["--quick"], ["--only", "rates"], ["--sizes", "10,20"]])
    def test_any_other_run_leaves_it_alone(self, arguments: list[str]) -> None:
        assert options_of(arguments).folder == ROOT / ".bench"

    def test_sizes_are_numbers_by_commas(self) -> None:
        assert options_of(["--sizes", "10,20"]).sizes == (10, 20)
