"""What is measured: one world and one latency a case, the same for all programs."""

from dataclasses import dataclass

ALL = ("bare", "singer", "dlt", "ours")
PEERS_AND_OURS = ("singer", "dlt", "ours")
FAN_OUT = ("bare", "singer", "dlt", "dlt parallelized", "ours")
UNTHROTTLED = ("skipcall.limit=1000",)
"""The larger of Skipcall's two plans: the connector keeps to the limit that the answers name."""


@dataclass(frozen=True)
class Case:
    """A world, a latency, and who reads it how often.

    Attributes:
        kind: the table's word for how the provider's calls are reached.
        calls: how many the provider holds.
        latency_ms: how long it takes to answer a request.
        limits: whether the provider's rate limit is enforced.
    """

    kind: str
    provider: str
    calls: int
    latency_ms: int
    programs: tuple[str, ...]
    repeats: int = 1
    conversations: int | None = None
    limits: bool = False
    switches: tuple[str, ...] = ()


NUMBERS, LINKS, FAN = "page numbers", "links", "fan-out"

FULL = (  # at 100 ms and more long enough that start-up, about 2 s of ours, counts little
    Case(NUMBERS, "intercom", 20_000, 0, ALL, repeats=3),
    Case(NUMBERS, "skipcall", 20_000, 0, ALL, repeats=3, switches=UNTHROTTLED),
    Case(NUMBERS, "intercom", 4_000, 50, ALL),
    Case(NUMBERS, "intercom", 20_000, 100, PEERS_AND_OURS),
    Case(NUMBERS, "skipcall", 100_000, 100, PEERS_AND_OURS, switches=UNTHROTTLED),
    Case(NUMBERS, "intercom", 10_000, 200, PEERS_AND_OURS),
    Case(LINKS, "amplemarket", 20_000, 0, ALL),
    Case(LINKS, "amplemarket", 5_000, 50, ALL),
    Case(LINKS, "amplemarket", 2_000, 200, ALL),
    Case(FAN, "openphone", 800, 0, FAN_OUT, conversations=21, limits=True),
    Case(FAN, "openphone", 800, 50, FAN_OUT, conversations=21, limits=True),
    Case(FAN, "openphone", 800, 200, FAN_OUT, conversations=21, limits=True),
)

QUICK = (
    Case(NUMBERS, "intercom", 5_000, 0, ALL),
    Case(NUMBERS, "intercom", 1_000, 100, PEERS_AND_OURS),
    Case(LINKS, "amplemarket", 5_000, 0, ALL),
    Case(FAN, "openphone", 400, 50, ("dlt", "ours"), conversations=12, limits=True),
)
