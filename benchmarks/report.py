"""The table: all results of a run as Markdown."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from benchmarks.profile import MAPPING
from benchmarks.results import Results
from benchmarks.timing import Row

COLUMNS = ("ours", "dlt", "dlt parallelized", "singer", "bare")
HEADS = {"singer": "Singer tap", "bare": "bare loop"}
QUICK = "\nA quick run: start-up outweighs the reading, so its ratios of time say little.\n"
NOTES = """\
How to read it. Each figure is a program's time divided by ours in the same row: above 1 we are
faster. Every program reads the same world over HTTP from the sandbox on this machine and writes
each call as a JSON line to a file; start-up is included. The ids in every output are compared with
the sandbox's truth; a program that did not give exactly those has no ratio.

- *ours*: the connector's own command with its defaults. It also normalizes every call into the
  shared columns, proves the pass and keeps state; the others write the provider's record as it
  comes.
- *dlt*: `rest_api_source` with the paginators `page_number`, `json_link` and `cursor`, and
  dependent resources for the fan-out; the resource is iterated and written with dlt's own JSON,
  which is less work than any of its destinations. *parallelized*: with that option on the dependent
  resource.
- *Singer tap*: Meltano's SDK, `RESTStream` with `PageNumberPaginator`, `BaseHATEOASPaginator`,
  `JSONPathPaginator`, and parent and child streams for the fan-out.
- *bare loop*: `requests` and `orjson`, nothing else: the limit of what one connection can do.
- Page numbers and links: no rate limit is enforced. Fan-out: OpenPhone's 10 requests a second are.
  There the peers ask once for each user of each conversation, which is the least; ours also asks
  once without a user, because the provider's pages contradict each other on what that means.
"""
RATES = """\
*Possible* is the smaller of the provider's rate and what its requests *at once* can do at that
latency. Limits are counted over whole windows, from the first request to the one that begins the
next window: a burst that begins a window counts with the wait that ends it. Where the latency is
what bounds, it is all requests from the first to the last, and so the start with few counts too.
"""


def markdown(results: Results) -> str:
    """The whole table."""
    parts = [
        f"# Benchmark\n{QUICK if results.is_quick else ''}",
        "".join(f"- {name}: {value}\n" for name, value in results.machine.items()),
        promises(results),
        times(results.timing),
        refusals(results.timing),
        rates(results),
        requests(results),
        hourly(results),
        versions(results),
        memory(results),
        startup(results),
        profile(results),
        failures(results),
    ]
    return "\n".join(part for part in parts if part)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cases_of(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each case, in order."""
    by_case = groupby(rows, key=lambda row: (row.kind, row.provider, row.calls, row.latency_ms))
    return [list(group) for _, group in by_case]


def ratio(case: Sequence[Row], program: str) -> float | None:
    """A program's time divided by ours; None if one of them did not do the whole work."""
    known = {row.program: row for row in case if row.is_valid}
    if program not in known or "ours" not in known:
        return None
    return known[program].seconds / known["ours"].seconds


def times(rows: Sequence[Row]) -> str:
    """The table of ratios."""
    if not rows:
        return ""
    lines = []
    for case in cases_of(rows):
        first = case[0]
        cells = [f"{first.kind}: {first.provider}", f"{first.calls:,}", f"{first.latency_ms} ms"]
        lines.append(cells + [cell(case, program) for program in COLUMNS])
    head = ["case", "calls", "latency", *(HEADS.get(name, name) for name in COLUMNS)]
    return f"## Time, as a multiple of ours\n\n{table(head, lines)}\n{NOTES}"


def cell(case: Sequence[Row], program: str) -> str:
    """A program's ratio with its seconds, or why there is none."""
    known = {row.program: row for row in case}
    if program not in known:
        return ""
    row = known[program]
    if not row.is_valid:
        return f"failed after {row.seconds:.1f} s" if row.exit_status else "wrong ids"
    found = ratio(case, program)
    return f"{row.seconds:.1f} s" if found is None else f"{found:.2f} ({row.seconds:.1f} s)"


def refusals(rows: Sequence[Row]) -> str:
    """What happens to each program where the limit is enforced."""
    limited = [row for row in rows if row.kind == "fan-out"]
    lines = [
        [
            HEADS.get(row.program, row.program),
            f"{row.latency_ms} ms",
            f"{row.requests}",
            f"{row.refused}",
            f"{(row.requests - row.refused) / row.seconds:.1f}",
            "all calls" if row.is_valid else f"{row.missing} calls missing",
        ]
        for row in limited
    ]
    head = ["program", "latency", "requests", "refused", "answered/s", "result"]
    title = "## Fan-out under OpenPhone's limit of 10 requests a second"
    return f"{title}\n\n{table(head, lines)}" if lines else ""


def rates(results: Results) -> str:
    """The achieved rates of ours."""
    lines = [
        [
            row.provider,
            f"{row.latency_ms} ms",
            f"{row.limit} requests in {row.window_seconds:g} s",
            f"{row.at_once}",
            f"{row.possible:.2f}/s",
            f"{row.achieved:.2f}/s",
            f"{row.share:.1%}",
            f"{row.refused} of {row.requests}",
        ]
        for row in results.rates
    ]
    head = ["connector", "latency", "limit", "at once", "possible", "achieved", "share", "refused"]
    title = "## Our rate under enforced limits, with the defaults"
    return f"{title}\n\n{table(head, lines)}\n{RATES}" if lines else ""


def requests(results: Results) -> str:
    """The requests of full and of empty syncs."""
    lines = [
        [
            row.provider,
            f"{row.full}",
            f"{row.least_full}",
            f"{row.empty}",
            f"{row.least_empty}",
            f"{row.allowed_empty}",
        ]
        for row in results.requests
    ]
    head = ["connector", "full sync", "least", "nothing new", "least", "promised at most"]
    title = "## Requests a sync (lookback 7 days, OpenPhone 1 day)"
    return f"{title}\n\n{table(head, lines)}" if lines else ""


def hourly(results: Results) -> str:
    """Requests and seconds of an hourly sync, by the size of the workspace."""
    lines = []
    for provider, calls in dict.fromkeys((row.provider, row.calls) for row in results.hourly):
        found = {
            row.program: row
            for row in results.hourly
            if (row.provider, row.calls) == (provider, calls)
        }
        cells = [
            f"{row.requests:,} ({row.seconds:.1f} s)" if row.is_valid else "calls are missing"
            for row in found.values()
        ]
        lines.append([provider, f"{calls:,}", *cells])
    programs = dict.fromkeys(row.program for row in results.hourly)
    head = ["connector", "calls", *(HEADS.get(program, program) for program in programs)]
    title = "## Requests (and time, at 0 ms) of an hourly sync with 100 new calls, lookback 7 days"
    return f"{title}\n\n{table(head, lines)}" if lines else ""


def versions(results: Results) -> str:
    """Requests and seconds of Quo's two APIs."""
    lines = [
        [
            row.version,
            row.sync,
            f"{row.requests:,}" if row.is_valid else "calls are missing",
            f"{row.seconds:.1f} s",
            f"{row.refused}",
        ]
        for row in results.versions
    ]
    if not lines:
        return ""
    one = results.versions[0]
    title = (
        f"## Quo's two APIs: {one.calls:,} calls in {one.conversations:,} conversations, ten"
        f" requests a second, {one.latency_ms} ms"
    )
    head = ["API version", "sync", "requests", "time", "refused"]
    return f"{title}\n\n{table(head, lines)}"


def memory(results: Results) -> str:
    """Peak memory by number of calls."""
    sizes = sorted({row.calls for row in results.memory})
    lines = []
    for program in ("ours", "dlt", "singer", "bare"):
        known = {row.calls: row for row in results.memory if row.program == program}
        cells = [
            "" if size not in known else mebibytes(known[size].peak_bytes, known[size].is_valid)
            for size in sizes
        ]
        lines.append([HEADS.get(program, program), *cells])
    head = ["peak memory", *(f"{size:,} calls" for size in sizes)]
    note = "Skipcall. Ours runs without its rate budget here; the peers stop at 100,000 calls.\n"
    return f"## Memory\n\n{table(head, lines)}\n{note}" if sizes else ""


def mebibytes(count: int, is_valid: bool) -> str:
    """A size in MiB."""
    return f"{count / 2**20:.0f} MiB" if is_valid else "failed"


def startup(results: Results) -> str:
    """The short commands."""
    lines = [
        [row.command, f"{row.seconds:.2f} s", mebibytes(row.peak_bytes, True)]
        for row in results.startup
    ]
    head = ["command", "time", "peak memory"]
    note = "Medians over the four connectors. The import is the floor of all three.\n"
    return f"## spec, check, discover\n\n{table(head, lines)}\n{note}" if lines else ""


def profile(results: Results) -> str:
    """Where the time of a read goes."""
    parts = []
    for one in results.profile:
        parts.append(
            f"{one.provider}, {one.calls:,} calls at zero latency: {MAPPING} are"
            f" **{one.command_share:.1%}** of the command's CPU time ({one.start_seconds:.1f} s to"
            f" start, {one.read_seconds:.1f} s to read), {one.read_share:.1%} without the start."
            " By function of the reading,"
            " with Python's profile hook, which makes small functions look dearer than they are:\n"
        )
        groups = [[name, f"{share:.1%}"] for name, share in one.shares.items()]
        lines = [[f"`{name}`", f"{share:.1%}"] for name, share in one.cdk_lines.items()]
        parts.append(table(["own time", "share"], groups))
        parts.append(table(["the CDK's dearest functions", "share"], lines))
    return "## Where the time goes\n\n" + "\n".join(parts) if parts else ""


def failures(results: Results) -> str:
    """The parts that could not be measured."""
    lines = [f"- {name}: {reason}\n" for name, reason in results.failures.items()]
    return "## Not measured\n\n" + "".join(lines) if lines else ""


def promises(results: Results) -> str:
    """What is asked of this product, and whether this run shows it."""
    found = [*promised_times(results), *promised_limits(results), *promised_costs(results)]
    lines = [[text, value, held_text(text, held)] for text, value, held in found]
    head = ["promise", "measured", "held"]
    return f"## Promises\n\n{table(head, lines)}" if lines else ""


Promise = tuple[str, str, bool]
NO_SLOWER = "no slower than"


def held_text(text: str, held: bool) -> str:
    """Whether a promise was held; speed at no latency is bounded by the CDK."""
    return "yes" if held else "no, see the CDK's lines below" if NO_SLOWER in text else "NO"


def promised_times(results: Results) -> Iterable[Promise]:
    """The promises about time; start-up outweighs all else in a quick run, so it shows none."""
    for case in [] if results.is_quick else cases_of(results.timing):
        row = case[0]
        name = f"{row.provider}, {row.latency_ms} ms"
        against = [(peer, found) for peer in ("dlt", "singer") if (found := ratio(case, peer))]
        if row.kind == "page numbers" and row.latency_ms >= 100:
            for peer, found in against:
                text = f"{name}: at least 8 times faster than {HEADS.get(peer, peer)}"
                yield text, f"{found:.1f} times", found >= 8
        elif row.kind == "page numbers" and row.latency_ms == 0:
            for peer, found in against[:1]:
                yield f"{name}: {NO_SLOWER} {peer}", f"{found:.2f} times as fast", found >= 1


def promised_limits(results: Results) -> Iterable[Promise]:
    """The promises about rates and requests."""
    for rate in results.rates:
        held = rate.share >= 0.9 and rate.refused == 0 and rate.exit_status == 0
        text = f"{rate.provider}, {rate.latency_ms} ms: 90 % of the possible rate, none refused"
        yield text, f"{rate.share:.1%}, {rate.refused} refused", held
    for row in results.requests:
        text = f"{row.provider}: nothing new costs at most {row.allowed_empty} requests"
        measured = f"{row.empty}" if row.is_valid else "calls are missing"
        yield text, measured, row.is_valid and row.empty <= row.allowed_empty
    for hour in results.hourly:
        if hour.program == "ours":
            text = f"{hour.provider}, {hour.calls:,} calls: an hourly sync costs at most"
            measured = f"{hour.requests}" if hour.is_valid else "calls are missing"
            held = hour.is_valid and hour.requests <= hour.allowed
            yield f"{text} {hour.allowed} requests", measured, held


def promised_costs(results: Results) -> Iterable[Promise]:
    """The promises about memory and CPU."""
    ours = sorted((one.calls, one.peak_bytes) for one in results.memory if one.program == "ours")
    if len(ours) > 1:
        (few, least), (many, most) = ours[0], ours[-1]
        text = f"memory at {many:,} calls at most 1.3 times that at {few:,}"
        yield text, f"{most / least:.2f} times", most <= 1.3 * least
    for one in results.profile:
        text = f"{one.provider}: {MAPPING} below 15 % of a read of {one.calls:,} calls"
        yield text, f"{one.command_share:.1%}", one.command_share < 0.15
