"""The push between both stand-ins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from tasks.seed import Shop, make_shop
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.push.desk import Desk


@pytest.fixture(scope="session")
def shop() -> Shop:
    """A small shop: the push needs its catalogue, and few of its customers and orders."""
    return make_shop(customers=10, orders=20, now=datetime.now(UTC))


@pytest.fixture
def desk(engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> Iterator[Desk]:
    """The push on SQLite between both stand-ins, with both catalogues read."""
    with Desk.open(engine, ultracart, thiio) as desk:
        desk.pull_catalogues()
        yield desk
