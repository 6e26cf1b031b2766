"""Connections to Thiio: to its stand-in, and to empty tables on SQLite and on Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from tasks.database.engine import open_engine
from tasks.loopback import serve_on_loopback
from tasks.notifications.log import Notification
from tasks.records.item_rules import ItemKeys
from tasks.settings import Settings, load_settings
from tasks.thiio.channels import ThiioChannels
from tasks.thiio.database.connection import DatabaseThiio
from tasks.thiio.database.schema import build_tables
from tasks.thiio.mapping_file import ThiioMapping
from tasks.thiio.sandbox.agents import Agents
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.thiio.subscriber import Receiver, settings_of


@pytest.fixture
def told() -> list[Notification]:
    """Where the connections of a test put their notifications."""
    return []


@pytest.fixture
def settings(thiio: ThiioSandbox) -> Settings:
    """Settings that point at the stand-in, by both connections."""
    return load_settings(
        thiio={
            "database_url": thiio.database_url,
            "base_url": thiio.base_url,
            "email": thiio.email,
            "password": thiio.password,
            "inbound_webhook_url": thiio.inbound_webhook_url,
        }
    )


@pytest.fixture(scope="session")
def crm_on_postgres(postgres_url: str) -> str:
    """A Postgres database for Thiio's tables; making one for each test would cost more than the tests."""
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE crm"))
    admin.dispose()
    return make_url(postgres_url).set(database="crm").render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgres"])
def agents(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Agents]:
    """Thiio's tables, empty but for one product BONE and one gateway STRIPE1, on SQLite and on Postgres."""
    url = f"sqlite:///{tmp_path / 'crm.sqlite3'}"
    if request.param == "postgres":
        url = request.getfixturevalue("crm_on_postgres")
    agents = make_agents(url)
    yield agents
    if request.param == "postgres":
        with agents.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    agents.engine.dispose()


@pytest.fixture
def sqlite_agents(tmp_path: Path) -> Iterator[Agents]:
    """The same on SQLite alone."""
    agents = make_agents(f"sqlite:///{tmp_path / 'crm.sqlite3'}")
    yield agents
    agents.engine.dispose()


def make_agents(url: str) -> Agents:
    """Make Thiio's tables in a database."""
    engine = open_engine(url)
    tables = build_tables()
    tables.metadata.create_all(engine)
    agents = Agents(engine, tables)
    agents.add_product("Rawhide bone", "BONE")
    agents.add_gateway("Stripe", "STRIPE1")
    return agents


@pytest.fixture
def connection(agents: Agents, told: list[Notification]) -> DatabaseThiio:
    """The connection `database` to those tables."""
    return connect(agents.engine, told)


def connect(engine: Engine, told: list[Notification], mapping: ThiioMapping | None = None) -> DatabaseThiio:
    """Make the connection `database` to an engine."""
    return DatabaseThiio(
        engine,
        mapping or ThiioMapping(),
        told.append,
        region="US",
        item_keys=ItemKeys(),
        partner_order_prefix="THIIO-",
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server in the receiver's place."""
    receiver = Receiver()
    with serve_on_loopback(receiver.respond) as url:
        receiver.url = f"{url}/webhooks/thiio"
        yield receiver


@pytest.fixture
def channels(thiio: ThiioSandbox, receiver: Receiver, told: list[Notification]) -> ThiioChannels:
    """Subscriptions of that receiver at the stand-in."""
    return ThiioChannels(settings_of(thiio, receiver.url), told.append)
