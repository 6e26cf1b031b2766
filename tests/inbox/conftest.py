"""Running receivers, and our inbox between the two stand-ins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from tasks.database.engine import open_database, open_engine
from tasks.database.tables import metadata
from tasks.seed import Shop, make_shop
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.inbox.lost_webhooks import Scene, open_scene
from tests.inbox.running_receiver import serve_receiver, url_of
from tests.inbox.workplace import Workplace


@pytest.fixture(scope="session")
def shop() -> Shop:
    """A small shop: what these tests are about happens after it was made."""
    return make_shop(customers=20, orders=20, now=datetime.now(UTC))


@pytest.fixture(scope="session")
def postgres_inbox_url(postgres_url: str) -> str:
    """A Postgres database with our tables, which the tests use in turn."""
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE inbox"))
    admin.dispose()
    url = make_url(postgres_url).set(database="inbox").render_as_string(hide_password=False)
    open_database(url).dispose()
    return url


@pytest.fixture
def postgres_engine(postgres_inbox_url: str) -> Iterator[Engine]:
    """Our database on Postgres, empty when a test begins."""
    engine = open_engine(postgres_inbox_url)
    with engine.begin() as connection:
        names = ", ".join(metadata.tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield engine
    engine.dispose()


@pytest.fixture(params=["engine", "postgres_engine"], ids=["sqlite", "postgres"])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """Our database, once on SQLite and once on Postgres."""
    engine: Engine = request.getfixturevalue(request.param)
    return engine


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


@pytest.fixture
def scene(engine: Engine, ultracart: UltraCartSandbox, receiver: httpx.Client) -> Iterator[Scene]:
    """UltraCart's stand-in, our receiver on SQLite, and a door between them that can be shut."""
    with open_scene(engine, ultracart, receiver) as scene:
        yield scene


@pytest.fixture
def any_scene(any_engine: Engine, ultracart: UltraCartSandbox, any_receiver: httpx.Client) -> Iterator[Scene]:
    """The same on SQLite and on Postgres."""
    with open_scene(any_engine, ultracart, any_receiver) as scene:
        yield scene


@pytest.fixture
def workplace(engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> Iterator[Workplace]:
    """Our inbox on SQLite between both stand-ins."""
    with Workplace.open(engine, ultracart, thiio) as workplace:
        yield workplace


@pytest.fixture
def any_workplace(
    any_engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> Iterator[Workplace]:
    """Our inbox on SQLite and on Postgres between both stand-ins."""
    with Workplace.open(any_engine, ultracart, thiio) as workplace:
        yield workplace
