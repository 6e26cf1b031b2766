"""Running receivers with pages to read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from tests.inbox.running_receiver import serve_receiver, url_of


@pytest.fixture
def receiver(engine: Engine) -> Iterator[httpx.Client]:
    """A client of a receiver on `engine`'s SQLite file."""
    with serve_receiver(url_of(engine)) as client:
        yield client


@pytest.fixture
def any_receiver(any_engine: Engine) -> Iterator[httpx.Client]:
    """A client of a receiver on `any_engine`'s database."""
    with serve_receiver(url_of(any_engine)) as client:
        yield client
