"""The steps build what they need from the settings alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tasks.seed import Shop
from tasks.thiio import steps
from tasks.thiio.sandbox.server import ThiioSandbox


def test_the_steps_pull_everything_of_a_window(
    thiio: ThiioSandbox, shop: Shop, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tells under its own name what it stored."""
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("ULTRATHIIO_THIIO__DATABASE_URL", thiio.database_url)
    window = (shop.now - timedelta(days=400), shop.now + timedelta(hours=1))

    assert (
        steps.pull_thiio_catalogue.fn()
        | steps.pull_thiio_customers.fn(*window)
        | steps.pull_thiio_orders.fn(*window)
    ) == {"thiio_products": 25, "thiio_gateways": 3, "thiio_customers": 240, "thiio_orders": 360}
