"""A hundred orders through time-outs, refusals, lost answers, SIGKILLs and two pushers at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.push.faults import run_ordeal


@pytest.mark.timeout(180)
def test_every_order_is_at_ultracart_once_or_held_with_its_reason(tmp_path: Path) -> None:
    """UltraCart's own ledger says so; `python -m tests.push.faults` does the same with thousands."""
    tally = run_ordeal(tmp_path, seed=11, orders=100)

    assert tally.problems == []
    assert set(tally.imports) == {0, 1}
    assert {"killed by SIGKILL", "answer lost after", "killed between two steps"} <= set(tally.trouble)
