"""Settings of all tests of the repository: what is done once a process, and their order."""

import gc
from collections.abc import Iterator

import pytest

from integration_tests.longest_first import longest_first
from integration_tests.once_a_process import once_a_process


@pytest.fixture(scope="session", autouse=True)
def _once_a_process() -> Iterator[None]:
    """What costs time and proves nothing a second time is done once.

    And the garbage collector leaves alone what was imported for all tests.
    """
    gc.collect()
    gc.freeze()
    with once_a_process():
        yield
    gc.unfreeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the tests, long ones begin first, so that none is alone at the end."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = longest_first(items, _seconds, workers)


def _seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("lasts")
    return float(marker.args[0]) if marker else 0.0
