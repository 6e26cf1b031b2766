"""The times an operator may choose for a comparison."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from flows.reconcile_customers import ReconcileCustomers
from flows.reconcile_orders import ReconcileOrders
from tests.reconcile.two_sides import NOW

MODELS = [ReconcileOrders, ReconcileCustomers]


@pytest.mark.parametrize("model", MODELS)
def test_a_window_must_end_after_it_starts(model: Callable[..., Any]) -> None:
    """Times that cannot be meant are refused in words; an open end means now."""
    for times in ({"end": NOW}, {"end": NOW - timedelta(days=1)}, {"end": None}):
        start = NOW if times["end"] else datetime.now(UTC) + timedelta(hours=1)
        with pytest.raises(ValidationError, match="must be later than 'From'"):
            model(start=start, **times)


@pytest.mark.parametrize("model", MODELS)
def test_a_time_has_a_zone(model: Callable[..., Any]) -> None:
    """Without one nobody knows which moment is meant."""
    with pytest.raises(ValidationError, match="timezone"):
        model(start="2026-11-01T00:00:00")

    assert model(start="2026-11-01T00:00:00+01:00").start == datetime(2026, 10, 31, 23, tzinfo=UTC)
