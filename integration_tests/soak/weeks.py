"""Simulated weeks of hourly syncs: every provider, in every order, from several seeds."""

import logging
import time
import traceback
from collections.abc import Iterator
from itertools import product

from integration_tests.sandbox.arrivals import MOMENTS
from integration_tests.sandbox.switches import LIST_ORDERS, ListOrder
from integration_tests.simulated_week import simulated
from integration_tests.soak.connector import peak_megabytes
from integration_tests.soak.measure import Measured

WEEK = 168


def kinds() -> Iterator[tuple[str, ListOrder]]:
    """Each provider whose order is not known with each order, and the one that has one."""
    for provider in MOMENTS:
        for order in LIST_ORDERS:
            yield provider, order
    yield "amplemarket", "created_desc"


def simulated_weeks(seeds: int) -> tuple[int, Measured, str]:
    """Weeks from so many seeds: how many requests were sent, what was measured, the verdict."""
    began, began_working = time.monotonic(), time.process_time()
    requests, held, failed = 0, 0, []
    logging.disable()  # what the connectors tell would fill the screen
    for seed, (provider, order) in product(range(1, seeds + 1), kinds()):
        with simulated(provider, order, seed) as week:
            try:
                week.live_and_sync(WEEK)
            except AssertionError:
                failed.append(f"{provider} {order} {seed}: {traceback.format_exc(limit=-1)}")
            requests += sum(week.requests)
            held += len(week.held)
    logging.disable(logging.NOTSET)
    measured = Measured(
        exit_status=0,
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - began_working,
        peak_megabytes=peak_megabytes(),
        output_megabytes=0.0,
        records=held,
        digests={},
        errors=failed,
        states=0,
    )
    return requests, measured, "\n".join(failed) or "complete"
