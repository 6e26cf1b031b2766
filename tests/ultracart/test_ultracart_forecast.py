"""The finish that a plan foresees is the one that the calls themselves come to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tasks.errors import BudgetSpent
from tasks.ultracart.budget import Budget, Limits, foresee
from tests.ultracart.test_ultracart_pacing import NOON, Clock, pacer_of


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        (Limits(calls_per_hour=1_000, calls_per_day=10_000), 40),
        (Limits(calls_per_hour=20, calls_per_day=10_000), 60),
        (Limits(calls_per_hour=20, calls_per_day=40), 90),
    ],
    ids=["within all limits", "beyond the hour's", "beyond the day's"],
)
def test_calls_end_when_it_was_foreseen(engine: Engine, limits: Limits, calls: int) -> None:
    """With a real pacer, whose waits and stops a run obeys; each call takes two seconds."""
    clock = Clock()
    pacer = pacer_of(engine, clock, limits)
    foreseen = foresee(Budget(counted_at=NOON), limits, calls, 2.0, NOON)

    made = 0
    while made < calls:
        try:
            with pacer.turn():
                clock.sleep(2.0)
            made += 1
        except BudgetSpent as spent:
            clock.now = spent.resumes_at + timedelta(seconds=0.001)

    assert foreseen - clock.now == pytest.approx(timedelta(), abs=timedelta(seconds=1))
    assert foreseen - NOON >= timedelta(seconds=2 * calls)


def test_what_is_used_already_is_not_free() -> None:
    """With the hour used up ten calls take ten times 3.6 seconds."""
    limits = Limits(calls_per_hour=1_000, calls_per_day=10_000)
    used = Budget(hour_level=1_000.0, counted_at=NOON)

    assert foresee(used, limits, 10, 0.0, NOON) - NOON == pytest.approx(
        timedelta(seconds=36), abs=timedelta(seconds=0.1)
    )
    assert foresee(used, limits, 0, 0.0, NOON) == NOON
