"""The inbox under fire: its processes and its database are killed while a known stream comes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inbox.crash.run import compare
from tests.inbox.crash.summary import count_repeats, count_tried_again, tell
from tests.inbox.crash.verdict import find_problems

SEED = 20_261
KILLS = 50


@pytest.mark.timeout(240)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_whatever_is_killed_each_event_takes_effect_once(tmp_path: Path, database: str) -> None:
    """What was acknowledged is done, once, and both sides hold what they hold without a single kill."""
    with compare(tmp_path, database, seed=SEED, kills=KILLS) as comparison:
        print(tell(comparison))  # noqa: T201  # shown if it fails

        assert find_problems(comparison) == []
        # Else the kills hit nobody at work, and nothing was proved.
        assert count_repeats(comparison) > 0
        assert count_tried_again(comparison) > 0
        assert comparison.course.killed.total() == KILLS
