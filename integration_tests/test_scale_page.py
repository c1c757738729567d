"""What `docs/scale.md` advises for a huge backfill: one connection; `start_date` goes later."""

from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import PROVIDERS, ROOT, Connector, in_full
from integration_tests.sandbox import Sandbox, World

TEXT = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
ASKED_FOR_A_TIME = {"amplemarket", "openphone"}
"""The providers whose lists can be asked for a time; the page says so of them."""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_start_date_that_is_taken_away_later(provider: str, tmp_path: Path) -> None:
    with Sandbox(World(calls=600)) as sandbox:
        connector = Connector(provider, sandbox, tmp_path, forked=True)
        calls: dict[str, Any] = {}
        truth = sandbox.expected(provider)
        moments = sorted(call["occurred_at"] for call in truth.values())
        start = f"{moments[int(len(moments) * 0.97)][:19]}Z"

        recent = connector.read(in_full(provider, start_date=start))
        requests_for_recent = len(sandbox.requests)
        calls |= recent.by_id()
        assert 0 < len(calls) < len(truth) / 10

        sandbox.clear_requests()
        whole = connector.read(in_full(provider), state=[recent.last_state()])
        is_less = requests_for_recent < len(sandbox.requests)
        assert is_less is (provider in ASKED_FOR_A_TIME)
        calls |= whole.by_id()  # the same table, by its key
        assert calls.keys() == truth.keys()

        # and the next one is incremental again
        again = connector.read(in_full(provider), state=[whole.last_state()])
        assert len(again.by_id()) < len(truth)


def test_the_page_says_so() -> None:
    rows = {line.split("|")[1].strip(): line for line in TEXT.splitlines() if "| no:" in line}
    assert list(rows) == ["Intercom, Skipcall"]
    assert "two connections never write one table" in TEXT
